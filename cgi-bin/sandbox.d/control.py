"""The control API under /sandbox: what a person, a test or a page does with the
phones. JSON in and out; a refused request says why in {"error": …}.

    GET  /sandbox/health
    GET  /sandbox/phones                   the phones somebody has set
    PUT  /sandbox/phones/{number}          name, behaviour, answer_after,
                                           talk_for, digits
    POST /sandbox/calls                    from, to, withheld, digits,
                                           stir_verstat, callbacks, wait,
                                           answer_after, talk_for
    GET  /sandbox/calls                    the newest calls
    GET  /sandbox/calls/{sid}
    POST /sandbox/calls/{sid}/answer       phone
    POST /sandbox/calls/{sid}/decline      phone
    POST /sandbox/calls/{sid}/hangup       phone
    POST /sandbox/calls/{sid}/digits       phone, digits
    POST /sandbox/messages                 from, to, body, media
    GET  /sandbox/transcript?after=N&wait=S
    POST /sandbox/lose                     answers: so many POSTs to the REST
                                           API are done and not answered
    GET  /sandbox/requests                 one REST request of each shape: agent,
                                           method, path, fields
    POST /sandbox/settle                   until no call or callback is left
    POST /sandbox/reset                    forget phones and transcript
"""

import dataclasses
import json
import math
import re

import door
import exchange
import ground
import legs
import phones

CALLS_SHOWN = 50
LONGEST_POLL = 60             # real seconds
LONGEST_WAIT = 600


class Problem(Exception):
    """A refused request: HTTP status and reason."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status, self.text = status, text


# What fields may hold: a test and, for the refusal, words for it.

def _is_number(value):
    return type(value) in (int, float) and math.isfinite(value) \
        and 0 <= value <= 86_400


def _is_text(value, most=64):
    return isinstance(value, str) and len(value) <= most and value.isprintable()


def _is_message(value):
    """Half of a surrogate pair, which JSON can write, is no text."""
    return isinstance(value, str) and len(value) <= 1600 \
        and not re.search("[\ud800-\udfff]", value)


def _are_keys(value):
    return isinstance(value, str) and re.fullmatch(r"[0-9*#]{1,64}", value)


def _are_key_strings(value):
    return _are_keys(value) or isinstance(value, list) and len(value) <= 64 \
        and all(_are_keys(keys) for keys in value)


def _are_urls(value):
    return isinstance(value, list) and len(value) <= 10 \
        and all(re.fullmatch(r"https?://[!-~]{1,2000}", str(url)) for url in value)


def _is_chaos(value):
    return isinstance(value, dict) and value.keys() <= {
        "duplicate", "reverse", "drop"} and all(
            isinstance(wish, bool) for wish in value.values())


NUMBER = (ground.is_e164, "a telephone number in E.164 form")
_SECONDS = (_is_number, "a number of seconds from 0 to 86400")
_KEYS = (_are_key_strings, "keys (0-9 * #), or a list of such strings")

_PHONE = {
    "name": (lambda value: value is None or _is_text(value), "a short text"),
    "behaviour": (lambda value: isinstance(value, str)
                  and value in phones.BEHAVIOURS,
                  "one of " + ", ".join(phones.BEHAVIOURS)),
    "answer_after": _SECONDS, "talk_for": _SECONDS, "digits": _KEYS,
}
_CALL = {
    "from": NUMBER, "to": NUMBER,
    "withheld": (lambda value: isinstance(value, bool) or _is_text(value),
                 "true, false, or what to show"),
    "digits": _KEYS,
    "stir_verstat": (_is_text, "a short text"),
    "callbacks": (_is_chaos, "duplicate, reverse or drop, true or false"),
    "wait": (lambda value: isinstance(value, bool), "true or false"),
    "answer_after": _SECONDS, "talk_for": _SECONDS,
}
_MESSAGE = {
    "from": NUMBER, "to": NUMBER,
    "body": (_is_message, "a text of at most 1600 characters"),
    "media": (_are_urls, "a list of at most ten URLs"),
}
_LOSS = {"answers": (lambda value: type(value) is int and 0 <= value <= 100,
                     "a whole number from 0 to 100")}
_ACTOR = {"phone": NUMBER}
_TYPIST = {"phone": NUMBER, "digits": (_are_keys, "keys (0-9 * #)")}


def read_fields(body, fields, required=()):
    """The JSON object in `body`, holding nothing but `fields`."""
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON") from None
    if not isinstance(values, dict):
        raise Problem(400, "the body is not a JSON object")
    for name, value in values.items():
        if name not in fields:
            raise Problem(400, f"unknown field {name!r}")
        test, words = fields[name]
        if not test(value):
            raise Problem(400, f"{name!r} must be {words}")
    for name in required:
        if name not in values:
            raise Problem(400, f"{name!r} is missing")
    return values


def _strings(keys):
    """Strings of keys, given as one or as a list."""
    return (keys,) if isinstance(keys, str) else tuple(keys)


class Control:
    """Answers under /sandbox."""

    def __init__(self, network, post_office):
        self._exchange = network
        self._post = post_office

    def answer(self, request):
        """Answer a request."""
        try:
            return self._dispatch(request)
        except Problem as problem:
            return door.Answer(problem.status, {"error": problem.text})
        except exchange.NotOwned as error:
            return door.Answer(404, {"error": str(error)})

    def _dispatch(self, request):
        allowed = []
        for method, path, action in self._ROUTES:
            match = re.fullmatch(path, request.path)
            if match and method == request.method:
                return action(self, request, *match.groups())
            if match:
                allowed.append(method)
        if not allowed:
            raise Problem(404, f"there is nothing at {request.path}")
        return door.Answer(405, {"error": f"use {' or '.join(allowed)}"},
                           {"Allow": ", ".join(allowed)})

    def _health(self, request):
        return door.Answer(200, {
            "status": "ok", "speed": self._exchange.speed,
            "numbers": [owned.number for owned in self._exchange.numbers()]})

    # Phones.

    def _list_phones(self, request):
        return door.Answer(200, {"phones": [
            dataclasses.asdict(phone) for phone in self._exchange.phones.all()]})

    def _put_phone(self, request, number):
        if not ground.is_e164(number):
            raise Problem(400, f"{number!r} is no E.164 number")
        settings = read_fields(request.body, _PHONE)
        if "digits" in settings:
            settings["digits"] = _strings(settings["digits"])
        phone = phones.Phone(number, **settings)
        self._exchange.phones.put(phone)
        return door.Answer(200, dataclasses.asdict(phone))

    # Calls.

    def _place_call(self, request):
        wish = read_fields(request.body, _CALL, ("from", "to"))
        phone = self._exchange.phones.find(wish["from"])
        shown = wish.get("withheld", False)
        if isinstance(shown, bool):
            shown = "anonymous" if shown else phone.number
        digits = _strings(wish["digits"]) if "digits" in wish else None
        callee = {name: wish[name] for name in ("answer_after", "talk_for")
                  if name in wish}
        call = self._exchange.dial(
            phone, wish["to"], shown, digits, wish.get("stir_verstat"),
            legs.Chaos(**wish.get("callbacks", {})), callee)
        if wish.get("wait", True) and call.tally.settle(LONGEST_WAIT):
            return door.Answer(200, self._call_view(call))
        return door.Answer(202, self._call_view(call))

    def _list_calls(self, request):
        calls = [leg.call for leg in self._exchange.all_legs() if not leg.parent]
        return door.Answer(200, {"calls": [
            self._call_view(call) for call in calls[:CALLS_SHOWN]]})

    def _get_call(self, request, sid):
        return door.Answer(200, self._call_view(self._call(sid)))

    def _call(self, sid):
        leg = self._exchange.leg(sid)
        if not leg:
            raise Problem(404, f"there is no call {sid}")
        return leg.call

    def _call_view(self, call):
        with call.clock.changed:
            first = call.first
            return {
                "sid": first.sid, "from": first.caller, "to": first.callee,
                "status": first.status, "connected": call.connected,
                "duration": first.seconds(), "heard": list(first.heard),
                "rang": [_leg_view(leg) for leg in call.legs
                         if leg.direction != "inbound"],
                "transcript": self._exchange.transcript.of(first.sid),
            }

    def _leg(self, sid, wish):
        """The living leg of the phone that acts."""
        leg = self._call(sid).leg_of(wish["phone"])
        if not leg:
            raise Problem(409, f"{wish['phone']} is not on this call")
        return leg

    def _ringing_leg(self, request, sid):
        leg = self._leg(sid, read_fields(request.body, _ACTOR, ("phone",)))
        if leg.direction == "inbound" or leg.status != "ringing":
            raise Problem(409, f"{leg.phone.number} is not ringing")
        return leg

    def _answer_call(self, request, sid):
        leg = self._ringing_leg(request, sid)
        leg.answer()
        return door.Answer(200, self._call_view(leg.call))

    def _decline_call(self, request, sid):
        leg = self._ringing_leg(request, sid)
        leg.decline()
        return door.Answer(200, self._call_view(leg.call))

    def _hang_up(self, request, sid):
        leg = self._leg(sid, read_fields(request.body, _ACTOR, ("phone",)))
        leg.hang_up()
        return door.Answer(200, self._call_view(leg.call))

    def _press(self, request, sid):
        wish = read_fields(request.body, _TYPIST, ("phone", "digits"))
        leg = self._leg(sid, wish)
        if not leg.answered:
            raise Problem(409, f"{leg.phone.number} is not connected yet")
        leg.press(wish["digits"])
        return door.Answer(200, self._call_view(leg.call))

    # Messages.

    def _send_message(self, request):
        wish = read_fields(request.body, _MESSAGE, ("from", "to"))
        message, sent = self._post.text(
            self._exchange.phones.find(wish["from"]), wish["to"],
            wish.get("body", ""), wish.get("media", []))
        return door.Answer(200, {
            "sid": message.sid, "status": message.status,
            "received": [_text_view(text) for text in sent if text.arrived],
            "transcript": self._exchange.transcript.of(message.sid)})

    # The whole.

    def _read_transcript(self, request):
        after = self._query(request, "after", 2**53)
        seconds = self._query(request, "wait", LONGEST_POLL)
        unknown = request.query.keys() - {"after", "wait"}
        if unknown:
            raise Problem(400, f"unknown parameter {min(unknown)!r}")
        entries, last = self._exchange.transcript.since(after, seconds)
        return door.Answer(200, {"entries": entries, "last": last})

    def _list_requests(self, request):
        return door.Answer(200, {"requests": self._exchange.requests()})

    @staticmethod
    def _query(request, name, most):
        value = request.query.get(name, ["0"])[-1]
        if not re.fullmatch(r"[0-9]{1,16}", value):
            raise Problem(400, f"{name!r} must be a whole number")
        return min(int(value), most)

    def _settle(self, request):
        read_fields(request.body, {})
        if not self._exchange.tally.settle(LONGEST_WAIT):
            raise Problem(503, "calls are still under way")
        return door.Answer(200, {"settled": True})

    def _lose(self, request):
        wish = read_fields(request.body, _LOSS, ("answers",))
        self._exchange.answers_lost = wish["answers"]
        return door.Answer(200, wish)

    def _reset(self, request):
        read_fields(request.body, {})
        self._exchange.answers_lost = 0
        self._exchange.phones.clear()
        self._exchange.transcript.clear()
        self._post.clear()
        return door.Answer(200, {"reset": True})

    _CALL_PATH = r"/sandbox/calls/(CA[0-9a-f]{32})"
    _ROUTES = (
        ("GET", r"/sandbox/health", _health),
        ("GET", r"/sandbox/phones", _list_phones),
        ("PUT", r"/sandbox/phones/([^/]+)", _put_phone),
        ("POST", r"/sandbox/calls", _place_call),
        ("GET", r"/sandbox/calls", _list_calls),
        ("GET", _CALL_PATH, _get_call),
        ("POST", _CALL_PATH + "/answer", _answer_call),
        ("POST", _CALL_PATH + "/decline", _decline_call),
        ("POST", _CALL_PATH + "/hangup", _hang_up),
        ("POST", _CALL_PATH + "/digits", _press),
        ("POST", r"/sandbox/messages", _send_message),
        ("GET", r"/sandbox/transcript", _read_transcript),
        ("POST", r"/sandbox/lose", _lose),
        ("GET", r"/sandbox/requests", _list_requests),
        ("POST", r"/sandbox/settle", _settle),
        ("POST", r"/sandbox/reset", _reset),
    )


def _leg_view(leg):
    return {"sid": leg.sid, "phone": leg.callee, "name": leg.phone.name,
            "showed": leg.caller, "status": leg.status,
            "duration": leg.seconds(), "heard": list(leg.heard)}


def _text_view(message):
    return {"sid": message.sid, "phone": message.receiver,
            "from": message.sender, "body": message.body,
            "media": message.media}
