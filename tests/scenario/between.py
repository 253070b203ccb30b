"""Stands between callmask and the sandbox's REST API: passes requests on, notes
them, and answers otherwise where a test says so."""

import base64
import http.client
import http.server
import json
import threading
import urllib.parse


class Between(http.server.ThreadingHTTPServer):
    """A proxy on loopback. `told` are functions that a request is shown to in
    turn, each once: what it returns is the answer (status, document, headers);
    None passes the request on, "drop" passes it on and loses the answer."""

    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.target = urllib.parse.urlsplit(target).netloc
        self.seen, self.told = [], []
        threading.Thread(target=self.serve_forever, args=(0.01,),
                         daemon=True).start()

    def tell(self, *answers):
        """Answer the next requests so; None passes one on."""
        self.told += [answer if callable(answer) else lambda _, a=answer: a
                      for answer in answers]

    def made(self, method=None):
        """What was asked: pairs of method and path with its query."""
        return [(each["method"], each["path"]) for each in self.seen
                if method in (None, each["method"])]

    def handle_error(self, *_):
        """Peers that hang up early are part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self):
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        scheme, _, code = self.headers.get("Authorization", "").partition(" ")
        seen = {"method": self.command, "path": self.path,
                "form": dict(urllib.parse.parse_qsl(
                    body.decode(), keep_blank_values=True)),
                "opened_by": base64.b64decode(code).decode()
                if scheme == "Basic" else None}
        self.server.seen.append(seen)
        answer = self.server.told.pop(0)(seen) if self.server.told else None
        if answer is None or answer == "drop":
            passed = self._pass_on(body)
            if answer == "drop":
                self.close_connection = True
                return
            answer = passed
        status, document, *headers = answer
        data = document if isinstance(document, bytes) \
            else json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers[0] if headers else {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve

    def _pass_on(self, body):
        line = http.client.HTTPConnection(self.server.target, timeout=20)
        try:
            kept = {name: self.headers[name] for name in (
                "Authorization", "Content-Type", "User-Agent")
                if name in self.headers}
            line.request(self.command, self.path, body or None, kept)
            response = line.getresponse()
            return response.status, response.read(), {
                "Content-Type": response.headers.get("Content-Type", "")}
        finally:
            line.close()

    def log_message(self, *_):
        pass
