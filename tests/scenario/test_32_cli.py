"""callmask, the operator's tool, as a whole: its help, its page, its completion,
JSON and exit statuses."""

import base64
import concurrent.futures
import contextlib
import json
import re
import shlex
import sqlite3
import subprocess
import threading

import pytest

import client
import stack as stacks
from client import masked

ROOT = client.ROOT
HELP = subprocess.run([client.ROOT / "build/bin/callmask", "--help"], check=True,
                      capture_output=True, text=True).stdout


def commands():
    """What `callmask --help` lists."""
    return re.findall(r"(?m)^  ([a-z]+(?: [a-z]+)?)  +[a-z]", HELP)


def test_help_is_a_table_of_contents(stack):
    assert stack.cli("--help").stdout == stack.cli("-h").stdout == HELP
    assert len(commands()) >= 27
    headings = re.findall(r"(?m)^[A-Z].*$", HELP)
    assert "Masked numbers" in headings and "Sessions" in headings
    for command in commands():
        done = stack.cli(*command.split(), "--help", service=None)
        assert done.stdout.startswith("usage: callmask [-c file]")
        assert f" {command}" in done.stdout and not done.stderr


def test_help_of_a_noun(stack):
    verbs = [command for command in commands() if command.startswith("key ")]
    assert verbs == ["key add", "key list", "key revoke"]
    done = stack.cli("key", "--help")
    assert re.findall(r"(?m)^  (key [a-z]+)", done.stdout) == verbs
    refused = stack.cli("key", check=False)
    assert refused.returncode == 2 and not refused.stdout
    assert re.findall(r"(?m)^  (key [a-z]+)", refused.stderr) == verbs


def items(page):
    """The terms a page explains."""
    text = (ROOT / "cgi-bin" / page).read_text()
    return re.findall(r"(?m)^\.It (?:Ic|Cm) ([a-z_, ]+)", text)


def test_every_command_is_in_the_page_and_no_other():
    found = [re.sub(r" (active|open|app|waiting|person)?$", "", item).strip()
             for item in items("callmask.1")]
    assert sorted(found) == sorted(commands())


def test_every_key_is_in_the_page_and_no_other():
    keys = re.findall(r'\{ \.name = "(\w+)"', (ROOT / "lib/conf.c").read_text())
    assert len(keys) >= 15
    found = [key for item in items("callmask.conf.5")
             for key in item.strip().split(" , ")]
    assert sorted(found) == sorted(keys)


def test_every_option_of_a_command_is_in_the_page(stack):
    page = (ROOT / "cgi-bin/callmask.1").read_text()
    for command in commands():
        usage = stack.cli(*command.split(), "--help", service=None).stdout
        for option in re.findall(r"--([a-z-]+)", usage):
            assert f"Fl -{option}" in page or option == "setting", option


# Completion.

def complete(stack, *words):
    """What bash offers behind some words."""
    program = shlex.split(stack.env["CALLMASK"])[0]
    line = " ".join(shlex.quote(word) for word in ("callmask", *words))
    done = subprocess.run(
        ["bash", "-c", f"compopt() {{ :; }}; . <({program} completion bash); "
         f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _callmask; "
         "printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("words, offered", (
    (("ke",), ["key"]), (("key", ""), ["add", "list", "revoke"]),
    (("key", "add", "--r"), ["--role"]),
    (("key", "add", "--role", ""), ["app", "admin", "operator", "viewer"]),
    (("key", "add", "--name", ""), []),
    (("key", "add", "--role", "app", "--n"), ["--name"]),
    (("-c", "some file", "-s", "x", "numb"), ["number"]),
    (("-c", ""), []), (("-s", "key", "number", "s"), ["set", "sync", "search"]),
    (("number", "set", "re"), ["reserved", "retired"]),
    (("outbox", "retry", ""), ["all", "--json", "--help"]),
    (("export", ""), ["person", "session"]),
    (("export", "person", ""), ["-", "--json", "--help"]),
    (("plan", "--days", "7", "--j"), ["--json"]),
    (("plan", "--days", ""), []),
    (("doctor", "--o"), ["--offline"]), (("doctor", "x", "--o"), ["--offline"]),
    (("service", "set", "hol"), ["hold="]),
    (("init", "--ttl"), ["--ttl-default", "--ttl-max"]),
    (("nonsense", ""), [])), ids=str)
def test_completion(stack, words, offered):
    assert complete(stack, *words) == offered


def test_completion_knows_every_command(stack):
    nouns = complete(stack, "")
    for command in commands():
        noun, *verb = command.split()
        assert noun in nouns
        assert not verb or verb[0] in complete(stack, noun, "")


# JSON.

def objects(done):
    """The lines of a command's output as objects."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lists_as_json(stack):
    session = stack.open(*stack.persons(2))
    stack.cli("key", "add", "--name", 'a "quote" \\ Zoë')
    [key] = [key for key in objects(stack.cli("key", "list", "--json"))
             if "quote" in key["name"]]
    assert key["name"] == 'a "quote" \\ Zoë' and key["revoked_at"] is None
    assert re.fullmatch(r"key_[0-9a-z]{26}", key["id"]) and key["role"] == "app"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", key["created_at"])
    numbers = objects(stack.cli("number", "list", "--json"))
    assert {number["state"] for number in numbers} >= {"active"}
    assert any(number["live"] > 0 for number in numbers)
    listed = objects(stack.cli("session", "list", "open", "--json"))[0]
    assert listed.keys() == {"id", "status", "expires_at", "masked_number",
                             "reference"}
    shown = json.loads(stack.cli("session", "show", "--json", session["id"]).stdout)
    assert shown["id"] == session["id"]
    [service] = objects(stack.cli("service", "show", "--json"))
    assert service["name"] == "demo" and service["ask-code"] == 0
    assert service["countries"] and service["support-number"] is None
    findings = objects(stack.cli("doctor", "--offline", "--json"))
    assert {finding["result"] for finding in findings} <= {"ok", "warn", "skip"}
    for country in objects(stack.cli("plan", "--json")):
        assert country["have"] >= 0 and country["needed"] >= 0
    [need] = objects(stack.cli("plan", "--json", "--sessions-per-day", "10",
                               "--busiest", "2"))
    assert need["needed"] > 0


def test_deliveries_as_json(stack):
    stack.new_service("json", "--webhook-url", "https://127.0.0.1:1/x")

    def lines(*arguments):
        return objects(stack.cli(*arguments, "--json", service="json"))

    where, secret = lines("webhook", "show")
    assert where == {"webhook_url": "https://127.0.0.1:1/x"}
    assert secret["signs_until"] is None and secret["signs_since"]
    stack.cli("webhook", "test", service="json")
    [delivery] = lines("outbox", "list")
    assert delivery["kind"] == "event" and delivery["state"] == "waiting"
    assert lines("outbox", "show", delivery["id"])[0]["id"] == delivery["id"]


def test_every_command_but_completion_knows_json(stack):
    for command in commands():
        usage = stack.cli(*command.split(), "--help", service=None).stdout
        ways = re.findall(r"(?m)^(?:usage:| {6}) callmask.*$", usage)
        assert ways and all(way.endswith(" [--json]") for way in ways) == (
            command != "completion bash")
    done = stack.cli("completion", "bash", "--json", check=False)
    assert done.returncode == 2


# Exit statuses: 0 done, 1 refused or failed, 2 called in a wrong way.

@pytest.mark.parametrize("arguments, status", (
    (("service", "show"), 0), (("service", "set", "hold=x"), 1),
    (("service", "set", "hold"), 2), (("service", "set"), 2),
    (("key", "revoke", "key_x"), 1), (("number", "add", "+1"), 1),
    (("number", "set", "gone", "+12025550110"), 2),
    (("number", "set", "active", "+12025550999"), 1),
    (("number", "sync", "--take-over"), 2), (("number", "search"), 2),
    (("number", "buy"), 2), (("number", "release"), 2), (("plan", "--days"), 2),
    (("plan", "--days", "0"), 2), (("plan",), 0),
    (("session", "show", "ses_x"), 1), (("session", "close", "ses_x"), 1),
    (("route", "explain"), 2), (("webhook", "rotate", "--keep", "x"), 2),
    (("outbox", "show", "dlv_x"), 1), (("outbox", "retry", "x"), 2),
    (("outbox", "list", "x"), 2), (("completion", "bash"), 0),
    (("completion", "bash", "x"), 2), (("completion",), 2)), ids=str)
def test_exit_status(stack, arguments, status):
    done = stack.cli(*arguments, check=False)
    assert done.returncode == status, done
    assert status == 0 or (done.stderr and not done.stdout)
    assert "usage: " in done.stderr or status != 2 or "--" in done.stderr


@pytest.mark.parametrize("arguments", (
    ("session", "show", "ses_x"), ("session", "close", "ses_x"),
    ("export", "session", "ses_x"), ("erase", "session", "ses_x"),
    ("erase", "show", "era_x"), ("outbox", "show", "dlv_x"),
    ("number", "set", "active", "+12025550999")), ids=" ".join)
def test_what_is_not_there_is_said_so(stack, arguments):
    done = stack.cli(*arguments, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"callmask: {arguments[-1]}: there is no such thing "
                           "in this service\n")


def test_an_unknown_service_or_configuration(stack):
    assert stack.cli("key", "list", service="nobody", check=False).returncode == 1
    done = subprocess.run(
        [shlex.split(stack.env["CALLMASK"])[0], "-c", "/nowhere", "key", "list"],
        capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "/nowhere" in done.stderr


# Backup and restore.

def place(folder, stack):
    """A configuration for another database with the keys of the stack, and the
    tool to use it."""
    conf = re.sub(r"(?m)^database *=.*$", f"database = {folder}/callmask.db",
                  stack.read("callmask.conf"))
    (folder / "callmask.conf").write_text(conf)
    program = shlex.split(stack.env["CALLMASK"])[0]

    def cli(*arguments):
        return subprocess.run(
            [program, "-c", folder / "callmask.conf", *arguments],
            capture_output=True, text=True, check=False, timeout=60)

    return cli


def content(path):
    """All rows of a database file, and that it is sound and has no log."""
    with contextlib.closing(sqlite3.connect(
            f"file:{path}?immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)
                for table in stacks.TABLES}


def test_a_backup_holds_all_and_is_restored(stack, tmp_path):
    session = stack.open(*stack.persons(2))
    copy = tmp_path / "copy.db"
    done = stack.cli("backup", str(copy), service=None)
    assert not done.stdout and "secrets.conf" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["copy.db"]
    held = content(copy)
    assert session["id"] in [row[0] for row in held["session"]]
    assert copy.stat().st_mode & 0o007 == 0
    cli = place(tmp_path, stack)
    done = cli("restore", str(copy))
    assert done.returncode == 0 and "is restored" in done.stderr
    assert json.loads(cli("-s", "demo", "session", "show", session["id"]).stdout)[
        "id"] == session["id"]
    assert content(copy) == held


def test_a_backup_while_sessions_are_opened(stack, tmp_path):
    """What was answered before it began is in it, whatever goes on."""
    ending = threading.Event()

    def work():
        while not ending.is_set():
            stack.open(*stack.persons(2))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        futures = [pool.submit(work) for _ in range(2)]
        try:
            for number in range(3):
                session = stack.open(*stack.persons(2))
                stack.cli("backup", str(tmp_path / f"{number}.db"), service=None)
                held = content(tmp_path / f"{number}.db")
                assert session["id"] in [row[0] for row in held["session"]]
                # A session is there with both parties and their legs, or not.
                sessions = {row[0] for row in held["session"]}
                parties = [row[1] for row in held["party"]]
                assert all(parties.count(one) >= 2 for one in sessions)
        finally:
            ending.set()
        for future in futures:
            future.result()


def test_a_backup_overwrites_nothing(stack, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_text("dear")
    done = stack.cli("backup", str(copy), service=None, check=False)
    assert done.returncode == 1 and "is there already" in done.stderr
    assert copy.read_text() == "dear"
    done = stack.cli("backup", str(tmp_path / "no/copy.db"), service=None,
                     check=False)
    assert done.returncode == 1 and "No such file" in done.stderr
    (tmp_path / "new.db.part").write_text("of one that was killed")
    stack.cli("backup", str(tmp_path / "new.db"), service=None)
    content(tmp_path / "new.db")
    assert {file.name for file in tmp_path.iterdir()} == {"copy.db", "new.db"}


def test_restore_overwrites_nothing(stack, tmp_path):
    copy = tmp_path / "copy.db"
    stack.cli("backup", str(copy), service=None)
    done = stack.cli("restore", str(copy), service=None, check=False)
    assert done.returncode == 1 and "outboxd is running" in done.stderr
    cli = place(tmp_path, stack)
    for kind in ("", "-wal", "-shm"):
        there = tmp_path / f"callmask.db{kind}"
        there.write_text("dear")
        done = cli("restore", str(copy))
        assert done.returncode == 1 and "move it away" in done.stderr
        assert there.read_text() == "dear"
        there.unlink()


def test_restore_refuses_what_is_no_database_of_ours(stack, tmp_path):
    cli = place(tmp_path, stack)
    other = tmp_path / "other.db"
    assert cli("restore", str(other)).returncode == 1       # not there
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE x (y)")
    spoilt = tmp_path / "spoilt.db"
    stack.cli("backup", str(spoilt), service=None)
    data = bytearray(spoilt.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page:page + 100] = bytes(100)
    spoilt.write_bytes(data)
    (tmp_path / "text.db").write_text("dear " * 1000)
    (tmp_path / "empty.db").write_text("")
    for file in ("other.db", "spoilt.db", "text.db", "empty.db"):
        done = cli("restore", str(tmp_path / file))
        assert done.returncode == 1, file
        assert not list(tmp_path.glob("callmask.db*")), file


# A new sealing key.

def keys_in_use(stack):
    """The keys, by number, that anything in the database is sealed with: every
    column there is whose name says so."""
    columns = stack.rows(
        "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name LIKE '%\\_sealed' ESCAPE '\\'")
    assert len(columns) >= 3
    used = {}
    for table, column in columns:
        used[table] = {row[0][0] for row in stack.rows(
            f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")}
    return used


def sealing_keys(stack):
    """The numbers of the keys of the secrets file, in order."""
    return [int(key.split(":")[0]) for line in stack.read("secrets.conf").splitlines()
            if line.startswith("sealing_keys") for key in line.split("=", 1)[1].split()]


def test_a_new_key_while_calls_are_connected(new_stack):
    stack = new_stack()
    stack.cli("service", "set", "keep-texts=1",
              f"webhook-url={stack.env['CALLMASK_URL']}/nobody")
    people = stack.persons(2)
    first = session = stack.open(*people)
    for _ in range(40):
        stack.open(*stack.persons(2))
    stack.api("POST", f"/v1/sessions/{session['id']}/messages", {"text": "hello"})
    stack.texts_settled(session)
    old = {"party": {1}, "webhook_secret": {1}, "message": {1}}
    assert keys_in_use(stack) == old
    before = stack.read("secrets.conf")

    # Made, and known to nobody yet.
    said = stack.cli("rekey", "start").stdout
    assert "restart all programs" in said
    assert sealing_keys(stack) == [1, 2]
    assert stack.read("secrets.conf").startswith(before)
    mode = (stack.folder / "secrets.conf").stat().st_mode & 0o777
    assert mode & 0o007 == 0 and not list(stack.folder.glob("*.part"))
    again = stack.cli("rekey", "start", check=False)
    assert again.returncode == 1 and "rekey run" in again.stderr
    unsure = stack.cli("rekey", "run", check=False)
    assert unsure.returncode == 2 and "--yes" in unsure.stderr
    assert sealing_keys(stack) == [1, 2] and keys_in_use(stack) == old
    for program in ("voice-inbound", "session-create"):
        stack.restart(program)

    # Calls come in while it runs.
    ending = threading.Event()

    def call():
        made = 0
        while not ending.is_set():
            assert stack.voice(people[0], masked(session)).rings == people[1]
            made += 1
        return made

    with concurrent.futures.ThreadPoolExecutor() as pool:
        calls = pool.submit(call)
        try:
            said = stack.cli("rekey", "run", "--yes").stdout
        finally:
            ending.set()
        assert calls.result() > 0
    assert "sealed anew with key 2" in said and "restart them" in said
    assert "any more" not in said
    assert sealing_keys(stack) == [2, 1]
    assert keys_in_use(stack) == {"party": {2}, "webhook_secret": {2},
                                  "message": {2}}

    # What a program sealed with the old key since is found by the next run.
    late = stack.persons(2)
    session = stack.open(*late)
    assert keys_in_use(stack)["party"] == {1, 2}
    stack.restart("session-create")
    said = stack.cli("rekey", "run").stdout
    assert said.startswith("2 sealed anew")
    assert "nothing is sealed with key 1 any more" in said
    assert stack.cli("rekey", "run").stdout.startswith("0 sealed anew")

    # Without the old key: all is there.
    stack.open(*stack.persons(2))
    text = stack.read("secrets.conf")
    text = re.sub(r" 1:\S+|(?m:^sealing_keys = 1:.*$)", "", text)
    (stack.folder / "secrets.conf").write_text(text)
    assert sealing_keys(stack) == [2]
    stack.restart("voice-inbound")
    assert stack.voice(late[0], masked(session)).rings == late[1]
    assert stack.voice(people[0], masked(first)).rings == people[1]
    assert stack.cli("webhook", "show").returncode == 0
    assert keys_in_use(stack)["party"] == {2}


def test_rekey_leaves_what_it_cannot_read(stack, tmp_path):
    """A key that is missing costs nothing but a word; the file is kept as it
    is written, or not touched."""
    stack.open(*stack.persons(2))
    copy = tmp_path / "copy.db"
    stack.cli("backup", str(copy), service=None)
    cli = place(tmp_path, stack)
    secrets = tmp_path / "secrets.conf"
    key = base64.b64encode(bytes(32)).decode()
    secrets.write_text(f"# mine\nlookup_key = {key}\n"
                       f"sealing_keys = 7:{key}\ntwilio_auth_tokens = abc")
    secrets.chmod(0o640)
    conf = tmp_path / "callmask.conf"
    conf.write_text(re.sub(r"(?m)^secrets *=.*$", f"secrets = {secrets}",
                           conf.read_text()))
    assert cli("restore", str(copy)).returncode == 0
    held = content(copy)["party"]
    assert cli("rekey", "start").returncode == 0
    done = cli("rekey", "run", "--yes")
    assert done.returncode == 1 and "cannot be read" in done.stderr
    assert re.fullmatch(
        rf"# mine\nlookup_key = {re.escape(key)}\nsealing_keys = 8:\S+\n"
        rf"sealing_keys = 7:{re.escape(key)}\ntwilio_auth_tokens = abc\n+",
        secrets.read_text())
    with contextlib.closing(sqlite3.connect(tmp_path / "callmask.db")) as now:
        assert sorted(now.execute("SELECT * FROM party"), key=repr) == held
    number = 8
    while (done := cli("rekey", "start")).returncode == 0:
        number += 1
        assert cli("rekey", "run", "--yes").returncode == 1
    assert number == 14 and "no room" in done.stderr
