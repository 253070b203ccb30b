"""The Dial verb: rings one or several phones, lets the first that is picked up
and passes its own document talk to the caller, and tells the action how it
went. Sources: docs:voice/twiml/dial, docs:voice/twiml/number."""

import math

import ground
import legs
import twiml

NOUN_LIMIT = 10               # docs:voice/twiml/number
EXTRA_RINGING = 5             # Twilio adds these to every timeout
RESULTS = ("completed", "no-answer", "busy", "canceled", "failed")


class Dial:
    """One Dial, from the first ring until the last leg it made has ended."""

    def __init__(self, script, verb):
        self._script = script
        self._verb = verb
        self._leg = script.leg
        self._call = script.call
        self._legs = []           # those dialled
        self._winner = None       # the one that talks, or talked
        self._recording = {}

    def run(self):
        """Carry out the verb; return the Source that follows, or None."""
        shown = self._caller_id()
        self._leg.keys.clear()
        if not self._verb.flag("answerOnBridge"):
            self._leg.answer()
        try:
            self._connect(shown)
        except legs.LegEnded:
            self._script.report(self._action())
            raise
        if not self._leg.answered:
            self._script.outcome = self._result()["DialCallStatus"]
        return self._action()

    def _connect(self, shown):
        """Ring, talk, and leave no leg behind."""
        nouns = self._nouns()
        together = not self._verb.flag("sequential")
        try:
            for group in [nouns] if together else [[noun] for noun in nouns]:
                self._ring(group, shown)
                if self._winner:
                    self._talk()
                if self._winner or self._star_pressed():
                    break
        finally:
            self._end_all()

    def _caller_id(self):
        """What the callee sees. Without callerId that is the person on the
        first leg: the leak that masking must not have."""
        leg, given = self._leg, self._verb.get("callerId")
        if given is None:
            person = leg.caller if leg.direction == "inbound" else leg.callee
            self._warn(None, "no callerId: the callee sees the real caller, "
                             f"{person}")
            return person
        nouns = {noun.name for noun in self._verb.children}
        off_network = nouns and nouns <= {"Client", "Sip"}
        if off_network and not ground.is_e164(given):
            return given
        if given in (leg.caller, leg.callee) or self._call.exchange.owns(given):
            return given
        raise twiml.TwimlError(
            13214, f"callerId {given} is neither a number of the account nor "
                   "this call's From or To")

    def _nouns(self):
        """What to dial. A bare number counts as a Number noun."""
        nouns = self._verb.children
        if not nouns:
            nouns = [twiml.Element("Number", {}, [self._verb.text()])]
        if len(nouns) > NOUN_LIMIT:
            self._warn(12200, f"<Dial> takes at most {NOUN_LIMIT} nouns")
        return [noun for noun in nouns[:NOUN_LIMIT] if self._is_valid(noun)]

    def _is_valid(self, noun):
        if noun.name != "Number" or ground.is_e164(noun.text()):
            return True
        self._call.note("error", f"13224: no phone number: {noun.text()!r}",
                        self._leg, code=13224)
        return False

    # Ringing.

    def _ring(self, nouns, shown):
        """Ring these together until one wins or all have ended."""
        group = []
        for noun in nouns:
            source = self._script.callee_source(noun)
            group.append(self._dialled(noun, shown))
            self._call.tally.in_background(
                self._follow, group[-1], noun, source)
        self._leg.wait(math.inf, lambda: (
            self._winner or all(leg.ended for leg in group)
            or self._star_pressed()))
        for leg in group:
            if leg is not self._winner:
                self._give_up(leg)

    def _dialled(self, noun, shown):
        """The new leg for a noun."""
        callee = _address(noun)
        leg = legs.Leg(self._call, "outbound-dial", shown, callee,
                       self._call.callee_phone(callee),
                       self._progress(noun))
        self._legs.append(leg)
        leg.initiate()
        return leg

    def _progress(self, noun):
        url = noun.get("statusCallback")
        if not url:
            return None
        return legs.Progress(
            self._script.resolve(url), noun.get("statusCallbackMethod", "POST"),
            noun.get("statusCallbackEvent", "completed").split())

    def _follow(self, leg, noun, source):
        """Follow one leg until it wins or ends. Its own document, if any, is
        played to it before the bridge, while the others ring on."""
        try:
            if self._call.exchange.owns(leg.callee):
                self._warn(None, f"{leg.callee} is a Twilio number; the "
                                 "sandbox does not call itself")
                leg.end("failed", 404)
            leg.check()
            leg.ring(self._verb.number("timeout", 30) + EXTRA_RINGING)
            if noun.get("sendDigits"):
                leg.hear(f"[tones {noun.get('sendDigits')}]")
            if source:
                self._script.play_to_callee(leg, source)
            with self._call.clock.changed:
                leg.check()
                self._winner = self._winner or leg
                self._call.clock.changed.notify_all()
        except legs.LegEnded:
            pass
        except Exception:                     # a fault of the sandbox itself
            leg.fail()
            raise

    def _give_up(self, leg):
        """End a leg that did not win. Only the REST API and the caller's star
        cancel; else a phone that rang in vain was not answered
        (help.twilio.com 223132547)."""
        leg.end("canceled" if self._star_pressed() else "no-answer", 487)

    def _end_all(self):
        for leg in self._legs:
            self._give_up(leg)

    def _star_pressed(self):
        """docs:voice/twiml/dial, hangupOnStar: only the caller's counts."""
        return self._verb.flag("hangupOnStar") and "*" in self._leg.keys

    # Talking.

    def _talk(self):
        """Bridge the two until somebody hangs up or the time limit comes. Who
        is set to speak less hangs up; of two alike, the callee."""
        caller, callee = self._leg, self._winner
        caller.answer()
        self._call.connected = True
        self._call.note("connected", f"talks with {callee.callee}", caller,
                        other=callee.phone.number)
        recording = self._begin_recording()
        limit = self._verb.number("timeLimit", 14_400)
        patience = min(caller.phone.patience(), callee.phone.patience())
        try:
            if caller.wait(min(patience, limit),
                           lambda: callee.ended or self._star_pressed()):
                return
            if limit < patience:
                self._warn(None, f"the time limit of {limit} s is over")
            elif callee.phone.patience() == patience:
                callee.hang_up()
            else:
                caller.hang_up()
                caller.check()
        finally:
            self._give_up(callee)
            if recording:
                self._recording = self._script.end_recording(
                    self._verb, recording, callee.duration)

    def _begin_recording(self):
        """docs:voice/twiml/dial, record. The sound itself is left out."""
        wish = self._verb.get("record", "false")
        if wish in ("false", "do-not-record"):
            return None
        return self._script.begin_recording(self._verb, "DialVerb")

    # The end.

    def _action(self):
        return self._script.follow(self._verb, self._result())

    def _result(self):
        """The fields that tell the action how it went (docs:voice/twiml/dial,
        action). A callee who left its own document early counts as completed
        and not bridged."""
        leg = self._winner or min(
            self._legs, key=lambda leg: RESULTS.index(leg.status), default=None)
        told = {"DialCallStatus": leg.status if leg else "failed"}
        if leg:
            told |= {"DialCallSid": leg.sid,
                     "DialCallDuration": str(leg.duration)}
        told["DialBridged"] = "true" if self._winner else "false"
        if self._recording:
            told["RecordingUrl"] = self._recording["RecordingUrl"]
        return told

    def _warn(self, code, text):
        prefix = f"{code}: " if code else ""
        self._call.note("warning", prefix + text, self._leg, code=code)


def _address(noun):
    """The To of a noun: a number, client:name or sip:…"""
    if noun.name != "Client":
        return noun.text()
    names = [part.text() for part in noun.children if part.name == "Identity"]
    return "client:" + (names[0] if names else noun.text())
