"""Plays TwiML on one leg: fetches a document, carries out its verbs in order,
and goes on where they point to. Dial, the largest verb, has a file of its own.

Source: docs:voice/twiml and docs:voice/twiml/<verb>, as noted at each verb."""

import typing
import urllib.parse

import dial
import ground
import legs
import twiml
import webhook

APOLOGY = "An application error has occurred. Goodbye."
DOCUMENT_LIMIT = 200          # on one leg; stops documents that point in a ring
LETTERS_PER_SECOND = 15       # of speech
SECONDS_PER_PLAY = 2          # of a sound file, which is not fetched


class Source(typing.NamedTuple):
    """Where a document comes from: a URL, or the text given in its place."""

    url: str
    method: str = "POST"
    fields: dict = {}
    text: str | None = None


class Script:
    """The document a leg is on. `place` is a key of twiml.RESPONSES."""

    def __init__(self, leg, place="voice", fallback=None):
        self.leg = leg
        self.call = leg.call
        self.outcome = None           # of a Dial the caller was not answered for
        self._place = place
        self._fallback = fallback     # Source to turn to after an error
        self._source = None
        self._base = ""               # of relative URLs
        self._documents = 0
        self._gathering = False       # a Gather listens for keys

    def play(self, source):
        """Play `source` and whatever it leads to, until no document is left.
        Raises LegEnded when the leg ends before that."""
        self.leg.redirectable = self._place == "voice"
        while source:
            try:
                source = self._perform(self._fetch(source))
            except legs.Redirected as redirected:
                source = redirected.source
            except (webhook.Failure, twiml.TwimlError) as error:
                source = self._fail(error)

    def finish(self):
        """End the leg after its last verb. It is answered before that, unless
        a Dial with answerOnBridge left the caller hearing it ring."""
        if self.outcome is None:
            self.leg.answer()
        self.leg.end("busy" if self.outcome == "busy" else "no-answer")

    def resolve(self, url):
        """A URL of the document, absolute (docs:voice/twiml, "Relative URLs");
        without one, a document given as text has no base (15004)."""
        target = urllib.parse.urljoin(self._base, url)
        if not urllib.parse.urlsplit(target).scheme:
            raise twiml.TwimlError(15004, f"the URL {url!r} must be absolute")
        return target

    def follow(self, verb, fields):
        """Where a verb's action leads; None if it has none."""
        action = verb.get("action")
        if action is None:
            return None
        return Source(self.resolve(action), verb.get("method", "POST"), fields)

    def callee_source(self, noun):
        """The document of a Dial's noun, for the callee alone; or None."""
        url = noun.get("url")
        return url and Source(self.resolve(url), noun.get("method", "POST"))

    @staticmethod
    def play_to_callee(leg, source):
        """Play a document to a callee, before the bridge. Raises LegEnded."""
        Script(leg, "whisper").play(source)

    def report(self, source):
        """Request an action for a caller who is gone: the answer is not
        played."""
        if source:
            try:
                self._request(source)
            except webhook.Failure as failure:
                self._note_error(failure)

    # One document.

    def _fetch(self, source):
        """The verbs of a document."""
        self._documents += 1
        if self._documents > DOCUMENT_LIMIT:
            raise twiml.TwimlError(
                11200, f"more than {DOCUMENT_LIMIT} documents on one leg")
        self._source, self._base = source, ""
        if source.text is not None:
            return twiml.read(source.text.encode(), "text/xml", self._place,
                              self._warn)
        answer = self._request(source)
        self.leg.check()
        self._base = answer.url
        return twiml.read(answer.body, answer.content_type, self._place,
                          self._warn)

    def _request(self, source):
        fields = {**self.leg.fields(), **self.leg.extra, **source.fields}
        with self.call.clock.at_real_pace():
            return self.call.exchange.sender.send(
                "voice", source.method, source.url, fields,
                self.call.first.sid)

    def _perform(self, verbs):
        """Carry out verbs until one leads elsewhere; say where."""
        for verb in verbs:
            self.leg.check()
            source = self._VERBS[verb.name](self, verb)
            if source:
                return source
        return None

    def _fail(self, error):
        """After an error the fallback URL has a try; without one the caller
        hears about it (docs:api/errors/11200, docs:usage/webhooks)."""
        self._note_error(error)
        if self._fallback:
            source, self._fallback = self._fallback, None
            fields = {"ErrorCode": str(error.code), "ErrorUrl": self._source.url}
            return source._replace(fields=fields)
        self.leg.hear(APOLOGY)
        self.leg.fail()
        raise legs.LegEnded

    def _note_error(self, error):
        self.call.note("error", f"{error.code}: {error.text}", self.leg,
                       code=error.code)

    def _warn(self, code, text):
        self.call.note("warning", f"{code}: {text}", self.leg, code=code)

    # The verbs. Each returns the Source that follows, or None to go on.

    def _say(self, verb):
        """docs:voice/twiml/say; loop 0 means up to a thousand times."""
        text = verb.text()
        if not text:
            self._warn(13520, "<Say> has nothing to say")
            return
        self.leg.answer()
        self.leg.hear(text)
        times = verb.number("loop", 1) or 1000
        self.leg.wait(times * len(text) / LETTERS_PER_SECOND, self._interrupted)

    def _play(self, verb):
        """docs:voice/twiml/play; sounds are named, not fetched."""
        self.leg.answer()
        digits = verb.get("digits")
        self.leg.hear(f"[tones {digits}]" if digits else f"[{verb.text()}]")
        times = verb.number("loop", 1) or 1000
        self.leg.wait(times * SECONDS_PER_PLAY, self._interrupted)

    def _pause(self, verb):
        """docs:voice/twiml/pause; as the first verb it delays the pickup."""
        self.leg.wait(verb.number("length", 1), self._interrupted)

    def _interrupted(self):
        """Inside Gather a key stops the prompt (docs:voice/twiml/gather);
        elsewhere keys are not heard."""
        return self._gathering and bool(self.leg.keys)

    def _gather(self, verb):
        """docs:voice/twiml/gather. Without input the next verb follows, unless
        actionOnEmptyResult; without an action, this same document."""
        self.leg.answer()
        self.leg.keys.clear()
        self._gathering = True
        try:
            for prompt in verb.children:
                if not self.leg.keys:
                    self._VERBS[prompt.name](self, prompt)
            digits = self._collect(verb)
        finally:
            self._gathering = False
        if not digits and not verb.flag("actionOnEmptyResult"):
            return None
        return self._follow_or_repeat(verb, {"Digits": digits})

    def _collect(self, verb):
        """The keys pressed, without the finishing one."""
        if "dtmf" not in verb.get("input", "dtmf").split():
            self.leg.wait(verb.number("timeout", 5))
            return ""
        if self.leg.plan and not self.leg.keys:
            self.leg.press(self.leg.plan.popleft())
        finish = verb.get("finishOnKey", "#")
        most = verb.number("numDigits", 1000)
        digits = ""
        while len(digits) < most:
            if not self.leg.wait(verb.number("timeout", 5),
                                 lambda: bool(self.leg.keys)):
                break
            key = self.leg.keys.popleft()
            if key == finish:
                break
            digits += key
        return digits

    def _follow_or_repeat(self, verb, fields):
        """The action's document or, without an action, this one again."""
        return self.follow(verb, fields) or Source(
            self._source.url, verb.get("method", "POST"), fields,
            self._source.text)

    def _record(self, verb):
        """docs:voice/twiml/record: ends by a key, by silence, by length, or
        when the caller hangs up; then the action, or this document again."""
        self.leg.answer()
        self.leg.keys.clear()
        if verb.get("playBeep") != "false":
            self.leg.hear("[beep]")
        longest = verb.number("maxLength", 3600)
        speaks = min(self.leg.phone.patience(), longest)
        waits = min(speaks + verb.number("timeout", 5), longest)
        enders = verb.get("finishOnKey", "0123456789*#")
        begun = self.call.clock.now()

        def key_pressed():
            return any(key in enders for key in self.leg.keys)

        def fields(digits):
            seconds = round(min(self.call.clock.now() - begun, speaks))
            return self.keep_recording(verb, seconds, "RecordVerb") \
                | {"Digits": digits}

        try:
            pressed = self.leg.wait(waits, key_pressed)
        except legs.LegEnded:
            self.report(self._follow_or_repeat(verb, fields("hangup")))
            raise
        return self._follow_or_repeat(
            verb, fields(self.leg.keys[-1] if pressed else ""))

    def keep_recording(self, verb, seconds, source):
        """Store a recording of the first leg and report it; the fields of the
        action that tell of it (docs:voice/twiml/record)."""
        recording = self.call.exchange.keep_recording(self.call.first, source)
        return self.end_recording(verb, recording, seconds)

    def begin_recording(self, verb, source):
        """Begin a recording of both legs and report that."""
        channels = 2 if verb.get("record").endswith("-dual") else 1
        recording = self.call.exchange.keep_recording(
            self.call.first, source, channels)
        self._report_recording(verb, recording)
        return recording

    def end_recording(self, verb, recording, seconds):
        """End a recording and report that; the fields that tell of it."""
        recording |= {"status": "completed", "duration": seconds}
        self._report_recording(verb, recording)
        return {"RecordingSid": recording["sid"],
                "RecordingUrl": self.call.exchange.recording_url(recording),
                "RecordingDuration": str(seconds)}

    def _report_recording(self, verb, recording):
        """docs:voice/twiml/dial, recordingStatusCallback"""
        exchange = self.call.exchange
        callback = verb.get("recordingStatusCallback")
        events = verb.get("recordingStatusCallbackEvent", "completed").split()
        if not callback or recording["status"] not in events:
            return
        fields = {
            "AccountSid": exchange.account_sid,
            "CallSid": self.call.first.sid,
            "RecordingSid": recording["sid"],
            "RecordingUrl": exchange.recording_url(recording),
            "RecordingStatus": recording["status"],
            "RecordingChannels": str(recording["channels"]),
            "RecordingStartTime": ground.rfc2822(recording["created_at"]),
            "RecordingSource": recording["source"], "RecordingTrack": "both",
        }
        if recording["status"] == "completed":
            fields["RecordingDuration"] = str(recording["duration"])
        how = verb.get("recordingStatusCallbackMethod", "POST")
        self.call.post(self.leg.courier, (
            self.call.first.sid, how, self.resolve(callback), fields))

    def _dial(self, verb):
        """docs:voice/twiml/dial"""
        return dial.Dial(self, verb).run()

    def _reject(self, verb):
        """docs:voice/twiml/reject: does not answer; ends busy or, as if the
        number were not in service, no-answer. Too late once answered."""
        busy = verb.get("reason") == "busy"
        self.leg.hear("[busy tone]" if busy else "[not in service]")
        self.leg.end("busy" if busy else "no-answer", 486 if busy else 404)
        raise legs.LegEnded

    def _hangup(self, verb):
        """docs:voice/twiml/hangup: as the first verb it answers, and bills."""
        self.finish()
        raise legs.LegEnded

    def _redirect(self, verb):
        """docs:voice/twiml/redirect"""
        return Source(self.resolve(verb.text()), verb.get("method", "POST"))

    _VERBS = {
        "Say": _say, "Play": _play, "Pause": _pause, "Gather": _gather,
        "Record": _record, "Dial": _dial, "Reject": _reject,
        "Hangup": _hangup, "Redirect": _redirect,
    }
