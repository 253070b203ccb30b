"""What is for operators: keys, the settings of the service and what people hear
under them, the audit log, and what would become of a call."""

import base64
import contextlib
import getpass
import json
import pathlib
import re
import sqlite3

import pytest

import client
from client import judge, masked

pytestmark = pytest.mark.sanitized

SOURCE = client.ROOT / "lib/service.c"


@pytest.fixture(name="rides")
def fixture_rides(stack):
    """A service of one's own, its admin key behind a function that asks."""
    name = f"rides-{stack.one('SELECT count(*) FROM service')}"
    made = stack.cli("init", "--service", name, "--countries", "US",
                     service=None).stdout.split()

    def ask(method, path, document=None, **more):
        return stack.api(method, "/v1/" + path, document, made[0], **more)

    ask.cli = lambda *arguments, **more: stack.cli(
        *arguments, service=name, **more)
    ask.id = stack.one("SELECT id FROM service WHERE name = ?", name)
    ask.key = made[0]
    ask.name = name
    return ask


def canadian(stack, more=0):
    """A masked number that no other test has."""
    taken = stack.one("SELECT count(*) FROM number")
    return f"+1604555{100 + taken + more:04d}"


def settings(answer):
    """The values of the settings in an answer, by name."""
    return {one["name"]: one["value"] for one in answer.json["settings"]}


# Keys.

@pytest.mark.parametrize("role", ("app", "admin", "operator", "viewer"))
def test_a_key_is_made_and_shown_once(stack, rides, role):
    made = rides("POST", "keys", {"name": "Zoë", "role": role})
    assert made.status == 201
    key = made.json.pop("key")
    [listed] = [one for one in rides("GET", "keys").json["keys"]
                if one["id"] == made.json["id"]]
    assert {**listed, "key": key} == made.json
    assert listed["name"] == "Zoë" and listed["role"] == role
    assert key.startswith("cm_" + listed["id"][4:])
    answer = stack.api("GET", "/v1/keys/self", key=key)
    assert answer.status == (200 if role in ("app", "admin") else 403)
    assert role not in ("operator", "viewer") or stack.sign_in(key).status == 200


def test_keys_are_listed_without_what_opens_them(rides):
    answer = rides("GET", "keys")
    assert [key["role"] for key in answer.json["keys"]] == ["admin"]
    assert answer.json["next"] is None
    assert rides.key.split("_")[2] not in answer.body.decode()


def test_revoking(stack, rides):
    made = rides("POST", "keys", {"name": "app", "role": "app"}).json
    assert stack.api("GET", "/v1/sessions", key=made["key"]).status == 200
    answer = rides("POST", f"keys/{made['id']}/revoke")
    assert answer.status == 200 and answer.json["revoked_at"]
    assert stack.api("GET", "/v1/sessions", key=made["key"]).status == 401
    again = rides("POST", f"keys/{made['id']}/revoke")
    assert again.json == answer.json
    assert rides("GET", "keys").json["keys"][-1] == answer.json


def test_the_key_in_use_is_not_revoked(stack, rides):
    own = rides("GET", "keys/self").json["id"]
    answer = rides("POST", f"keys/{own}/revoke")
    assert answer.problem == (409, "refused", None)
    assert rides("GET", "keys/self").status == 200
    someone = stack.operator()
    answer = someone.ask("POST", f"keys/{someone.self['id']}/revoke")
    assert answer.problem == (409, "refused", None)
    assert someone.ask("GET", "keys/self").status == 200


def test_another_services_keys_are_not_there(stack, rides):
    other = stack.rows("SELECT id FROM api_key WHERE service_id <> ? "
                       "AND revoked_at IS NULL", rides.id)
    for [identity] in (other[0], ("key_x",)):
        answer = rides("POST", f"keys/{identity}/revoke")
        assert answer.problem == (404, "not_found", None)
    assert stack.rows("SELECT id FROM api_key WHERE service_id <> ? "
                      "AND revoked_at IS NULL", rides.id) == other


@pytest.mark.parametrize("document, field", (
    ({}, "name"), ({"name": "x"}, "role"), ({"role": "app"}, "name"),
    ({"name": "x", "role": "boss"}, "role"), ({"name": "x", "role": ""}, "role"),
    ({"name": "x", "role": 1}, "role"), ({"name": "", "role": "app"}, "name"),
    ({"name": "x" * 64, "role": "app"}, "name"),
    ({"name": "ö" * 32, "role": "app"}, "name"),
    ({"name": "a\nb", "role": "app"}, "name"),
    ({"name": "a\x7fb", "role": "app"}, "name"),
    ({"name": "x", "role": "app", "key": "cm_"}, "key"),
    ({"name": "x", "role": "operatoroperatoroperator"}, "role")), ids=str)
def test_a_key_that_cannot_be(stack, rides, document, field):
    before = stack.one("SELECT count(*) FROM api_key")
    answer = rides("POST", "keys", document)
    assert answer.problem == (422, "invalid_field", field)
    assert stack.one("SELECT count(*) FROM api_key") == before


@pytest.mark.parametrize("name", ("", "x" * 64, "a\tb", b"\xff", "ö" * 31 + "xx"))
def test_names_are_the_same_on_the_command_line(rides, name):
    done = rides.cli("key", "add", "--name", name, check=False)
    assert done.returncode == 1 and "--name: must" in done.stderr
    assert len(rides("GET", "keys").json["keys"]) == 1


# Settings.

def test_every_setting_is_there(rides):
    answer = rides("GET", "service")
    assert answer.json["id"] == rides.id and answer.json["name"] == rides.name
    [shown] = [json.loads(line) for line in
               rides.cli("service", "show", "--json").stdout.splitlines()]
    assert shown.pop("name") == rides.name
    mine = settings(answer)
    assert mine.pop("countries") == shown.pop("countries").replace(" ", ",")
    assert mine == shown and answer.json["webhook_secrets"] == []
    for one in answer.json["settings"]:
        assert one["help"] in SOURCE.read_text().replace('"\n\t    "', "")
        # They are as a service begins with.
        assert one["name"] == "countries" or one["value"] == one["default"]
        assert ("least" in one) == (one["kind"] == "number") == ("most" in one)


def test_changing_some(stack, rides):
    before = settings(rides("GET", "service"))
    wish = {"hold": 86400, "countries": "us, CA", "language": "de",
            "announce-caller": "Grüße, <b>", "support-number": "+12025550150"}
    answer = rides("PATCH", "service", {"settings": wish})
    after = {**before, **wish, "countries": "US,CA"}
    assert answer.status == 200 and settings(answer) == after
    assert settings(rides("GET", "service")) == after
    answer = rides("PATCH", "service", {"settings": {
        "announce-caller": None, "support-number": "", "hold": 0}})
    after |= {"announce-caller": None, "support-number": None, "hold": 0}
    assert settings(answer) == after
    # They hold at once.
    rides("PATCH", "service", {"settings": {"ttl-max": 7200}})
    answer = stack.create(*stack.persons(2), key=rides.key, ttl=7201)
    assert answer.problem == (422, "invalid_field", "ttl")


def test_it_says_what_was_changed(stack, rides):
    rides("PATCH", "service", {"settings": {
        "hold": 86400, "ttl-max": 2592000, "language": "fr",
        "support-number": "+12025550150", "announce-callee": "Bonjour"}})
    row = stack.rows("SELECT action, subject, detail FROM audit "
                     "WHERE service_id = ? ORDER BY seq DESC", rides.id)[0]
    assert row == ("PATCH /v1/service", rides.id,
                   "hold=86400 support-number language=fr announce-callee")


WRONG = (
    ("hold", -1), ("hold", 10 ** 9), ("hold", "60"), ("hold", 1.5), ("hold", None),
    ("hold", True), ("hold", [1]), ("sticky", 2), ("ttl-default", 0),
    ("countries", ""), ("countries", None), ("countries", "USA"),
    ("countries", "XX"), ("countries", 1), ("countries", "US," * 200 + "U"),
    ("support-number", "2025550150"), ("support-number", "+1"),
    ("support-number", 12025550150), ("language", "it"), ("language", None),
    ("announce-caller", "x" * 256), ("announce-caller", "a\nb"),
    ("announce-caller", "a\uffffb"), ("announce-callee", "\ufffe"),
    ("announce-caller", {}), ("webhook-url", "ftp://example.com/"),
    ("webhook-url", "example.com"), ("webhook-url", "https://" + "x" * 256),
    ("record", 1))


@pytest.mark.parametrize("name, value", WRONG, ids=str)
def test_what_cannot_be_set(stack, rides, name, value):
    before = settings(rides("GET", "service"))
    # All or none.
    wish = {"hold": 1, name: value, "ttl-max": 86400}
    answer = rides("PATCH", "service", {"settings": wish})
    assert answer.problem == (422, "invalid_field", f"settings.{name}")
    told = rides("POST", "service/preview", {"settings": wish})
    assert told.body == answer.body
    assert settings(rides("GET", "service")) == before
    # The command line says the same.
    if isinstance(value, str) and name != "hold":
        done = rides.cli("service", "set", f"{name}={value}", check=False)
        assert done.returncode == 1
        assert done.stderr == f"callmask: {name}: {answer.json['detail']}\n"
    assert stack.one("SELECT count(*) FROM audit WHERE service_id = ? "
                     "AND action LIKE 'PATCH%'", rides.id) == 0


@pytest.mark.parametrize("document, problem", (
    ({}, (422, "invalid_field", "settings")),
    ({"settings": []}, (422, "invalid_field", "settings")),
    ({"settings": None}, (422, "invalid_field", "settings")),
    ({"settings": {"hold-it": 1}}, (422, "invalid_field", "settings.?")),
    ({"settings": {"+12025550147": 1}}, (422, "invalid_field", "settings.?")),
    ({"setting": {}}, (422, "invalid_field", "setting")),
    (b'{"settings":{"hold":1,"hold":2}}', (400, "invalid_json", "hold")),
    (b"[1]", (400, "invalid_json", None)), (b"", (400, "invalid_json", None)),
    (b'{"settings":{"announce-caller":"\xff"}}', (400, "invalid_json", None)),
    (b'{"settings":{"hold":99999999999999999999}}', (400, "invalid_json", None)),
    (b'{"settings":{"announce-caller":"' + b"x" * 20000 + b'"}}',
     (413, "too_large", None))), ids=str)
def test_bodies_that_are_none(rides, document, problem):
    assert rides("PATCH", "service", document).problem == problem


def test_two_settings_that_do_not_go_together(rides):
    answer = rides("PATCH", "service", {"settings": {
        "ttl-default": 7200, "ttl-max": 3600}})
    assert answer.problem == (422, "invalid_field", "settings.ttl-default")


def test_the_first_webhook_url_makes_a_secret(stack, rides):
    url = stack.url + "/nobody"
    answer = rides("PATCH", "service", {"settings": {"webhook-url": url}})
    secret = answer.json["webhook_secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    [kept] = answer.json["webhook_secrets"]
    assert kept["retires_at"] is None and secret not in json.dumps(kept)
    again = rides("PATCH", "service", {"settings": {"webhook-url": url + "/x"}})
    assert "webhook_secret" not in again.json
    assert again.json["webhook_secrets"] == [kept]
    assert "webhook_secret" not in rides("GET", "service").json
    fresh = rides.cli("webhook", "rotate").stdout.strip()
    shown = rides("GET", "service")
    assert len(shown.json["webhook_secrets"]) == 2
    assert shown.json["webhook_secrets"][1]["retires_at"]
    assert fresh not in shown.body.decode() and secret not in shown.body.decode()


def test_a_public_address_is_wanted_where_it_is(new_stack):
    stack = new_stack()
    stack.set_conf("callmask.conf", "private_webhooks", "no")
    stack.restart("admin")
    answer = stack.api("PATCH", "/v1/service", {
        "settings": {"webhook-url": "https://127.0.0.1/x"}},
        stack.env["CALLMASK_ADMIN_KEY"])
    assert answer.problem == (422, "invalid_field", "settings.webhook-url")


# What people hear.

def previews(rides, wish=None):
    """The previews under some settings, by situation; each fits the grammar."""
    answer = rides("POST", "service/preview",
                   {"settings": wish} if wish is not None else None)
    assert answer.status == 200
    found = {one["situation"]: one for one in answer.json["previews"]}
    assert len(found) == len(answer.json["previews"])
    for one in found.values():
        if not one["situation"].startswith("text_"):
            judge(one["twiml"].encode())
        assert one["title"] and all(one["sentences"])
    return found


def test_a_preview_changes_nothing(stack, rides):
    stack.calm()
    before = stack.tables()
    previews(rides)
    previews(rides, {})
    previews(rides, {"language": "fr", "webhook-url": stack.url})
    assert stack.tables() == before


def test_it_is_what_callers_get(stack, rides):
    """Word for word, under all settings that are heard."""
    number = canadian(stack)
    rides("PATCH", "service", {"settings": {"countries": "US,CA"}})
    rides.cli("number", "add", number)
    known, other, stranger = stack.persons(3)
    session = stack.open(known, other, key=rides.key, country="CA", ttl=86400)
    assert masked(session) == number

    def answered(path, caller, **fields):
        asked = stack.voice_fields(caller, number) | fields
        answer = stack.webhook(path, asked)
        assert answer.status == 200
        return (answer.body.decode().replace(number, "+12025550199")
                .replace(other, "+12025550147"))

    wishes = ({"ask-code": 0}, {"ask-code": 1}, {"language": "de"},
              {"announce-caller": "One moment & <wait>"},
              {"announce-callee": "A call"}, {"screening": 1}, {"record": 1},
              {"call-limit": 60})
    for wish in wishes:
        rides("PATCH", "service", {"settings": wish})
        found = previews(rides)
        assert found == previews(rides, wish)
        heard = {
            "connected": answered("/twilio/voice", known),
            "caller_unknown": answered("/twilio/voice", stranger),
            "caller_withheld": answered("/twilio/voice", "anonymous"),
            "busy": answered("/twilio/voice/ended", known, DialCallStatus="busy"),
            "no_answer": answered("/twilio/voice/ended", known,
                                  DialCallStatus="no-answer"),
            "failed": answered("/twilio/voice/ended", known,
                               DialCallStatus="failed")}
        if "callee" in found:
            heard["callee"] = stack.webhook("/twilio/voice/screen", {
                **stack.voice_fields(number, other)}).body.decode()
        for situation, twiml in heard.items():
            assert found[situation]["twiml"] == twiml, (wish, situation)
        assert ("callee" in found) == ("url=" in heard["connected"])
        assert ("code_wrong" in found) == ("Gather" in heard["caller_unknown"])
    for wish in ({}, {"support-number": "+12025550150"}):
        rides("PATCH", "service", {"settings": wish or {"language": "en"}})
        stack.close(session, key=rides.key)
        assert previews(rides)["session_ended"]["twiml"] == answered(
            "/twilio/voice", known)
    text = {"MessageSid": "SM" + "0" * 32, "From": known, "To": number,
            "Body": "x", "NumMedia": "0"}
    assert previews(rides)["text_session_ended"]["twiml"] == stack.webhook(
        "/twilio/message", text).body.decode()


def test_what_it_says_is_in_the_twiml(rides):
    found = previews(rides, {
        "ask-code": 1, "screening": 1, "announce-caller": "A & B <C>",
        "announce-callee": "D", "record": 1})
    assert found["connected"]["sentences"] == ["A & B <C>"]
    assert "record-from-answer-dual" in found["connected"]["twiml"]
    assert found["placed"]["sentences"] == ["A & B <C>"]
    assert found["callee"]["sentences"][0] == "D"
    assert len(found["callee"]["sentences"]) == 2
    assert len(found["caller_unknown"]["sentences"]) == 2
    assert found["code_wrong"]["sentences"] == [
        "There is no trip for this call. Goodbye."]
    assert found["session_ended"]["sentences"] == [client.TRIP_ENDED]
    assert found["number_unknown"]["sentences"] == [
        "This number is not in service. Goodbye."]
    assert found["text_relayed"]["sentences"] == []
    assert found["out_of_order"]["sentences"] == [client.SORRY]
    assert "voice_off" in found and "limit_reached" in found
    plain = previews(rides, {"ask-code": 0})
    assert plain["connected"]["sentences"] == []
    assert plain["placed"]["sentences"] == ["Connecting your call."]
    assert not {"callee", "callee_refused", "code_wrong"} & set(plain)
    forwarded = previews(rides, {"support-number": "+12025550150"})
    assert forwarded["session_ended"]["sentences"] == []
    assert ">+12025550150<" in forwarded["session_ended"]["twiml"]
    doubted = previews(rides, {"attestation": 1, "ask-code": 0})
    assert doubted["attestation_failed"]["sentences"]
    assert not plain["attestation_failed"]["sentences"]


def test_no_language_is_forgotten(rides):
    found = {language: previews(rides, {
        "language": language, "ask-code": 1, "screening": 1})
             for language in ("en", "de", "fr")}
    for situation in found["en"]:
        said = [str(found[language][situation]["sentences"])
                for language in found]
        # callmask's apology is in English: it has lost everything.
        same = situation == "out_of_order" or said[0] == "[]"
        assert len(set(said)) == (1 if same else 3), situation


# What would become of a call.

def test_the_two_ways_to_ask_about_a_call(stack):
    key = stack.env["CALLMASK_ADMIN_KEY"]
    known, other, stranger = stack.persons(3)
    session = stack.open(known, other)
    number = masked(session)
    for document in ({"from": known}, {"from": stranger}, {"from": "anonymous"},
                     {"from": ""}, {"from": None}, {},
                     {"from": known, "at": "2030-01-01T00:00:00Z"},
                     {"from": other, "attestation": "TN-Validation-Failed-A"}):
        query = "&".join(f"{name}={value}".replace("+", "%2B")
                         for name, value in document.items() if value)
        one = stack.api("GET", f"/v1/routes?to=%2B{number[1:]}&{query}".rstrip("&"),
                        key=key)
        two = stack.api("POST", "/v1/routes", {"to": number, **document}, key)
        assert one.status == two.status == 200
        assert one.json == two.json, document
    assert two.json["session"] == session["id"]


def test_it_says_what_the_caller_hears(stack, rides):
    number = canadian(stack)
    rides("PATCH", "service", {"settings": {"countries": "US,CA"}})
    rides.cli("number", "add", number)
    known, other, stranger = stack.persons(3)
    session = stack.open(known, other, key=rides.key)

    def heard(caller, **wish):
        if wish:
            rides("PATCH", "service", {"settings": {
                name.replace("_", "-"): value for name, value in wish.items()}})
        asked = rides("POST", "routes", {"from": caller, "to": number}).json
        said = stack.voice(caller, number).said
        # What comes after the first sentence comes if nothing is typed.
        assert said.startswith(asked["sentence"] or "")
        assert bool(said) == bool(asked["sentence"])
        return asked["action"]

    assert heard(known) == "connect"
    assert heard(known, announce_caller="One moment.") == "connect"
    assert heard(stranger, ask_code=1) == "ask_code"
    assert heard(stranger, ask_code=0) == "refuse"
    stack.close(session, key=rides.key)
    assert heard(known) == "refuse"
    assert heard(known, support_number="+12025550150") == "forward"


@pytest.mark.parametrize("document, field", (
    ({}, "to"), ({"to": ""}, "to"), ({"to": "anonymous"}, "to"), ({"to": 1}, "to"),
    ({"to": "+12025550110x"}, "to"), ({"to": "+12025550110", "at": "now"}, "at"),
    ({"to": "+12025550110", "at": 1}, "at"),
    ({"to": "+12025550110", "from": 1}, "from"),
    ({"to": "+12025550110", "from": "x" * 64}, "from"),
    ({"to": "+12025550110", "code": "1"}, "code")), ids=str)
def test_a_question_that_is_none(stack, document, field):
    answer = stack.api("POST", "/v1/routes", document,
                       stack.env["CALLMASK_ADMIN_KEY"])
    assert answer.problem == (422, "invalid_field", field)


def test_another_services_number(stack, rides):
    answer = rides("POST", "routes", {"to": stack.numbers[0]})
    assert answer.problem == (404, "not_found", "to")


# The audit log.

def test_it_is_read_in_pages(rides):
    for hold in range(7):
        rides("PATCH", "service", {"settings": {"hold": hold}})
    everything = rides("GET", "audit").json
    assert everything["next"] is None
    assert [row["seq"] for row in everything["audit"]] == list(range(8, 0, -1))
    for limit in (1, 2, 3, 7, 8, 100):
        rows, query = [], f"limit={limit}"
        while query:
            page = rides("GET", f"audit?{query}").json
            assert len(page["audit"]) <= limit
            rows += page["audit"]
            query = page["next"] and f"limit={limit}&cursor={page['next']}"
        assert rows == everything["audit"]
    assert rides("GET", "audit?cursor=1").json == {"audit": [], "next": None}


@pytest.mark.parametrize("query, field", (
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"),
    ("limit=-1", "limit"), ("cursor=0", "cursor"), ("cursor=x", "cursor"),
    ("cursor=-1", "cursor"), ("cursor=99999999999", "cursor"), ("page=1", "query"),
    ("limit=1&limit=2", "limit"), ("limit=%", "query")))
def test_pages_that_are_none(rides, query, field):
    answer = rides("GET", f"audit?{query}")
    assert answer.problem == (422, "invalid_field", field)


def test_a_service_has_its_own(stack, rides):
    stack.operator().ask("GET", "keys/self")
    assert len(rides("GET", "audit").json["audit"]) == 1
    [row] = rides("GET", "audit").json["audit"]
    assert (row["action"], row["seq"]) == ("init", 1)


def test_a_million_rows_cost_no_more(stack):
    """Each page is read by an index."""
    plan = stack.rows(
        "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE service_id = 'x' AND seq < 9 "
        "ORDER BY seq DESC LIMIT 50")
    assert [row[3] for row in plan] == [
        "SEARCH audit USING INDEX sqlite_autoindex_audit_1 (service_id=? AND seq<?)"]
    plan = stack.rows(
        "EXPLAIN QUERY PLAN SELECT 1 FROM audit WHERE service_id = 'x' AND "
        "key_id = 'y' AND subject = 'z' AND action = 'a' AND at > 1 LIMIT 1")
    assert "USING COVERING INDEX audit_look" in plan[0][3]


def noted(stack, rides):
    """What the command line has left there, oldest first, without init."""
    found = stack.rows("SELECT action, subject, key_id, name, detail, request_id "
                       "FROM audit WHERE service_id = ? AND key_id = '' "
                       "ORDER BY seq", rides.id)
    assert found[0][0] == "init" and found[0][1].startswith("key_")
    for row in found:
        assert row[2:] == ("", getpass.getuser(), "", "")
    return [row[:2] for row in found[1:]]


def test_what_commands_change_is_noted(stack, rides):
    number, another = canadian(stack), canadian(stack, 1)
    rides.cli("service", "set", "countries=US,CA", "support-number=+12025550150")
    key = rides.cli("key", "add", "--name", "x").stdout
    key = "key_" + key.split("_")[1]
    rides.cli("key", "revoke", key)
    rides.cli("number", "add", number, another)
    rides.cli("number", "set", "draining", another)
    people = stack.persons(2)
    session = stack.open(*people, key=rides.key)
    rides.cli("session", "close", session["id"])
    stack.open(*people, key=rides.key)
    rides.cli("erase", "session", session["id"])
    shown = rides.cli("erase", "person", people[0], "--json").stdout
    receipt = re.search("era_[0-9a-z]{26}", shown)[0]
    rides.cli("service", "set", f"webhook-url={stack.url}/nobody")
    rides.cli("webhook", "rotate")
    rides.cli("webhook", "test")
    rides.cli("outbox", "retry", "all")
    assert noted(stack, rides) == [
        ("service set", ""), ("key add", key), ("key revoke", key),
        ("number add", number), ("number add", another), ("number set", another),
        ("session close", session["id"]), ("erase session", session["id"]),
        ("erase person", receipt), ("service set", ""), ("webhook rotate", ""),
        ("webhook test", ""), ("outbox retry", "")]
    assert rides.cli("audit", "verify").returncode == 0


def test_what_changes_nothing_is_not_noted(stack, rides):
    for arguments in (
            ("service", "show"), ("key", "list"), ("number", "list"), ("plan",),
            ("session", "list"), ("webhook", "show"), ("outbox", "list"),
            ("audit", "list"), ("audit", "verify"), ("doctor", "--offline"),
            ("service", "set", "hold=x"), ("key", "revoke", "key_x"),
            ("number", "add", "+1"), ("number", "set", "active", "+12025550199"),
            ("session", "close", "ses_01m821vx6j3y7mycw7bw9vqs6s"),
            ("number", "sync"), ("key", "add"), ("webhook", "test")):
        rides.cli(*arguments, check=False)
    assert noted(stack, rides) == []


def test_every_command_that_changes_the_service_says_so():
    table = (client.ROOT / "cgi-bin/callmask_commands.c").read_text()
    rows = re.findall(r'\{ "(\w+)", "?(\w+)"?, (CLI_\w+)', table)
    changes = {f"{noun} {verb}" for noun, verb, needs in rows
               if needs == "CLI_CHANGES_SERVICE"}
    looks = {"show", "list", "verify", "explain", "search"}
    assert changes == {
        f"{noun} {verb}" for noun, verb, needs in rows
        if needs.endswith("SERVICE") and verb not in looks and verb != "NULL"}
    assert len(changes) == 16


def test_a_real_number_among_the_arguments_is_not_noted(stack, rides):
    rides.cli("number", "add", canadian(stack))
    rides.cli("service", "set", "countries=US,CA")
    people = stack.persons(2)
    for person in people:
        stack.open(person, stack.person(), key=rides.key)
        rides.cli("number", "add", person, check=False)
        rides.cli("number", "set", "active", person, check=False)
        rides.cli("service", "set", f"announce-caller={person}")
        rides.cli("erase", "person", person, check=False)
        rides.cli("key", "add", "--name", person)
    said = noted(stack, rides)
    assert len(said) == 8
    assert not [number for number in people if number[2:] in json.dumps(said)]


def test_it_is_listed_on_the_command_line(stack, rides):
    operator = stack.operator()         # of another service
    rides.cli("service", "set", "hold=1")
    lines = rides.cli("audit", "list").stdout.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r" +2  \S+Z  \w+  service set", lines[0])
    listed = [json.loads(line) for line in
              rides.cli("audit", "list", "--json").stdout.splitlines()]
    assert listed == rides("GET", "audit").json["audit"]
    assert operator.self["id"] not in json.dumps(listed)


def test_it_is_verified(new_stack):
    stack = new_stack()
    for hold in range(4):
        stack.cli("service", "set", f"hold={hold}")
    count = stack.one("SELECT count(*) FROM audit")
    done = stack.cli("audit", "verify")
    newest = stack.one("SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1")
    assert done.stdout.startswith(f"{count} rows, all as they were written")
    assert done.stdout.rstrip().endswith(newest)
    [told] = [json.loads(stack.cli("audit", "verify", "--json").stdout)]
    assert told["right"] and told["hash"] == newest and told["rows"] == count
    for change, row in (
            ("UPDATE audit SET name = 'nobody' WHERE seq = 3", 3),
            ("DELETE FROM audit WHERE seq = 3", 4),
            ("UPDATE audit SET at = at - 1 WHERE seq = 1", 1)):
        with contextlib.closing(sqlite3.connect(
                stack.folder / "callmask.db", timeout=10)) as connection:
            kept = connection.execute("SELECT * FROM audit").fetchall()
            connection.execute(change)
            connection.commit()
            done = stack.cli("audit", "verify", check=False)
            assert done.returncode == 1 and not done.stdout
            assert f"row {row}, of " in done.stderr
            done = stack.cli("audit", "verify", "--json", check=False)
            assert done.returncode == 1
            assert json.loads(done.stdout)["right"] is False
            assert json.loads(done.stdout)["seq"] == row
            connection.execute("DELETE FROM audit")
            connection.executemany(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kept)
            connection.commit()
    assert stack.cli("audit", "verify").returncode == 0
    # Nobody has written by hand: the next row stands behind the last.
    stack.cli("service", "set", "hold=9")
    assert stack.cli("audit", "verify").returncode == 0


def test_it_lives_through_a_new_sealing_key(new_stack):
    stack = new_stack()
    stack.cli("rekey", "start")
    for program in ("session-create", "admin"):
        stack.restart(program)
    stack.cli("rekey", "run", "--yes")
    stack.cli("service", "set", "hold=9")
    assert stack.cli("audit", "verify").returncode == 0
    assert pathlib.Path(stack.folder / "secrets.conf").exists()
