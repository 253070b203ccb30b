"""Status callbacks: what they say, their order, and the chaos on demand."""

import email.utils

import pytest
from conftest import CUSTOMER, DRIVER, MASKED

EVENTS = "initiated ringing answered completed"


@pytest.fixture
def masked(app):
    """An application that connects and wants to hear everything."""
    app.on("/leg", "")
    app.on("/done", "")
    app.on("/twilio/voice",
           f'<Dial callerId="{MASKED}" action="/done"><Number '
           f'statusCallback="/leg" statusCallbackEvent="{EVENTS}">{DRIVER}'
           "</Number></Dial>")
    return app


def test_progress_of_a_leg(masked, sandbox):
    view = sandbox.call()
    steps = masked.at("/leg")
    assert [(step["CallStatus"], step["SequenceNumber"]) for step in steps] == [
        ("initiated", "0"), ("ringing", "1"), ("in-progress", "2"),
        ("completed", "3")]
    for step in steps:
        assert step["CallSid"] == view["rang"][0]["sid"]
        assert step["ParentCallSid"] == view["sid"]
        assert (step["From"], step["To"]) == (MASKED, DRIVER)
        assert step["Direction"] == "outbound-dial"
        assert step["CallbackSource"] == "call-progress-events"
        assert email.utils.parsedate_to_datetime(step["Timestamp"])
    assert "CallDuration" not in steps[2].fields
    assert 5 <= int(steps[3]["CallDuration"]) <= 8
    assert steps[3]["Duration"] == "1" and steps[3]["SipResponseCode"] == "200"


def test_only_completed_by_default_and_numbered_from_zero(app, sandbox):
    app.on("/leg", "")
    app.on("/twilio/voice", f'<Dial callerId="{MASKED}"><Number '
                            f'statusCallback="/leg">{DRIVER}</Number></Dial>')
    sandbox.call()
    step, = app.at("/leg")
    assert (step["CallStatus"], step["SequenceNumber"]) == ("completed", "0")


def test_callback_by_get(app, sandbox):
    app.on("/leg", "")
    app.on("/twilio/voice",
           f'<Dial callerId="{MASKED}"><Number statusCallback="/leg" '
           f'statusCallbackMethod="GET">{DRIVER}</Number></Dial>')
    sandbox.call()
    step, = app.at("/leg")
    assert step.method == "GET" and "CallStatus=completed" in step.query


def test_the_number_has_one_callback(masked, sandbox):
    view = sandbox.call()
    final, = masked.at("/twilio/status")
    assert (final["CallSid"], final["CallStatus"], final["Direction"],
            final["From"], final["SequenceNumber"]) == (
        view["sid"], "completed", "inbound", CUSTOMER, "0")
    assert int(final["CallDuration"]) >= 5
    assert "ParentCallSid" not in final.fields


def test_twice(masked, sandbox):
    sandbox.call(callbacks={"duplicate": True})
    assert [step["SequenceNumber"] for step in masked.at("/leg")] \
        == list("00112233")
    assert len(masked.at("/twilio/status")) == 2


def test_reversed_and_late(masked, sandbox):
    sandbox.call(callbacks={"reverse": True})
    assert [step["SequenceNumber"] for step in masked.at("/leg")] == list("3210")
    paths = [asked.path for asked in masked.asked]
    assert paths == ["/twilio/voice", "/done", "/twilio/status"] + ["/leg"] * 4


def test_dropped(masked, sandbox):
    view = sandbox.call(callbacks={"drop": True})
    assert masked.at("/leg") == masked.at("/twilio/status") == []
    assert view["connected"] and len(masked.at("/done")) == 1


def test_refused_callback_is_an_error_and_the_call_goes_on(masked, sandbox):
    masked.on("/leg", "", status=500)
    view = sandbox.call()
    errors = [entry for entry in view["transcript"] if entry["kind"] == "error"]
    assert view["connected"] and [error["code"] for error in errors] == [11200] * 4
