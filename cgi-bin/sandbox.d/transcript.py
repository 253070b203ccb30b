"""The transcript: what every phone showed, heard and did, and every webhook,
in the order it happened.

It keeps the last entries only and numbers them without gaps, so that a reader
can ask for what came after the last number it saw, and wait for more."""

import collections
import itertools
import json
import os
import threading
import time

import ground

KEPT = 10_000
PER_ANSWER = 1_000


class Transcript:
    """A bounded, numbered list of entries, optionally copied to a file."""

    def __init__(self, path=None):
        self._entries = collections.deque(maxlen=KEPT)
        self._last = 0
        self._changed = threading.Condition()
        self._file = _open_private(path) if path else None

    def add(self, kind, text, *, call=None, phone=None, name=None, **more):
        """Note that something of this `kind` happened."""
        with self._changed:
            self._last += 1
            entry = {"n": self._last, "at": ground.rfc3339(time.time()),
                     "call": call, "phone": phone, "name": name,
                     "kind": kind, "text": text, **more}
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._changed.notify_all()

    def since(self, after, seconds):
        """The entries numbered above `after`, at most PER_ANSWER, and the last
        number given out; waits up to `seconds` for the first of them."""
        with self._changed:
            self._changed.wait_for(lambda: self._last > after, seconds)
            first = self._last - len(self._entries) + 1
            start = max(0, after + 1 - first)
            entries = list(itertools.islice(
                self._entries, start, start + PER_ANSWER))
        return entries, entries[-1]["n"] if entries else self._last

    def of(self, call):
        """The kept entries of the call or message with this identifier."""
        with self._changed:
            return [entry for entry in self._entries if entry["call"] == call]

    def clear(self):
        """Forget all entries. Numbers go on, so that no reader gets lost."""
        with self._changed:
            self._entries.clear()


def _open_private(path):
    """Open `path` to append lines: the transcript holds real numbers, so it is
    for its owner alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return open(descriptor, "a", buffering=1, encoding="utf-8")
