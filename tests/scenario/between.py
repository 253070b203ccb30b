"""An account at the sandbox for the operator's tool, and a proxy that stands
between the two: it passes requests on, notes them, and answers otherwise where a
test says so."""

import base64
import http.client
import http.server
import json
import re
import shlex
import subprocess
import threading
import urllib.parse

import stack as stacks


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

    def close(self):
        """Stop answering."""
        self.shutdown()
        self.server_close()

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
        seen["status"] = status
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


class Account:
    """The account at the sandbox as Twilio's console shows it, a new service
    that may use the numbers of one area code, and callmask's tool, led past
    `between`."""

    def __init__(self, stack, folder, service, area):
        self.stack, self.service, self.area = stack, service, str(area)
        self.numbers = [f"+1{area}55501{last:02d}" for last in range(100)]
        self.between = Between(stack.env["SANDBOX_URL"])
        self.sid = stack.env["TWILIO_ACCOUNT_SID"]
        self.conf = folder / "callmask.conf"
        self.set(twilio_api_url=self.between.url)
        stack.new_service(service, "--hold", "0")

    def close(self, at_sandbox=True):
        """Leave the account as it was, for other tests."""
        self.between.close()
        if at_sandbox:
            self.release(self.area)

    def release(self, area):
        """Give the numbers of an area code back."""
        for each in self.rest(
                "GET", ".json", PageSize="1000",
                PhoneNumber=f"+1{area}555")["incoming_phone_numbers"]:
            self.rest("DELETE", f"/{each['sid']}.json")

    def set(self, **conf):
        """Write a configuration that differs from the stack's."""
        text = self.stack.read("callmask.conf")
        for key, value in conf.items():
            text = re.sub(rf"(?m)^{key} *=.*\n", "", text)
            text += f"{key} = {value}\n"
        self.conf.write_text(text)

    def rest(self, method, path, **fields):
        """One request to the sandbox, by no callmask."""
        line = http.client.HTTPConnection(
            urllib.parse.urlsplit(self.stack.env["SANDBOX_URL"]).netloc)
        code = f"{self.sid}:{self.stack.env['TWILIO_AUTH_TOKEN']}".encode()
        form = urllib.parse.urlencode(fields)
        path = f"/2010-04-01/Accounts/{self.sid}/IncomingPhoneNumbers{path}"
        if method == "GET" and form:
            path, form = f"{path}?{form}", None
        try:
            line.request(method, path, form, {
                "Authorization": "Basic " + base64.b64encode(code).decode(),
                "Content-Type": "application/x-www-form-urlencoded"})
            answer = line.getresponse()
            assert answer.status < 300
            return json.loads(answer.read() or b"null")
        finally:
            line.close()

    def buy(self, number, **settings):
        """Have a number, set to callmask but for what is given."""
        right = {"VoiceUrl": self.stack.url + "/twilio/voice",
                 "StatusCallback": self.stack.url + "/twilio/status",
                 "SmsUrl": self.stack.url + "/twilio/message"}
        self.rest("POST", ".json", PhoneNumber=number, **right | settings)

    def get(self, number):
        """A number's resource, or None."""
        [*found] = self.rest("GET", ".json", PhoneNumber=number)[
            "incoming_phone_numbers"]
        return found[0] if found else None

    def state(self, number):
        """What the pool says of a number; None if it is in none."""
        rows = self.stack.rows("SELECT state FROM number WHERE number = ?",
                               number)
        return rows[0][0] if rows else None

    def command(self, *arguments):
        """The command line of the tool."""
        program = shlex.split(self.stack.env["CALLMASK"])[0]
        return [program, "-c", self.conf, "-s", self.service, *arguments]

    def cli(self, *arguments):
        """Run the tool."""
        return subprocess.run(self.command(*arguments), capture_output=True,
                              text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL)

    def sync(self, *arguments):
        """Run `number sync`: exit status and lines."""
        done = self.cli("number", "sync", *arguments)
        return done.returncode, done.stdout.splitlines()

    def at_terminal(self, *arguments, typed=b""):
        """Run the tool at a terminal: exit status and what stood there."""
        return stacks.at_terminal(self.command(*arguments), typed)
