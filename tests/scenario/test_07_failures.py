"""Something callmask needs is not to be had. Whoever calls hears a sentence at
once, the backend is told to come again, and nothing has to be restarted when it
is back."""

import concurrent.futures
import contextlib
import fcntl
import hashlib
import os
import signal
import time

import pytest

import stack as stacks
from client import SORRY, masked, new_sid

DATABASE = ("callmask.db", "callmask.db-wal", "callmask.db-shm")


@pytest.fixture(scope="module")
def sick(request):
    """A stack for this file. Each test heals what it did to it."""
    failed = request.session.testsfailed
    made = stacks.Stack()
    yield made
    made.stop(keep=request.session.testsfailed > failed)


class Patient:
    """Two people in a session on a stack that gets ill."""

    def __init__(self, stack):
        self.stack = stack
        self.customer, self.driver = stack.persons(2)
        self.session = stack.open(self.customer, self.driver)
        self.number = masked(self.session)

    def call(self, sid=None):
        """The customer calls: the TwiML."""
        return self.stack.voice(self.customer, self.number, sid)

    def end(self, sid=None):
        """The driver was busy: the TwiML for the customer."""
        return self.stack.webhook("/twilio/voice/ended", {
            **self.stack.voice_fields(self.customer, self.number, sid),
            "DialCallStatus": "busy"}).twiml

    def report(self, sid, child):
        """The driver's leg is over: the answer."""
        return self.stack.report(child, "completed", ParentCallSid=sid,
                                 From=self.number, To=self.driver)

    def create(self):
        """The backend asks for another session: the answer."""
        return self.stack.create(*self.stack.persons(2))

    def close(self):
        """The backend closes this one: the answer."""
        return self.stack.api("POST", f"/v1/sessions/{self.session['id']}/close")

    def is_well(self):
        """All works, nothing is lost, and nothing was restarted."""
        assert self.call().rings == self.driver
        assert self.create().status == 201
        assert self.stack.get(self.session)["calls"]
        assert self.stack.one("PRAGMA integrity_check") == "ok"


@pytest.fixture
def patient(sick):
    """Must be well at the end of each test."""
    made = Patient(sick)
    yield made
    made.is_well()


@contextlib.contextmanager
def within(seconds):
    """Fail if what is inside takes longer."""
    started = time.monotonic()
    yield
    took = time.monotonic() - started
    assert took < seconds, took


@contextlib.contextmanager
def locked(stack, how):
    """Another connection holds the database."""
    other = stack.connect("rw")
    other.execute(f"BEGIN {how}")
    try:
        yield
    finally:
        other.rollback()
        other.close()


@contextlib.contextmanager
def away(stack, *names):
    """Files are elsewhere; where, is given."""
    place = stack.folder / "away"
    place.mkdir()
    with open(stack.folder / "callmask.db-lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in names:
            (stack.folder / name).rename(place / name)
    try:
        yield place
    finally:
        for name in names:
            (place / name).rename(stack.folder / name)
        place.rmdir()


def come_again(answer):
    """The backend, or Twilio, is told to come again."""
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    assert answer.problem[1] in ("busy", "unavailable")


# The database is locked.

def test_a_stranger_locks_the_database(patient, sick):
    sid, child = new_sid(), new_sid()
    before, counted = sick.tables(), sick.counters()
    with locked(sick, "EXCLUSIVE"):
        with within(3):
            assert patient.call(sid).rings == patient.driver
        with within(3):
            assert sick.voice("+12025550150", patient.number).rings is None
        with within(3):
            assert patient.end(sid).said.startswith("The line is busy")
        with within(10), concurrent.futures.ThreadPoolExecutor() as pool:
            for answer in (pool.submit(patient.create), pool.submit(patient.close),
                           pool.submit(patient.report, sid, child)):
                come_again(answer.result())
        assert sick.get(patient.session)["status"] == "open"
    assert sick.tables() == before
    now = sick.counters()
    assert now["calls_unrecorded"] == counted["calls_unrecorded"] + 3
    assert now["calls_connected"] == counted["calls_connected"] + 1
    assert now["requests_failed"] == counted["requests_failed"] + 3
    assert f"call {sid} (connected)" in sick.read("log/voice-inbound.log")
    # Twilio's next report brings the lost record back.
    assert patient.report(sid, child).status == 200
    [call] = sick.get(patient.session)["calls"]
    assert (call["reason"], call["status"]) == ("connected", "completed")


def test_a_crowd_calls_while_the_database_is_locked(patient, sick):
    def call(_):
        started = time.monotonic()
        rings = patient.call().rings
        return rings, time.monotonic() - started

    with locked(sick, "IMMEDIATE"):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            seen = list(pool.map(call, range(16)))
    print("slowest of 16 calls:", round(max(took for _, took in seen), 2), "s")
    assert [rings for rings, _ in seen] == [patient.driver] * 16
    assert max(took for _, took in seen) < 10


def test_after_a_lock_calls_are_recorded_again(patient, sick):
    """Though the load goes on, and writers wait for each other."""
    stop = time.monotonic() + 3.6

    def work(ask):
        while time.monotonic() < stop:
            ask()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for ask in [patient.call] * 6 + [patient.create] * 3:
            pool.submit(work, ask)
        with locked(sick, "IMMEDIATE"):
            time.sleep(1.1)
        time.sleep(1.5)
        lost = sick.counters()["calls_unrecorded"]
        time.sleep(0.9)
        assert sick.counters()["calls_unrecorded"] == lost


def test_nobody_writes_while_another_has_the_lock(patient, sick):
    """The lock file is what keeps SQLite's log sound (RELIABILITY.md, A4)."""
    counted = sick.counters()["calls_unrecorded"]
    with open(sick.folder / "callmask.db-lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = sick.tables()
        with within(3):
            assert patient.call().rings == patient.driver
        assert sick.tables() == before
    assert sick.counters()["calls_unrecorded"] == counted + 1


# The database is gone.

@pytest.mark.parametrize("names", (DATABASE[:1], DATABASE),
                         ids=("alone", "with its log"))
def test_the_database_is_moved_away_and_back(patient, sick, names):
    counted = sick.counters()["calls_apologised"]
    # The worker may just be folding the log back: that is none of the
    # programs' doing.
    with sick.hanging(sick.workers("outboxd")), away(sick, *names) as place:
        def sums():
            return [hashlib.sha256((place / name).read_bytes()).digest()
                    for name in names]

        before = sums()
        for _ in range(4):
            with within(1):
                assert patient.call().said == SORRY
            with within(1):
                assert patient.end().said == SORRY
            come_again(patient.create())
            come_again(patient.close())
            come_again(patient.report(new_sid(), new_sid()))
            come_again(sick.api("GET", "/v1/sessions"))
        assert sums() == before
        assert not (sick.folder / "callmask.db").exists()
    assert sick.counters()["calls_apologised"] == counted + 8
    assert "db_gone" in sick.read("log/voice-inbound.log")


@pytest.mark.parametrize("garbage", (
    b"x" * 100, b"SQLite format 3\0" + b"\xff" * 5000, b""),
    ids=("text", "a header", "nothing"))
def test_there_is_garbage_in_the_place_of_the_database(patient, sick, garbage):
    with away(sick, *DATABASE):
        (sick.folder / "callmask.db").write_bytes(garbage)
        for _ in range(2):
            with within(1):
                assert patient.call().said == SORRY
            come_again(patient.create())
        for name in DATABASE:
            (sick.folder / name).unlink(missing_ok=True)


def test_an_empty_file_does_not_cost_the_log(new_stack):
    """SQLite throws the log of an empty database away, and with it what was
    acknowledged."""
    stack = new_stack()
    patient = Patient(stack)
    with away(stack, "callmask.db"):
        (stack.folder / "callmask.db").touch()
        assert patient.call().said == SORRY
        (stack.folder / "callmask.db").unlink()
    patient.is_well()


# The keys are gone.

def test_the_secrets_are_gone_at_start(patient, sick):
    sick.restart("voice-inbound")
    with away(sick, "secrets.conf"):
        # Who has read them goes on.
        assert patient.call().rings == patient.driver
        for program in ("voice-inbound", "voice-ended", "session-create"):
            sick.restart(program)
        for _ in range(4):
            with within(1):
                assert patient.call().said == SORRY
            with within(1):
                assert patient.end().said == SORRY
            come_again(patient.create())
    assert "secrets_missing" in sick.read("log/voice-inbound.log")


@pytest.mark.parametrize("key, value", (("sealing_keys", "1:" + "A" * 43 + "="),
                                        ("lookup_key", "A" * 42 + "E=")))
def test_the_keys_of_another_installation_connect_nobody(
        patient, sick, key, value):
    good = sick.read("secrets.conf")
    try:
        sick.set_conf("secrets.conf", key, value)
        sick.restart("voice-inbound")
        twiml = patient.call()
        assert twiml.rings is None
        assert key == "lookup_key" or twiml.said == SORRY
    finally:
        (sick.folder / "secrets.conf").write_text(good, encoding="utf-8")
        sick.restart("voice-inbound")


def test_the_counters_cannot_be_written(patient, sick):
    with away(sick, "metrics"):
        (sick.folder / "metrics").mkdir()
        sick.restart("voice-inbound")
        assert patient.call().rings == patient.driver
        (sick.folder / "metrics").rmdir()
    sick.restart("voice-inbound")


# Programs hang, are replaced, are gone.

def test_all_workers_hang(patient, sick):
    """The caller hears something within 10 s all the same."""
    with sick.hanging(sick.workers("voice-inbound")), within(10):
        assert patient.call().said == SORRY


def test_one_worker_hangs_and_the_others_work(patient, sick):
    with sick.hanging(sick.workers("voice-inbound")[:1]), within(3):
        for _ in range(50):
            assert patient.call().rings == patient.driver


def test_workers_are_replaced_and_no_request_is_lost(patient, sick):
    stop = time.monotonic() + 2

    def call(_):
        sids = []
        while time.monotonic() < stop:
            sids.append(new_sid())
            assert patient.call(sids[-1]).rings == patient.driver
        return sids

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(call, number) for number in range(6)]
        while time.monotonic() < stop:
            sick.restart("voice-inbound")
        sids = {sid for each in calls for sid in each.result()}
    recorded = {sid for sid, in sick.rows("SELECT sid FROM call")}
    assert sids <= recorded, len(sids - recorded)


@pytest.mark.parametrize("how", ("refused", "no socket"))
def test_a_program_is_not_there(new_stack, how):
    stack = new_stack()
    patient = Patient(stack)
    for program in ("voice-inbound", "voice-ended", "status-callback",
                    "session-create"):
        for pid in (stack.leader(program), *stack.workers(program)):
            os.kill(pid, signal.SIGKILL)
        if how == "no socket":
            (stack.folder / "sock" / f"{program}.sock").unlink()
    for twiml in (patient.call, patient.end):
        with within(1):
            apology = twiml()
        assert apology.said == SORRY and apology.verbs == ["Say", "Hangup"]
    for answer in (patient.create(), patient.report(new_sid(), new_sid())):
        assert answer.problem == (503, "unavailable", None)
        assert answer.headers["Retry-After"] == "1"
    assert stack.api("GET", "/v1/sessions").status == 200
