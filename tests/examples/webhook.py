#!/usr/bin/python3
"""Takes the events of callmask, with Python alone:

    WEBHOOK_SECRET=whsec_… PORT=8080 webhook.py

Put it behind TLS, and tell callmask:

    callmask service set webhook-url=https://app.example/hooks   # prints a secret
    callmask webhook test"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import time

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
SEEN = set()            # yours is a table: an event may come twice


def verify(headers, body):
    """Whether callmask signed this body, as it came, within five minutes."""
    moment = headers.get("webhook-timestamp", "")
    if not moment.isdecimal() or abs(time.time() - int(moment)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{moment}.".encode() + body
    wanted = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256))
    return any(hmac.compare_digest(b"v1," + wanted, each.encode())
               for each in headers.get("webhook-signature", "").split())


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers 204 to an event and 400 to anything else."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        good = verify(self.headers, body)
        if good:
            event = json.loads(body)
            if event["id"] not in SEEN:
                print(event["type"], event["id"], flush=True)
            SEEN.add(event["id"])
        self.send_response(204 if good else 400)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(os.environ["PORT"])), Handler)
print("ready", flush=True)
server.serve_forever()
