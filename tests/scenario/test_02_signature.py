"""Whoever cannot sign as Twilio does changes nothing and learns nothing. The
signatures are made by Twilio's own SDK for Python."""

import random
import secrets
import urllib.parse

import pytest

from client import masked

pytestmark = pytest.mark.sanitized

PATHS = ("/twilio/voice", "/twilio/voice/ended", "/twilio/status")
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def call(stack):
    """Fields of a call that would be connected, were it signed."""
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    return {**stack.voice_fields(customer, masked(session)),
            "DialCallStatus": "busy", "SequenceNumber": "0", "Blank": "",
            "Note": "a b+c&d=e%f ü\t\r\n"}


@pytest.fixture
def refused(stack):
    """Checks that what a test sent was refused: 403, the same words for every
    reason, and not a row changed anywhere."""
    before, counted = stack.tables(), stack.counters()["webhooks_forged"]
    answers = []

    def note(answer):
        answers.append(answer)
        assert answer.problem == (403, "signature_invalid", None)
        assert answer.json == {"type": "about:blank", "title": "Forbidden",
                               "status": 403, "code": "signature_invalid"}

    yield note
    assert answers
    assert stack.tables() == before
    assert stack.counters()["webhooks_forged"] == counted + len(answers)


def changed(fields, **changes):
    return {**fields, **changes}


@pytest.mark.parametrize("path", PATHS)
def test_no_signature(stack, call, refused, path):
    refused(stack.webhook(path, call, signature=""))


@pytest.mark.parametrize("spoil", (
    lambda good: "A" * 27 + "=", lambda good: good[:-1], lambda good: good[:14],
    lambda good: good + "=", lambda good: good + " x", lambda good: good.lower(),
    lambda good: good.swapcase(), lambda good: good[1:] + good[0],
    lambda good: good.replace("=", ""), lambda good: "=", lambda good: "é" * 28,
    lambda good: "A" * 5000), ids=(
        "forged", "one short", "half", "one long", "with a tail", "lower case",
        "swapped case", "rotated", "unpadded", "padding alone", "not ASCII",
        "5000 long"))
@pytest.mark.parametrize("path", PATHS)
def test_a_spoilt_signature(stack, call, refused, path, spoil):
    good = stack.sign(path, call)
    refused(stack.webhook(path, call, spoil(good).encode("latin-1")))


def test_every_other_signature_in_a_row(stack, call, refused):
    good = stack.sign("/twilio/voice", call)
    for place in range(len(good) - 1):
        other = "A" if good[place] != "A" else "B"
        refused(stack.webhook("/twilio/voice", call,
                              good[:place] + other + good[place + 1:]))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("order", ("good bad", "bad good", "good good"))
def test_two_signatures(stack, call, refused, path, order):
    values = {"good": stack.sign(path, call), "bad": "A" * 27 + "="}
    body = urllib.parse.urlencode(call)
    lines = "".join(f"X-Twilio-Signature: {values[word]}\r\n"
                    for word in order.split())
    refused(stack.raw(
        (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
         f"{FORM}Content-Length: {len(body)}\r\n{lines}\r\n{body}").encode()))


@pytest.mark.parametrize("name", ("Twilio-Signature", "X-Twilio-Signatur",
                                  "X_Twilio_Signature", "Authorization"))
def test_the_signature_under_another_name(stack, call, refused, name):
    good = stack.sign("/twilio/voice", call)
    refused(stack.webhook("/twilio/voice", call, "", headers={name: good}))


@pytest.mark.parametrize("path", PATHS)
def test_the_token_of_another_account(stack, call, refused, path):
    refused(stack.webhook(path, call, token=secrets.token_hex(16)))
    refused(stack.webhook(path, call, token="x"))


@pytest.mark.parametrize("change", (
    {"From": "+12025550152"}, {"To": "+12025550188"}, {"CallStatus": "busy"},
    {"CallSid": "CA" + "0" * 32}, {"Added": "field"}, {"Added": ""},
    {"Blank": " "}, {"Note": "a b+c&d=e%f ü\t\n"}), ids=str)
@pytest.mark.parametrize("path", PATHS)
def test_a_field_changed_behind_the_signature(stack, call, refused, path, change):
    good = stack.sign(path, call)
    refused(stack.webhook(path, changed(call, **change), good))


def test_a_field_taken_away(stack, call, refused):
    good = stack.sign("/twilio/voice", call)
    for name in call:
        fewer = {key: call[key] for key in call if key != name}
        refused(stack.webhook("/twilio/voice", fewer, good))


def test_a_query_put_behind_the_url(stack, call, refused):
    for path in PATHS:
        good = stack.sign(path, call)
        refused(stack.webhook(path + "?a=b", call, good))
        refused(stack.webhook(path + "?" + urllib.parse.urlencode(call), {},
                              good))


def test_the_signature_of_another_path(stack, call, refused):
    for signed in PATHS:
        for path in set(PATHS) - {signed}:
            refused(stack.webhook(path, call, stack.sign(signed, call)))


@pytest.mark.parametrize("base", ("http://localhost", "https://LOCALHOST",
                                  "https://127.0.0.1", "https://evil.example",
                                  "https://localhost:80", ""))
def test_the_signature_of_another_host(stack, call, refused, base):
    good = stack.sign("/twilio/voice", call, base=base or "x")
    for host in ("localhost", "evil.example"):
        refused(stack.webhook("/twilio/voice", call, good, headers={
            "Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "http",
            "X-Original-URL": "/twilio/voice", "Forwarded": f"host={host}"}))


@pytest.mark.parametrize("path", PATHS)
def test_the_port_may_be_kept_dropped_or_the_default(stack, call, path):
    for base in (stack.url, "https://localhost", "https://localhost:443"):
        assert stack.webhook(path, call, base=base).status == 200


def test_the_order_of_fields_is_free(stack, call):
    good = stack.sign("/twilio/voice", call)
    order = list(call)
    for _ in range(10):
        random.shuffle(order)
        fields = {name: call[name] for name in order}
        assert stack.webhook("/twilio/voice", fields, good).twiml.rings


def test_a_query_that_is_signed_decides_nothing(stack, call):
    query = urllib.parse.urlencode({"From": "+12025550152", "x": "y"})
    assert stack.webhook("/twilio/voice?" + query, call).twiml.rings


def test_fields_we_never_heard_of_are_welcome(stack, call):
    more = changed(call, StirVerstat="TN-Validation-Passed-A",
                   CallToken="%7B%22parentCallInfoToken%22%3A%22" + "x" * 3000,
                   NewIn2027="ja", **{f"SipHeader_X-{n}": "v" for n in range(40)})
    assert stack.webhook("/twilio/voice", more).twiml.rings


def test_plus_and_percent_are_decoded_once(stack, call):
    more = changed(call, Tricky="%2B1+2 %41 &amp; =")
    assert stack.webhook("/twilio/voice", more).twiml.rings
    good = stack.sign("/twilio/voice", more)
    body = "&".join(f"{name}=" + "".join(
        f"%{byte:02x}" for byte in value.encode())
        for name, value in more.items())
    answer = stack.request("POST", "/twilio/voice", body, {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": good})
    assert answer.twiml.rings


def test_two_tokens_are_taken_while_they_rotate(new_stack):
    stack = new_stack()
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    old, new = stack.env["TWILIO_AUTH_TOKEN"], secrets.token_hex(16)
    fields = stack.voice_fields(customer, masked(session))
    assert stack.webhook("/twilio/voice", fields, token=new).status == 403
    for tokens, taken in ((f"{old} {new}", {old, new}), (new, {new})):
        stack.set_conf("secrets.conf", "twilio_auth_tokens", tokens)
        stack.restart("voice-inbound")
        for token in (old, new):
            answer = stack.webhook("/twilio/voice", fields, token=token)
            assert answer.status == (200 if token in taken else 403)
