"""The admin panel's audit log, in a real browser."""

import json
import re

from client import ROOT

AUDIT = (ROOT / "nginx/admin/audit.js").read_text(encoding="utf-8")
API = json.loads((ROOT / "nginx/v1/openapi.json").read_text(encoding="utf-8"))


def test_every_change_has_words():
    """All that the API's description has and that may stand in the log."""
    worded = set(re.findall(r"(?m)^  '([A-Z]+ /v1/[^']+)':", AUDIT))
    silent = {"POST /v1/service/preview"}     # changes nothing
    changes = {f"{method.upper()} {path}" for path, each in API["paths"].items()
               for method in each if method in ("post", "patch", "delete")
               and path.startswith("/v1/")}
    assert changes - silent - worded == set()
    known = {f"{method.upper()} {path}" for path, each in API["paths"].items()
             for method in each}
    assert worded - known == set()


def test_in_words(work, quick, account, axe):
    person, peer = quick.persons(2)
    number = account.numbers[0]
    quick.cli("number", "add", number, service=account.service)
    app = quick.cli("key", "add", "--name", "app",
                    service=account.service).stdout.strip()
    key = quick.cli("key", "add", "--role", "admin", "--name", "Ada",
                    service=account.service).stdout.strip()
    session = quick.api("POST", "/v1/sessions", {"parties": [
        {"role": "customer", "phone": person},
        {"role": "driver", "phone": peer}]}, key=app).json["id"]
    quick.api("POST", f"/v1/sessions/{session}/close", {}, key=key)
    quick.api("PATCH", "/v1/service", {"settings": {"hold": 60}}, key=key)
    quick.api("PATCH", f"/v1/numbers/{number[1:]}", {"state": "draining"}, key=key)
    work.go("audit")
    work.until(lambda: len(work.rows()) >= 5)
    shown = f"+1 {number[2:5]} {number[5:8]} {number[8:]}"
    rows = [(row["Who"], row["What"], row["To what"]) for row in work.rows()]
    assert rows[0] == ("Ada", "set how a number is used", f"{shown} draining")
    assert rows[1][:2] == ("Ada", "changed settings")
    assert rows[1][2] == "the settings hold=60"
    assert rows[2] == ("Ada", "closed a session", session)
    assert rows[3][1] == "callmask key add" and \
        rows[3][0].endswith("command line")
    assert re.fullmatch(r"\d+ \w+ 20\d\d, \d\d:\d\d:\d\d", work.rows()[0]["When"])
    [request] = [line for line in quick.read("log/callmask.log").splitlines()
                 if work.rows()[0]["Request"] in line and "PATCH" in line]
    assert "/v1/numbers" in request
    work.is_flawless_everywhere(axe)
    work.driver.find_element("link text", shown).click()
    work.until(lambda: [row["State"] for row in work.rows()] == ["draining"])
    work.driver.back()
    work.until(lambda: work.driver.find_element("link text", session))
    work.driver.find_element("link text", session).click()
    work.reads("Session opened")


def test_pages(watch, quick, account):
    key = quick.cli("key", "add", "--role", "admin", "--name", "many",
                    service=account.service).stdout.strip()
    for place in range(60):
        quick.api("PATCH", "/v1/service", {"settings": {"keep": place + 1}}, key=key)
    watch.go("audit")

    def kept():
        return [int(row["To what"].rpartition("=")[2]) for row in watch.rows()
                if "keep=" in row["To what"]]

    watch.until(lambda: kept() == [*range(60, 10, -1)] or kept()[:40] == [
        *range(60, 20, -1)])
    first = kept()
    watch.press("Next")
    watch.until(lambda: kept() == [*range(first[-1] - 1, 0, -1)])
    watch.press("Previous")
    watch.until(lambda: kept() == first)
    assert set(watch.buttons()) == {"Previous", "Next"}
