#!/usr/bin/python3
"""race.py - many clients want the same few people at the same time.

Brings up nginx and all the programs (tests/stack.sh) and has 16 clients open
and close sessions of six people as fast as they can. Then it proves, from what
the clients saw and once more from the events in the order of their commits:

    no (masked number, person) is ever given to two sessions at a time, nor to
    another pair before its hold has passed;
    everything acknowledged is in the database;
    nobody was refused for want of a turn (5xx), nobody starved.

The last line is "0 faults", and the exit status 0; or 1.
"""

import argparse
import collections
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import shlex
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
STARVED = 5.0                 # seconds nobody may wait for an answer
THREADS = 4                   # clients in a process


def free_port():
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """A whole installation."""

    def __init__(self, options):
        self._folder = tempfile.mkdtemp(prefix="callmask-race-", dir="/tmp")
        numbers = " ".join(f"+1202555{place:04d}"
                           for place in range(options.numbers))
        self._environment = {
            **os.environ, "PORT": str(free_port()), "RUN_DIR": self._folder,
            "NUMBERS": numbers, "API_RATE": "1000000",
            "BIN_DIR": str(options.bin), "WORKERS": str(options.workers)}
        try:
            self._run("up")
            self.env = self._read_env()
            subprocess.run(
                shlex.split(self.env["CALLMASK"]) + [
                    "service", "set", f"hold={options.hold}",
                    f"sticky={options.sticky}"], check=True)
        except BaseException:
            self.close()
            raise

    def _run(self, command):
        subprocess.run([ROOT / "tests" / "stack.sh", command], check=True,
                       env=self._environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def _read_env(self):
        text = pathlib.Path(self._folder, "env").read_text(encoding="utf-8")
        pairs = (word.partition("=") for word in shlex.split(text))
        return {name: value for name, _, value in pairs}

    def query(self, text):
        """Rows of the database."""
        with sqlite3.connect(f"file:{self._folder}/callmask.db?mode=ro",
                             uri=True) as database:
            return database.execute(text).fetchall()

    def close(self):
        """Stop it and remove its folder."""
        try:
            self._run("down")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


class Client(threading.Thread):
    """One of the sixteen."""

    def __init__(self, name, env, people, until):
        super().__init__()
        self._random = random.Random(name)
        self._people = people
        self._until = until
        self._key = env["CALLMASK_API_KEY"]
        self._tls = ssl.create_default_context(cafile=env["CALLMASK_CA"])
        place = urllib.parse.urlsplit(env["CALLMASK_URL"])
        self._host, self._port = place.hostname, place.port
        self._connection = None
        self.sessions = []        # what was acknowledged
        self.waits = []           # seconds for each answer
        self.statuses = collections.Counter()
        self.gap = 0.0            # the longest time without a session
        self.fault = None

    def run(self):
        try:
            last = time.monotonic()
            while time.time() < self._until:
                if self._one():
                    self.gap = max(self.gap, time.monotonic() - last)
                    last = time.monotonic()
        except Exception as error:                 # told by the main process
            self.fault = repr(error)

    def _one(self):
        """Open a session and close it; whether there was one."""
        pair = self._random.sample(self._people, 2)
        status, opened, sent, answered = self._ask("/v1/sessions", {
            "ttl": 600, "parties": [{"role": "customer", "phone": pair[0]},
                                    {"role": "driver", "phone": pair[1]}]})
        if status != 201:
            return False
        one = {"id": opened["id"], "people": pair, "open_sent": sent,
               "opened": answered, "created_at": opened["created_at"],
               "numbers": [party["masked_number"]
                           for party in opened["parties"]],
               "close_sent": None, "closed": None, "closed_at": None}
        self.sessions.append(one)
        if self._random.random() < 0.3:
            time.sleep(self._random.random() * 0.05)
        status, closed, sent, answered = self._ask(
            f"/v1/sessions/{opened['id']}/close", None)
        if status == 200:
            one.update(close_sent=sent, closed=answered,
                       closed_at=closed["closed_at"])
        return True

    def _ask(self, path, document):
        body = None if document is None else json.dumps(document)
        headers = {"Authorization": f"Bearer {self._key}"}
        if body:
            headers["Content-Type"] = "application/json"
        began, sent = time.monotonic(), time.time()
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=30, context=self._tls)
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.will_close:
            self._connection.close()
            self._connection = None
        self.waits.append(time.monotonic() - began)
        self.statuses[answer.status] += 1
        return answer.status, json.loads(text), sent, time.time()


def crowd(env, names, people, until, pipe):
    """Some of the clients, in a process of their own."""
    clients = [Client(name, env, people, until) for name in names]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    pipe.send([{"sessions": client.sessions, "waits": client.waits,
                "statuses": dict(client.statuses), "gap": client.gap,
                "fault": client.fault} for client in clients])


def run_clients(options, env):
    """Let them all loose; what each has seen."""
    people = [f"+1303555{place:04d}" for place in range(options.people)]
    until = time.time() + options.seconds
    names = list(range(options.clients))
    crowds = []
    for start in range(0, options.clients, THREADS):
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=crowd, args=(
            env, names[start:start + THREADS], people, until, theirs))
        process.start()
        crowds.append((process, ours))
    seen = []
    for process, pipe in crowds:
        seen += pipe.recv()
        process.join()
    return seen


# --- The proof.

def seconds_of(stamp):
    """Epoch seconds of a time of the API."""
    return None if stamp is None else \
        int(time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))
            - time.timezone)


def check_seen(sessions, hold):
    """What the clients saw: two sessions that surely were live at one time, or
    a hold cut short, on one number for one person."""
    faults, places = [], collections.defaultdict(list)
    for one in sessions:
        for position in 0, 1:
            places[one["numbers"][position], one["people"][position]].append(
                (one["opened"], one["people"][1 - position], one))
    for (number, _), given in places.items():
        given.sort(key=lambda each: each[0])
        for (_, peer, one), (opened, other_peer, other) in zip(given, given[1:]):
            if one["close_sent"] is None or opened < one["close_sent"]:
                faults.append(f"{number} given twice at a time: "
                              f"{one['id']}, {other['id']}")
            elif peer != other_peer and seconds_of(other["created_at"]) < \
                    seconds_of(one["closed_at"]) + hold:
                faults.append(f"{number} given while held: "
                              f"{one['id']}, {other['id']}")
    return faults


def check_events(stack, hold):
    """The same from the database, by the order of the commits."""
    sessions = {row[0]: row for row in stack.query(
        "SELECT id, created_at, expires_at, closed_at FROM session")}
    parties = collections.defaultdict(list)
    for session, person, number in stack.query(
            "SELECT session_id, person, number FROM party ORDER BY position"):
        parties[session].append((number, person))
    faults, given = [], {}
    events = stack.query("SELECT type, session_id, seq FROM event "
                         "ORDER BY seq")
    for kind, session, _ in events:
        if kind == "session.opened":
            for position, place in enumerate(parties[session]):
                peer = parties[session][1 - position][1]
                if place in given:
                    before, until, with_whom = given[place]
                    if until is None:
                        faults.append(f"{place[0]} given twice at a time: "
                                      f"{before}, {session}")
                    elif with_whom != peer and \
                            sessions[session][1] < until + hold:
                        faults.append(f"{place[0]} given while held: "
                                      f"{before}, {session}")
                given[place] = session, None, peer
        if kind == "session.closed":
            for place in parties[session]:
                if given[place][0] == session:
                    given[place] = (session, sessions[session][3],
                                    given[place][2])
    if [seq for _, _, seq in events] != list(range(1, len(events) + 1)):
        faults.append("events with gaps")
    return faults


def check_kept(stack, sessions):
    """Everything acknowledged is there."""
    rows = dict(stack.query("SELECT id, closed_at FROM session"))
    numbers = collections.defaultdict(list)
    for session, number in stack.query(
            "SELECT session_id, number FROM party ORDER BY position"):
        numbers[session].append(number)
    faults = []
    for one in sessions:
        if one["id"] not in rows or numbers[one["id"]] != one["numbers"]:
            faults.append(f"{one['id']} is not there")
        elif rows[one["id"]] != seconds_of(one["closed_at"]):
            faults.append(f"{one['id']} is not closed")
    if stack.query("PRAGMA integrity_check") != [("ok",)]:
        faults.append("integrity_check")
    return faults


def main():
    """Options; stack, clients, proof."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--numbers", type=int, default=14)
    parser.add_argument("--hold", type=int, default=2, help="seconds (2)")
    parser.add_argument("--sticky", type=int, default=0,
                        help="0, so that pairs go round (0)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bin", default=os.environ.get(
        "BIN_DIR", ROOT / "build" / "bin"), metavar="DIR")
    options = parser.parse_args()
    stack = Stack(options)
    try:
        began = time.monotonic()
        seen = run_clients(options, stack.env)
        took = time.monotonic() - began
        faults = judge(options, stack, seen, took)
    finally:
        stack.close()
    for fault in faults[:20]:
        print(f"fault: {fault}")
    print(f"{len(faults)} faults")
    return 1 if faults else 0


def judge(options, stack, seen, took):
    """Print the figures; return the faults."""
    sessions = [one for client in seen for one in client["sessions"]]
    waits = sorted(wait for client in seen for wait in client["waits"])
    statuses = collections.Counter()
    for client in seen:
        statuses.update(client["statuses"])
    faults = [client["fault"] for client in seen if client["fault"]]
    faults += [f"{count} × {status}" for status, count in statuses.items()
               if status >= 500 or status not in (200, 201, 409)]
    shared = sum(one["numbers"][0] == one["numbers"][1] for one in sessions)
    worst = [max(client["waits"], default=0) for client in seen]
    print(f"{options.clients} clients, {options.people} people, "
          f"{options.numbers} numbers, hold {options.hold} s: "
          f"{len(sessions)} sessions opened and closed in {took:.1f} s; "
          f"{len(waits) / took:.0f} requests a second")
    print("answers: " + ", ".join(f"{status} × {count}" for status, count
                                  in sorted(statuses.items()))
          + f"; one number for both {shared}, one each "
            f"{len(sessions) - shared}")
    print(f"wait: p50 {1000 * waits[len(waits) // 2]:.1f} ms, "
          f"p99 {1000 * waits[int(len(waits) * 0.99)]:.1f} ms, "
          f"worst {1000 * waits[-1]:.1f} ms; worst of the luckiest client "
          f"{1000 * min(worst):.1f} ms; longest without a session "
          f"{max(client['gap'] for client in seen):.2f} s; sessions of a "
          f"client {min(len(client['sessions']) for client in seen)} to "
          f"{max(len(client['sessions']) for client in seen)}")
    if waits[-1] > STARVED:
        faults.append(f"somebody waited {waits[-1]:.1f} s")
    faults += check_seen(sessions, options.hold)
    faults += check_events(stack, options.hold)
    faults += check_kept(stack, sessions)
    return faults


if __name__ == "__main__":
    sys.exit(main())
