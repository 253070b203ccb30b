"""Requests signed by Twilio's own SDK for Node, in the version for the Node of
Debian 12; and Twilio's grammar, which every TwiML document of these tests was
held against."""

import json
import pathlib
import subprocess

import pytest

import client
import npm
from client import TRIP_ENDED, masked, new_sid

JUDGE = pathlib.Path(__file__).with_name("twilio-sdk")
SAMPLES = client.SHARED / "twilio" / "twiml-samples"


@pytest.fixture(scope="module")
def send(stack):
    """Sends webhooks by the SDK: path, fields and perhaps the URL signed."""
    npm.modules(JUDGE)

    def judge(*cases, token=None):
        cases = [{"path": path, "fields": fields,
                  "signed": more[0] if more else stack.url + path}
                 for path, fields, *more in cases]
        wish = {"token": token or stack.env["TWILIO_AUTH_TOKEN"],
                "port": stack.port, "ca": stack.env["CALLMASK_CA"],
                "cases": cases}
        done = subprocess.run(["node", JUDGE / "sign.mjs"], text=True, timeout=60,
                              input=json.dumps(wish), capture_output=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        answers = json.loads(done.stdout)
        for answer in answers:
            if answer["type"] == "text/xml":
                client.judge(answer["body"].encode())
        return answers

    return judge


@pytest.fixture
def ride(stack):
    """Two people in a session, and the webhook of a call between them."""
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    return session, driver, stack.voice_fields(customer, masked(session))


def test_what_the_sdk_signs_is_connected(stack, send, ride):
    session, driver, fields = ride
    fields |= {"StirVerstat": "TN-Validation-Passed-A", "CallerName": "",
               "FromCity": "Zürich", "CallToken": "%7B%22a%22%3A%22b%22%7D",
               "Odd": "a+b &=%\t\r\n 🚕"}
    [answer] = send(("/twilio/voice", fields))
    assert (answer["status"], answer["type"]) == (200, "text/xml")
    response, dial, number = answer["verbs"]
    assert response == {"name": "Response", "text": ""}
    assert (dial["name"], dial["callerId"]) == ("Dial", masked(session))
    assert (number["name"], number["text"]) == ("Number", driver)
    assert number["statusCallback"] == stack.url + "/twilio/status"


def test_with_port_without_port_and_with_the_default_port(send, ride):
    _, driver, fields = ride
    answers = send(*(("/twilio/voice", fields, base + "/twilio/voice")
                     for base in ("https://localhost", "https://localhost:443")))
    assert [answer["status"] for answer in answers] == [200, 200]
    assert {answer["verbs"][-1]["text"] for answer in answers} == {driver}


def test_a_whole_call_by_the_sdk(stack, send, ride):
    session, driver, fields = ride
    child = {"CallSid": new_sid(), "ParentCallSid": fields["CallSid"],
             "From": masked(session), "To": driver, "Direction": "outbound-dial"}
    answers = send(
        ("/twilio/voice", fields),
        *(("/twilio/status", {**child, "CallStatus": status,
                              "SequenceNumber": str(number), "CallDuration": "9",
                              "Timestamp": "Sun, 22 Nov 2026 16:00:00 +0000"})
          for number, status in enumerate(
              ("initiated", "ringing", "in-progress", "completed"))),
        ("/twilio/voice/ended", {**fields, "DialCallStatus": "completed",
                                 "DialCallSid": child["CallSid"],
                                 "DialCallDuration": "9", "DialBridged": "true"}))
    assert [answer["status"] for answer in answers] == [200] * 6
    assert [verb["name"] for verb in answers[-1]["verbs"]] == [
        "Response", "Hangup"]
    [call] = stack.get(session)["calls"]
    assert (call["status"], call["duration"]) == ("completed", 9)
    stack.close(session)
    [answer] = send(("/twilio/voice", {**fields, "CallSid": new_sid()}))
    assert answer["verbs"][1] == {
        "name": "Say", "language": "en-US", "text": TRIP_ENDED}


def test_what_the_sdk_signs_for_others_is_refused(stack, send, ride):
    _, _, fields = ride
    before = stack.tables()
    answers = send(
        ("/twilio/voice", fields, stack.url + "/twilio/status"),
        ("/twilio/voice", fields, "https://evil.example/twilio/voice"),
        ("/twilio/voice", fields, stack.url + "/twilio/voice?a=b"),
        ("/twilio/voice?a=b", fields, stack.url + "/twilio/voice"),
        ("/twilio/voice", fields, "http://localhost/twilio/voice"))
    answers += send(("/twilio/voice", fields), token="0" * 32)
    for answer in answers:
        assert answer["status"] == 403
        assert json.loads(answer["body"])["code"] == "signature_invalid"
    assert stack.tables() == before


def test_the_grammar_judges():
    """It takes the good samples, and would have refused the bad ones."""
    if not client.GRAMMAR.exists():
        pytest.skip("../shared/twilio/twiml.rng is not there: "
                    "no TwiML was held against it")
    for sample in (SAMPLES / "valid").iterdir():
        assert client.judge(sample.read_bytes())
    for sample in (SAMPLES / "invalid").iterdir():
        with pytest.raises(AssertionError):
            client.judge(sample.read_bytes())
