"""The control API itself, the door, and the program's options."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import (ACCOUNT, CUSTOMER, DRIVER, MASKED, OTHER, PROGRAM, SPARE,
                      TOKEN, Sandbox)


sys.path.insert(0, str(PROGRAM.with_name("sandbox.d")))
import transcript                                         # noqa: E402


def test_health(sandbox):
    health = sandbox.get("/sandbox/health")
    assert health["status"] == "ok" and health["numbers"][:2] == [MASKED, SPARE]


def test_phones_are_set_listed_and_reset(sandbox):
    sandbox.phone(DRIVER, name="driver", behaviour="manual", digits=["1", "2#"])
    phone, = sandbox.get("/sandbox/phones")["phones"]
    assert phone == {"number": DRIVER, "name": "driver", "behaviour": "manual",
                     "answer_after": 1, "talk_for": 5, "digits": ["1", "2#"]}
    sandbox.post("/sandbox/reset")
    assert sandbox.get("/sandbox/phones") == {"phones": []}


def test_number_may_be_escaped_in_the_path(sandbox):
    sandbox.phone(DRIVER.replace("+", "%2B"))
    assert sandbox.get("/sandbox/phones")["phones"][0]["number"] == DRIVER


@pytest.mark.parametrize("method, path, body, status, word", [
    ("PUT", "/sandbox/phones/123", "{}", 400, "E.164"),
    ("PUT", f"/sandbox/phones/{DRIVER}", '{"colour": "red"}', 400, "colour"),
    ("PUT", f"/sandbox/phones/{DRIVER}", '{"behaviour": "x"}', 400, "behaviour"),
    ("PUT", f"/sandbox/phones/{DRIVER}", '{"talk_for": true}', 400, "talk_for"),
    ("PUT", f"/sandbox/phones/{DRIVER}", '{"talk_for": NaN}', 400, "talk_for"),
    ("PUT", f"/sandbox/phones/{DRIVER}", '{"digits": "1a"}', 400, "digits"),
    ("POST", "/sandbox/calls", "[]", 400, "object"),
    ("POST", "/sandbox/calls", "{", 400, "JSON"),
    ("POST", "/sandbox/calls", "[" * 60_000, 400, "JSON"),
    ("POST", "/sandbox/calls", "{}", 400, "from"),
    ("POST", "/sandbox/calls", f'{{"from": "{OTHER}"}}', 400, "to"),
    ("POST", "/sandbox/calls", f'{{"from": "{OTHER}", "to": "{DRIVER}"}}', 404,
     DRIVER),
    ("POST", "/sandbox/calls", f'{{"from": "{OTHER}", "to": "{MASKED}", '
     '"callbacks": {"delay": true}}', 400, "callbacks"),
    ("POST", "/sandbox/messages", f'{{"from": "{OTHER}", "to": "{MASKED}", '
     '"media": ["file:///x"]}', 400, "media"),
    ("POST", "/sandbox/messages", f'{{"from": "{OTHER}", "to": "{MASKED}", '
     '"body": "\\ud800"}', 400, "body"),
    ("GET", "/sandbox/calls/CA" + "0" * 32, None, 404, "CA000"),
    ("POST", "/sandbox/calls/CA" + "0" * 32 + "/hangup",
     f'{{"phone": "{OTHER}"}}', 404, "CA000"),
    ("POST", "/sandbox/lose", "{}", 400, "answers"),
    ("POST", "/sandbox/lose", '{"answers": -1}', 400, "answers"),
    ("GET", "/sandbox/transcript?after=x", None, 400, "after"),
    ("GET", "/sandbox/transcript?last=1", None, 400, "last"),
    ("GET", "/sandbox/nothing", None, 404, "nothing"),
    ("DELETE", "/sandbox/calls", None, 405, "POST"),
    ("GET", "/", None, 404, "/"),
    ("POST", "/sandbox/calls", " " * 65_537, 413, "64 kB"),
])
def test_refusals_say_why(sandbox, method, path, body, status, word):
    got, document = sandbox.request(method, path, body)
    assert got == status and word in document["error"]
    assert set(document) == {"error"}


def test_who_is_not_on_the_call_cannot_act(app, sandbox):
    sandbox.phone(DRIVER, behaviour="manual")
    app.on("/twilio/voice", f'<Dial callerId="{MASKED}" answerOnBridge="true">'
                            f"{DRIVER}</Dial>")
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    for deed, phone, more in (("hangup", OTHER, ""), ("answer", CUSTOMER, ""),
                              ("digits", DRIVER, ', "digits": "1"')):
        status, document = sandbox.request(
            "POST", f"/sandbox/calls/{sid}/{deed}",
            f'{{"phone": "{phone}"{more}}}')
        assert status == 409 and phone in document["error"]
    assert sid in [call["sid"] for call in sandbox.get("/sandbox/calls")["calls"]]
    sandbox.act(sid, "hangup", CUSTOMER)


@pytest.mark.parametrize("headers, status", [
    ({"Host": "evil.example"}, 403), ({"Host": "127.0.0.1.evil.example"}, 403),
    ({"Host": ""}, 403), ({"Host": "localhost:99"}, 200),
    ({"Host": "[::1]:99"}, 200), ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403), ({"Origin": "https://localhost:8443"}, 200),
    ({"Origin": "https://localhost:8443@evil.example"}, 403)])
def test_only_this_machine_is_served(sandbox, headers, status):
    assert sandbox.request("GET", "/sandbox/health", None, headers)[0] == status


def test_bodies_need_a_length(sandbox):
    for headers in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "-1"}):
        status, _ = sandbox.request("POST", "/sandbox/reset", None, headers)
        assert status in (400, 411)


def test_transcript_is_numbered_and_waits(app, sandbox):
    last = sandbox.get("/sandbox/transcript")["last"]
    app.on("/twilio/voice", "<Say>Hi.</Say>")
    threading.Timer(0.2, sandbox.call).start()
    started = time.monotonic()
    new = sandbox.get(f"/sandbox/transcript?after={last}&wait=10")
    assert 0.1 < time.monotonic() - started < 5
    assert new["entries"][0]["n"] == last + 1
    assert new["entries"][0]["kind"] == "dials"
    assert new["last"] == new["entries"][-1]["n"]
    entry = new["entries"][0]
    assert {"n", "at", "call", "phone", "name", "kind", "text"} <= set(entry)
    assert entry["at"].endswith("Z")


def test_transcript_without_news_returns_in_time(sandbox):
    last = sandbox.get("/sandbox/transcript")["last"]
    assert sandbox.get(f"/sandbox/transcript?after={last}&wait=1") \
        == {"entries": [], "last": last}


def test_transcript_keeps_the_last_entries():
    notes = transcript.Transcript()
    for _ in range(transcript.KEPT + 500):
        notes.add("hears", "x")
    entries, last = notes.since(0, 0)
    assert (entries[0]["n"], len(entries), last) == (501, 1000, 1500)
    assert notes.since(last, 0)[0][0]["n"] == last + 1
    assert notes.since(transcript.KEPT + 499, 0)[1] == transcript.KEPT + 500


def test_many_calls_at_once(app, sandbox):
    app.on("/twilio/voice", f'<Dial callerId="{MASKED}">{DRIVER}</Dial>')
    sids = [sandbox.start(caller=f"+120255501{n}") for n in range(10, 50)]
    sandbox.settle()
    assert all(sandbox.get(f"/sandbox/calls/{sid}")["connected"] for sid in sids)


def test_settle_waits_for_callbacks(app, sandbox):
    def slow(asked):
        time.sleep(0.3)
        return 204, "text/xml", ""

    app.on("/twilio/voice", "<Reject/>")
    app.on("/twilio/status", slow)
    sandbox.start()
    started = time.monotonic()
    sandbox.settle()
    assert time.monotonic() - started >= 0.25


def run(*options, **environment):
    """Run the program with options it must refuse."""
    return subprocess.run(
        [str(PROGRAM), *options], capture_output=True, text=True, timeout=10,
        env={"PATH": os.environ["PATH"], "TWILIO_ACCOUNT_SID": ACCOUNT,
             "TWILIO_AUTH_TOKEN": TOKEN, **environment})


URL = ("--webhook-url", "http://127.0.0.1:1")


@pytest.mark.parametrize("options, environment, word", [
    ((), {}, "--webhook-url"),
    (("--webhook-url", "ftp://x"), {}, "--webhook-url"),
    ((*URL, "--listen", "0.0.0.0:80"), {}, "loopback"),
    ((*URL, "--listen", "example.com:80"), {}, "--listen"),
    ((*URL, "--listen", "127.0.0.1"), {}, "--listen"),
    ((*URL, "--number", "2025550147"), {}, "--number"),
    ((*URL, "--numbers-file", "/nothing"), {}, "--numbers-file"),
    ((*URL, "--speed", "0"), {}, "--speed"),
    ((*URL, "--ca", "/nothing"), {}, "--ca"),
    ((*URL, "--transcript", "/nothing/x"), {}, "--transcript"),
    ((*URL, "--sign-port", "maybe"), {}, "--sign-port"),
    ((*URL, "--token", "x"), {}, "--token"),
    (URL, {"TWILIO_ACCOUNT_SID": "x"}, "TWILIO_ACCOUNT_SID"),
    (URL, {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN"),
])
def test_bad_options_are_named(options, environment, word):
    result = run(*options, **environment)
    assert result.returncode == 2 and word in result.stderr
    assert "Traceback" not in result.stderr


def test_help(app):
    result = run("--help")
    assert result.returncode == 0 and "TWILIO_AUTH_TOKEN" in result.stdout


def test_port_in_use_is_said(sandbox):
    result = run(*URL, "--listen", f"127.0.0.1:{sandbox.port}")
    assert result.returncode == 2 and "--listen" in result.stderr


def stop_at_once(sandbox):
    started = time.monotonic()
    assert sandbox.stop() == (0, "")
    assert time.monotonic() - started < 2


def test_numbers_file_transcript_and_stop(app, tmp_path):
    numbers = tmp_path / "numbers"
    numbers.write_text("# the pool\n+12025550160  # first\n\n+12025550161\n")
    notes = tmp_path / "transcript"
    app.on("/twilio/voice", "<Say>Grüße.</Say>")
    sandbox = Sandbox(app, "--numbers-file", str(numbers),
                      "--transcript", str(notes))
    assert sandbox.get("/sandbox/health")["numbers"][2:] \
        == ["+12025550160", "+12025550161"]
    sandbox.call(callee="+12025550161")
    sandbox.phone(DRIVER, behaviour="manual")
    app.on("/twilio/voice", f'<Dial callerId="{MASKED}">{DRIVER}</Dial>')
    sandbox.start()
    with socket.create_connection(("127.0.0.1", sandbox.port)) as poll:
        poll.sendall(b"GET /sandbox/transcript?after=99999&wait=60 HTTP/1.1\r\n"
                     b"Host: localhost\r\n\r\n")
        time.sleep(0.05)
        stop_at_once(sandbox)
    entries = [json.loads(line) for line in notes.read_text().splitlines()]
    assert "Grüße." in [entry["text"] for entry in entries]
    assert notes.stat().st_mode & 0o077 == 0


def test_clock_of_real_speed(app):
    app.on("/twilio/voice", '<Pause length="1"/>')
    sandbox = Sandbox(app, speed="1")
    started = time.monotonic()
    sandbox.call()
    assert 0.9 < time.monotonic() - started < 3
    sandbox.stop()
