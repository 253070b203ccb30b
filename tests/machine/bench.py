"""An installation for tests without nginx: its own database, its own clock, the
real programs, and a FastCGI client that asks them directly.

The programs run under libfaketime: time stands still until the test moves it,
so expiry and hold can be tested to the second, and years pass in no time.
"""

import base64
import ctypes
import hmac
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree as tree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN_DIR = pathlib.Path(os.environ.get("BIN_DIR", ROOT / "build" / "bin"))
PUBLIC_URL = "https://mask.example.net"
EPOCH = 1_800_000_000         # where the clock of a new installation begins

# The programs and how many workers each has: two where two at once may meet.
PROGRAMS = {
    "voice-inbound": 2, "voice-code": 2, "voice-screen": 1, "voice-ended": 1,
    "status-callback": 2, "session-create": 2, "session-get": 1,
    "session-update": 2, "session-intent": 1, "session-close": 2, "routes": 1,
}
FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
            "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")

_prctl = ctypes.CDLL(None).prctl
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Answer:
    """What a program answered: status, headers by lower-case name, body."""

    def __init__(self, text, seconds):
        head, _, self.body = text.partition(b"\r\n\r\n")
        self.head = head
        self.seconds = seconds
        self.headers = {}
        for line in head.split(b"\r\n"):
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value
        self.status = int(self.headers.get("status", "200")[:3])

    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    def twiml(self):
        """The body as XML."""
        return tree.fromstring(self.body)

    def brief(self):
        """A line for people."""
        return f"{self.status} {self.body.decode(errors='replace').strip()}"


# --- FastCGI (its specification, sections 3 and 5): one request a connection,
# as nginx asks here.

_BEGIN = struct.pack(">BBHHBB HB5x", 1, 1, 1, 8, 0, 0, 1, 0)
_STDIN_END = struct.pack(">BBHHBB", 1, 5, 1, 0, 0, 0)
_PARAMS_END = struct.pack(">BBHHBB", 1, 4, 1, 0, 0, 0)
_HEADER = struct.Struct(">BBHHBB")


def _length(number):
    return bytes([number]) if number < 128 else \
        struct.pack(">I", number | 0x80000000)


def encode_params(params):
    """Name-value pairs as FastCGI writes them."""
    parts = []
    for name, value in params.items():
        name, value = name.encode(), value.encode()
        parts += (_length(len(name)), _length(len(value)), name, value)
    return b"".join(parts)


class Pending:
    """A request under way: sent, its answer not read."""

    def __init__(self, path, params, body):
        self._started = time.perf_counter()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(20)
        self._socket.connect(path)
        parts = [_BEGIN, _HEADER.pack(1, 4, 1, len(params), 0, 0), params,
                 _PARAMS_END]
        if body:
            parts += [_HEADER.pack(1, 5, 1, len(body), 0, 0), body]
        parts.append(_STDIN_END)
        self._socket.sendall(b"".join(parts))

    def answer(self):
        """Wait for the answer."""
        data, at, text = b"", 0, []
        with self._socket:
            while True:
                while len(data) - at >= 8:
                    _, kind, _, length, padding, _ = \
                        _HEADER.unpack_from(data, at)
                    if len(data) - at < 8 + length + padding:
                        break
                    if kind == 6:
                        text.append(data[at + 8:at + 8 + length])
                    elif kind == 3:
                        took = time.perf_counter() - self._started
                        return Answer(b"".join(text), took)
                    at += 8 + length + padding
                more = self._socket.recv(65536)
                if not more:
                    raise ConnectionError("the program hung up")
                data += more


def signature(token, path, fields):
    """The X-Twilio-Signature of a form sent to `path`."""
    text = PUBLIC_URL + path + "".join(
        name + fields[name] for name in sorted(fields))
    return base64.b64encode(
        hmac.digest(token.encode(), text.encode(), "sha1")).decode()


class Installation:
    """Database, keys, programs, clock; all in a folder of its own."""

    def __init__(self, bin_dir=BIN_DIR, where=None):
        where = where or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.folder = pathlib.Path(
            tempfile.mkdtemp(prefix="callmask-machine-", dir=where))
        self._bin = pathlib.Path(bin_dir)
        self._conf = str(self.folder / "callmask.conf")
        self._processes = []
        self._clock = None
        self._requests = 0
        self.token = os.urandom(16).hex()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self):
        self._clock = open(self.folder / "clock", "w+b", buffering=0)
        self.set_clock(EPOCH)
        preload = next((path for path in FAKETIME if os.path.exists(path)), None)
        if preload is None:
            raise SystemExit("libfaketime is missing: apt-get install faketime")
        self._environment = {
            "PATH": os.environ["PATH"], "TZ": "UTC", "LD_PRELOAD": preload,
            "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"),
            "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }
        folder = self.folder
        pathlib.Path(self._conf).write_text(
            f"public_url = {PUBLIC_URL}\ndatabase = {folder}/callmask.db\n"
            f"secrets = {folder}/secrets.conf\nmetrics = {folder}/metrics\n")
        secrets = folder / "secrets.conf"
        secrets.write_text(f"twilio_account_sid = AC{'0' * 32}\n"
                           f"twilio_auth_tokens = {self.token}\n")
        secrets.chmod(0o600)

    @property
    def database(self):
        """The path of the database."""
        return self.folder / "callmask.db"

    def set_clock(self, now):
        """Set the time of all programs: it stands still there."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
        os.pwrite(self._clock.fileno(), stamp.encode() + b"\n", 0)

    def callmask(self, *arguments):
        """Run the command line tool; what it prints."""
        done = subprocess.run(
            [self._bin / "callmask", "-c", self._conf, *arguments],
            env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"callmask {arguments}: {done.stderr}")
        return done.stdout

    def start(self):
        """Start the programs. There must be a service already."""
        for name, workers in PROGRAMS.items():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
                listener.bind(str(self.folder / name))
                listener.listen(64)
                for _ in range(workers):
                    with open(self.folder / "log", "ab") as log:
                        self._processes.append(subprocess.Popen(
                            [self._bin / name, "-c", self._conf],
                            stdin=listener, stdout=log, stderr=log,
                            env=self._environment,
                            preexec_fn=_die_with_parent))

    def send(self, program, method, path, headers, body=b"", query="",
             kind="", request=None):
        """Send a request; the Pending."""
        self._requests += 1
        params = {
            "REQUEST_METHOD": method,
            "REQUEST_URI": path + (f"?{query}" if query else ""),
            "QUERY_STRING": query, "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)) if body else "",
            "REQUEST_ID": request or f"{self._requests:032x}",
            **headers,
        }
        return Pending(str(self.folder / program), encode_params(params), body)

    def send_form(self, program, path, fields, request=None, token=None,
                  once=""):
        """Send what Twilio sends; `once` tells its retries from other
        requests."""
        return self.send(
            program, "POST", path,
            {"HTTP_X_TWILIO_SIGNATURE":
             signature(token or self.token, path, fields),
             "HTTP_I_TWILIO_IDEMPOTENCY_TOKEN": once},
            urllib.parse.urlencode(fields).encode(),
            kind="application/x-www-form-urlencoded; charset=UTF-8",
            request=request)

    def send_api(self, program, method, path, key, document=None, query="",
                 idempotency=None, request=None):
        """Send what the app's backend sends."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
        if idempotency:
            headers["HTTP_IDEMPOTENCY_KEY"] = idempotency
        body = b"" if document is None else json.dumps(document).encode()
        return self.send(program, method, path, headers, body, query,
                         "application/json" if body else "", request)

    def died(self):
        """The programs that have ended by themselves."""
        return [process.args[0].name for process in self._processes
                if process.poll() is not None]

    def close(self, keep=False):
        """Stop everything and remove the folder."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
        if self._clock:
            self._clock.close()
            self._clock = None
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
