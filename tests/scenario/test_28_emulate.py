"""A Twilio that nobody here wrote: npm's emulate. It plays no TwiML and knows
few fields, but keeps numbers, calls and messages, and signs webhooks by its own
code. It listens on all interfaces, so it runs in a network namespace."""

import base64
import http.client
import json
import subprocess
import sys
import time
import urllib.parse

import pytest

import client
import npm
import stack as stacks
from client import masked
from test_01_story import until

JUDGE = client.ROOT / "tests/scenario/emulate"


def namespace():
    """The command that runs another in a network namespace of its own."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if subprocess.run([*command, "true"], check=False,
                          capture_output=True).returncode == 0:
            return command
    return pytest.skip("no network namespace is to be had: emulate would listen "
                       "on all interfaces, so it was not run")


class Emulate:
    """The emulator beside a stack that takes it for Twilio."""

    def __init__(self, stack, url):
        self.stack, self.netloc = stack, urllib.parse.urlsplit(url).netloc
        self.sid = stack.env["TWILIO_ACCOUNT_SID"]
        self.token = stack.env["TWILIO_AUTH_TOKEN"]

    def request(self, method, path, **fields):
        """One request; its document."""
        line = http.client.HTTPConnection(self.netloc, timeout=20)
        code = base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
        try:
            line.request(method, path, urllib.parse.urlencode(fields), {
                "Authorization": "Basic " + code,
                "Content-Type": "application/x-www-form-urlencoded"})
            answer = line.getresponse()
            data = answer.read()
            assert answer.status < 300, data
            return json.loads(data) if data else None
        finally:
            line.close()

    def rest(self, method, path, **fields):
        """One request of the account."""
        return self.request(
            method, f"/2010-04-01/Accounts/{self.sid}/{path}", **fields)

    def numbers(self):
        """The account's numbers, by number."""
        return {each["phone_number"]: each for each in self.rest(
            "GET", "IncomingPhoneNumbers.json?PageSize=1000")[
                "incoming_phone_numbers"]}


@pytest.fixture(scope="module")
def emulate(tmp_path_factory, request):
    """An emulator, and a stack that takes it for Twilio."""
    apart = namespace()
    failed = request.session.testsfailed
    folder = tmp_path_factory.mktemp("emulate")
    port = stacks.free_port()
    stack = stacks.Stack(WORKERS="1")
    seed = folder / "seed.json"
    seed.write_text(json.dumps({"twilio": {
        "account": {"sid": stack.env["TWILIO_ACCOUNT_SID"],
                    "auth_token": stack.env["TWILIO_AUTH_TOKEN"]},
        "phone_numbers": [{"phone_number": number}
                          for number in stack.numbers]}}))
    bridge = [sys.executable, JUDGE / "bridge.py"]
    ends = str(folder), str(port), str(stack.port)
    with open(folder / "log", "w", encoding="utf-8") as log:
        running = [
            subprocess.Popen([*apart, *bridge, "inside", *ends, "env",
                              "NODE_EXTRA_CA_CERTS=" + stack.env["CALLMASK_CA"],
                              "node", npm.modules(JUDGE) / "emulate/dist/index.js",
                              "start", "--service", "twilio", "--port", str(port),
                              "--seed", seed], stdout=log, stderr=log),
            subprocess.Popen([*bridge, "outside", *ends], stdout=log, stderr=log)]
    try:
        url = f"http://127.0.0.1:{port}"
        stack.set_conf("callmask.conf", "twilio_api_url", url)
        stack.restart("outboxd")
        made = Emulate(stack, url)
        deadline = time.monotonic() + 30
        while True:
            try:
                made.numbers()
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
        yield made
    finally:
        for each in running:
            each.terminate()
            each.wait(10)
        stack.stop(keep=request.session.testsfailed > failed)


def test_numbers_are_set(emulate):
    stack = emulate.stack
    done = stack.cli("number", "sync", check=False)
    assert done.returncode == 1
    assert f"{len(stack.numbers)} not right" in done.stdout
    assert stack.cli("number", "sync", "--apply").returncode == 0
    for number in stack.numbers:
        resource = emulate.numbers()[number]
        assert resource["voice_url"] == stack.url + "/twilio/voice"
        assert resource["status_callback"] == stack.url + "/twilio/status"
        assert resource["sms_url"] == stack.url + "/twilio/message"
    assert stack.cli("number", "sync").returncode == 0
    assert "numbers are right at Twilio" in stack.cli("doctor").stdout


def test_numbers_are_bought_and_released(emulate):
    stack, number = emulate.stack, "+13035550142"
    stack.cli("number", "buy", "--yes", number)
    assert emulate.numbers()[number]["voice_url"] == stack.url + "/twilio/voice"
    again = stack.cli("number", "buy", "--yes", number, check=False)
    assert again.returncode == 1 and "in a pool already" in again.stderr
    stack.cli("number", "release", "--yes", number)
    assert number not in emulate.numbers()


def test_more_numbers_than_a_page(emulate):
    stack = emulate.stack
    numbers = [f"+1{area}55501{last:02d}" for area in (304, 305)
               for last in range(100)]
    for number in numbers:
        emulate.rest("POST", "IncomingPhoneNumbers.json", PhoneNumber=number)
    shown = stack.cli("number", "sync", check=False).stdout
    assert set(numbers) <= {line.split()[0] for line in shown.splitlines()}
    for number, resource in emulate.numbers().items():
        if number in numbers:
            emulate.rest("DELETE", f"IncomingPhoneNumbers/{resource['sid']}.json")


def test_its_signature_is_accepted(emulate):
    """A call that it lets come in reaches us, signed by its own code."""
    stack = emulate.stack
    stack.cli("number", "sync", "--apply")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    call = emulate.request("POST", "/_twilio/simulate/inbound-call",
                           From=customer, To=masked(session))
    [shown] = stack.get(session)["calls"]
    assert shown["reason"] == "connected"
    assert stack.one("SELECT count(*) FROM call WHERE sid = ?", call["sid"]) == 1
    assert stack.counters()["webhooks_forged"] == 0


def test_a_call_for_the_app(emulate):
    """It rings nobody, but it is asked for the right call, tells how it goes,
    and ends it."""
    stack = emulate.stack
    stack.cli("number", "sync", "--apply")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)

    def place():
        call = stack.api("POST", f"/v1/sessions/{session['id']}/calls",
                         {"from": "driver"}).json
        until(lambda: stack.one("SELECT sid FROM call WHERE id = ?", call["id"]))
        return call, stack.one("SELECT sid FROM call WHERE id = ?", call["id"])

    def get(call):
        return stack.api("GET", f"/v1/calls/{call['id']}").json

    call, sid = place()
    calls = emulate.rest("GET", "Calls.json")["calls"]
    [asked] = [each for each in calls if each["sid"] == sid]
    assert (asked["to"], asked["from"]) == (driver, masked(session))
    emulate.request("POST", "/_twilio/simulate/call-status", CallSid=sid,
                    Status="completed")
    # It ended, and the other phone was never rung.
    until(lambda: get(call)["status"] == "no-answer")
    call, sid = place()
    stack.api("DELETE", f"/v1/calls/{call['id']}")
    until(lambda: emulate.rest("GET", f"Calls/{sid}.json")["status"]
          == "completed")
    assert stack.counters()["webhooks_forged"] == 0


def test_texts(emulate):
    """From the app, and from a phone to the other, with what becomes of them."""
    stack = emulate.stack
    stack.cli("number", "sync", "--apply")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)

    def sent(phone):
        return [(each["sid"], each["from"], each["body"])
                for each in emulate.rest("GET", "Messages.json")["messages"]
                if (each["to"], each["direction"]) == (phone, "outbound-api")]

    stack.api("POST", f"/v1/sessions/{session['id']}/messages",
              {"to": "driver", "text": "Grüße 🚕"})
    until(lambda: sent(driver))
    [(sid, caller, body)] = sent(driver)
    assert (caller, body) == (masked(session), "Grüße 🚕")
    emulate.request("POST", "/_twilio/simulate/message-status", MessageSid=sid,
                    Status="delivered")
    [message] = stack.get(session)["messages"]
    assert message["status"] == "delivered"
    emulate.request("POST", "/_twilio/simulate/inbound-message", From=driver,
                    To=masked(session), Body="Two minutes")
    until(lambda: sent(customer))
    [(_, caller, body)] = sent(customer)
    assert (caller, body) == (masked(session), "Two minutes")
    assert stack.counters()["webhooks_forged"] == 0
