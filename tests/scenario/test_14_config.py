"""A typing error does not become a default; and every program runs as plain CGI
too."""

import json
import os
import subprocess
import urllib.parse

import pytest

import stack as stacks
from client import Twiml, masked

CONF = ("public_url = https://localhost", "database = {0}/callmask.db",
        "secrets = {0}/secrets.conf", "metrics = {0}/metrics")
KEY = "A" * 43 + "="
SECRETS = (f"sealing_keys = 1:{KEY}", f"lookup_key = {KEY}",
           "twilio_account_sid = AC" + "0" * 32, "twilio_auth_tokens = a b")


def write(folder, conf=CONF, secrets=SECRETS):
    """Write both files; the path of the first."""
    (folder / "callmask.conf").write_text(
        "".join(line.format(folder) + "\n" for line in conf))
    (folder / "secrets.conf").write_text("".join(f"{line}\n" for line in secrets))
    (folder / "secrets.conf").chmod(0o640)
    return str(folder / "callmask.conf")


def start(program, *arguments):
    """Start a program without a socket; the finished process."""
    return subprocess.run(
        [stacks.BIN_DIR / program, *arguments], capture_output=True, text=True,
        check=False, timeout=20, stdin=subprocess.DEVNULL, env={
            "REQUEST_METHOD": "GET", "REQUEST_URI": "/nothing"})


def refused(done, *words):
    """It ended with 1, and said on one line what is wrong and where."""
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


@pytest.mark.parametrize("line, number, words", (
    ("colour = red", 5, ("colour", "unknown key")),
    ("Database = /x", 5, ("Database", "unknown key")),
    ("database = /x", 5, ("database", "given twice")),
    ("log_level = loud", 5, ("log_level", "must be")),
    ("log_level =", 5, ("log_level", "no value")),
    ("url_overrides = rc=2#x", 5, ("url_overrides", "must look like")),
    ("[section]\nlog_level = info", 6, ("sections are not used",)),
    ("nonsense", 5, ("not a `key = value` line",)),
    ("log_level = " + "x" * 5000, 5, ("line longer",)),
    ("# fine\n\ncolour = red", 7, ("unknown key",))), ids=range(10))
@pytest.mark.parametrize("program", (*stacks.PROGRAMS, "outboxd"))
def test_a_bad_line_is_named(tmp_path, program, line, number, words):
    conf = write(tmp_path, CONF + (line,))
    refused(start(program, "-c", conf), f"{conf}:{number}: ", *words)


@pytest.mark.parametrize("key, value", (
    ("public_url", "localhost"), ("public_url", "ftp://localhost"),
    ("public_url", "https://"), ("public_url", "https://localhost/"),
    ("public_url", "https://localhost/path"), ("public_url", "https://a?b"),
    ("public_url", "https://a@b"), ("database", "callmask.db"),
    ("secrets", "secrets.conf"), ("metrics", "./metrics")))
def test_a_bad_value_is_named(tmp_path, key, value):
    conf = [f"{key} = {value}" if line.startswith(key) else line for line in CONF]
    number = next(n for n, line in enumerate(CONF, 1) if line.startswith(key))
    path = write(tmp_path, conf)
    refused(start("voice-inbound", "-c", path), f"{path}:{number}: {key}: ")


@pytest.mark.parametrize("line", CONF)
def test_a_missing_key_is_named(tmp_path, line):
    path = write(tmp_path, [other for other in CONF if other != line])
    refused(start("voice-inbound", "-c", path), path,
            line.split()[0] + " is missing")


@pytest.mark.parametrize("line, words", (
    ("colour = red", ("unknown key",)), (f"lookup_key = {KEY}", ("given twice",)),
    ("twilio_account_sid = AC1", ("given twice",)),
    (f"sealing_keys = 1:{KEY}", ("key 1 is there twice",)),
    (f"sealing_keys = 0:{KEY}", ("numbers from 1",)),
    (f"sealing_keys = 256:{KEY}", ("numbers from 1",)),
    ("sealing_keys = 2:abc", ("NUMBER:BASE64",)),
    ("sealing_keys = 2:" + "!" * 44, ("base64",)),
    ("sealing_keys = secretsecret", ("NUMBER:BASE64",)),
    ("twilio_auth_tokens = c d e", ("more than 4",)),
    ("twilio_auth_tokens = " + "s" * 65, ("too long",))), ids=range(11))
def test_a_bad_secret_is_named_and_not_shown(tmp_path, line, words):
    path = write(tmp_path, secrets=SECRETS + (line,))
    done = start("voice-inbound", "-c", path)
    refused(done, f"{tmp_path}/secrets.conf:5: ", line.split()[0], *words)
    for value in (KEY, "secretsecret", "s" * 20, "!" * 20):
        assert value not in done.stderr


@pytest.mark.parametrize("line, missing", (
    ("twilio_api_key = SK" + "0" * 32, "twilio_api_secret is missing"),
    ("twilio_api_secret = sesame", "twilio_api_key is missing")))
@pytest.mark.parametrize("program", ("voice-inbound", "session-create"))
def test_half_an_api_key_is_refused(tmp_path, program, line, missing):
    path = write(tmp_path, secrets=SECRETS + (line,))
    done = start(program, "-c", path)
    refused(done, f"{tmp_path}/secrets.conf: ", missing)
    assert "sesame" not in done.stderr


def test_secrets_that_others_can_read_are_refused(tmp_path):
    path = write(tmp_path)
    for mode in (0o644, 0o604, 0o602):
        (tmp_path / "secrets.conf").chmod(mode)
        refused(start("voice-inbound", "-c", path), "others may read it")


@pytest.mark.parametrize("program", (*stacks.PROGRAMS, "outboxd", "callmask"))
def test_no_configuration_at_all(tmp_path, program):
    more = ("doctor",) if program == "callmask" else ()
    refused(start(program, "-c", f"{tmp_path}/none.conf", *more),
            f"{tmp_path}/none.conf")


@pytest.mark.parametrize("program", (*stacks.PROGRAMS, "outboxd"))
def test_options(tmp_path, program):
    done = start(program, "-V")
    assert done.returncode == 0 and done.stdout.startswith(program + " ")
    done = start(program, "-x")
    assert done.returncode == 2 and f"usage: {program}" in done.stderr


# Plain CGI.

def cgi(stack, program, method, path, body=b"", **environment):
    """Run a program once: status, headers, body."""
    path, _, query = path.partition("?")
    done = subprocess.run(
        [stacks.BIN_DIR / program, "-c", stack.folder / "callmask.conf"],
        input=body, capture_output=True, check=False, timeout=20, env={
            **{name: os.environ[name] for name in ("ASAN_OPTIONS",)
               if name in os.environ},
            "REQUEST_METHOD": method, "REQUEST_URI": f"{path}?{query}",
            "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body)),
            **environment})
    assert done.returncode == 0, done
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
    headers = dict(lines)
    assert len(headers) == len(lines)
    assert int(headers["Content-Length"]) == len(body)
    return int(headers["Status"].split()[0]), headers, body


@pytest.mark.sanitized
def test_every_program_as_plain_cgi(stack):
    key = {"HTTP_AUTHORIZATION": f"Bearer {stack.env['CALLMASK_API_KEY']}"}
    customer, driver = stack.persons(2)
    wish = json.dumps({"ttl": 60, "parties": [
        {"role": "a", "phone": customer}, {"role": "b", "phone": driver}]})
    status, headers, body = cgi(
        stack, "session-create", "POST", "/v1/sessions", wish.encode(),
        CONTENT_TYPE="application/json", **key)
    session = json.loads(body)
    assert status == 201
    assert headers["Location"] == f"/v1/sessions/{session['id']}"
    assert headers["Content-Type"] == "application/json"

    def hook(program, path, **fields):
        fields = {**stack.voice_fields(customer, masked(session)), **fields}
        return cgi(stack, program, "POST", path,
                   urllib.parse.urlencode(fields).encode(),
                   CONTENT_TYPE="application/x-www-form-urlencoded",
                   HTTP_X_TWILIO_SIGNATURE=stack.sign(path, fields))

    status, headers, body = hook("voice-inbound", "/twilio/voice")
    assert (status, headers["Content-Type"]) == (200, "text/xml")
    assert Twiml(body).rings == driver
    status, _, body = hook("voice-ended", "/twilio/voice/ended",
                           DialCallStatus="no-answer")
    assert status == 200 and Twiml(body).said.startswith("There is no answer")
    status, _, body = hook("status-callback", "/twilio/status",
                           CallStatus="completed")
    assert status == 200 and Twiml(body).verbs == []
    path = f"/v1/sessions/{session['id']}"
    status, _, body = cgi(stack, "session-get", "GET", path, **key)
    assert status == 200 and len(json.loads(body)["calls"]) == 3
    status, _, body = cgi(stack, "session-get", "GET", "/v1/sessions?limit=1", **key)
    assert status == 200 and len(json.loads(body)["sessions"]) == 1
    status, _, body = cgi(stack, "session-close", "POST", path + "/close", **key)
    assert status == 200 and json.loads(body)["status"] == "closed"


@pytest.mark.sanitized
@pytest.mark.parametrize("length, code", (
    ("1000", "incomplete_body"), ("1", "invalid_json"), ("0", "invalid_json"),
    ("", "invalid_json"), ("-5", "incomplete_body"), ("x", "incomplete_body"),
    ("99999999999", "too_large")))
def test_cgi_with_a_length_that_lies(stack, length, code):
    before = stack.tables()
    wish = {"parties": [{"role": "a", "phone": "+12025550150"},
                        {"role": "b", "phone": "+12025550151"}]}
    status, headers, body = cgi(
        stack, "session-create", "POST", "/v1/sessions",
        json.dumps(wish).encode(), CONTENT_TYPE="application/json",
        HTTP_AUTHORIZATION=f"Bearer {stack.env['CALLMASK_API_KEY']}",
        CONTENT_LENGTH=length)
    assert status == (413 if code == "too_large" else 400)
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == code
    assert stack.tables() == before


@pytest.mark.sanitized
def test_cgi_with_nothing_in_its_environment(stack):
    for program in stacks.PROGRAMS:
        done = subprocess.run(
            [stacks.BIN_DIR / program, "-c", stack.folder / "callmask.conf"],
            input=b"", capture_output=True, check=False, timeout=20, env={})
        assert done.returncode == 0 and done.stdout.startswith(b"Status: 404 ")


def test_the_overrides_stand_in_every_url_given_to_twilio(new_stack):
    stack = new_stack()
    with open(stack.folder / "callmask.conf", "a", encoding="utf-8") as conf:
        conf.write("url_overrides = rc=2&rt=4500&rp=ct,rt,5xx\n")
    stack.restart("voice-inbound")
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    twiml = stack.voice(customer, masked(session))
    for url in (twiml.dial["action"], twiml.number["statusCallback"]):
        assert url.endswith("#rc=2&rt=4500&rp=ct,rt,5xx")
    assert stack.dial(customer, masked(session))["connected"]
