#!/usr/bin/python3
"""machine.py - callmask against a reference model.

Plays random sequences of at most 50 steps (open, close, expire, replace, dial
from known, unknown and withheld phones, codes, intents, repeats, reports twice
and out of order, two programs at once, numbers drained and retired) on the real
programs and on a small model, and after each step checks:

    I1  whoever is rung is the counterpart of a session that is live for this
        caller at this number, and sees that session's masked number
    I2  nothing acknowledged is missing
    I3  nothing happens twice
    I4  no real number is anywhere but in <Number>
    I5  a caller hears TwiML, at once

A difference is shortened to the fewest steps that still show it, and printed.
The last line is "N sequences, 0 differences", and the exit status 0; or 1.

The parts: bench.py (an installation with a clock of its own, and a FastCGI
client), model.py (what should happen), steps.py (what may happen), player.py
(makes it happen and compares).
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import sys
import time

sys.dont_write_bytecode = True

import bench                                              # noqa: E402
from model import Difference                              # noqa: E402
from player import Play, Player                           # noqa: E402
from steps import Maker                                   # noqa: E402

GROUP = 20                    # sequences that share a service
BLOCK = 60                    # services that share an installation
PEOPLE = 5


class Failure(Exception):
    """A sequence that went wrong."""

    def __init__(self, seed, steps, story, words):
        super().__init__(words)
        self.seed, self.steps, self.story, self.words = \
            seed, steps, story, words


def sequence(play, service, model, seed, length):
    """Make and play one sequence."""
    chance = random.Random(seed)
    people = chance.randint(2, PEOPLE)
    maker = Maker(chance, people, len(service.pool))
    player = Player(play, service, model, people)
    steps = []
    try:
        for _ in range(chance.randint(length // 3, length)):
            steps.append(maker.next())
            player.play(steps[-1])
        player.sweep()
        player.restore()
    except (Difference, OSError, LookupError, ValueError, RuntimeError,
            AttributeError, TypeError) as error:
        words = f"{type(error).__name__}: {error}"
        raise Failure(seed, steps, player.story, words) from error
    return player.model, len(steps)


def replay(play, settings_seed, steps):
    """Play given steps on a fresh service. Returns the Difference, or None,
    and the story."""
    service, model = play.new_service(settings_seed)
    player = Player(play, service, model, PEOPLE)
    try:
        for step in steps:
            player.play(step)
        player.sweep()
        player.restore()
    except Difference as difference:
        return difference, player.story
    except (OSError, LookupError, ValueError, RuntimeError, AttributeError,
            TypeError) as error:
        return Difference(repr(error)), player.story
    return None, player.story


# --- Shortening.

def shorten(options, settings_seed, steps):
    """The fewest of the steps that still go wrong, by leaving out: halves,
    quarters, … single steps. Returns them, what goes wrong, and the story;
    None if they go well."""
    play = Play(options.bin)
    tries = 8 if any(step["op"] == "both" for step in steps) else 1

    def fails(candidate, tries=tries):
        for _ in range(tries):
            difference, story = replay(play, settings_seed, candidate)
            if difference is not None and \
                    re.search(options.expect, str(difference)):
                return difference, story
        return None

    deadline = time.monotonic() + options.shorten
    best, size = fails(steps, 4 * tries), len(steps)
    if best is None:
        play.installation.close()
        return None
    while size and time.monotonic() < deadline:
        at = 0
        while at < len(steps) and time.monotonic() < deadline:
            candidate = steps[:at] + steps[at + size:]
            found = fails(candidate)
            if found:
                steps, best = candidate, found
            else:
                at += size
        size //= 2
    play.installation.close()
    return steps, str(best[0]), best[1]


# --- Many at once.

def settings_seed_of(seed, index):
    """What the settings of a sequence's service are drawn from."""
    return f"{seed}/{index // GROUP}"


def work(options, indices, pipe):
    """Play the sequences of these numbers; tell the pipe about them."""
    seed = options.seed
    play, services, steps, done = None, 0, 0, 0
    try:
        service = model = group = None
        for index in indices:
            if index // GROUP != group:
                group = index // GROUP
                if play is not None and services % BLOCK == 0:
                    finish(play, pipe)
                    play = None
                play = play or Play(options.bin)
                service, model = play.new_service(settings_seed_of(seed, index))
                services += 1
            try:
                model, more = sequence(play, service, model,
                                       f"{seed}/s{index}", options.steps)
            except Failure as failure:
                if re.search(options.expect, failure.words):
                    raise
                more, group = len(failure.steps), None
            steps += more
            done += 1
            if done % GROUP == 0:
                pipe.send(("done", done, steps))
                done = steps = 0
        pipe.send(("done", done, steps))
        if play is not None:
            finish(play, pipe)
            play = None
        pipe.send(("end",))
    except Failure as failure:
        pipe.send(("failure", index, failure.steps, failure.story,
                   failure.words))
    finally:
        if play is not None:
            play.installation.close()


def finish(play, pipe):
    """Take an installation down and tell what it was like."""
    counts, answers = dict(play.counts), dict(play.answers)
    waits = sorted(play.waits)
    others = sorted(play.other_waits)
    faults = play.close()
    pipe.send(("counts", counts, answers, waits[-2000:], waits[::10],
               others[-2000:], others[::10]))
    if faults:
        pipe.send(("faults", faults))


class Tally:
    """What the workers have told."""

    def __init__(self):
        self.done = self.steps = 0
        self.counts, self.answers = {}, {}
        self.worst, self.some = [], []
        self.other_worst, self.other_some = [], []
        self.faults, self.failure = [], None
        self.left = 0

    def take(self, message):
        """Take in one message."""
        kind, *rest = message
        if kind == "done":
            self.done += rest[0]
            self.steps += rest[1]
        elif kind == "counts":
            for mine, theirs in ((self.counts, rest[0]),
                                 (self.answers, rest[1])):
                for name, count in theirs.items():
                    mine[name] = mine.get(name, 0) + count
            for mine, theirs in zip((self.worst, self.some, self.other_worst,
                                     self.other_some), rest[2:]):
                mine.extend(theirs)
        elif kind == "faults":
            self.faults += rest[0]
        elif kind == "failure":
            self.failure = self.failure or rest
            self.left -= 1
        elif kind == "end":
            self.left -= 1


def run(options):
    """Play all the sequences in several processes; the Tally."""
    tally = Tally()
    groups = range(0, options.sequences, GROUP)
    workers, pipes = [], []
    for job in range(options.jobs):
        indices = [index for start in groups[job::options.jobs]
                   for index in range(start, min(start + GROUP,
                                                 options.sequences))]
        ours, theirs = multiprocessing.Pipe(duplex=False)
        worker = multiprocessing.Process(
            target=work, args=(options, indices, theirs))
        worker.start()
        theirs.close()
        workers.append(worker)
        pipes.append(ours)
        tally.left += 1
    began = shown = time.monotonic()
    while tally.left and tally.failure is None:
        for pipe in multiprocessing.connection.wait(pipes, 1):
            try:
                tally.take(pipe.recv())
            except EOFError:
                pipes.remove(pipe)
                if not pipes:
                    tally.left = 0
        if options.verbose and time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"  {tally.done} sequences, "
                  f"{tally.done / (shown - began):.0f} a second", flush=True)
    for worker in workers:
        if tally.failure is not None:
            worker.terminate()
        worker.join()
        if tally.failure is None and worker.exitcode:
            tally.faults.append(f"a worker ended with {worker.exitcode}")
    if tally.failure is None and tally.done != options.sequences:
        tally.faults.append(f"only {tally.done} sequences were played")
    return tally, time.monotonic() - began


def share(values, part):
    """A percentile, in milliseconds."""
    values = sorted(values)
    return 1000 * values[min(len(values) - 1, int(part * len(values)))] \
        if values else 0.0


def report(options, tally, seconds):
    """Print what was done."""
    requests = sum(tally.answers.values()) + tally.counts.get("(probe)", 0)
    print(f"seed {options.seed}: {tally.done} sequences, {tally.steps} steps, "
          f"{requests} requests in {seconds:.1f} s by {options.jobs} jobs: "
          f"{tally.done / seconds:.1f} sequences, "
          f"{requests / seconds:.0f} requests a second")
    print("steps: " + ", ".join(
        f"{name} {count}" for name, count in sorted(tally.counts.items())))
    print("answers: " + ", ".join(
        f"{status} × {count}" for status, count
        in sorted(tally.answers.items())))
    for name, worst, some in (("callers", tally.worst, tally.some),
                              ("others", tally.other_worst, tally.other_some)):
        print(f"wait of {name}: p50 {share(some, 0.5):.1f} ms, "
              f"p99 {share(some, 0.99):.1f} ms, "
              f"worst {share(worst, 1):.1f} ms")


def tell_failure(options, failure):
    """Shorten a failing sequence and print it."""
    index, steps, story, words = failure
    settings = settings_seed_of(options.seed, index)
    print(f"sequence {index} of seed {options.seed}, step {len(steps)}: "
          f"{words}\n")
    if options.shorten:
        shorter = shorten(options, settings, steps)
        if shorter is None:
            print("(alone, on a fresh service, it goes well: it takes what "
                  "went before, or luck)")
        else:
            length = len(steps)
            steps, words, story = shorter
            print(f"shortened from {length} steps to {len(steps)}: {words}")
    for line in story[-60:]:
        print("  " + line)
    path = f"/tmp/callmask-machine-{os.getpid()}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"settings": settings, "steps": steps}, file, indent=1)
    print(f"\nagain: {sys.argv[0]} --replay {path}")
    return words


def main():
    """Options; then play, report, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--steps", type=int, default=50,
                        help="most steps of a sequence (50)")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--bin", default=bench.BIN_DIR, metavar="DIR",
                        help="the programs (BIN_DIR, or build/bin)")
    parser.add_argument("--fault", metavar="NAME",
                        help="the programs have this fault: not finding a "
                             "difference is the failure")
    parser.add_argument("--expect", metavar="REGEX", default="",
                        help="with --fault: pass over other differences")
    parser.add_argument("--replay", metavar="FILE",
                        help="play the steps a failure has left behind")
    parser.add_argument("--shorten", type=float, default=60, metavar="SECONDS",
                        help="how long to look for the fewest steps (60)")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10 ** 9)
    if options.replay:
        return main_replay(options)
    tally, seconds = run(options)
    report(options, tally, seconds)
    words = None
    if tally.failure is not None:
        words = tell_failure(options, tally.failure)
    for fault in tally.faults:
        print(f"fault: {fault}")
        words = words or fault
    if options.fault:
        print(f"{options.fault}: " + (f"found: {words}" if words
                                      else "NOT FOUND"))
        return 0 if words else 1
    differences = (tally.failure is not None) + len(tally.faults)
    print(f"{tally.done} sequences, {differences} differences")
    return 1 if differences else 0


def main_replay(options):
    """--replay."""
    with open(options.replay, encoding="utf-8") as file:
        saved = json.load(file)
    play = Play(options.bin)
    difference, story = replay(play, saved["settings"], saved["steps"])
    for line in story:
        print(line)
    faults = play.close()
    print(difference or faults or "no difference")
    return 1 if difference or faults else 0


if __name__ == "__main__":
    sys.exit(main())
