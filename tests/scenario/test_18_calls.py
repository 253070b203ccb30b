"""Click-to-call: the app asks, one phone rings and then the other, and both see
masked numbers. And calls that the app ends."""

import pytest

import stack as stacks
from client import TRIP_ENDED, judge, masked, new_sid
from test_01_story import until

pytestmark = pytest.mark.sanitized

ENDED = ("call.ended", "call.refused")


def ask(stack, session, role="driver", **more):
    """Ask for a call; the answer as it is."""
    return stack.api("POST", f"/v1/sessions/{session['id']}/calls",
                     {"from": role}, **more)


def place(stack, session, role="driver"):
    """Ask for a call, which must be possible; the call."""
    answer = ask(stack, session, role)
    assert answer.status == 202, answer
    call = answer.json
    assert answer.headers["Location"] == f"/v1/calls/{call['id']}"
    assert call["session_id"] == session["id"] and call["placed"] is True
    return call


def get(stack, call):
    answer = stack.api("GET", f"/v1/calls/{call['id']}")
    assert answer.status == 200, answer
    return answer.json


def told(stack, call):
    """The events of a call."""
    return stack.rows("SELECT type, detail FROM event WHERE subject_id = ? "
                      "ORDER BY seq", call["id"])


def finish(stack, call):
    """Wait until a call is over for the app; the call."""
    until(lambda: [kind for kind, _ in told(stack, call) if kind in ENDED])
    stack.sandbox("POST", "settle")
    return get(stack, call)


def view(stack, call):
    """What the phones saw of a call: the sandbox's view."""
    until(lambda: stack.one("SELECT sid FROM call WHERE id = ?", call["id"]))
    sid = stack.one("SELECT sid FROM call WHERE id = ?", call["id"])
    seen = stack.sandbox("GET", f"calls/{sid}")
    for entry in seen["transcript"]:
        if entry.get("content_type") == "text/xml":
            judge(entry["body"].encode())
    return seen


def troubles(seen):
    return [entry for entry in seen["transcript"]
            if entry["kind"] in ("error", "warning")]


def act(stack, seen, deed, phone):
    stack.sandbox("POST", f"calls/{seen['sid']}/{deed}", {"phone": phone})


def rings(stack, call, phone):
    """Wait until a phone rings; the view."""
    def ringing():
        return [leg for leg in view(stack, call)["rang"]
                if (leg["phone"], leg["status"]) == (phone, "ringing")]
    until(ringing)
    return view(stack, call)


def calls_of(stack, number):
    """The calls of the sandbox that rang a phone first."""
    return [call for call in stack.sandbox("GET", "calls")["calls"]
            if call["to"] == number]


@pytest.fixture(name="people")
def fresh_people(stack):
    """A customer, a driver and their session."""
    customer, driver = stack.persons(2)
    return customer, driver, stack.open(customer, driver)


def test_one_phone_rings_and_then_the_other(stack, people):
    customer, driver, session = people
    call = place(stack, session)
    assert (call["from"], call["status"]) == ("driver", "queued")
    done = finish(stack, call)
    assert (done["status"], done["reason"]) == ("completed", "connected")
    assert done["started_at"] <= done["answered_at"] <= done["ended_at"]
    assert told(stack, call) == [
        ("call.started", "connected"), ("call.ringing", "ringing"),
        ("call.answered", "in-progress"), ("call.ended", "completed")]
    seen = view(stack, call)
    number = masked(session)
    assert [(leg["phone"], leg["showed"]) for leg in seen["rang"]] == [
        (driver, number), (customer, number)]
    assert seen["connected"] and troubles(seen) == []
    assert seen["rang"][0]["heard"] == ["Connecting your call."]
    assert done["duration"] == seen["rang"][1]["duration"] >= 5
    # What a phone saw or did tells nothing of the other's number.
    for entry in seen["transcript"]:
        for phone, other in ((driver, customer), (customer, driver)):
            if entry["kind"] not in ("wire", "dials", "connected") \
                    and entry["phone"] == phone:
                assert other not in entry["text"]
    [listed] = stack.get(session)["calls"]
    assert listed == {name: value for name, value in done.items()
                      if name != "session_id"}


def test_each_of_them_can_be_the_first(stack, people):
    customer, driver, session = people
    call = place(stack, session, "customer")
    assert finish(stack, call)["from"] == "customer"
    assert [leg["phone"] for leg in view(stack, call)["rang"]] == [
        customer, driver]


def test_its_progress_is_shown(stack, people):
    customer, driver, session = people
    for phone in (customer, driver):
        stack.phone(phone, behaviour="manual")
    call = place(stack, session)
    seen = rings(stack, call, driver)
    until(lambda: get(stack, call)["status"] == "ringing")
    assert get(stack, call)["ringing_at"] is None
    act(stack, seen, "answer", driver)
    rings(stack, call, customer)
    until(lambda: get(stack, call)["ringing_at"])
    act(stack, seen, "answer", customer)
    until(lambda: get(stack, call)["status"] == "in-progress")
    assert get(stack, call)["answered_at"]
    act(stack, seen, "hangup", customer)
    assert finish(stack, call)["status"] == "completed"


@pytest.mark.parametrize("behaviour, status", (
    ("busy", "busy"), ("decline", "busy"), ("no-answer", "no-answer"),
    ("unreachable", "failed")))
@pytest.mark.parametrize("who", (0, 1), ids=("the first", "the other"))
def test_somebody_does_not_answer(stack, people, who, behaviour, status):
    customer, driver, session = people
    stack.phone((driver, customer)[who], behaviour=behaviour)
    call = place(stack, session)
    done = finish(stack, call)
    assert done["status"] == status and done["ended_at"]
    assert done["answered_at"] is None and done["duration"] == 0
    assert told(stack, call)[-1] == ("call.ended", status)
    seen = view(stack, call)
    assert len(seen["rang"]) == 1 + who and not seen["connected"]
    assert len(seen["heard"]) == (2 if who else 0)


def test_the_first_hangs_up_before_the_other_answers(stack, people):
    customer, driver, session = people
    stack.phone(customer, behaviour="manual")
    call = place(stack, session)
    seen = rings(stack, call, customer)
    act(stack, seen, "hangup", driver)
    assert finish(stack, call)["status"] == "no-answer"


@pytest.mark.parametrize("language, sentence", (
    ("de", "Sie werden verbunden."), ("fr", "Nous vous mettons en relation.")))
def test_the_first_hears_what_it_is(stack, people, language, sentence):
    _, _, session = people
    stack.cli("service", "set", f"language={language}")
    try:
        call = place(stack, session)
        finish(stack, call)
    finally:
        stack.cli("service", "set", "language=en")
    assert view(stack, call)["rang"][0]["heard"] == [sentence]


def test_a_service_has_its_own_words(stack, people):
    _, _, session = people
    stack.cli("service", "set", "announce-caller=Your ride is calling.",
              "screening=1")
    for phone in people[:2]:
        stack.phone(phone, digits=["1"])
    try:
        call = place(stack, session)
        assert finish(stack, call)["status"] == "completed"
    finally:
        stack.cli("service", "set", "announce-caller=", "screening=0")
    seen = view(stack, call)
    asked, own = seen["rang"][0]["heard"]
    assert "press 1" in asked and own == "Your ride is calling."
    assert "press 1" in seen["rang"][1]["heard"][0]
    assert seen["connected"]


@pytest.mark.parametrize("phone, disputed", (
    ({"behaviour": "answer"}, False), ({"digits": ["5"]}, False),
    ({"digits": ["9"]}, True)))
def test_who_is_rung_first_does_not_take_it(stack, people, phone, disputed):
    """A voicemail box, say: the other phone does not even ring."""
    customer, driver, session = people
    stack.cli("service", "set", "screening=1")
    stack.phone(driver, **phone)
    try:
        call = place(stack, session)
        assert finish(stack, call)["status"] == "no-answer"
    finally:
        stack.cli("service", "set", "screening=0")
    assert [leg["phone"] for leg in view(stack, call)["rang"]] == [driver]
    assert told(stack, call) == [
        ("call.started", "connected"), ("call.ended", "no-answer")]
    assert [party["disputed"] for party in stack.get(session)["parties"]] == [
        False, disputed]


def test_cancelled_while_it_rings(stack, people):
    customer, driver, session = people
    stack.phone(driver, behaviour="manual")
    call = place(stack, session)
    rings(stack, call, driver)
    for _ in range(2):
        answer = stack.api("DELETE", f"/v1/calls/{call['id']}")
        assert (answer.status, answer.json["status"]) == (200, "canceled")
    finish(stack, call)
    until(lambda: view(stack, call)["status"] == "canceled")
    assert [leg["phone"] for leg in view(stack, call)["rang"]] == [driver]
    assert told(stack, call) == [
        ("call.started", "connected"), ("call.ended", "canceled")]
    assert get(stack, call) == answer.json


def test_cancelled_before_it_rings(stack, people):
    """It may or may not have left: nobody is connected either way."""
    customer, driver, session = people
    stack.phone(driver, behaviour="manual")
    call = place(stack, session)
    answer = stack.api("DELETE", f"/v1/calls/{call['id']}")
    assert answer.json["status"] == "canceled"
    until(lambda: stack.one("SELECT count(*) FROM outbox WHERE lane = ? "
                            "AND state = 'waiting'", call["id"]) == 0)
    stack.sandbox("POST", "settle")
    assert not any(call["connected"] for call in calls_of(stack, driver))
    assert get(stack, call)["status"] == "canceled"


def test_ended_while_they_talk(stack, people):
    customer, driver, session = people
    for phone in (customer, driver):
        stack.phone(phone, behaviour="manual")
    call = place(stack, session)
    act(stack, rings(stack, call, driver), "answer", driver)
    act(stack, rings(stack, call, customer), "answer", customer)
    until(lambda: get(stack, call)["status"] == "in-progress")
    answer = stack.api("DELETE", f"/v1/calls/{call['id']}")
    assert (answer.status, answer.json["status"]) == (202, "in-progress")
    done = finish(stack, call)
    assert done["status"] == "completed"
    assert told(stack, call)[-1] == ("call.ended", "completed")


def talking(stack, customer, driver, session):
    """The customer has dialled and they talk."""
    for phone in (customer, driver):
        stack.phone(phone, behaviour="manual")
    sid = stack.sandbox("POST", "calls", {
        "from": customer, "to": masked(session), "wait": False})["sid"]
    until(lambda: stack.sandbox("GET", f"calls/{sid}")["rang"])
    until(lambda: stack.sandbox("GET", f"calls/{sid}")["rang"][0]["status"]
          == "ringing")
    stack.sandbox("POST", f"calls/{sid}/answer", {"phone": driver})
    until(lambda: stack.sandbox("GET", f"calls/{sid}")["connected"])
    return sid


def test_a_call_that_came_in_can_be_ended_too(stack, people):
    customer, driver, session = people
    sid = talking(stack, customer, driver, session)
    [call] = stack.get(session)["calls"]
    assert call["placed"] is False
    assert stack.api("DELETE", f"/v1/calls/{call['id']}").status == 202
    assert finish(stack, call)["status"] == "completed"
    assert stack.sandbox("GET", f"calls/{sid}")["status"] == "completed"


def close(stack, session, document=None):
    return stack.api("POST", f"/v1/sessions/{session['id']}/close", document)


def test_closing_ends_running_calls_if_asked(stack, people):
    customer, driver, session = people
    sid = talking(stack, customer, driver, session)
    assert close(stack, session).json["status"] == "closed"
    assert stack.sandbox("GET", f"calls/{sid}")["status"] == "in-progress"
    assert stack.one("SELECT count(*) FROM outbox JOIN call ON call.id = "
                     "subject_id WHERE kind = 'hang_up' AND sid = ?", sid) == 0
    assert close(stack, session, {"end_calls": True}).json[
        "status"] == "closed"
    [call] = stack.get(session)["calls"]
    assert finish(stack, call)["status"] == "completed"
    assert stack.sandbox("GET", f"calls/{sid}")["status"] == "completed"


def test_closing_ends_a_placed_call_if_asked(stack, people):
    customer, driver, session = people
    stack.phone(driver, behaviour="manual")
    call = place(stack, session)
    rings(stack, call, driver)
    close(stack, session, {"end_calls": True})
    assert get(stack, call)["status"] == "canceled"
    until(lambda: view(stack, call)["status"] == "canceled")


@pytest.mark.parametrize("value", (1, "true", [], {}))
def test_end_calls_is_true_or_false(stack, people, value):
    *_, session = people
    answer = close(stack, session, {"end_calls": value})
    assert answer.problem == (422, "invalid_field", "end_calls")
    assert stack.get(session)["status"] == "open"


def test_a_session_closed_while_the_phone_rings_connects_nobody(stack, people):
    customer, driver, session = people
    stack.phone(driver, behaviour="manual")
    call = place(stack, session)
    seen = rings(stack, call, driver)
    close(stack, session)
    act(stack, seen, "answer", driver)
    done = finish(stack, call)
    assert (done["reason"], done["status"]) == ("session_closed", "completed")
    seen = view(stack, call)
    assert [leg["phone"] for leg in seen["rang"]] == [driver]
    assert seen["rang"][0]["heard"] == [TRIP_ENDED]
    assert told(stack, call) == [
        ("call.started", "connected"), ("call.refused", "session_closed")]


def test_refusals_say_why(stack, people):
    *_, session = people
    before = stack.tables()
    assert ask(stack, session, "nobody").problem == (
        422, "invalid_field", "from")
    assert ask(stack, {"id": "ses_" + "0" * 26}).problem[:2] == (
        404, "not_found")
    for document, field in (({}, "from"), ({"from": 1}, "from"),
                            ({"from": "driver", "to": "customer"}, "to")):
        answer = stack.api(
            "POST", f"/v1/sessions/{session['id']}/calls", document)
        assert answer.problem == (422, "invalid_field", field)
    for method in ("GET", "DELETE"):
        for name in ("cal_" + "0" * 26, session["id"], "none"):
            assert stack.api(method, f"/v1/calls/{name}").problem[:2] == (
                404, "not_found")
    assert ask(stack, session, key="").status == 401
    answer = stack.api("PUT", "/v1/calls/cal_1")
    assert answer.problem[:2] == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, DELETE"
    after = stack.tables()
    assert after.pop("idempotency") is not None and before.pop("idempotency")
    assert after == before
    stack.api("PATCH", f"/v1/sessions/{session['id']}", {"voice": "customer"})
    assert ask(stack, session).problem == (409, "voice_off", None)
    close(stack, session)
    assert ask(stack, session, "customer").problem == (
        409, "session_ended", None)
    assert stack.get(session)["calls"] == []


def test_another_service_knows_nothing_of_it(stack, people):
    *_, session = people
    call = place(stack, session)
    finish(stack, call)
    stack.cli("init", "--service", "other", "--countries", "US", service=None,
              check=False)
    key = stack.cli("key", "add", "--role", "app", "--name", "spy",
                    service="other").stdout.strip()
    for method in ("GET", "DELETE"):
        assert stack.api(method, f"/v1/calls/{call['id']}",
                         key=key).status == 404
    assert ask(stack, session, key=key).status == 404


def test_asked_twice_with_one_key_it_is_one_call(stack, people):
    customer, driver, session = people
    first, second = (ask(stack, session, headers={"Idempotency-Key": "tap-1"
                                                  + session["id"]})
                     for _ in range(2))
    assert first.status == second.status == 202
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    finish(stack, first.json)
    assert len(calls_of(stack, driver)) == 1
    # A refusal is an answer, too.
    key = {"Idempotency-Key": "tap-2" + session["id"]}
    stack.api("PATCH", f"/v1/sessions/{session['id']}", {"voice": "none"})
    assert ask(stack, session, headers=key).problem[1] == "voice_off"
    stack.api("PATCH", f"/v1/sessions/{session['id']}", {"voice": "both"})
    again = ask(stack, session, headers=key)
    assert again.problem[1] == "voice_off"
    assert again.headers["Idempotent-Replayed"] == "true"


def fields_of(stack, driver, number, sid=None):
    """What Twilio tells of a call that it placed and that was answered."""
    return stack.voice_fields(number, driver, sid) | {
        "CallStatus": "in-progress", "Direction": "outbound-api"}


def test_what_no_call_of_ours_is_told(stack, people):
    customer, driver, session = people
    call = place(stack, session)
    finish(stack, call)
    before = stack.tables()
    path = "/twilio/voice/placed/"
    fields = fields_of(stack, driver, masked(session))
    sorry = "The call could not be connected. Goodbye."
    for name in (call["id"], "cal_" + "0" * 26):
        assert stack.webhook(path + name, fields).twiml.said == sorry
    for name in ("none", session["id"], "cal_", "cal_" + "u" * 26):
        for start in (path, "/twilio/status/"):
            answer = stack.webhook(start + name, fields | {
                "CallStatus": "ringing"})
            assert answer.problem[:2] == (404, "not_found")
    assert stack.webhook(path + call["id"], fields | {"CallSid": "CA"}
                         ).problem == (422, "invalid_field", "CallSid")
    assert stack.webhook(path + call["id"], fields, signature="").status == 403
    # The path is signed as well.
    other = stack.sign(path + "cal_" + "0" * 26, fields)
    assert stack.webhook(path + call["id"], fields,
                         signature=other).status == 403
    after = stack.tables()
    # A leg too many for a call of ours is ended.
    [surplus] = set(after.pop("outbox")) - set(before.pop("outbox"))
    assert fields["CallSid"] in surplus
    assert after == before | {"attempt": after["attempt"]}


def test_a_second_leg_for_a_call_is_ended(stack, people):
    customer, driver, session = people
    stack.phone(driver, behaviour="manual")
    call = place(stack, session)
    rings(stack, call, driver)
    counted = stack.counters()["webhooks_unknown"]
    sid = new_sid()
    answer = stack.webhook(
        f"/twilio/status/{call['id']}",
        fields_of(stack, driver, masked(session), sid) | {
            "CallStatus": "ringing", "SequenceNumber": "1"})
    assert answer.status == 200
    assert stack.counters()["webhooks_unknown"] == counted + 1
    assert stack.one("SELECT count(*) FROM outbox WHERE subject_id = ? AND "
                     "kind = 'hang_up'", sid) == 1
    stack.api("DELETE", f"/v1/calls/{call['id']}")


@pytest.mark.parametrize("settings, code", (
    (("session-calls=1",), "session_limit"),
    (("person-calls=1",), "person_limit")))
def test_limits_hold(stack, people, settings, code):
    *_, session = people
    stack.cli("service", "set", *settings)
    try:
        call = place(stack, session)
        assert ask(stack, session).problem == (409, code, None)
        # The call itself is not one too many when it is answered.
        assert finish(stack, call)["status"] == "completed"
    finally:
        stack.cli("service", "set", "session-calls=0", "person-calls=0")


@pytest.fixture(name="offline", scope="module")
def offline_stack(request):
    """A stack of its own, for tests that stop programs."""
    made = stacks.Stack()
    yield made
    made.stop(keep=request.session.testsfailed > 0)


def test_what_nobody_sent_is_never_rung(offline):
    customer, driver = offline.persons(2)
    session = offline.open(customer, driver)
    with offline.hanging(offline.workers("outboxd")):
        first, second = place(offline, session), place(offline, session)
        answer = offline.api("DELETE", f"/v1/calls/{first['id']}")
        assert (answer.status, answer.json["status"]) == (200, "canceled")
        close(offline, session, {"end_calls": True})
        assert get(offline, second)["status"] == "canceled"
        assert {state for state, in offline.rows(
            "SELECT state FROM outbox WHERE lane IN (?, ?)",
            first["id"], second["id"])} == {"done"}
        third = offline.open(customer, driver)
        place(offline, third)
        close(offline, third)
    [call] = offline.get(third)["calls"]
    assert finish(offline, call)["reason"] == "session_closed"
    assert calls_of(offline, driver) == []


def test_after_a_lost_answer_nobody_is_rung_twice(offline):
    """Neither by us, who look first, nor by libcurl, which would by itself send
    the request again where a connection that was used before is closed. And no
    webhook tells us."""
    customer, driver = offline.persons(2)
    session = offline.open(customer, driver)
    finish(offline, place(offline, session))
    offline.phone(driver, behaviour="manual")
    offline.sandbox("POST", "lose", {"answers": 1})
    with offline.hanging(offline.workers("status-callback")):
        call = place(offline, session)
        until(lambda: offline.one("SELECT sid FROM call WHERE id = ?",
                                  call["id"]), 15)
        assert offline.rows(
            "SELECT o.state, o.attempts, count(a.status) FROM outbox o "
            "JOIN attempt a ON a.delivery_id = o.id WHERE o.lane = ?",
            call["id"]) == [("done", 2, 1)]
    assert len(calls_of(offline, driver)) == 2
    act(offline, rings(offline, call, driver), "answer", driver)
    assert finish(offline, call)["status"] == "completed"
