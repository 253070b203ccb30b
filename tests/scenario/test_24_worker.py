"""The worker (outboxd) among receivers that fail, on a machine that fails, and
killed at the worst moment: nothing is lost, what is repeated has the same id,
and who is well is served at once. tests/worker/worker.py does it at length."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from client import ROOT

sys.path.insert(0, str(ROOT / "tests" / "worker"))

from receivers import Authority, Receiver, reserve       # noqa: E402
from rig import Rig, wait_for                             # noqa: E402

FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"),
                None)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Makes certificates."""
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def rig(request, authority):
    """A stack for this file. No worker runs between tests."""
    failed = request.session.testsfailed
    made = Rig(WORKERS="1")
    with open(made.folder / "ca.pem", "ab") as trusted:
        trusted.write(authority.file.read_bytes())
    yield made
    made.stop(keep=request.session.testsfailed > failed)


@pytest.fixture(scope="module")
def receiver(authority):
    """An app for this file."""
    made = Receiver(authority.issue("good"))
    yield made
    made.close()


@pytest.fixture
def worker(rig):
    """One worker, for a test."""
    [made] = rig.start()
    yield made
    rig.end(signal.SIGKILL if rig.workers_up != [made] else signal.SIGTERM)


class App:
    """A service whose events go to a path of its own."""

    count = 0

    def __init__(self, rig, receiver, kind, url=None):
        App.count += 1
        self.rig, self.receiver = rig, receiver
        self.path = f"/{kind}/{App.count}"
        self.service = rig.app(f"app{App.count}", (url or receiver.url) +
                               self.path)

    def put(self, count=1):
        """Events for it."""
        return self.rig.put(self.service, count)

    def wait(self, count=1):
        """Wait until so many requests have come; their ids."""
        return [got.id for got in self.receiver.wait(self.path, count)]

    def done(self, ids):
        """Wait until all are written down; each came once."""
        self.rig.wait_done(self.service)
        assert sorted(self.receiver.ids(self.path)) == sorted(ids)


@pytest.fixture
def app(rig, receiver):
    """Makes apps."""
    return lambda kind, **more: App(rig, receiver, kind, **more)


# Receivers that fail.

FAULTS = {
    "broken": (500, None), "moved": (302, "redirects are not followed"),
    "half": (None, "Transferred a partial file"),
    "cut": (None, "Server returned nothing (no headers, no data)")}


@pytest.mark.sanitized
def test_what_fails_is_tried_again_and_nobody_else_waits(rig, receiver, app,
                                                         worker):
    bad, good = {kind: app(kind) for kind in FAULTS}, app("good")
    events = {kind: bad[kind].put()[0] for kind in FAULTS}
    good.done(good.put(3))
    for kind, fault in FAULTS.items():
        wait_for(lambda app=bad[kind]: rig.tries(app.service))
        assert rig.tries(bad[kind].service) == [fault]
        receiver.answers[kind] = receiver.answers["good"]
    rig.pass_time(5 * 1.2)            # 5 s and a fifth by chance
    for kind, (status, _) in FAULTS.items():
        rig.wait_done(bad[kind].service)
        came = receiver.ids(bad[kind].path)
        # libcurl repeats a request by itself when a kept connection closes.
        assert len(came) == 2 or (kind == "cut" and len(came) > 2)
        assert set(came) == {events[kind]}
        assert [each for each, _ in rig.tries(bad[kind].service)] == \
            [status, 204]
    assert not receiver.at("/good/moved")


def test_a_receiver_that_wants_to_be_left_alone_is(rig, receiver, app, worker):
    """429 and Retry-After hold for all that waits for it."""
    limited, good = app("limited"), app("good")
    began = time.time()
    limited.put(30)
    good.done(good.put(3))
    first, second = receiver.wait(limited.path, 2)
    assert first.at - began < 2 <= second.at - first.at
    assert rig.tries(limited.service)[0] == (429, None)


def test_a_long_answer_is_not_read_for_nothing(rig, app, worker):
    chatty = app("chatty")
    chatty.done(chatty.put(20))
    status = pathlib.Path(f"/proc/{worker.pid}/status").read_text()
    assert int(re.search(r"VmHWM:\s*(\d+)", status)[1]) < 40_000 \
        or "asan" in rig.settings["BIN_DIR"]


def test_receivers_that_are_not_who_they_say_get_nothing(
        rig, app, receiver, worker, authority, tmp_path):
    stranger = Authority(tmp_path / "ca")
    false = [Receiver(stranger.issue("stranger")),
             Receiver(authority.issue("expired", clock="2 years ago")),
             Receiver(authority.issue("misnamed", "localhost.example"))]
    bad, good = [app("good", url=each.url) for each in false], app("good")
    events = [each.put() for each in bad]
    good.done(good.put(3))
    for each in bad:
        wait_for(lambda app=each: rig.tries(app.service))
        [(status, error)] = rig.tries(each.service)
        assert status is None and error.startswith("SSL peer certificate")
    for each in false:
        each.close()
        assert each.got == []
    with rig.writing() as database:
        for each in bad:
            database.execute(
                "UPDATE service SET webhook_url = ? WHERE id = ?",
                (receiver.url + each.path, each.service))
    rig.pass_time(6)
    for each, ids in zip(bad, events):
        each.done(ids)


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is missing")
def test_a_receiver_is_down_for_an_hour(rig, authority, app, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("+0")
    rig.start(environment={
        "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"})
    held, port = reserve()
    down, good = app("good", url=f"https://localhost:{port}"), app("good")
    ids = down.put()
    began = time.time()
    # After 5 s, 5 min, half an hour, two hours; and up to a fifth by chance.
    for tries, later in enumerate((0, 6, 370, 2530)):
        clock.write_text(f"+{later}")
        rig.wake()
        wait_for(lambda n=tries: len(rig.tries(down.service)) == n + 1)
        good.done(good.receiver.ids(good.path) + good.put())
    held.close()
    up = Receiver(authority.issue("up"), port)
    try:
        clock.write_text("+3700")
        rig.wake()
        good.done(good.receiver.ids(good.path) + good.put())
        assert up.got == []
        clock.write_text(f"+{2530 + 8640}")
        rig.wake()
        rig.wait_done(down.service)
        assert sorted(up.ids(down.path)) == sorted(ids)
        for got in up.got:
            assert int(got.headers["webhook-timestamp"]) - began > 2530 + 7200
        assert len(rig.tries(down.service)) == 5
    finally:
        up.close()
        rig.end()


@pytest.mark.sanitized
def test_many_dead_receivers_and_one_that_is_well(rig, app):
    """Those who never answer hold one delivery each, and those who are not
    there are not asked thousands of times. Told to end, the worker gives back
    what it has, for another to send at once."""
    rig.start()
    held, port = reserve()
    dead = [app("silent") for _ in range(3)]
    gone = [app("good", url=f"https://localhost:{port}") for _ in range(3)]
    for each in dead + gone:
        each.put(700)
    good = app("good")
    ids = []
    for _ in range(10):
        ids += good.put(20)
        good.done(ids)
    assert all(len(each.receiver.at(each.path)) <= 1 for each in dead)
    assert all(len(rig.tries(each.service)) < 50 for each in gone)
    held.close()
    assert rig.end() < 8
    for each in dead:
        [event] = each.receiver.ids(each.path)
        assert rig.rows("SELECT attempts, doubt FROM outbox WHERE subject_id = ?",
                        event) == [(0, 1)]
    with rig.writing() as database:
        for each in dead + gone:
            database.execute("UPDATE outbox SET state = 'done', ended_at = 1 "
                             "WHERE service_id = ?", (each.service,))


# Workers that die, and several of them.

def test_a_worker_is_killed_when_the_receiver_has_it(rig, receiver, app):
    """Again and again. What it had sent is sent once more, with the same id."""
    fatal, kills, turn = app("fatal"), [], threading.Lock()

    def kill(handler):
        with turn:
            pid = rig.workers_up[0].pid if rig.workers_up else 0
            if len(receiver.at(fatal.path)) % 7 == 0 and pid \
                    and pid not in [pid for pid, _ in kills]:
                kills.append((pid, time.time()))
                os.kill(pid, signal.SIGKILL)
        handler.say(204)

    receiver.answers["fatal"] = kill
    ids = fatal.put(100)
    while rig.left(fatal.service) > 0:
        [worker] = rig.start()
        wait_for(lambda: worker.poll() is not None
                 or rig.left(fatal.service) == 0)
        if worker.poll() is None:
            rig.end()
            break
        rig.workers_up = []
        rig.pass_time(60)             # a lease
    assert len(kills) > 5
    came = receiver.at(fatal.path)
    assert {got.id for got in came} == set(ids)
    assert len(came) - len(ids) <= 16 * len(kills)
    for number, got in enumerate(came):
        # Who comes again was under way when a worker died; it may have been
        # waiting to be read by the receiver just then.
        if got.id in [later.id for later in came[number + 1:]]:
            assert any(-1 < at - got.at < 2 for _, at in kills), (got, kills)


@pytest.mark.sanitized
@pytest.mark.parametrize("workers", (2, 4))
def test_several_workers_send_everything_once(rig, app, workers):
    first, second = app("good"), app("good")
    rig.start(workers)
    ids = first.put(150), second.put(150)
    ids[0].extend(first.put(150))
    first.done(ids[0])
    second.done(ids[1])
    rig.end()
    for each in first, second:
        seqs = rig.rows("SELECT seq FROM event WHERE service_id = ? ORDER BY "
                        "seq", each.service)
        assert seqs == [(n + 1,) for n in range(len(seqs))]


@pytest.mark.sanitized
def test_a_worker_is_told_to_end(rig, receiver, app):
    """What is under way is finished, and nothing comes twice."""
    slow = app("slow")

    def answer(handler):
        time.sleep(0.1)
        handler.say(204)

    receiver.answers["slow"] = answer
    ids = slow.put(40)
    for count in 5, 15, 25:
        rig.start(2)
        slow.wait(count)
        assert rig.end() < 4
    rig.start()
    slow.done(ids)
    rig.end()


# A machine that fails.

@pytest.fixture
def gate(receiver, app):
    """An app that answers when it is let, and how to let it."""
    opened = threading.Event()

    def answer(handler):
        opened.wait()
        handler.say(204)

    receiver.answers["gate"] = answer
    yield app("gate"), opened.set
    opened.set()


def test_the_database_is_locked_when_the_answer_comes(rig, gate, worker):
    """The answer is kept, and nothing is sent again."""
    gated, let = gate
    ids = gated.put()
    gated.wait()
    other = rig.connect("rw")
    other.execute("BEGIN IMMEDIATE")
    failed = rig.logs().count("round_failed")
    let()
    wait_for(lambda: rig.logs().count("round_failed") > failed)
    other.rollback()
    other.close()
    gated.done(ids)
    assert len(rig.tries(gated.service)) == 1


def test_the_database_is_away_when_the_answer_comes(rig, gate, worker):
    gated, let = gate
    ids = gated.put()
    gated.wait()
    (rig.folder / "callmask.db").rename(rig.folder / "away")
    failed = rig.logs().count("round_failed")
    let()
    wait_for(lambda: rig.logs().count("round_failed") > failed)
    (rig.folder / "away").rename(rig.folder / "callmask.db")
    gated.done(ids)
    assert len(rig.tries(gated.service)) == 1


def start_disturbed(rig, folder):
    """A worker that files in a folder disturb: see crash.c."""
    source = pathlib.Path(__file__).with_name("crash.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "crash.so",
                    source, "-ldl"], check=True)
    rig.start(environment={"LD_PRELOAD": str(folder / "crash.so"),
                           "CRASH_DIR": str(folder)})


def test_the_disk_is_full_when_the_answer_comes(rig, gate, tmp_path):
    start_disturbed(rig, tmp_path)
    gated, let = gate
    ids = gated.put()
    gated.wait()
    (tmp_path / "enospc").touch()
    ids += gated.put()
    failed = rig.logs().count("round_failed")
    let()
    wait_for(lambda: rig.logs().count("round_failed") > failed)
    assert rig.left(gated.service) == 2
    (tmp_path / "enospc").unlink()
    gated.done(ids)
    rig.end()
    assert len(rig.tries(gated.service)) == 2


@pytest.mark.sanitized
def test_the_keys_are_not_there_at_first(rig, app):
    good = app("good")
    ids = good.put()
    (rig.folder / "secrets.conf").rename(rig.folder / "away")
    with contextlib.ExitStack() as back:
        back.callback((rig.folder / "away").rename,
                      rig.folder / "secrets.conf")
        rig.start()
        wait_for(lambda: "secrets_missing" in rig.read("log/outboxd.log"))
        assert rig.left(good.service) == 1
    good.done(ids)
    rig.end()


@pytest.mark.sanitized
def test_the_pipe_is_taken_away(rig, gate, worker):
    """It is made again by the next round, and works."""
    gated, let = gate
    pipe = rig.folder / "callmask.db-wake"
    ids = gated.put()
    gated.wait()
    pipe.unlink()
    let()
    wait_for(pipe.exists)
    gated.done(ids + gated.put())


def test_what_is_written_before_there_is_a_pipe_is_seen(rig, app, tmp_path):
    """Nobody can wake the worker then: it looks once it has the pipe."""
    good = app("good")
    (rig.folder / "callmask.db-wake").unlink()
    (tmp_path / "no-pipe").touch()
    start_disturbed(rig, tmp_path)
    wait_for((tmp_path / "at-pipe").exists)
    ids = good.put()
    (tmp_path / "no-pipe").unlink()
    began = time.monotonic()
    good.done(ids)
    assert time.monotonic() - began < 5       # it would sleep for half a minute
    rig.end()


def test_the_clock_was_ahead_for_a_year(rig, app):
    good = app("good")
    ids = good.put(3)
    with rig.writing() as database:
        database.execute("UPDATE outbox SET due_at_ms = due_at_ms + ? WHERE "
                         "service_id = ?", (365 * 86_400_000, good.service))
    rig.start()
    good.done(ids)
    rig.end()


def test_asleep_when_there_is_nothing_to_do(rig, app, worker):
    """Also while something waits for its time. No descriptor is left open."""
    held, port = reserve()
    later, good = app("good", url=f"https://localhost:{port}"), app("good")
    later.put()
    good.done(good.put(50))
    wait_for(lambda: rig.tries(later.service))
    opened = len(os.listdir(f"/proc/{worker.pid}/fd"))

    def switches():
        status = pathlib.Path(f"/proc/{worker.pid}/status").read_text()
        return int(re.search(r"(?m)^voluntary_ctxt_switches:\s*(\d+)",
                             status)[1])

    before = switches()
    time.sleep(1)
    assert switches() - before <= 2
    later.put()
    wait_for(lambda: len(rig.tries(later.service)) == 2)
    held.close()
    assert len(os.listdir(f"/proc/{worker.pid}/fd")) <= opened
