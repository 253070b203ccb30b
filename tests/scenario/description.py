"""The API as nginx/v1/openapi.json describes it. Every answer that the client of
these tests gets below /v1/ and /admin/v1/ is held against it, every request that was taken, and
every event: what is not described fails."""

import functools
import json
import pathlib
import re
import urllib.parse

import jsonschema

FILE = pathlib.Path(__file__).resolve().parents[2] / "nginx/v1/openapi.json"
PROBLEM = "application/problem+json"


def resolve(document, node):
    """A copy of a node with everything in it that it refers to."""
    if isinstance(node, list):
        return [resolve(document, each) for each in node]
    if not isinstance(node, dict):
        return node
    copy = {name: resolve(document, value) for name, value in node.items()
            if name != "$ref"}
    if "$ref" not in node:
        return copy
    target = document
    for word in node["$ref"].removeprefix("#/").split("/"):
        target = target[word]
    return {**resolve(document, target), **copy}


class Description:
    """What a description says. Give it a document to try another one."""

    def __init__(self, document):
        self.schemas = document["components"]["schemas"]
        self.problem = self._body(document, {"content": {
            PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}})
        self.wrong_method = self._answer(
            document, document["components"]["responses"]["MethodNotAllowed"])
        self.events = {
            name: self._body(document, hook["post"]["requestBody"])
            for name, hook in document["webhooks"].items()}
        self.paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), {
                method.upper(): self._operation(document, operation)
                for method, operation in methods.items()
                if method != "parameters"})
            for path, methods in document["paths"].items()]

    def _operation(self, document, operation):
        parameters = resolve(document, operation.get("parameters", []))
        body = operation.get("requestBody")
        return {
            "query": {each["name"]: jsonschema.Draft202012Validator(
                each["schema"]) for each in parameters
                      if each["in"] == "query"},
            "body": self._body(document, body) if body else {},
            "answers": {status: self._answer(document, answer)
                        for status, answer in operation["responses"].items()}}

    def _answer(self, document, answer):
        answer = resolve(document, answer)
        return {"headers": answer.get("headers", {}),
                "body": self._body(document, answer)}

    @staticmethod
    def _body(document, holder):
        """A validator for each content type."""
        return {kind: jsonschema.Draft202012Validator(content["schema"])
                for kind, content in resolve(
                    document, holder).get("content", {}).items()}

    def find(self, path):
        """The operations at a path by method, None if there is no such path."""
        for pattern, operations in self.paths:
            if pattern.fullmatch(path):
                return operations
        return None

    def judge(self, method, target, body, answer):
        """Fail unless a request and its answer are as described."""
        path, _, query = target.partition("?")
        panel = path.startswith("/admin/v1/")
        if panel:
            path = path.removeprefix("/admin")
        if (not path.startswith(("/v1/", "/admin/sign-"))
                or path.startswith("/v1/openapi.")):
            return
        # nginx has refused it before it looked at the path.
        if answer.status in (400, 414) and b"<center>nginx</center>" in answer.body:
            return
        operations = self.find(path)
        wanted = "GET" if method == "HEAD" else method
        if operations and wanted in operations:
            operation = operations[wanted]
            expected = operation["answers"].get(str(answer.status))
            assert expected, f"{method} {path}: {answer.status} is not described"
            if answer.status < 400:
                self._judge_request(operation, query, body)
        elif operations and answer.status == 405:
            expected = self.wrong_method
            told = set(answer.headers["Allow"].split(", ")) - {"HEAD"}
            assert told == set(operations), (path, told)
        else:
            assert answer.status >= 400, f"{method} {path} is not described"
            expected = {"headers": {}, "body": self.problem}
        if panel:       # no browser is to ask for a password
            assert answer.headers["WWW-Authenticate"] is None
            expected = {**expected, "headers": {
                name: header for name, header in expected["headers"].items()
                if name != "WWW-Authenticate"}}
        self._judge_answer(expected, method, answer)

    @staticmethod
    def _judge_request(operation, query, body):
        for name, value in urllib.parse.parse_qsl(query):
            schema = operation["query"][name]
            schema.validate(int(value) if schema.schema["type"] == "integer"
                            else value)
        if body:
            operation["body"]["application/json"].validate(json.loads(body))

    @staticmethod
    def _judge_answer(expected, method, answer):
        for name, header in expected["headers"].items():
            value = answer.headers[name]
            assert value is not None or not header.get("required"), (name, answer)
            if value is not None:
                jsonschema.Draft202012Validator(header["schema"]).validate(value)
        if not expected["body"]:
            assert not answer.body
            return
        assert answer.type in expected["body"], answer
        if method != "HEAD":
            expected["body"][answer.type].validate(answer.json)

    def judge_event(self, event):
        """Fail unless a webhook was told what is described."""
        self.events[event["type"]]["application/json"].validate(event)


@functools.cache
def the():
    """The description of this callmask."""
    return Description(json.loads(FILE.read_text(encoding="utf-8")))
