"""Events to the app: webhooks, signed and tried again, and the same as a feed."""

import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import npm
import receiver
from client import masked, new_sid

JUDGE = pathlib.Path(__file__).with_name("standard-webhooks")
NAMES = (f"events-{number}" for number in itertools.count())
MASKS = (f"+150355501{last:02d}" for last in range(100))
FEED = "/v1/events"


@pytest.fixture(scope="module")
def verify():
    """Verifies what was told by secrets, with the library of Standard Webhooks:
    the documents, None for what it does not take."""
    npm.modules(JUDGE)

    def judge(*cases):
        done = subprocess.run(
            ["node", JUDGE / "verify.mjs"], text=True, timeout=60, check=False,
            capture_output=True, input=json.dumps([
                {"secret": secret, "headers": told.headers, "body": told.body}
                for told, secret in cases]))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return judge


@pytest.fixture(scope="module")
def app(stack):
    """The app's server."""
    made = receiver.Receiver(stack.folder / "server.pem",
                             stack.folder / "server.key")
    yield made
    made.stop()


class Service:
    """A service of one's own, with numbers. Its events go to the app, each
    service's to another path, unless url says otherwise."""

    def __init__(self, stack, app, url=None):
        self.stack = stack
        self.name = next(NAMES)
        self.key = stack.new_service(self.name)
        # Two, lest the app is told that there are too few.
        self.cli("number", "add", next(MASKS), next(MASKS))
        self.path = f"/{self.name}?from=callmask"
        self.secret = self.cli("service", "set", "webhook-url="
                               + (url or app.url + self.path)).stdout.strip()

    def cli(self, *arguments, **more):
        """Run the command line tool for this service."""
        return self.stack.cli(*arguments, service=self.name, **more)

    def open(self, **more):
        """Open a session."""
        answer = self.stack.create(*self.stack.persons(2), key=self.key, **more)
        assert answer.status == 201, answer
        return answer.json

    def feed(self, query="", **more):
        """The document of the feed."""
        answer = self.stack.api("GET", FEED + query, key=self.key, **more)
        assert answer.status == 200, answer
        return answer.json

    def deliveries(self, state):
        """Ids of deliveries in a state."""
        return re.findall(r"(?m)^dlv_\w+",
                          self.cli("outbox", "list", state).stdout)

    def settled(self, state, count):
        """The deliveries in a state, once there are so many."""
        deadline = time.monotonic() + 20
        while len(found := self.deliveries(state)) < count:
            assert time.monotonic() < deadline, self.cli("outbox", "list").stdout
            time.sleep(0.05)
        return found

    def tried(self, count):
        """Wait until so many tries are written down."""
        deadline = time.monotonic() + 20
        while self.stack.one(
                "SELECT count(*) FROM attempt a JOIN outbox o ON "
                "o.id = a.delivery_id JOIN service s ON s.id = o.service_id "
                "WHERE s.name = ?", self.name) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def hasten(self):
        """Make due what waits for another try, and wake the worker."""
        connection = self.stack.connect("rw")
        connection.execute(
            "UPDATE outbox SET due_at_ms = 0 WHERE state = 'waiting' AND "
            "service_id = (SELECT id FROM service WHERE name = ?)", (self.name,))
        connection.close()
        with open(self.stack.folder / "callmask.db-wake", "wb") as pipe:
            pipe.write(b"!")


@pytest.fixture
def service(stack, app):
    """A service whose events go to the app."""
    return Service(stack, app)


# Webhooks.

@pytest.mark.sanitized
def test_what_happens_is_told_once_and_signed(stack, app, service, verify):
    session = service.open(reference="trip \"8731\" ünï")
    stack.close(session, key=service.key)
    told = app.wait(service.path, 2)
    service.settled("done", 2)
    assert app.at(service.path) == told
    documents = verify(*((each, service.secret) for each in told))
    assert documents == [each.event for each in told]
    documents.sort(key=lambda document: document["data"]["seq"])
    assert documents == service.feed()["events"]
    assert [document["type"] for document in documents] == [
        "session.opened", "session.closed"]
    for seq, document in enumerate(documents, 1):
        assert document == {
            "id": document["id"], "type": document["type"],
            "timestamp": document["timestamp"],
            "data": {"seq": seq, "service": service.name,
                     "session_id": session["id"],
                     "reference": "trip \"8731\" ünï",
                     "detail": document["data"]["detail"]}}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                            document["timestamp"])
    for each in told:
        assert each.headers["webhook-id"] == each.event["id"]
        assert each.headers["content-type"] == "application/json"
        assert abs(int(each.headers["webhook-timestamp"]) - time.time()) < 60
        assert each.headers["user-agent"].startswith("callmask/")
        assert "authorization" not in each.headers
        for person in stack.people[-2:]:
            assert person[1:] not in each.body


def test_a_call_is_told_by_its_id(stack, app, service):
    customer, driver = stack.persons(2)
    session = stack.create(customer, driver, key=service.key).json
    number, sid, child = masked(session), new_sid(), new_sid()
    assert stack.voice(customer, number, sid).rings == driver
    for order, status in enumerate(("ringing", "in-progress", "completed")):
        stack.report(child, status, ParentCallSid=sid, From=number, To=driver,
                     SequenceNumber=str(order), CallDuration="9",
                     Timestamp="Sun, 22 Nov 2026 16:00:00 +0000")
    types = ["session.opened", "call.started", "call.ringing", "call.answered",
             "call.ended"]
    told = sorted((each.event for each in app.wait(service.path, len(types))),
                  key=lambda event: event["data"]["seq"])
    assert [event["type"] for event in told] == types
    [call] = stack.api("GET", f"/v1/sessions/{session['id']}",
                       key=service.key).json["calls"]
    assert {event["data"].get("call_id") for event in told} == {
        None, call["id"]}
    assert told[-1]["data"]["detail"] == "completed"
    for event in told:
        assert customer[1:] not in json.dumps(event)
        assert driver[1:] not in json.dumps(event)


def test_either_secret_verifies_while_they_rotate(app, service, verify):
    new = service.cli("webhook", "rotate", "--keep", "3600").stdout.strip()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", new)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", service.secret)
    service.cli("webhook", "test")
    [told] = app.wait(service.path, 1)
    assert told.event["type"] == "webhook.test"
    altered = told._replace(body=told.body.replace("webhook.test", "call.ended"))
    later = told._replace(headers=told.headers | {
        "webhook-timestamp": str(int(told.headers["webhook-timestamp"]) + 1)})
    other = told._replace(headers=told.headers | {"webhook-id": "evt_other"})
    assert verify((told, service.secret), (told, new), (altered, new),
                  (later, new), (other, new),
                  (told, "whsec_" + "A" * 43 + "=")) == [
        told.event, told.event, None, None, None, None]
    shown = service.cli("webhook", "show").stdout
    assert shown.count("whs_") == 2 and shown.count("until") == 1
    assert app.url + service.path in shown
    assert new not in shown and service.secret not in shown
    # And then the old one signs no more.
    newest = service.cli("webhook", "rotate", "--keep", "0").stdout.strip()
    service.cli("webhook", "test")
    told = app.wait(service.path, 2)[1]
    assert verify((told, service.secret), (told, new), (told, newest)) == [
        None, None, told.event]


def test_secrets_are_nowhere_in_clear(stack, service):
    secret = service.secret.removeprefix("whsec_").encode()
    for path in stack.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path


@pytest.mark.sanitized
def test_a_failure_is_tried_again_with_the_same_id(app, service, verify):
    app.answer(service.path, (500,), (429, {"Retry-After": "1"}), (404,))
    service.cli("webhook", "test")
    for tries in range(1, 4):
        app.wait(service.path, tries)
        service.tried(tries)
        service.hasten()
    told = app.wait(service.path, 4)
    [delivery] = service.settled("done", 1)
    assert len({each.headers["webhook-id"] for each in told}) == 1
    assert len({each.body for each in told}) == 1
    assert verify(*((each, service.secret) for each in told)) == [
        told[0].event] * 4
    tries = service.cli("outbox", "show", delivery).stdout
    assert re.findall(r"status (\d+)", tries) == [
        "204", "500", "429", "404", "204"]


def test_the_receiver_says_when(stack, app, service):
    app.answer(service.path, (503, {"Retry-After": "7200"}))
    service.cli("webhook", "test")
    service.tried(1)
    wait = stack.one(
        "SELECT o.due_at_ms - a.started_at_ms FROM outbox o JOIN attempt a ON "
        "a.delivery_id = o.id JOIN service s ON s.id = o.service_id "
        "WHERE s.name = ?", service.name)
    assert 7200_000 <= wait < 7300_000


def test_a_redirect_is_not_followed(stack, app, service):
    app.answer(service.path, (307, {"Location": app.url + "/elsewhere"}))
    service.cli("webhook", "test")
    service.tried(1)
    assert "redirects are not followed" in service.cli("outbox", "list").stdout
    assert app.at("/elsewhere") == []


def test_one_that_is_gone_is_not_asked_again_until_told_so(app, service):
    app.answer(service.path, (410,))
    service.cli("webhook", "test")
    [delivery] = service.settled("parked", 1)
    assert "gone for good" in service.cli("outbox", "show", delivery).stdout
    service.hasten()
    assert service.cli("outbox", "retry", delivery).stdout.startswith("1 ")
    app.wait(service.path, 2)
    assert service.settled("done", 1) == [delivery]
    again = service.cli("outbox", "retry", delivery, check=False)
    assert again.returncode == 1 and "no such delivery" in again.stderr
    assert service.cli("outbox", "retry", "all").stdout.startswith("0 ")


def test_a_stranger_behind_the_name_is_told_nothing(stack, app, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-days", "2",
         "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"],
        check=True, capture_output=True)
    stranger = receiver.Receiver(tmp_path / "certificate", tmp_path / "key")
    service = Service(stack, app, stranger.url + "/")
    service.cli("webhook", "test")
    service.tried(1)
    assert "certificate" in service.cli("outbox", "list").stdout
    assert stranger.told == []
    stranger.stop()


def test_without_a_url_nothing_waits(app, service):
    app.answer(service.path, (500,))
    service.open()
    service.tried(1)
    service.cli("service", "set", "webhook-url=")
    service.hasten()
    service.settled("done", 1)
    service.open(reference="untold")
    assert len(app.at(service.path)) == 1
    assert service.deliveries("waiting") == []
    assert len(service.feed()["events"]) == 2
    failed = service.cli("webhook", "test", check=False)
    assert failed.returncode == 1 and "no webhook-url" in failed.stderr


def test_a_url_set_again_keeps_its_secret(app, service):
    assert service.cli("service", "set", "webhook-url=").stdout == ""
    assert service.cli("service", "set",
                       "webhook-url=" + app.url).stdout == ""
    assert service.cli("webhook", "show").stdout.count("whs_") == 1


@pytest.mark.parametrize("url", (
    "http://app.example/", "https://127.0.0.1/", "https://[::1]/",
    "https://10.1.2.3/x", "https://169.254.169.254/latest", "https://localhost/",
    "https://[::ffff:8.8.8.8]/", "https://0x7f.1/", "https://2130706433/",
    "https://user@app.example/", "https://app.example/#part", "https:///x"))
def test_a_url_inside_is_refused(stack, url):
    public = stack.folder / "public.conf"
    public.write_text(stack.read("callmask.conf").replace(
        "private_webhooks = yes", "private_webhooks = no"), encoding="utf-8")
    done = subprocess.run(
        [stack.env["CALLMASK"].split()[0], "-c", public, "-s", "demo", "service",
         "set", f"webhook-url={url}"], capture_output=True, text=True,
        check=False, timeout=20)
    assert done.returncode == 1 and "webhook-url: must" in done.stderr
    assert stack.one("SELECT webhook_url FROM service WHERE name = 'demo'") is None


# The feed.

def test_the_feed_is_read_page_by_page(service):
    for _ in range(5):
        service.open()
    seen, after = [], 0
    while True:
        page = service.feed(f"?after={after}&limit=2")
        if not page["events"]:
            break
        assert len(page["events"]) <= 2
        assert page["next"] == page["events"][-1]["data"]["seq"]
        seen += page["events"]
        after = page["next"]
    assert [event["data"]["seq"] for event in seen] == [1, 2, 3, 4, 5]
    assert page == {"events": [], "next": 5}
    assert service.feed("?after=999") == {"events": [], "next": 999}
    assert service.feed()["events"] == seen


def test_each_key_sees_its_own_service(stack, app, service):
    service.open()
    other = Service(stack, app)
    assert other.feed() == {"events": [], "next": 0}
    admin = other.cli("key", "add", "--role", "admin", "--name", "x")
    assert stack.api("GET", FEED, key=admin.stdout.strip()).json["events"] == []
    assert stack.api("GET", FEED, key="").problem[:2] == (401, "unauthorized")
    wrong = stack.api("POST", FEED, {}, key=service.key)
    assert wrong.problem[:2] == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("query, field", (
    ("after=-1", "after"), ("after=x", "after"),
    ("after=9223372036854775808", "after"), ("limit=0", "limit"),
    ("limit=501", "limit"), ("limit=1e2", "limit"), ("wait=21", "wait"),
    ("wait=-1", "wait"), ("after=1&after=2", "after"), ("since=1", "query"),
    ("after=%zz", "query")))
def test_a_bad_query_is_refused(stack, query, field):
    answer = stack.api("GET", f"{FEED}?{query}")
    assert answer.problem == (422, "invalid_field", field)


@pytest.mark.sanitized
def test_who_waits_is_told_at_once(service):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = time.monotonic()
        waiting = pool.submit(service.feed, "?wait=20", timeout=60)
        session = service.open()
        page = waiting.result()
    assert [event["data"]["session_id"] for event in page["events"]] == [
        session["id"]]
    assert time.monotonic() - start < 15


def test_who_waits_in_vain_gets_an_empty_list(service):
    assert service.feed("?wait=1&after=7") == {"events": [], "next": 7}


def test_only_so_many_wait_and_others_are_served(stack, service):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(stack.api, "GET", f"{FEED}?wait=20",
                               key=service.key, timeout=60) for _ in range(6)]
        refused, _ = concurrent.futures.wait(
            waiting, 30, concurrent.futures.FIRST_COMPLETED)
        assert all(each.result().problem[:2] == (429, "rate_limited")
                   for each in refused)
        # However the wish to wait is written.
        answer = stack.api("GET", f"{FEED}?w%61it=20", key=service.key)
        assert answer.problem[:2] == (429, "rate_limited")
        assert service.feed() == {"events": [], "next": 0}
        service.open()
        answers = [each.result() for each in waiting]
    assert sorted(answer.status for answer in answers) == [200] * 4 + [429] * 2
    assert all(len(answer.json["events"]) == 1 for answer in answers
               if answer.status == 200)


def test_who_leaves_keeps_no_process(stack, service):
    request = (f"GET {FEED}?wait=20 HTTP/1.1\r\nHost: localhost\r\n"
               f"Authorization: Bearer {service.key}\r\n\r\n").encode()
    for _ in range(12):
        with stack.line() as line:
            line.sendall(request)
    assert service.feed(timeout=8) == {"events": [], "next": 0}


def test_who_waits_is_answered_when_the_program_stops(new_stack):
    stack = new_stack()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(stack.api, "GET", f"{FEED}?wait=20", timeout=60)
                   for _ in range(3)]
        time.sleep(0.3)
        os.kill(stack.leader("events"), signal.SIGTERM)
        assert [each.result().json for each in waiting] == [
            {"events": [], "next": 0}] * 3


def test_who_waits_does_not_hold_up_a_restart(stack, service):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(service.feed, "?wait=20", timeout=60)
                   for _ in range(3)]
        time.sleep(0.3)
        start = time.monotonic()
        stack.restart("events")
        assert time.monotonic() - start < 10
        assert [each.result() for each in waiting] == [
            {"events": [], "next": 0}] * 3
