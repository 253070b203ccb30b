"""What is stored about a person, by `callmask export`: all of it, and nothing of
anybody else."""

import json
import re
import shlex
import subprocess
import time

import pytest

import stack as stacks
from client import masked

pytestmark = pytest.mark.sanitized

RECORDS = ("record=1", "announce-caller=This call is recorded.",
           "announce-callee=You are being recorded.", "keep-texts=1")
OFF = ("record=0", "announce-caller=", "announce-callee=", "keep-texts=0")


def until(look, wanted=True):
    """Look until the worker has done its part."""
    deadline = time.monotonic() + 20
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)


@pytest.fixture
def keeping(stack):
    """The shared stack, whose service records calls and keeps texts."""
    stack.cli("service", "set", *RECORDS)
    yield stack
    stack.cli("service", "set", *OFF)


def export(stack, *arguments):
    done = stack.cli("export", *arguments)
    assert not done.stderr and done.stdout.count("\n") == 1
    return json.loads(done.stdout), done.stdout


def stack_input(stack, typed, *arguments):
    """The tool with something on its standard input."""
    return subprocess.run(
        [*shlex.split(stack.env["CALLMASK"]), "-s", "demo", *arguments],
        input=typed + "\n", capture_output=True, text=True, check=True,
        timeout=60)


def write(stack, sender, session, body):
    """A text from a phone, relayed."""
    stack.sandbox("POST", "messages", {
        "from": sender, "to": masked(session), "body": body})


def spoken(stack, caller, callee, session):
    """A call that is answered, recorded, and over."""
    stack.phone(callee, behaviour="answer")
    assert stack.dial(caller, masked(session))["connected"]
    until(lambda: {each["status"] for each in stack.get(session)["recordings"]},
          {"completed"})


def test_all_that_is_stored_about_a_person(keeping):
    stack = keeping
    customer, driver, second, stranger = stack.persons(4)
    session = stack.open(customer, driver, reference="trip of the export")
    other = stack.open(driver, stranger)
    spoken(stack, customer, driver, session)
    write(stack, customer, session, 'Hello "driver", Zoë')
    write(stack, driver, session,
          f"Call me at {driver} or ({driver[2:5]}) {driver[5:8]}-{driver[8:]}")
    write(stack, driver, other, "not of the customer")
    stack.api("POST", f"/v1/sessions/{session['id']}/messages",
              {"to": "driver", "text": "for the driver"})
    until(lambda: {each["status"] for each in stack.get(session)["messages"]},
          {"delivered"})
    # The driver is replaced: what comes after is not his.
    stack.api("PATCH", f"/v1/sessions/{session['id']}",
              {"parties": [{"role": "driver", "phone": second}]})
    stack.phone(second, behaviour="busy")
    stack.dial(customer, masked(session))
    write(stack, second, session, "from the second")
    until(lambda: {each["status"] for each in stack.get(session)["messages"]},
          {"delivered"})

    mine, text = export(stack, "person", customer)
    assert mine["person"] == customer and mine["service"] == "demo"
    [told] = mine["sessions"]
    shown = stack.get(session)
    assert {key: told[key] for key in
            ("id", "reference", "status", "created_at", "expires_at", "voice")
            } == {key: shown[key] for key in
                  ("id", "reference", "status", "created_at", "expires_at",
                   "voice")}
    [party] = told["parties"]
    assert (party["role"], party["masked_number"], party["since"],
            party["replaced_at"], party["disputed_at"]) == (
        "customer", masked(session), shown["created_at"], None, None)
    assert party["code"] == shown["parties"][0]["code"]
    # Oldest first, otherwise as the API has them.
    assert told["calls"] == [dict(call, session_id=session["id"])
                             for call in reversed(shown["calls"])]
    assert [call["status"] for call in told["calls"]] == ["completed", "busy"]
    assert told["calls"][0]["duration"] > 0 and told["calls"][0]["answered_at"]
    assert [(each["from"], each["text"]) for each in told["messages"]] == [
        ("customer", 'Hello "driver", Zoë'),
        ("driver", "Call me at *** or ***"), ("driver", "from the second")]
    assert told["recordings"] == list(reversed(shown["recordings"]))
    assert len(told["recordings"]) == 1
    assert [hold["session_id"] for hold in mine["holds"]] == [session["id"]]
    assert mine["erasures"] == []
    for phone in (driver, second, stranger):
        assert phone[1:] not in re.sub(r"\D", "", text)
        assert phone[2:] not in re.sub(r"\D", "", text)
    assert "not of the customer" not in text and "for the driver" not in text

    # The driver, by standard input: both sessions, and nothing after he left.
    done = stack_input(stack, driver, "export", "person", "-")
    his = json.loads(done.stdout)
    first, also = his["sessions"]
    assert (first["id"], also["id"]) == (session["id"], other["id"])
    [party] = first["parties"]
    assert party["replaced_at"] and party["role"] == "driver"
    assert [call["status"] for call in first["calls"]] == ["completed"]
    assert len(first["recordings"]) == 1
    assert [each["text"] for each in first["messages"]] == [
        'Hello "driver", Zoë', f"Call me at {driver} or ({driver[2:5]}) "
        f"{driver[5:8]}-{driver[8:]}", "for the driver"]
    assert [each["text"] for each in also["messages"]] == ["not of the customer"]
    for phone in (customer, second, stranger):
        assert phone[1:] not in re.sub(r"\D", "", done.stdout)

    # The second, who came later.
    hers, _ = export(stack, "person", second)
    [told] = hers["sessions"]
    assert told["parties"][0]["since"] == party["replaced_at"]
    assert [call["status"] for call in told["calls"]] == ["busy"]
    assert told["recordings"] == []
    assert [each["text"] for each in told["messages"]] == ["from the second"]

    # Whom a call rang is known also where that was not noted.
    stack.bend("UPDATE call SET party_id = NULL WHERE session_id = ? "
               "AND parent_sid IS NOT NULL", session["id"])
    for phone, calls in ((customer, ["completed", "busy"]),
                         (driver, ["completed"]), (second, ["busy"])):
        told = export(stack, "person", phone)[0]["sessions"][0]
        assert [call["status"] for call in told["calls"]] == calls


def test_all_that_is_stored_about_a_session(keeping):
    stack = keeping
    customer, driver, second = stack.persons(3)
    session = stack.open(customer, driver)
    write(stack, customer, session, f"I am {customer}")
    until(lambda: {each["status"] for each in stack.get(session)["messages"]},
          {"delivered"})
    stack.api("PATCH", f"/v1/sessions/{session['id']}",
              {"parties": [{"role": "driver", "phone": second}]})
    stack.dial(customer, masked(session))
    made, text = export(stack, "session", session["id"])
    assert made.keys() == {"service", "exported_at", "session", "erasures"}
    assert [(party["role"], party["replaced_at"] is None)
            for party in made["session"]["parties"]] == [
        ("customer", True), ("driver", False), ("driver", True)]
    assert [each["text"] for each in made["session"]["messages"]] == ["I am ***"]
    assert len(made["session"]["calls"]) == 1 and made["erasures"] == []
    for phone in (customer, driver, second):
        assert phone[1:] not in re.sub(r"\D", "", text)


def test_texts_that_are_not_kept(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    write(stack, customer, session, "gone soon")
    until(lambda: {each["status"] for each in stack.get(session)["messages"]},
          {"delivered"})
    [told] = export(stack, "person", driver)[0]["sessions"]
    [message] = told["messages"]
    assert message["text"] is None and message["media_urls"] == []
    assert (message["from"], message["status"]) == ("customer", "delivered")


def test_what_an_erasure_leaves(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    receipt = json.loads(
        stack.cli("erase", "session", session["id"], "--json").stdout)
    for phone in (customer, driver):
        left, _ = export(stack, "person", phone)
        assert left["sessions"] == []
        [hold] = left["holds"]
        assert hold["session_id"] == session["id"]
        assert hold["masked_number"] == masked(session)
        assert left["erasures"] == [
            {"id": receipt["id"], "subject": "session",
             "session_id": session["id"],
             "requested_at": receipt["requested_at"]}]
    made, _ = export(stack, "session", session["id"])
    assert [each["id"] for each in made["erasures"]] == [receipt["id"]]
    assert {party["code"] for party in made["session"]["parties"]} == {None}


def test_nothing_is_found(stack):
    nobody = stack.person()
    for arguments in (("person", nobody), ("session", "ses_x"),
                      ("session", stacks.NUMBERS[0])):
        done = stack.cli("export", *arguments, check=False)
        assert done.returncode == 1 and not done.stdout
        assert nobody not in done.stderr
    done = stack.cli("export", "person", nobody, check=False)
    assert "there is nothing about this person" in done.stderr
    done = stack.cli("export", "person", nobody[1:], check=False)
    assert done.returncode == 1 and "is not an E.164 number" in done.stderr
    assert nobody[1:] not in done.stderr
    for arguments in ((), ("person",), ("person", nobody, "x"), ("session",)):
        done = stack.cli("export", *arguments, check=False)
        assert done.returncode == 2 and not done.stdout


def test_another_service_knows_nothing(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.new_service("export")
    for arguments in (("person", customer), ("session", session["id"])):
        done = stack.cli("export", *arguments, service="export", check=False)
        assert done.returncode == 1 and not done.stdout


def test_that_somebody_looked_is_noted(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    export(stack, "person", customer)
    export(stack, "session", session["id"])
    noted = stack.rows("SELECT action, subject FROM audit ORDER BY seq")
    assert noted[-2:] == [("export person", ""),
                          ("export session", session["id"])]
