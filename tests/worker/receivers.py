"""Those who get the events: apps that behave, and apps that do not."""

import contextlib
import http.client
import http.server
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import typing
import urllib.parse


class Got(typing.NamedTuple):
    """A request that arrived."""

    at: float                     # epoch seconds
    path: str
    id: str                       # webhook-id
    headers: dict
    body: bytes


def reserve():
    """A bound socket that nobody listens on, and its port."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]


class Authority:
    """Certificates, good and bad, from an authority of our own."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir()
        self.file = self._folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-days", "30", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=receivers",
            "-addext", "keyUsage=keyCertSign", "-keyout", "ca.key", "-out",
            "ca.pem")

    def _openssl(self, *arguments, clock=None):
        clock = ["faketime", clock] if clock else []
        subprocess.run([*clock, "openssl", *arguments], cwd=self._folder,
                       check=True, capture_output=True)

    def issue(self, label, name="localhost", clock=None):
        """A certificate for `name`, made at `clock` (now) to live for a month;
        as a context for a server."""
        (self._folder / f"{label}.cnf").write_text(
            f"subjectAltName = DNS:{name}\n", encoding="utf-8")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={name}", "-keyout", f"{label}.key", "-out",
            f"{label}.csr")
        self._openssl(
            "x509", "-req", "-in", f"{label}.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-CAcreateserial", "-days", "30", "-extfile",
            f"{label}.cnf", "-out", f"{label}.pem", clock=clock)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._folder / f"{label}.pem",
                                self._folder / f"{label}.key")
        return context


class Receiver:
    """An app that gets events over TLS and keeps them in `got`. What it answers
    is chosen by the first word of the path, from `answers`: a function of the
    handler, see `Handler` for those there are."""

    def __init__(self, tls, port=0):
        self.got = []
        self.answers = dict(ANSWERS)
        self.over = threading.Event()
        self._changed = threading.Condition()
        receiver = self

        class Bound(Handler):
            """Knows whose it is."""

            owner = receiver

        self._server = Server(("127.0.0.1", port), Bound)
        self._server.socket = tls.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def note(self, got):
        """Keep a request."""
        with self._changed:
            self.got.append(got)
            self._changed.notify_all()

    def at(self, path):
        """What arrived at a path."""
        return [got for got in list(self.got) if got.path == path]

    def ids(self, path):
        """The webhook-ids that arrived at a path."""
        return [got.id for got in self.at(path)]

    def wait(self, path, count, seconds=20):
        """Wait until so many requests came to a path; all that came."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self.at(path)) >= count, seconds), \
                (path, len(self.at(path)), count)
            return self.at(path)

    def close(self):
        """End; whoever still waits for an answer gets none."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class Server(http.server.ThreadingHTTPServer):
    """A thread a connection. Its peers may vanish."""

    request_queue_size = 1024
    block_on_close = False

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    """A connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: Receiver

    def do_POST(self):
        """Keep the request, and answer it as its path says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        got = Got(time.time(), self.path, self.headers.get("webhook-id", ""),
                  dict(self.headers), body)
        self.owner.note(got)
        self.owner.answers[self.path.split("/")[1]](self)

    do_GET = do_DELETE = do_POST

    def say(self, status, body=b"", length=None, **headers):
        """An answer; `length` is what it is said to have."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(
                len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def half(handler):
    """Promise more than comes."""
    handler.say(200, b"half of", length=1000)
    handler.close_connection = True


def cut(handler):
    """Take the request and hang up."""
    handler.close_connection = True
    handler.connection.close()


def silent(handler):
    """Never answer."""
    handler.owner.over.wait()
    handler.close_connection = True


ANSWERS = {
    "good": lambda handler: handler.say(204),
    "chatty": lambda handler: handler.say(200, b"x" * 3_000_000),
    "limited": lambda handler: handler.say(429, Retry_After="2"),
    "broken": lambda handler: handler.say(500, b"oops"),
    "moved": lambda handler: handler.say(302, Location="/good/moved"),
    "half": half,
    "cut": cut,
    "silent": silent,
}


class Mediator:
    """Stands between the worker and the sandbox's REST API, and has bad days:
    each POST meets the next of `faults`, which are

        limited     429, and nothing was done
        broken      503, and nothing was done
        unsure      500, and it was done
        cut         no answer, and nothing was done
        lost        no answer, and it was done
        half        half an answer, and it was done
        deadly      the worker is killed (`kill`), and it was done

    What was done is in `done`: path and body."""

    def __init__(self, sandbox):
        self.faults, self.done, self.kill = [], [], lambda: None
        mediator = self

        class Bound(MediatorHandler):
            """Knows whose it is."""

            owner = mediator

        self.sandbox = urllib.parse.urlsplit(sandbox).netloc
        self._server = Server(("127.0.0.1", 0), Bound)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def close(self):
        """End."""
        self._server.shutdown()
        self._server.server_close()


class MediatorHandler(http.server.BaseHTTPRequestHandler):
    """A connection to the mediator."""

    protocol_version = "HTTP/1.1"
    owner: Mediator

    def do_POST(self):
        """Pass it on, or not, and answer, or not."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.owner.faults.pop(0) \
            if self.owner.faults and self.command == "POST" else ""
        if fault in ("limited", "broken"):
            self._say(429 if fault == "limited" else 503, b"{}")
            return
        if fault == "cut":
            self._hang_up()
            return
        status, answer = self._pass_on(body)
        if self.command == "POST":
            self.owner.done.append((self.path, body.decode()))
        if fault == "deadly":
            self.owner.kill()
        if fault in ("lost", "deadly"):
            self._hang_up()
        elif fault == "half":
            self._say(status, answer[:len(answer) // 2], len(answer))
            self._hang_up()
        else:
            self._say(500 if fault == "unsure" else status,
                      b"{}" if fault == "unsure" else answer)

    do_GET = do_DELETE = do_POST

    def _pass_on(self, body):
        line = http.client.HTTPConnection(self.owner.sandbox, timeout=20)
        try:
            line.request(self.command, self.path, body or None, {
                name: value for name, value in self.headers.items()
                if name in ("Authorization", "Content-Type")})
            response = line.getresponse()
            return response.status, response.read()
        finally:
            line.close()

    def _say(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


class FastReceiver:
    """An app that does nothing but receive: nginx, which answers 204 and notes
    when and what."""

    def __init__(self, folder, certificate, key):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir()
        held, self.port = reserve()
        held.close()
        self.url = f"https://localhost:{self.port}/"
        self._log = self._folder / "got.log"
        (self._folder / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {self._folder}/pid;
            error_log {self._folder}/error.log;
            events {{ worker_connections 2048; }}
            http {{
                log_format got '$msec $http_webhook_id';
                access_log {self._log} got buffer=64k flush=50ms;
                client_body_temp_path {self._folder}/body;
                fastcgi_temp_path {self._folder}/f; proxy_temp_path {self._folder}/p;
                scgi_temp_path {self._folder}/s; uwsgi_temp_path {self._folder}/u;
                keepalive_requests 100000000;
                server {{
                    listen 127.0.0.1:{self.port} ssl backlog=4096;
                    ssl_certificate {certificate};
                    ssl_certificate_key {key};
                    return 204;
                }}
            }}""", encoding="utf-8")
        self._nginx = subprocess.Popen(
            [shutil.which("nginx") or "/usr/sbin/nginx", "-c",
             self._folder / "nginx.conf", "-e", self._folder / "error.log"])
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.02)
        raise RuntimeError("nginx does not start")

    def got(self):
        """Time and id of all that arrived until now."""
        time.sleep(0.1)               # nginx writes every 50 ms
        with open(self._log, encoding="ascii") as lines:
            return [(float(at), name) for at, name in map(str.split, lines)]

    def forget(self):
        """Begin anew."""
        time.sleep(0.1)
        self._log.write_bytes(b"")

    def close(self):
        """Stop it."""
        self._nginx.terminate()
        self._nginx.wait()
