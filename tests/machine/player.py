"""Plays steps (steps.py) on the real programs (bench.py) and holds what they
answer to the model (model.py). A Difference ends the play."""

import collections
import email.utils
import json
import pickle
import random
import re
import sqlite3

import bench
from model import (Difference, Model, Number, Verdict, WITHHELD, require,
                   rfc3339)

SLOWEST = 5.0                 # seconds a caller may wait for words
TWIML = "text/xml"
SUPPORT = "+18005550100"
HOLDS = (0, 60, 600, 86400)
DAY = 86400


def make_settings(chance):
    """The settings of a service, some of them unusual."""
    hold = chance.choice(HOLDS)
    settings = {
        "countries": "US,CA", "ttl-default": 7200, "ttl-max": 86400,
        "hold": hold, "sticky": chance.choice((1, 1, 0)),
        "reuse-after": chance.choice((0, 0, 30)) if hold > 30 else 0,
        "call-limit": chance.choice((14400, 300)),
        "ask-code": chance.choice((1, 1, 1, 0)),
        "attestation": chance.choice((1, 0)),
        "intents": chance.choice((1, 1, 0)),
        "screening": chance.choice((1, 0, 0)),
        "session-calls": chance.choice((0, 0, 3)),
        "person-calls": 0,
        "support-number": chance.choice((SUPPORT, "", "")),
    }
    # A doubted caller is counted or not, as the programs like it.
    if not settings["attestation"]:
        settings["person-calls"] = chance.choice((0, 0, 2))
    return settings


class Service:
    """One service of an installation, and the model of it."""

    made = 0

    def __init__(self, installation, seed, first_number):
        chance = random.Random(seed)
        Service.made += 1
        self.name = f"service{Service.made}"
        self.settings = make_settings(chance)
        self.pool = []
        for place in range(chance.choice((2, 3, 4, 6, 8, 8))):
            canadian = place > 0 and chance.random() < 0.25
            digits = f"{first_number + place:07d}"
            self.pool.append(("+1416" if canadian else "+1202") + digits)
        options = [word for name, value in self.settings.items()
                   for word in (f"--{name}", str(value))]
        self.admin_key = installation.callmask(
            "init", "--service", self.name, *options).strip()
        self.key = installation.callmask(
            "-s", self.name, "key", "add", "--name", "test").strip()
        installation.callmask("-s", self.name, "number", "add", *self.pool)
        self.states = {}

    def model(self, now):
        """A model in which nothing has happened yet."""
        return Model(self.settings, [
            Number(number, "CA" if number.startswith("+1416") else "US")
            for number in self.pool], now)


class Play:
    """An installation with its programs, on which sequences are played."""

    def __init__(self, bin_dir):
        self.installation = bench.Installation(bin_dir)
        self.now = bench.EPOCH
        self.counts = collections.Counter()
        self.answers = collections.Counter()
        self.waits = []           # seconds, of callers
        self.other_waits = []
        self.sequences = 0
        self._phones = 0
        self._numbers = 0
        self._calls = 0
        self._database = None
        self.foreign_key = None
        self.no_code = None       # the sentence for a code that is refused

    def new_service(self, seed):
        """A fresh service, and with the first one the programs."""
        service = Service(self.installation, seed, self._numbers)
        self._numbers += len(service.pool)
        if self._database is None:
            self.installation.start()
            self._database = sqlite3.connect(
                f"file:{self.installation.database}?mode=ro", uri=True,
                isolation_level=None)
            self.foreign_key = service.key
        return service, service.model(self.now)

    def query(self, text, *values):
        """Rows of the database."""
        return self._database.execute(text, values).fetchall()

    def new_phone(self):
        """A real number that nobody has had."""
        self._phones += 1
        return f"+1303{self._phones:07d}"

    def new_call(self):
        """A CallSid."""
        self._calls += 1
        return f"CA{self._calls:032x}"

    def set_clock(self, now):
        """Move the clock of all programs."""
        self.now = now
        self.installation.set_clock(now)

    def leaks(self):
        """I4: real numbers in anything the programs have written."""
        found = []
        for path in self.installation.folder.iterdir():
            if path.is_file() and re.search(
                    rb"(?<![0-9])1?303[0-9]{7}", path.read_bytes()):
                found.append(path.name)
        return found

    def close(self):
        """Stop; returns what was wrong in the end."""
        faults = []
        died = self.installation.died()
        if died:
            faults.append(f"programs died: {died}")
        if self._database is not None:
            check = self.query("PRAGMA integrity_check")[0][0]
            if check != "ok":
                faults.append(f"integrity_check: {check}")
            self._database.close()
        leaks = self.leaks()
        if leaks:
            faults.append(f"I4: real numbers in {leaks}")
        self.installation.close()
        return faults


class Act:
    """One request: how to send it, and what to make of the answer."""

    def __init__(self, send, check):
        self.send, self.check = send, check


class Player:
    """Plays one sequence with people of its own."""

    def __init__(self, play, service, model, people=5):
        self._play = play
        self._installation = play.installation
        self._service = service
        self.model = model
        self._phones = [play.new_phone() for _ in range(people)]
        self._stranger = play.new_phone()
        self._real = set(self._phones) | {self._stranger}
        play.sequences += 1
        self._name = f"sequence-{play.sequences}"
        self._sessions = {}       # session id by step
        self._calls = {}          # dial: sid, caller, number
        self._acts = {}           # what a step asked, to be asked again
        self._asked = {}          # sid: what was done with the call
        self._paired = False      # two requests are under way at once
        self.story = []

    # --- Playing.

    def play(self, step):
        """Play one step and look whether all is well."""
        self.model.now = self._play.now
        if step["op"] == "both":
            self._play_both(step)
        else:
            prepare = getattr(self, "_do_" + step["op"])
            act = prepare(step)
            if act is None:
                return
            if isinstance(act, Act):
                self._acts[step["id"]] = act
                answer = act.send().answer()
                self._note(step, answer)
                act.check(self.model, answer)
        self._play.counts[step["op"]] += 1
        self._probe(random.Random(step["id"]))

    def _play_both(self, step):
        """Two requests at once: some order of the two must explain both
        answers."""
        acts, self._paired = [], True
        for each in step["ops"]:
            act = getattr(self, "_do_" + each["op"])(each)
            if isinstance(act, Act):
                acts.append((each, act))
        self._paired = False
        if len(acts) == 2 and self._would_break_limits(step["ops"]):
            acts.pop()
        self._acts.update((each["id"], act) for each, act in acts)
        pending = [act.send() for _, act in acts]
        answers = [each.answer() for each in pending]
        for (each, _), answer in zip(acts, answers):
            self._note(each, answer, "at once: ")
            self._play.counts["(in a pair) " + each["op"]] += 1
        tasks = [(act, answer) for (_, act), answer in zip(acts, answers)]
        before, reasons, self._paired = pickle.dumps(self.model), [], True
        fitting = []
        for order in (tasks, tasks[::-1]):
            model = pickle.loads(before)
            try:
                for act, answer in order:
                    act.check(model, answer)
                fitting.append(model)
            except Difference as difference:
                reasons.append(str(difference))
        self._paired = False
        require(fitting, "some order of the two that explains both",
                " / or: ".join(reasons))
        self.model = fitting[0]
        if len(fitting) == 2 and not self._fits(step["ops"]):
            self.model = fitting[1]

    def _fits(self, steps):
        """Whether the sessions of two steps stand as the model says."""
        sessions = {self._sessions[step["of"]] for step in steps
                    if step.get("of") in self._sessions}
        for session in sorted(sessions & set(self.model.sessions)):
            answer = self._installation.send_api(
                "session-get", "GET", f"/v1/sessions/{session}",
                self._service.key).answer()
            try:
                self._check_shown(self.model, session, answer)
            except Difference:
                return False
        return True

    def _would_break_limits(self, steps):
        """Calls are counted when they are written down, not when they are
        decided: two at once may both pass a limit, by design."""
        limited = self._service.settings["session-calls"] or \
            self._service.settings["person-calls"]
        calls = [step for step in steps
                 if step["op"] in ("dial", "code", "repeat")]
        return limited and len(calls) > 1

    def _note(self, step, answer, prefix=""):
        brief = answer.brief()
        self._play.answers[answer.status] += 1
        self.story.append(f"{prefix}{self._words(step)}\n      → {brief}")
        waits = self._play.waits if step["op"] in ("dial", "code", "screened") \
            else self._play.other_waits
        waits.append(answer.seconds)
        text = re.sub(r"<Number[^>]*>[^<]*</Number>", "",
                      brief + answer.head.decode())
        for phone in self._real:
            require(phone[2:] not in text, "I4: no real number in an answer")
        require(answer.status < 500, "no failure", brief)

    @staticmethod
    def _words(step):
        rest = {name: value for name, value in step.items()
                if name not in ("op", "id") and value not in (None, "", [])}
        return f"{step['id']:3d} {step['op']} {json.dumps(rest)}"

    def _probe(self, chance):
        """I1 after each step: ask the programs what they would do with some
        call, without making it."""
        claims = [key for key in self.model.claims if key[1] in self._real]
        number, phone = chance.choice(claims) if claims and \
            chance.random() < 0.8 else (chance.choice(self._service.pool),
                                        chance.choice(self._phones))
        self._check_route(phone, number)

    def sweep(self):
        """At the end: every call by everybody, every session, every record."""
        self.model.now = self._play.now
        places = {(phone, number) for number, phone in self.model.claims
                  if phone in self._real}
        places |= {(phone, number) for phone in self._phones
                   for number in self._service.pool[:2]}
        for phone, number in sorted(places):
            self._check_route(phone, number)
        for session in self.model.sessions.values():
            self._api("session-get", "GET", f"/v1/sessions/{session.id}",
                      lambda model, answer, session=session:
                      self._check_shown(model, session.id, answer))
        self._check_records()

    def _api(self, program, method, path, check):
        answer = self._installation.send_api(
            program, method, path, self._service.key).answer()
        self.story.append(f"{method} {path}\n      → {answer.brief()}")
        check(self.model, answer)

    def restore(self):
        """Leave the service to the next sequence as it was."""
        for number, state in list(self._service.states.items()):
            if state != "active":
                self._set_state(number, "active")
        # Whoever was announced is forgotten, and will be though the next one
        # sets the clock back.
        self._play.set_clock(self._play.now + 120)
        self.model.now = self._play.now
        self.model.forget()

    # --- The app's requests.

    def _write(self, step, program, method, path, document, check, kept):
        """A request that changes something. Under its key, or else the id that
        nginx gave it, it is done once: `kept` says which answers are final."""
        name = f"{self._name}-step-{step['id']}"
        key = name if step.get("key") else None
        service_key = self._service.key
        turned = [False]

        def send():
            shown = document
            if turned[0] and document:
                shown = dict(reversed(document.items()))
            return self._installation.send_api(
                program, method, path, service_key, shown, idempotency=key,
                request=None if key else name)

        def judge(model, answer):
            known = model.kept.get(name)
            if known is not None:
                require((answer.status, answer.body) == known,
                        "I3: the same answer to the same question",
                        answer.brief())
                require((answer.headers.get("idempotent-replayed") == "true")
                        == bool(key), "a word that it is a repeat")
                return
            check(model, answer)
            if answer.status < 300 or answer.status == 409 and \
                    answer.json()["code"] in kept:
                model.kept[name] = answer.status, answer.body

        act = Act(send, judge)
        act.turned, act.once = turned, name
        # How long its answer is kept (lib/idempotency.h).
        act.kept_until = self.model.now + (2 * DAY if key else DAY)
        return act

    def _do_open(self, step):
        roles = ["customer", "driver"]
        phones = [self._phones[step["a"]], self._phones[step["b"]]]
        bad = step["bad"]
        if bad == "role":
            roles[1] = "customer"
        if bad == "same":
            phones[1] = phones[0]
        if bad == "country":
            phones[1] = "+4930" + phones[1][-7:]
        if bad == "own":
            phones[1] = self._service.pool[0]
        if bad == "phone":
            phones[1] = phones[1][1:]
        wish = {
            "parties": list(zip(roles, phones)),
            "ttl": 10 ** 6 if bad == "ttl" else step["ttl"],
            "reference": self._reference(step["reference"]),
            "country": step["country"], "number": self._wanted(step["number"]),
            "voice": step["voice"], "text": step["text"],
        }
        document = {"parties": [{"role": role, "phone": phone}
                                for role, phone in wish["parties"]]}
        for name, field in (("ttl", "ttl"), ("reference", "reference"),
                            ("country", "country"), ("voice", "voice"),
                            ("text", "text"), ("number", "masked_number")):
            if wish[name] is not None:
                document[field] = wish[name]

        def check(model, answer):
            if bad == "role":
                model.refused(answer, {(422, "invalid_field")})
                return
            session = model.open(wish, answer)
            if session:
                self._sessions[step["id"]] = session.id

        return self._write(step, "session-create", "POST", "/v1/sessions",
                           document, check,
                           ("pool_exhausted", "reference_in_use"))

    def _reference(self, place):
        return None if place is None else f"{self._name}-trip-{place}"

    def _wanted(self, place):
        if place is None:
            return None
        return (self._service.pool + ["+12020999999"])[
            min(place, len(self._service.pool))]

    def _path(self, step, tail=""):
        session = self._sessions.get(step["of"])
        return None if session is None else f"/v1/sessions/{session}{tail}"

    def _do_close(self, step):
        path = self._path(step, "/close")
        if path is None:
            return None
        session = self._sessions[step["of"]]
        document = {name: step[name] for name in ("linger", "voice")
                    if step[name] is not None}

        def check(model, answer):
            model.close(model.sessions[session], step["linger"], step["voice"],
                        answer)

        return self._write(step, "session-close", "POST", path,
                           document or None, check, ())

    def _do_change(self, step):
        path = self._path(step)
        if path is None:
            return None
        session = self._sessions[step["of"]]
        change = {"ttl": step["ttl"], "voice": step["voice"],
                  "text": step["text"], "expires_at": None,
                  "parties": [(role, self._phones[person])
                              for role, person in step["parties"]]}
        if step["until"] is not None:
            change["expires_at"] = self._play.now + step["until"]
        document = {name: change[name] for name in ("ttl", "voice", "text")
                    if change[name] is not None}
        if change["expires_at"]:
            document["expires_at"] = rfc3339(change["expires_at"])
        if change["parties"]:
            document["parties"] = [{"role": role, "phone": phone}
                                   for role, phone in change["parties"]]

        def check(model, answer):
            model.change(model.sessions[session], change, answer)

        return self._write(step, "session-update", "PATCH", path, document,
                           check, ())

    def _do_intent(self, step):
        path = self._path(step, "/intents")
        if path is None:
            return None
        session = self._sessions[step["of"]]

        def check(model, answer):
            model.announce(model.sessions[session], step["role"], answer)

        return self._write(step, "session-intent", "POST", path,
                           {"role": step["role"]}, check, ())

    def _do_get(self, step):
        path = self._path(step)
        if path is None:
            return None
        session = self._sessions[step["of"]]
        return Act(lambda: self._installation.send_api(
            "session-get", "GET", path, self._service.key),
            lambda model, answer: self._check_shown(model, session, answer))

    def _check_shown(self, model, session_id, answer):
        """I2: a session is shown with all that was acknowledged of it."""
        session = model.sessions[session_id]
        require(answer.status == 200, "the session is there", answer.brief())
        shown = answer.json()
        model.same(shown, session.json(model.now))
        rows = [{name: value for name, value in call.items() if name != "id"}
                for call in shown["calls"]]
        calls = [call for call in model.calls.values()
                 if call.session is session]
        for call in sorted(calls, key=lambda call: not call.sure):
            row = call.row()
            if row in rows:
                rows.remove(row)
            else:
                require(not call.sure, f"I2: a call {row}", rows)
        require(not rows or not all(call.sure for call in calls),
                "no other call", rows)

    def _do_list(self, step):
        reference = self._reference(step["reference"])
        status = step["status"]
        query = "limit=200" + (f"&status={status}" if status else "") + \
            (f"&reference={reference}" if reference else "")

        def check(model, answer):
            require(answer.status == 200, "a list", answer.brief())
            ours = {one["id"]: one for one in answer.json()["sessions"]
                    if one["id"] in model.sessions}
            wanted = {session.id: session for session in model.sessions.values()
                      if status in (None, session.status(model.now))
                      and reference in (None, session.reference)}
            require(ours.keys() == wanted.keys(),
                    f"the sessions {sorted(wanted)}", sorted(ours))
            for name, session in wanted.items():
                model.same(ours[name], session.json(model.now))

        return Act(lambda: self._installation.send_api(
            "session-get", "GET", "/v1/sessions", self._service.key,
            query=query), check)

    def _do_foreign(self, step):
        """Another service's key opens nothing."""
        path = self._path(step)
        if path is None or self._play.foreign_key == self._service.key:
            return None
        program, method, tail, document = {
            "get": ("session-get", "GET", "", None),
            "close": ("session-close", "POST", "/close", None),
            "change": ("session-update", "PATCH", "", {"ttl": 5}),
            "intent": ("session-intent", "POST", "/intents",
                       {"role": "driver"}),
        }[step["what"]]
        return self._unchanging(
            lambda: self._installation.send_api(
                program, method, path + tail, self._play.foreign_key, document),
            lambda model, answer: model.refused(answer, {(404, "not_found")}))

    def _do_forged(self, step):
        """A wrong signature or key: nothing changes, nothing is learned."""
        session = self.model.sessions.get(self._sessions.get(step["of"]))
        if session is None:
            return None
        caller = session.parties[0]
        fields = {"CallSid": self._play.new_call(), "From": caller.phone,
                  "To": caller.number, "Digits": caller.code,
                  "CallStatus": "completed"}
        forms = {"voice": ("voice-inbound", "/twilio/voice"),
                 "code": ("voice-code", "/twilio/voice/code"),
                 "status": ("status-callback", "/twilio/status")}
        if step["what"] in forms:
            program, path = forms[step["what"]]
            return self._unchanging(
                lambda: self._installation.send_form(program, path, fields,
                                                     token="0" * 32),
                lambda model, answer: model.refused(
                    answer, {(403, "signature_invalid")}))
        key = self._service.key[:-4] + "AAAA"
        path, program = ("/v1/sessions", "session-create") \
            if step["what"] == "open" else \
            (f"/v1/sessions/{session.id}/close", "session-close")
        return self._unchanging(
            lambda: self._installation.send_api(program, "POST", path, key, {}),
            lambda model, answer: model.refused(answer,
                                                {(401, "unauthorized")}))

    def _version(self):
        """Changes whenever anybody has changed the database."""
        return self._play.query("PRAGMA data_version")[0][0]

    def _unchanging(self, send, check):
        """An act that must not change one byte of the database."""
        if self._paired:
            return Act(send, check)
        before = []

        def first():
            before.append(self._version())
            return send()

        def then(model, answer):
            check(model, answer)
            require(before[-1] == self._version(),
                    "I3: the database as it was")

        return Act(first, then)

    # --- Calls.

    def _who(self, step):
        kind, *rest = step["caller"]
        if kind == "person":
            return self._phones[rest[0]]
        if kind == "withheld":
            return WITHHELD[rest[0]]
        if kind == "stranger":
            return self._stranger
        party = self._party(*rest)
        return party.phone if party else None

    def _where(self, place):
        kind, *rest = place
        if kind == "pool":
            return self._service.pool[rest[0] % len(self._service.pool)]
        if kind == "none":
            return "+12020999999"
        party = self._party(*rest)
        return party.number if party else None

    def _party(self, of, position):
        session = self.model.sessions.get(self._sessions.get(of))
        return session.parties[position] if session else None

    def _call_fields(self, sid, caller, number, **more):
        return {"CallSid": sid, "AccountSid": "AC" + "0" * 32,
                "ApiVersion": "2010-04-01", "Direction": "inbound",
                "From": caller, "To": number, "Caller": caller,
                "Called": number, "CallStatus": "ringing", **more}

    def _do_dial(self, step):
        caller, number = self._who(step), self._where(step["to"])
        if caller is None or number is None:
            return None
        sid = self._play.new_call()
        attestation = step["attestation"]
        fields = self._call_fields(
            sid, caller, number,
            **({"StirVerstat": attestation} if attestation else {}))
        self._calls[step["id"]] = sid, caller, number

        def check(model, answer):
            verdict = model.dial(caller, number, sid, attestation)
            self._check_words(verdict, answer)
            self._check_right(model, caller, number, answer)
            self._learn_reason(model.calls[sid], verdict)
            self._asked.setdefault(sid, verdict.action)

        return self._webhook(step, "voice-inbound", "/twilio/voice", fields,
                             check)

    def _webhook(self, step, program, path, fields, check):
        """A request of Twilio's that may be repeated: by Twilio, with the same
        token, or by nginx, with the same id."""
        turned, name = [False], f"{self._name}-step-{step['id']}"
        act = Act(lambda: self._installation.send_form(
            program, path, fields, once=name,
            request=None if turned[0] else name), check)
        act.turned, act.once = turned, None
        return act

    def _learn_reason(self, call, verdict):
        """Of several reasons, the one that was written down counts. In a pair
        it tells which of the two was first."""
        if (len(verdict.reasons) > 1 or self._paired) and \
                call.reason in verdict.reasons:
            rows = self._play.query("SELECT reason FROM call WHERE sid = ?",
                                    call.sid)
            require(rows and rows[0][0] in verdict.reasons,
                    f"I2: a call with one of {verdict.reasons}", rows)
            call.reason = rows[0][0]

    def _do_code(self, step):
        """Digits, typed by a caller who was asked for them."""
        if step["of"] not in self._calls:
            return None
        sid, caller, number = self._calls[step["of"]]
        call = self.model.calls.get(sid)
        if call is None or self._asked.get(sid) != "ask":
            return None
        digits = self._digits(step["code"], number)
        if digits is None or call.codes.get(digits, step["id"]) != step["id"]:
            return None           # the same digits twice: one guess or two?
        fields = self._call_fields(sid, caller, number, CallStatus="in-progress",
                                   Digits=digits, FinishedOnKey="")

        def check(model, answer):
            verdict = model.type_code(number, sid, digits)
            model.calls[sid].codes[digits] = step["id"]
            self._check_words(verdict, answer, typed=True)
            self._asked[sid] = verdict.action

        return self._webhook(step, "voice-code", "/twilio/voice/code", fields,
                             check)

    def _digits(self, code, number):
        kind, *rest = code
        if kind == "party":
            party = self._party(*rest)
            return party.code if party else None
        if kind == "odd":
            return rest[0]
        given = self.model.codes.get(number, ())
        chance = random.Random(rest[0])
        while (digits := f"{chance.randrange(1000000):06d}") in given:
            pass
        return digits

    def _check_words(self, verdict, answer, typed=False):
        """What a caller gets: TwiML, at once (I5), and the right one."""
        require(answer.status == 200 and
                answer.headers["content-type"].startswith(TWIML),
                "I5: TwiML", answer.brief())
        require(answer.seconds < SLOWEST, "I5: an answer in time",
                f"{answer.seconds:.1f} s")
        root = answer.twiml()
        require(root.tag == "Response", "I5: TwiML", answer.brief())
        verbs = [verb.tag for verb in root]
        wanted = {"connect": ["Dial"], "forward": ["Dial"],
                  "ask": ["Gather", "Say", "Hangup"],
                  "refuse": ["Say", "Hangup"]}[verdict.action]
        require(verbs == wanted, f"{verdict.action} ({verdict.reasons})",
                answer.brief())
        if verbs == ["Dial"]:
            self._check_dial(verdict, root[0], answer)
        if verbs[0] == "Gather":
            require(root[0].get("action") ==
                    bench.PUBLIC_URL + "/twilio/voice/code",
                    "the code to be sent to us", answer.brief())
        if verbs[0] == "Say" and typed:
            self._play.no_code = self._play.no_code or root[0].text
            require(root[0].text == self._play.no_code,
                    "the same words for every code", answer.brief())

    def _check_dial(self, verdict, dial, answer):
        number = dial.find("Number")
        require(len(dial) == 1 and number is not None, "one Number",
                answer.brief())
        require(number.text == verdict.to,
                f"I1: {verdict.to} to be rung", answer.brief())
        require(dial.get("callerId") == verdict.shown,
                f"{verdict.shown} to be shown", answer.brief())
        require(dial.get("timeLimit") == str(verdict.limit),
                f"a limit of {verdict.limit} s", answer.brief())
        require(dial.get("answerOnBridge") == "true" and dial.get("action") ==
                bench.PUBLIC_URL + "/twilio/voice/ended", "the Dial",
                answer.brief())
        screened = self._service.settings["screening"] and \
            verdict.action == "connect"
        require((number.get("url") == bench.PUBLIC_URL + "/twilio/voice/screen")
                == bool(screened), "screening as set", answer.brief())

    def _check_right(self, model, caller, number, answer):
        """I1 once more, in the words of the invariant and by nothing but the
        sessions: whoever is rung is the counterpart of a session that is live
        for this caller at this number, and sees a number of that session."""
        dial = answer.twiml().find("Dial")
        if dial is None or dial.find("Number").text == SUPPORT \
                or caller in WITHHELD:
            return
        for session in model.sessions.values():
            if session.status(model.now) not in ("open", "lingering"):
                continue
            for party in session.parties:
                other = session.other(party)
                if (party.phone, party.number) == (caller, number) and \
                        (other.phone, other.number) == (
                            dial.find("Number").text, dial.get("callerId")):
                    return
        raise Difference("I1: nobody is rung but the counterpart of a live "
                         f"session; {answer.brief()}")

    def _check_route(self, phone, number):
        model = self.model
        verdict = model.decide(phone, number, None, "")
        answer = self._installation.send_api(
            "routes", "GET", "/v1/routes", self._service.admin_key,
            query=f"from=%2B{phone[1:]}&to=%2B{number[1:]}").answer()
        self._play.counts["(probe)"] += 1
        require(answer.status == 200, "an explanation", answer.brief())
        shown = answer.json()
        action = "ask_code" if verdict.action == "ask" else verdict.action
        told = f"{action} of {phone} at {number} ({verdict.reasons})"
        if shown["action"] != action or shown["reason"] not in verdict.reasons:
            rung = "connect" in (shown["action"], action)
            raise Difference(f"{'I1: ' if rung else ''}{told}; "
                             + answer.brief())
        if verdict.action != "connect":
            return
        wanted = {"session": verdict.session.id, "caller": verdict.party.id,
                  "callee": verdict.session.other(verdict.party).id,
                  "shown": verdict.shown, "limit": verdict.limit}
        for name, value in wanted.items():
            require(shown[name] == value, f"I1: {told}, {name} {value}",
                    answer.brief())

    def _do_repeat(self, step):
        """The same request once more: it changes nothing."""
        act = self._acts.get(step["of"])
        if act is None or act.once and self.model.now > act.kept_until:
            return None
        act.turned[0] = step.get("turned", False)
        kept = act.once in self.model.kept if act.once else \
            step["of"] in self._calls
        return self._unchanging(act.send, act.check) if kept else act

    def _do_screened(self, step):
        """The callee presses a key."""
        if not self._service.settings["screening"] or \
                step["of"] not in self._calls:
            return None
        call = self.model.calls.get(self._calls[step["of"]][0])
        if call is None or not call.reason.startswith("connected"):
            return None
        callee = call.session.other(call.party) \
            if call.party in call.session.parties else None
        if callee is None:
            return None
        fields = self._call_fields(
            self._play.new_call(), callee.number, callee.phone,
            ParentCallSid=call.sid, Digits=step["keys"],
            CallStatus="in-progress", Direction="outbound-dial")
        place = callee.number, callee.phone

        def check(model, answer):
            require(answer.status == 200, "TwiML", answer.brief())
            verbs = [verb.tag for verb in answer.twiml()]
            require("Dial" not in verbs and (verbs == []) ==
                    (step["keys"] == "1"), "to be put through by 1 alone",
                    answer.brief())
            if step["keys"] == "9":
                model.dispute(*place)

        return self._webhook(step, "voice-screen", "/twilio/voice/screened",
                             fields, check)

    def _do_report(self, step):
        """Reports on a call, in any order, some of them twice."""
        if step["of"] not in self._calls:
            return None
        sid, caller, number = self._calls[step["of"]]
        call = self.model.calls.get(sid)
        if call is None or call.number not in self.model.numbers:
            return None
        outcome = getattr(call, "outcome", None) or step["outcome"]
        call.outcome = outcome
        rang = self._rang(call)
        for kind in step["kinds"]:
            if kind != "own" and not rang:
                continue
            if kind == "answered" and outcome != "completed":
                continue
            self._report(call, kind, outcome, rang)
        return True

    def _rang(self, call):
        """Who was rung by a call, and from which number; None: nobody."""
        if call.reason.startswith("connected") and \
                call.party in call.session.parties:
            other = call.session.other(call.party)
            return other.phone, other.number
        return None

    def _report(self, call, kind, outcome, rang):
        talk = 7 if outcome == "completed" else None
        after = {"initiated": 0, "ringing": 1, "answered": 4, "final": 11,
                 "own": 12}.get(kind)
        at = self._play.now if after is None else call.started_at + after
        stamp = email.utils.format_datetime(
            email.utils.datetime.datetime.fromtimestamp(
                at, email.utils.datetime.timezone.utc))
        leg = "CA" + "f" + call.sid[3:]
        if kind == "ended":
            fields = self._call_fields(call.sid, call.caller, call.number,
                                       CallStatus="in-progress",
                                       DialCallSid=leg, DialCallStatus=outcome)
            if talk:
                fields["DialCallDuration"] = str(talk)
            program, path = "voice-ended", "/twilio/voice/ended"
        else:
            status = {"answered": "in-progress", "final": outcome,
                      "own": "completed"}.get(kind, kind)
            sequence = {"ringing": 1, "answered": 2, "final": 3}.get(kind, 0)
            fields = self._call_fields(
                call.sid, call.caller, call.number, CallStatus=status,
                SequenceNumber=str(sequence), Timestamp=stamp,
                CallbackSource="call-progress-events")
            if kind != "own":
                fields.update(CallSid=leg, ParentCallSid=call.sid,
                              From=rang[1], To=rang[0],
                              Direction="outbound-dial")
            if kind == "final":
                fields["CallDuration"] = str(talk or 0)
                talk = talk or 0
            if kind == "own":
                fields["CallDuration"] = "12"
            program, path = "status-callback", "/twilio/status"
        answer = self._installation.send_form(program, path, fields).answer()
        self._note({"op": "report", "id": 0, "of": call.sid, "kind": kind,
                    "outcome": outcome}, answer)
        require(answer.status == 200, "I2: the report taken", answer.brief())
        answer.twiml()
        self.model.report(call, kind, outcome, at, talk)

    # --- Time and numbers.

    def _do_advance(self, step):
        now = self._play.now
        if "by" in step:
            target = now + step["by"]
        else:
            session = self.model.sessions.get(self._sessions.get(step["of"]))
            if session is None:
                return None
            target = session.end() + step["offset"] + {
                "end": 0, "hold": self._service.settings["hold"],
                "reuse": self._service.settings["reuse-after"]}[step["to"]]
        if not now < target < now + 3 * DAY:
            return None
        self._play.set_clock(target)
        self.model.now = target
        self.story.append(f"{self._words(step)}: {target - now} s pass, "
                          f"it is {rfc3339(target)}")
        return True

    def _do_back(self, step):
        """The clock is set back a little."""
        target = self._play.now - step["by"]
        self._play.set_clock(target)
        self.model.now = target
        self.story.append(f"{self._words(step)}: the clock is set back")
        return True

    def _do_number(self, step):
        number = self._service.pool[step["which"] % len(self._service.pool)]
        self._set_state(number, step["state"])
        self.story.append(f"{self._words(step)}: {number}")
        return True

    def _set_state(self, number, state):
        self._installation.callmask("-s", self._service.name, "number", "set",
                                    state, number)
        self._service.states[number] = state
        self.model.numbers[number].state = state

    # --- The records.

    def _check_records(self):
        """I2 and I3 in the database: every call is there, once; events tell of
        everything, once; no event number is missing."""
        model = self.model
        for call in model.calls.values():
            rows = self._play.query(
                "SELECT id, reason, status, session_id FROM call WHERE sid = ?",
                call.sid)
            require(len(rows) == 1, "I2: the call is written down", call.sid)
            name, reason, _, session = rows[0]
            if call.sure:
                require(reason == call.reason and session == (
                    call.session.id if call.session else None),
                        f"I2: a call with {call.reason}", rows)
            ends = self._play.query(
                "SELECT count(*) FROM event WHERE subject_id = ? AND "
                "type = 'call.ended'", name)[0][0]
            require(ends <= 1, "I3: a call ends once", call.sid)
            if call.reason.startswith("connected") and (
                    call.leg in ("completed", "busy", "failed", "no-answer",
                                 "canceled")
                    or call.leg is None and call.ended_at is not None):
                require(ends == 1, "I2: call.ended is told", vars(call))
        for session in model.sessions.values():
            counts = dict(self._play.query(
                "SELECT type, count(*) FROM event WHERE session_id = ? "
                "GROUP BY type", session.id))
            require(counts.get("session.opened") == 1,
                    "I3: a session is opened once", counts)
            require(counts.get("session.expired", 0) ==
                    (1 if session.expired else 0), "session.expired", counts)
            parties = self._play.query(
                "SELECT id FROM party WHERE session_id = ?", session.id)
            require({row[0] for row in parties} == {
                party.id for party in session.parties + session.former},
                    "I2: all parties", parties)
        usage = dict(self._play.query(
            "SELECT day, seconds FROM usage u JOIN service s "
            "ON s.id = u.service_id WHERE s.name = ?", self._service.name))
        require(usage == model.talked, f"I2: talk of {model.talked} seconds",
                usage)
        events = self._play.query(
            "SELECT count(*), max(seq), min(seq), event_seq FROM event e "
            "JOIN service s ON s.id = e.service_id WHERE s.name = ?",
            self._service.name)[0]
        require(events[0] == (events[1] or 0) == (events[3] or 0),
                "events without gaps", events)
