"""The account and the network around it: the numbers it owns, the legs and
recordings it keeps, and how a call begins."""

import collections
import sys
import threading
import time
import traceback

import dial
import ground
import legs
import phones
import voice
import webhook

LEGS_KEPT = 10_000            # ended ones, and recordings
REQUESTS_KEPT = 1_000         # of the REST API, one of each shape


class NotOwned(Exception):
    """The number dialled or texted is not one of the account's."""


class OwnedNumber:
    """A Twilio number of the account. `settings` holds what the REST API may
    change, under its names there (docs:phone-numbers/api)."""

    TEXTS = ("friendly_name", "voice_url", "voice_fallback_url", "sms_url",
             "sms_fallback_url", "status_callback", "trunk_sid",
             "voice_application_sid", "sms_application_sid", "address_sid",
             "bundle_sid", "identity_sid", "emergency_address_sid")
    METHODS = ("voice_method", "voice_fallback_method", "sms_method",
               "sms_fallback_method", "status_callback_method")

    def __init__(self, number, **settings):
        self.sid = ground.new_sid("PN")
        self.number = number
        self.created_at = self.updated_at = time.time()
        self.settings = dict.fromkeys(self.TEXTS, "")
        self.settings |= dict.fromkeys(self.METHODS, "POST")
        self.settings |= {"friendly_name": number, **settings}

    def change(self, settings):
        """Take new settings."""
        self.settings |= settings
        self.updated_at = time.time()

    def __getitem__(self, name):
        return self.settings[name]


class Exchange:
    """Everything there is: one account and the phones around it."""

    def __init__(self, sender, notes, speed=1.0):
        self.sender = sender
        self.transcript = notes
        self.speed = speed
        self.account_sid = sender.account_sid
        self.phones = phones.PhoneBook()
        self.tally = ground.Tally()
        self.answers_lost = 0                      # of the REST API, to come
        self._numbers = {}                         # by number
        self._legs = collections.OrderedDict()     # by sid
        self._recordings = collections.OrderedDict()
        self._requests = {}                        # by shape
        self._lock = threading.Lock()
        self.created_at = time.time()

    def loses_answer(self):
        """Whether the answer to a request, done as asked, gets lost."""
        with self._lock:
            lost = self.answers_lost > 0
            self.answers_lost -= lost
        return lost

    # The account's numbers.

    def buy(self, number, **settings):
        """Make a number the account's. It must not be already."""
        owned = OwnedNumber(number, **settings)
        with self._lock:
            self._numbers[number] = owned
        return owned

    def release(self, owned):
        """Give a number back."""
        with self._lock:
            self._numbers.pop(owned.number, None)

    def owns(self, number):
        """Whether a number is the account's."""
        with self._lock:
            return number in self._numbers

    def owned(self, number):
        """An owned number; raises NotOwned."""
        with self._lock:
            if number not in self._numbers:
                raise NotOwned(f"{number} is not a number of the account")
            return self._numbers[number]

    def numbers(self):
        """All owned numbers, in the order they were bought."""
        with self._lock:
            return list(self._numbers.values())

    # What the REST API was asked.

    def note_request(self, shape, request):
        """Remember a request, if it is the first of its shape."""
        with self._lock:
            if len(self._requests) < REQUESTS_KEPT:
                self._requests.setdefault(shape, request)

    def requests(self):
        """One request of each shape."""
        with self._lock:
            return list(self._requests.values())

    # Legs and recordings.

    def keep_leg(self, leg):
        """Remember a leg; forget the oldest when there are too many."""
        with self._lock:
            self._legs[leg.sid] = leg
            if len(self._legs) > LEGS_KEPT:
                oldest = next((old for old in self._legs.values() if old.ended),
                              leg)
                del self._legs[oldest.sid]

    def leg(self, sid):
        """The leg with this identifier, or None."""
        with self._lock:
            return self._legs.get(sid)

    def all_legs(self):
        """All legs, newest first."""
        with self._lock:
            return list(reversed(self._legs.values()))

    def forget_leg(self, leg):
        """Erase a leg's record."""
        with self._lock:
            self._legs.pop(leg.sid, None)

    def keep_recording(self, leg, source, channels=1):
        """Remember a recording (of silence) of a leg, which begins now."""
        recording = {"sid": ground.new_sid("RE"), "call_sid": leg.sid,
                     "duration": -1, "source": source, "channels": channels,
                     "status": "in-progress", "created_at": time.time()}
        with self._lock:
            self._recordings[recording["sid"]] = recording
            if len(self._recordings) > LEGS_KEPT:
                self._recordings.popitem(last=False)
        return recording

    def recording(self, sid):
        """The recording with this identifier, or None."""
        with self._lock:
            return self._recordings.get(sid)

    def forget_recording(self, sid):
        """Erase a recording."""
        with self._lock:
            self._recordings.pop(sid, None)

    def recording_url(self, recording):
        """Where Twilio says the recording is."""
        return (f"https://api.twilio.com/{legs.API_VERSION}/Accounts/"
                f"{self.account_sid}/Recordings/{recording['sid']}")

    def deliver_callback(self, about, method, url, fields, service="voice"):
        """Request a callback URL; the answer matters only if it is an error
        (docs:voice/api/call-resource, StatusCallback)."""
        try:
            self.sender.send(service, method, url, fields, about)
        except webhook.Failure as failure:
            self.transcript.add(
                "error", f"{failure.code}: callback: {failure.text}",
                call=about, code=failure.code)

    # How calls begin.

    def dial(self, phone, callee, shown, digits=None, stir=None, chaos=None,
             callee_settings=None):
        """A phone dials one of the account's numbers and shows `shown` as
        caller; the phones that ring have `callee_settings` for this call.
        Returns the Call, which goes on by itself; raises NotOwned."""
        owned = self.owned(callee)
        progress = None
        if owned["status_callback"]:
            progress = legs.Progress(owned["status_callback"],
                                     owned["status_callback_method"])
        call = legs.Call(self, chaos, callee_settings)
        leg = legs.Leg(call, "inbound", shown, callee, phone, progress,
                       {"StirVerstat": stir} if stir else None)
        if digits is not None:
            leg.plan = collections.deque(digits)
        call.note("dials", callee, leg)
        call.tally.in_background(self._run, leg, self._play_inbound, owned)
        return call

    def originate(self, caller, callee, source, progress, timeout, limit):
        """The REST API calls a phone (docs:voice/api/call-resource)."""
        call = legs.Call(self)
        leg = legs.Leg(call, "outbound-api", caller, callee,
                       self.phones.find(callee), progress)
        self.transcript.add("dials", callee, call=leg.sid, phone=None,
                            name="the REST API")
        call.tally.in_background(
            self._run, leg, self._play_outbound, source, timeout, limit)
        return call

    def _play_inbound(self, leg, owned):
        if owned["trunk_sid"] or owned["voice_application_sid"]:
            leg.call.note("warning", "TrunkSid or VoiceApplicationSid makes "
                          "VoiceUrl ineffective", leg)
            return leg.fail()
        fallback = None
        if owned["voice_fallback_url"]:
            fallback = voice.Source(owned["voice_fallback_url"],
                                    owned["voice_fallback_method"])
        script = voice.Script(leg, fallback=fallback)
        script.play(voice.Source(owned["voice_url"], owned["voice_method"]))
        script.finish()

    def _play_outbound(self, leg, source, timeout, limit):
        leg.initiate()
        leg.check()
        if self.owns(leg.callee):
            leg.call.note("warning", "a Twilio number; the sandbox does not "
                          "call itself", leg)
            return leg.end("failed", 404)
        leg.ring(timeout + dial.EXTRA_RINGING)
        if limit:
            leg.limit(limit)
        script = voice.Script(leg)
        script.play(source)
        script.finish()

    def _run(self, leg, play, *arguments):
        """Play a call from its first leg to the end, whatever happens."""
        try:
            play(leg, *arguments)
        except legs.LegEnded:
            pass
        except Exception:                     # a fault of the sandbox itself
            traceback.print_exc(file=sys.stderr)
            leg.call.note("error", "the sandbox failed; see its log", leg)
        finally:
            leg.fail()
            leg.call.close()
