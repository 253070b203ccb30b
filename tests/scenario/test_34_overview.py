"""What operators see of a service: how it stands, what was counted, sessions by
whatever is known of them, and what happened in one."""

import datetime
import os
import re
import signal
import time

import pytest

from client import masked, new_sid
from test_01_story import until

pytestmark = pytest.mark.sanitized

OVERVIEW, TALLIES, SEARCH = "/v1/overview", "/v1/tallies", "/v1/sessions/search"
NUMBERS = iter(f"+130355501{last:02d}" for last in range(100))


class Service:
    """A service of one's own, with an app's key and an admin's."""

    def __init__(self, stack, name, numbers=2):
        self.stack, self.name = stack, name
        self.numbers = [next(NUMBERS) for _ in range(numbers)]
        self.key = stack.new_service(name, numbers=self.numbers)
        self.cli("service", "set", "ask-code=0")
        self.admin = self.cli("key", "add", "--role", "admin", "--name",
                              "admin").stdout.strip()

    def cli(self, *arguments):
        return self.stack.cli(*arguments, service=self.name)

    def open(self, *people, **more):
        answer = self.stack.create(*people, key=self.key, **more)
        assert answer.status == 201, answer
        return answer.json

    def get(self, path):
        answer = self.stack.api("GET", path, key=self.admin)
        assert answer.status == 200, answer
        return answer.json

    def ask(self, text, **more):
        return self.stack.api("POST", SEARCH, {"text": text, **more},
                              key=self.admin)

    def search(self, text, **more):
        """By what a text was taken, and the ids found."""
        answer = self.ask(text, **more)
        assert answer.status == 200, answer
        return answer.json["matched"], [
            session["id"] for session in answer.json["sessions"]]

    def looks(self):
        """What the audit log has but for commands, newest last."""
        return self.stack.rows(
            "SELECT action, subject, detail FROM audit a JOIN service s "
            "ON s.id = a.service_id WHERE s.name = ? AND a.key_id <> '' "
            "ORDER BY seq", self.name)


def test_how_a_service_stands(stack):
    here = Service(stack, "stands", numbers=4)
    empty = here.get(OVERVIEW)
    assert empty["sessions"] == {"open": 0, "capped": False}
    assert empty["calls"] == {"now": 0, "today": {
        "answered": 0, "missed": 0, "refused": 0, "failed": 0,
        "refused_by": {}, "missed_by": {}}}
    assert empty["pool"] == {"numbers": [
        {"country": "US", "active": 4, "reserved": 0, "draining": 0,
         "retired": 0}], "free": None, "days_left": None}
    assert empty["deliveries"] == [
        {"channel": "app", "waiting": 0, "late": 0},
        {"channel": "twilio", "waiting": 0, "late": 0}]
    assert empty["parked"] == 0

    customer, driver, other, stranger = stack.persons(4)
    here.cli("number", "set", "draining", here.numbers[3])
    session = here.open(customer, driver)
    done = here.open(customer, other)
    stack.close(done, key=here.key)
    for status in ("no-answer", "completed"):
        sid = new_sid()
        stack.voice(customer, masked(session), sid=sid)
        for leg, more in ((new_sid(), {"ParentCallSid": sid, "To": driver,
                                       "From": masked(session)}), (sid, {})):
            for _ in range(2):      # said twice, counted once
                assert stack.report(leg, status, CallDuration="5",
                                    **more).status == 200
    for caller in (customer, other):
        stack.voice(caller, masked(done))
    stack.voice(stranger, masked(session))
    stack.webhook("/twilio/message", {
        **stack.voice_fields(stranger, masked(session)),
        "MessageSid": "SM" + os.urandom(16).hex(), "Body": "Hello"})
    running = new_sid()
    stack.voice(customer, masked(session), sid=running)

    told = here.get(OVERVIEW)
    assert abs(datetime.datetime.fromisoformat(told["now"]).timestamp()
               - time.time()) < 10
    assert told["sessions"] == {"open": 1, "capped": False}
    assert told["calls"] == {"now": 1, "today": {
        "answered": 1, "missed": 1, "refused": 3, "failed": 0,
        "refused_by": {"session_closed": 2, "caller_unknown": 1},
        "missed_by": {"no-answer": 1}}}
    assert told["texts"] == {"today": {
        "relayed": 0, "refused": 1, "refused_by": {"caller_unknown": 1}}}
    [numbers] = told["pool"]["numbers"]
    assert (numbers["active"], numbers["draining"]) == (3, 1)
    # Of three, the customer has two.
    assert told["pool"]["free"] == 0.3333
    assert told["health"] == {
        "database": True, "worker": True, "trouble": None,
        **{name: stack.counters()[name] for name in (
            "requests_failed", "calls_unrecorded", "calls_apologised")}}
    stack.report(running, "completed", CallDuration="5")
    assert here.get(OVERVIEW)["calls"]["now"] == 0


def test_what_was_counted_step_by_step(stack):
    here = Service(stack, "counted")
    here.open(*stack.persons(2))
    for span, step, count in (("hour", 60, 60), ("day", 900, 96),
                              ("month", 21600, 120)):
        told = here.get(f"{TALLIES}?span={span}")
        assert (told["span"], told["step"]) == (span, step)
        begin = datetime.datetime.fromisoformat(told["from"]).timestamp()
        assert begin % step == 0
        assert 0 <= time.time() - begin - (count - 1) * step < step + 5
        series = told["series"]
        assert series.keys() == {
            "sessions_opened", "calls_answered", "calls_missed", "calls_failed",
            "calls_refused", "texts_relayed", "texts_refused"}
        assert {len(counts) for counts in series.values()} == {count}
        # The last, unless a step has just ended.
        assert sum(series["sessions_opened"][-2:]) == 1
        assert sum(map(sum, series.values())) == 1
    assert here.get(TALLIES)["span"] == "hour"


@pytest.mark.parametrize("query, field", (
    ("span=week", "span"), ("span=Hour", "span"), ("since=1", "query"),
    ("span=day&span=day", "span"), ("span=hourly", "span")))
def test_a_bad_span_is_named(stack, query, field):
    key = stack.env["CALLMASK_ADMIN_KEY"]
    assert stack.api("GET", f"{TALLIES}?{query}", key=key).problem == (
        422, "invalid_field", field)


def test_sessions_are_found_by_whatever_is_known(stack):
    here = Service(stack, "found")
    customer, driver, other, stranger = stack.persons(4)
    first = here.open(customer, driver, reference="trip 7-A")
    second = here.open(customer, other)
    stack.close(first, key=here.key)
    third = here.open(driver, stranger, reference="trip 7-A")
    one, two, three = (each["id"] for each in (first, second, third))

    assert here.search(two) == ("id", [two])
    assert here.search(f" {two}\n") == ("id", [two])
    assert here.search(two, status="closed") == ("id", [])
    assert here.search("ses_" + "0" * 26) == ("id", [])
    assert here.search("trip 7-A") == ("reference", [three, one])
    assert here.search("trip 7") == ("reference", [])
    assert here.search(customer) == ("phone", [two, one])
    assert here.search(stranger) == ("phone", [three])
    area, line = customer[2:5], customer[8:]
    for written in (f"+1 {area} 555 {line}", f"+1 ({area}) 555-{line}",
                    f" +1-{area}-555-{line} ", f"+1.{area}.555.{line}"):
        assert here.search(written) == ("phone", [two, one])
    assert here.search("+" + "1" * 127) == ("reference", [])
    # Without a country code it is nobody's number.
    assert here.search(customer[2:]) == ("reference", [])
    assert here.search(masked(first)) == ("masked_number", [
        each["id"] for each in (third, second, first)
        if masked(each) == masked(first)])
    assert here.search(masked(first), status="closed") == (
        "masked_number", [one])
    # What stands there is what a list says.
    listed = {each["id"]: each for each in stack.api(
        "GET", "/v1/sessions", key=here.key).json["sessions"]}
    assert here.ask(two).json == {
        "matched": "id", "sessions": [listed[two]], "next": None}


def test_what_was_replaced_is_found(stack):
    here = Service(stack, "replaced")
    customer, driver, next_one = stack.persons(3)
    session = here.open(customer, driver)
    answer = stack.api("PATCH", f"/v1/sessions/{session['id']}", {
        "parties": [{"role": "driver", "phone": next_one}]}, key=here.key)
    assert answer.status == 200
    for phone in (customer, driver, next_one):
        assert here.search(phone) == ("phone", [session["id"]])


@pytest.mark.parametrize("by", ("phone", "masked_number", "reference"))
def test_what_is_found_comes_page_by_page(stack, by):
    here = Service(stack, f"pages-of-{by}", numbers=1)
    customer, *others = stack.persons(8)
    made = []
    for other in others:
        person = customer if by == "phone" else stack.person()
        made.append(here.open(person, other, reference="r")["id"])
        stack.close({"id": made[-1]}, key=here.key)
        # Their number is free again at once.
        stack.bend("UPDATE leg SET live_until = 1, held_until = 1 "
                   "WHERE session_id = ?", made[-1])
    text = {"phone": customer, "masked_number": here.numbers[0],
            "reference": "r"}[by]
    found, cursor = [], None
    while True:
        answer = here.ask(text, limit=3, cursor=cursor, status=None).json
        assert answer["matched"] == by and len(answer["sessions"]) <= 3
        found += [each["id"] for each in answer["sessions"]]
        assert len(found) <= len(made)
        cursor = answer["next"]
        if cursor is None:
            break
    assert found == made[::-1]


@pytest.mark.parametrize("document, field", (
    ({}, "text"), ({"text": None}, "text"), ({"text": ""}, "text"),
    ({"text": " \t"}, "text"), ({"text": 5}, "text"),
    ({"text": "x" * 129}, "text"),
    ({"text": "x", "status": "gone"}, "status"),
    ({"text": "x", "status": 1}, "status"),
    ({"text": "x", "limit": 0}, "limit"), ({"text": "x", "limit": 101}, "limit"),
    ({"text": "x", "limit": "5"}, "limit"),
    ({"text": "x", "limit": 1.5}, "limit"),
    ({"text": "x", "cursor": "ses_x"}, "cursor"),
    ({"text": "x", "cursor": "evt_" + "0" * 26}, "cursor"),
    ({"text": "x", "phone": "+12025550147"}, "phone")))
def test_a_bad_search_is_named_and_not_repeated(stack, document, field):
    answer = stack.api("POST", SEARCH, document,
                       key=stack.env["CALLMASK_ADMIN_KEY"])
    assert answer.problem == (422, "invalid_field", field)
    assert "555" not in answer.body.decode()


def test_the_number_of_another_service_is_nobodys(stack):
    here, there = Service(stack, "here"), Service(stack, "there")
    customer, driver = stack.persons(2)
    session = there.open(customer, driver, reference="theirs")
    for text in (customer, masked(session), session["id"], "theirs"):
        assert here.search(text)[1] == []
        assert there.search(text)[1] == [session["id"]]
    # Nor is it told that it is a masked one.
    assert here.search(masked(session))[0] == "phone"
    path = f"/v1/sessions/{session['id']}/events"
    assert stack.api("GET", path, key=here.admin).problem == (
        404, "not_found", None)


def test_a_look_is_noted_and_what_was_looked_for_is_not(stack):
    here = Service(stack, "noted")
    customer, driver = stack.persons(2)
    session = here.open(customer, driver, reference="secret trip")
    assert here.looks() == []
    for text in (customer, customer, session["id"], masked(session),
                 "secret trip", customer[2:], driver):
        assert here.ask(text).status == 200
    here.get(f"/v1/sessions/{session['id']}/events")
    noted = here.looks()
    action = f"POST {SEARCH}"
    assert [row[0] for row in noted] == [action] * 6 + [
        "GET /v1/sessions/{id}/events"]
    subjects = [row[1] for row in noted]
    tag = "[0-9a-f]{8}"
    assert re.fullmatch(rf"\+1…{customer[-2:]} {tag}", subjects[0])
    assert subjects[1:3] == [session["id"], masked(session)]
    assert re.fullmatch(rf"reference {tag}", subjects[3])
    assert re.fullmatch(rf"reference {tag}", subjects[4])
    assert re.fullmatch(rf"\+1…{driver[-2:]} {tag}", subjects[5])
    assert subjects[6] == session["id"]
    assert len(set(subjects)) == 6 and {row[2] for row in noted} == {""}
    for path in ("audit", "idempotency", "tally"):
        for row in stack.rows(f"SELECT * FROM {path}"):
            assert not {customer[1:], customer[2:], "secret trip"} & set(row)
            assert customer[2:] not in repr(row), path
    logs = stack.logs()
    for secret in (customer[2:], driver[2:], "secret trip"):
        assert secret not in logs


def test_two_numbers_with_the_same_ends_are_two_looks(stack):
    here = Service(stack, "twins")
    first = stack.person()
    second = first[:2] + "989" + first[5:]
    for text in (first, second, first):
        assert here.search(text)[1] == []
    subjects = [row[1] for row in here.looks()]
    assert len(set(subjects)) == len(subjects) == 2
    assert {subject[:-8] for subject in subjects} == {f"+1…{first[-2:]} "}


def test_what_happened_in_a_session(stack):
    here = Service(stack, "happened")
    customer, driver = stack.persons(2)
    session = here.open(customer, driver, reference="r")
    stack.voice(customer, masked(session))
    other = here.open(*stack.persons(2))
    stack.close(session, key=here.key)
    path = f"/v1/sessions/{session['id']}/events"
    told = here.get(path)
    assert [(each["type"], each["data"]["detail"]) for each in told["events"]] \
        == [("session.opened", None), ("call.started", "connected"),
            ("session.closed", None)]
    assert told["next"] is None
    feed = stack.api("GET", "/v1/events", key=here.key).json["events"]
    for each in told["events"]:
        assert each.pop("delivery") is None and each in feed
    seen, query = [], "?limit=2"
    while query:
        page = here.get(path + query)
        seen += [each["id"] for each in page["events"]]
        assert len(seen) <= 3
        query = page["next"] and f"?limit=2&after={page['next']}"
    assert seen == [each["id"] for each in told["events"]]
    assert len(here.get(f"/v1/sessions/{other['id']}/events")["events"]) == 1


def test_an_event_tells_of_its_delivery(stack):
    here = Service(stack, "delivered")
    # Nobody listens there.
    here.cli("service", "set", "webhook-url=https://localhost:9/hook")
    session = here.open(*stack.persons(2))
    path = f"/v1/sessions/{session['id']}/events"

    def delivery():
        [event] = here.get(path)["events"]
        return event["delivery"]

    until(lambda: delivery()["attempts"] > 0)
    first = delivery()
    assert first["id"].startswith("dlv_") and first["state"] == "waiting"
    stack.bend("UPDATE outbox SET state = 'parked', ended_at = 1, attempts = 8 "
               "WHERE id = ?", first["id"])
    assert delivery() == {"id": first["id"], "state": "parked", "attempts": 8}
    told = here.get(OVERVIEW)
    assert told["parked"] == 1
    stack.bend("UPDATE outbox SET state = 'done' WHERE id = ?", first["id"])
    assert delivery()["state"] == "done"


@pytest.mark.parametrize("query, field", (
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"),
    ("after=-1", "after"), ("after=x", "after"), ("wait=1", "query"),
    ("after=99999999999999999999", "after")))
def test_a_bad_page_of_events_is_named(stack, query, field):
    session = stack.open(*stack.persons(2))
    answer = stack.api("GET", f"/v1/sessions/{session['id']}/events?{query}",
                       key=stack.env["CALLMASK_ADMIN_KEY"])
    assert answer.problem == (422, "invalid_field", field)


# Who may.

def test_an_apps_key_may_not(stack, unchanged):
    for method, path, document in (
            ("GET", OVERVIEW, None), ("GET", TALLIES, None),
            ("POST", SEARCH, {"text": "x"}),
            ("GET", "/v1/sessions/ses_0/events", None)):
        assert stack.api(method, path, document).problem == (
            403, "forbidden", None)
        assert stack.api(method, path, document, key="").problem[0] == 401


@pytest.mark.parametrize("method, path, allow", (
    ("POST", OVERVIEW, "GET, HEAD"), ("DELETE", TALLIES, "GET, HEAD"),
    ("GET", SEARCH, "POST"), ("PATCH", SEARCH, "POST"),
    ("POST", "/v1/sessions/ses_0/events", "GET, HEAD")))
def test_a_wrong_method_learns_the_right_one(stack, method, path, allow):
    answer = stack.api(method, path, key=stack.env["CALLMASK_ADMIN_KEY"])
    assert answer.problem == (405, "method_not_allowed", None)
    assert answer.headers["Allow"] == allow


def test_a_viewer_sees_all_of_it_in_the_panel(stack):
    here = Service(stack, "viewed")
    session = here.open(*stack.persons(2))
    key = here.cli("key", "add", "--role", "viewer", "--name",
                   "victor").stdout.strip()
    same = {"Sec-Fetch-Site": "same-origin"}
    answer = stack.api("POST", "/admin/sign-in", {"key": key}, key="",
                       headers=same)
    assert answer.status == 200, answer
    cookie = answer.headers["Set-Cookie"].split(";")[0]

    def panel(method, path, document=None):
        answer = stack.api(method, "/admin" + path, document, key="",
                           headers={**same, "Cookie": cookie})
        assert answer.status == 200, answer
        return answer.json

    assert panel("GET", OVERVIEW)["sessions"]["open"] == 1
    assert sum(panel("GET", TALLIES)["series"]["sessions_opened"]) == 1
    assert panel("POST", SEARCH, {"text": session["id"]})["matched"] == "id"
    path = f"/v1/sessions/{session['id']}/events"
    assert len(panel("GET", path)["events"]) == 1
    assert stack.rows(
        "SELECT DISTINCT name FROM audit WHERE subject = ?",
        session["id"]) == [("victor",)]
    # But not with the key itself.
    assert stack.api("GET", OVERVIEW, key=key).problem[0] == 403


def test_trouble_is_told_as_to_those_who_watch(new_stack):
    made = new_stack(WORKERS="1")
    key = made.env["CALLMASK_ADMIN_KEY"]

    def health():
        answer = made.api("GET", OVERVIEW, key=key)
        assert answer.status == 200, answer
        told = answer.json["health"]
        return told["database"], told["worker"], told["trouble"]

    assert health() == (True, True, None)
    with made.hanging(made.workers("outboxd")), made.late():
        words = "what is for Twilio has been due for 5 minutes"
        assert health() == (True, True, words)
        assert made.request("GET", "/readyz").json["detail"] == words
        late = made.api("GET", OVERVIEW, key=key).json["deliveries"]
        assert late[1]["channel"] == "twilio" and late[1]["waiting"] == 1
        assert 301 <= late[1]["late"] < 400
    os.kill(made.leader("outboxd"), signal.SIGTERM)
    until(lambda: health() == (True, False, "outboxd does not run"))
