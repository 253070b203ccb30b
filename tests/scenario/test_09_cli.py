"""callmask, the operator's tool: what it does, what it refuses, how it ends, and
what it never shows."""

import os
import pathlib
import re
import shlex
import socket
import sqlite3
import stat
import subprocess
import tempfile
import time

import pytest

import stack as stacks
from client import masked

KEY = r"cm_[0-9a-z]{26}_[0-9a-f]{64}"


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
    return place("init", "--service", "demo", "--countries", "us, CA", *more)


def query(place, statement):
    connection = sqlite3.connect(f"file:{place.folder}/callmask.db?mode=ro",
                                 uri=True)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


# init, migrate, doctor.

def test_init_makes_all_that_is_needed(place):
    done = init(place, "--ttl-max", "600", "--hold", "60", "--call-limit", "90",
                "--webhook-url", "https://app.example/hook")
    assert done.returncode == 0
    assert re.fullmatch(KEY + "\nwhsec_[A-Za-z0-9+/]{43}=\n", done.stdout)
    assert query(place, "SELECT name, countries, ttl_default_s, ttl_max_s, hold_s,"
                 " call_limit_s, webhook_url FROM service") == [
        ("demo", "US CA", 600, 600, 60, 90, "https://app.example/hook")]
    for name in ("secrets.conf", "callmask.db"):
        assert stat.S_IMODE(os.stat(place.folder / name).st_mode) == 0o640
    assert re.search(r"(?m)^sealing_keys = 1:[A-Za-z0-9+/]{43}=$",
                     (place.folder / "secrets.conf").read_text())


def test_a_second_init_spoils_nothing(place):
    init(place)
    secrets = (place.folder / "secrets.conf").read_text()
    before = query(place, "SELECT * FROM service"), query(
        place, "SELECT * FROM api_key")
    again = init(place)
    assert again.returncode == 1 and again.stdout == ""
    assert "there is a service demo already" in again.stderr
    assert (place.folder / "secrets.conf").read_text() == secrets
    assert (query(place, "SELECT * FROM service"),
            query(place, "SELECT * FROM api_key")) == before
    other = place("init", "--service", "other", "--countries", "US")
    assert other.returncode == 0
    assert (place.folder / "secrets.conf").read_text() == secrets


def test_init_keeps_what_is_in_the_secrets_file(place):
    secrets = place.folder / "secrets.conf"
    secrets.write_text("# mine\ntwilio_auth_tokens = abc\n")
    secrets.chmod(0o600)
    assert init(place).returncode == 0
    text = secrets.read_text()
    assert text.startswith("# mine\ntwilio_auth_tokens = abc\n")
    assert text.count("sealing_keys") == text.count("lookup_key") == 1


@pytest.mark.parametrize("arguments", (
    (), ("--service", "x"), ("--countries", "US"),
    ("--service", "x", "--countries", "USA"), ("--service", "x", "--countries", "XX"),
    ("--service", "x", "--countries", ""), ("--service", "", "--countries", "US"),
    ("--service", "x", "--countries", "US", "--hold", "soon"),
    ("--service", "x", "--countries", "US", "--hold", "-1"),
    ("--service", "x", "--countries", "US", "--ttl-max", "0"),
    ("--service", "x", "--countries", "US", "--call-limit", "0"),
    ("--service", "x", "--countries", "US", "more"), ("--nonsense",)))
def test_init_refuses(place, arguments):
    done = place("init", *arguments)
    assert done.returncode == 2 and done.stdout == "" and done.stderr
    assert not (place.folder / "callmask.db").exists()


def test_migrate_brings_a_database_up_and_does_it_once(place):
    assert place("migrate").returncode == 1            # nothing to migrate
    init(place)
    for _ in range(2):
        done = place("migrate")
        assert done.returncode == 0 and "is at version 1 already" in done.stdout


def test_a_database_of_another_version_is_left_alone(place):
    init(place)
    connection = sqlite3.connect(place.folder / "callmask.db")
    connection.execute("UPDATE schema_version SET version = 99")
    connection.commit()
    connection.close()
    for command in (("session", "list"), ("migrate",), ("doctor",)):
        done = place(*command)
        assert done.returncode == 1
    assert "version" in place("session", "list").stderr


def test_doctor_is_content(stack):
    done = stack.cli("doctor", service=None)
    assert "FAIL" not in done.stdout
    for word in ("every line understood", "auth token", "schema version 1",
                 "can be written", "calls_unrecorded: "):
        assert word in done.stdout


def test_doctor_finds_what_is_wrong(place):
    def complaint():
        done = place("doctor")
        assert done.returncode == 1
        return "\n".join(line for line in done.stdout.splitlines()
                         if line.startswith("FAIL"))

    secrets = place.folder / "secrets.conf"
    assert "secrets.conf" in complaint() and "callmask.db" in complaint()
    init(place)
    assert "twilio_auth_tokens" in complaint()
    assert "0 active masked numbers" in complaint()
    with open(secrets, "a", encoding="utf-8") as file:
        file.write("twilio_auth_tokens = abc\n")
    place("number", "add", "+12025550199")
    assert place("doctor").returncode == 0
    secrets.chmod(0o644)
    assert "others may read it" in complaint()
    secrets.chmod(0o600)
    (place.folder / "callmask.db").rename(place.folder / "away")
    assert "callmask.db cannot be used" in complaint()
    (place.folder / "away").rename(place.folder / "callmask.db")
    assert place("doctor").returncode == 0


def test_doctor_tells_of_a_locked_database(place):
    init(place)
    connection = sqlite3.connect(place.folder / "callmask.db",
                                 isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    done = place("doctor")
    connection.execute("ROLLBACK")
    connection.close()
    assert done.returncode == 1
    assert "FAIL the database cannot be written" in done.stdout


def test_doctor_looks_for_the_sockets(stack, tmp_path):
    """Those of systemd, but that ours are elsewhere."""
    def doctor(folder):
        return stack.cli("doctor", "--offline", "--sockets", folder,
                         check=False).stdout

    for program in stacks.PROGRAMS:
        (tmp_path / f"{program}.sock").symlink_to(
            stack.folder.resolve() / f"sock/{program}.sock")
    assert f"ok   {len(stacks.PROGRAMS)} programs listen" in doctor(tmp_path)
    (tmp_path / "events.sock").unlink()
    told = doctor(tmp_path)
    assert "FAIL events does not listen" in told and told.count("FAIL") == 1
    # One that nobody listens at any more.
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "events.sock"))
    assert "FAIL events does not listen" in doctor(tmp_path)
    (tmp_path / "none").mkdir()
    assert "warn no program listens in" in doctor(tmp_path / "none")
    assert "skip there is no" in doctor(tmp_path / "nowhere")


def test_doctor_finds_a_network_disk(place):
    """Not mounted for this, but said by statfs(2)."""
    init(place)
    assert "ok   the database is on a local disk" in place("doctor").stdout
    source = place.folder / "statfs.c"
    source.write_text("""
        #include <string.h>
        #include <sys/vfs.h>
        int statfs(const char *path, struct statfs *out) {
                (void)path;
                memset(out, 0, sizeof *out);
                out->f_type = 0x6969;
                return 0;
        }""")
    library = place.folder / "statfs.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = place("doctor", env={**os.environ, "LD_PRELOAD": str(library)})
    assert "is on a network disk (NFS)" in done.stdout and done.returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_root_acts_as_the_owner_of_the_database(place):
    """What root made there, the programs could not open."""
    user = 65534
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        os.chown(folder, user, user)
        (place.folder / "callmask.conf").write_text(
            "public_url = https://mask.example.net\n"
            f"  database = {folder}/callmask.db\n"
            f"  secrets = {folder}/secrets.conf\n"
            f"  metrics = {folder}/metrics\n")
        assert init(place).returncode == 0
        place("number", "add", "+12025550199")
        with open(folder / "secrets.conf", "a", encoding="utf-8") as file:
            file.write("twilio_auth_tokens = abc\n")
        done = place("doctor", "--offline")
        assert "ok   the programs own their files" in done.stdout
        assert {each.stat().st_uid for each in folder.iterdir()} == {user}
        # The audit log has who it was.
        assert "root" in place("audit", "list").stdout
        # But root's own files are root's.
        copy = place.folder / "copy"
        assert place("backup", copy).returncode == 0
        assert copy.stat().st_uid == 0
        done = place("restore", copy)
        assert "for the owner of the database: Permission" in done.stderr
        # The folder of the keys need not be theirs.
        os.chown(folder / "metrics", 0, 0)
        done = place("doctor", "--offline")
        assert f"FAIL {folder}/metrics belongs to root: chown" in done.stdout


# Help, and what must stay inside.

@pytest.mark.parametrize("arguments, status", (
    (("-h",), 0), (("help",), 0), (("-V",), 0), ((), 2), (("nonsense",), 2),
    (("key",), 2), (("key", "nonsense"), 2), (("-x",), 2), (("key", "add"), 2),
    (("key", "add", "--name"), 2), (("key", "add", "--name", "x", "y"), 2),
    (("key", "add", "--role", "root", "--name", "x"), 2),
    (("key", "revoke"), 2), (("key", "list", "x"), 2), (("number", "add"), 2),
    (("number", "list", "x"), 2), (("session", "list", "ended"), 2),
    (("session", "list", "open", "x"), 2), (("session", "show"), 2),
    (("session", "close"), 2), (("session", "close", "a", "b"), 2),
    (("doctor", "x"), 2), (("migrate", "x"), 2)), ids=str)
def test_help_and_usage(stack, arguments, status):
    done = stack.cli(*arguments, check=False)
    assert done.returncode == status
    asked = done.stdout if status == 0 else done.stderr
    assert asked.startswith("callmask ") or "usage: callmask" in asked
    assert status == 0 or done.stdout == ""


def test_no_secret_is_ever_shown(stack):
    """Not on a screen, and not in what ps or /proc tell of the processes."""
    secrets = [value.strip() for line in stack.read("secrets.conf").splitlines()
               for value in line.partition("=")[2].replace("1:", "").split()]
    secrets = [value for value in secrets if len(value) >= 32
               and not value.startswith("AC")]
    assert len(secrets) == 3
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    secrets += [customer[1:], driver[1:]]
    for command in (("doctor",), ("key", "list"), ("number", "list"),
                    ("session", "list"), ("session", "show", session["id"]),
                    ("migrate",), ("-h",), ("number", "add", "+1")):
        done = stack.cli(*command, check=False)
        for secret in secrets:
            assert secret not in done.stdout + done.stderr
    for part in ("nginx", *stacks.PROGRAMS):
        for pid in (stack.leader(part), *stack.workers(part)):
            told = stacks.told_of(pid)
            for secret in secrets:
                assert secret.encode() not in told


def test_a_change_by_the_tool_holds_at_once(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.cli("session", "close", session["id"])
    started = time.monotonic()
    assert stack.voice(customer, masked(session)).rings is None
    assert time.monotonic() - started < 1
