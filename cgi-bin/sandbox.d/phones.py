"""The phones of the network: who has which, and what each does when it rings."""

import dataclasses
import math
import threading
import typing


class Behaviour(typing.NamedTuple):
    """What a phone does by itself when it is called."""

    rings: bool               # the network reaches it and it makes a sound
    verdict: str | None       # how it decides: a call status, or nothing
    sip: int                  # what the carrier reports with that verdict


BEHAVIOURS = {
    "answer": Behaviour(True, "in-progress", 200),
    "busy": Behaviour(False, "busy", 486),
    "decline": Behaviour(True, "busy", 603),
    "no-answer": Behaviour(True, None, 487),
    "unreachable": Behaviour(False, "failed", 404),
    "manual": Behaviour(True, None, 487),
}


@dataclasses.dataclass(frozen=True)
class Phone:
    """A phone as its owner set it. Times are simulated seconds."""

    number: str
    name: str | None = None
    behaviour: str = "answer"
    answer_after: float = 1
    talk_for: float = 5
    digits: tuple = ()        # keys it presses, one string for each Gather

    def decides_after(self):
        """How long it rings before it does something by itself. What does not
        ring decides at once."""
        behaviour = BEHAVIOURS[self.behaviour]
        if behaviour.verdict is None:
            return math.inf
        return self.answer_after if behaviour.rings else 0

    def patience(self):
        """How long it speaks before it hangs up by itself."""
        return math.inf if self.by_hand() else self.talk_for

    def by_hand(self):
        """Somebody handles it, as fast as people and programs are."""
        return self.behaviour == "manual"


class PhoneBook:
    """The phones somebody has set; every other number is a phone that
    answers."""

    def __init__(self):
        self._phones = {}
        self._lock = threading.Lock()

    def find(self, number):
        """The phone with this number; there is always one."""
        with self._lock:
            return self._phones.get(number) or Phone(number)

    def put(self, phone):
        """Set a phone, in place of one with the same number."""
        with self._lock:
            self._phones[phone.number] = phone

    def all(self):
        """The phones that were set."""
        with self._lock:
            return list(self._phones.values())

    def clear(self):
        """Forget all settings."""
        with self._lock:
            self._phones.clear()
