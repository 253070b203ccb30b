"""An app that is told events: an HTTPS server that keeps what it gets and
answers as it is told to."""

import http.server
import json
import ssl
import threading
import typing

import description


class Told(typing.NamedTuple):
    """A request as it came."""

    path: str
    headers: dict
    body: str

    @property
    def event(self):
        """The event in the body, which must be as it is described."""
        event = json.loads(self.body)
        description.the().judge_event(event)
        return event


class Receiver:
    """Listens with a certificate, on a free port of this machine."""

    def __init__(self, certificate, key):
        self.told = []
        self.answers = {}               # by path: those to be given first
        self._news = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = outer._take(Told(
                    self.path, {name.lower(): value for name, value
                                in self.headers.items()}, body.decode()))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake is done by the thread that reads.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True,
            do_handshake_on_connect=False)
        self.url = f"https://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()

    def _take(self, told):
        with self._news:
            self.told.append(told)
            self._news.notify_all()
            answers = self.answers.get(told.path)
            return answers.pop(0) if answers else (204, {})

    def answer(self, path, *answers):
        """Answer the next requests with these: status, perhaps headers."""
        self.answers[path] = [(status, headers[0] if headers else {})
                              for status, *headers in answers]

    def at(self, path):
        """What came to a path."""
        with self._news:
            return [told for told in self.told if told.path == path]

    def wait(self, path, count, timeout=20):
        """What came to a path, once so many have."""
        with self._news:
            assert self._news.wait_for(
                lambda: sum(told.path == path for told in self.told) >= count,
                timeout), [told.path for told in self.told]
        return self.at(path)
