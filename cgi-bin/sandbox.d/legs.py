"""Legs and calls. A leg is one line between Twilio and a phone; a call is its
first leg, the legs dialled from it, and one clock for all of them.

A leg has one state, which never leaves a final one, and tells the application
of its progress by callbacks. Whoever changes a leg holds the lock of its call's
clock; the thread that plays TwiML on it learns of the change when it waits."""

import collections
import contextlib
import dataclasses
import math
import sys
import threading
import time
import traceback

import ground
import phones

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
API_VERSION = "2010-04-01"


class LegEnded(Exception):
    """The leg that was waited on has ended."""


class Redirected(Exception):
    """The REST API gave the leg another document to play."""

    def __init__(self, source):
        super().__init__()
        self.source = source


class Progress:
    """Who wants to hear of a leg's progress, and of which events. Counts the
    callbacks as it fires them: SequenceNumber (docs:voice/api/call-resource,
    StatusCallback)."""

    def __init__(self, url, method="POST", events=("completed",)):
        self.url, self.method, self.events = url, method, frozenset(events)
        self.fired = 0


class Courier:
    """Delivers callbacks in the background, one after the other."""

    def __init__(self, deliver, tally):
        self._deliver = deliver
        self._tally = tally
        self._letters = collections.deque()
        self._lock = threading.Lock()
        self._busy = False

    def post(self, letter):
        """Hand over one callback."""
        self._tally.begin()
        with self._lock:
            self._letters.append(letter)
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            with self._lock:
                if not self._letters:
                    self._busy = False
                    return
                letter = self._letters.popleft()
            try:
                self._deliver(*letter)
            except Exception:                 # a fault of the sandbox itself
                traceback.print_exc(file=sys.stderr)
            finally:
                self._tally.end()


class Chaos:
    """What the network does to one call's callbacks. Twilio promises neither
    order nor single delivery (docs:voice/api/call-resource)."""

    def __init__(self, duplicate=False, reverse=False, drop=False):
        self.duplicate, self.reverse, self.drop = duplicate, reverse, drop


class Call:
    """All legs of one call. `connected` says whether two people ever talked."""

    def __init__(self, exchange, chaos=None, callee_settings=None):
        self.exchange = exchange
        self.clock = ground.Clock(exchange.speed)
        self.tally = ground.Tally(exchange.tally)
        self.legs = []
        self.connected = False
        self._chaos = chaos or Chaos()
        self._callee_settings = callee_settings or {}
        self._held = []

    @property
    def first(self):
        """The leg the call began with."""
        return self.legs[0]

    def callee_phone(self, number):
        """The phone to ring at a number, as this call wants it to behave."""
        phone = self.exchange.phones.find(number)
        return dataclasses.replace(phone, **self._callee_settings)

    def leg_of(self, number):
        """The living leg of the phone with this number, or None."""
        return next((leg for leg in self.legs
                     if leg.phone.number == number and not leg.ended), None)

    def note(self, kind, text, leg=None, **more):
        """Put something in the transcript, as done by the phone of `leg`."""
        if leg:
            more |= {"leg": leg.sid, "phone": leg.phone.number,
                     "name": leg.phone.name}
        self.exchange.transcript.add(kind, text, call=self.first.sid, **more)

    def post(self, courier, letter):
        """Send a callback as the network would."""
        if self._chaos.drop:
            return
        letters = [letter] * (2 if self._chaos.duplicate else 1)
        if self._chaos.reverse:
            self._held += letters
            return
        for each in letters:
            courier.post(each)

    def close(self):
        """The call is over: send what was held back, last first."""
        for letter in reversed(self._held):
            self.first.courier.post(letter)
        self._held = []


class Leg:
    """One line between Twilio and a phone."""

    def __init__(self, call, direction, caller, callee, phone, progress=None,
                 extra=None):
        self.call = call
        self.sid = ground.new_sid("CA")
        self.direction = direction
        self.caller = caller              # From, as Twilio and the callee see it
        self.callee = callee              # To
        self.phone = phone
        self.parent = call.first if call.legs else None
        self.status = "ringing" if direction == "inbound" else "queued"
        self.heard = []
        self.keys = collections.deque()   # pressed and not yet taken
        self.plan = collections.deque(phone.digits)
        self.redirectable = False         # plays documents that may be replaced
        self.redirect = None              # a document given by the REST API
        self.created_at = time.time()
        self.answered_at = None
        self.ended_at = None
        self.duration = 0                 # whole simulated seconds, when ended
        self.sip = None
        self.extra = extra or {}          # fields of its document requests only
        self.courier = Courier(call.exchange.deliver_callback, call.tally)
        self._progress = progress
        self._answered = None             # on the call's clock
        call.legs.append(self)
        call.exchange.keep_leg(self)

    @property
    def ended(self):
        """Whether the leg is in a final state."""
        return self.status in FINAL

    @property
    def answered(self):
        """Whether somebody picked up, or Twilio did."""
        return self._answered is not None

    def seconds(self):
        """How long the line has been up, in whole simulated seconds."""
        if self.ended or not self.answered:
            return self.duration
        return round(self.call.clock.now() - self._answered)

    def fields(self):
        """The usual parameters of every request about this leg
        (docs:voice/twiml, "Twilio's request to your application")."""
        fields = {
            "CallSid": self.sid, "AccountSid": self.call.exchange.account_sid,
            "From": self.caller, "To": self.callee,
            "Caller": self.caller, "Called": self.callee,
            "CallStatus": self.status, "Direction": self.direction,
            "ApiVersion": API_VERSION,
        }
        for side in ("From", "To", "Caller", "Called"):
            for part in ("City", "State", "Zip", "Country"):
                fields[side + part] = ""
        if self.parent:
            fields["ParentCallSid"] = self.parent.sid
        return fields

    # What happens to a leg.

    def initiate(self):
        """Twilio starts to call the phone."""
        with self.call.clock.changed:
            self.status = "initiated"
            self._fire("initiated")

    def ring(self, seconds):
        """Call the phone for at most `seconds` and return when it is answered;
        raises LegEnded if it is not."""
        behaviour = phones.BEHAVIOURS[self.phone.behaviour]
        if behaviour.rings:
            self._start_ringing()
        decides = self.phone.decides_after()
        with (self.call.clock.at_real_pace() if self.phone.by_hand()
              else contextlib.nullcontext()):
            if self.wait(min(decides, seconds), lambda: self.answered):
                return
        if decides >= seconds:
            self.end("no-answer", 487)
        elif behaviour.verdict == "in-progress":
            self.answer()
        else:
            self.decline(behaviour.verdict, behaviour.sip)
        self.check()

    def _start_ringing(self):
        with self.call.clock.changed:
            self.check()
            self.status = "ringing"
            self.call.note("shows", self.caller, self)
            self.call.note("rings", "rings", self)
            self._fire("ringing")

    def answer(self):
        """The phone is picked up; for the first leg of an inbound call, by
        Twilio. Nothing happens to a leg that is answered or has ended."""
        with self.call.clock.changed:
            if self.answered or self.ended:
                return
            self.status = "in-progress"
            self.answered_at = time.time()
            self._answered = self.call.clock.now()
            if self.direction != "inbound":
                self.call.note("answers", "answers", self)
            self._fire("answered")
            self.call.clock.changed.notify_all()

    def decline(self, status="busy", sip=603):
        """The phone, or the network in its place, refuses the call."""
        with self.call.clock.changed:
            if self.ended:
                return
            if self.status == "ringing":
                self.call.note("declines", "declines", self)
            self.end(status, sip)

    def hang_up(self):
        """The person puts the phone down."""
        with self.call.clock.changed:
            if not self.ended:
                self.call.note("hangs_up", "hangs up", self)
                self.end("no-answer", 487)

    def fail(self):
        """End the leg as failed, though it may be answered."""
        with self.call.clock.changed:
            self.end("failed", to_answered="failed")

    def end(self, status, sip=None, to_answered="completed"):
        """Bring the leg to its final state: `to_answered` if it was answered,
        else `status`. Nothing happens to a leg that has ended."""
        with self.call.clock.changed:
            if self.ended:
                return
            if self.answered:
                self.duration = self.seconds()
                status, sip = to_answered, 200
            self.status, self.sip = status, sip
            self.ended_at = time.time()
            self.call.note("ended", f"{status} after {self.duration} s", self,
                           status=status, duration=self.duration)
            self._fire("completed")
            self.call.clock.changed.notify_all()

    def hear(self, text):
        """The person hears something."""
        with self.call.clock.changed:
            self.heard.append(text)
            self.call.note("hears", text, self)

    def press(self, keys):
        """The person presses keys."""
        with self.call.clock.changed:
            self.keys.extend(keys)
            self.call.note("presses", keys, self)
            self.call.clock.changed.notify_all()

    def limit(self, seconds):
        """End the leg this long after it was answered."""
        def watch():
            until = self._answered + seconds
            if not self.call.clock.wait(until, lambda: self.ended):
                self.call.note("warning", f"the time limit of {seconds} s is "
                               "over", self)
                self.end("completed")

        threading.Thread(target=watch, daemon=True).start()

    def redirect_to(self, source):
        """Give the leg another document to play."""
        with self.call.clock.changed:
            self.redirect = source
            self.call.clock.changed.notify_all()

    # What the thread that plays it asks.

    def check(self):
        """Raise LegEnded or Redirected if the leg is no longer ours."""
        with self.call.clock.changed:
            if self.ended:
                raise LegEnded
            if self.redirect:
                source, self.redirect = self.redirect, None
                raise Redirected(source)

    def wait(self, seconds, happened=lambda: False):
        """Wait until `happened()` holds or the time is up; say whether it
        holds. Raises like check()."""
        clock = self.call.clock
        with clock.changed:
            clock.wait(clock.now() + seconds,
                       lambda: self.ended or self.redirect or happened())
            self.check()
            return happened()

    def _fire(self, event):
        """Send the callback for an event, if somebody asked for it."""
        progress = self._progress
        if not progress or event not in progress.events:
            return
        fields = self.fields() | {
            "Timestamp": ground.rfc2822(time.time()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(progress.fired),
        }
        if event == "completed":
            fields |= {"CallDuration": str(self.duration),
                       "Duration": str(math.ceil(self.duration / 60))}
            if self.sip:
                fields["SipResponseCode"] = str(self.sip)
        progress.fired += 1
        self.call.post(self.courier, (self.call.first.sid, progress.method,
                                      progress.url, fields))
