"""Reads TwiML: turns the application's answer into a tree that holds only what
Twilio knows, and says what it left out.

A name, attribute or value Twilio does not know brings warning 12200 (or the
verb's own number) and is left out, as Twilio does; the rest goes on. Only a
body that is no TwiML at all is an error. Source: docs:voice/twiml and the verb
pages below it, docs:messaging/twiml, docs:api/errors."""

import re
import typing
import xml.parsers.expat

DEPTH_LIMIT = 50
SPOKEN_TYPES = ("text/plain",)
TWIML_TYPES = ("text/xml", "application/xml", "text/html")


class TwimlError(Exception):
    """The document cannot be carried out; `code` is Twilio's error number."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


class Element:
    """One element. `content` holds texts and elements in document order."""

    def __init__(self, name, attributes=None, content=None):
        self.name = name
        self.attributes = attributes or {}
        self.content = content or []

    @property
    def children(self):
        """The elements in it."""
        return [part for part in self.content if isinstance(part, Element)]

    def text(self):
        """All text in it, blanks collapsed."""
        return " ".join(self.body().split())

    def body(self):
        """All text in it as it was written, but for blanks at its ends."""
        return "".join(self._texts()).strip()

    def _texts(self):
        for part in self.content:
            if isinstance(part, Element):
                yield from part._texts()
            else:
                yield part

    def get(self, name, default=None):
        """An attribute as text."""
        return self.attributes.get(name, default)

    def number(self, name, default):
        """An attribute that its rule has shown to be a whole number."""
        return int(self.attributes.get(name, default))

    def flag(self, name):
        """An attribute that is true or false; false if it is missing."""
        return self.attributes.get(name) == "true"


# What values an attribute may have.

def any_text(value):
    """Anything."""
    return True


def between(least, most):
    """A whole number in this range."""
    return lambda value: re.fullmatch(r"[0-9]{1,9}", value) is not None \
        and least <= int(value) <= most


def one_of(*words):
    """One of these words."""
    return words.__contains__


def words_of(*words):
    """One or more of these words, separated by blanks."""
    return lambda value: value.split() and set(value.split()) <= set(words)


flag = one_of("true", "false")
method = one_of("GET", "POST")
finish_key = re.compile(r"[0-9*#]?").fullmatch
keys = re.compile(r"[0-9A-DwW*#]+").fullmatch


def all_text(names):
    """Attributes whose value the sandbox does not look at."""
    return dict.fromkeys(names.split(), any_text)


class Rule(typing.NamedTuple):
    """What an element may carry. `children` None means: anything, unchecked
    (speech markup inside Say)."""

    attributes: dict = {}
    children: tuple | None = ()
    has_text: bool = False


_RECORDING = {
    "recordingStatusCallback": any_text,
    "recordingStatusCallbackMethod": method,
    "recordingStatusCallbackEvent":
        words_of("in-progress", "completed", "absent"),
    **all_text("recordingConfigurationId trim"),
}
_LEG = {
    "url": any_text, "method": method,
    "statusCallback": any_text, "statusCallbackMethod": method,
    "statusCallbackEvent":
        words_of("initiated", "ringing", "answered", "completed"),
}
_MACHINE = all_text(
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold "
    "machineDetectionSpeechEndThreshold machineDetectionSilenceTimeout "
    "amdStatusCallback amdStatusCallbackMethod")
_PROMPTS = ("Say", "Play", "Pause")
_ACTION = {"action": any_text, "method": method}

RULES = {
    "Say": Rule({"loop": between(0, 1000), **all_text("voice language")},
                None, True),
    "Play": Rule({"loop": between(0, 1000), "digits": keys}, (), True),
    "Pause": Rule({"length": between(1, 86_400)}),
    "Gather": Rule(
        {**_ACTION, "input": words_of("dtmf", "speech"),
         "timeout": between(1, 86_400), "numDigits": between(1, 1000),
         "finishOnKey": finish_key, "actionOnEmptyResult": flag,
         **all_text("bargeIn debug enhanced hints language maxSpeechTime "
                    "partialResultCallback partialResultCallbackMethod "
                    "profanityFilter speechModel speechTimeout")},
        _PROMPTS),
    "Record": Rule(
        {**_ACTION, **_RECORDING, "timeout": between(0, 86_400),
         "finishOnKey": re.compile(r"[0-9*#]*").fullmatch,
         "maxLength": between(2, 86_400), "playBeep": flag,
         **all_text("transcribe transcribeCallback")}),
    "Dial": Rule(
        {**_ACTION, **_RECORDING, "answerOnBridge": flag,
         "callerId": any_text, "hangupOnStar": flag, "sequential": flag,
         "timeout": between(5, 600), "timeLimit": between(1, 86_400),
         "record": one_of(
             "do-not-record", "record-from-answer", "record-from-ringing",
             "record-from-answer-dual", "record-from-ringing-dual",
             "true", "false"),
         **all_text("callReason recordingTrack referUrl referMethod ringTone")},
        ("Number", "Client", "Sip"), True),
    "Number": Rule({**_LEG, **_MACHINE, "sendDigits": keys,
                    **all_text("byoc")}, (), True),
    "Client": Rule({**_LEG, **all_text("clientNotificationUrl")},
                   ("Identity", "Parameter"), True),
    "Identity": Rule({}, (), True),
    "Parameter": Rule(all_text("name value")),
    "Sip": Rule({**_LEG, **_MACHINE, **all_text("username password")}, (), True),
    "Reject": Rule({"reason": one_of("rejected", "busy")}),
    "Hangup": Rule(),
    "Redirect": Rule({"method": method}, (), True),
    "Message": Rule({**_ACTION, **all_text("to from statusCallback")},
                    ("Body", "Media"), True),
    "Body": Rule({}, (), True),
    "Media": Rule({}, (), True),
}

# The verbs of a document, by where it is played. What is put before a callee
# alone, ahead of the bridge, may not dial (docs:voice/twiml/number, url).
RESPONSES = {
    "voice": Rule({}, _PROMPTS + ("Gather", "Record", "Dial", "Reject",
                                  "Hangup", "Redirect")),
    "whisper": Rule({}, _PROMPTS + ("Gather", "Hangup")),
    "messaging": Rule({}, ("Message", "Redirect")),
}

# Twilio's, but beyond a sandbox for masked calls.
NOT_PLAYED = frozenset(
    "Application Conference Connect Echo Enqueue Leave Pay Prompt Queue Refer "
    "Sim Sms Start Stop WhatsApp".split())

# Where Twilio has a number of its own for a value it does not take.
VALUE_CODES = {
    ("Dial", "timeout"): 13212, ("Dial", "timeLimit"): 13216,
    ("Dial", "answerOnBridge"): 13219, ("Gather", "finishOnKey"): 13310,
}
NESTING_CODES = {"Dial": 13215}
SCHEMA_CODE = 12200


def read(body, content_type, place, warn):
    """Turn an answer into the list of its verbs. `place` is a key of
    RESPONSES; `warn(code, text)` hears what is left out. Raises TwimlError."""
    if not body.strip():
        raise TwimlError(11770, "the answer has an empty body")
    if content_type in SPOKEN_TYPES:
        return _read_spoken(body, place, warn)
    if content_type not in TWIML_TYPES:
        raise TwimlError(12300, f"content type {content_type!r} is no TwiML")
    root = _parse(body)
    if root.name != "Response":
        raise TwimlError(12102, f"the root element is <{root.name}>")
    if place == "whisper" and any(verb.name == "Dial" for verb in root.children):
        raise TwimlError(13201, "a document for the callee alone may not dial")
    return _checked(root, RESPONSES[place], warn).children


def _read_spoken(body, place, warn):
    """Plain text is spoken, or sent as the reply, unless it is TwiML
    (docs:voice/twiml, "Twilio understands MIME types")."""
    try:
        return read(body, "text/xml", place, warn)
    except TwimlError:
        verb = "Message" if place == "messaging" else "Say"
        return [Element(verb, {}, [body.decode(errors="replace")])]


def _parse(body):
    """The bare tree of an XML document without a document type."""
    top = Element("")
    open_elements = [top]

    def start(name, attributes):
        if len(open_elements) > DEPTH_LIMIT:
            raise TwimlError(12100, "the document is nested too deeply")
        element = Element(name, attributes)
        open_elements[-1].content.append(element)
        open_elements.append(element)

    def refuse(*_):
        raise TwimlError(12100, "document type declarations are refused")

    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: open_elements.pop()
    parser.CharacterDataHandler = \
        lambda text: open_elements[-1].content.append(text)
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (xml.parsers.expat.ExpatError, LookupError, ValueError) as error:
        raise TwimlError(12100, f"the answer is not XML: {error}") from error
    return top.children[0]


def _checked(element, rule, warn):
    """A copy of `element` without what `rule` does not allow."""
    kept = Element(element.name)
    for name, value in element.attributes.items():
        if name not in rule.attributes:
            warn(SCHEMA_CODE, f"<{element.name}> has no attribute {name!r}")
        elif not rule.attributes[name](value):
            code = VALUE_CODES.get((element.name, name), SCHEMA_CODE)
            warn(code, f"<{element.name}> does not take {name}={value!r}")
        else:
            kept.attributes[name] = value
    for part in element.content:
        if isinstance(part, str):
            if rule.has_text:
                kept.content.append(part)
            elif part.strip():
                warn(SCHEMA_CODE, f"<{element.name}> holds no text: {part.strip()!r}")
        elif rule.children is None:
            kept.content.append(part)
        elif part.name in rule.children:
            kept.content.append(_checked(part, RULES[part.name], warn))
        elif part.name in NOT_PLAYED:
            warn(SCHEMA_CODE, f"the sandbox does not play <{part.name}>")
        else:
            code = NESTING_CODES.get(element.name, SCHEMA_CODE)
            warn(code, f"<{part.name}> has no place in <{element.name}>")
    return kept
