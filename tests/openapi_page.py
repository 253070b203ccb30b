#!/usr/bin/python3
"""Writes nginx/v1/openapi.html, the readable form of nginx/v1/openapi.json beside
it. Run it after a change; test_30_openapi.py says if that was forgotten."""

import html
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "nginx/v1"


def words(text):
    """A text as HTML; what stands between backticks is code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(text, False))


def code(text):
    return f"<code>{html.escape(str(text), False)}</code>"


def sample(example):
    text = json.dumps(example, indent=2, ensure_ascii=False)
    return f'<pre tabindex="0">{html.escape(text, False)}</pre>'


def table(heads, rows):
    """A table, nothing if it has no rows."""
    if not rows:
        return ""
    lines = ["<table>", "<thead><tr>" + "".join(
        f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead>",
             "<tbody>"]
    for first, *rest in rows:
        lines.append(f'<tr><th scope="row">{first}</th>' + "".join(
            f"<td>{cell}</td>" for cell in rest) + "</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


class Page:
    """The page of a description."""

    def __init__(self, document):
        self.document = document

    def target(self, node):
        """A node, or what it refers to with what it says itself on top."""
        if "$ref" not in node:
            return node
        found = self.document
        for word in node["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        return {**self.target(found), **{
            name: value for name, value in node.items() if name != "$ref"}}

    def kind(self, schema):
        """What a value is, in a few words: linked if it is an object."""
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = self.target(schema)
        if "allOf" in schema:
            return self.kind(schema["allOf"][0])
        types = schema.get("type", ())
        types = [types] if isinstance(types, str) else list(types)
        if "object" in types and name:
            return f'<a href="#{name}">{name}</a>'
        if "array" in types:
            said = f"list of {self.kind(schema['items'])}"
        elif "const" in schema:
            return code(schema["const"])
        elif "enum" in schema:
            said = ", ".join(code(value) for value in schema["enum"]
                             if value is not None)
        else:
            said = " ".join(each for each in types if each != "null")
        for word, text in (("minimum", "at least {}"), ("maximum", "at most {}"),
                           ("maxLength", "at most {} characters"),
                           ("default", "by default {}")):
            if word in schema:
                said += ", " + text.format(schema[word])
        return said + (" or null" if "null" in types else "")

    def fields(self, schema):
        """The table of an object's fields."""
        rows = []
        required = schema.get("required", ())
        for name, value in schema["properties"].items():
            found = self.target(value)
            if found.get("type") == "object" and "$ref" not in value:
                rows += [(code(f"{name}.{inner}"), self.kind(each),
                          words(self.target(each).get("description", "")))
                         for inner, each in found["properties"].items()]
                continue
            must = "" if name in required else "Optional. "
            rows.append((code(name), self.kind(value),
                         must + words(found.get("description", ""))))
        return table(("Field", "Type", "What"), rows)

    def parameters(self, shared, operation):
        rows = []
        for each in map(self.target,
                        [*shared, *operation.get("parameters", ())]):
            must = "" if each.get("required") else "Optional. "
            rows.append((code(each["name"]), each["in"],
                         self.kind(each["schema"]),
                         must + words(each["description"])))
        return table(("Parameter", "In", "Type", "What"), rows)

    def body(self, holder):
        """Type and example of what a request or an answer carries."""
        said = []
        for content in holder.get("content", {}).values():
            said.append(f"<p>{self.kind(content['schema'])}</p>")
            said.append(sample(content["example"]))
        return "\n".join(said)

    def answers(self, operation):
        """The answers: those of success in full, the others by their codes."""
        said, rows = ["<h4>Answers</h4>"], []
        for status, answer in operation["responses"].items():
            answer = self.target(answer)
            if status < "4":
                headers = ", ".join(map(code, answer.get("headers", ())))
                said.append(f"<p>{code(status)} {words(answer['description'])}"
                            + (f" Headers: {headers}." if headers else "")
                            + "</p>")
                said.append(self.body(answer))
                continue
            schema = answer.get("content", {}).get(
                "application/problem+json", {}).get("schema", {})
            codes = schema.get("properties", {}).get("code", {}).get("enum", ())
            rows.append((code(status), ", ".join(map(code, codes)),
                         words(answer["description"])))
        return "\n".join([*said, table(("Status", "Codes", "When"), rows)])

    def operation(self, title, shared, operation):
        said = [f'<article id="{operation["operationId"]}">',
                f"<h3>{title}</h3>",
                f"<p>{words(operation['summary'])}.</p>"]
        if "description" in operation:
            said.append(f"<p>{words(operation['description'])}</p>")
        said.append(self.parameters(shared, operation))
        if "requestBody" in operation:
            body = operation["requestBody"]
            said += ["<h4>Body</h4>" if body.get("required")
                     else "<h4>Body, optional</h4>", self.body(body)]
        return "\n".join([*said, self.answers(operation), "</article>"])

    def operations(self, tag):
        """Method and path, parameters that methods share, and operation."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method != "parameters" and tag in operation["tags"]:
                    yield (f"<code>{method.upper()} {path}</code>",
                           methods.get("parameters", ()), operation)

    def webhooks(self):
        """The events: they differ in two words only."""
        hooks = {name: hook["post"]
                 for name, hook in self.document["webhooks"].items()}
        first = hooks["call.ended"]
        return "\n".join([
            self.parameters((), first), "<h4>Body</h4>",
            self.body(first["requestBody"]),
            table(("Type", "When", "Detail"), [
                (code(name), words(hook["summary"]),
                 words(hook["description"].removeprefix("`detail`: ")))
                for name, hook in hooks.items()]),
            self.answers(first).replace("<code>2XX</code>", "<code>2xx</code>")])

    def html(self):
        info = self.document["info"]
        tags = self.document["tags"]
        schemas = {name: schema for name, schema
                   in self.document["components"]["schemas"].items()
                   if schema.get("type") == "object"}
        said = [
            "<!DOCTYPE html>", '<html lang="en">', "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>The API of {info['title']}</title>",
            '<link rel="stylesheet" href="openapi.css">', "</head>", "<body>",
            "<header>", f"<h1>The API of {info['title']}</h1>",
            f"<p>{words(info['summary'])}</p>",
            *(f"<p>{words(each)}</p>"
              for each in info["description"].split("\n\n")),
            "<p>For programs: <a href=\"openapi.json\">openapi.json</a> "
            "(OpenAPI 3.1). Every request carries <code>Authorization: Bearer "
            "KEY</code>. "
            + words(self.document["components"]["securitySchemes"]["key"]
                    ["description"]) + "</p>",
            "</header>", '<nav aria-label="Contents">', "<ul>"]
        for tag in tags:
            links = [f'<li><a href="#{operation["operationId"]}">'
                     f"{words(operation['summary'])}</a></li>"
                     for _, _, operation in self.operations(tag["name"])]
            said.append(f'<li><a href="#{tag["name"]}">{tag["name"]}</a>')
            said += ["<ul>", *links, "</ul></li>"] if links else ["</li>"]
        said += ['<li><a href="#shapes">Shapes</a></li>', "</ul>", "</nav>",
                 "<main>"]
        for tag in tags:
            said += [f'<section id="{tag["name"]}">', f"<h2>{tag['name']}</h2>",
                     f"<p>{words(tag['description'])}</p>"]
            said += [self.operation(*each)
                     for each in self.operations(tag["name"])]
            if tag["name"] == "Webhooks":
                said.append(self.webhooks())
            said.append("</section>")
        said += ['<section id="shapes">', "<h2>Shapes</h2>"]
        for name, schema in schemas.items():
            said += [f'<article id="{name}">', f"<h3>{name}</h3>"]
            if "description" in schema:
                said.append(f"<p>{words(schema['description'])}</p>")
            said += [self.fields(schema), "</article>"]
        said += ["</section>", "</main>", "</body>", "</html>", ""]
        return "\n".join(line for line in said if line) + "\n"


def page():
    """The page as it should be."""
    return Page(json.loads(
        (FOLDER / "openapi.json").read_text(encoding="utf-8"))).html()


if __name__ == "__main__":
    (FOLDER / "openapi.html").write_text(page(), encoding="utf-8")
