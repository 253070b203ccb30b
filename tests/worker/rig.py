"""A stack whose workers (outboxd) the test itself starts, kills and counts, and
whose outbox it can fill."""

import contextlib
import fcntl
import itertools
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))

import stack                                              # noqa: E402

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def base32(number, length):
    """A number as ids write it."""
    return "".join(ALPHABET[number >> 5 * place & 31]
                   for place in range(length - 1, -1, -1))


class Rig(stack.Stack):
    """The stack. None of its workers runs until they are started."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.workers_up = []
        self._counter = itertools.count()
        self._halt()

    def _halt(self):
        """The stack's own worker ends."""
        pids = [self.leader("outboxd"), *self.workers("outboxd")]
        os.kill(pids[0], signal.SIGTERM)
        wait_for(lambda: not any(os.path.exists(f"/proc/{pid}")
                                 for pid in pids), 10)

    def stop(self, keep=False):
        """Stop all."""
        self.end()
        super().stop(keep)

    # Workers.

    def start(self, count=1, environment=None):
        """Start workers; those just started."""
        new = []
        for _ in range(count):
            with open(self.folder / "log" / "outboxd.log", "ab") as log:
                new.append(subprocess.Popen(
                    [pathlib.Path(self.settings["BIN_DIR"]) / "outboxd", "-c",
                     self.folder / "callmask.conf"],
                    cwd=self.folder, stdout=log, stderr=log,
                    env={**os.environ, **(environment or {})}))
        self.workers_up += new
        return new

    def end(self, how=signal.SIGTERM):
        """End all workers; the seconds it took."""
        began = time.monotonic()
        for worker in self.workers_up:
            worker.send_signal(how)
        for worker in self.workers_up:
            assert worker.wait(20) == (-how if how == signal.SIGKILL else 0)
        self.workers_up = []
        return time.monotonic() - began

    def wake(self):
        """Wake a worker, as a program does that has written something."""
        with contextlib.suppress(OSError):
            pipe = os.open(self.folder / "callmask.db-wake",
                           os.O_WRONLY | os.O_NONBLOCK)
            os.write(pipe, b"\0")
            os.close(pipe)

    # The outbox.

    def app(self, name, url, number=None):
        """A service whose events go to a URL; its id."""
        self.new_service(name, numbers=[number] if number else ())
        self.cli("service", "set", f"webhook-url={url}", service=name)
        return self.one("SELECT id FROM service WHERE name = ?", name)

    @contextlib.contextmanager
    def writing(self):
        """The database, to be written; under callmask's lock."""
        connection = sqlite3.connect(self.folder / "callmask.db", timeout=10,
                                     isolation_level=None)
        with open(self.folder / "callmask.db-lock", "rb") as lock, \
                contextlib.closing(connection):
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def put(self, service, count):
        """Write events that must go out; their ids."""
        ids = []
        while count > 0:
            now_ms, some = time.time_ns() // 1_000_000, min(count, 10000)
            names = [base32(now_ms, 10) + base32(next(self._counter), 16)
                     for _ in range(some)]
            with self.writing() as database:
                [(seq,)] = database.execute(
                    "UPDATE service SET event_seq = event_seq + ? WHERE id = ? "
                    "RETURNING event_seq", (some, service)).fetchall()
                database.executemany(
                    "INSERT INTO event (service_id, seq, id, type, created_at) "
                    "VALUES (?, ?, ?, 'call.ringing', ?)",
                    [(service, seq - some + 1 + place, f"evt_{name}",
                      now_ms // 1000) for place, name in enumerate(names)])
                database.executemany(
                    "INSERT INTO outbox (id, service_id, channel, kind, "
                    "subject_id, state, attempts, lease, doubt, due_at_ms, "
                    "created_at_ms) VALUES (?, ?, 'app', 'event', ?, 'waiting', "
                    "0, 0, 0, ?, ?)",
                    [(f"dlv_{name}", service, f"evt_{name}", now_ms, now_ms)
                     for name in names])
            ids += [f"evt_{name}" for name in names]
            count -= some
        self.wake()
        return ids

    def pass_time(self, seconds):
        """Whatever waits becomes due so much sooner."""
        with self.writing() as database:
            database.execute("UPDATE outbox SET due_at_ms = due_at_ms - ? WHERE "
                             "state = 'waiting'", (int(seconds * 1000),))
        self.wake()

    def left(self, service):
        """How many of a service wait."""
        return self.one("SELECT count(*) FROM outbox WHERE service_id = ? AND "
                        "state = 'waiting'", service)

    def wait_done(self, service, seconds=20, state="done", left=0):
        """Wait until nothing of a service waits, and all has ended well."""
        wait_for(lambda: self.left(service) <= left, seconds)
        others = self.rows("SELECT state, count(*) FROM outbox WHERE service_id "
                           "= ? AND state NOT IN ('waiting', ?) GROUP BY 1",
                           service, state)
        assert not others, others

    def tries(self, service):
        """Status and error of each try, in order."""
        return self.rows("SELECT a.status, a.error FROM attempt a JOIN outbox o "
                         "ON o.id = a.delivery_id WHERE o.service_id = ? "
                         "ORDER BY a.started_at_ms, a.number", service)


def wait_for(condition, seconds=20):
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.01)
