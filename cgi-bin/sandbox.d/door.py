"""The HTTP door: listens on the loopback interface, turns away what does not
come from this machine's own programs and pages, and hands requests on.

There is no password on the control API, so a web page from elsewhere must not
reach it: neither under a name of its own that points here (Host is checked) nor
by a request across origins (Origin is checked)."""

import http.server
import ipaddress
import json
import re
import socket
import sys
import traceback
import typing
import urllib.parse

BODY_LIMIT = 64 * 1024
IDLE_SECONDS = 75


class Answer(typing.NamedTuple):
    """What goes back. Without a document the body is empty; with status 0
    nothing goes back at all, and the connection is closed."""

    status: int
    document: dict | None = None
    headers: dict = {}


class Request(typing.NamedTuple):
    """What came in. `query` and `form` have lists of values by name."""

    method: str
    path: str                 # decoded
    query: dict
    body: bytes
    headers: typing.Any       # as http.server gives them

    def form(self):
        """The body as a form."""
        return parse_form(self.body.decode(errors="replace"))


def parse_form(text):
    """Fields of a form or query: lists of values by name."""
    return urllib.parse.parse_qs(text, keep_blank_values=True,
                                 max_num_fields=1000)


def is_loopback(host):
    """Whether a host name or address, without port, is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names_loopback(authority):
    """Whether the host of `host:port` is this machine's own."""
    try:
        return is_loopback(urllib.parse.urlsplit(f"//{authority}").hostname or "")
    except ValueError:
        return False


class Door(http.server.ThreadingHTTPServer):
    """The server. `rooms` maps the beginning of a path to what answers there:
    something with `answer(Request)`."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host, port, rooms):
        self.rooms = rooms
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def handle_error(self, request, client_address):
        """A client that went away is no news; anything else is a fault."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc(file=sys.stderr)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "callmask-sandbox"
    sys_version = ""
    timeout = IDLE_SECONDS

    def _serve(self):
        answer = self._refusal()
        if answer:
            self.close_connection = True      # its body was not read
        else:
            answer = self._answer()
        if answer.status:
            self._send(answer)
        else:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _refusal(self):
        """The answer to a request that goes no further; None if it may."""
        if not _names_loopback(self.headers.get("Host", "")):
            return Answer(403, {"error": "the Host header is not loopback"})
        origin = self.headers.get("Origin")
        if origin is not None \
                and not _names_loopback(origin.partition("://")[2]):
            return Answer(403, {"error": "the Origin header is not loopback"})
        if "Transfer-Encoding" in self.headers:
            return Answer(411, {"error": "send a Content-Length"})
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch(r"[0-9]{1,9}", length):
            return Answer(400, {"error": "bad Content-Length"})
        if int(length) > BODY_LIMIT:
            return Answer(413, {"error": "the body is larger than 64 kB"})
        return None

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        try:
            request = Request(self.command, path, parse_form(query), body,
                              self.headers)
            for start, room in self.server.rooms.items():
                if path.startswith(start):
                    return room.answer(request)
        except Exception:                     # a fault of the sandbox itself
            traceback.print_exc(file=sys.stderr)
            return Answer(500, {"error": "the sandbox failed; see its log"})
        return Answer(404, {"error": f"there is nothing at {path}"})

    def _send(self, answer):
        body = b""
        self.send_response(answer.status)
        if answer.document is not None:
            body = json.dumps(answer.document, ensure_ascii=False).encode()
            self.send_header("Content-Type", "application/json")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not logged; the transcript tells what happens."""
