"""Workers die at any moment, all at once, or in the middle of a request, and
the disk is full: nothing acknowledged is lost, nothing happens twice, nothing
is half done."""

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import random
import secrets
import signal
import subprocess
import tempfile
import threading
import time

import pytest

import stack as stacks
from client import SORRY, masked, new_sid

POINTS = ("begin", "before-commit", "after-commit", "before-answer")
KEYED = "Idempotency-Key"


def can_mount():
    """Whether we may have a small file system of our own."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "none", place],
                                 capture_output=True, check=False)
        if mounted.returncode == 0:
            subprocess.run(["umount", place], check=True)
        return mounted.returncode == 0


@pytest.fixture(scope="module")
def mortal(tmp_path_factory):
    """Settings for a stack whose programs can be killed at chosen points; and
    the folder where that is wished for (see crash.c)."""
    place = tmp_path_factory.mktemp("mortal")
    (place / "bin").mkdir()
    (place / "wishes").mkdir()
    source = pathlib.Path(__file__).with_name("crash.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", place / "crash.so", source,
                    "-ldl"], check=True)
    for program in stacks.BIN_DIR.resolve().iterdir():
        wrapper = place / "bin" / program.name
        wrapper.write_text(
            f"#!/bin/sh\nLD_PRELOAD={place}/crash.so CRASH_DIR={place}/wishes "
            f'exec {program} "$@"\n')
        wrapper.chmod(0o755)
    return {"BIN_DIR": str(place / "bin")}, place / "wishes"


@pytest.fixture(scope="module")
def doomed(mortal, request):
    """One such stack, and how to wish for deaths while something is done."""
    failed = request.session.testsfailed
    made = stacks.Stack(**mortal[0])

    @contextlib.contextmanager
    def dying(point, times=1):
        for number in range(times):
            (mortal[1] / f"{point}.{number}").touch()
        yield
        assert list(mortal[1].iterdir()) == []

    yield made, dying
    made.stop(keep=request.session.testsfailed > failed)


def is_sound(stack):
    """The database is whole, and its events are numbered without gaps."""
    assert stack.one("PRAGMA integrity_check") == "ok"
    assert stack.rows("PRAGMA foreign_key_check") == []
    assert stack.rows("SELECT 1 FROM service s WHERE event_seq <> "
                      "(SELECT count(*) FROM event WHERE service_id = s.id)") == []
    assert stack.rows("SELECT 1 FROM session s WHERE (SELECT count(*) FROM party "
                      "WHERE session_id = s.id) <> 2") == []


def opened(stack):
    """How many sessions were opened, which are as many as were told of."""
    number = len(stack.rows(
        "SELECT 1 FROM event WHERE type = 'session.opened'"))
    assert number == stack.one("SELECT count(*) FROM session")
    return number


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("more", (
    {"headers": True}, {}, {"reference": True}),
    ids=("with a key", "without a key", "with a reference"))
def test_a_worker_dies_while_it_opens_a_session(doomed, point, more):
    """nginx asks another; the backend gets one session and its right answer."""
    stack, dying = doomed
    more = {name: {KEYED: secrets.token_hex(8)} if name == "headers"
            else secrets.token_hex(8) for name in more}
    before = opened(stack)
    with dying(point):
        answer = stack.create(*stack.persons(2), **more)
    assert answer.status == 201, answer
    assert opened(stack) == before + 1
    assert stack.get(answer.json)["status"] == "open"
    is_sound(stack)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_dies_while_it_closes_a_session(doomed, point):
    stack, dying = doomed
    session = stack.open(*stack.persons(2))
    with dying(point):
        assert stack.close(session)["status"] == "closed"
    assert stack.events(session) == [
        ("session.opened", None), ("session.closed", None)]
    is_sound(stack)


@pytest.mark.parametrize("point", POINTS)
def test_workers_die_all_through_a_call(doomed, point):
    stack, dying = doomed
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    sid, child = new_sid(), new_sid()
    with dying(point):
        assert stack.voice(customer, masked(session), sid).rings == driver
    for sequence, status in enumerate(("initiated", "ringing", "in-progress")):
        with dying(point):
            assert stack.report(
                child, status, ParentCallSid=sid, From=masked(session),
                To=driver, SequenceNumber=str(sequence)).status == 200
    with dying(point):
        assert stack.webhook("/twilio/voice/ended", {
            **stack.voice_fields(customer, masked(session), sid),
            "DialCallStatus": "completed", "DialCallSid": child,
            "DialCallDuration": "3"}).twiml.verbs == ["Hangup"]
    assert stack.events(session) == [
        ("session.opened", None), ("call.started", "connected"),
        ("call.ringing", "ringing"), ("call.answered", "in-progress"),
        ("call.ended", "completed")]
    assert stack.rows("SELECT count(*) FROM call WHERE sid IN (?, ?)", sid,
                      child) == [(2,)]
    is_sound(stack)


@pytest.mark.parametrize("point", POINTS[:2])
def test_every_try_dies_and_nothing_is_half_done(doomed, point):
    stack, dying = doomed
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    before = stack.tables()
    for ask, told in (
            (lambda: stack.voice(customer, masked(session)).said, SORRY),
            (lambda: stack.create(*stack.persons(2)).problem,
             (503, "unavailable", None)),
            (lambda: stack.report(new_sid(), "completed").problem,
             (503, "unavailable", None))):
        with dying(point, times=2):
            assert ask() == told
    assert stack.tables() == before
    assert stack.voice(customer, masked(session)).rings == driver
    is_sound(stack)


class Load:
    """Eight clients that call, report and open sessions, and keep what they
    were told."""

    def __init__(self, stack):
        self.stack = stack
        self.calls, self.sessions, self.refused = {}, {}, []
        self.connected = set()
        self.customer, self.driver = stack.persons(2)
        self.number = masked(stack.open(self.customer, self.driver))
        self.stop = False

    def run(self, rounds):
        """Play some rounds on eight threads, unless stopped or cut off."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for each in [pool.submit(self._play, rounds) for _ in range(8)]:
                each.result()

    def _play(self, rounds):
        with contextlib.suppress(OSError, http.client.HTTPException):
            for _ in range(rounds):
                if not self.stop:
                    self._round()

    def _round(self):
        sid, child, key = new_sid(), new_sid(), secrets.token_hex(8)
        if self._good(self.stack.webhook("/twilio/voice", self.stack.voice_fields(
                self.customer, self.number, sid)), self.driver):
            self.calls[sid] = []
            self.connected.add(sid)
        for status in ("ringing", "completed"):
            if self._good(self.stack.report(
                    child, status, ParentCallSid=sid, From=self.number,
                    To=self.driver)):
                self.calls.setdefault(sid, []).append(status)
        answer = self.stack.create(*self.stack.persons(2), headers={KEYED: key})
        if self._good(answer):
            self.sessions[answer.json["id"]] = key

    def _good(self, answer, rings=None):
        good = answer.status in (200, 201) \
            and (not rings or answer.twiml.rings == rings)
        if not good:
            self.refused.append(answer)
        return good

    def check(self):
        """All that was acknowledged is there, once."""
        is_sound(self.stack)
        told, unrecorded = {}, 0
        for sid, kind in self.stack.rows(
                "SELECT call.sid, type FROM event JOIN call ON call.id = subject_id"):
            told.setdefault(sid, []).append(kind)
        for sid, statuses in self.calls.items():
            kinds = told.get(sid, [])
            assert len(kinds) == len(set(kinds))
            wanted = {"ringing": "call.ringing", "completed": "call.ended"}
            assert {wanted[s] for s in statuses} <= set(kinds)
            # A call that could not be written down is connected, and counted.
            unrecorded += sid in self.connected and "call.started" not in kinds
        assert unrecorded <= self.stack.counters()["calls_unrecorded"]
        kept = {row[1] for row in self.stack.tables()["idempotency"]}
        there = {row for row, in self.stack.rows("SELECT id FROM session")}
        assert self.sessions.keys() <= there
        assert set(self.sessions.values()) <= kept
        assert opened(self.stack) == len(there)


def test_a_worker_is_killed_every_50_ms(new_stack):
    """480 webhooks and 160 sessions from eight clients, until there were 40
    deaths: every request is answered, and well."""
    stack = new_stack()
    load, done, killed = Load(stack), threading.Event(), []

    def kill():
        while not done.wait(0.05):
            pid = random.choice([pid for program in stacks.PROGRAMS
                                 for pid in stack.workers(program)])
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        while len(killed) < 40:
            load.run(rounds=20)
    finally:
        done.set()
        killer.join()
    print(f"{len(killed)} workers killed, {len(load.calls)} calls, "
          f"{len(load.sessions)} sessions")
    assert load.refused == []
    load.check()
    assert len(stack.rows("SELECT 1 FROM session")) == len(load.sessions) + 1
    assert len(stack.rows("SELECT 1 FROM call")) == 2 * len(load.calls)


def test_everything_is_killed_at_once(new_stack):
    """As if the power had failed, but for the disk's own part in it."""
    stack = new_stack()
    load = Load(stack)
    playing = threading.Thread(target=load.run, args=(1000,))
    playing.start()
    while len(load.sessions) < 100:
        time.sleep(0.01)
    for part in (*stacks.PROGRAMS, "outboxd", "nginx", "sandbox"):
        os.killpg(stack.leader(part), signal.SIGKILL)
    load.stop = True
    stack.script("up")
    playing.join()
    load.check()
    assert stack.voice(load.customer, load.number).rings == load.driver


@pytest.mark.parametrize("how", ("no room for SQLite",
                                 *(["a full tmpfs"] if can_mount() else [])))
def test_the_disk_is_full(new_stack, mortal, tmp_path, how):
    settings, wishes = mortal
    folder = stack = None
    if how == "a full tmpfs":
        folder, settings = tmp_path, {}
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder],
                       check=True)
    try:
        stack = new_stack(folder, **settings)
        customer, driver = stack.persons(2)
        session = stack.open(customer, driver)
        acknowledged = [session["id"]]
        full = wishes / "enospc" if folder is None else folder / "filler"
        with open(full, "wb", buffering=0) as filler, \
                contextlib.suppress(OSError):
            while folder:
                filler.write(bytes(4096))
        statuses = set()
        for _ in range(40):
            assert stack.voice(customer, masked(session)).rings == driver
            answer = stack.create(*stack.persons(2))
            statuses.add(answer.status)
            if answer.status == 201:
                acknowledged.append(answer.json["id"])
            assert stack.report(new_sid(), "completed").status in (200, 503)
        assert statuses <= {201, 503} and 503 in statuses
        assert stack.api("GET", "/v1/sessions").status == 200
        full.unlink()
        acknowledged.append(stack.open(*stack.persons(2))["id"])
        assert stack.voice(customer, masked(session)).rings == driver
        assert sorted(acknowledged) == sorted(
            row for row, in stack.rows("SELECT id FROM session"))
        is_sound(stack)
    finally:
        if stack:
            stack.script("down")
        if folder:
            subprocess.run(["umount", "-l", folder], check=True)
