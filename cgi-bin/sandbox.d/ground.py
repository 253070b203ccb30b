"""Small things every part of the sandbox stands on: identifiers, telephone
numbers, dates, simulated time, and a count of what is still under way."""

import contextlib
import datetime
import email.utils
import math
import re
import secrets
import threading
import time

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_FICTITIOUS = re.compile(r"\+1([2-9][0-9]{2})55501[0-9]{2}")


def is_e164(text):
    """Whether `text` is a telephone number in E.164 form."""
    return isinstance(text, str) and _E164.fullmatch(text) is not None


def is_fictitious(number):
    """Whether `number` is of the American range kept for fiction, 555-01xx:
    the only numbers the sandbox sells."""
    return _FICTITIOUS.fullmatch(number) is not None


def fictitious_numbers(area_code):
    """The hundred numbers for fiction of a three-digit `area_code`."""
    return [f"+1{area_code}55501{last:02d}" for last in range(100)]


def new_sid(prefix):
    """A Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def rfc2822(when):
    """Epoch seconds in the form of Twilio's REST API and callbacks."""
    moment = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    return email.utils.format_datetime(moment)


def rfc3339(when):
    """Epoch seconds in the form of the control API, in milliseconds."""
    moment = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock:
    """The time of one call in simulated seconds.

    They pass `speed` times as fast as real ones, but at their real pace while
    a webhook is under way or a phone rings that somebody handles: a fast clock
    makes neither the application nor a person look slow. `changed` is the call's
    lock: whoever alters what others wait for holds it and notifies."""

    def __init__(self, speed):
        self.changed = threading.Condition()
        self._speed = speed
        self._slow = 0
        self._since = time.monotonic()
        self._passed = 0.0

    def now(self):
        """Simulated seconds since the call began."""
        with self.changed:
            real = time.monotonic() - self._since
            return self._passed + real * self._pace()

    def wait(self, until, happened):
        """Wait until `happened()` holds or `until` has come; say whether it
        holds."""
        with self.changed:
            while not happened():
                left = until - self.now()
                if left <= 0:
                    return False
                real = None if math.isinf(left) else left / self._pace()
                self.changed.wait(real)
            return True

    @contextlib.contextmanager
    def at_real_pace(self):
        """Let time pass at its real pace inside the `with` block."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, step):
        with self.changed:
            self._passed = self.now()
            self._since = time.monotonic()
            self._slow += step
            self.changed.notify_all()

    def _pace(self):
        return 1 if self._slow else self._speed


class Tally:
    """Counts what is under way, and lets others wait until nothing is. What a
    call counts also counts for the `whole`."""

    def __init__(self, whole=None):
        self._whole = whole
        self._count = 0
        self._changed = threading.Condition()

    def begin(self):
        """Something starts."""
        if self._whole:
            self._whole.begin()
        with self._changed:
            self._count += 1

    def end(self):
        """Something started is done."""
        with self._changed:
            self._count -= 1
            self._changed.notify_all()
        if self._whole:
            self._whole.end()

    def settle(self, seconds):
        """Wait at most `seconds` real ones; say whether all is done."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)

    def in_background(self, work, *arguments):
        """Run `work` in a thread of its own and count it."""
        def counted():
            try:
                work(*arguments)
            finally:
                self.end()

        self.begin()
        threading.Thread(target=counted, daemon=True).start()
