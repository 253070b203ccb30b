"""A running callmask, as tests/stack.sh sets it up: nginx, programs, sandbox,
database, all in one folder."""

import contextlib
import fcntl
import os
import pathlib
import pty
import random
import re
import select
import shlex
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time

import client

NUMBERS = [f"+120255501{last:02d}" for last in range(10, 18)]
PROGRAMS = ("voice-inbound", "voice-code", "voice-screen", "voice-placed",
            "voice-ended", "status-callback", "message-inbound",
            "message-status", "session-create", "session-get",
            "session-update", "session-intent", "session-call",
            "session-message", "session-close", "routes", "events",
            "recording-callback", "recording", "metrics", "admin")
COUNTERS = ("calls_connected", "calls_refused", "calls_apologised",
            "calls_unrecorded", "webhooks_forged", "webhooks_unknown",
            "keys_refused", "requests_failed", "pool_low",
            "pool_exhausted", "deliveries_done", "deliveries_failed",
            "deliveries_parked")
TABLES = ("schema_version", "service", "api_key", "number", "session", "party",
          "leg", "call", "event", "outbox", "attempt", "idempotency",
          "webhook_secret", "message", "recording", "erasure", "erasure_item",
          "sign_in", "audit", "tally")
CLAIMS = {}     # for each port, a socket that is held for its name
BIN_DIR = pathlib.Path(os.environ.get("BIN_DIR") or client.ROOT / "build/bin")


def free_port():
    """A port nobody has, below those the kernel gives out. No other process of
    the tests is given it while this one holds it."""
    while True:
        port = random.randrange(10000, 20000)
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as trial, contextlib.suppress(OSError):
            claim.bind(f"\0callmask-tests-{port}")
            trial.bind(("127.0.0.1", port))
            CLAIMS[str(port)] = claim
            return port
        claim.close()


def told_of(pid):
    """What ps and /proc tell of a process. Its environment is told to root
    alone, or to nobody."""
    told = b""
    for name in ("comm", "cmdline", "environ"):
        with contextlib.suppress(PermissionError):
            told += pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    return told


def stands_still(pid):
    """Whether a process that was sent SIGSTOP has stopped."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return "\nState:\tT" in status


def at_terminal(command, typed=b""):
    """Run a program at a terminal: exit status and what stood there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs,
                          stderr=theirs) as running:
        os.close(theirs)
        os.write(ours, typed)
        shown = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:          # how Linux tells the end of it
                break
            shown += data
        status = running.wait(30)
    os.close(ours)
    return status, shown.decode()


class Stack(client.Client):
    """One stack. `settings` are stack.sh's."""

    def __init__(self, folder=None, **settings):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(
            prefix="callmask-scenario."))
        self.settings = {
            "PORT": str(free_port()), "SANDBOX_PORT": str(free_port()),
            "RUN_DIR": str(self.folder),
            "BIN_DIR": str(BIN_DIR.resolve()), "NUMBERS": " ".join(NUMBERS),
            "SANDBOX_SPEED": "100", "API_RATE": "10000", **settings}
        self.script("up")
        self.env = {}
        for line in self.read("env").splitlines():
            name, _, value = line.partition("=")
            self.env[name] = "".join(shlex.split(value))
        self._set_up_client()
        # Strangers hear why they are refused; test_16 has those who type codes.
        self.cli("service", "set", "ask-code=0")

    def script(self, *arguments):
        """Run stack.sh. Its output goes to a file: what it starts lives on."""
        with open(self.folder / "stack.out", "w+", encoding="utf-8") as output:
            done = subprocess.run(
                [client.ROOT / "tests/stack.sh", *arguments], check=False,
                env={**os.environ, **self.settings}, stdout=output,
                stderr=subprocess.STDOUT, timeout=120)
            output.seek(0)
            assert done.returncode == 0, output.read()

    def stop(self, keep=False):
        """Stop everything and look for what must never be in a log."""
        self._end_workers()
        self.script("down")
        for name in ("PORT", "SANDBOX_PORT"):
            if self.settings[name] in CLAIMS:
                CLAIMS.pop(self.settings[name]).close()
        logs = self.logs()
        if keep:
            print(f"\nthe stack's files are kept in {self.folder}")
        else:
            shutil.rmtree(self.folder)
        for word in ("AddressSanitizer", "LeakSanitizer", "runtime error",
                     "Assertion", "stack smashing", "exited on signal"):
            assert word not in logs, logs[max(0, logs.find(word) - 200):][:3000]

    def _end_workers(self):
        """Let the workers end by themselves, and check for leaks while they do,
        for which "down" leaves them little time."""
        old = []
        for program in PROGRAMS:
            with contextlib.suppress(OSError):
                old += self.workers(program)
        for pid in old:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            if not any(os.path.exists(f"/proc/{pid}") for pid in old):
                break
            time.sleep(0.02)

    # Processes.

    def restart(self, program):
        """New workers for a program."""
        self.script("restart", program)

    def leader(self, part):
        """The process that leads a part; OSError if it is gone. A number left
        over must not hit a stranger: ours work in our folder."""
        pid = int(self.read(f"pid/{part}"))
        if os.readlink(f"/proc/{pid}/cwd") != str(self.folder.resolve()):
            raise ProcessLookupError(pid)
        return pid

    def workers(self, program):
        """The worker processes of a program."""
        leader = self.leader(program)
        path = f"/proc/{leader}/task/{leader}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    @contextlib.contextmanager
    def hanging(self, pids):
        """Processes that hang meanwhile; not in the middle of a write, which all
        others would wait for."""
        with open(self.folder / "callmask.db-lock", "rb") as lock:
            while True:
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                while not all(map(stands_still, pids)):
                    time.sleep(0.001)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def cli(self, *arguments, service="demo", check=True):
        """Run the command line tool; the finished process."""
        command = shlex.split(self.env["CALLMASK"])
        if service:
            command += ["-s", service]
        done = subprocess.run(command + list(arguments), capture_output=True,
                              text=True, check=False, timeout=60)
        assert not check or done.returncode == 0, done
        return done

    def new_service(self, name, *options, countries="US", numbers=()):
        """A further service in the same database; its app key."""
        self.cli("init", "--service", name, "--countries", countries, *options,
                 service=None)
        if numbers:
            self.cli("number", "add", *numbers, service=name)
        return self.cli("key", "add", "--name", "test",
                        service=name).stdout.strip()

    # What is kept.

    def read(self, name):
        """A file of the stack as text."""
        return (self.folder / name).read_text(encoding="utf-8",
                                              errors="replace")

    def logs(self, without=()):
        """All logs, but for those of some parts."""
        return "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted((self.folder / "log").iterdir())
            if path.stem not in without)

    def connect(self, mode="ro"):
        """The database, to be looked at."""
        return sqlite3.connect(
            f"file:{self.folder}/callmask.db?mode={mode}", uri=True, timeout=10,
            isolation_level=None)

    def bend(self, statement, *values):
        """Change the database past callmask."""
        with contextlib.closing(self.connect("rw")) as connection:
            connection.execute(statement, values)

    def texts_settled(self, session):
        """The texts of a session, newest first, once all have come to an end
        and the sandbox has told all of it."""
        final = {"delivered", "undelivered", "failed", "refused"}
        deadline = time.time() + 15
        while not {text["status"] for text in self.get(session)["messages"]} \
                <= final:
            assert time.time() < deadline, "a text has not come to its end"
            time.sleep(0.01)
        self.sandbox("POST", "settle")
        return self.get(session)["messages"]

    @contextlib.contextmanager
    def texts_held(self, session):
        """Texts to the driver of a session wait behind one that is not due."""
        party = session["parties"][1]["id"]
        self.bend(
            "INSERT INTO outbox (id, service_id, channel, kind, subject_id, lane, "
            "state, attempts, lease, doubt, due_at_ms, created_at_ms) "
            "SELECT '0' || ?, service_id, 'twilio', 'message', 'msg_0', ?, "
            "'waiting', 0, 0, 0, 9000000000000000, 0 FROM session WHERE id = ?",
            party, party, session["id"])
        try:
            yield
        finally:
            self.bend("DELETE FROM outbox WHERE id = '0' || ?", party)
            self.open(*self.persons(2))     # wakes the worker

    @contextlib.contextmanager
    def late(self):
        """Something for Twilio has been due for five minutes meanwhile."""
        self.bend(
            "INSERT INTO outbox (id, service_id, channel, kind, subject_id, state, "
            "attempts, lease, doubt, due_at_ms, created_at_ms) SELECT 'dlv_0', id, "
            "'twilio', 'message', 'msg_0', 'waiting', 0, 0, 0, ?, 0 FROM service",
            int(time.time() - 301) * 1000)
        try:
            yield
        finally:
            self.bend("DELETE FROM outbox WHERE id = 'dlv_0'")

    def rows(self, statement, *values):
        """What a query returns."""
        connection = self.connect()
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def one(self, statement, *values):
        """The one value of the one row a query returns."""
        [[value]] = self.rows(statement, *values)
        return value

    def tables(self):
        """Everything in the database, at one moment."""
        connection = self.connect()
        try:
            connection.execute("BEGIN")
            return {table: sorted(connection.execute(
                f"SELECT * FROM {table}").fetchall(), key=repr)
                for table in TABLES}
        finally:
            connection.close()

    def calm(self):
        """Wait until the worker has nothing to do for some seconds; what earlier
        tests left is put off: sessions that end, deliveries to be tried again."""
        now = int(time.time())
        self.bend("UPDATE session SET expiring_told_at = ? WHERE closed_at IS NULL "
                  "AND expiring_told_at IS NULL", now)
        self.bend("UPDATE session SET expires_at = expires_at + 3600 WHERE "
                  "closed_at IS NULL AND expires_at BETWEEN ? AND ?",
                  now, now + 120)
        due = ("SELECT (SELECT count(*) FROM outbox WHERE state = 'waiting' "
               "AND (due_at_ms < :soon * 1000 OR attempts > (SELECT count(*) "
               "FROM attempt WHERE delivery_id = id))) + (SELECT count(*) FROM session s "
               "JOIN service v ON v.id = s.service_id WHERE closed_at IS NULL "
               "AND (expires_at < :soon OR expiring_told_at IS NULL "
               "AND expiring_s > 0 AND expires_at - expiring_s < :soon))")
        connection = self.connect()
        try:
            for _ in range(1500):
                soon = {"soon": int(time.time()) + 3}
                if connection.execute(due, soon).fetchone() == (0,):
                    self.bend("UPDATE outbox SET due_at_ms = due_at_ms + 3600000 "
                              "WHERE state = 'waiting' AND due_at_ms < ?",
                              (now + 120) * 1000)
                    return
                time.sleep(0.01)
        finally:
            connection.close()
        raise AssertionError("the worker does not come to rest")

    def events(self, session):
        """Type and detail of a session's events, in order."""
        return self.rows("SELECT type, detail FROM event WHERE session_id = ? "
                         "ORDER BY seq", session["id"])

    def counters(self):
        """The counters, as lib/metrics.h orders them."""
        data = (self.folder / "metrics").read_bytes()[:8 * len(COUNTERS)]
        return dict(zip(COUNTERS, struct.unpack(f"<{len(COUNTERS)}Q", data)))

    def set_conf(self, name, key, value):
        """Replace the value of a key in a configuration file."""
        text = self.read(name)
        text = re.sub(rf"(?m)^{key} *=.*$", f"{key} = {value}", text)
        (self.folder / name).write_text(text, encoding="utf-8")
