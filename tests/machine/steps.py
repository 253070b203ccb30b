"""What a sequence is made of: steps that say in words what is done, so that a
sequence can be written down, shortened and played again.

A step is a dictionary. It names people by place (0, 1, 2 …), masked numbers by
their place in the pool, and sessions and calls by the `id` of the step that
made them; a step whose session is not there is left out.
"""

KINDS = {
    "open": 20, "close": 9, "change": 13, "dial": 26, "code": 10, "intent": 5,
    "repeat": 9, "report": 8, "screened": 3, "advance": 9, "back": 1,
    "number": 2, "get": 3, "list": 2, "forged": 2, "foreign": 1, "both": 11,
}
IN_PAIRS = ("open", "open", "open", "close", "close", "change", "change",
            "dial", "dial", "code", "intent", "repeat", "report", "get")
OUTCOMES = ("completed", "completed", "completed", "busy", "no-answer",
            "failed", "canceled")
REPORTS = ("initiated", "ringing", "answered", "final", "ended", "own")


class Maker:
    """Makes a random sequence, a step at a time, looking at what the model
    knows, so that most of the steps mean something."""

    def __init__(self, random, people, pool):
        self._random = random
        self._people = people
        self._pool = pool
        self._last = 0
        self._opens = []          # ids of steps that opened a session
        self._dials = []
        self._codes = []
        self._writes = []         # ids of steps that can be repeated
        self._recent = None       # the session last spoken of
        # Every sequence leaves something out, so that the rest meets oftener.
        self._weights = {
            kind: weight if kind in ("open", "dial") or random.random() < 0.75
            else 0 for kind, weight in KINDS.items()}

    def next(self):
        """The next step."""
        kinds = list(self._weights)
        kind = self._random.choices(kinds, self._weights.values())[0]
        if not self._opens:
            kind = "open"
        return self._make(kind)

    def _make(self, kind):
        self._last += 1
        step = {"op": kind, "id": self._last}
        step.update(getattr(self, "_" + kind)())
        if step["op"] == "open":
            self._opens.append(step["id"])
            self._recent = step["id"]
        if step["op"] == "dial":
            self._dials.append(step["id"])
        if step["op"] in ("open", "close", "change", "intent", "dial", "code",
                          "screened"):
            self._writes.append(step["id"])
        return step

    def _chance(self, part):
        return self._random.random() < part

    def _pick(self, *values):
        return self._random.choice(values)

    def _session(self):
        """A session: mostly the one last spoken of, or one of late."""
        if self._recent is None or self._chance(0.5):
            self._recent = self._random.choice(self._opens[-6:])
        return self._recent

    def _mode(self):
        return self._pick("both", "both", "none", "customer", "driver")

    def _open(self):
        first, second = self._random.sample(range(self._people), 2)
        step = {
            "a": first, "b": second,
            "ttl": self._pick(None, 1, 2, 60, 600, 600, 3600),
            "reference": self._random.randrange(3)
            if self._chance(0.25) else None,
            "country": self._pick("US", "CA") if self._chance(0.15) else None,
            "number": None,
            "voice": self._mode() if self._chance(0.15) else None,
            "text": self._mode() if self._chance(0.1) else None,
            "bad": self._pick("role", "same", "country", "own", "phone", "ttl")
            if self._chance(0.06) else None,
            "key": self._chance(0.5),
        }
        if step["country"] is None and self._chance(0.15):
            step["number"] = self._random.randrange(self._pool + 1)
        return step

    def _close(self):
        return {"of": self._session(),
                "linger": self._pick(1, 30, 600, 600, 10 ** 9)
                if self._chance(0.3) else None,
                "voice": self._pick("both", "none", "customer", "driver",
                                    "stranger")
                if self._chance(0.2) else None,
                "key": self._chance(0.3)}

    def _change(self):
        step = {"of": self._session(), "ttl": None, "until": None,
                "voice": None, "text": None, "parties": [],
                "key": self._chance(0.3)}
        what = self._pick("replace", "replace", "replace", "ttl", "until",
                          "voice", "two", "much")
        if what in ("replace", "two", "much"):
            roles = ["customer", "driver"]
            self._random.shuffle(roles)
            people = self._random.sample(range(self._people), 2)
            step["parties"] = list(zip(roles, people))[:2 if what == "two" else 1]
        if what in ("ttl", "much"):
            step["ttl"] = self._pick(1, 5, 60, 600, 3600, 10 ** 9)
        if what == "until" or what == "much" and self._chance(0.1):
            step["until"] = self._pick(-5, 0, 1, 60, 3600)
        if what in ("voice", "much"):
            step["voice"] = self._mode()
        if what == "much":
            step["text"] = self._mode()
        if self._chance(0.04):
            step["voice"] = "stranger"
        return step

    def _dial(self):
        what = self._random.random()
        step = {"attestation": ""}
        if what < 0.65:
            step["caller"] = ("party", self._session(), self._random.randrange(2))
        elif what < 0.8:
            step["caller"] = ("person", self._random.randrange(self._people))
        elif what < 0.93:
            step["caller"] = ("withheld", self._random.randrange(8))
        else:
            step["caller"] = ("stranger",)
        what = self._random.random()
        if what < 0.8:
            step["to"] = ("party", self._session(), self._random.randrange(2))
        elif what < 0.97:
            step["to"] = ("pool", self._random.randrange(self._pool))
        else:
            step["to"] = ("none",)
        if step["caller"][0] == "party" and step["to"][0] == "party" \
                and self._chance(0.75):
            step["to"] = step["caller"]
        if self._chance(0.2):
            step["attestation"] = self._pick(
                "TN-Validation-Passed-A", "TN-Validation-Failed-C",
                "TN-Validation-Failed", "No-TN-Validation")
        return step

    def _code(self):
        if not self._dials:
            return {**self._dial(), "op": "dial"}
        what = self._random.random()
        if what < 0.5:
            code = ("party", self._session(), self._random.randrange(2))
        elif what < 0.9:
            code = ("wrong", self._last)
        else:
            code = ("odd", self._pick("12", "1234567", "12345a", "*"))
        return {"of": self._random.choice(self._dials[-4:]), "code": code}

    def _intent(self):
        return {"of": self._session(),
                "role": self._pick("customer", "driver", "customer", "driver",
                                   "stranger"),
                "key": self._chance(0.3)}

    def _repeat(self):
        return {"of": self._random.choice(self._writes[-8:]),
                "turned": self._chance(0.5)}

    def _report(self):
        if not self._dials:
            return {**self._dial(), "op": "dial"}
        kinds = self._random.choices(REPORTS, k=self._random.randint(1, 5))
        return {"of": self._random.choice(self._dials[-4:]), "kinds": kinds,
                "outcome": self._pick(*OUTCOMES)}

    def _screened(self):
        if not self._dials:
            return {**self._dial(), "op": "dial"}
        return {"of": self._random.choice(self._dials[-4:]),
                "keys": self._pick("1", "9", "9", "5")}

    def _advance(self):
        if self._chance(0.4):
            return {"by": self._pick(1, 2, 15, 29, 31, 59, 61, 600, 3601)}
        return {"to": self._pick("end", "end", "end", "hold", "reuse"),
                "of": self._session(), "offset": self._pick(-1, 0, 0, 1)}

    def _back(self):
        return {"by": self._pick(1, 1, 2, 5)}

    def _number(self):
        return {"which": self._random.randrange(self._pool),
                "state": self._pick("active", "reserved", "draining",
                                    "draining", "retired")}

    def _get(self):
        return {"of": self._session()}

    def _list(self):
        return {"status": self._pick(None, "open", "lingering", "closed",
                                     "expired"),
                "reference": self._random.randrange(3)
                if self._chance(0.3) else None}

    def _forged(self):
        return {"what": self._pick("voice", "code", "status", "open", "close"),
                "of": self._session()}

    def _foreign(self):
        return {"what": self._pick("get", "close", "change", "intent"),
                "of": self._session()}

    def _both(self):
        kinds = ("open", "open") if self._chance(0.3) else \
            self._random.choices(IN_PAIRS, k=2)
        first, second = (self._make(kind) for kind in kinds)
        if first["op"] == second["op"] == "open" and self._chance(0.7):
            # The same people, so that they want the same numbers.
            second["a"] = first["a"]
            if second["b"] == first["a"] or self._chance(0.5):
                second["b"] = first["b"]
            second["number"] = first["number"]
            if self._chance(0.3):
                second["reference"] = first["reference"] = 0
        elif first["op"] in ("open", "close", "change") and self._chance(0.3):
            first["key"] = True
            second = {"op": "repeat", "id": second["id"], "of": first["id"],
                      "turned": self._chance(0.5)}
        return {"ops": [first, second]}
