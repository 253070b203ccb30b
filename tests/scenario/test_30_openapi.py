"""The description of the API at /v1/openapi.json: that it is one, that it says
what the programs do, and that the client of these tests holds every answer
against it."""

import html.parser
import json
import re
import subprocess
import sys

import jsonschema
import pytest

import client
import description
import npm

sys.path.append(str(client.ROOT / "tests"))
import openapi_page                                       # noqa: E402

JUDGE = client.ROOT / "tests/scenario/openapi"
SESSION = "/v1/sessions/ses_01m821vx6j3y7mycw7bw9vqs6s"


@pytest.fixture(name="document")
def fixture_document():
    """The description, to be bent."""
    return json.loads(description.FILE.read_text(encoding="utf-8"))


def source(name):
    """A file of the programs."""
    return (client.ROOT / name).read_text(encoding="utf-8")


# It is a description.

def test_it_is_valid_openapi(document, tmp_path):
    npm.modules(JUDGE)
    del document["paths"]["/v1/sessions"]["get"]["responses"]["200"]["description"]
    bent = tmp_path / "bent.json"
    bent.write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(["node", JUDGE / "validate.mjs", description.FILE, bent],
                          capture_output=True, text=True, timeout=60, check=True)
    good, bad = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1.") and not good and bad


def bodies(node):
    """All that has a schema and an example."""
    if isinstance(node, dict):
        if "schema" in node and "example" in node:
            yield node
        for value in node.values():
            yield from bodies(value)
    elif isinstance(node, list):
        for value in node:
            yield from bodies(value)


def test_every_example_fits(document):
    found = list(bodies(document))
    assert len(found) > 60
    for body in found:
        schema = description.resolve(document, body["schema"])
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(body["example"])


def test_every_reference_is_used(document):
    text = json.dumps(document)
    for kind in ("schemas", "parameters", "headers", "responses"):
        for name in document["components"][kind]:
            assert (f'"#/components/{kind}/{name}"' in text
                    or name == "MethodNotAllowed"), (kind, name)


def test_every_object_is_closed(document):
    def walk(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False, node
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
    walk(document)


# It says what the programs do.

def test_every_endpoint_is_described(document):
    endpoints = set()
    for program in (client.ROOT / "cgi-bin").glob("*.c"):
        endpoints |= set(re.findall(
            r'\.method = "(\w+)",\s*\.path = "(/(?:v1|admin)/[^"]*)"',
            program.read_text(encoding="utf-8")))
    assert len(endpoints) > 10 and endpoints == {
        (method.upper(), path) for path, methods in document["paths"].items()
        for method in methods if method != "parameters"}


@pytest.mark.parametrize("name, pattern, place", (
    ("lib/policy.c", r"\[POLICY_\w+\] = \"(\w+)\"",
     ("Route", "properties", "reason", "enum")),
    ("lib/call.c", r"\[CALL_\w+\] = \"([\w-]+)\"",
     ("Call", "properties", "status", "enum")),
    ("lib/message.c", r"\[MESSAGE_\w+\] = \"([\w-]+)\"",
     ("Message", "properties", "status", "enum")),
    ("lib/recording.c", r"\[RECORDING_\w+\] = \"([\w-]+)\"",
     ("Recording", "properties", "status", "enum")),
    ("lib/session.c", r"\[SESSION_\w+\] = \"(\w+)\"",
     ("Session", "properties", "status", "enum")),
    ("lib/tally.c", r"\[TALLY_\w+\] = \"(\w+)\"",
     ("Tallies", "properties", "series", "properties")),
    ("lib/policy.c", r"\[POLICY_\w+\] = \"(?!connected|relayed)(\w+)\"",
     ("Refusals", "properties")),
    ("lib/event.c", r"\[EVENT_\w+\] = \"([\w.]+)\"",
     ("Event", "properties", "type", "enum"))))
def test_every_word_is_described(document, name, pattern, place):
    words = document["components"]["schemas"]
    for step in place:
        words = words[step]
    known = set(re.findall(pattern, source(name)))
    actions = {"connect", "forward", "ask_code", "refuse"}
    assert len(words) == len(set(words))
    assert set(words) == known - (actions if "policy" in name else set())


def test_every_setting_is_described(document):
    rows = re.findall(r'\{ "([a-z-]+)",[^{}]*?SERVICE_(\w+),\s*AT',
                      source("lib/service.c"))
    described = document["components"]["schemas"]["Settings"]["properties"]
    assert len(rows) > 20 and [name for name, _ in rows] == list(described)
    for name, kind in rows:
        assert ("minimum" in described[name]) == (kind == "NUMBER"), name


def test_every_code_is_described(document):
    problem = document["components"]["schemas"]["Problem"]
    codes = set(problem["properties"]["code"]["enum"])
    ours = set(re.findall(r'\[RC_\w+\] = \{ \d+, "(\w+)" \}', source("lib/serve.c")))
    nginx = set(re.findall(r'"code":"(\w+)"', source("nginx/callmask.conf")))
    # Twilio's part, the command line's, codes that are typed.
    elsewhere = {"signature_invalid", "exists", "limit"}
    assert elsewhere < ours and (ours | nginx) - elsewhere <= codes


def test_every_event_has_its_webhook(document):
    types = document["components"]["schemas"]["Event"]["properties"]["type"]["enum"]
    assert list(document["webhooks"]) == types


# It is served.

@pytest.mark.parametrize("name, kind", (
    ("json", "application/json"), ("html", "text/html"), ("css", "text/css")))
def test_it_is_served_to_everybody(stack, name, kind):
    answer = stack.request("GET", f"/v1/openapi.{name}")
    assert answer.status == 200 and answer.type == kind
    assert answer.body == description.FILE.with_suffix(f".{name}").read_bytes()
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Server"] == "nginx"
    head = stack.request("HEAD", f"/v1/openapi.{name}")
    assert head.status == 200 and head.body == b""


@pytest.mark.parametrize("name", ("", "xml", "json/", "json/x", "./callmask.conf",
                                  "%2e/callmask.conf", "./../callmask.conf"))
def test_nothing_else_is_served(stack, name):
    assert stack.request("GET", f"/v1/openapi.{name}").problem == (
        404, "not_found", None)


@pytest.mark.parametrize("method", ("POST", "PUT", "DELETE", "PATCH"))
def test_it_is_only_read(stack, method):
    answer = stack.request(method, "/v1/openapi.json", b"{}")
    assert answer.problem == (405, "method_not_allowed", None)
    assert answer.headers["Allow"] == "GET, HEAD"


# The page.

class Reader(html.parser.HTMLParser):
    """Notes what a page has."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs[name] for name in ("href", "src") if name in attrs]
        assert not {name for name in attrs
                    if name == "style" or name.startswith("on")}
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_says_what_the_description_says():
    assert description.FILE.with_suffix(".html").read_text(
        encoding="utf-8") == openapi_page.page(), "run tests/openapi_page.py"


def test_the_page_needs_nothing_from_elsewhere(document):
    reader = Reader(openapi_page.page())
    assert not reader.open and not {"script", "style", "img"} & set(reader.tags)
    assert len(reader.ids) == len(set(reader.ids))
    for link in reader.links:
        assert link in ("openapi.css", "openapi.json") or (
            link[0] == "#" and link[1:] in reader.ids), link
    assert {operation["operationId"] for methods in document["paths"].values()
            for method, operation in methods.items()
            if method != "parameters"} <= set(reader.ids)


# Answers are held against it.

def answer(document, method="get", status="200", change=()):
    """The answer of an example; a change may make a field "gone"."""
    headers = client.http.client.HTTPMessage()
    found = description.resolve(
        document,
        document["paths"]["/v1/sessions/{id}"][method]["responses"][status])
    [(headers["Content-Type"], content)] = found["content"].items()
    said = {**content["example"], **dict(change)}
    said = {name: value for name, value in said.items() if value != "gone"}
    return client.Answer(int(status), headers, json.dumps(said).encode())


def test_what_is_described_passes(document):
    judge = description.Description(document)
    judge.judge("GET", SESSION, None, answer(document))
    judge.judge("GET", SESSION, None, answer(document, status="404"))


@pytest.mark.parametrize("what", (
    {"change": {"phone": "+12025550147"}}, {"change": {"status": "gone"}},
    {"change": {"status": "lost"}}, {"change": {"parties": []}},
    {"change": {"created_at": "yesterday"}}, {"status": 201},
    {"method": "PUT"}, {"target": "/v1/nothing"}, {"kind": "text/html"},
    {"target": SESSION + "?all=1"}))
def test_what_is_not_described_fails(document, what):
    said = answer(document, change=what.get("change", {}))
    if "kind" in what:
        said.headers.replace_header("Content-Type", what["kind"])
    said = said._replace(status=what.get("status", said.status))
    with pytest.raises((AssertionError, KeyError, jsonschema.ValidationError)):
        description.Description(document).judge(
            what.get("method", "GET"), what.get("target", SESSION), None, said)


def test_a_request_that_is_not_described_fails_if_taken(document):
    judge = description.Description(document)
    said = answer(document, "patch")
    judge.judge("PATCH", SESSION, b'{"ttl": 60}', said)
    with pytest.raises(jsonschema.ValidationError):
        judge.judge("PATCH", SESSION, b'{"life": 60}', said)


def test_every_answer_goes_that_way(stack, document, monkeypatch):
    del document["components"]["schemas"]["SessionPage"]["properties"]["next"]
    bent = description.Description(document)
    stack.api("GET", "/v1/sessions")
    monkeypatch.setattr(description, "the", lambda: bent)
    with pytest.raises(jsonschema.ValidationError):
        stack.api("GET", "/v1/sessions")
