"""The admin panel's door: who gets in, with what, for how long, and what they may
do there; and that all of it is in the audit log."""

import concurrent.futures
import contextlib
import fcntl
import json
import re
import secrets
import time

import pytest

import client
import description
from client import masked

pytestmark = pytest.mark.sanitized

KEY = "cm_01m821vx6j3y7mycw7bw9vqs6s_" + "0123456789abcdef" * 4
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(name="operator", scope="module")
def fixture_operator(stack):
    """Somebody who may do everything in the panel."""
    return stack.operator()


@pytest.fixture(name="viewer", scope="module")
def fixture_viewer(stack):
    """Somebody who may look."""
    return stack.operator("viewer", "Vera")


def new_key(stack, role="operator"):
    """A key of this role."""
    return stack.cli("key", "add", "--role", role, "--name", "Kim").stdout.strip()


def key_id(key):
    """The id of a key."""
    return "key_" + key.split("_")[1]


def rows(stack, **wanted):
    """Rows of the audit log that have such values, oldest first."""
    names = ("seq", "at", "key_id", "name", "action", "subject", "detail",
             "request_id")
    found = [dict(zip(names, row)) for row in stack.rows(
        f"SELECT {', '.join(names)} FROM audit ORDER BY service_id, seq")]
    return [row for row in found
            if all(row[name] == value for name, value in wanted.items())]


# Signing in.

def test_the_cookie_is_for_our_pages_only(stack):
    key = new_key(stack)
    answer = stack.sign_in(key)
    assert answer.status == 200
    [cookie] = answer.headers.get_all("Set-Cookie")
    value, *attributes = cookie.split("; ")
    # What begins with __Host- browsers take with Secure, Path=/ and no Domain
    # only.
    assert re.fullmatch("__Host-callmask=[0-9a-f]{64}", value)
    assert sorted(attributes) == ["HttpOnly", "Max-Age=28800", "Path=/",
                                  "SameSite=Strict", "Secure"]
    assert answer.headers["Cache-Control"] == "no-store"
    ends_at = answer.json.pop("ends_at")
    assert answer.json == {"id": key_id(key), "name": "Kim", "role": "operator",
                           "service": "demo", "ends_at": ends_at}
    left = time.mktime(time.strptime(ends_at, "%Y-%m-%dT%H:%M:%SZ")) \
        - time.mktime(time.gmtime())
    assert 8 * 3600 - 60 < left <= 8 * 3600


def test_it_opens_what_a_key_opens(stack, operator):
    session = stack.open(*stack.persons(2))
    answer = operator.ask("GET", f"sessions/{session['id']}")
    assert answer.status == 200 and answer.json["id"] == session["id"]
    answer = operator.ask("POST", f"sessions/{session['id']}/close")
    assert answer.status == 200 and answer.json["status"] == "closed"
    assert operator.ask("GET", "keys/self").json["name"] == "Zoë"


@pytest.mark.parametrize("role", ("admin", "operator", "viewer"))
def test_every_role_of_people_gets_in(stack, role):
    assert stack.operator(role).self["role"] == role


def test_a_key_that_is_none_is_refused(stack):
    good = new_key(stack)
    revoked = new_key(stack)
    stack.cli("key", "revoke", key_id(revoked))
    before = stack.counters()["keys_refused"]
    wrong = (KEY, good[:-1] + ("0" if good[-1] != "0" else "1"), revoked,
             good[:-1], "x")
    for key in wrong:
        answer = stack.sign_in(key)
        assert answer.problem == (401, "unauthorized", None), key
        assert "Set-Cookie" not in answer.headers
        # Nothing tells them apart.
        assert answer.body == stack.sign_in(KEY).body
    assert stack.counters()["keys_refused"] == before + 2 * len(wrong)
    assert stack.sign_in(good).status == 200


def test_an_apps_key_is_told_what_to_use(stack):
    answer = stack.sign_in(stack.env["CALLMASK_API_KEY"])
    assert answer.problem == (403, "forbidden", "key")
    assert "operator" in answer.json["detail"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("body, problem", (
    (b"", (400, "invalid_json", None)), (b"{", (400, "invalid_json", None)),
    (b"[]", (400, "invalid_json", None)), (b"{}", (422, "invalid_field", "key")),
    (b'{"key":1}', (422, "invalid_field", "key")),
    (b'{"key":""}', (422, "invalid_field", "key")),
    (b'{"key":"' + b"x" * 95 + b'"}', (422, "invalid_field", "key")),
    (b'{"key":"x","more":1}', (422, "invalid_field", "more")),
    (b'{"key":"x","key":"y"}', (400, "invalid_json", "key")),
    (b'{"key":"\\u0000"}', (400, "invalid_json", None)),
    (b'{"key":"' + b"x" * 2000 + b'"}', (413, "too_large", None))), ids=str)
def test_a_body_that_is_none_is_refused(stack, body, problem):
    answer = stack.api("POST", "/admin/sign-in", body, "", OURS)
    assert answer.problem == problem


def test_a_key_is_taken_as_json_only(stack):
    """A form, which any page may send, is not."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = stack.request(
            "POST", "/admin/sign-in", json.dumps({"key": new_key(stack)}),
            {**OURS, "Content-Type": kind})
        assert answer.problem == (415, "unsupported_type", None), kind


# Only for pages of ours.

@pytest.mark.parametrize("site", (
    None, "", "none", "cross-site", "same-site", "SAME-ORIGIN", "same-origin ,x",
    "same-origin, same-origin", "same-originx"))
def test_a_request_of_another_page_is_refused(stack, operator, site):
    headers = {"Cookie": operator.cookie}
    if site is not None:
        headers["Sec-Fetch-Site"] = site
    key = new_key(stack)
    for method, path, document in (
            ("POST", "/admin/sign-in", {"key": key}),
            ("POST", "/admin/sign-out", None),
            ("GET", "/admin/v1/keys/self", None),
            ("GET", "/admin/v1/sessions", None),
            ("POST", "/admin/v1/keys", {"name": "x", "role": "admin"})):
        answer = stack.api(method, path, document, "", headers)
        assert answer.problem == (403, "forbidden", None), path
        assert "Set-Cookie" not in answer.headers
    assert operator.ask("GET", "keys/self").status == 200
    assert not stack.one("SELECT count(*) FROM sign_in WHERE key_id = ?", key_id(key))


def test_no_other_page_may_read_it(stack, operator):
    for headers in ({"Origin": "https://evil.example"},
                    {"Origin": "https://evil.example",
                     "Access-Control-Request-Method": "PATCH"}):
        for method in ("GET", "OPTIONS"):
            answer = operator.ask(method, "service", None, headers)
            assert not [name for name in answer.headers
                        if name.lower().startswith("access-control")]


# How long it lasts.

def test_it_ends_after_15_minutes_without_a_request(stack):
    someone = stack.operator()
    mine = key_id(someone.key)
    stack.bend("UPDATE sign_in SET seen_at = seen_at - 890 WHERE key_id = ?", mine)
    assert someone.ask("GET", "keys/self").status == 200
    # That was a request: they begin anew.
    assert time.time() - stack.one(
        "SELECT seen_at FROM sign_in WHERE key_id = ?", mine) < 60
    stack.bend("UPDATE sign_in SET seen_at = seen_at - 900 WHERE key_id = ?", mine)
    assert someone.ask("GET", "keys/self").problem == (401, "unauthorized", None)


def test_it_ends_after_8_hours(stack):
    someone = stack.operator()
    mine = key_id(someone.key)
    stack.bend("UPDATE sign_in SET ends_at = ? + 30 WHERE key_id = ?",
               int(time.time()), mine)
    assert someone.ask("GET", "keys/self").status == 200
    stack.bend("UPDATE sign_in SET ends_at = ? WHERE key_id = ?",
               int(time.time()), mine)
    assert someone.ask("GET", "keys/self").problem == (401, "unauthorized", None)


def test_it_ends_with_its_key(stack, operator):
    for revoke in (
            lambda one: stack.cli("key", "revoke", one),
            lambda one: operator.ask("POST", f"keys/{one}/revoke")):
        someone = stack.operator()
        assert someone.ask("GET", "keys/self").status == 200
        revoke(key_id(someone.key))
        assert someone.ask("GET", "keys/self").problem == (
            401, "unauthorized", None)
        assert stack.sign_in(someone.key).status == 401


def test_signing_out(stack):
    someone = stack.operator()
    other = client.Operator(stack, someone.key)
    answer = someone.leave()
    assert answer.status == 204 and not answer.body
    [cookie] = answer.headers.get_all("Set-Cookie")
    assert cookie.startswith("__Host-callmask=; ") and "Max-Age=0" in cookie
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert someone.ask("GET", "keys/self").status == 401
    assert other.ask("GET", "keys/self").status == 200
    # Who is not signed in is signed out.
    assert someone.leave().status == 204
    assert stack.api("POST", "/admin/sign-out", None, "", OURS).status == 204
    mine = key_id(someone.key)
    assert [row["action"] for row in rows(stack, key_id=mine)] == [
        "sign in", "sign in", "sign out"]


# The cookie, and nothing else.

def test_a_cookie_is_worth_nothing_elsewhere(stack, operator):
    for path in ("keys/self", "sessions", "audit"):
        answer = stack.api("GET", "/v1/" + path, None, "", {
            **OURS, "Cookie": operator.cookie})
        assert answer.problem == (401, "unauthorized", None)
        token = operator.cookie.split("=")[1]
        assert stack.api("GET", "/v1/" + path, key=token).status == 401


def test_a_key_is_worth_nothing_there(stack):
    for key in (stack.env["CALLMASK_ADMIN_KEY"], stack.env["CALLMASK_API_KEY"],
                new_key(stack)):
        for path in ("keys/self", "sessions", "audit"):
            answer = stack.api("GET", "/admin/v1/" + path, key=key, headers=OURS)
            assert answer.problem == (401, "unauthorized", None)
        answer = stack.api("GET", "/admin/v1/keys/self", None, "", {
            **OURS, "Cookie": f"__Host-callmask={key}"})
        assert answer.status == 401


def test_a_cookie_among_others(stack, operator):
    token = operator.cookie
    for cookie in (token, f"a=b; {token}", f"{token}; a=b", f"a=b;{token};c=d",
                   f"callmask=1; __Host-callmaskx=2; {token}", f"; ;{token};"):
        answer = stack.api("GET", "/admin/v1/keys/self", None, "", {
            **OURS, "Cookie": cookie})
        assert answer.status == 200, cookie


def test_a_cookie_that_is_none(stack, operator):
    token = operator.cookie
    for cookie in (
            "", ";", "=", "__Host-callmask", "__Host-callmask=", token[:-1],
            token + "0", token.upper(), token.replace("__Host-", ""),
            f'{token[:16]}"{token[16:]}"', f"{token}; {token}",
            f"{token}; __Host-callmask=x", f"__Host-callmask=; {token}",
            token.replace("=", " = "), "__Host-callmask=" + "%00" * 64,
            "x=" + token, "__Host-callmask=" + "0" * 4000):
        answer = stack.api("GET", "/admin/v1/keys/self", None, "", {
            **OURS, "Cookie": cookie})
        assert answer.problem == (401, "unauthorized", None), cookie
    assert operator.ask("GET", "keys/self").status == 200


def raw_get(stack, path, *lines):
    """The answer to a GET with these header lines."""
    head = "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost",
                        "Connection: close", *lines, "", ""))
    return stack.raw(head.encode("latin-1"))


def test_two_lines_with_a_cookie(stack, operator):
    line = f"Cookie: {operator.cookie}"
    path = "/admin/v1/keys/self"
    ours = "Sec-Fetch-Site: same-origin"
    assert raw_get(stack, path, ours, line).status == 200
    assert raw_get(stack, path, ours, line, line).status == 401
    assert raw_get(stack, path, ours, line, "Cookie: __Host-callmask=").status == 401
    assert raw_get(stack, path, ours, ours, line).status == 403
    assert raw_get(stack, path, ours, "Sec-Fetch-Site: cross-site",
                   line).status == 403


def test_a_cookie_of_100_kb(stack):
    answer = raw_get(stack, "/admin/v1/keys/self", "Sec-Fetch-Site: same-origin",
                     "Cookie: " + "__Host-callmask=0; " * 5300)
    assert answer.status in (400, 414, 431)
    long = "Cookie: " + ";" * 7000 + "__Host-callmask=" + "0" * 64
    answer = raw_get(stack, "/admin/v1/keys/self", "Sec-Fetch-Site: same-origin",
                     long)
    assert answer.status == 401


# Who may do what.

def operations():
    """Every operation of the description below /v1/, and whether it changes
    something."""
    document = json.loads(description.FILE.read_text(encoding="utf-8"))
    # POST for the sake of the body alone.
    looks = {"explainRouteOf", "previewService", "searchSessions"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "parameters" or not path.startswith("/v1/"):
                continue
            changes = method != "get" and operation["operationId"] not in looks
            yield method.upper(), path, operation, changes


ALL = list(operations())
NAMES = [f"{method} {path}" for method, path, *_ in ALL]


def a_body(operation):
    """The example body of an operation."""
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("example")


def fill_in(path, session):
    """A path with the id of something there is, or could be."""
    if path.startswith("/v1/sessions/"):
        return path.replace("{id}", session["id"])
    return re.sub(r"\{\w+\}", "12025550110", path)


@pytest.fixture(name="session", scope="module")
def fixture_session(stack):
    """A session to look at."""
    return stack.open(*stack.persons(2))


@pytest.mark.parametrize("method, path, operation, changes", ALL, ids=NAMES)
def test_a_viewer_changes_nothing(stack, viewer, session, method, path, operation,
                                  changes):
    if path == "/v1/events":
        pytest.skip("has no cookie's door")
    stack.calm()
    before = stack.tables()
    answer = viewer.ask(method, fill_in(path, session).removeprefix("/v1/"),
                        a_body(operation))
    if changes:
        assert answer.problem == (403, "forbidden", None)
        assert answer.json["detail"] == "a viewer may only look"
    else:
        assert answer.status in (200, 404, 422), answer
        if not re.search(r"\{", path) and method == "GET" and path != "/v1/routes":
            assert answer.status == 200
    after = stack.tables()
    # A look goes into the audit log, and that they are there is written down.
    for table in ("audit", "sign_in") if not changes else ("sign_in",):
        del before[table], after[table]
    assert after == before


@pytest.mark.parametrize("role", ("operator", "viewer"))
@pytest.mark.parametrize("method, path, operation, changes", ALL, ids=NAMES)
def test_the_keys_of_people_are_no_keys_of_the_api(
        stack, operator, viewer, session, method, path, operation, changes, role):
    key = {"operator": operator, "viewer": viewer}[role].key
    answer = stack.api(method, fill_in(path, session), a_body(operation), key)
    assert answer.problem == (403, "forbidden", None), changes
    assert "panel" in answer.json["detail"]


def test_an_apps_key_opens_no_more_than_the_app_needs(stack, session):
    mine = {"/v1/keys/self", "/v1/events", "/v1/sessions", "/v1/sessions/{id}",
            "/v1/sessions/{id}/close", "/v1/sessions/{id}/calls",
            "/v1/sessions/{id}/intents", "/v1/sessions/{id}/messages",
            "/v1/calls/{id}", "/v1/messages/{id}", "/v1/recordings/{id}"}
    tried = 0
    for method, path, operation, _ in ALL:
        if path in mine:
            continue
        answer = stack.api(method, fill_in(path, session), a_body(operation))
        assert answer.problem == (403, "forbidden", None), path
        assert answer.json["detail"] == "takes an admin key"
        tried += 1
    assert tried >= 9


def test_the_feed_has_no_such_door(stack, operator):
    """It would pin processes for browsers."""
    answer = raw_get(stack, "/admin/v1/events", "Sec-Fetch-Site: same-origin",
                     f"Cookie: {operator.cookie}")
    assert answer.problem == (404, "not_found", None)


# The audit log.

def test_signing_in_and_out_is_noted(stack):
    someone = stack.operator()
    someone.leave()
    began, ended = rows(stack, key_id=key_id(someone.key))
    assert (began["action"], ended["action"]) == ("sign in", "sign out")
    assert began["name"] == "Zoë" and began["subject"] == began["detail"] == ""
    assert re.fullmatch("[0-9a-f]{32}", began["request_id"])


def test_a_change_is_noted_once(stack):
    someone = stack.operator()
    mine = key_id(someone.key)
    people = stack.persons(2)
    wish = {"parties": [{"role": "customer", "phone": people[0]},
                        {"role": "driver", "phone": people[1]}]}
    again = {"Idempotency-Key": secrets.token_hex(8)}
    first = someone.ask("POST", "sessions", wish, again)
    assert first.status == 201
    replayed = someone.ask("POST", "sessions", wish, again)
    assert replayed.body == first.body
    assert replayed.headers["Idempotent-Replayed"] == "true"
    identity = first.json["id"]
    steps = (("PATCH", f"sessions/{identity}", {"ttl": 600}),
             ("POST", f"sessions/{identity}/messages", {"text": "hello"}),
             ("POST", f"sessions/{identity}/close", None))
    for method, path, document in steps:
        again = {"Idempotency-Key": secrets.token_hex(8)}
        for _ in range(3):
            assert someone.ask(method, path, document, again).status < 300
    said = [(row["action"], row["subject"]) for row in rows(stack, key_id=mine)]
    assert said == [
        ("sign in", ""), ("POST /v1/sessions", identity),
        ("PATCH /v1/sessions/{id}", identity),
        ("POST /v1/sessions/{id}/messages", identity),
        ("POST /v1/sessions/{id}/close", identity)]
    assert {row["name"] for row in rows(stack, key_id=mine)} == {"Zoë"}


@pytest.mark.parametrize("method, path, operation", [
    (method, path, operation) for method, path, operation, changes in ALL
    if changes], ids=[name for name, one in zip(NAMES, ALL) if one[3]])
def test_every_change_is_noted(stack, operator, method, path, operation):
    """Whatever there is, now and later: once if it was made, not if it was
    refused or had been made before."""
    session = stack.open(*stack.persons(2))
    action = f"{method} " + re.sub(r"\{\w+\}", "{id}", path)
    if path.startswith("/v1/keys/{id}"):
        path = path.replace("{id}", key_id(new_key(stack)))
    began = stack.one("SELECT max(seq) FROM audit WHERE key_id = ?",
                      operator.self["id"])
    again = {"Idempotency-Key": secrets.token_hex(8)}
    answers = [operator.ask(method, fill_in(path, session).removeprefix("/v1/"),
                            a_body(operation), again) for _ in range(2)]
    made = [answer for answer in answers if answer.status < 300
            and answer.headers["Idempotent-Replayed"] is None]
    found = [row for row in rows(stack, key_id=operator.self["id"])
             if row["seq"] > began]
    assert [row["action"] for row in found] == [action] * len(made)
    for row, answer in zip(found, made):
        assert row["name"] == "Zoë"
        # What is done to many at once names none.
        assert row["subject"] or not ("{" in action or answer.status == 201)
    if path.startswith("/v1/sessions") and method == "PATCH":
        assert made
    # The settings are those of the shared stack: as they were.
    if path == "/v1/service":
        stack.cli("service", "set", "hold=2592000", "language=en")


def test_a_refusal_is_no_change(stack):
    someone = stack.operator()
    for method, path, document in (
            ("POST", "sessions", {"parties": []}), ("POST", "keys", {"name": "x"}),
            ("PATCH", "service", {"settings": {"hold": -1}}),
            ("POST", "sessions/ses_x/close", None),
            ("POST", f"keys/{key_id(someone.key)}/revoke", None)):
        assert someone.ask(method, path, document).status >= 400
    assert len(rows(stack, key_id=key_id(someone.key))) == 1


def test_what_an_app_does_is_not_in_it(stack):
    before = len(rows(stack))
    session = stack.open(*stack.persons(2))
    stack.get(session)
    stack.close(session)
    assert len(rows(stack)) == before


def test_an_admins_key_is_in_it(stack):
    key = stack.env["CALLMASK_ADMIN_KEY"]
    session = stack.open(*stack.persons(2))
    stack.close(session, key=key)
    [row] = rows(stack, key_id=key_id(key), subject=session["id"])
    assert row["action"] == "POST /v1/sessions/{id}/close"


def test_a_look_is_noted_once(stack):
    someone = stack.operator("viewer", "Vera")
    session = stack.open(*stack.persons(2))
    other = stack.open(*stack.persons(2))
    for _ in range(3):
        assert someone.ask("GET", f"sessions/{session['id']}").status == 200
    assert someone.ask("HEAD", f"sessions/{session['id']}").status == 200
    someone.ask("GET", f"sessions/{other['id']}")
    someone.ask("GET", "sessions/ses_01m821vx6j3y7mycw7bw9vqs6s")
    looks = rows(stack, key_id=key_id(someone.key), action="GET /v1/sessions/{id}")
    assert [row["subject"] for row in looks] == [session["id"], other["id"]]
    assert rows(stack, key_id=key_id(someone.key))[0]["name"] == "Vera"


def test_every_resource_that_tells_of_people_is_a_look(stack):
    someone = stack.operator("viewer")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.voice(customer, masked(session))
    [call] = stack.get(session)["calls"]
    text, _ = stack.api("POST", f"/v1/sessions/{session['id']}/messages",
                        {"text": "hello"}).json["messages"]
    for path in ("sessions", f"calls/{call['id']}", f"messages/{text['id']}"):
        assert someone.ask("GET", path).status == 200
    assert [(row["action"], row["subject"])
            for row in rows(stack, key_id=key_id(someone.key))
            if not row["action"].startswith("sign")] == [
                ("GET /v1/sessions", ""), ("GET /v1/calls/{id}", call["id"]),
                ("GET /v1/messages/{id}", text["id"])]


def test_each_question_about_a_call_is_a_look(stack):
    someone = stack.operator()
    people = stack.persons(3)
    number = masked(stack.open(people[0], people[1]))
    for caller in (*people, *people):
        answer = someone.ask("POST", "routes", {"from": caller, "to": number})
        assert answer.status == 200
    looks = rows(stack, key_id=key_id(someone.key), action="POST /v1/routes")
    assert len(looks) == 3              # one for each who would call
    assert not set(re.findall(r"\+\d{8,}", json.dumps(looks))) - {number}


@contextlib.contextmanager
def nobody_writes(stack):
    """The lock that writers take is held."""
    with open(stack.folder / "callmask.db-lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_what_cannot_be_noted_is_not_shown(stack):
    someone = stack.operator()
    session = stack.open(*stack.persons(2))
    seen = stack.open(*stack.persons(2))
    assert someone.ask("GET", f"sessions/{seen['id']}").status == 200
    with nobody_writes(stack):
        answer = someone.ask("GET", f"sessions/{session['id']}")
        assert answer.problem == (503, "busy", None)
        assert session["parties"][0]["code"] not in answer.body.decode()
        # What was noted a moment ago is shown.
        assert someone.ask("GET", f"sessions/{seen['id']}").status == 200
        assert someone.ask("GET", "keys/self").status == 200
    assert someone.ask("GET", f"sessions/{session['id']}").status == 200


def test_that_somebody_is_there_may_go_unnoted(stack):
    """A lock that is held signs nobody out."""
    someone = stack.operator()
    stack.bend("UPDATE sign_in SET seen_at = seen_at - 100 WHERE key_id = ?",
               key_id(someone.key))
    with nobody_writes(stack):
        began = time.time()
        assert someone.ask("GET", "keys/self").status == 200
        assert time.time() - began < 1


def test_a_race_leaves_one_row_each(stack):
    someone = stack.operator()
    session = stack.open(*stack.persons(2))
    again = {"Idempotency-Key": secrets.token_hex(8)}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(
            someone.ask, "PATCH", f"sessions/{session['id']}", {"ttl": 900}, again)
                   for _ in range(16)]
        assert {one.result().status for one in answers} == {200}
    assert len(rows(stack, key_id=key_id(someone.key),
                    action="PATCH /v1/sessions/{id}")) == 1
    assert stack.cli("audit", "verify").returncode == 0


# nginx.

def test_the_page_and_its_headers(stack):
    for path, kind in (("/admin/", "text/html"), ("/admin/index.html", "text/html"),
                       ("/admin/admin.js", "text/javascript"),
                       ("/admin/admin.css", "text/css"),
                       ("/admin/icon.svg", "image/svg+xml"),
                       ("/admin/vendor/preact-htm.js", "text/javascript")):
        answer = stack.request("GET", path)
        assert answer.status == 200 and answer.type.split(";")[0] == kind, path
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; "
            "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Set-Cookie" not in answer.headers
    answer = stack.request("GET", "/admin")
    assert answer.status == 301
    assert answer.headers["Location"].endswith("/admin/")


@pytest.mark.parametrize("path", (
    "/admin/vendor/", "/admin/vendor", "/admin/nothing", "/admin/.git",
    "/admin/../callmask.conf", "/admin/%2e%2e/callmask.conf", "/admin/..%2fv1/",
    "/admin/admin.js/", "/admin//..//..//etc/passwd", "/admin/v1", "/admin/v1/",
    "/admin/v2/sessions", "/admin/admin/v1/sessions", "/admin/v1/../v1/keys/self",
    "/admin/../v1/sessions", "/admin/v1/%2e%2e/%2e%2e/v1/sessions",
    "/admin/x/../v1/keys/self", "/admin/%761/keys/self", "//admin/v1/keys/self",
    "/admin/./v1/keys/self", "/admin/v1/keys/self/", "/admin/v1//keys/self",
    "/admin/v1/admin/sign-in", "/admin/sign-in/", "/admin/sign-inx",
    "/admin/sign-", "/v1/../admin/v1/keys/self", "/Admin/v1/keys/self",
    "/admin/twilio/voice", "/admin/v1/openapi.json", "/admin/metrics"))
@pytest.mark.parametrize("method", ("GET", "POST"))
def test_paths_that_are_none(stack, operator, path, method):
    head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Sec-Fetch-Site: same-origin\r\nCookie: {operator.cookie}\r\n"
            f"Authorization: Bearer {stack.env['CALLMASK_ADMIN_KEY']}\r\n"
            "Content-Length: 0\r\n\r\n")
    answer = stack.raw(head.encode())
    assert answer.status in (301, 400, 404, 405), answer
    assert b"nginx/" not in answer.body and b"root:" not in answer.body
    if answer.status == 301:
        assert path == "/admin/vendor"


def test_files_are_only_read(stack):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = stack.request(method, "/admin/admin.js", b"{}")
        assert answer.problem == (405, "method_not_allowed", None)


def test_signing_in_is_limited(new_stack):
    stack = new_stack(API_RATE="")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stack.sign_in(KEY), range(40)))
    told = [answer.status for answer in answers]
    assert set(told) == {401, 429} and 15 <= told.count(401) <= 25
    refused = answers[told.index(429)]
    assert refused.problem == (429, "rate_limited", None)
    assert refused.headers["Retry-After"] == "1"
    # The rest of the API, and of the panel, is as free as before.
    assert stack.api("GET", "/v1/sessions").status == 200
    assert stack.api("GET", "/admin/v1/keys/self", None, "", OURS).status == 401
    time.sleep(1.5)
    assert stack.sign_in(KEY).status == 401


# Nothing is left lying about.

def test_secrets_are_in_no_file(new_stack):
    stack = new_stack()
    someone = stack.operator()
    made = someone.ask("POST", "keys", {"name": "app", "role": "app"},
                       {"Idempotency-Key": "once"}).json["key"]
    fresh = someone.ask("PATCH", "service", {
        "settings": {"webhook-url": stack.url + "/nobody"}}).json["webhook_secret"]
    stack.sign_in(KEY)
    stack.api("GET", "/admin/v1/keys/self", None, "", {
        **OURS, "Cookie": "__Host-callmask=" + "ab" * 32})
    caller, callee = stack.persons(2)
    number = masked(stack.open(caller, callee))
    someone.ask("POST", "routes", {"from": caller, "to": number})
    someone.ask("GET", "routes?" + "to=%2B" + number[1:])
    words = [someone.key.split("_")[2], someone.cookie.split("=")[1], made,
             made.split("_")[2], fresh, fresh.removeprefix("whsec_"),
             KEY.split("_")[2], "ab" * 32, caller, caller[2:], callee[2:]]
    for path in sorted(stack.folder.rglob("*")):
        if path.is_file() and path.name not in ("sandbox.log", "stack.out", "env"):
            data = path.read_bytes()
            for word in words:
                assert word.encode() not in data, (path, word)
    assert stack.one("SELECT count(*) FROM idempotency WHERE key = 'once'") == 0
    # The access log names the path, and no id in it.
    assert '"path":"/admin/v1/keys"' in stack.logs()
    assert '"path":"/admin/sign-in"' in stack.logs()


def test_a_real_number_is_in_no_row(stack, operator):
    caller, callee, stranger = stack.persons(3)
    opened = stack.open(caller, callee)
    for path, body in (
            ("sessions/search", {"text": caller}),
            ("routes", {"from": caller, "to": masked(opened)})):
        answer = operator.ask("POST", path, body)
        assert answer.status == 200, answer
    answer = operator.ask("PATCH", f"sessions/{opened['id']}", {
        "parties": [{"role": "driver", "phone": stranger}]})
    assert answer.status == 200, answer
    text = json.dumps(stack.rows("SELECT * FROM audit"), default=repr)
    for action in ("sign in", "POST /v1/sessions/search", "POST /v1/routes",
                   "PATCH /v1/sessions/{id}"):
        assert f'"{action}"' in text
    for number in stack.people:
        assert number[1:] not in text and number[2:] not in text


def test_who_is_not_signed_in_learns_nothing(stack):
    """Also about what there is: whatever the path, the same words."""
    session = stack.open(*stack.persons(2))
    known = stack.api("GET", f"/admin/v1/sessions/{session['id']}", None, "", OURS)
    unknown = stack.api("GET", "/admin/v1/sessions/ses_x", None, "", OURS)
    assert known.problem == (401, "unauthorized", None)
    assert known.body == unknown.body
