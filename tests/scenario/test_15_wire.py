"""What a hostile or broken peer does on the wire: half requests, lies about
lengths, floods, garbage, chance. Nothing changes, nothing dies, nobody is held
up, and nothing that was sent stands in a log."""

import concurrent.futures
import json
import random
import secrets
import socket
import struct
import time
import urllib.parse

import pytest

from test_04_bad_input import ALLOWED, CANARY, FORM, JSON, PARTIES, WELL

pytestmark = [pytest.mark.sanitized, pytest.mark.usefixtures("unchanged")]


def test_half_a_body_and_gone(stack):
    form = urllib.parse.urlencode(stack.voice_fields("+12025550150", "+1")).encode()
    for path, body, kind in (("/v1/sessions", WELL, JSON),
                             ("/twilio/voice", form, FORM),
                             ("/twilio/status", form, FORM)):
        for part in (0, 1, len(body) // 2, len(body) - 1):
            data = stack.post_bytes(body[:part], path, len(body), kind)
            with stack.line() as line:
                line.sendall(data)
            with stack.line() as line:
                line.sendall(data)
                line.shutdown(socket.SHUT_WR)
    assert stack.api("GET", "/v1/sessions").status == 200


@pytest.mark.parametrize("length", ("-1", "1x", "0x10", "1e3", "+5", "5, 5",
                                    "99999999999999999999", "18446744073709551615"))
def test_a_content_length_that_is_none(stack, length):
    answer = stack.raw(stack.post_bytes(WELL, length=length))
    assert answer is None or answer.status in (400, 413)


def test_what_is_too_large_need_not_be_sent(stack):
    for path, kind in (("/v1/sessions", JSON), ("/twilio/voice", FORM)):
        data = stack.post_bytes(b"", path, 10_000_000, kind)
        assert stack.raw(data, timeout=2).problem == (413, "too_large", None)


def test_a_content_length_that_is_too_short_smuggles_nothing(stack):
    """The rest of the body is not taken for a request of its own."""
    inner = stack.post_bytes(WELL).replace(b"Connection: close\r\n", b"")
    answer = stack.raw(stack.post_bytes(b"{" + inner, length=1))
    assert answer.problem == (400, "invalid_json", None)


@pytest.mark.parametrize("more", (
    "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: x\r\n"))
def test_two_lengths_at_once(stack, more):
    answer = stack.raw(stack.post_bytes(WELL, more=more))
    assert answer.status in (400, 501)


def test_slow_clients_hold_nobody_up(stack):
    lines = []
    try:
        for path, kind in [("/v1/sessions", JSON), ("/twilio/voice", FORM)] * 20:
            line = socket.create_connection(("127.0.0.1", stack.port))
            line = stack.tls.wrap_socket(line, server_hostname="localhost")
            line.sendall(stack.post_bytes(b"{", path, 1000, kind))
            lines.append(line)
        for _ in range(10):
            started = time.monotonic()
            assert stack.api("GET", "/v1/sessions?limit=1").status == 200
            assert stack.webhook("/twilio/voice", {}).status == 422
            assert time.monotonic() - started < 1
    finally:
        for line in lines:
            line.close()


def test_floods_of_headers(stack):
    many = "".join(f"X-{number}: {CANARY}\r\n" for number in range(300))
    long = f"X-Long: {CANARY * 400}\r\n"
    longer = f"X-Long: {CANARY * 500}\r\n" * 8
    assert stack.raw(stack.post_bytes(b"x", more=many)).status == 400
    assert stack.raw(stack.post_bytes(b"x", more=long)).status == 400
    assert stack.raw(stack.post_bytes(b"x", more=longer)).status == 400
    for size in (1000, 7000, 9000, 40000):
        answer = stack.api("GET", "/v1/sessions", key="k" * size)
        assert answer.status == (401 if size < 8000 else 400)
    assert stack.api("GET", "/v1/sessions").status == 200


@pytest.mark.parametrize("data", (
    b"", b"\r\n\r\n", b"\x00" * 1000, b"GET\r\n\r\n", b"GET /v1/sessions\r\n",
    b"POST /v1/sessions HTTP/9.9\r\n\r\n", b"get /v1/sessions HTTP/1.1\r\n\r\n",
    b"GET /v1/sessions\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /v1/sessions HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /v1/sessions HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01" + b"\xff" * 500, secrets.token_bytes(2000)), ids=range(13))
def test_what_is_no_request(stack, data):
    answer = stack.raw(data, timeout=0.3)
    assert answer is None or answer.status in (400, 405, 505)
    assert stack.api("GET", "/v1/sessions?limit=1").status == 200


def record(kind, content=b"", number=1):
    return struct.pack("!BBHHBx", 1, kind, number, len(content), 0) + content


@pytest.mark.parametrize("program", ("voice-inbound", "session-create"))
def test_broken_fastcgi(stack, program):
    """Straight to a program's socket, as only nginx may speak to it."""
    begin = record(1, struct.pack("!HB5x", 1, 0))
    params = record(4, b"\x0e\x04REQUEST_METHODPOST") + record(4)
    for data in (b"", b"x" * 100, begin, begin + params[:9], begin + params,
                 begin + params + record(5, b"half"), b"\xff" * 65536,
                 record(1, b""), record(9, b"\x00" * 50), record(200, b"?"),
                 begin + record(4, b"\x7f\xff\xff\xff\xff")):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(stack.folder / "sock" / f"{program}.sock"))
            line.sendall(data)
    for _ in range(4):
        assert stack.create(*PARTIES[0].values(), ttl=0).status == 422
        assert stack.webhook("/twilio/voice", {"CallSid": "x"}).status == 422


# At random.

def spoilt(random_, data):
    """data with some of its bytes changed, cut, doubled or moved."""
    data = bytearray(data)
    for _ in range(random_.randrange(1, 6)):
        at, end = sorted(random_.randrange(len(data) + 1) for _ in range(2))
        data[at:end] = random_.choice((
            b"", random_.randbytes(random_.randrange(8)), data[at:end] * 2,
            bytes([random_.choice(b'{}[]",:\\%&=+0-e\x00\xff')])))
    return bytes(data)


def test_a_thousand_random_bodies(stack):
    """A right key, or no right signature; never a right request."""
    seed = secrets.randbits(32)
    print("seed", seed)
    random_ = random.Random(seed)
    json_seed = json.dumps({"reference": CANARY, "ttl": 60, "country": "US",
                            "parties": PARTIES[:1]}).encode()
    form_seed = urllib.parse.urlencode(
        stack.voice_fields("+12025550150", stack.numbers[0])).encode()
    jobs = []
    for turn in range(1000):
        if turn % 2:
            jobs.append((("/v1/sessions", "/v1/sessions/ses_x/close")[turn % 4 > 2],
                         spoilt(random_, json_seed), JSON))
        else:
            jobs.append((list(ALLOWED)[turn % 3], spoilt(random_, form_seed),
                         FORM))

    def send(job):
        path, body, kind = job
        headers = {"Content-Type": kind, "X-Twilio-Signature": "A" * 27 + "=",
                   "Authorization": f"Bearer {stack.env['CALLMASK_API_KEY']}"}
        return stack.request("POST", path, body, headers)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for job, answer in zip(jobs, pool.map(send, jobs)):
            assert 400 <= answer.status < 500, (job, answer)
            assert CANARY.encode() not in answer.body


# What is left of it all.

def test_nothing_that_was_sent_is_in_a_log(stack):
    logs = stack.logs(without=("sandbox",))
    assert CANARY not in logs
    for name in ("CALLMASK_API_KEY", "CALLMASK_ADMIN_KEY", "TWILIO_AUTH_TOKEN"):
        assert stack.env[name] not in logs
    for line in stack.read("secrets.conf").splitlines():
        assert line.partition("=")[2].strip()[:20] not in logs or "=" not in line
