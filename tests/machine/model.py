"""What callmask should do, in a few hundred lines: the reference model.

Written from DESIGN.md (sections 3, 7, 8) and the headers in lib/, not from the
C code, and held to the programs' answers by machine.py. It knows real numbers
in the clear, keeps everything in dictionaries and looks at all of them each
time: it is meant to be obviously right, not fast.

Where the design leaves a choice (which of two numbers that were unused equally
long), the model names all that are allowed and learns from the answer which was
taken.
"""

import dataclasses
import pickle
import re
import time

INTENT_LIFE = 30
CODE_CALL_TRIES = 3
CODE_NUMBER_TRIES = 30
HOUR = 3600
DAY = 86400
MINUTE = 60

WITHHELD = ("anonymous", "Restricted", "private", "unknown", "+266696687",
            "+7378742833", "+8656696", "")
FINAL = ("completed", "busy", "failed", "no-answer", "canceled")


class Difference(Exception):
    """The programs did something that the model does not allow."""


def require(condition, words, *details):
    """Raise a Difference unless the condition holds."""
    if not condition:
        raise Difference(words + "".join(f"; {detail}" for detail in details))


def rfc3339(moment):
    """Epoch seconds as the API writes them."""
    if moment is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


@dataclasses.dataclass
class Number:
    """A masked number."""

    number: str
    country: str
    state: str = "active"
    last_used: int = 0


@dataclasses.dataclass(eq=False)
class Party:
    """Somebody in a session."""

    id: str
    role: str
    phone: str
    number: str
    code: str
    disputed: bool = False
    replaced_at: int | None = None


@dataclasses.dataclass(eq=False)
class Session:
    """A session; `former` are the parties that were replaced."""

    id: str
    reference: str | None
    created_at: int
    expires_at: int
    voice: str
    text: str
    parties: list
    closed_at: int | None = None
    expired: bool = False         # closed, because it had expired
    ended_at: int | None = None   # closed: when it stops connecting
    linger_until: int | None = None
    former: list = dataclasses.field(default_factory=list)

    def status(self, now):
        """open, lingering, closed or expired."""
        if self.closed_at is None:
            return "open" if self.expires_at > now else "expired"
        if self.expired:
            return "expired"
        if self.linger_until is not None and self.linger_until > now:
            return "lingering"
        return "closed"

    def end(self):
        """When it stops connecting, as far as is known now."""
        return self.expires_at if self.closed_at is None else self.ended_at

    def other(self, party):
        """Who is on the other side."""
        first, second = self.parties
        return second if party is first else first

    def json(self, now):
        """As the API shows it."""
        return {
            "id": self.id, "reference": self.reference,
            "status": self.status(now),
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.expires_at),
            "closed_at": rfc3339(
                self.expires_at if self.status(now) == "expired"
                else self.closed_at),
            "linger_until": rfc3339(self.linger_until),
            "voice": self.voice, "text": self.text,
            "parties": [{
                "id": party.id, "role": party.role,
                "masked_number": party.number, "code": party.code,
                "dial": f"{party.number},,{party.code}#",
                "disputed": party.disputed} for party in self.parties]}


@dataclasses.dataclass(eq=False)
class Claim:
    """One person's claim on one masked number."""

    session: Session
    party: Party
    peer: str                     # the phone on the other side

    def end(self):
        """When it stops connecting."""
        if self.party.replaced_at is not None:
            return self.party.replaced_at
        return self.session.end()

    def live(self, now):
        """Whether it connects."""
        return self.party.replaced_at is None and \
            self.session.status(now) in ("open", "lingering")

    def busy(self, now):
        """Whether it cannot be taken even by the same two: it is live, or
        ended at a time that, the clock having been set back, is to come."""
        return self.live(now) or self.end() > now


@dataclasses.dataclass(eq=False)
class Call:
    """A call somebody made, and the leg it caused, if any."""

    sid: str
    caller: str
    number: str
    started_at: int
    reason: str
    status: str
    session: Session | None = None
    party: Party | None = None
    sure: bool = True             # whether it must be listed with the session
    intent: Party | None = None   # who an intent said it was
    codes: dict = dataclasses.field(default_factory=dict)   # typed, by step
    leg: str | None = None        # status of the leg that rang the other
    leg_sequence: int = -1
    ringing_at: int | None = None
    answered_at: int | None = None
    leg_ended_at: int | None = None
    leg_duration: int | None = None
    ended_at: int | None = None

    def open(self):
        """Whether all that is known of it is a question, and it goes on."""
        return not self.reason.startswith("connected") and \
            self.ended_at is None

    def row(self):
        """As the API lists it, but for its id."""
        ended_at = self.leg_ended_at if self.leg and self.leg_ended_at \
            else self.ended_at
        return {
            "from": self.party.role if self.party else None, "placed": False,
            "reason": self.reason, "status": self.leg or self.status,
            "started_at": rfc3339(self.started_at),
            "ringing_at": rfc3339(self.ringing_at),
            "answered_at": rfc3339(self.answered_at),
            "ended_at": rfc3339(ended_at),
            "duration": self.leg_duration or 0}


@dataclasses.dataclass
class Verdict:
    """What is to be done with a call."""

    action: str                   # connect, forward, ask, refuse
    reasons: tuple                # any of these
    session: Session | None = None
    party: Party | None = None    # who calls
    to: str | None = None         # who is rung
    shown: str | None = None      # the number that phone shows
    limit: int | None = None      # seconds
    sure: bool = True             # whether session and party must be on record


class Model:
    """One service."""

    def __init__(self, settings, numbers, now):
        self.settings = settings
        self.numbers = {number.number: number for number in numbers}
        self.now = now
        self.sessions = {}        # by id
        self.claims = {}          # by (masked number, phone)
        self.calls = {}           # by sid
        self.intents = {}         # by party: (masked number, until)
        self.kept = {}            # by idempotency key: question, answer
        self.tries = []           # typed in vain: (number, sid, when, code)
        self.codes = {}           # by number: all codes that ever were given
        self.talked = {}          # by day: seconds

    def __getitem__(self, name):
        return self.settings[name]

    def forget(self):
        """Drop what no later sequence can meet: its people are new."""
        for store in (self.sessions, self.claims, self.calls, self.intents,
                      self.kept):
            store.clear()
        self.tries = [one for one in self.tries if one[2] > self.now - HOUR]

    # --- Claims and numbers.

    def over(self, claim):
        """Whether nothing is left of a claim."""
        return not claim.live(self.now) and \
            claim.end() + self["hold"] <= self.now

    def free(self, number, phone):
        """Whether a person has no leg there, live or held."""
        claim = self.claims.get((number, phone))
        return claim is None or self.over(claim)

    def may_have(self, number, phone, peer):
        """Whether a person may have that number in a session with peer: what
        the same two hold from before is theirs."""
        claim = self.claims.get((number, phone))
        return self.free(number, phone) or \
            claim.peer == peer and not claim.busy(self.now)

    def pool(self, country):
        """The numbers a new session may get."""
        return [number for number in self.numbers.values()
                if number.state == "active" and country in (None, number.country)]

    @staticmethod
    def longest_unused(numbers):
        """Those of numbers that were used longest ago."""
        oldest = min((number.last_used for number in numbers), default=None)
        return [number.number for number in numbers
                if number.last_used == oldest]

    def longest_held(self, phone, pool):
        """The numbers on which a person's session ended longest ago, past the
        minimum hold."""
        if not self["reuse-after"]:
            return []
        ends = {}
        for number in pool:
            claim = self.claims.get((number.number, phone))
            if claim and not claim.busy(self.now) and \
                    claim.end() <= self.now - self["reuse-after"]:
                ends[number.number] = claim.end()
        return [number for number, end in ends.items()
                if end == min(ends.values())]

    def for_one(self, phone, pool):
        """The numbers that one person may get when two cannot share."""
        return self.longest_unused(
            [number for number in pool if self.free(number.number, phone)]) \
            or self.longest_held(phone, pool)

    def last_of(self, first, second, pool):
        """What two people had in their last session, if both still have it."""
        pool = {number.number for number in pool}
        found = {}
        for (number, phone), claim in self.claims.items():
            if phone != first or claim.peer != second or number not in pool \
                    or claim.busy(self.now):
                continue
            for (theirs, peer), other in self.claims.items():
                if peer == second and other.peer == first \
                        and other.session is claim.session \
                        and theirs in pool and not other.busy(self.now):
                    found[number, theirs] = claim.session.end()
        newest = max(found.values(), default=None)
        return {pair for pair, when in found.items() if when == newest}

    def choices(self, first, second, number, country):
        """All pairs of masked numbers that these two may get; none: the pool
        is exhausted. DESIGN.md, section 7."""
        if number:
            known = self.numbers.get(number)
            fits = known and known.state in ("active", "reserved") and \
                self.may_have(number, first, second) and \
                self.may_have(number, second, first)
            return {(number, number)} if fits else set()
        pool = self.pool(country)
        last = self.last_of(first, second, pool)
        if last and self["sticky"]:
            return last
        shared = self.longest_unused(
            [one for one in pool if self.free(one.number, first)
             and self.free(one.number, second)])
        if shared:
            return {(one, one) for one in shared}
        if last:
            return last
        return {(one, two) for one in self.for_one(first, pool)
                for two in self.for_one(second, pool)}

    def take_code(self, number, code, party_id):
        """A code must mean nobody else on that number."""
        require(re.fullmatch("[0-9]{6}", code), "a code of six digits", code)
        for (where, _), claim in self.claims.items():
            if where == number and not self.over(claim) and \
                    claim.party.id != party_id:
                require(claim.party.code != code, "one code for two people")
        self.codes.setdefault(number, set()).add(code)

    def claim(self, session, party, peer):
        """Give a number to a party. The programs have chosen it; whether they
        could is checked by the caller: this is the rule of all rules."""
        claim = self.claims.get((party.number, party.phone))
        if claim is not None and not self.over(claim):
            require(not claim.live(self.now),
                    "I1: a pair that is live is given away", party.number)
            require(claim.peer == peer or (
                self["reuse-after"]
                and claim.end() <= self.now - self["reuse-after"]),
                    "I1: a pair that is held is given away", party.number)
        self.claims[party.number, party.phone] = Claim(session, party, peer)

    # --- Sessions.

    def in_use(self, reference):
        """The session that has a reference and is not closed."""
        return next((session for session in self.sessions.values()
                     if reference and session.reference == reference
                     and session.closed_at is None), None)

    def check_phone(self, phone):
        """What speaks against a party's number."""
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", phone):
            return {(422, "invalid_field")}
        if phone in self.numbers:
            return {(422, "own_number")}
        if not re.match(r"\+1(?!900)", phone):
            return {(422, "country_not_allowed")}
        return set()

    def may_not_open(self, wish):
        """The refusals that a wish may meet."""
        refusals, roles = set(), [role for role, _ in wish["parties"]]
        phones = [phone for _, phone in wish["parties"]]
        for phone in phones:
            refusals |= self.check_phone(phone)
        if phones[0] == phones[1]:
            refusals.add((422, "same_party"))
        if (wish["ttl"] or 1) > self["ttl-max"]:
            refusals.add((422, "invalid_field"))
        for mode in wish["voice"], wish["text"]:
            if mode not in (None, "both", "none", *roles):
                refusals.add((422, "invalid_field"))
        named = self.in_use(wish["reference"])
        if named and named.status(self.now) == "open":
            refusals.add((409, "reference_in_use"))
        if not refusals and not self.choices(
                *phones, wish["number"], wish["country"]):
            refusals.add((409, "pool_exhausted"))
        return refusals

    def free_reference(self, reference):
        """A session that has expired gives up its reference."""
        named = self.in_use(reference)
        if named and named.status(self.now) == "expired":
            self.expire(named)

    @staticmethod
    def expire(session):
        """Close what has expired."""
        session.closed_at = session.ended_at = session.expires_at
        session.expired = True

    def open(self, wish, answer):
        """POST /v1/sessions."""
        refusals = self.may_not_open(wish)
        if refusals:
            self.refused(answer, refusals)
            if answer.json()["code"] == "pool_exhausted":
                self.free_reference(wish["reference"])
            return None
        require(answer.status == 201, "a session", answer.brief())
        self.free_reference(wish["reference"])
        shown = answer.json()
        (role_a, first), (role_b, second) = wish["parties"]
        choices = self.choices(first, second, wish["number"], wish["country"])
        parties = [Party(party["id"], role, phone, party["masked_number"],
                         party["code"])
                   for party, (role, phone) in zip(
                       shown["parties"], ((role_a, first), (role_b, second)))]
        session = Session(
            shown["id"], wish["reference"], self.now,
            self.now + (wish["ttl"] or self["ttl-default"]),
            wish["voice"] or "both", wish["text"] or "both", parties)
        for party, peer in zip(parties, (second, first)):
            require(party.number in self.numbers, "a number of the pool")
            self.claim(session, party, peer)
            self.take_code(party.number, party.code, party.id)
        pair = tuple(party.number for party in parties)
        require(pair in choices, f"one of the numbers {sorted(choices)}", pair)
        for number in pair:
            self.numbers[number].last_used = self.now
        require(session.id not in self.sessions, "a new id")
        self.sessions[session.id] = session
        self.same(shown, session.json(self.now))
        return session

    @staticmethod
    def refused(answer, refusals):
        """Check a problem document."""
        require(answer.status >= 400, f"a refusal {sorted(refusals)}",
                answer.brief())
        problem = answer.json()
        require(answer.headers["content-type"] == "application/problem+json"
                and problem["status"] == answer.status, "a problem document",
                answer.brief())
        require((answer.status, problem["code"]) in refusals,
                f"a refusal {sorted(refusals)}", answer.brief())

    @staticmethod
    def same(shown, wanted):
        """Compare a session as shown with the model's."""
        for name in wanted:
            require(shown.get(name, "nothing") == wanted[name],
                    f"{name} to be {wanted[name]}", shown.get(name, "nothing"))

    def shown(self, session, answer):
        """Check an answer that shows a session."""
        require(answer.status == 200, "the session", answer.brief())
        self.same(answer.json(), session.json(self.now))

    def close(self, session, linger, voice, answer):
        """POST /v1/sessions/{id}/close."""
        roles = [party.role for party in session.parties]
        if (linger or 0) > self["ttl-max"] or \
                voice not in (None, "both", "none", *roles):
            self.refused(answer, {(422, "invalid_field")})
            return
        status = session.status(self.now)
        if status == "expired":
            self.expire(session)
        elif status == "open" or status == "lingering" and not linger:
            if status == "open":
                session.closed_at = self.now
            session.linger_until = self.now + linger if linger else None
            session.ended_at = session.linger_until or self.now
            session.voice = voice or session.voice
        self.shown(session, answer)

    def may_not_change(self, session, change):
        """The refusals that a change may meet, replacing aside."""
        if session.status(self.now) != "open":
            return {(409, "session_ended")}
        refusals, roles = set(), [party.role for party in session.parties]
        until = self.until(session, change)
        if change["ttl"] and change["expires_at"]:
            refusals.add((422, "invalid_field"))
        if until <= self.now or until != session.expires_at and \
                until > self.now + self["ttl-max"]:
            refusals.add((422, "invalid_field"))
        for mode in change["voice"], change["text"]:
            if mode not in (None, "both", "none", *roles):
                refusals.add((422, "invalid_field"))
        for role, phone in change["parties"]:
            if role not in roles:
                refusals.add((422, "invalid_field"))
            refusals |= self.check_phone(phone)
        return refusals

    def until(self, session, change):
        """When a session ends after a change."""
        if change["ttl"]:
            return self.now + change["ttl"]
        return change["expires_at"] or session.expires_at

    def change(self, session, change, answer):
        """PATCH /v1/sessions/{id}. A refused change leaves nothing behind."""
        refusals = self.may_not_change(session, change)
        if refusals:
            self.refused(answer, refusals)
            return
        # Who comes for whom, one after the other.
        before = pickle.dumps(self)
        shown = answer.json() if answer.status == 200 else None
        refusal = self.do_change(session, change, shown)
        if answer.status == 200 and not refusal:
            self.shown(session, answer)
            return
        # Of a refused change nothing stands. Every number that the first of
        # two could have got is tried before the second is believed refused.
        self.__dict__ = pickle.loads(before).__dict__
        for choice in range(len(self.numbers)):
            copy = pickle.loads(before)
            refusal = copy.do_change(copy.sessions[session.id], change, None,
                                     choice)
            if refusal and answer.status == refusal[0]:
                break
        require(refusal is not None, "the change to be made", answer.brief())
        self.refused(answer, {refusal})

    def do_change(self, session, change, shown, choice=0):
        """Make a change; a refusal, or None."""
        session.expires_at = self.until(session, change)
        session.voice = change["voice"] or session.voice
        session.text = change["text"] or session.text
        refusal = None
        for role, phone in change["parties"]:
            refusal = refusal or self.replace(session, role, phone, shown,
                                              choice)
        return refusal

    def replace(self, session, role, phone, shown, choice):
        """Put another into a party's place: the one that is shown, or, if none
        is, the one of this choice. Returns a refusal or None."""
        position = [party.role for party in session.parties].index(role)
        old, other = session.parties[position], session.parties[1 - position]
        if phone == other.phone:
            return 422, "same_party"
        if phone == old.phone:
            return None
        old.replaced_at = self.now
        number = self.numbers[other.number]
        if number.state in ("active", "reserved") and \
                self.may_have(other.number, phone, other.phone):
            allowed, touched = {other.number}, False
        else:
            allowed, touched = set(self.for_one(phone, self.pool(None))), True
        if not allowed:
            return 409, "pool_exhausted"
        if shown is None:
            number = sorted(allowed)[choice % len(allowed)]
            party = Party("?" + old.id, role, phone, number, "?")
        else:
            known = shown["parties"][position]
            party = Party(known["id"], role, phone, known["masked_number"],
                          known["code"])
            require(party.id != old.id and party.number in allowed,
                    f"the new {role} with one of {sorted(allowed)}",
                    party.number)
            self.take_code(party.number, party.code, party.id)
        self.claim(session, party, other.phone)
        if touched:
            self.numbers[party.number].last_used = self.now
        self.claims[other.number, other.phone].peer = phone
        session.former.append(old)
        session.parties[position] = party
        return None

    def announce(self, session, role, answer):
        """POST /v1/sessions/{id}/intents."""
        party = next((party for party in session.parties
                      if party.role == role), None)
        refusals = set()
        if not self["intents"]:
            refusals.add((409, "not_enabled"))
        if session.status(self.now) not in ("open", "lingering"):
            refusals.add((409, "session_ended"))
        if party is None:
            refusals.add((422, "invalid_field"))
        if refusals:
            self.refused(answer, refusals)
            return
        require(answer.status == 201, "the intent", answer.brief())
        until = self.now + INTENT_LIFE
        require(answer.json() == {"expires_at": rfc3339(until)},
                f"an intent until {rfc3339(until)}", answer.brief())
        self.intents[party] = (party.number, until)

    # --- Calls.

    def unknown(self, *reasons):
        """Nobody we know calls."""
        return Verdict("ask" if self["ask-code"] else "refuse", reasons)

    def limits(self, claim, sid):
        """The limits that one more call breaks. A call said twice is one."""
        broken, calls = [], [call for call in self.calls.values()
                             if call.sid != sid]
        made = sum(call.session is claim.session
                   and call.reason.startswith("connected") for call in calls)
        if self["session-calls"] and made >= self["session-calls"]:
            broken.append("session_limit")
        made = sum(call.party is claim.party and
                   call.started_at > self.now - MINUTE for call in calls)
        if self["person-calls"] and made >= self["person-calls"]:
            broken.append("person_limit")
        return broken

    def by_claim(self, claim, reason, sid):
        """What to do for somebody who is known."""
        session, party = claim.session, claim.party
        other = session.other(party)
        status = session.status(self.now)
        known = {"session": session, "party": party}
        may_call = session.voice in ("both", party.role)
        if status == "lingering" and not may_call:
            status = "closed"     # what lingers for one is over for the other
        if status == "closed" or not claim.live(self.now):
            ended = {"expired": "session_expired", "closed": "session_closed"}
            why = ended.get(status, "party_replaced")
            if self["support-number"]:
                return Verdict("forward", (why,), **known,
                               to=self["support-number"], shown=party.number,
                               limit=self["call-limit"])
            return Verdict("refuse", (why,), **known)
        if party.disputed or other.disputed:
            return Verdict("refuse", ("party_disputed",), **known)
        if not may_call:
            return Verdict("refuse", ("voice_off",), **known)
        broken = self.limits(claim, sid)
        if broken:
            return Verdict("refuse", tuple(broken), **known)
        return Verdict("connect", (reason,), **known, to=other.phone,
                       shown=other.number,
                       limit=min(self["call-limit"], session.end() - self.now))

    def waiting(self, number):
        """The parties announced at a number."""
        return [party for party, (where, until) in self.intents.items()
                if where == number and until > self.now]

    def claim_of(self, party):
        """The claim by which a party can be reached, if it still has it."""
        claim = self.claims.get((party.number, party.phone))
        if claim and claim.party is party and not self.over(claim):
            return claim
        return None

    def decide(self, caller, number, sid, attestation):
        """What to do with a call; DESIGN.md, section 8."""
        known = self.numbers.get(number)
        claim = lately = self.claims.get((number, caller))
        if claim is not None and self.over(claim):
            claim = None
        if known is None or known.state == "retired":
            # A claim that ended this very second may have been seen, where
            # the caller hears the same in any case.
            if lately and claim is None and lately.end() < self.now:
                lately = None
            return Verdict("refuse", ("number_unknown",),
                           lately and lately.session, lately and lately.party,
                           sure=lately is claim)
        if caller in WITHHELD:
            return self.withheld(number, sid)
        if claim is None:
            return self.unknown("caller_unknown")
        if self["attestation"] and "TN-Validation-Failed" in attestation:
            verdict = self.unknown("attestation_failed")
            verdict.session, verdict.party = claim.session, claim.party
            verdict.sure = False
            return verdict
        return self.by_claim(claim, "connected", sid)

    def withheld(self, number, sid):
        """A caller who hides the number: an intent may tell who it is, once;
        the same call said twice is the same call."""
        earlier = self.calls.get(sid)
        party = earlier.intent if earlier else None
        if not earlier and self["intents"]:
            waiting = self.waiting(number)
            party = waiting[0] if len(waiting) == 1 else None
        if party is None:
            return self.unknown("caller_withheld")
        self.intents.pop(party, None) if not earlier else None
        claim = self.claim_of(party)
        if claim is None:
            return self.unknown("caller_withheld", "caller_unknown")
        return self.by_claim(claim, "connected_by_intent", sid)

    def dial(self, caller, number, sid, attestation):
        """A call comes in: the verdict, and its record. The same CallSid again
        changes nothing."""
        waiting = self.waiting(number) if self["intents"] and \
            caller in WITHHELD else []
        verdict = self.decide(caller, number, sid, attestation)
        if sid not in self.calls:
            call = self.calls[sid] = Call(
                sid, caller, number, self.now, verdict.reasons[0],
                "completed" if verdict.action == "refuse" else "ringing",
                verdict.session, verdict.party, verdict.sure)
            if len(waiting) == 1 and waiting[0] not in self.intents:
                call.intent = waiting[0]
        return verdict

    def may_try(self, number, sid):
        """Whether a code may be typed."""
        in_call = sum(call == sid for _, call, _, _ in self.tries)
        in_hour = sum(where == number and when > self.now - HOUR
                      for where, _, when, _ in self.tries)
        return in_call < CODE_CALL_TRIES and in_hour < CODE_NUMBER_TRIES

    def type_code(self, number, sid, code):
        """A code was typed in a call. The same one typed again in that call is
        the same guess."""
        call = self.calls[sid]
        known = self.numbers.get(number)
        used = known is not None and known.state != "retired"
        claim = next((claim for (where, _), claim in self.claims.items()
                      if where == number and claim.busy(self.now)
                      and claim.party.replaced_at is None
                      and claim.party.code == code), None)
        allowed = self.may_try(number, sid)
        if allowed and claim and self["ask-code"]:
            verdict = self.by_claim(claim, "connected_by_code", sid) if used \
                else Verdict("refuse", ("number_unknown",), claim.session,
                             claim.party)
            if call.open():
                # What is on record of a code that is refused is left open.
                call.session, call.party = verdict.session, verdict.party
                call.reason = verdict.reasons[0]
                call.sure = verdict.action == "connect"
                if verdict.action == "refuse":
                    call.status = "completed"
                    # The same call again is known by the code that was right,
                    # where it is asked who hides the number.
                    call.intent = verdict.party if self["intents"] else None
            return verdict
        if allowed and not any((call, typed) == (sid, code)
                               for _, call, _, typed in self.tries):
            self.tries = [one for one in self.tries
                          if one[2] > self.now - HOUR]
            self.tries.append((number, sid, self.now, code))
        if used and self.may_try(number, sid) and self["ask-code"]:
            return Verdict("ask", ("caller_unknown", "caller_withheld"))
        if call.open():
            call.sure = False
        return Verdict("refuse", ("caller_unknown", "caller_withheld",
                                  "number_unknown"))

    def dispute(self, number, phone):
        """Somebody at a phone says to be another."""
        claim = self.claims.get((number, phone))
        if claim:
            claim.party.disputed = True

    def report(self, call, kind, outcome, at, duration):
        """A report on a call: of the leg (initiated, ringing, answered, final),
        of the Dial's end (ended), or of the caller's own leg (own)."""
        order = {"initiated": 0, "ringing": 1, "answered": 2, "final": 3}
        if kind == "ringing" and call.ringing_at is None:
            call.ringing_at = at
        if kind == "answered" and call.answered_at is None:
            call.answered_at = at
        if kind in ("final", "ended"):
            if call.leg not in FINAL and duration:
                day = self.now // DAY
                self.talked[day] = self.talked.get(day, 0) + duration
            call.leg = outcome if call.leg not in FINAL else call.leg
            if duration is not None and call.leg_duration is None:
                call.leg_duration = duration
        elif kind in order and call.leg not in FINAL and \
                order[kind] > call.leg_sequence:
            call.leg = {"initiated": "initiated", "ringing": "ringing",
                        "answered": "in-progress"}[kind]
            call.leg_sequence = order[kind]
        if kind == "final" and call.leg_ended_at is None:
            call.leg_ended_at = at
        if kind in ("ended", "own"):
            if call.ended_at is None:
                call.ended_at = at
            if call.status not in FINAL:
                call.status = "completed"
