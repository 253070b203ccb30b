#!/usr/bin/python3
"""worker.py - the worker (outboxd) at full load, among the dead, and killed.

Brings up a whole installation (tests/stack.sh) with nginx as an app that gets
the events, and shows, one after another:

    idle      nothing to do: how often the worker wakes, what it costs
    latency   from the commit of a change to the arrival of its event: idle, and
              while clients open sessions as fast as they can
    speed     deliveries a second to a fast receiver, by 1, 2 and 4 workers
    backlog   100,000 deliveries wait for dead receivers (one never answers, one
              cannot be reached): how soon others are served, what memory and
              processor it takes
    slow      a receiver that takes longer than we wait, and one that takes long
    killed    1, 2 and 4 workers, one killed with -9 every half second under load
    ended     workers told to end (SIGTERM) every half second under load

Throughout: every event arrives, events are numbered without gaps, what arrives
twice was under way when a worker was killed and has the same webhook-id.

The last line is "0 faults", and the exit status 0; or 1.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import signal
import sys
import threading
import time

import rig as rigs
from receivers import Authority, FastReceiver, Receiver, reserve

LEASE = 60                    # seconds a worker has a delivery to itself
ROOM = 16                     # deliveries under way to one receiver


def milliseconds(waits):
    """Median and 99th percentile of seconds, for people."""
    waits = sorted(waits)
    return (f"p50 {1000 * waits[len(waits) // 2]:.1f} ms, "
            f"p99 {1000 * waits[int(len(waits) * 0.99)]:.1f} ms, "
            f"worst {1000 * waits[-1]:.1f} ms")


class Load:
    """What a process has cost since the last look."""

    def __init__(self, pid):
        self._pid = pid
        self._ticks, self._switches, self._at = self._look()

    def _look(self):
        with open(f"/proc/{self._pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12]), self._status(
            "voluntary_ctxt_switches"), time.monotonic())

    def _status(self, name):
        with open(f"/proc/{self._pid}/status", encoding="ascii") as status:
            return int(re.search(rf"(?m)^{name}:\s*(\d+)", status.read())[1])

    def told(self):
        """Processor, wake-ups and memory, for people."""
        ticks, switches, at = self._look()
        seconds = at - self._at
        return (f"{(ticks - self._ticks) / os.sysconf('SC_CLK_TCK') / seconds:.1%}"
                f" of a processor, {(switches - self._switches) / seconds:.1f} "
                f"wake-ups a second, at most {self._status('VmHWM') / 1024:.0f} "
                f"MB")


class Show:
    """All that is shown, and what was wrong."""

    def __init__(self, options):
        self.options = options
        self.faults = []
        self.rig = rigs.Rig(WORKERS="4", API_RATE="1000000", NUMBERS=" ".join(
            f"+1202555{place:04d}" for place in range(14)))
        self._apps = 0
        try:
            authority = Authority(self.rig.folder / "ca")
            with open(self.rig.folder / "ca.pem", "ab") as trusted:
                trusted.write(authority.file.read_bytes())
            self.fast = FastReceiver(
                self.rig.folder / "fast", self.rig.folder / "server.pem",
                self.rig.folder / "server.key")
            self.odd = Receiver(authority.issue("odd"))
        except BaseException:
            self.rig.stop()
            raise

    def close(self):
        """Stop everything."""
        self.fast.close()
        self.odd.close()
        self.rig.stop()

    def app(self, url):
        """A new service whose events go there; its id."""
        self._apps += 1
        return self.rig.app(f"app{self._apps}", url)

    def fault(self, text):
        """Something is not as it should be."""
        self.faults.append(text)

    def check(self, service, ids, got, disturbed=()):
        """Whether all arrived, and what came twice was disturbed: the times at
        which workers died. Says it."""
        rig = self.rig
        times = collections.defaultdict(list)
        for at, name in got:
            times[name].append(at)
        lost = set(ids) - times.keys()
        twice = 0
        for name, came in times.items():
            came.sort()
            twice += len(came) - 1
            # nginx tells the second and millisecond; a worker's death is noted
            # after it.
            self.faults += [f"{name} came again for no reason"
                            for at in came[:-1]
                            if not any(-0.05 <= died - at < 5
                                       for died in disturbed)]
        if lost:
            self.fault(f"{len(lost)} lost")
        if twice > len(disturbed) * ROOM:
            self.fault(f"{twice} duplicates")
        seqs = [seq for seq, in rig.rows(
            "SELECT seq FROM event WHERE service_id = ? ORDER BY seq", service)]
        if seqs != list(range(1, len(seqs) + 1)):
            self.fault("events with gaps")
        return f"{len(ids)} events, {len(lost)} lost, {twice} twice"

    # What is shown.

    def idle(self):
        """Nothing to do, though something waits for its time."""
        held, port = reserve()
        later = self.app(f"https://localhost:{port}/")
        [worker] = self.rig.start()
        self.rig.put(later, 1)
        time.sleep(2)
        load = Load(worker.pid)
        # Until it is tried again, and not a moment longer.
        time.sleep(min(self.options.seconds, 2.5))
        print(f"idle: {load.told()}")
        held.close()
        self.rig.end()

    def latency(self):
        """From commit to arrival."""
        rig = self.rig
        rig.cli("service", "set", f"webhook-url={self.fast.url}", "hold=0",
                "sticky=0")
        demo = rig.one("SELECT id FROM service WHERE name = 'demo'")
        rig.start()
        for name, clients in ("idle", 1), ("under load", 8):
            self.fast.forget()
            before = rig.one("SELECT event_seq FROM service WHERE id = ?", demo)
            until = time.monotonic() + self.options.seconds
            with concurrent.futures.ThreadPoolExecutor(clients) as pool:
                for each in [pool.submit(self._open, until, clients == 1)
                             for _ in range(clients)]:
                    each.result()
            rig.wait_done(demo, 60)
            made = dict(rig.rows(
                "SELECT e.id, o.created_at_ms FROM event e JOIN outbox o ON "
                "o.subject_id = e.id WHERE e.service_id = ? AND e.seq > ?",
                demo, before))
            got = self.fast.got()
            print(f"latency, {name}: {self.check(demo, made, got)}, "
                  f"{len(made) / self.options.seconds:.0f} a second; commit to "
                  f"delivery " + milliseconds(
                      [at - made[name] / 1000 for at, name in got]))
        rig.end()

    def _open(self, until, calmly):
        """Open and close sessions."""
        while time.monotonic() < until:
            self.rig.close(self.rig.open(
                *(f"+1{area}55501{random.randrange(100):02d}" for area in
                  random.sample(rigs.stack.client.AREA_CODES, 2))))
            if calmly:
                time.sleep(0.05)

    def speed(self):
        """To a receiver that is fast."""
        for workers in 1, 2, 4:
            service = self.app(self.fast.url)
            ids = self.rig.put(service, self.options.events)
            self.fast.forget()
            began = time.monotonic()
            self.rig.start(workers)
            loads = [Load(worker.pid) for worker in self.rig.workers_up]
            self.rig.wait_done(service, 600)
            took = time.monotonic() - began
            told = loads[0].told()
            self.rig.end()
            print(f"speed, {workers} workers: "
                  f"{self.check(service, ids, self.fast.got())}; "
                  f"{len(ids) / took:.0f} deliveries a second; each "
                  f"{told}")

    def backlog(self):
        """Many wait for the dead; others do not."""
        held, port = reserve()
        [worker] = self.rig.start()
        for name, url in (("never answers", f"{self.odd.url}/silent"),
                          ("cannot be reached", f"https://localhost:{port}/")):
            dead, well = self.app(url), self.app(self.fast.url)
            self.rig.put(dead, self.options.backlog)
            self.fast.forget()
            load, ids, until = Load(worker.pid), [], \
                time.monotonic() + self.options.seconds
            while time.monotonic() < until:
                ids += self.rig.put(well, 5)
                time.sleep(0.05)
            self.rig.wait_done(well)
            made = dict(self.rig.rows("SELECT subject_id, created_at_ms FROM "
                                      "outbox WHERE service_id = ?", well))
            got = self.fast.got()
            waits = [at - made[name] / 1000 for at, name in got]
            print(f"backlog, {self.options.backlog} wait for one that {name}, "
                  f"tried {len(self.rig.tries(dead))} times: others: "
                  f"{self.check(well, ids, got)}, {milliseconds(waits)}; "
                  f"{load.told()}")
            if max(waits) > 5:
                self.fault("somebody waited for the dead")
        held.close()
        self.rig.end()

    def slow(self):
        """One that takes 14 s, one that takes 17 and does not get it at once
        again, one that is well."""
        for name, seconds in ("14", 14), ("17", 17):
            self.odd.answers[name] = lambda handler, seconds=seconds: (
                time.sleep(seconds), handler.say(204))
        services = [self.app(f"{self.odd.url}/{name}") for name in ("14", "17")]
        well = self.app(self.fast.url)
        ids = [self.rig.put(each, 1) for each in services]
        self.fast.forget()
        self.rig.start()
        good = self.rig.put(well, 1000)
        self.rig.wait_done(well, 10)
        self.check(well, good, self.fast.got())
        self.rig.wait_done(services[0], 20)
        rigs.wait_for(lambda: self.rig.tries(services[1]), 20)
        told = [self.rig.tries(each) for each in services]
        print(f"slow: 14 s: {told[0]}, 17 s: {told[1]}, others at once")
        if told != [[(204, None)], [(None, "Timeout was reached")]] or \
                self.odd.ids("/14") != ids[0] or self.odd.ids("/17") != ids[1]:
            self.fault("slow receivers")
        self.odd.answers["17"] = self.odd.answers["good"]
        self.rig.end()

    def _disturbed(self, workers, disturb):
        """Load and workers that are ended all the time: service, events, what
        arrived, and when."""
        service = self.app(self.fast.url)
        self.fast.forget()
        self.rig.start(workers)
        until, died, ids = time.monotonic() + self.options.seconds, [], []
        over = threading.Event()

        def put():
            while not over.is_set():
                ids.extend(self.rig.put(service, 200))
                time.sleep(0.05)

        writer = threading.Thread(target=put)
        writer.start()
        while time.monotonic() < until:
            time.sleep(random.uniform(0.2, 0.8))
            disturb(self.rig.workers_up.pop(0))
            died.append(time.time())
            self.rig.start()
        over.set()
        writer.join()
        self.rig.wait_done(service, 2 * LEASE)
        self.rig.end()
        return service, ids, self.fast.got(), died

    def killed(self):
        """Between sending and writing down, among others."""
        def kill(worker):
            worker.send_signal(signal.SIGKILL)
            worker.wait()

        for workers in 1, 2, 4:
            service, ids, got, died = self._disturbed(workers, kill)
            print(f"killed, {workers} workers, {len(died)} deaths: "
                  f"{self.check(service, ids, got, died)}")

    def ended(self):
        """Nothing comes twice."""
        took = []

        def end(worker):
            began = time.monotonic()
            worker.terminate()
            if worker.wait(20) != 0:
                self.fault("a worker did not end well")
            took.append(time.monotonic() - began)

        for workers in 1, 2:
            service, ids, got, died = self._disturbed(workers, end)
            print(f"ended, {workers} workers, {len(died)} times: "
                  f"{self.check(service, ids, got)}; the longest took "
                  f"{1000 * max(took):.0f} ms")


PARTS = ("idle", "latency", "speed", "backlog", "slow", "killed", "ended")


def main():
    """Options; the parts; the verdict."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help="only these: " + ", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=20,
                        help="for each part that takes its time (20)")
    parser.add_argument("--events", type=int, default=20000,
                        help="for speed (20000)")
    parser.add_argument("--backlog", type=int, default=100000,
                        help="for each of the dead (100000)")
    options = parser.parse_args()
    if set(options.parts) - set(PARTS):
        parser.error("no such part")
    show = Show(options)
    try:
        for part in options.parts or PARTS:
            getattr(show, part)()
            sys.stdout.flush()
    finally:
        show.close()
    for fault in show.faults[:20]:
        print(f"fault: {fault}")
    print(f"{len(show.faults)} faults")
    return 1 if show.faults else 0


if __name__ == "__main__":
    sys.exit(main())
