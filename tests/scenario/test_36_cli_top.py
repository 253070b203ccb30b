"""callmask top: what the overview tells, what it shows at a terminal, and how it
leaves that."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import termios
import time

import pytest

from client import masked, new_sid

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


def looks(stack, service="demo"):
    """What it tells as JSON, an object for each service."""
    done = stack.cli("top", "--once", "--json", service=service)
    return [json.loads(line) for line in done.stdout.splitlines()]


def overview(stack, service="demo"):
    """What the API tells."""
    key = stack.cli("key", "add", "--role", "admin", "--name", "admin",
                    service=service).stdout.strip()
    answer = stack.api("GET", "/v1/overview", key=key)
    assert answer.status == 200
    return answer.json


def idle(stack):
    """Have no worker, so that nothing moves."""
    os.kill(stack.leader("outboxd"), signal.SIGTERM)
    with contextlib.suppress(OSError):
        while stack.leader("outboxd"):
            pass


# What it tells.

def test_it_is_what_the_api_tells(new_stack):
    stack = new_stack(WORKERS="1")
    customer, driver, third = stack.persons(3)
    assert "nobody has met yet" in stack.cli("top").stdout
    session, other = stack.open(customer, driver), stack.open(driver, third)
    done, missed = new_sid(), new_sid()
    for sid, status in ((done, "completed"), (missed, "no-answer")):
        stack.voice(customer, masked(session), sid=sid)
        stack.report(new_sid(), status, ParentCallSid=sid, To=driver,
                     From=masked(session), CallDuration="5")
        stack.report(sid, status, CallDuration="5")
    stack.voice(customer, masked(session))                  # on the line
    stack.close(other)
    for _ in range(2):
        stack.voice(third, masked(other))
    stack.voice("+12025550199", masked(session))            # not known
    stack.webhook("/twilio/message", {
        **stack.voice_fields("+12025550199", masked(session)),
        "MessageSid": "SM" + os.urandom(16).hex(), "Body": "Hello"})
    stack.cli("number", "set", "draining", *stack.numbers[-2:])
    idle(stack)
    text = stack.cli("top").stdout
    [seen], told = looks(stack), overview(stack)
    assert seen.pop("service") == "demo"
    for each in (seen, told):
        del each["now"]
        for queue in each["deliveries"]:
            queue["late"] = queue["late"] // 60
    assert seen == told
    assert told["calls"] == {"now": 1, "today": {
        "answered": 1, "missed": 1, "refused": 3, "failed": 0,
        "missed_by": {"no-answer": 1},
        "refused_by": {"session_closed": 2, "caller_unknown": 1}}}
    assert text.startswith("callmask   20")
    active = len(stack.numbers) - 2
    free = int(told["pool"]["free"] * 100)
    assert re.search(
        r"\n\nService    demo\nSessions   1 open\n"
        r"Calls      1 now; today 1 answered, 1 missed, 3 refused, 0 failed\n"
        r"  missed   no-answer 1\n"
        r"  refused  session_closed 2, caller_unknown 1\n"
        r"Texts      today 0 relayed, 1 refused\n"
        r"  refused  caller_unknown 1\n"
        rf"Numbers    US {active} active, 2 draining\n"
        rf"Pool       {free} % free\n"
        r"Deliveries \d+ to app.*, \d+ to twilio.*, 0 given up\n$", text), text
    for shown in (text, json.dumps(seen)):
        for phone in (customer, driver, third):
            assert phone[1:] not in shown and session["id"] not in shown


def test_the_commonest_reasons_pool_and_deliveries(new_stack):
    stack = new_stack(WORKERS="1")
    idle(stack)
    stack.open(*stack.persons(2))
    now = int(time.time())
    hour, week = now - now % 3600, 7 * 86400

    for at, what, count in (
            (hour, "calls_refused voice_off", 2),
            (hour, "calls_refused session_closed", 7),
            (hour, "calls_refused caller_unknown", 5),
            (hour, "calls_refused session_expired", 1),
            (hour, "calls_refused session_limit", 9),
            (hour, "calls_refused person_limit", 3),
            (hour, "calls_missed busy", 8),
            (hour - 3 * week, "sessions_opened", 1),
            (hour - week - 3600, "sessions_opened", 100),
            (hour - 3600, "sessions_opened", 200)):
        stack.bend("INSERT INTO tally (service_id, step_s, at, what, count) "
                   "SELECT id, 3600, ?, ?, ? FROM service", at, what, count)
    for name, channel, state, late in (
            ("1", "app", "waiting", 90), ("2", "app", "parked", 0),
            ("3", "twilio", "parked", 0)):
        stack.bend(
            "INSERT INTO outbox (id, service_id, channel, kind, subject_id, "
            "state, lease, attempts, doubt, due_at_ms, created_at_ms, ended_at) "
            "SELECT ?, id, ?, 'event', 'evt_', ?, 0, 1, 0, ?, ?, ? FROM service",
            "dlv_" + name, channel, state, (now - late) * 1000,
            (now - late) * 1000, 1 if state == "parked" else None)
    [seen] = looks(stack)
    text = stack.cli("top").stdout
    assert ("  missed   busy 8\n  refused  session_limit 9, session_closed 7, "
            "caller_unknown 5, person_limit 3\n") in text
    days = seen["pool"]["days_left"]
    assert days > 1 and re.search(rf"Pool       \d+ % free, {days} days left\n",
                                  text)
    assert re.search(
        r"Deliveries \d+ to app \((9\d|1\d\d) s late\), 0 to twilio, 2 given up\n",
        text), text


# More than it tells of.
SERVICES = 32


def test_each_service_or_one(new_stack):
    stack = new_stack(WORKERS="1")
    stack.new_service("other", countries="US,CA", numbers=(
        "+12025550191", "+12025550192", "+14165550191"))
    stack.cli("number", "set", "draining", "+12025550191", service="other")
    assert [each["service"] for each in looks(stack, None)] == ["demo", "other"]
    assert [each["service"] for each in looks(stack, "other")] == ["other"]
    assert re.findall(r"\nService +(\w+)\n",
                      stack.cli("top", service=None).stdout) == ["demo", "other"]
    assert re.findall(r"\nService +(\w+)\n", stack.cli("top").stdout) == ["demo"]
    assert "\nNumbers    CA 1 active; US 1 active, 1 draining\n" in stack.cli(
        "top", service="other").stdout
    assert stack.cli("top", service="third", check=False).returncode == 1
    columns = [row[1] for row in stack.rows("PRAGMA table_info(service)")]
    others = ", ".join(set(columns) - {"id", "name"})
    for i in range(SERVICES - 1):
        stack.bend(f"INSERT INTO service (id, name, {others}) SELECT 'svc_z' || ?, "
                   f"'more' || ?, {others} FROM service WHERE name = 'other'",
                   f"{i:02d}", i)
    text = stack.cli("top", service=None).stdout
    assert text.count("\nService ") == SERVICES
    assert text.endswith("\n\nand others; say -s NAME\n")
    done = stack.cli("top", "--json", "--once", service=None)
    assert len(done.stdout.splitlines()) == SERVICES
    assert "say -s NAME" in done.stderr
    [seen] = looks(stack, f"more{SERVICES - 2}")
    assert seen["service"] == f"more{SERVICES - 2}"


# How the installation is.

def test_what_is_wrong(new_stack):
    stack = new_stack(WORKERS="1")
    text = stack.cli("top").stdout
    assert re.search(r"\nWorker     running\nDatabase   can be written, "
                     r"\d+\.\d MB, log \d+\.\d MB\nFaults     0 apologised, "
                     r"0 unrecorded, 0 requests failed\n", text)
    assert "Trouble" not in text
    assert not re.search("[\x1b\r]", text)
    idle(stack)
    text = stack.cli("top").stdout
    assert "Worker     NOT RUNNING\n" in text
    assert "\nTrouble    outboxd does not run\n" in text
    [seen] = looks(stack)
    assert (seen["health"]["database"], seen["health"]["worker"]) == (True, False)
    with contextlib.closing(stack.connect("rw")) as held:
        held.execute("BEGIN IMMEDIATE")
        done = stack.cli("top", "--once", check=False)
        held.execute("ROLLBACK")
    assert "Database   CANNOT BE USED" in done.stdout
    assert "\nTrouble    the database cannot be written\n" in done.stdout
    assert "\nSessions " in done.stdout and done.returncode == 0
    stack.bend("DROP TABLE tally")
    done = stack.cli("top", check=False)
    assert "\nthe database cannot be read: " in done.stdout
    assert done.returncode == 1
    done = stack.cli("top", "--once", "--json", check=False)
    assert (done.stdout, done.returncode) == ("", 1)
    assert "the database cannot be read: " in done.stderr


def test_a_database_that_goes_and_comes_back(new_stack):
    stack = new_stack()
    with subprocess.Popen(
            ["timeout", "30", *shlex.split(stack.env["CALLMASK"]), "top", "--json",
             "--interval", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True) as running:
        try:
            assert json.loads(running.stdout.readline())["health"]["database"]
            database = stack.folder / "callmask.db"
            database.rename(stack.folder / "away")
            said = running.stderr.readline()
            while "the database cannot be read: " not in said:
                assert said, "it has ended"
                said = running.stderr.readline()
            (stack.folder / "away").rename(database)
            assert json.loads(running.stdout.readline())
            assert json.loads(running.stdout.readline())["health"]["database"]
        finally:
            running.terminate()


@pytest.mark.parametrize("arguments, status", (
    (("--interval", "0"), 2), (("--interval", "x"), 2), (("--interval", ""), 2),
    (("--interval", "3601"), 2), (("--interval",), 2), (("x",), 2),
    (("--once", "--interval", "5"), 0)))
def test_how_it_is_called(stack, arguments, status):
    assert stack.cli("top", *arguments, check=False).returncode == status


def test_an_object_for_each_interval(stack):
    with subprocess.Popen(
            [*shlex.split(stack.env["CALLMASK"]), "-s", "demo", "top", "--json",
             "--interval", "1"], stdout=subprocess.PIPE, text=True) as running:
        try:
            seen = [json.loads(running.stdout.readline()) for _ in range(3)]
        finally:
            running.kill()
    assert len({each["now"] for each in seen}) == 3


# At a terminal.

class Terminal:
    """The tool at a terminal of some size."""

    def __init__(self, stack, *arguments, rows=40, columns=120):
        self.ours, self.theirs = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.theirs)
        self.running = subprocess.Popen(
            [*shlex.split(stack.env["CALLMASK"]), *arguments], stdin=self.theirs,
            stdout=self.theirs, stderr=self.theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.shown = ""

    def size(self, rows, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until, seconds=20):
        """What is shown up to something, which must come."""
        ending = time.monotonic() + seconds
        start = len(self.shown)
        while not re.search(until, self.shown[start:], re.DOTALL):
            assert time.monotonic() < ending, self.shown
            if select.select([self.ours], [], [], 0.1)[0]:
                self.shown += os.read(self.ours, 65536).decode()
        return self.shown[start:]

    def type(self, keys):
        os.write(self.ours, keys)

    def end(self):
        """Its exit status; the terminal must be as it was."""
        self.read(re.escape(LEAVE))
        status = self.running.wait(20)
        assert termios.tcgetattr(self.theirs) == self.before
        assert self.shown.endswith("\x1b[?25h" + LEAVE)
        return status

    def close(self):
        self.running.kill()
        self.running.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal(stack):
    """Makes terminals for the test."""
    made = []

    def make(*arguments, **more):
        made.append(Terminal(stack, *arguments, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


FRAME = r"\x1b\[H\x1b\[Kcallmask .*Deliveries.*\x1b\[J"


def test_it_is_redrawn_in_place(terminal, stack):
    top = terminal("-s", "demo", "top", "--interval", "1")
    first = top.read(FRAME)
    assert first.startswith(ENTER + "\x1b[?25l\x1b[H\x1b[Kcallmask ")
    opened = int(re.search(r"Sessions +(\d+) open", first).group(1))
    stack.open(*stack.persons(2))
    top.read(rf"Sessions +{opened + 1} open.*\x1b\[J")
    # No line is added below: nothing scrolls.
    frames = top.shown.split("\x1b[H")[1:]
    assert len(frames) >= 2
    assert {frame.count("\n") for frame in frames} == {frames[0].count("\n")}
    assert termios.tcgetattr(top.theirs) != top.before
    top.type(b"q")
    assert top.end() == 0


def test_how_much_faults_have_risen(new_stack):
    stack = new_stack()
    at = 8 * list(stack.counters()).index("calls_apologised")
    with contextlib.closing(Terminal(stack, "top", "--interval", "1")) as top:
        top.read(r"Faults     0 apologised, 0 unrecorded")
        with open(stack.folder / "metrics", "r+b") as counters:
            counters.seek(at)
            counters.write(struct.pack("<Q", 3))
        top.read(r"Faults     3 \(\+3\) apologised, 0 unrecorded")
    assert "Faults     3 apologised" in stack.cli("top").stdout


@pytest.mark.parametrize("how", ("q", "Q", "\x04", "\x03", signal.SIGTERM,
                                 signal.SIGHUP, signal.SIGINT))
def test_it_leaves_the_terminal_as_it_was(terminal, how):
    top = terminal("-s", "demo", "top", "--interval", "60")
    top.read(FRAME)
    if isinstance(how, str):
        top.type(how.encode())
    else:
        top.running.send_signal(how)
    assert top.end() == 0


def test_other_keys_only_have_it_redrawn(terminal):
    top = terminal("-s", "demo", "top", "--interval", "60")
    top.read(FRAME)
    for key in (b" ", b"x", b"\x1a"):
        top.type(key)
        top.read(FRAME)
    assert top.running.poll() is None


def test_it_follows_the_size_of_the_window(terminal):
    top = terminal("-s", "demo", "top", "--interval", "60", rows=6, columns=20)
    frame = top.read(r"Faults[^\n]*\n\x1b\[K")
    lines = re.split(r"\r+\n", frame.partition("\x1b[H")[2])
    assert len(lines) == 6
    assert [len(line) - len("\x1b[K") for line in lines] == [
        20, 0, len("Worker     running"), 20, 20, 0]
    top.size(50, 132)
    top.read(FRAME)
    top.type(b"q")
    assert top.end() == 0


def test_without_a_terminal_it_ends_by_itself(stack):
    """Also if only one side of it is one."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [*shlex.split(stack.env["CALLMASK"]), "top"], stdin=theirs,
            capture_output=True, text=True, check=True, timeout=20)
        assert ENTER not in done.stdout and done.stdout.count("callmask ") == 1
    finally:
        os.close(ours)
        os.close(theirs)
