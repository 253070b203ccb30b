"""callmask, the operator's tool, for programs: what every command that changes
something says with --json. And numbers from a file, and bars at a terminal."""

import json
import re
import shlex
import subprocess

import pytest

import stack as stacks
from between import Account

KEY = r"cm_[0-9a-z]{26}_[0-9a-f]{64}"
SECRET = r"whsec_[A-Za-z0-9+/]{43}="
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def objects(done):
    """The lines of a command's output as objects; it said nothing else."""
    assert done.returncode != 0 or not done.stderr, done
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def place(tmp_path, stack):
    """A configuration with nothing behind it yet, and the tool to use it."""
    (tmp_path / "callmask.conf").write_text(
        f"public_url = https://localhost\ndatabase = {tmp_path}/callmask.db\n"
        f"secrets = {tmp_path}/secrets.conf\nmetrics = {tmp_path}/metrics\n")
    program = shlex.split(stack.env["CALLMASK"])[0]

    def cli(*arguments, **more):
        return subprocess.run(
            [program, "-c", tmp_path / "callmask.conf", *arguments],
            capture_output=True, text=True, check=False, timeout=60, **more)

    cli.folder = tmp_path
    return cli


def init(place, *more):
    return place("init", "--service", "demo", "--countries", "US", *more)


def test_an_installation_from_its_making_to_its_move(place):
    folder = place.folder
    [made] = objects(init(place, "--webhook-url", "https://app.example/x",
                          "--json"))
    assert re.fullmatch(KEY, made.pop("admin_key"))
    assert re.fullmatch(SECRET, made.pop("webhook_secret"))
    assert made.pop("service_id").startswith("svc_")
    assert made == {"service": "demo", "keys_made": True,
                    "database": f"{folder}/callmask.db",
                    "secrets": f"{folder}/secrets.conf"}
    [second] = objects(place("init", "--service", "b", "--countries", "US",
                             "--json"))
    assert not second["keys_made"] and second["webhook_secret"] is None
    refused = init(place, "--json")
    assert refused.returncode == 1 and not refused.stdout
    assert "there is a service demo already" in refused.stderr

    assert objects(place("migrate", "--json")) == [{
        "database": f"{folder}/callmask.db", "version_before": 1, "version": 1}]
    [copied] = objects(place("backup", f"{folder}/copy.db", "--json"))
    assert copied["file"] == f"{folder}/copy.db"
    (folder / "callmask.db").rename(folder / "away")
    for kind in ("wal", "shm"):
        (folder / f"callmask.db-{kind}").unlink(missing_ok=True)
    [restored] = objects(place("restore", f"{folder}/copy.db", "--json"))
    assert restored == {"file": f"{folder}/copy.db", "version": 1,
                        "database": f"{folder}/callmask.db",
                        "version_wanted": 1}
    again = place("restore", f"{folder}/copy.db", "--json")
    assert again.returncode == 1 and not again.stdout and again.stderr


def test_a_new_sealing_key(place):
    init(place, "--webhook-url", "https://app.example/x")
    assert objects(place("rekey", "start", "--json")) == [
        {"key": 2, "secrets": f"{place.folder}/secrets.conf"}]
    assert objects(place("rekey", "run", "--yes", "--json")) == [
        {"key": 2, "put_in_front": True, "resealed": 1, "unreadable": 0,
         "unused_keys": []}]
    assert objects(place("rekey", "run", "--json")) == [
        {"key": 2, "put_in_front": False, "resealed": 0, "unreadable": 0,
         "unused_keys": [1]}]


def test_settings_keys_and_secrets(stack):
    stack.new_service("changes")

    def cli(*arguments):
        return objects(stack.cli(*arguments, "--json", service="changes"))

    [set_] = cli("service", "set", "hold=7", "webhook-url=https://127.0.0.1:1/")
    assert set_["hold"] == 7 and re.fullmatch(SECRET, set_["webhook_secret"])
    assert cli("service", "set", "hold=8")[0]["webhook_secret"] is None
    [shown] = cli("service", "show")
    assert shown["hold"] == 8 and "webhook_secret" not in shown

    [key] = cli("key", "add", "--role", "admin", "--name", "Zoë")
    assert (key["role"], key["name"]) == ("admin", "Zoë")
    assert stack.api("GET", "/v1/sessions", key=key["key"]).status == 200
    [revoked] = cli("key", "revoke", key["id"])
    assert revoked["id"] == key["id"] and re.fullmatch(TIME, revoked["revoked_at"])
    assert stack.api("GET", "/v1/sessions", key=key["key"]).status == 401

    [secret] = cli("webhook", "rotate", "--keep", "60")
    assert re.fullmatch(SECRET, secret["webhook_secret"])
    assert secret["id"] in [each.get("secret") for each in cli("webhook", "show")]
    assert re.fullmatch(TIME, secret["others_sign_until"])
    assert cli("webhook", "test") == [
        {"type": "webhook.test", "webhook_url": "https://127.0.0.1:1/"}]
    assert cli("outbox", "retry", "all") == [{"retried": 0}]


def test_numbers(stack, tmp_path):
    account = Account(stack, tmp_path, "numbers-901", 901)
    a, b, c = account.numbers[:3]
    try:
        account.buy(a, VoiceMethod="GET")

        def cli(*arguments):
            return objects(account.cli("number", *arguments, "--json"))

        assert cli("add", a) == [{"number": a, "country": "US",
                                  "result": "added"}]
        assert cli("set", "reserved", a) == [{"number": a, "state": "reserved"}]
        assert cli("sync", "--apply")[0] == {"number": a, "kind": "done"}
        assert cli("buy", "--yes", b) == [{"number": b, "country": "US",
                                           "result": "bought"}]
        account.cli("number", "add", c)
        assert cli("release", "--yes", b, c) == [
            {"number": b, "result": "released"},
            {"number": c, "result": "retired"}]
        # Half done: what was, as objects; what was not, as words.
        done = account.cli("number", "set", "active", a, "+12025550999", "--json")
        assert done.returncode == 1 and objects(done) == [
            {"number": a, "state": "active"}]
        assert "+12025550999" in done.stderr
    finally:
        account.close()


# Numbers from a file.

def numbers(first, count):
    return [f"+1{905 + first // 100}55501{first % 100 + n:02d}"
            for n in range(count)]


def listed(place):
    return [each["number"] for each in objects(place("number", "list", "--json"))]


@pytest.mark.parametrize("text", (
    "{}\n{}\n{}\n", "{}\r\n\r\n{}\r\n{}", "\ufeff{}\n{}\n{}",
    "Number\n{}\n{}\n{}\n", "{},first\n{},second\n{}\n",
    "SID,PhoneNumber,FriendlyName\nPN1,{},x\nPN2,\"{}\",\"a, \"\"b\"\"\"\n"
    "\"PN3\",{}\n",
    "\ufeff\"Friendly, name\",\"Phone Number\"\n\"(905) 555\",\"{}\"\nx,{}\nx,{}\n",
    "number;x,phone_number\n1,{}\n2,{}\n3,{}\n"))
@pytest.mark.parametrize("way", ("file", "standard input"))
def test_numbers_come_from_a_file(place, text, way):
    init(place)
    wanted = numbers(0, 3)
    path = place.folder / "numbers.csv"
    path.write_bytes(text.format(*wanted).encode())
    if way == "file":
        done = place("number", "add", "--file", str(path))
    else:
        with open(path, encoding="utf-8") as file:
            done = place("number", "add", "--file", "-", stdin=file)
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "3 added, 0 were there, 0 refused\n", "")
    assert listed(place) == wanted


@pytest.mark.parametrize("text, complaint", (
    ("+19055550100\n+1905\n", ":2: there is no E.164 number"),
    ("9055550100\n", ":1: there is no E.164 number"),
    ("name,telephone\nx,+19055550100\n", ":1: there is no E.164 number"),
    ("x,PhoneNumber\na,+19055550100\nb\n", ":3: there is no E.164 number"),
    ('PhoneNumber\n"+19055550100\n', ":2: there is no E.164 number"),
    ('PhoneNumber\n"+19055550100"1\n', ":2: there is no E.164 number"),
    ("\n".join(["+19055550100"] + ["x"] * 15), "6 lines more"[1:]),
    ("+19055550100\n" + "9" * 5000, ":2: is no line of text"),
    ("+19055550100\n\0\n", ":2: is no line of text"),
    ("", "there are no numbers in it"), ("\n\n", "there are no numbers in it"),
    ("PhoneNumber\n", "there are no numbers in it")))
def test_a_file_that_is_not_understood_adds_nothing(place, text, complaint):
    init(place)
    (place.folder / "x").write_text(text)
    for json_ in ((), ("--json",)):
        done = place("number", "add", "--file", str(place.folder / "x"), *json_)
        assert done.returncode == 1 and not done.stdout
        assert complaint in done.stderr and "nothing was added" in done.stderr
        # What stands there may be anybody's.
        assert "905" not in done.stderr and "999" not in done.stderr
    assert not listed(place)


def test_a_file_with_too_many_or_none(place):
    init(place)
    done = place("number", "add", "--file", "/nowhere/x")
    assert done.returncode == 1 and "/nowhere/x" in done.stderr
    (place.folder / "x").write_text("+19055550100\n" * 100001)
    done = place("number", "add", "--file", str(place.folder / "x"))
    assert done.returncode == 1 and "more than 100000" in done.stderr
    assert not listed(place)
    for arguments in (("--file",), ("--file", "x", "+19055550100"), ()):
        assert place("number", "add", *arguments).returncode == 2


def test_what_a_file_could_not_add_is_told_and_the_rest_is_there(place):
    init(place)
    place("init", "--service", "other", "--countries", "US")
    mine, new, twice, theirs = numbers(10, 4)
    place("-s", "demo", "number", "add", mine)
    place("-s", "other", "number", "add", theirs)
    (place.folder / "x").write_text("\n".join(
        [mine, theirs, "+88216555012", new, twice, twice]))
    done = place("-s", "demo", "number", "add", "--file",
                 str(place.folder / "x"))
    assert done.returncode == 1
    assert done.stdout == "2 added, 2 were there, 2 refused\n"
    assert f"{theirs}: is in a pool already" in done.stderr
    assert "+88216555012: belongs to no country" in done.stderr
    # Again: what is there stays there.
    (place.folder / "x").write_text("\n".join([mine, new]))
    done = place("-s", "demo", "number", "add", "--file",
                 str(place.folder / "x"), "--json")
    assert done.returncode == 0 and objects(done) == [
        {"number": number, "country": "CA", "result": "was there"}
        for number in (mine, new)]


# Bars.

BAR = r"{} \[#*( *)\] \d+ of \d+"


def test_bars_are_shown_at_a_terminal_and_nowhere_else(place):
    init(place)
    path = place.folder / "x"
    path.write_text("\n".join(numbers(0, 20)))
    place("rekey", "start")
    program = place("--version").args[0]

    def at_terminal(*arguments):
        status, shown = stacks.at_terminal(
            [program, "-c", place.folder / "callmask.conf", *arguments])
        assert status == 0, shown
        # Cleared away in the end.
        assert re.fullmatch(r"[^\r]*(\r\n)?",
                            shown.rpartition("\r\x1b[K")[2].split("\r\n")[0])
        return shown

    shown = at_terminal("number", "add", "--file", str(path))
    assert re.search(BAR.format("adding numbers"), shown)
    assert "\r\x1b[K20 added, 0 were there, 0 refused\r\n" in shown
    place("service", "set", "webhook-url=https://app.example/x")
    assert re.search(BAR.format("sealing anew"), at_terminal("rekey", "run", "--yes"))
    assert re.search(BAR.format("copying"),
                     at_terminal("backup", str(place.folder / "copy.db")))
    (place.folder / "callmask.db").rename(place.folder / "away")
    for kind in ("wal", "shm"):
        (place.folder / f"callmask.db-{kind}").unlink(missing_ok=True)
    assert re.search(BAR.format("restoring"),
                     at_terminal("restore", str(place.folder / "copy.db")))

    for command in (("number", "add", "--file", str(path)),
                    ("number", "add", *numbers(40, 3)),
                    ("rekey", "run"), ("backup", str(place.folder / "2.db"))):
        done = place(*command)
        assert done.returncode == 0
        assert not re.search(r"[\r\x1b]|#", done.stdout + done.stderr)


def test_a_bar_does_not_run_into_what_is_told(place):
    init(place)
    status, shown = stacks.at_terminal(
        [place("--version").args[0], "-c", place.folder / "callmask.conf",
         "number", "add", *numbers(0, 2), "+1905", *numbers(2, 1)])
    assert status == 1
    lines = [line.rpartition("\r\x1b[K")[2] for line in shown.split("\r\n")]
    assert lines == [f"{numbers(0, 1)[0]} added (CA)", f"{numbers(0, 2)[1]} added (CA)",
                     "callmask: +1905: is not an E.164 number",
                     f"{numbers(2, 1)[0]} added (CA)", ""]
