"""load.py - a steady load of what comes to callmask, each answer looked at.

Reads what to do as JSON from standard input, goes on until that ends or SIGTERM
comes, and prints as JSON what became of it: answers by kind, the longest anybody
waited, and each one that was lost (refused, cut off, a 5xx, an apology, not what
was asked for).

Each request has a connection of its own, but for the last kind, a backend that
keeps its connection.
"""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import secrets
import signal
import ssl
import sys
import threading
import time
import urllib.parse

PATIENCE_S = 15     # Twilio waits no longer


class Lost(Exception):
    """A request was not answered as it should be."""


class Load:
    def __init__(self, plan):
        self.plan = plan
        self.tls = ssl.create_default_context(cafile=plan["ca"])
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.answers, self.longest, self.lost = {}, {}, []
        self.opened, self.texted = [], 0
        self.count = itertools.count()
        self.door = http.client.HTTPSConnection(
            plan["host"], timeout=PATIENCE_S, context=self.tls)

    # --- Requests.

    def ask(self, host, method, path, body=None, headers=(), kept=None):
        """The status and body of the answer."""
        door = kept or http.client.HTTPSConnection(
            host, timeout=PATIENCE_S, context=self.tls)
        try:
            door.request(method, path, body, dict(headers))
            answer = door.getresponse()
            return answer.status, answer.read().decode()
        finally:
            if kept is None:
                door.close()

    def twilio(self, path, params):
        """Sends one of Twilio's webhooks, signed."""
        host = self.plan["host"]
        text = f"https://{host}{path}" + "".join(
            key + params[key] for key in sorted(params))
        mac = hmac.new(self.plan["token"].encode(), text.encode(), hashlib.sha1)
        return self.ask(host, "POST", path, urllib.parse.urlencode(params), {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": base64.b64encode(mac.digest()).decode()})

    def api(self, method, path, document=None, key=None, kept=None):
        headers = {"Authorization": "Bearer " + self.plan["key"]}
        if document is not None:
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = key or secrets.token_hex(8)
        return self.ask(self.plan["host"], method, path,
                        document and json.dumps(document), headers, kept)

    # --- What is asked again and again. Each returns after a good answer.

    def voice(self):
        """A party dials the masked number."""
        caller, other, masked = self.plan["pair"]
        status, body = self.twilio("/twilio/voice", {
            "CallSid": "CA" + secrets.token_hex(16), "From": caller,
            "To": masked, "AccountSid": self.plan["account"],
            "CallStatus": "ringing", "Direction": "inbound",
            "ApiVersion": "2010-04-01"})
        if status != 200 or f">{other}</Number>" not in body:
            raise Lost(f"{status} {body[:200]}")

    def status(self):
        """A leg's progress is reported."""
        status, body = self.twilio("/twilio/status", {
            "CallSid": "CA" + secrets.token_hex(16), "CallStatus": "completed",
            "AccountSid": self.plan["account"], "ApiVersion": "2010-04-01"})
        if status != 200 or "<Response/>" not in body:
            raise Lost(f"{status} {body[:200]}")

    def text(self):
        """The app texts a party; see that it leaves, once, afterwards."""
        status, body = self.api(
            "POST", f"/v1/sessions/{self.plan['session']}/messages",
            {"to": "driver", "text": f"text {next(self.count)}"})
        if status != 202:
            raise Lost(f"{status} {body[:200]}")
        self.texted += 1
        time.sleep(0.4)

    def session(self):
        """The app opens a session and closes it."""
        n = next(self.count)
        status, body = self.api("POST", "/v1/sessions", {"ttl": 600, "parties": [
            {"role": "customer", "phone": f"+1301555{100 + n % 100:04}"},
            {"role": "driver", "phone": f"+1302555{100 + n % 100:04}"}]})
        if status != 201:
            raise Lost(f"{status} {body[:200]}")
        opened = json.loads(body)["id"]
        self.opened.append(opened)
        status, body = self.api("POST", f"/v1/sessions/{opened}/close", {})
        if status != 200:
            raise Lost(f"{status} {body[:200]}")

    def events(self):
        """The app waits for events."""
        status, body = self.api("GET", "/v1/events?after=999999999&wait=2")
        if status != 200 or "events" not in json.loads(body):
            raise Lost(f"{status} {body[:200]}")

    def other_site(self):
        """Somebody looks at the other site of this nginx."""
        status, body = self.ask(self.plan["other"], "GET", "/v1/things")
        if (status, body) != (200, "the shop\n"):
            raise Lost(f"{status} {body[:200]}")

    def kept(self):
        """A backend that keeps its connection asks. One that nginx has closed
        while it was idle is opened anew, as HTTP libraries do."""
        if self.door.sock is not None and readable(self.door.sock):
            self.door.close()
        try:
            status, body = self.api("GET", "/v1/sessions?limit=1",
                                    kept=self.door)
        except (OSError, http.client.HTTPException):
            self.door.close()
            raise
        if status != 200:
            raise Lost(f"{status} {body[:200]}")

    # --- Again and again.

    def once(self, kind, act):
        begun = time.time()
        try:
            act()
        except (Lost, OSError, http.client.HTTPException) as error:
            with self.lock:
                self.lost.append({"at": begun, "kind": kind,
                                  "after": round(time.time() - begun, 3),
                                  "what": f"{type(error).__name__}: {error}"})
        with self.lock:
            self.answers[kind] = self.answers.get(kind, 0) + 1
            self.longest[kind] = max(self.longest.get(kind, 0),
                                     round(time.time() - begun, 3))

    def repeat(self, kind, act):
        while not self.stop.wait(self.plan["pause_s"]):
            self.once(kind, act)

    def run(self):
        kinds = [self.voice] * 3 + [self.status, self.text, self.session,
                                    self.events, self.events, self.other_site,
                                    self.kept]
        threads = [threading.Thread(target=self.repeat, args=(
            kind.__name__, kind)) for kind in kinds]
        for thread in threads:
            thread.start()
        print("running", flush=True)
        sys.stdin.read()
        self.stop.set()
        for thread in threads:
            thread.join()


def readable(sock):
    """Whether the other side has said something (its farewell) unasked."""
    sock.setblocking(False)
    try:
        sock.read(1)
        return True
    except (ssl.SSLWantReadError, BlockingIOError):
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(PATIENCE_S)


def main():
    load = Load(json.loads(sys.stdin.readline()))
    signal.signal(signal.SIGTERM, lambda *_: sys.stdin.close())
    load.run()
    json.dump({"answers": load.answers, "longest": load.longest,
               "lost": load.lost, "opened": load.opened,
               "texted": load.texted}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
