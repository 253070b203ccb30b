"""The backend of the app on the phones: it asks callmask's API, and keeps the
key to itself."""

import json

import pytest

from conftest import CUSTOMER, DRIVER, Sandbox

KEY = "key_of_this_test"
RIDE = {"customer": CUSTOMER, "driver": DRIVER}


def answer(status=200, **document):
    return status, "application/json", json.dumps(document)


@pytest.fixture(scope="module")
def with_key(running):
    """A sandbox that has the key to our application's API."""
    app, _ = running
    sandbox = Sandbox(app, environment={"CALLMASK_URL": app.url,
                                        "CALLMASK_API_KEY": KEY})
    yield sandbox
    assert sandbox.stop() == (0, "")


@pytest.fixture
def ours(running, with_key):
    """Application and sandbox; API requests are not signed by Twilio."""
    app, _ = running
    app.clear()
    with_key.post("/sandbox/reset")
    yield app, with_key
    app.clear()


def test_booking_ends_the_rides_before_and_shows_no_key(ours):
    app, sandbox = ours
    app.on("/v1/sessions",
           lambda asked: answer(sessions=[
               {"id": "ses_1", "reference": "ride-1"},
               {"id": "ses_2", "reference": "trip-8731"},
               {"id": "ses_3", "reference": None}])
           if asked.method == "GET" else answer(201, id="ses_4"))
    app.on("/v1/sessions/ses_1/close", lambda _: answer(id="ses_1"))
    status, told = sandbox.request("POST", "/sandbox/app/rides",
                                   json.dumps(RIDE))
    assert (status, told) == (201, {"id": "ses_4"})
    assert [(asked.method, asked.path) for asked in app.asked] == [
        ("GET", "/v1/sessions"), ("POST", "/v1/sessions/ses_1/close"),
        ("POST", "/v1/sessions")]
    assert {asked.headers["Authorization"] for asked in app.asked} \
        == {f"Bearer {KEY}"}
    entries = sandbox.get("/sandbox/transcript")["entries"]
    assert [entry["text"] for entry in entries] == [
        "POST /v1/sessions/ses_1/close: 200", "POST /v1/sessions: 201"]
    assert entries[1]["request"]["parties"] == [
        {"role": role, "phone": phone} for role, phone in RIDE.items()]
    assert KEY not in json.dumps(entries)


def test_a_refusal_is_passed_on(ours):
    app, sandbox = ours
    app.on("/v1/sessions/ses_1/calls", lambda _: answer(409, code="voice_off"))
    assert sandbox.request("POST", "/sandbox/app/rides/ses_1/calls",
                           '{"from": "driver"}') == (409, {"code": "voice_off"})


def test_events_are_noted_from_the_first_time_on(ours):
    app, sandbox = ours
    app.on("/v1/events",
           lambda _: answer(events=[{"type": "session.opened"}], next=1),
           lambda _: answer(events=[{"type": "call.started"}], next=2),
           lambda _: answer(events=[], next=2))
    noted = [sandbox.post("/sandbox/app/events")["noted"] for _ in range(3)]
    assert noted == [0, 1, 0]
    assert [asked.query.rpartition("=")[2] for asked in app.at("/v1/events")] \
        == ["0", "1", "2"]
    [entry] = sandbox.get("/sandbox/transcript")["entries"]
    assert (entry["kind"], entry["text"]) == ("event", "call.started")


@pytest.mark.parametrize("method, path, body, status, words", [
    ("POST", "rides", '{"customer": "+12025550147"}', 400, "driver"),
    ("POST", "rides", '{"customer": 1, "driver": 2}', 400, "E.164"),
    ("POST", "rides/ses_1/calls", '{"from": "../x"}', 400, "role"),
    ("POST", "rides/ses_1/close", '{"linger": 1}', 400, "linger"),
    ("POST", "rides/../events/close", "{}", 404, "nothing"),
    ("GET", "rides", None, 405, "POST"),
    ("POST", "nothing", "{}", 404, "nothing"),
])
def test_refused(ours, method, path, body, status, words):
    app, sandbox = ours
    got, told = sandbox.request(method, "/sandbox/app/" + path, body)
    assert got == status and words in told["error"]
    assert app.asked == []


def test_without_a_key_or_without_callmask(running, sandbox):
    app, _ = running
    status, told = sandbox.request("POST", "/sandbox/app/events", "{}")
    assert status == 503 and "CALLMASK_API_KEY" in told["error"]
    away = Sandbox(app, environment={"CALLMASK_URL": "http://127.0.0.1:1",
                                     "CALLMASK_API_KEY": KEY})
    status, told = away.request("POST", "/sandbox/app/events", "{}")
    assert status == 502 and "does not answer" in told["error"]
    assert away.stop() == (0, "")
