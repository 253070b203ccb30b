"""Those who talk to a stack: the app's backend, Twilio, the sandbox's phones,
and a peer that keeps to no rules. Every TwiML document that passes through here
is held against Twilio's grammar, if that is at hand, and every answer of the API
against its description."""

import contextlib
import functools
import http.client
import itertools
import json
import pathlib
import secrets
import socket
import ssl
import subprocess
import typing
import urllib.parse
import xml.etree.ElementTree

from twilio.request_validator import RequestValidator

import description

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
GRAMMAR = SHARED / "twilio" / "twiml.rng"

# American area codes. With 555-01xx behind them they are nobody's numbers.
AREA_CODES = (
    203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219,
    224, 225, 228, 229, 231, 234, 239, 240, 248, 251, 252, 301, 302, 303, 304,
    305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321,
    323, 325, 330, 331, 334, 336, 337, 339, 346, 347, 351, 352, 360, 361, 385,
    386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417)

TRIP_ENDED = ("Your trip has ended, so this number no longer connects you. "
              "Goodbye.")
SORRY = ("Sorry, calls cannot be connected right now. Please try again in a "
         "few minutes.")


class Answer(typing.NamedTuple):
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        """The document in the body."""
        return json.loads(self.body)

    @property
    def type(self):
        """The content type."""
        return self.headers.get("Content-Type", "")

    @property
    def problem(self):
        """Status, code and field of a problem document."""
        assert self.type == "application/problem+json", self
        document = self.json
        assert document["type"] == "about:blank" and document["title"]
        assert document["status"] == self.status
        return self.status, document["code"], document.get("field")

    @property
    def twiml(self):
        """The TwiML in the body, which must be there."""
        assert (self.status, self.type) == (200, "text/xml"), self
        return Twiml(self.body)


@functools.cache
def judge(document):
    """Fail unless a TwiML document fits the grammar. Says whether it was
    judged at all."""
    if not GRAMMAR.exists():
        return False
    verdict = subprocess.run(
        ["timeout", "20", "xmllint", "--noout", "--nonet", "--relaxng",
         GRAMMAR, "-"], input=document, capture_output=True, check=False)
    assert verdict.returncode == 0, (document, verdict.stderr)
    return True


class Twiml:
    """What a document has Twilio do."""

    def __init__(self, document):
        judge(document)
        root = xml.etree.ElementTree.fromstring(document)
        assert root.tag == "Response"
        self.verbs = [verb.tag for verb in root]
        self.said = " ".join(say.text for say in root.iter("Say"))
        dial, number = root.find("Dial"), root.find("Dial/Number")
        self.dial = dict(dial.attrib) if dial is not None else None
        self.number = dict(number.attrib) if number is not None else None
        self.rings = number.text if number is not None else None


def new_sid():
    """A CallSid nobody has used."""
    return "CA" + secrets.token_hex(16)


class Client:
    """Talks to the stack whose `env` (what stack.sh wrote) it is given."""

    env: dict

    def _set_up_client(self):
        self.url = self.env["CALLMASK_URL"]
        self.port = int(self.url.rpartition(":")[2])
        self.numbers = self.env["MASKED_NUMBERS"].split()
        self.tls = ssl.create_default_context(cafile=self.env["CALLMASK_CA"])
        self.people = []              # every real number that was used
        self.answers = []             # every answer of the API, for searching
        self._fresh = itertools.product(AREA_CODES, range(100))

    def person(self):
        """A real number that no test has used."""
        area, last = next(self._fresh)
        self.people.append(f"+1{area}55501{last:02d}")
        return self.people[-1]

    def persons(self, count):
        """Several of them."""
        return [self.person() for _ in range(count)]

    # HTTP.

    def request(self, method, path, body=None, headers=None, timeout=20):
        """One HTTPS request on a connection of its own."""
        line = http.client.HTTPSConnection(
            "localhost", self.port, context=self.tls, timeout=timeout)
        try:
            line.request(method, path, body, headers or {})
            response = line.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            line.close()
        description.the().judge(method, path, body, answer)
        return answer

    @contextlib.contextmanager
    def line(self, timeout=20):
        """A bare TLS connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as raw:
            with self.tls.wrap_socket(raw, server_hostname="localhost") as line:
                yield line

    def raw(self, data, timeout=20):
        """Send bytes on a connection of their own; the answer to them, None if
        the connection is closed without one."""
        with self.line(timeout) as line:
            with contextlib.suppress(OSError):
                line.sendall(data)
            return read_answer(line)

    # The app's backend.

    def api(self, method, path, document=None, key=None, headers=None,
            timeout=20):
        """One request of the backend. A document that is not bytes becomes
        JSON; key "" sends none, None the app's."""
        headers = dict(headers or {})
        if document is not None:
            headers.setdefault("Content-Type", "application/json")
            if not isinstance(document, bytes):
                document = json.dumps(document).encode()
        if key is None:
            key = self.env["CALLMASK_API_KEY"]
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        answer = self.request(method, path, document, headers, timeout)
        self.answers.append(answer)
        return answer

    # The admin panel.

    def sign_in(self, key, headers=None):
        """Exchange a key for a cookie; the answer as it is."""
        return self.api("POST", "/admin/sign-in", {"key": key}, "", {
            "Sec-Fetch-Site": "same-origin", **(headers or {})})

    def operator(self, role="operator", name="Zoë"):
        """Somebody signed in with a key of their own."""
        key = self.cli("key", "add", "--role", role, "--name", name)
        return Operator(self, key.stdout.strip())

    def post_bytes(self, body, path="/v1/sessions", length=None,
                   kind="application/json", more=""):
        """The bytes of a POST that is right but for what is given."""
        length = len(body) if length is None else length
        return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
                f"Connection: close\r\n"
                f"Authorization: Bearer {self.env['CALLMASK_API_KEY']}\r\n"
                f"Content-Type: {kind}\r\nContent-Length: {length}\r\n"
                f"{more}\r\n").encode() + body

    def create(self, caller, callee, key=None, headers=None, **more):
        """Ask for a session between two numbers; the answer as it is."""
        wish = {"ttl": 3600, "parties": [{"role": "customer", "phone": caller},
                                         {"role": "driver", "phone": callee}]}
        return self.api("POST", "/v1/sessions", wish | more, key, headers)

    def open(self, caller, callee, **more):
        """Open a session; what the backend learns of it."""
        answer = self.create(caller, callee, **more)
        assert answer.status == 201, answer
        return answer.json

    def close(self, session, key=None):
        """Close a session, given as its document."""
        answer = self.api("POST", f"/v1/sessions/{session['id']}/close", key=key)
        assert answer.status == 200, answer
        return answer.json

    def get(self, session):
        """A session as it stands, with its calls."""
        answer = self.api("GET", f"/v1/sessions/{session['id']}")
        assert answer.status == 200, answer
        return answer.json

    # Twilio.

    def sign(self, path, fields, token=None, base=None):
        """What Twilio's own SDK signs for a POST to path. base is the scheme,
        host and port that Twilio is thought to have requested."""
        validator = RequestValidator(token or self.env["TWILIO_AUTH_TOKEN"])
        return validator.compute_signature((base or self.url) + path, fields)

    def webhook(self, path, fields, signature=None, headers=None, timeout=20,
                **sign):
        """A webhook with a right signature, or the one given ("" for none)."""
        if signature is None:
            signature = self.sign(path, fields, **sign)
        headers = {"Content-Type": "application/x-www-form-urlencoded",
                   **({"X-Twilio-Signature": signature} if signature else {}),
                   **(headers or {})}
        return self.request("POST", path, urllib.parse.urlencode(fields),
                            headers, timeout)

    def voice_fields(self, caller, number, sid=None):
        """What Twilio tells of a call that comes in."""
        return {"CallSid": sid or new_sid(), "From": caller, "To": number,
                "AccountSid": self.env["TWILIO_ACCOUNT_SID"],
                "CallStatus": "ringing", "Direction": "inbound",
                "ApiVersion": "2010-04-01"}

    def voice(self, caller, number, sid=None, **more):
        """Ask what to do with a call; the TwiML."""
        fields = self.voice_fields(caller, number, sid)
        return self.webhook("/twilio/voice", fields, **more).twiml

    def report(self, sid, status, **fields):
        """Report a leg's progress; the answer as it is."""
        return self.webhook(
            "/twilio/status", {"CallSid": sid, "CallStatus": status, **fields})

    # The phones.

    def sandbox(self, method, path, document=None):
        """One request to the sandbox's control API; its document."""
        line = http.client.HTTPConnection(
            "127.0.0.1", int(self.env["SANDBOX_URL"].rpartition(":")[2]),
            timeout=60)
        try:
            line.request(method, f"/sandbox/{path}", json.dumps(document or {}))
            response = line.getresponse()
            answer = json.loads(response.read())
        finally:
            line.close()
        assert response.status in (200, 202), answer
        return answer

    def phone(self, number, **settings):
        """Say what a phone does when it rings."""
        self.sandbox("PUT", f"phones/{number}", settings)

    def dial(self, caller, number, **more):
        """Let a phone dial a masked number and see the call to its end."""
        call = self.sandbox("POST", "calls", {
            "from": caller, "to": number, **more})
        for entry in call["transcript"]:
            if entry.get("content_type") == "text/xml":
                judge(entry["body"].encode())
        assert not [entry for entry in call["transcript"]
                    if entry["kind"] in ("error", "warning")], call
        return call


class Operator:
    """Somebody who is signed in to the admin panel, in a browser."""

    def __init__(self, stack, key):
        self.stack, self.key = stack, key
        answer = stack.sign_in(key)
        assert answer.status == 200, answer
        self.self = answer.json
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def ask(self, method, path, document=None, headers=None):
        """One request of the panel, below /admin/v1/."""
        return self.stack.api(
            method, "/admin/v1/" + path, document, "",
            {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin",
             **(headers or {})})

    def leave(self):
        """Sign out; the answer as it is."""
        return self.stack.api("POST", "/admin/sign-out", None, "", {
            "Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"})


def read_answer(line):
    """The answer that a bare connection brings, or None."""
    response = http.client.HTTPResponse(line)
    try:
        response.begin()
        return Answer(response.status, response.headers, response.read())
    except (http.client.HTTPException, OSError):
        return None


def masked(session):
    """The masked number that both parties of a session dial."""
    numbers = {party["masked_number"] for party in session["parties"]}
    assert len(numbers) == 1
    return numbers.pop()
