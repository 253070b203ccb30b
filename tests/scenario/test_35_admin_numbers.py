"""The pool and what leaves the system, for operators: the API's numbers and
deliveries, with an admin key and through the admin panel's door."""

import json
import time

import pytest

from test_01_story import until
from test_22_numbers import TRUNK, account, pool, settings  # noqa: F401

pytestmark = pytest.mark.sanitized

# American area codes that no other test takes numbers of.
_area = iter((701, 702, 703, 704, 706, 707, 708, 712, 713, 714, 715, 716, 717,
              718, 719, 720, 724, 727))


@pytest.fixture
def area():
    """An area code that no other test takes numbers of."""
    return next(_area)


def stamp(at):
    """A time as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def admin(stack, method, path, document=None, key=None, **more):
    """One request with an admin key."""
    return stack.api(method, path, document,
                     key=key or stack.env["CALLMASK_ADMIN_KEY"], **more)


@pytest.fixture(name="key")
def fixture_key(account):                                 # noqa: F811
    """An admin key of the account's service."""
    return account.stack.cli("key", "add", "--role", "admin", "--name", "key",
                             service=account.service).stdout.strip()


def listed(stack, key, query=""):
    """All pages of the pool."""
    found, cursor = [], ""
    while cursor is not None:
        page = admin(stack, "GET", f"/v1/numbers?limit=2&{query}"
                     + (f"&cursor={cursor}" if cursor else ""), key=key).json
        found += page["numbers"]
        cursor = page["next"]
    return found


def test_numbers_are_added_each_by_itself(account, key):  # noqa: F811
    stack = account.stack
    first, second = account.numbers[:2]
    pool(account, first)
    person, peer = stack.persons(2)
    stack.open(person, peer)
    answer = admin(stack, "POST", "/v1/numbers", {"numbers": [
        first, second, second, person, stack.numbers[0], "+12025", "x" * 99,
        "+881612345678"]}, key=key)
    assert answer.status == 200
    taken = "is in use: in another pool, or as somebody's own"
    assert [tuple(each.values()) for each in answer.json["results"]] == [
        (first, "exists", None), (second, "added", None),
        (second, "exists", None),
        (f"+1…{person[-2:]}", "refused", taken),
        (f"+1…{stack.numbers[0][-2:]}", "refused", taken),
        ("(not a number)", "refused", "is not an E.164 number"),
        ("(none)", "refused", "is not an E.164 number"),
        ("+881…78", "refused", "belongs to no country")]
    assert person not in answer.body.decode()
    assert [each["number"] for each in listed(stack, key)] == [first, second]


def test_a_number_is_read_and_changed(account, key):      # noqa: F811
    stack, number = account.stack, account.numbers[0]
    pool(account, number)
    person, peer = stack.persons(2)
    app = stack.cli("key", "add", "--name", "app",
                    service=account.service).stdout.strip()
    stack.create(person, peer, key=app)
    path = "/v1/numbers/" + number[1:]
    found = admin(stack, "GET", path, key=key).json
    assert found["last_used_at"] and found["created_at"]
    assert found == {**found, "number": number, "country": "US",
                     "state": "active", "live": 2, "held": 0, "twilio": {
                         "state": "unknown", "detail": None,
                         "checked_at": None}}
    for state in ("draining", "reserved", "retired", "active"):
        answer = admin(stack, "PATCH", path, {"state": state}, key=key)
        assert answer.json == {**found, "state": state}
        assert account.state(number) == state
    for document, problem in (
            ({"state": "on"}, (422, "invalid_field", "state")),
            ({}, (422, "invalid_field", "state")),
            ({"state": 1}, (422, "invalid_field", "state")),
            ({"state": "active", "x": 1}, (422, "invalid_field", "x")),
            ([], (400, "invalid_json", None))):
        assert admin(stack, "PATCH", path, document, key=key).problem == problem
    # Another service's, and what is none.
    query = "SELECT state, last_used_at FROM number WHERE number = ?"
    before = stack.rows(query, stack.numbers[0])
    for digits in (stack.numbers[0][1:], account.numbers[1][1:], "0", "12",
                   "1" * 16, "1" * 29, "x"):
        for method, document in (("GET", None), ("PATCH", {"state": "retired"})):
            assert admin(stack, method, "/v1/numbers/" + digits, document,
                         key=key).problem == (404, "not_found", None)
    assert stack.rows(query, stack.numbers[0]) == before


def test_the_pool_page_by_page(account, key):             # noqa: F811
    stack, numbers = account.stack, account.numbers[:7]
    abroad = ["+442079460" + number[2:5] for number in numbers[:1]]
    admin(stack, "POST", "/v1/numbers", {"numbers": numbers + abroad}, key=key)
    stack.cli("number", "set", "retired", *numbers[2:5], *abroad,
              service=account.service)

    def names(query=""):
        return [each["number"] for each in listed(stack, key, query)]

    assert names() == abroad + numbers                    # GB, US
    assert names("country=US") == numbers
    assert names("country=GB") == abroad
    assert names("country=FR") == []
    assert names("state=retired") == abroad + numbers[2:5]
    assert names("state=retired&country=US") == numbers[2:5]
    assert names("state=draining") == []
    assert len(admin(stack, "GET", "/v1/numbers", key=key).json["numbers"]) == 8
    for query, field in (("limit=0", "limit"), ("limit=101", "limit"),
                         ("limit=x", "limit"), ("state=on", "state"),
                         ("country=us", "country"), ("cursor=x", "cursor"),
                         ("cursor=881612345678", "cursor"), ("a=1", "query"),
                         ("state=active&state=active", "state")):
        assert admin(stack, "GET", "/v1/numbers?" + query, key=key).problem == (
            422, "invalid_field", field)


def test_deliveries(account, key):                        # noqa: F811
    stack = account.stack
    service = stack.one("SELECT id FROM service WHERE name = ?",
                        account.service)
    ids = ["dlv_" + str(i).zfill(26) for i in range(9)]
    states = ["done", "parked", "waiting"]
    far = 9000000000000
    for i, each in enumerate(ids):
        state = states[i % 3]
        stack.bend("INSERT INTO outbox VALUES (?, ?, 'app', 'event', ?, NULL, "
                   "0, ?, 3, 3, 0, ?, 1800000000000, ?)", each, service,
                   f"evt_{i}", state, far,
                   None if state == "waiting" else 1800000060)
        for n in range(1, 3):
            stack.bend("INSERT INTO attempt VALUES (?, ?, 1800000000000, 5, "
                       "NULL, 'no answer')", each, n)

    def names(query=""):
        found, cursor = [], ""
        while cursor is not None:
            page = admin(stack, "GET", f"/v1/deliveries?limit=2&{query}" + (
                f"&cursor={cursor}" if cursor else ""), key=key).json
            found += [each["id"] for each in page["deliveries"]]
            cursor = page["next"]
        return found

    assert names() == ids[::-1]
    for i, state in enumerate(states):
        assert names("state=" + state) == ids[i::3][::-1]
    waiting = admin(stack, "GET", "/v1/deliveries/" + ids[2], key=key).json
    assert waiting["due_at"] and waiting["ended_at"] is None
    parked = admin(stack, "GET", "/v1/deliveries/" + ids[1], key=key).json
    assert parked == {
        "id": ids[1], "kind": "event", "channel": "app", "subject_id": "evt_1",
        "state": "parked", "attempts": 3, "due_at": None,
        "created_at": "2027-01-15T08:00:00Z",
        "ended_at": "2027-01-15T08:01:00Z", "status": None,
        "error": "no answer", "tries": [
            {"number": n, "started_at": "2027-01-15T08:00:00Z", "took_ms": 5,
             "status": None, "error": "no answer"} for n in (1, 2)]}
    assert admin(stack, "POST", f"/v1/deliveries/{ids[0]}/retry",
                 key=key).problem == (409, "refused", None)
    for path in (f"/{ids[1][:-1]}x", "/x", "/retry"):
        assert admin(stack, "GET", "/v1/deliveries" + path,
                     key=key).problem[0] == 404
    # Another service's.
    for method, path in (("GET", ids[1]), ("POST", ids[1] + "/retry")):
        assert admin(stack, method, "/v1/deliveries/" + path).problem == (
            404, "not_found", None)
    assert admin(stack, "POST", "/v1/deliveries/retry").json["retried"] == 0
    assert stack.one("SELECT state FROM outbox WHERE id = ?", ids[1]) == "parked"
    for query, field in (("limit=0", "limit"), ("state=x", "state"),
                         ("cursor=x", "cursor"), ("a=1", "query")):
        assert admin(stack, "GET", "/v1/deliveries?" + query,
                     key=key).problem == (422, "invalid_field", field)
    answer = admin(stack, "POST", f"/v1/deliveries/{ids[1]}/retry", key=key)
    assert (answer.status, answer.json["id"]) == (200, ids[1])
    assert answer.json["state"] == "waiting" and not answer.json["attempts"]
    answer = admin(stack, "POST", "/v1/deliveries/retry", key=key)
    assert answer.json == {"retried": 2, "more": False}
    assert names("state=parked") == []


# What the worker finds at Twilio. It asks the sandbox itself.

def sync(account, key, *numbers, status=202, **more):     # noqa: F811
    """Have numbers looked up; how many are."""
    wish = {**more, **({"numbers": numbers} if numbers else {})}
    answer = admin(account.stack, "POST", "/v1/numbers/sync", wish, key=key)
    assert answer.status == status, answer
    return answer.json


def checked(account, key):                                # noqa: F811
    """The pool once nothing is being checked: number to what was found."""
    def look():
        return {each["number"]: each["twilio"]
                for each in listed(account.stack, key)}
    until(lambda: "checking" not in {each["state"] for each in look().values()})
    return look()


def found(account, number):                               # noqa: F811
    """State and words that are kept of a number."""
    [row] = account.stack.rows(
        "SELECT twilio_state, twilio_detail, twilio_sid, twilio_differs "
        "FROM number WHERE number = ?", number)
    return row


def test_the_worker_looks_numbers_up(account, key):       # noqa: F811
    right, wrong, missing, taken = account.numbers[:4]
    account.buy(right)
    account.buy(wrong, VoiceUrl="", SmsMethod="GET")
    account.buy(taken, TrunkSid=TRUNK)
    pool(account, right, wrong, missing, taken)
    url = account.stack.url
    began = int(time.time())
    assert sync(account, key) == {"queued": 4, "next": None}
    states = checked(account, key)
    assert all(each["checked_at"] >= stamp(began) for each in states.values())
    assert {number: (each["state"], each["detail"])
            for number, each in states.items()} == {
        right: ("right", None), missing: ("missing", "it is not in the account"),
        wrong: ("wrong", f"voice_url is not set, should be {url}/twilio/voice; "
                         "sms_method is GET, should be POST"),
        taken: ("wrong", f"trunk_sid is {TRUNK}")}
    assert settings(account, wrong)["sms_method"] == "GET"
    # The tool finds and keeps the same.
    kept = [found(account, number) for number in states]
    for number in states:
        account.stack.bend("UPDATE number SET twilio_state = 'unknown', "
                           "twilio_detail = '', twilio_sid = NULL "
                           "WHERE number = ?", number)
    assert account.sync()[0] == 1
    assert kept == [found(account, number) for number in states]
    # What differs is set, and nothing else.
    before = settings(account, taken)
    assert sync(account, key, wrong, taken, apply=True)["queued"] == 2
    states = checked(account, key)
    assert [states[number]["state"] for number in (wrong, taken)] == [
        "right", "wrong"]
    assert settings(account, wrong) == settings(account, right)
    assert settings(account, taken) == before
    [asked] = [each for each in account.stack.sandbox(
        "GET", "requests")["requests"] if each["method"] == "POST" and
        [name for name, _ in each["fields"]] == ["VoiceUrl", "SmsMethod"]]
    assert asked["agent"].startswith("callmask/")


def test_what_waits_is_not_queued_twice(account, key):    # noqa: F811
    """Setting takes the place of looking up, and not the other way round."""
    stack, number = account.stack, account.numbers[0]
    account.buy(number, VoiceUrl="")
    pool(account, number)
    service = stack.one("SELECT id FROM service WHERE name = ?",
                        account.service)

    def waiting():
        return stack.rows("SELECT kind, state FROM outbox WHERE subject_id = ? "
                          "ORDER BY id", number)

    # One that is not due keeps the worker away.
    stack.bend("INSERT INTO outbox VALUES ('dlv_0', ?, 'twilio', "
               "'number_check', ?, NULL, 0, 'waiting', 0, 0, 0, "
               "9000000000000000, 0, NULL)", service, number)
    assert checking(account, key, number)
    assert sync(account, key, number, number)["queued"] == 0
    assert sync(account, key)["queued"] == 0
    assert waiting() == [("number_check", "waiting")]
    stack.bend("INSERT INTO outbox VALUES ('dlv_1', ?, 'twilio', "
               "'number_set', ?, NULL, 0, 'waiting', 0, 0, 0, "
               "9000000000000000, 0, NULL)", service, number)
    assert sync(account, key, number, apply=True)["queued"] == 0
    stack.bend("DELETE FROM outbox WHERE id = 'dlv_1'")
    assert sync(account, key, number, number, apply=True)["queued"] == 1
    assert checked(account, key)[number]["state"] == "right"
    assert waiting() == [("number_check", "done"), ("number_set", "done")]


def checking(account, key, number):                       # noqa: F811
    """Whether a number is being looked up."""
    return admin(account.stack, "GET", "/v1/numbers/" + number[1:],
                 key=key).json["twilio"]["state"] == "checking"


def test_only_the_services_own_are_looked_up(account, key):  # noqa: F811
    stack, number = account.stack, account.numbers[0]
    pool(account, number)
    query = "SELECT id FROM outbox WHERE subject_id IN (?, ?)"
    before = stack.rows(query, number, stack.numbers[0])
    for document, problem in (
            ({"numbers": [number, stack.numbers[0]]}, "numbers[1]"),
            ({"numbers": [account.numbers[1]]}, "numbers[0]"),
            ({"numbers": ["x" * 99]}, "numbers[0]"),
            ({"numbers": []}, "numbers"), ({"numbers": "x"}, "numbers"),
            ({"numbers": [1]}, "numbers[0]"), ({"apply": 1}, "apply"),
            ({"numbers": [number] * 101}, "numbers"), ({"all": True}, "all"),
            ({"numbers": [number], "cursor": number[1:]}, "cursor"),
            ({"cursor": "881612345678"}, "cursor"),
            ({"cursor": "x"}, "cursor"), ({"cursor": 1}, "cursor")):
        assert admin(stack, "POST", "/v1/numbers/sync", document,
                     key=key).problem == (422, "invalid_field", problem)
    assert stack.rows(query, number, stack.numbers[0]) == before
    for document in ({"numbers": []}, {"numbers": [1]}, {},
                     {"numbers": ["+12025550199"] * 101}):
        assert admin(stack, "POST", "/v1/numbers", document,
                     key=key).problem[:2] == (422, "invalid_field")


def test_the_cursor_of_a_sync(account, key):              # noqa: F811
    """A thousand at a time, and so spread that calls go between them."""
    stack = account.stack
    service = stack.one("SELECT id FROM service WHERE name = ?",
                        account.service)
    # Numbers of nobody; they are taken away before anybody asks for them.
    stack.bend("WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 1001) "
               "INSERT INTO number (number, service_id, country, state, "
               "last_used_at, place, created_at) SELECT printf('+1%s5550%03d%s', "
               "?, i / 10, i % 10), ?, 'US', 'active', 0, -i - 1, 0 FROM n",
               str(account.area), service)
    first = sync(account, key)
    assert first["queued"] == 1000
    second = sync(account, key, cursor=first["next"])
    assert second == {"queued": 1, "next": None}
    due = [at for (at,) in stack.rows(
        "SELECT due_at_ms - created_at_ms FROM outbox WHERE service_id = ? AND "
        "kind = 'number_check' AND attempts = 0 ORDER BY 1", service)]
    in_order = [at for (at,) in stack.rows(
        "SELECT due_at_ms FROM outbox WHERE service_id = ? AND "
        "kind = 'number_check' AND attempts = 0 ORDER BY id", service)]
    stack.bend("DELETE FROM outbox WHERE service_id = ? AND state = 'waiting'",
               service)
    assert due[-1] == 999 * 50
    assert in_order[-1] == max(in_order)     # behind those of the page before


# How it fails.

def test_who_may(account):                                # noqa: F811
    stack = account.stack
    app = stack.env["CALLMASK_API_KEY"]
    for method, path, document in (
            ("GET", "/v1/numbers", None),
            ("POST", "/v1/numbers", {"numbers": ["x"]}),
            ("GET", "/v1/numbers/1202", None),
            ("PATCH", "/v1/numbers/1202", {"state": "active"}),
            ("POST", "/v1/numbers/sync", {}), ("GET", "/v1/deliveries", None),
            ("GET", "/v1/deliveries/x", None),
            ("POST", "/v1/deliveries/x/retry", None),
            ("POST", "/v1/deliveries/retry", None)):
        assert admin(stack, method, path, document, key=app).problem == (
            403, "forbidden", None)
        assert stack.api(method, path, document, key="").problem == (
            401, "unauthorized", None)
        answer = admin(stack, "DELETE", path)
        assert answer.status in (404, 405), path


def test_operators_change_and_viewers_look(account):      # noqa: F811
    stack, number = account.stack, account.numbers[0]
    pool(account, number)
    cookies = {}
    for role in ("operator", "viewer"):
        held = stack.cli("key", "add", "--role", role, "--name", role,
                         service=account.service).stdout.strip()
        answer = stack.request(
            "POST", "/admin/sign-in", json.dumps({"key": held}),
            {"Content-Type": "application/json",
             "Sec-Fetch-Site": "same-origin"})
        cookies[role] = answer.headers["Set-Cookie"].partition(";")[0]

    def ask(role, method, path, document=None):
        return stack.request(
            method, "/admin" + path,
            json.dumps(document) if document is not None else None,
            {"Cookie": cookies[role], "Sec-Fetch-Site": "same-origin",
             **({"Content-Type": "application/json"}
                if document is not None else {})})

    path = "/v1/numbers/" + number[1:]
    for role in cookies:
        for each in ("/v1/numbers", path, "/v1/deliveries"):
            assert ask(role, "GET", each).status == 200
    changes = (("PATCH", path, {"state": "retired"}),
               ("POST", "/v1/numbers", {"numbers": [account.numbers[1]]}),
               ("POST", "/v1/numbers/sync", {"numbers": [number]}),
               ("POST", "/v1/deliveries/retry", None))
    for change in changes:
        assert ask("viewer", *change).problem == (403, "forbidden", None)
    assert account.state(number) == "active"
    assert account.state(account.numbers[1]) is None
    for change in changes:
        assert ask("operator", *change).status in (200, 202)
    assert stack.rows(
        "SELECT a.name, action, subject, detail FROM audit a JOIN service s ON "
        "s.id = a.service_id WHERE s.name = ? AND action NOT LIKE 'sign%' "
        "AND key_id <> '' "
        "ORDER BY seq", account.service) == [
        ("operator", "PATCH /v1/numbers/{id}", number, "retired"),
        ("operator", "POST /v1/numbers", account.numbers[1],
         "1 added, 0 refused"),
        ("operator", "POST /v1/numbers/sync", number, "check 1"),
        ("operator", "POST /v1/deliveries/retry", "", "0")]
