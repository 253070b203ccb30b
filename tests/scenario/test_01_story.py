"""The story of the design: two people reach each other through one masked
number until their session ends, and nobody else ever does."""

import datetime
import time

import pytest

from client import TRIP_ENDED, masked, new_sid

pytestmark = pytest.mark.sanitized

WORDS = ("anonymous", "Anonymous", "RESTRICTED", "private", "unknown",
         "unavailable", "blocked", "withheld", "")
DIGITS = ("+266696687", "+7378742833", "+7378742883", "+2562533", "+8656696",
          "+86282452253", "266696687", "7378742833")
UNKNOWN = "There is no trip for the phone you are calling from."


def epoch(text):
    """Seconds of an RFC 3339 time."""
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


def test_they_call_each_other_and_see_only_the_masked_number(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    number = masked(session)
    assert number in stack.numbers
    for caller, callee in ((customer, driver), (driver, customer)):
        call = stack.dial(caller, number)
        [rang] = call["rang"]
        assert (rang["phone"], rang["showed"]) == (callee, number)
        assert call["connected"] and call["heard"] == []
        assert rang["heard"] == []
        # Nothing that a phone saw or did tells of the other's number.
        for entry in call["transcript"]:
            if entry["kind"] != "wire" and entry["phone"] == callee:
                assert caller not in entry["text"]


def until(test, seconds=10):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_call_is_told_to_the_app_step_by_step(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.phone(driver, behaviour="manual")
    sid = stack.sandbox("POST", "calls", {
        "from": customer, "to": masked(session), "wait": False})["sid"]
    told = [("session.opened", None)]
    for deed, event in (
            (None, ("call.started", "connected")),
            (None, ("call.ringing", "ringing")),
            ("answer", ("call.answered", "in-progress")),
            ("hangup", ("call.ended", "completed"))):
        if deed:
            stack.sandbox("POST", f"calls/{sid}/{deed}", {"phone": driver})
        told.append(event)
        until(lambda: event in stack.events(session))
    stack.sandbox("POST", "settle")
    assert stack.events(session) == told
    [call] = stack.get(session)["calls"]
    assert (call["from"], call["reason"], call["status"]) == (
        "customer", "connected", "completed")
    assert (call["started_at"] <= call["ringing_at"] <= call["answered_at"]
            <= call["ended_at"])
    # The driver calls back.
    stack.phone(driver, behaviour="answer")
    [rang] = stack.dial(driver, masked(session))["rang"]
    newest, first = stack.get(session)["calls"]
    assert first == call
    assert (newest["from"], newest["status"]) == ("driver", "completed")
    assert newest["duration"] == rang["duration"] >= 5


def test_the_document_keeps_the_caller_inside(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    twiml = stack.voice(customer, masked(session))
    assert twiml.verbs == ["Dial"] and twiml.rings == driver
    assert twiml.dial["callerId"] == masked(session)
    assert twiml.dial["answerOnBridge"] == "true"
    assert twiml.dial["action"] == stack.url + "/twilio/voice/ended"
    assert twiml.number["statusCallback"] == stack.url + "/twilio/status"
    assert twiml.number["statusCallbackEvent"].split() == [
        "initiated", "ringing", "answered", "completed"]
    assert 3590 <= int(twiml.dial["timeLimit"]) <= 3600


@pytest.mark.parametrize("closer", ("app", "operator"))
def test_once_closed_it_connects_neither(stack, closer):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    assert stack.dial(customer, masked(session))["connected"]
    if closer == "app":
        closed = stack.close(session)
        assert closed["status"] == "closed" and closed["closed_at"]
    else:
        stack.cli("session", "close", session["id"])
    for caller in (customer, driver):
        call = stack.dial(caller, masked(session))
        assert call["rang"] == [] and call["heard"] == [TRIP_ENDED]
    after = stack.get(session)
    assert after["status"] == "closed"
    assert [call["reason"] for call in after["calls"]] == [
        "session_closed", "session_closed", "connected"]
    assert stack.events(session)[-3:] == [
        ("session.closed", None), ("call.refused", "session_closed"),
        ("call.refused", "session_closed")]


def test_closing_twice_changes_nothing(stack):
    session = stack.open(*stack.persons(2))
    first = stack.close(session)
    before = stack.tables()
    assert stack.close(session) == first
    # nginx's own retries are told apart from ours by a key it makes.
    after = stack.tables()
    assert after.pop("idempotency") and before.pop("idempotency")
    assert after == before


def test_it_expires_to_the_second(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver, ttl=2)
    end = epoch(session["expires_at"])
    assert end == epoch(session["created_at"]) + 2
    time.sleep(max(0, end - 0.4 - time.time()))
    seen = []
    while time.time() < end + 0.4:
        sid = new_sid()
        twiml = stack.voice(customer, masked(session), sid)
        at = stack.one("SELECT created_at FROM call WHERE sid = ?", sid)
        seen.append((at < end, twiml.rings))
        if twiml.rings:
            assert int(twiml.dial["timeLimit"]) == end - at
        else:
            assert twiml.said == TRIP_ENDED
    assert set(seen) == {(True, driver), (False, None)}
    after = stack.get(session)
    assert after["status"] == "expired"
    assert after["closed_at"] == after["expires_at"]
    assert after["calls"][0]["reason"] == "session_expired"
    assert ("call.refused", "session_expired") in stack.events(session)


def test_a_late_close_of_an_expired_session_says_so(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver, ttl=1)
    time.sleep(1.1)
    closed = stack.close(session)
    assert closed["status"] == "expired"
    assert closed["closed_at"] == closed["expires_at"]
    assert stack.voice(driver, masked(session)).said == TRIP_ENDED


def test_a_stranger_reaches_nobody(stack):
    session = stack.open(*stack.persons(2))
    stranger = stack.person()
    call = stack.dial(stranger, masked(session))
    assert call["rang"] == [] and call["heard"][0].startswith(UNKNOWN)
    assert stack.rows(
        "SELECT reason, status, session_id, number FROM call WHERE sid = ?",
        call["sid"]) == [("caller_unknown", "completed", None, masked(session))]
    assert stack.one("SELECT detail FROM event ORDER BY rowid DESC LIMIT 1"
                     ) == "caller_unknown"


def test_a_party_reaches_nobody_on_another_number(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    for number in set(stack.numbers) - {masked(session)}:
        assert stack.voice(customer, number).said.startswith(UNKNOWN)


@pytest.mark.parametrize("shown", WORDS + DIGITS)
def test_a_withheld_caller_is_asked_to_show_the_number(stack, shown):
    session = stack.open(*stack.persons(2))
    sid = new_sid()
    twiml = stack.voice(shown, masked(session), sid)
    assert twiml.said.startswith("We cannot see the number")
    assert twiml.verbs == ["Say", "Hangup"]
    assert stack.one("SELECT reason FROM call WHERE sid = ?",
                     sid) == "caller_withheld"


def test_a_phone_that_hides_its_number_rings_nobody(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    call = stack.dial(customer, masked(session), withheld=True)
    assert call["rang"] == []
    assert call["heard"][0].startswith("We cannot see the number")


@pytest.mark.parametrize("caller", (
    "client:bob", "sip:bob@example.com", "sim:DE123", "12025550150",
    "+1202555015a", "+0202555015", "+1 202 555 0150", "+12025550150 ",
    "+" + "1" * 16, "' OR 1=1 --", "<Dial>"))
def test_what_is_no_phone_number_is_unknown(stack, caller):
    session = stack.open(*stack.persons(2))
    sid = new_sid()
    assert stack.voice(caller, masked(session), sid).said.startswith(UNKNOWN)
    assert stack.one("SELECT reason FROM call WHERE sid = ?",
                     sid) == "caller_unknown"


@pytest.mark.parametrize("number", ("+12025550188", "12025550110", "",
                                    "sip:12025550110@example.com"))
def test_a_number_that_is_not_ours_is_not_in_service(stack, number):
    customer, driver = stack.persons(2)
    stack.open(customer, driver)
    sid = new_sid()
    twiml = stack.voice(customer, number, sid)
    assert twiml.said == "This number is not in service. Goodbye."
    assert stack.rows("SELECT reason, service_id, number FROM call "
                      "WHERE sid = ?", sid) == [("number_unknown", None, None)]


def test_the_same_call_asked_twice_is_one_call(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    sid = new_sid()
    assert stack.voice(customer, masked(session), sid).rings == driver
    assert stack.voice(customer, masked(session), sid).rings == driver
    assert len(stack.get(session)["calls"]) == 1
    assert stack.events(session) == [
        ("session.opened", None), ("call.started", "connected")]


@pytest.mark.parametrize("behaviour, status, sentence", (
    ("busy", "busy", "The line is busy."),
    ("decline", "busy", "The line is busy."),
    ("no-answer", "no-answer", "There is no answer."),
    ("unreachable", "failed", "The call could not be connected.")))
def test_the_caller_hears_why_nobody_came(stack, behaviour, status, sentence):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.phone(driver, behaviour=behaviour)
    call = stack.dial(customer, masked(session))
    assert not call["connected"]
    assert call["heard"][0].startswith(sentence)
    [told] = stack.get(session)["calls"]
    assert (told["reason"], told["status"]) == ("connected", status)
    assert told["answered_at"] is None and told["ended_at"]
    assert stack.events(session)[-1] == ("call.ended", status)


def test_a_caller_who_gives_up_ends_the_call(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.phone(driver, behaviour="manual")
    call = stack.sandbox("POST", "calls", {
        "from": customer, "to": masked(session), "wait": False})
    until(lambda: stack.sandbox("GET", f"calls/{call['sid']}")["rang"])
    stack.sandbox("POST", f"calls/{call['sid']}/hangup", {"phone": customer})
    stack.sandbox("POST", "settle")
    [told] = stack.get(session)["calls"]
    assert told["status"] == "no-answer" and told["answered_at"] is None
    assert stack.events(session)[-1] == ("call.ended", "no-answer")
