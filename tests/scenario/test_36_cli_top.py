"""callmask top: what it counts, what it shows at a terminal, and how it leaves
that."""

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


def numbers_of(done):
    """What a run of the tool printed, as objects."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def look(stack, service="demo"):
    [seen] = numbers_of(stack.cli("top", "--once", "--json", service=service))
    assert seen["database_readable"] and seen["database_writable"]
    return seen


# What it counts.

def test_sessions_calls_and_refusals(new_stack):
    stack = new_stack()
    customer, driver, third = stack.persons(3)
    before = look(stack)
    assert before["sessions_open"] == before["calls_running"] == 0
    session, other = stack.open(customer, driver), stack.open(driver, third)
    sid = new_sid()
    assert stack.voice(customer, masked(session), sid=sid).rings == driver
    stack.voice(third, masked(other))
    child = new_sid()
    stack.report(child, "ringing", ParentCallSid=sid, To=driver,
                 From=masked(session), SequenceNumber="1")
    stack.close(other)
    stack.voice(third, masked(other))                      # refused
    seen = look(stack)
    assert seen["sessions_open"] == 1
    assert seen["calls_running"] == 2
    assert sum(seen["calls"].values()) == 2 and seen["calls"]["ringing"] >= 1
    assert seen["counted"]["calls_connected"] == 2
    assert seen["counted"]["calls_refused"] == 1
    assert seen["calls_refused_by_reason"] == {"session_closed": 1}
    text = stack.cli("top", service=None).stdout
    assert re.search(r"Sessions +1 open\n", text)
    assert re.search(r"Calls now +2 running: .*ringing", text)
    assert re.search(r"Counted +2 calls connected, 1 not\nBecause +session_closed 1\n",
                     text)
    stack.report(sid, "completed", To=masked(session), From=customer,
                 SequenceNumber="2", CallDuration="5")
    assert look(stack)["calls_running"] == 1
    # A call of yesterday of whose end nobody has told is over.
    stack.bend("UPDATE call SET created_at = created_at - 86401")
    assert look(stack)["calls_running"] == 0
    # One service, or all.
    stack.new_service("other")
    assert look(stack, "other")["sessions_open"] == 0
    assert [each["service"] for each in look(stack, None)["services"]] == [
        "demo", "other"]
    assert [each["service"] for each in look(stack, "other")["services"]] == [
        "other"]
    for phone in (customer, driver, third):
        for arguments in ((), ("--json", "--once")):
            shown = stack.cli("top", *arguments, service=None).stdout
            assert phone[1:] not in shown and session["id"] not in shown


def test_numbers_and_deliveries(new_stack):
    stack = new_stack(WORKERS="1")
    os.kill(stack.leader("outboxd"), signal.SIGTERM)
    with contextlib.suppress(OSError):
        while stack.leader("outboxd"):
            pass
    total = len(stack.numbers)
    stack.cli("number", "set", "draining", *stack.numbers[:2])
    stack.cli("number", "set", "retired", stack.numbers[2])
    now = int(time.time() * 1000)
    for name, channel, state, at in (
            ("1", "app", "waiting", now - 90000), ("2", "app", "waiting", now),
            ("3", "app", "parked", 1), ("4", "twilio", "parked", 1),
            ("5", "twilio", "parked", 1)):
        stack.bend(
            "INSERT INTO outbox (id, service_id, channel, kind, subject_id, "
            "state, lease, attempts, doubt, due_at_ms, created_at_ms, ended_at) "
            "SELECT ?, id, ?, 'event', 'evt_', ?, 0, 1, 0, ?, ?, ? FROM service",
            "dlv_" + name, channel, state, at, at,
            1 if state == "parked" else None)
    stack.bend("INSERT INTO usage SELECT id, ?, 600 FROM service", now // 86400000)
    seen = look(stack)
    assert not seen["worker_running"]
    [service] = seen["services"]
    assert (service["active"], service["draining"], service["retired"]) == (
        total - 3, 2, 1)
    assert service["talk_today_s"] == 600 and service["free_ratio"] == 1
    app, twilio = service["deliveries"]
    assert 90000 <= app.pop("oldest_due_ms") < 150000
    assert app == {"receiver": "app", "waiting": 2, "late": 1, "parked": 1}
    assert twilio == {"receiver": "twilio", "waiting": 0, "late": 0,
                      "parked": 2, "oldest_due_ms": 0}
    text = stack.cli("top", "--once").stdout
    assert re.search(r"demo +app +2 +1 +1 +[\d.]+ s\n", text)
    assert "Worker     NOT RUNNING" in text and "10 min" in text
    assert not re.search("[\x1b\r]", text)


def test_a_database_that_cannot_be_written(new_stack):
    stack = new_stack()
    with contextlib.closing(stack.connect("rw")) as held:
        held.execute("BEGIN IMMEDIATE")
        done = stack.cli("top", "--once", check=False)
        held.execute("ROLLBACK")
    assert "CANNOT BE WRITTEN" in done.stdout and done.returncode == 0


@pytest.mark.parametrize("arguments, status", (
    (("--interval", "0"), 2), (("--interval", "x"), 2), (("--interval", ""), 2),
    (("--interval", "3601"), 2), (("--interval",), 2), (("x",), 2),
    (("--once", "--interval", "5"), 0)))
def test_how_it_is_called(stack, arguments, status):
    assert stack.cli("top", *arguments, check=False).returncode == status


def test_an_object_for_each_interval(stack):
    with subprocess.Popen(
            [*shlex.split(stack.env["CALLMASK"]), "top", "--json", "--interval",
             "1"], stdout=subprocess.PIPE, text=True) as running:
        try:
            seen = [json.loads(running.stdout.readline()) for _ in range(3)]
        finally:
            running.kill()
    assert len({each["at"] for each in seen}) == 3


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


FRAME = r"\x1b\[H\x1b\[Kcallmask .*DELIVERIES.*\x1b\[J"


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


@pytest.mark.parametrize("how", ("q", "Q", "\x04", "\x03", signal.SIGTERM,
                                 signal.SIGHUP, signal.SIGINT))
def test_it_leaves_the_terminal_as_it_was(terminal, how):
    top = terminal("top", "--interval", "60")
    top.read(FRAME)
    if isinstance(how, str):
        top.type(how.encode())
    else:
        top.running.send_signal(how)
    assert top.end() == 0


def test_other_keys_only_have_it_redrawn(terminal):
    top = terminal("top", "--interval", "60")
    top.read(FRAME)
    for key in (b" ", b"x", b"\x1a"):
        top.type(key)
        top.read(FRAME)
    assert top.running.poll() is None


def test_it_follows_the_size_of_the_window(terminal):
    top = terminal("top", "--interval", "60", rows=6, columns=20)
    frame = top.read(r"Counted[^\n]*\n\x1b\[K.{20}")
    lines = re.split(r"\r+\n", frame.partition("\x1b[H")[2])
    assert len(lines) == 6
    widths = [len(line) - len("\x1b[K") for line in lines]
    assert widths[:2] == [20, 0] and widths[3:] == [20] * 3
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
