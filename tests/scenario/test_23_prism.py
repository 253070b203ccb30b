"""Every REST request callmask makes is held against Twilio's own description of
its API, by Prism, and every field's name is looked up there: Prism passes over
names it does not know."""

import base64
import http.client
import json
import re
import subprocess
import time
import urllib.parse

import pytest

import client
import npm
import stack as stacks
from between import Account, Between
from client import masked
from test_01_story import until

JUDGE = client.ROOT / "tests/scenario/prism"
DESCRIPTION = client.SHARED / "twilio/openapi/twilio_api_v2010.masking-strict.json"

# Nothing takes a number from a trunk or an application but an empty SID, which
# Twilio does and its description does not know.
CLEARED = ("TrunkSid", "VoiceApplicationSid", "SmsApplicationSid")

ONE = "IncomingPhoneNumbers/{Sid}.json"

# What callmask must have asked after `tour`, and by that must have been judged.
ASKED = {
    ("GET", ".json"), ("GET", "IncomingPhoneNumbers.json"),
    ("POST", "IncomingPhoneNumbers.json"), ("POST", ONE), ("DELETE", ONE),
    ("GET", "AvailablePhoneNumbers/{CountryCode}/Local.json"),
    ("GET", "AvailablePhoneNumbers/{CountryCode}/Mobile.json"),
    ("POST", "Calls.json"), ("POST", "Calls/{Sid}.json"),
    ("GET", "Messages.json"), ("POST", "Messages.json"),
    ("DELETE", "Calls/{Sid}.json"), ("DELETE", "Messages/{Sid}.json"),
    ("DELETE", "Recordings/{Sid}.json"),
}

# Asked only if an answer was lost and no webhook told of the call or text.
LOOKS = [{"method": "GET", "path": path, "fields": [
    ["To", "+12025550147"], ["From", "+12025550199"], ["PageSize", "50"]]}
         for path in ("Calls.json", "Messages.json")]


def look_for_a_text(stack):
    """One in doubt."""
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    with stack.texts_held(session):
        stack.sandbox("POST", "messages", {
            "from": customer, "to": masked(session), "body": "x"})
        stack.bend("UPDATE outbox SET doubt = 1 WHERE kind = 'message' AND "
                   "state = 'waiting'")
    stack.texts_settled(session)


def tour(account):
    """Have callmask make a request of every kind. Add a line for a new kind,
    and its path to ASKED."""
    bought, wrong, taken = account.numbers[:3]
    account.buy(wrong, VoiceUrl="https://elsewhere.example/", VoiceMethod="GET",
                StatusCallback="", StatusCallbackMethod="GET", SmsUrl="",
                SmsMethod="GET")
    account.buy(taken, TrunkSid="TK" + "0" * 32)
    account.stack.cli("number", "add", wrong, taken, service=account.service)
    for words in (("doctor",), ("number", "sync", "--apply"),
                  ("number", "sync", "--apply", "--take-over"),
                  ("number", "search", "--country", "US", "--area-code",
                   account.area, "--contains", "555"),
                  ("number", "search", "--country", "GB", "--mobile"),
                  ("number", "buy", "--yes", bought),
                  ("number", "release", "--yes", bought)):
        done = account.cli(*words)
        assert done.returncode in (0, 1) and "no answer" not in done.stderr
    look_up_by_the_worker(account, account.numbers[3])
    place_and_end_a_call(account.stack)
    look_for_a_text(account.stack)
    erase_session(account.stack, send_texts(account.stack))


def place_and_end_a_call(stack):
    """By the app, while the first phone rings."""
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.phone(driver, behaviour="manual")
    call = stack.api("POST", f"/v1/sessions/{session['id']}/calls",
                     {"from": "driver"}).json
    until(lambda: stack.one("SELECT sid FROM call WHERE id = ?", call["id"]))
    stack.api("DELETE", f"/v1/calls/{call['id']}")
    until(lambda: stack.one("SELECT count(*) FROM outbox WHERE kind = 'hang_up' "
                            "AND subject_id = ? AND state = 'done'", call["id"]))


def look_up_by_the_worker(account, number):
    """A number that is not as it must be, and set."""
    account.buy(number, VoiceUrl="", SmsMethod="GET")
    account.stack.cli("number", "add", number, service=account.service)
    key = account.stack.cli("key", "add", "--role", "admin", "--name", "key",
                            service=account.service).stdout.strip()
    account.stack.api("POST", "/v1/numbers/sync", {"apply": True}, key)
    until(lambda: account.stack.one("SELECT twilio_state FROM number WHERE "
                                    "number = ?", number) == "right")


def erase_session(stack, session):
    """With a call, texts and a recording."""
    sid = stack.sandbox("POST", "calls", {
        "from": session["customer"], "to": masked(session)})["sid"]
    stack.webhook("/twilio/recording", {
        "AccountSid": stack.env["TWILIO_ACCOUNT_SID"], "CallSid": sid,
        "RecordingSid": "RE" + "0" * 32, "RecordingStatus": "completed",
        "RecordingDuration": "5", "RecordingChannels": "2"})
    stack.cli("erase", "session", session["id"])
    until(lambda: stack.one(
        "SELECT count(*) FROM outbox WHERE kind = 'erase' AND "
        "state <> 'done'") == 0)


def send_texts(stack):
    """By the app, and between the two, with a picture."""
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.api("POST", f"/v1/sessions/{session['id']}/messages", {"text": "Hello"})
    stack.sandbox("POST", "messages", {
        "from": customer, "to": masked(session), "body": "Look",
        "media": ["https://media.example/1", "https://media.example/2"]})
    until(lambda: stack.one(
        "SELECT count(*) FROM outbox WHERE kind = 'message' AND state = 'done' "
        "AND subject_id IN (SELECT id FROM message WHERE session_id = ?)",
        session["id"]) == 3)
    return {**session, "customer": customer}


@pytest.fixture(scope="module")
def description():
    """Twilio's description."""
    if not DESCRIPTION.exists():
        pytest.skip("../shared/twilio/openapi is not there: no REST request was "
                    "held against it")
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def prism(description, tmp_path_factory):
    """A Prism that knows it; its base URL."""
    port = stacks.free_port()
    log = tmp_path_factory.mktemp("prism") / "log"
    with open(log, "w", encoding="utf-8") as output, subprocess.Popen(
            ["node", npm.modules(JUDGE) / "@stoplight/prism-cli/dist/index.js",
             "mock", "-h", "127.0.0.1", "-p", str(port), DESCRIPTION],
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT) as running:
        try:
            deadline = time.monotonic() + 60
            while "is listening" not in log.read_text(encoding="utf-8"):
                assert running.poll() is None and time.monotonic() < deadline, \
                    log.read_text(encoding="utf-8")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


def ask(prism, request):
    """What Prism says of a request: its status and its complaints as pairs of
    field and text."""
    line = http.client.HTTPConnection(urllib.parse.urlsplit(prism).netloc,
                                      timeout=20)
    form = urllib.parse.urlencode([*map(tuple, request["fields"])])
    path = urllib.parse.quote(request["path"])
    headers = {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
    if request["method"] == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif form:
        path, form = f"{path}?{form}", ""
    try:
        line.request(request["method"], path, form or None, headers)
        answer = line.getresponse()
        data = answer.read()
    finally:
        line.close()
    if answer.status < 300:
        return answer.status, []
    return answer.status, [
        (each["location"][-1], each["message"])
        for each in json.loads(data).get("validation", ())]


def path_of(description, request):
    """The path of the description that a request went to."""
    for path in description["paths"]:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        if re.fullmatch(pattern, request["path"]):
            return path
    return None


def names(description, request):
    """The names that fields of such a request may have."""
    method = description["paths"][path_of(description, request)].get(
        request["method"].lower())
    assert method, f"no such method: {request}"
    body = method.get("requestBody", {}).get("content", {}).get(
        "application/x-www-form-urlencoded", {}).get("schema", {})
    return set(body.get("properties", ())) | {
        each["name"] for each in method.get("parameters", ())
        if each["in"] == "query"}


@pytest.fixture(scope="module")
def asked(stack, description, tmp_path_factory):
    """One of each shape of request that callmask made to the sandbox: on the
    tour, and in the tests before it that shared this stack."""
    account = Account(stack, tmp_path_factory.mktemp("account"), "prism", "978")
    tour(account)
    account.close()
    path = f"/2010-04-01/Accounts/{account.sid}/"
    return [{**look, "path": path + look["path"]} for look in LOOKS] + [
        request for request in stack.sandbox("GET", "requests")["requests"]
        if request["agent"].startswith("callmask/")]


def test_a_request_of_every_kind_was_made(description, asked):
    below = "/2010-04-01/Accounts/{AccountSid}/"
    kinds = {(request["method"], path_of(description, request).replace(
        below, "").replace("/2010-04-01/Accounts/{Sid}", ""))
             for request in asked if path_of(description, request)}
    assert ASKED <= kinds


def test_twilio_knows_every_path_and_name(description, asked):
    for request in asked:
        assert path_of(description, request), request
        for name, _ in request["fields"]:
            assert name in names(description, request), (name, request)


def test_prism_accepts_every_request(prism, asked):
    for request in asked:
        status, complaints = ask(prism, request)
        cleared = {name for name, value in request["fields"]
                   if name in CLEARED and not value}
        assert {name for name, _ in complaints} == cleared, (
            request, status, complaints)
        if cleared:
            request = {**request, "fields": [
                field for field in request["fields"] if field[0] not in cleared]}
            status, complaints = ask(prism, request)
        assert status < 300, (request, status, complaints)


def test_prism_would_have_refused(prism, description, asked):
    """It looks at what it is shown."""
    [request] = [each for each in asked if each["method"] == "POST"
                 and dict(each["fields"]).get("PhoneNumber")][:1]
    for name, value in (("VoiceMethod", "PUT"), ("VoiceUrl", "no url"),
                        ("TrunkSid", "TK1")):
        wrong = {**request, "fields": [*request["fields"], [name, value]]}
        status, complaints = ask(prism, wrong)
        assert status == 422 and [field for field, _ in complaints][:1] == [name]
    assert "VoiceURL" not in names(description, request)
    assert ask(prism, {**request, "path": request["path"] + "x"})[0] == 404


def test_the_tool_itself_talks_to_prism(stack, prism, tmp_path):
    """The very bytes, with all headers. Prism answers with the description's
    examples, whose numbers are not ours."""
    account = Account(stack, tmp_path, "prism-wire", "979")
    account.between.close()
    account.between = Between(prism)
    account.set(twilio_api_url=account.between.url)
    number = account.numbers[0]
    for words, status in (
            (("number", "sync"), 0), (("number", "buy", "--yes", number), 0),
            (("number", "search", "--country", "US"), 0),
            (("number", "sync", "--apply"), 1),      # it is not in the account
            (("number", "release", "--yes", number), 0), (("doctor",), 1)):
        done = account.cli(*words)
        assert done.returncode == status, done
    assert len(account.between.seen) >= 6
    assert {each["status"] for each in account.between.seen} <= {200, 201, 204}
    account.close(at_sandbox=False)
