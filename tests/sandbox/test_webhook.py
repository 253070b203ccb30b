"""How a webhook is requested: signature, limits, retries, failures."""

import socket
import sys
import threading
import time

import pytest
from conftest import MASKED, PROGRAM, Sandbox, codes

sys.path.insert(0, str(PROGRAM.with_name("sandbox.d")))
sys.dont_write_bytecode = True
import webhook                                            # noqa: E402

APOLOGY = "An application error has occurred. Goodbye."


# The example in Twilio's documentation (docs:usage/security).
def test_worked_example_of_the_signature():
    assert webhook.signature(
        "12345", "https://example.com/myapp.php?foo=1&bar=2",
        {"Digits": "1234", "To": "+18005551212", "From": "+14158675310",
         "Caller": "+14158675310", "CallSid": "CA1234567890ABCDE"}) \
        == "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.mark.parametrize("url, service, rule, signed", [
    ("https://u:p@a.example:8443/x?y=1", "voice", None, "https://a.example/x?y=1"),
    ("https://u@a.example:8443/x", "messaging", None, "https://a.example:8443/x"),
    ("http://u@a.example:80/x", "voice", None, "http://a.example:80/x"),
    ("https://A.example:443/%7e", "voice", "keep", "https://A.example:443/%7e"),
    ("https://a.example:443/x", "messaging", "drop", "https://a.example/x"),
])
def test_what_is_signed(url, service, rule, signed):
    assert webhook.url_to_sign(url, service, rule) == signed


def test_overrides_come_from_the_fragment():
    url, limits = webhook.split_overrides(
        "https://a.example/x?y=1#rc=2&ct=2000&rt=4500&tt=9000&rp=ct,rt,5xx&e=dublin")
    assert url == "https://a.example/x?y=1"
    assert limits == webhook.Limits(2.0, 4.5, 9.0, 2,
                                    frozenset({"ct", "rt", "5xx"}))
    assert webhook.split_overrides("https://a.example/")[1] == webhook.Limits()
    assert webhook.split_overrides("x#rc=99&ct=1&rt=x&rp=all")[1] \
        == webhook.Limits(0.1, 15.0, 15.0, 5,
                          frozenset({"ct", "rt", "4xx", "5xx"}))


def failing(view):
    """Whether a call ended as it does when the application fails."""
    return (view["heard"], view["status"]) == ([APOLOGY], "failed")


@pytest.mark.parametrize("body, content_type, status, code", [
    ("<Response/>", "text/xml", 500, 11200),
    ("<Response/>", "text/xml", 404, 11200),
    ("<Response><Say>x</Response>", "text/xml", 200, 12100),
    ("<Answer/>", "text/xml", 200, 12102),
    ("<!DOCTYPE a><Response/>", "text/xml", 200, 12100),
    ("<!DOCTYPE Response [<!ENTITY e 'x'>]><Response><Say>&e;</Say></Response>",
     "text/xml", 200, 12100),
    ('<?xml version="1.0" encoding="foo"?><Response/>', "text/xml", 200, 12100),
    (" ", "text/xml", 200, 11770),
    ("<Response/>", "application/json", 200, 12300),
    ("<Response>" + " " * 65_536 + "</Response>", "text/xml", 200, 11750),
    ("<Response>" + "<Say>" * 60 + "</Say>" * 60 + "</Response>", "text/xml",
     200, 12100),
])
def test_bad_answers_make_the_caller_hear_an_apology(
        app, sandbox, body, content_type, status, code):
    app.on("/twilio/voice", lambda asked: (status, content_type, body))
    view = sandbox.call()
    assert failing(view) and codes(view) == [code]
    assert len(app.at("/twilio/voice")) == 1      # none of these is retried
    assert app.at("/twilio/status")[0]["CallStatus"] == "failed"


def test_plain_text_is_spoken(app, sandbox):
    app.on("/twilio/voice", "Good evening.", content_type="text/plain")
    assert sandbox.call()["heard"] == ["Good evening."]


def test_redirects_are_followed(app, sandbox):
    app.on("/twilio/voice",
           lambda asked: (307, "text/xml", "", {"Location": "/a"}))
    app.on("/a", lambda asked: (302, "text/xml", "", {"Location": "/b/c"}))
    app.on("/b/c", "<Redirect>d</Redirect>")
    app.on("/b/d", "<Say>There.</Say>")
    assert sandbox.call()["heard"] == ["There."]
    assert [asked.method for asked in app.asked[:4]] \
        == ["POST", "POST", "GET", "POST"]


def test_redirects_in_a_ring_are_given_up(app, sandbox):
    app.on("/twilio/voice", lambda asked: (
        307, "text/xml", "", {"Location": "/twilio/voice"}))
    view = sandbox.call()
    assert failing(view) and codes(view) == [11215]


def number_with(sandbox, url, **more):
    """Let the masked number's webhook be `url`."""
    number = sandbox.rest("GET", "/IncomingPhoneNumbers.json",
                          PhoneNumber=MASKED)[1]["incoming_phone_numbers"][0]
    status, _ = sandbox.rest("POST", f"/IncomingPhoneNumbers/{number['sid']}.json",
                             VoiceUrl=url, **more)
    assert status == 200


@pytest.fixture
def webhook_url(app, sandbox):
    """Sets the masked number's webhook, for one test."""
    yield lambda url, **more: number_with(sandbox, url, **more)
    number_with(sandbox, app.url + "/twilio/voice", VoiceFallbackUrl="")


def test_retries_by_policy_with_one_token(app, sandbox, webhook_url):
    webhook_url(app.url + "/twilio/voice#rc=2&rp=ct,5xx")
    app.on("/twilio/voice", lambda a: (503, "text/xml", "<Response/>"),
           lambda a: (503, "text/xml", "<Response/>"),
           lambda a: (200, "text/xml", "<Response><Say>Up.</Say></Response>"))
    assert sandbox.call()["heard"] == ["Up."]
    tokens = {asked.headers["I-Twilio-Idempotency-Token"]
              for asked in app.at("/twilio/voice")}
    assert len(app.at("/twilio/voice")) == 3 and len(tokens) == 1


def test_slow_answer_is_not_retried_unless_told(app, sandbox, webhook_url):
    def slow(asked):
        time.sleep(0.4)
        return 200, "text/xml", "<Response/>"

    app.on("/twilio/voice", slow)
    webhook_url(app.url + "/twilio/voice#rt=100")
    view = sandbox.call()
    assert failing(view) and codes(view) == [11205]
    assert len(app.at("/twilio/voice")) == 1
    webhook_url(app.url + "/twilio/voice#rt=100&rp=rt&rc=2")
    assert failing(sandbox.call()) and len(app.at("/twilio/voice")) == 4


def test_total_limit_holds_for_silent_answers(app, sandbox, webhook_url):
    def slow(asked):
        time.sleep(0.6)
        return 200, "text/xml", "<Response/>"

    app.on("/twilio/voice", slow)
    webhook_url(app.url + "/twilio/voice#tt=100&rp=all&rc=5")
    view = sandbox.call()
    wires = [e for e in view["transcript"] if e["kind"] == "wire"]
    assert failing(view) and wires[0]["ms"] < 500
    assert len(app.at("/twilio/voice")) == 1


@pytest.fixture
def dripping():
    """The URL of a server whose answers come letter by letter, without end."""
    server = socket.create_server(("127.0.0.1", 0))

    def drip():
        try:
            line, _ = server.accept()
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
            while True:
                line.sendall(b" ")
                time.sleep(0.02)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    server.close()


def test_total_limit_holds_for_dripping_answers(sandbox, webhook_url, dripping):
    webhook_url(dripping + "#rt=5000&tt=300&rp=all&rc=5")
    started = time.monotonic()
    view = sandbox.call()
    assert failing(view) and codes(view) == [11205]
    assert 0.3 <= time.monotonic() - started < 2


def test_no_connection_is_tried_twice(app, sandbox, webhook_url):
    webhook_url("http://127.0.0.1:9/nothing")
    view = sandbox.call()
    wires = [e for e in view["transcript"]
             if e["kind"] == "wire" and "/nothing" in e["url"]]
    assert failing(view) and [wire["attempt"] for wire in wires] == [1, 2]


def test_fallback_url_has_its_chance(app, sandbox, webhook_url):
    webhook_url(app.url + "/twilio/voice", VoiceFallbackUrl=app.url + "/spare")
    app.on("/twilio/voice", "", status=500)
    app.on("/spare", "<Say>Spare.</Say>")
    view = sandbox.call()
    assert view["heard"] == ["Spare."] and view["status"] == "completed"
    asked, = app.at("/spare")
    assert asked["ErrorCode"] == "11200"
    assert asked["ErrorUrl"] == app.url + "/twilio/voice"


def test_user_and_password_answer_a_401(app, sandbox, webhook_url):
    def guarded(asked):
        if asked.headers.get("Authorization") == "Basic dTpwIHc=":
            return 200, "text/xml", "<Response><Say>In.</Say></Response>"
        return 401, "text/plain", "", {"WWW-Authenticate": 'Basic realm="a"'}

    webhook_url(app.url.replace("//", "//u:p%20w@") + "/twilio/voice")
    app.on("/twilio/voice", guarded)
    assert sandbox.call()["heard"] == ["In."]


def test_wire_entries_show_request_and_answer(app, sandbox):
    app.on("/twilio/voice", "<Say>Hello.</Say>")
    view = sandbox.call()
    wire = next(e for e in view["transcript"] if e["kind"] == "wire")
    assert wire["url"] == wire["signed_url"] == app.url + "/twilio/voice"
    assert wire["params"]["CallSid"] == view["sid"]
    assert (wire["status"], wire["method"]) == (200, "POST")
    assert "<Say>Hello.</Say>" in wire["body"]


@pytest.mark.parametrize("options, drops", [
    ((), True), (("--sign-port", "keep"), False)])
def test_tls_is_checked_and_voice_signed_without_port(
        tls_app, certificate, options, drops):
    if drops:
        tls_app.signed_as = "https://localhost"
    tls_app.on("/twilio/voice", "<Say>Safe.</Say>")
    tls_app.on("/twilio/status", "")
    sandbox = Sandbox(tls_app, "--ca", str(certificate[0]), *options)
    try:
        assert sandbox.call()["heard"] == ["Safe."]
        wire = next(entry for entry in sandbox.get("/sandbox/transcript")
                    ["entries"] if entry["kind"] == "wire")
        assert (":" in wire["signed_url"][8:]) is not drops
    finally:
        assert sandbox.stop() == (0, "")
    assert tls_app.forged == []


def test_unknown_certificate_is_refused(tls_app):
    sandbox = Sandbox(tls_app)
    try:
        view = sandbox.call()
        assert failing(view) and codes(view)[0] == 11237
    finally:
        sandbox.stop()


def test_twilios_own_validator_agrees():
    """The SDK accepts what the sandbox signs, odd characters included."""
    validator = pytest.importorskip("twilio.request_validator")
    url = "https://a.example/x?name=%C3%BC&b=1"
    fields = {"Body": "Grüße & <tag>\r\n\t ", "Empty": "", "a": "z", "B": "ü😀"}
    signature = webhook.signature("secret", url, fields)
    assert validator.RequestValidator("secret").validate(url, fields, signature)
