"""Requests that are wrong in themselves. They are refused by the right words;
nothing changes, and nothing that was sent comes back in an answer."""

import json
import urllib.parse

import pytest

pytestmark = [pytest.mark.sanitized, pytest.mark.usefixtures("unchanged")]

CANARY = "c4n4ry5a5a0b8d2f91"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTIES = [{"role": "customer", "phone": "+12025550150"},
           {"role": "driver", "phone": "+12025550151"}]
ALLOWED = {
    "/twilio/voice": {"POST"}, "/twilio/voice/ended": {"POST"},
    "/twilio/status": {"POST"}, "/v1/sessions": {"GET", "HEAD", "POST"},
    "/v1/sessions/ses_x": {"GET", "HEAD", "PATCH"},
    "/v1/sessions/ses_x/close": {"POST"}, "/v1/sessions/ses_x/intents": {"POST"},
    "/twilio/voice/code": {"POST"}, "/twilio/voice/screened": {"POST"},
    "/v1/routes": {"GET", "HEAD", "POST"},
}


def refused(answer, *problem):
    """The answer is this problem, and repeats nothing."""
    assert answer.problem == problem
    assert CANARY.encode() not in answer.body + str(answer.headers).encode()


# Method, type, size.

@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("method", ("GET", "HEAD", "POST", "PUT", "PATCH",
                                    "DELETE", "OPTIONS", "BREW", "GETPOST"))
def test_a_wrong_method_is_told_the_right_ones(stack, method, path):
    if method in ALLOWED[path]:
        return
    answer = stack.api(method, path)
    assert answer.status == 405
    assert answer.headers["Allow"] == ", ".join(sorted(ALLOWED[path]))
    if method != "HEAD":
        refused(answer, 405, "method_not_allowed", None)


@pytest.mark.parametrize("kind", (
    "text/plain", FORM, "application/jsonx", "application/jso", "*/*", CANARY,
    "multipart/form-data; boundary=x", "application/problem+json", "", ";"))
def test_a_type_the_api_does_not_read(stack, kind):
    body = json.dumps({"parties": PARTIES}).encode()
    for path in ("/v1/sessions", "/v1/sessions/ses_x/close"):
        refused(stack.api("POST", path, body, headers={"Content-Type": kind}),
                415, "unsupported_type", None)


@pytest.mark.parametrize("kind", ("text/plain", JSON, CANARY, FORM + "x", "",
                                  "multipart/form-data; boundary=x"))
@pytest.mark.parametrize("path", list(ALLOWED)[:3])
def test_a_type_the_webhooks_do_not_read(stack, path, kind):
    fields = stack.voice_fields("+12025550150", stack.numbers[0])
    refused(stack.webhook(path, fields, headers={"Content-Type": kind}),
            415, "unsupported_type", None)


def test_a_body_one_byte_too_large(stack):
    """The program's own limits, then nginx's."""
    body = json.dumps({"surprise": 1}).encode()
    for path, limit in (("/v1/sessions", 16384),
                        ("/v1/sessions/ses_x/close", 4096)):
        refused(stack.api("POST", path, body.ljust(limit)),
                422, "invalid_field", "surprise")
        for size in (limit + 1, 65536, 65537, 200_000):
            refused(stack.api("POST", path, body.ljust(size)),
                    413, "too_large", None)
    assert stack.api("GET", "/v1/sessions", b"x").status == 413


@pytest.mark.parametrize("path", list(ALLOWED)[:3])
def test_a_webhook_too_large(stack, path):
    fields = {"CallSid": "CA", "Filler": ""}
    room = 65536 - len(urllib.parse.urlencode(fields))
    fields["Filler"] = "x" * room
    assert stack.webhook(path, fields).status == 422
    fields["Filler"] += "x"
    refused(stack.webhook(path, fields), 413, "too_large", None)


# JSON.

DEEP = b'{"parties":' + b"[" * 5000 + b"]" * 5000 + b"}"
WELL = json.dumps({"parties": PARTIES}).encode()


@pytest.mark.parametrize("body", (
    b"", b" ", b"{", b"}", b"nul", b"null", b"[]", b"1", b'"x"', b"{}{}",
    WELL + b"x", WELL[:-1], b"\xef\xbb\xbf" + WELL, b"{'a':1}", b"{a:1}",
    b'{"ttl":1,}', b'{"ttl":01}', b'{"ttl":NaN}', b'{"ttl":1e999}',
    b'{"ttl":123456789012345678901}', b'{"ttl":1/**/}', DEEP,
    b'{"reference":"\\u0000"}', b'{"reference":"\x00"}',
    b'{"reference":"\\ud800"}', b'{"reference":"a\nb"}', b"\x00" * 100,
    WELL.decode().encode("utf-16")))
def test_what_is_not_json(stack, body):
    refused(stack.api("POST", "/v1/sessions", body), 400, "invalid_json", None)


@pytest.mark.parametrize("bad", (
    b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80",
    b"\x80", b"\xc3"))
def test_bad_utf8(stack, bad):
    for body in (b'{"reference":"%b"}', b'{"%b":1}',
                 b'{"parties":[{"role":"%b"}]}'):
        refused(stack.api("POST", "/v1/sessions", body % bad),
                400, "invalid_json", None)


@pytest.mark.parametrize("body, field", (
    (b'{"ttl":60,"ttl":7200}', "ttl"),
    (b'{"ttl":60,"parties":[],"ttl":60}', "ttl"),
    (b'{"parties":[{"role":"a","phone":"+12025550150","phone":"+12025550151"}]}',
     "phone"),
    (b'{"t\\u0074l":60,"ttl":60}', "ttl"),
    (f'{{"{CANARY}":1,"{CANARY}":2}}'.encode(), None)))
def test_a_key_that_is_there_twice(stack, body, field):
    refused(stack.api("POST", "/v1/sessions", body), 400, "invalid_json", field)


def parties(**changed):
    return {"parties": [{**PARTIES[0], **changed}, PARTIES[1]]}


@pytest.mark.parametrize("wish, field", (
    ({"surprise": 1}, "surprise"), ({"Ttl": 60}, "Ttl"),
    ({CANARY: 1}, "?"), ({"+12025550153": 1}, "?"), ({"": 1}, None),
    ({"x" * 10000: 1}, "x" * 40), (parties(name="x"), "parties[0].name"),
    (parties(**{CANARY: 1}), "parties[0].?"), ({}, "parties"),
    ({"parties": None}, "parties"), ({"parties": {}}, "parties"),
    ({"parties": []}, "parties"), ({"parties": PARTIES[:1]}, "parties"),
    ({"parties": PARTIES + PARTIES}, "parties"), ({"parties": CANARY}, "parties"),
    ({"parties": [CANARY, PARTIES[1]]}, "parties[0]"),
    ({"parties": [PARTIES[0], None]}, "parties[1]"),
    (parties(phone=12025550150), "parties[0].phone"),
    (parties(phone=None), "parties[0].phone"),
    (parties(phone=[PARTIES[0]["phone"]]), "parties[0].phone"),
    (parties(phone=CANARY), "parties[0].phone"),
    (parties(phone=CANARY * 500), "parties[0].phone"),
    (parties(role=CANARY.upper()), "parties[0].role"),
    (parties(role=PARTIES[1]["role"]), "parties[1].role"),
    ({"ttl": CANARY}, "ttl"), ({"reference": 7}, "reference"),
    ({"reference": CANARY * 9}, "reference"),
    ({"reference": CANARY + "\n"}, "reference"),
    ({"country": CANARY}, "country")), ids=str)
def test_a_wrong_field_is_named_and_not_repeated(stack, wish, field):
    wish = {"parties": PARTIES, **wish} if wish else wish
    refused(stack.api("POST", "/v1/sessions", wish), 422, "invalid_field", field)


def test_closing_wants_nothing_in_its_body(stack):
    path = "/v1/sessions/ses_x/close"
    for body, *problem in (
            (b"[]", 400, "invalid_json", None), (b"x", 400, "invalid_json", None),
            (b'{"reason":1}', 422, "invalid_field", "reason"),
            (b"{}", 404, "not_found", None), (b"", 404, "not_found", None)):
        refused(stack.api("POST", path, body), *problem)
