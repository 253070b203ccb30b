"""A sandbox under test, and a tiny application for it to call.

Each test scripts the application (`app.on(path, document)`), lets the sandbox
do something (`sandbox.post("/sandbox/calls", …)`), and looks at what the phones
saw and what the application was asked. Every request the application gets is
checked with Twilio's own SDK, if it is installed."""

import base64
import hmac
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

try:
    from twilio.request_validator import RequestValidator
except ImportError:
    RequestValidator = None

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "cgi-bin" / "sandbox"
ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "f" * 32
MASKED, SPARE = "+12025550199", "+12025550198"
CUSTOMER, DRIVER, OTHER = "+12025550147", "+12025550123", "+12025550111"
SPEED = "50"


class Asked:
    """One request the application got."""

    def __init__(self, method, path, query, fields, headers):
        self.method, self.path, self.query = method, path, query
        self.fields, self.headers = fields, headers

    def __getitem__(self, name):
        return self.fields[name]

    def get(self, name):
        return self.fields.get(name)


class App(http.server.ThreadingHTTPServer):
    """The application: answers by path, remembers what it was asked."""

    daemon_threads = True

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), _AppHandler)
        scheme = "https" if tls else "http"
        host = "localhost" if tls else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.server_address[1]}"
        self.signed_as = self.url          # the URL signatures are made over
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.clear()
        threading.Thread(target=self.serve_forever, args=(0.01,),
                         daemon=True).start()

    def clear(self):
        self.answers, self.asked, self.forged = {}, [], []

    def on(self, path, *answers, status=200, content_type="text/xml"):
        """Answer `path` with TwiML (the inside of Response, or a whole body),
        one answer after the other, the last for ever; or with a function of
        what was asked."""
        self.answers[path] = [
            each if callable(each) else (status, content_type, _response(each))
            for each in answers]

    def at(self, path):
        """What `path` was asked, in order."""
        return [asked for asked in self.asked if asked.path == path]

    def handle_error(self, *_):
        """Sandboxes that hang up early are part of the tests."""


def _response(text):
    bare = text.lstrip().startswith("<") and "<Response" not in text \
        and "<?xml" not in text and "<!DOCTYPE" not in text
    return f"<Response>{text}</Response>" if bare or not text else text


class _AppHandler(http.server.BaseHTTPRequestHandler):
    def _serve(self):
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length).decode()
        fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        path, _, query = self.path.partition("?")
        asked = Asked(self.command, path, query, fields, self.headers)
        if not _is_signed(self.server.signed_as + self.path, fields,
                          self.headers.get("X-Twilio-Signature", "")):
            self.server.forged.append(self.path)
        self.server.asked.append(asked)
        answers = self.server.answers.get(path, [(404, "text/plain", "nothing")])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(asked)
        status, content_type, text = answer[:3]
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (answer[3] if len(answer) > 3 else {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve

    def log_message(self, *_):
        pass


def _is_signed(url, fields, signature):
    if RequestValidator is None:
        text = url + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.digest(TOKEN.encode(), text.encode(), "sha1")
        return base64.b64encode(digest).decode() == signature
    return RequestValidator(TOKEN).validate(url, fields, signature)


class Sandbox:
    """A running sandbox and its two APIs."""

    def __init__(self, app, *options, speed=SPEED, environment=None):
        environment = {**os.environ, "TWILIO_ACCOUNT_SID": ACCOUNT,
                       "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_API_KEY": "SK1",
                       "TWILIO_API_SECRET": "secret", **(environment or {})}
        self.process = subprocess.Popen(
            [str(PROGRAM), "--listen", "127.0.0.1:0", "--webhook-url", app.url,
             "--number", MASKED, "--number", SPARE, "--speed", speed, *options],
            env=environment, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(re.fullmatch(
            r"sandbox: listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        self.numbers = {}

    def request(self, method, path, body=None, headers=None):
        """One HTTP request; its status and document."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(method, path, body, headers or {})
            response = line.getresponse()
            self.answer_headers = response.headers
            data = response.read()
            return response.status, json.loads(data) if data else None
        finally:
            line.close()

    def get(self, path):
        status, document = self.request("GET", path)
        assert status == 200, document
        return document

    def post(self, path, **fields):
        status, document = self.request("POST", path, json.dumps(fields))
        assert status in (200, 202), document
        return document

    def phone(self, number, **settings):
        status, document = self.request(
            "PUT", f"/sandbox/phones/{number}", json.dumps(settings))
        assert status == 200, document

    def call(self, caller=CUSTOMER, callee=MASKED, **more):
        """Place a call; by default, wait for its end."""
        return self.post("/sandbox/calls", **{"from": caller, "to": callee},
                         **more)

    def start(self, **more):
        """Place a call and return its SID while it goes on."""
        return self.call(wait=False, **more)["sid"]

    def act(self, sid, deed, phone, **more):
        return self.post(f"/sandbox/calls/{sid}/{deed}", phone=phone, **more)

    def until(self, sid, test):
        """Wait until the call's live view passes `test`; return the view."""
        for _ in range(500):
            view = self.get(f"/sandbox/calls/{sid}")
            if test(view):
                return view
            time.sleep(0.01)
        raise AssertionError(view)

    def settle(self):
        self.post("/sandbox/settle")

    def rest(self, method, path, *pairs, user=ACCOUNT, password=TOKEN, **fields):
        """One request to the REST API; its status and document."""
        code = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {code}"}
        path = f"/2010-04-01/Accounts/{ACCOUNT}{path}"
        form = urllib.parse.urlencode([*fields.items(), *pairs])
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif form:
            path, form = f"{path}?{form}", None
        return self.request(method, path, form or None, headers)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(5)
        rest = self.process.stderr.read()
        self.process.stderr.close()
        return status, rest


@pytest.fixture(scope="session")
def running():
    """One application and one sandbox for all tests."""
    app = App()
    sandbox = Sandbox(app)
    yield app, sandbox
    status, complaints = sandbox.stop()
    assert (status, complaints) == (0, "")


@pytest.fixture
def app(running):
    running[0].clear()
    running[0].on("/twilio/status", "")
    yield running[0]
    assert running[0].forged == []


@pytest.fixture
def sandbox(running, app):
    running[1].settle()
    running[1].post("/sandbox/reset")
    app.asked.clear()
    yield running[1]
    running[1].settle()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-made certificate for localhost: files of certificate and key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True)
    return files


@pytest.fixture
def tls_app(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    app = App(context)
    yield app
    app.shutdown()
    app.server_close()


def kinds(view):
    """The kinds of a call's transcript, webhooks left out."""
    return [entry["kind"] for entry in view["transcript"]
            if entry["kind"] != "wire"]


def codes(view):
    """Twilio's error numbers in a transcript."""
    return [entry["code"] for entry in view["transcript"]
            if entry.get("code")]
