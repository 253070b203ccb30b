"""Many at once: no two open sessions ever share a masked number and a person,
and nothing acknowledged is missing."""

import concurrent.futures
import itertools
import random
import threading
import time

from client import masked

CLIENTS, SECONDS = 16, 5


class Record:
    """What sixteen backends were told about the same six people."""

    def __init__(self, stack, key):
        self.stack, self.key = stack, key
        self.people = stack.persons(6)
        self.opened, self.closed, self.refused = {}, {}, 0
        self.waits = []
        self.until = time.monotonic() + SECONDS

    def timed(self, ask, *arguments, **more):
        """Ask, and note how long it took."""
        started = time.monotonic()
        answer = ask(*arguments, **more)
        self.waits.append(time.monotonic() - started)
        return answer

    def play(self, seed):
        """Open and close sessions of two of the six, again and again."""
        random_ = random.Random(seed)
        while time.monotonic() < self.until:
            pair = random_.sample(self.people, 2)
            answer = self.timed(self.stack.create, *pair, key=self.key)
            known = time.monotonic()
            if answer.status == 409:
                assert answer.problem[1] == "pool_exhausted"
                self.refused += 1
                continue
            assert answer.status == 201, answer
            session = answer.json
            self.opened[session["id"]] = (known, tuple(pair), session)
            if random_.random() < 0.5:
                time.sleep(random_.random() / 50)
            asked = time.monotonic()
            self.timed(self.stack.close, session, key=self.key)
            self.closed[session["id"]] = asked


SHARED = """
    SELECT count(*) FROM (
        SELECT 1 FROM party p JOIN session s ON s.id = p.session_id
        WHERE s.closed_at IS NULL GROUP BY p.number, p.person
        HAVING count(*) > 1)"""


def own_numbers(session):
    """What each of the two dials, in the order of the parties."""
    return [party["masked_number"] for party in session["parties"]]


def test_no_two_open_sessions_share_a_number_and_a_person(stack):
    numbers = [f"+120255501{last}" for last in range(60, 68)]
    key = stack.new_service("race", "--hold", "0", numbers=numbers)
    record = Record(stack, key)
    looks, stop = [], threading.Event()

    def look():
        connection = stack.connect()
        while not stop.is_set():
            looks.append(connection.execute(SHARED).fetchone()[0])
            time.sleep(0.002)
        connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(record.play, range(CLIENTS)))
    finally:
        stop.set()
        watcher.join()
    print(f"{len(record.opened)} sessions opened and closed, {record.refused} "
          f"refused, {len(looks)} looks; worst wait {max(record.waits):.3f} s")
    assert len(record.opened) > 100
    assert len(looks) > 100 and set(looks) == {0}

    # From when a backend knew of a session to when it asked for its end, the
    # session was open; these spans must not overlap.
    spans = {}
    for id_, (known, pair, session) in record.opened.items():
        for person, number in zip(pair, own_numbers(session)):
            spans.setdefault((number, person), []).append(
                (known, record.closed[id_], id_))
    for claims in spans.values():
        claims.sort()
        for one, other in itertools.pairwise(claims):
            assert one[1] <= other[0], (one, other)

    # Nothing is missing and nothing is there that nobody was told of.
    there = stack.rows(
        "SELECT s.id, s.closed_at IS NOT NULL FROM session s JOIN service v "
        "ON v.id = s.service_id WHERE v.name = 'race'")
    assert dict(there) == dict.fromkeys(record.opened, 1)
    told = stack.rows(
        "SELECT type, count(*) FROM event e JOIN service v ON v.id = e.service_id "
        "WHERE v.name = 'race' AND type NOT LIKE 'pool.%' GROUP BY type")
    assert dict(told) == dict.fromkeys(("session.opened", "session.closed"),
                                       len(there))
    assert max(record.waits) < 10


def test_a_hold_outlasts_a_race(stack):
    """With a hold, no number ever changes its pair of people."""
    numbers = [f"+120255501{last}" for last in range(70, 78)]
    key = stack.new_service("held", numbers=numbers)
    record = Record(stack, key)
    record.until = time.monotonic() + 2
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(record.play, range(CLIENTS)))
    peers = {}
    for _, pair, session in record.opened.values():
        for person, number in zip(pair, own_numbers(session)):
            peers.setdefault((number, person), set()).add(frozenset(pair))
    assert len(record.opened) > 50
    assert {len(pairs) for pairs in peers.values()} == {1}


def test_callers_and_closers_race(stack):
    """Once a close is acknowledged, no call that comes later is connected."""
    for _ in range(10):
        customer, driver = stack.persons(2)
        session = stack.open(customer, driver)
        closed = threading.Event()

        def call(_):
            seen = []
            for _ in range(8):
                late = closed.is_set()
                seen.append((late, stack.voice(customer, masked(session)).rings))
            return seen

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(call, number) for number in range(4)]
            time.sleep(0.01)
            stack.close(session)
            closed.set()
            seen = {each for done in calls for each in done.result()}
        assert (True, driver) not in seen and (True, None) in seen
