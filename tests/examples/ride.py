#!/usr/bin/python3
"""A ride from its booking to its end, with Python alone:

    export CALLMASK_URL=https://mask.example.net CALLMASK_API_KEY=…
    ride.py CUSTOMER DRIVER

The two are phone numbers like +12025550147. CALLMASK_CA names the file of an
authority of your own, as make run has one."""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
import uuid

TLS = ssl.create_default_context(cafile=os.environ.get("CALLMASK_CA"))


class Refused(Exception):
    """What callmask refuses: its problem document, a stable word in "code"."""


def api(method, path, document=None):
    """One deed, however often it has to be asked for: the key makes that safe
    when an answer was lost. What the answer says."""
    request = urllib.request.Request(
        os.environ["CALLMASK_URL"] + path, method=method,
        data=None if document is None else json.dumps(document).encode(),
        headers={"Authorization": "Bearer " + os.environ["CALLMASK_API_KEY"],
                 "Content-Type": "application/json",
                 "Idempotency-Key": str(uuid.uuid4())})
    for last in (False, False, False, True):
        pause = 1
        try:
            with urllib.request.urlopen(request, timeout=30, context=TLS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if last or error.code not in (429, 503):
                raise Refused(json.load(error)) from error
            pause = int(error.headers["Retry-After"])
        except OSError:
            if last:
                raise
        time.sleep(pause)


def main(customer, driver):
    session = api("POST", "/v1/sessions", {"ttl": 7200, "parties": [
        {"role": "customer", "phone": customer},
        {"role": "driver", "phone": driver}]})
    path = f"/v1/sessions/{session['id']}"
    print(f"session {session['id']}: both dial "
          f"{session['parties'][0]['masked_number']}")

    text = api("POST", path + "/messages", {
        "to": "driver", "text": "Your customer waits at the main entrance."})
    text = text["messages"][0]
    print(f"text {text['id']}: {text['status']}")

    # The driver's phone rings first, then the customer's.
    call = api("POST", path + "/calls", {"from": "driver"})
    print(f"call {call['id']}: {call['status']}")

    session = api("POST", path + "/close", {"end_calls": True})
    print(f"session {session['id']}: {session['status']}")


main(*sys.argv[1:])
