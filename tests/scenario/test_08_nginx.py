"""What nginx adds: TLS, one way to each program, limits, a log without personal
data. And two installations on one machine that know nothing of each other."""

import concurrent.futures
import json
import re
import secrets
import socket
import ssl
import time

import pytest

from client import masked, new_sid


def first_line(stack, data):
    """The first line of the answer to some bytes."""
    with stack.line() as line:
        line.sendall(data)
        return line.makefile("rb").readline()


@pytest.mark.parametrize("path, method, start", (
    ("/v1/sessions", "GET", b"HTTP/1.1 200 OK\r\n"),
    ("/v1/sessions", "PUT", b"HTTP/1.1 405 "), ("/v1/nothing", "GET", b"HTTP/1.1 404 "),
    ("/v1/sessions/x", "GET", b"HTTP/1.1 404 "), ("/twilio/voice", "POST", b"HTTP/1.1 415 ")))
def test_the_status_line_is_whole(stack, path, method, start):
    """RFC 9112: code, blank, reason."""
    data = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            f"{stack.env['CALLMASK_API_KEY']}\r\n\r\n")
    answer = first_line(stack, data.encode())
    assert answer.startswith(start)
    assert re.fullmatch(rb"HTTP/1\.1 [0-9]{3} [ -~]+\r\n", answer)


@pytest.mark.parametrize("path", (
    "/v1", "/v1/", "/v1/session", "/v1/sessions/", "/v1/sessions/a/b",
    "/v1/sessions/x/close/", "/v1/sessions/x/closed", "/v1/SESSIONS",
    "//v1/sessions", "/v1//sessions", "/v1/./sessions", "/v1/../v1/sessions",
    "/v1/%73essions", "/v1/sessions%00", "/v1/sessions;x", "/v1/sessions.html",
    "/twilio", "/twilio/", "/twilio/voice/", "/twilio/voices",
    "/twilio/%76oice", "/twilio/voice/ended/", "/twilio/voice/ended/x",
    "/twilio/status/", "/twilio/x/../voice", "/v1/" + "x" * 5000))
def test_any_other_path_is_not_found(stack, path):
    fields = stack.voice_fields(*stack.persons(2))
    before = stack.tables()
    for answer in (stack.api("GET", path), stack.api("POST", path, {}),
                   stack.webhook(path, fields),
                   stack.webhook(path, fields, stack.sign("/twilio/voice", fields))):
        if answer.status == 400 and "%00" in path:
            continue
        assert answer.problem == (404, "not_found", None)
    assert stack.tables() == before


def test_every_answer_says_how_it_may_be_used(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    fields = stack.voice_fields(customer, masked(session))
    for answer in (stack.api("GET", "/v1/sessions"), stack.api("PUT", "/v1/sessions"),
                   stack.api("GET", "/v1/sessions", key="x"),
                   stack.webhook("/twilio/voice", fields),
                   stack.webhook("/twilio/voice", fields, "")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "nginx"
        assert int(answer.headers["Content-Length"]) == len(answer.body)


@pytest.mark.filterwarnings("ignore:.*TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize("version, welcome", (
    (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_3, True)), ids=lambda value: str(value))
def test_tls_is_new_enough(stack, version, welcome):
    context = ssl.create_default_context(cafile=stack.env["CALLMASK_CA"])
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", stack.port)) as raw:
        try:
            with context.wrap_socket(raw, server_hostname="localhost") as line:
                line.sendall(b"GET /v1/sessions HTTP/1.0\r\n\r\n")
                assert b" 401 " in line.recv(1000) and welcome
        except ssl.SSLError:
            assert not welcome


def test_there_is_no_http_without_tls(stack):
    with socket.create_connection(("127.0.0.1", stack.port)) as line:
        line.sendall(b"GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("family, host", ((socket.AF_INET, "127.0.0.1"),
                                          (socket.AF_INET6, "::1")))
def test_it_listens_on_loopback_only(stack, family, host):
    with open("/proc/net/" + ("tcp" if family == socket.AF_INET else "tcp6"),
              encoding="ascii") as table:
        here = [line.split()[1] for line in table
                if line.split()[1].endswith(f":{stack.port:04X}")
                and line.split()[3] == "0A"]
    want = {"127.0.0.1": "0100007F", "::1": "00000000000000000000000001000000"}
    assert {place.split(":")[0] for place in here} <= {want[host]}


def test_a_chunked_body_and_one_that_waits_to_be_asked_for(stack):
    for framing in ("Transfer-Encoding: chunked", "Expect: 100-continue"):
        wish = {"ttl": 60, "parties": [{"role": "a", "phone": stack.person()},
                                       {"role": "b", "phone": stack.person()}]}
        body = json.dumps(wish).encode()
        data = stack.post_bytes(body)
        head, _, body = data.partition(b"\r\n\r\n")
        if "chunked" in framing:
            head = re.sub(rb"\r\nContent-Length: \d+", b"", head)
            body = b"7\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (
                body[:7], len(body) - 7, body[7:])
        with stack.line() as line:
            line.sendall(head + b"\r\n" + framing.encode() + b"\r\n\r\n")
            time.sleep(0.05)
            line.sendall(body)
            seen = b""
            while b'"expires_at"' not in seen:
                piece = line.recv(65536)
                assert piece, seen
                seen += piece
        assert b"HTTP/1.1 201 Created\r\n" in seen


def test_requests_one_after_the_other_on_one_line(stack):
    request = stack.post_bytes(b"{}").replace(b"Connection: close\r\n", b"")
    with stack.line() as line:
        line.sendall(request * 20 + stack.post_bytes(b"{}"))
        data = b""
        while piece := line.recv(65536):
            data += piece
    assert data.count(b"HTTP/1.1 422 ") == 21


def test_a_long_list_arrives_whole(stack):
    key = stack.new_service("long", numbers=["+12025550135"])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = [answer.json["id"] for answer in pool.map(
            lambda _: stack.create(*stack.persons(2), key=key,
                                   reference=secrets.token_hex(64)), range(200))]
    answer = stack.api("GET", "/v1/sessions?limit=200", key=key)
    assert len(answer.body) > 100_000
    assert [session["id"] for session in answer.json["sessions"]] \
        == sorted(made, reverse=True)


def test_the_access_log_has_no_personal_data(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.api("GET", f"/v1/sessions?reference={customer[1:]}")
    stack.api("GET", f"/v1/sessions/{driver[1:]}")
    stack.api("GET", f"/v1/sessions/{session['id']}")
    stack.webhook(f"/twilio/voice?From={customer[1:]}",
                  stack.voice_fields(customer, masked(session)))
    log = stack.read("log/callmask.log")
    for told in (customer[1:], driver[1:], session["id"], "127.0.0.1", "?",
                 stack.env["CALLMASK_API_KEY"][:20]):
        assert told not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {tuple(line) for line in lines} == {(
        "time", "request_id", "method", "path", "program", "status", "bytes",
        "seconds", "tries", "program_seconds")}
    for line in lines:
        assert re.fullmatch("((/admin)?/(twilio|v1|admin)/[a-z-]*)?",
                            line["path"])


def test_the_api_is_limited_and_twilio_is_not(new_stack):
    stack = new_stack(API_RATE="1")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda _: stack.api("GET", "/v1/sessions/x"), range(480)))
        calls = list(pool.map(
            lambda _: stack.voice(customer, masked(session)).rings, range(200)))
    refused = [answer for answer in answers if answer.status == 429]
    # Some 400 are taken, less what the start of the stack asked for.
    assert 50 < len(refused) < 130
    for answer in refused:
        assert answer.problem == (429, "rate_limited", None)
        assert answer.headers["Retry-After"] == "1"
    assert calls == [driver] * 200


def test_two_stacks_side_by_side(new_stack):
    """The same people, the same masked numbers, and nothing in common."""
    one, two = new_stack(), new_stack()
    customer, driver = one.persons(2)
    mine, theirs = one.open(customer, driver), two.open(customer, driver)
    one.close(mine)
    assert one.dial(customer, masked(mine))["rang"] == []
    assert two.dial(customer, masked(theirs))["rang"][0]["phone"] == driver
    assert two.api("GET", "/v1/sessions",
                   key=one.env["CALLMASK_API_KEY"]).status == 401
    fields = one.voice_fields(customer, masked(theirs), new_sid())
    good = two.sign("/twilio/voice", fields)
    assert one.webhook("/twilio/voice", fields, good).status == 403
    assert two.webhook("/twilio/voice", fields, good).status == 200
    one.script("down")
    assert two.dial(driver, masked(theirs))["connected"]
    one.script("up")                   # the data stayed
    assert one.get(mine)["status"] == "closed"
