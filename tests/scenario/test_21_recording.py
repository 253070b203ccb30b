"""Recordings, from the announcement to their deletion; sessions and people that
are erased, here and at Twilio; and what the worker sweeps up by itself."""

import base64
import json
import time
import urllib.error
import urllib.request

import pytest

from client import TRIP_ENDED, masked, new_sid

RECORD = ("record=1", "announce-caller=This call is recorded.",
          "announce-callee=You are being recorded.")
OFF = ("record=0", "announce-caller=", "announce-callee=", "screening=0")


def until(look, wanted=True):
    """Look until the worker has done its part; it is woken, not waited for."""
    deadline = time.monotonic() + 20
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)


def at_twilio(stack, thing):
    """Whether the sandbox has a record, like Calls/CA…"""
    account = stack.env["TWILIO_ACCOUNT_SID"]
    key = f"{account}:{stack.env['TWILIO_AUTH_TOKEN']}".encode()
    request = urllib.request.Request(
        f"{stack.env['SANDBOX_URL']}/2010-04-01/Accounts/{account}/{thing}.json",
        headers={"Authorization":
                 f"Basic {base64.b64encode(key).decode()}"})
    try:
        with urllib.request.urlopen(request, timeout=20):
            return True
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return False


def report(stack, sid, call, status, **fields):
    """Twilio reports on a recording."""
    return stack.webhook("/twilio/recording", {
        "AccountSid": stack.env["TWILIO_ACCOUNT_SID"], "CallSid": call,
        "RecordingSid": sid, "RecordingStatus": status, **fields})


@pytest.fixture
def recording(stack):
    """The shared stack, whose service records."""
    stack.cli("service", "set", *RECORD)
    yield stack
    stack.cli("service", "set", *OFF)


@pytest.fixture
def talked(recording):
    """A session with one recorded call; and what the API says of it."""
    customer, driver = recording.persons(2)
    session = recording.open(customer, driver)
    recording.phone(driver, behaviour="answer")
    call = recording.dial(customer, masked(session))
    assert call["connected"]
    until(lambda: [made["status"] for made in
                   recording.get(session)["recordings"]], ["completed"])
    return recording, session, call


def test_nothing_is_recorded_unless_the_service_says_so(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    dial = stack.voice(customer, masked(session)).dial
    assert not [name for name in dial if name.startswith("record")]
    assert stack.get(session)["recordings"] == []


@pytest.mark.parametrize("settings", [
    ("record=1",), ("record=1", "announce-caller=x"),
    ("record=1", "announce-callee=x")])
def test_nobody_is_recorded_who_is_not_told(stack, unchanged, settings):
    done = stack.cli("service", "set", *settings, check=False)
    assert done.returncode == 1 and "announce-caller" in done.stderr


@pytest.mark.parametrize("setting", ["announce-caller=", "announce-callee="])
def test_what_tells_of_a_recording_stays_while_there_is_one(
        recording, unchanged, setting):
    assert recording.cli("service", "set", setting, check=False).returncode == 1


@pytest.mark.parametrize("screening", [0, 1])
def test_both_are_told_before_they_are_recorded(recording, screening):
    recording.cli("service", "set", f"screening={screening}")
    customer, driver = recording.persons(2)
    number = masked(recording.open(customer, driver))
    answer = recording.voice(customer, number)
    assert answer.verbs == ["Say", "Dial"]
    assert answer.said == "This call is recorded."
    assert answer.dial["record"] == "record-from-answer-dual"
    assert answer.dial["recordingStatusCallback"].startswith(
        recording.url + "/twilio/recording")
    assert answer.dial["recordingStatusCallbackEvent"] == (
        "in-progress completed absent")
    path = answer.number["url"].removeprefix(recording.url).split("#")[0]
    heard = recording.webhook(
        path, recording.voice_fields(number, driver)).twiml
    assert heard.said.startswith("You are being recorded.")
    assert heard.verbs == (["Say", "Gather", "Hangup"] if screening else
                           ["Say"])


def test_a_late_caller_is_not_recorded(recording):
    customer, driver = recording.persons(2)
    session = recording.open(customer, driver)
    recording.close(session)
    answer = recording.voice(customer, masked(session))
    assert (answer.said, answer.dial) == (TRIP_ENDED, None)


def test_a_recording_is_told_and_deleted(talked):
    stack, session, call = talked
    [made] = stack.get(session)["recordings"]
    assert made["session_id"] == session["id"]
    assert made["call_id"] == stack.get(session)["calls"][0]["id"]
    assert made["channels"] == 2 and made["duration"] > 0
    assert made["deleted_at"] is None
    assert ("recording.completed", "completed") in stack.events(session)
    sid = stack.one("SELECT sid FROM recording WHERE id = ?", made["id"])
    assert at_twilio(stack, f"Recordings/{sid}")

    path = f"/v1/recordings/{made['id']}"
    assert stack.api("GET", path).json == made
    deleting = stack.api("DELETE", path)
    assert (deleting.status, deleting.json["status"]) == (202, "deleting")
    until(lambda: stack.api("GET", path).json["status"], "deleted")
    assert not at_twilio(stack, f"Recordings/{sid}")
    assert stack.api("GET", path).json["deleted_at"]
    assert stack.events(session).count(("recording.deleted", None)) == 1
    # Again: it is gone, and stays so.
    again = stack.api("DELETE", path)
    assert (again.status, again.json["status"]) == (202, "deleted")
    late = report(stack, sid, call["sid"], "completed", RecordingDuration="9")
    assert late.status == 200
    assert stack.api("GET", path).json["status"] == "deleted"
    # Neither the API nor the events say what Twilio calls it.
    assert sid.encode() not in b"".join(each.body for each in stack.answers)


def test_reports_in_any_order_leave_the_same(recording):
    customer, driver = recording.persons(2)
    session = recording.open(customer, driver)
    call = new_sid()
    recording.voice(customer, masked(session), call)
    sid = "RE" + new_sid()[2:]
    last = {"RecordingDuration": "7", "RecordingChannels": "2"}
    for status, fields in (("completed", last), ("in-progress", {}),
                           ("failed", {}), ("completed", last)):
        assert report(recording, sid, call, status, **fields).twiml.verbs == []
    [made] = recording.get(session)["recordings"]
    assert (made["status"], made["duration"], made["channels"]) == (
        "completed", 7, 2)
    assert [event for event, _ in recording.events(session)
            if event.startswith("recording")] == ["recording.completed"]


def test_a_recording_of_nobody_we_know_is_kept_to_be_deleted(stack):
    sid = "RE" + new_sid()[2:]
    before = stack.counters()["webhooks_unknown"]
    assert report(stack, sid, new_sid(), "completed").status == 200
    assert stack.counters()["webhooks_unknown"] == before + 1
    assert stack.rows("SELECT status, service_id FROM recording "
                      "WHERE sid = ?", sid) == [("completed", None)]


@pytest.mark.parametrize("field, value", [
    ("RecordingSid", "RE123"), ("RecordingSid", ""),
    ("RecordingSid", "CA" + "0" * 32), ("CallSid", "x"),
    ("RecordingStatus", "deleted"), ("RecordingStatus", ""),
    ("RecordingDuration", "-1"), ("RecordingDuration", "1e3"),
    ("RecordingChannels", "two")])
def test_a_bad_report_changes_nothing(stack, unchanged, field, value):
    answer = stack.webhook("/twilio/recording", {
        "CallSid": new_sid(), "RecordingSid": "RE" + "0" * 32,
        "RecordingStatus": "completed", field: value})
    assert answer.problem == (422, "invalid_field", field)


def test_an_unsigned_report_is_unseen(stack, unchanged):
    fields = {"CallSid": new_sid(), "RecordingSid": "RE" + "0" * 32,
              "RecordingStatus": "completed"}
    assert stack.webhook("/twilio/recording", fields,
                         signature="").problem[:2] == (403, "signature_invalid")


def test_what_is_not_a_recording_of_ours(talked):
    stack, session, _ = talked
    [made] = stack.get(session)["recordings"]
    path = f"/v1/recordings/{made['id']}"
    other = stack.new_service(f"other-{made['id'][-6:]}")
    before = stack.tables()
    for method in ("GET", "DELETE"):
        assert stack.api(method, path, key=other).problem[0] == 404
        assert stack.api(method, "/v1/recordings/rec_0").problem[0] == 404
        assert stack.api(method, path, key="").problem[0] == 401
    assert stack.api("POST", path).problem[0] == 405
    assert stack.tables() == before


# Erasing.

def erase(stack, *arguments):
    """Erase, and return the receipt."""
    done = stack.cli("erase", *arguments, "--json")
    return json.loads(done.stdout)


def receipt(stack, made):
    """The receipt as it stands."""
    return erase(stack, "show", made["id"])


def test_a_session_is_erased_here_and_at_twilio(talked):
    stack, session, call = talked
    customer, driver = stack.people[-2:]
    legs = [row[0] for row in stack.rows(
        "SELECT sid FROM call WHERE session_id = ?", session["id"])]
    [(sound,)] = stack.rows("SELECT sid FROM recording WHERE session_id = ?",
                            session["id"])
    assert len(legs) == 2 and call["sid"] in legs
    records = [f"Calls/{leg}" for leg in legs] + [f"Recordings/{sound}"]
    assert all(at_twilio(stack, record) for record in records)
    made = erase(stack, "session", session["id"])
    assert (made["subject"], made["subject_id"]) == ("session", session["id"])
    assert sorted(item["thing"] for item in made["items"]) == sorted(
        [*records, session["id"]])
    until(lambda: receipt(stack, made)["waiting"], 0)
    assert all(item["erased_at"] for item in receipt(stack, made)["items"])
    assert not any(at_twilio(stack, record) for record in records)
    shown = stack.cli("erase", "show", made["id"]).stdout
    assert "4 of 4 erased" in shown and session["id"] in shown

    # Nothing of the people is left but what keeps the number from others.
    assert stack.rows("SELECT length(person), length(phone_sealed), code FROM "
                      "party WHERE session_id = ?", session["id"]) == [
                          (0, 0, "")] * 2
    now = stack.get(session)
    assert now["status"] == "closed" and now["reference"] is None
    assert {party["code"] for party in now["parties"]} == {None}
    for person in (customer, driver):
        answer = stack.voice(person, masked(session))
        assert (answer.said, answer.dial) == (TRIP_ENDED, None)
    assert "\ncallmask_database_up 1\n" in stack.request(
        "GET", "/metrics").body.decode()
    # Again: the same receipt.
    assert erase(stack, "session", session["id"])["id"] == made["id"]


def test_a_running_call_is_erased_later(new_stack):
    stack = new_stack(WORKERS="1")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.phone(driver, behaviour="manual")
    call = stack.sandbox("POST", "calls", {
        "from": customer, "to": masked(session), "wait": False})
    until(lambda: len(stack.rows("SELECT 1 FROM call WHERE session_id = ?",
                                 session["id"])), 2)
    made = erase(stack, "session", session["id"])
    assert made["waiting"] == 2 and len(made["items"]) == 3
    # It is ended first; until Twilio has done that it does not let go of it.
    until(lambda: receipt(stack, made)["waiting"], 0)
    assert not at_twilio(stack, f"Calls/{call['sid']}")


def test_what_twilio_has_not_is_gone(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.voice(customer, masked(session))
    made = erase(stack, "session", session["id"])
    until(lambda: receipt(stack, made)["waiting"], 0)


def test_a_person_is_erased_from_all_sessions(stack):
    driver, *customers = stack.persons(4)
    sessions = [stack.open(customer, driver) for customer in customers[:2]]
    other = stack.open(customers[2], customers[0])
    made = erase(stack, "person", driver)
    assert (made["subject"], made["subject_id"], made["waiting"]) == (
        "person", None, 0)
    assert sorted(item["thing"] for item in made["items"]) == sorted(
        session["id"] for session in sessions)
    assert [stack.get(session)["status"] for session in sessions] == [
        "closed"] * 2
    assert stack.get(other)["status"] == "open"
    assert stack.voice(customers[0], masked(other)).rings == customers[2]
    again = stack.cli("erase", "person", driver, check=False)
    assert again.returncode == 1 and "nothing about" in again.stderr
    assert driver not in again.stderr + again.stdout


@pytest.mark.parametrize("arguments", [
    ("session",), ("session", "ses_0"), ("person", "12"), ("show", "era_0"),
    ("person",), ("show",)])
def test_what_cannot_be_erased(stack, unchanged, arguments):
    done = stack.cli("erase", *arguments, check=False)
    assert done.returncode in (1, 2) and done.stderr and not done.stdout


# The worker's sweeps.

def test_a_session_expires_by_itself(stack):
    stack.cli("service", "set", "expiring-notice=1")
    try:
        session = stack.open(*stack.persons(2), ttl=2)
        until(lambda: [event for event, _ in stack.events(session)],
              ["session.opened", "session.expiring", "session.expired"])
    finally:
        stack.cli("service", "set", "expiring-notice=300")
    assert stack.get(session)["status"] == "expired"


def test_a_sweep_that_fails_keeps_no_delivery_waiting(new_stack):
    stack = new_stack(WORKERS="1")
    database = stack.connect("rw")
    database.execute(
        "CREATE TRIGGER stuck BEFORE UPDATE ON session "
        "WHEN new.close_reason = 'expired' BEGIN "
        "SELECT raise(ABORT, 'stuck'); END")
    database.close()
    stack.open(*stack.persons(2), ttl=1)
    until(lambda: "sweep_failed" in stack.read("log/outboxd.log"))
    session = stack.open(*stack.persons(2))
    stack.voice(stack.people[-1], masked(session))
    made = erase(stack, "session", session["id"])
    until(lambda: receipt(stack, made)["waiting"], 0)
    assert "round_failed" not in stack.read("log/outboxd.log")
