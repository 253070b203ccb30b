"""Twilio's REST API, as much of it as masked calls need: calls, messages,
numbers and recordings of one account, below /2010-04-01/Accounts/{sid}.

Sources: docs:voice/api/call-resource, docs:messaging/api/message-resource,
docs:phone-numbers/api/incomingphonenumber-resource, docs:api/errors, and
Twilio's published OpenAPI description for the shapes (shapes.py)."""

import base64
import binascii
import hmac
import math
import re
import secrets
import time
import urllib.parse

import door
import exchange
import ground
import legs
import shapes
import texts
import voice
import webhook

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
PAGE_SIZE, PAGE_LIMIT = 50, 1000
TWIML_LIMIT = 4000
DEFAULT_AREA = "202"


class RestError(Exception):
    """An error document: HTTP status, Twilio's number, message."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Form:
    """The fields of a request. `known` are those the sandbox minds; for the
    others it leaves a warning, as a misspelt field otherwise goes unseen."""

    def __init__(self, fields, known, warn):
        self._fields = fields
        for name in fields.keys() - set(known):
            warn(name)

    def __contains__(self, name):
        return name in self._fields

    def get(self, name, default=""):
        """A field's last value."""
        return self._fields.get(name, [default])[-1]

    def all(self, name):
        """All values of a repeated field."""
        return self._fields.get(name, [])

    def url(self, name, code):
        """A field that must be a URL or empty."""
        value = self.get(name)
        if value and not webhook.is_requestable(value):
            raise RestError(400, code, f"{name} is not a valid URL: {value}")
        return value

    def method(self, name, default="POST"):
        """A field that must be GET or POST."""
        value = self.get(name, default).upper()
        if value not in ("GET", "POST"):
            raise RestError(400, 21403, f"{name} is not valid: {value}")
        return value

    def whole(self, name, default, most):
        """A field that must be a whole number up to `most`."""
        value = self.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) > most:
            raise RestError(400, 20001, f"{name} is not valid: {value}")
        return int(value)


# The fields each request minds, after CamelCase of the settings' names.
_PAGING = ("Page", "PageSize", "PageToken")
_SETTINGS = {shapes.camel(name): name for name in
             exchange.OwnedNumber.TEXTS + exchange.OwnedNumber.METHODS}
_NEW_CALL = ("To", "From", "Url", "Method", "Twiml", "StatusCallback",
             "StatusCallbackMethod", "StatusCallbackEvent", "Timeout",
             "TimeLimit")
_CALL_UPDATE = ("Status", "Url", "Method", "Twiml", "TimeLimit")
_NEW_MESSAGE = ("To", "From", "Body", "MediaUrl", "StatusCallback")
_AVAILABLE = ("AreaCode", "Contains", "InRegion", "VoiceEnabled", "SmsEnabled",
              "MmsEnabled", "ExcludeAllAddressRequired",
              "ExcludeLocalAddressRequired", "ExcludeForeignAddressRequired",
              "Beta", *_PAGING)


class Rest:
    """Answers below /2010-04-01."""

    def __init__(self, network, post_office, credentials):
        self._exchange = network
        self._post = post_office
        self._credentials = credentials       # pairs of user and password
        self._base = f"/{legs.API_VERSION}/Accounts/{network.account_sid}"

    def answer(self, request):
        """Answer a request."""
        started = time.monotonic()
        try:
            self._authenticate(request)
            answer = self._dispatch(request)
        except RestError as error:
            answer = _error_answer(error)
        if request.method == "POST" and self._exchange.loses_answer():
            return door.Answer(0)
        took = f"{time.monotonic() - started:.3f}"
        return answer._replace(headers={
            **answer.headers, "Twilio-Request-Duration": took,
            "Twilio-Request-Id": "RQ" + secrets.token_hex(16),
            "Twilio-Concurrent-Requests": "1"})

    def _authenticate(self, request):
        scheme, _, code = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(code, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        known = [hmac.compare_digest(given, f"{user}:{password}".encode())
                 for user, password in self._credentials]
        if scheme.lower() != "basic" or not any(known):
            raise RestError(401, 20003, "Authenticate")

    def _dispatch(self, request):
        missing = RestError(404, 20404, f"The requested resource {request.path} "
                                        "was not found")
        if not request.path.startswith((self._base + "/", self._base + ".")):
            raise missing
        path = request.path[len(self._base):]
        self._note(request, path)
        methods = []
        for method, pattern, action in self._ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                return action(self, request, *match.groups())
            methods += [method] if match else []
        if methods:
            raise RestError(405, 20004, "Method not allowed")
        raise missing

    def _note(self, request, path):
        """Keep one request of each shape, to be shown by the control API. What
        changes something is in the transcript."""
        given = request.query if request.method == "GET" else request.form()
        fields = [[name, value] for name, values in given.items()
                  for value in values]
        if request.method != "GET":
            self._exchange.transcript.add(
                "rest", f"{request.method} {path}", method=request.method,
                path=path, fields=fields)
        agent = request.headers.get("User-Agent", "")
        self._exchange.note_request(
            (agent, request.method, re.sub("[0-9a-f]{32}", "", path),
             tuple(sorted((name, not value) for name, value in fields))),
            {"agent": agent, "method": request.method, "path": request.path,
             "fields": fields})

    def _fields(self, request, known):
        """The fields of a request: its form, or for GET its query."""
        def warn(name):
            self._exchange.transcript.add(
                "warning", f"{request.method} {request.path}: the sandbox does "
                f"not mind {name!r}")

        given = request.query if request.method == "GET" else request.form()
        return Form(given, known, warn)

    def _found(self, thing, request):
        if thing is None:
            raise RestError(404, 20404, f"The requested resource {request.path} "
                                        "was not found")
        return thing

    def _page(self, request, form, key, items, shape):
        """One page of a list (docs:usage/twilios-response, paging)."""
        page = form.whole("Page", 0, 999_999)
        size = max(1, form.whole("PageSize", PAGE_SIZE, PAGE_LIMIT))
        last = max(0, math.ceil(len(items) / size) - 1)
        shown = items[page * size:(page + 1) * size]

        def uri(number):
            query = {name: values[-1] for name, values in request.query.items()}
            query |= {"Page": number, "PageSize": size}
            return f"{request.path}?{urllib.parse.urlencode(query)}"

        return door.Answer(200, {
            key: [shape(item) for item in shown], "page": page,
            "page_size": size, "start": page * size,
            "end": page * size + max(0, len(shown) - 1), "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if page < last else None,
            "previous_page_uri": uri(page - 1) if page else None})

    def _get_account(self, request):
        return door.Answer(200, shapes.account(self._exchange, self._base))

    # Calls.

    def _create_call(self, request):
        form = self._fields(request, _NEW_CALL)
        callee, caller = form.get("To"), form.get("From")
        if not callee:
            raise RestError(400, 21201, "No 'To' number is specified")
        if not caller:
            raise RestError(400, 21213, "No 'From' number is specified")
        if not ground.is_e164(callee):
            raise RestError(400, 21211, f"Invalid 'To' Phone Number: {callee}")
        if not ground.is_e164(caller):
            raise RestError(400, 21212, f"Invalid 'From' Phone Number: {caller}")
        if not self._exchange.owns(caller):
            raise RestError(400, 21210, f"The source phone number provided, "
                            f"{caller}, is not yet verified for your account.")
        call = self._exchange.originate(
            caller, callee, self._source(form), self._progress(form),
            form.whole("Timeout", 60, 600), form.whole("TimeLimit", 0, 86_400))
        return door.Answer(201, self._call_shape(call.first))

    def _source(self, form):
        """The document of a call; Url goes before Twiml."""
        url = form.url("Url", 21205)
        if url:
            return voice.Source(url, form.method("Method"))
        text = form.get("Twiml")
        if not text:
            raise RestError(400, 21205, "Url parameter is required.")
        if len(text) > TWIML_LIMIT:
            raise RestError(400, 32018, "Twiml is longer than 4000 characters")
        return voice.Source("", text=text)

    def _progress(self, form):
        url = form.url("StatusCallback", 21609)
        if not url:
            return None
        events = form.all("StatusCallbackEvent") or ["completed"]
        if not EVENTS.issuperset(events):
            raise RestError(400, 21626, "StatusCallbackEvent is not valid: "
                            f"{' '.join(events)} (one event a field)")
        return legs.Progress(url, form.method("StatusCallbackMethod"), events)

    def _call_shape(self, leg):
        number = leg.callee if leg.direction == "inbound" else leg.caller
        with leg.call.clock.changed:
            return shapes.call(leg, self._base, self._number_sid(number))

    def _number_sid(self, number):
        return next((owned.sid for owned in self._exchange.numbers()
                     if owned.number == number), None)

    def _list_calls(self, request):
        form = self._fields(
            request, ("To", "From", "Status", "ParentCallSid", *_PAGING))
        wanted = {name: form.get(field) for name, field in (
            ("to", "To"), ("from", "From"), ("status", "Status"),
            ("parent_call_sid", "ParentCallSid")) if form.get(field)}
        shown = [shape for shape in map(self._call_shape,
                                        self._exchange.all_legs())
                 if wanted.items() <= shape.items()]
        return self._page(request, form, "calls", shown, lambda shape: shape)

    def _get_call(self, request, sid):
        leg = self._found(self._exchange.leg(sid), request)
        return door.Answer(200, self._call_shape(leg))

    def _update_call(self, request, sid):
        """docs:voice/api/call-resource, "Update a Call resource"."""
        leg = self._found(self._exchange.leg(sid), request)
        form = self._fields(request, _CALL_UPDATE)
        status = form.get("Status")
        if status not in ("", "completed", "canceled"):
            raise RestError(400, 20001, f"Status is not valid: {status}")
        with leg.call.clock.changed:
            if leg.ended:
                raise RestError(400, 21220, "Call is not in-progress. Cannot "
                                            "redirect.")
            if "TimeLimit" in form and leg.answered:
                leg.limit(form.whole("TimeLimit", 0, 86_400))
            if status == "completed" or status and not leg.answered:
                leg.end("canceled", 487)
            elif "Url" in form or "Twiml" in form:
                self._redirect(leg, self._source(form))
            return door.Answer(200, self._call_shape(leg))

    @staticmethod
    def _redirect(leg, source):
        if not leg.answered or not leg.redirectable:
            raise RestError(400, 21220, "Call is not in-progress. Cannot "
                                        "redirect.")
        leg.redirect_to(source)

    def _delete_call(self, request, sid):
        leg = self._found(self._exchange.leg(sid), request)
        if not leg.ended:
            raise RestError(400, 20009, "Cannot delete a call in progress")
        self._exchange.forget_leg(leg)
        return door.Answer(204)

    # Messages.

    def _create_message(self, request):
        form = self._fields(request, _NEW_MESSAGE)
        if not form.get("To"):
            raise RestError(400, 21604, "A 'To' phone number is required.")
        if not form.get("From"):
            raise RestError(400, 21603, "A 'From' phone number is required.")
        callback = form.url("StatusCallback", 21609)
        message = texts.Message(
            "outbound-api", form.get("From"), form.get("To"), form.get("Body"),
            form.all("MediaUrl"), [callback] if callback else ())
        try:
            self._post.check(message)
        except texts.Refused as error:
            raise RestError(400, error.code, error.text) from error
        shape = shapes.message(message, self._base)
        self._post.send(message)
        return door.Answer(201, shape)

    def _list_messages(self, request):
        form = self._fields(request, ("To", "From", *_PAGING))
        wanted = {name: form.get(field) for name, field in (
            ("to", "To"), ("from", "From")) if form.get(field)}
        shown = [shape for shape in map(self._message_shape,
                                        self._post.all_messages())
                 if wanted.items() <= shape.items()]
        return self._page(request, form, "messages", shown, lambda shape: shape)

    def _message_shape(self, message):
        return shapes.message(message, self._base)

    def _get_message(self, request, sid):
        message = self._found(self._post.message(sid), request)
        return door.Answer(200, self._message_shape(message))

    def _redact_message(self, request, sid):
        """An empty Body redacts; nothing else can be changed."""
        message = self._found(self._post.message(sid), request)
        form = self._fields(request, ("Body",))
        if "Body" not in form or form.get("Body"):
            raise RestError(400, 20001, "Body can only be made empty")
        message.body = ""
        return door.Answer(200, self._message_shape(message))

    def _delete_message(self, request, sid):
        self._post.forget(self._found(self._post.message(sid), request))
        return door.Answer(204)

    # Numbers.

    def _list_numbers(self, request):
        form = self._fields(request, ("PhoneNumber", "FriendlyName", *_PAGING))
        shown = [owned for owned in self._exchange.numbers()
                 if form.get("PhoneNumber").strip("+ ") in owned.number
                 and form.get("FriendlyName") in ("", owned["friendly_name"])]
        return self._page(request, form, "incoming_phone_numbers", shown,
                          self._number_shape)

    def _number_shape(self, owned):
        return shapes.number(owned, self._base)

    def _buy_number(self, request):
        form = self._fields(request, ("PhoneNumber", "AreaCode", *_SETTINGS))
        settings = self._settings(form)
        number = form.get("PhoneNumber") or self._next_number(form)
        if not ground.is_e164(number):
            raise RestError(400, 21421, f"PhoneNumber is invalid: {number}")
        if not ground.is_fictitious(number) or self._exchange.owns(number):
            raise RestError(400, 21422, f"{number} is not available")
        owned = self._exchange.buy(number, **settings)
        return door.Answer(201, self._number_shape(owned))

    def _next_number(self, form):
        """A number of the area code that is still to be had."""
        free = self._free_numbers(form.get("AreaCode", DEFAULT_AREA))
        if not free:
            raise RestError(400, 21452, "No phone numbers found in area code")
        return free[0]

    def _free_numbers(self, area_code):
        if not re.fullmatch(r"[2-9][0-9]{2}", area_code):
            raise RestError(400, 21451, f"Invalid area code: {area_code}")
        return [number for number in ground.fictitious_numbers(area_code)
                if not self._exchange.owns(number)]

    @staticmethod
    def _settings(form):
        """The settings of a number in a form, by their own names."""
        settings = {}
        for field, name in _SETTINGS.items():
            if field not in form:
                continue
            if name.endswith("_method"):
                settings[name] = form.method(field)
            elif name.endswith("_url") or name == "status_callback":
                settings[name] = form.url(field, 21402)
            else:
                settings[name] = form.get(field)
        return settings

    def _number(self, sid, request):
        return self._found(next(
            (owned for owned in self._exchange.numbers() if owned.sid == sid),
            None), request)

    def _get_number(self, request, sid):
        return door.Answer(200, self._number_shape(self._number(sid, request)))

    def _update_number(self, request, sid):
        owned = self._number(sid, request)
        owned.change(self._settings(self._fields(request, tuple(_SETTINGS))))
        return door.Answer(200, self._number_shape(owned))

    def _release_number(self, request, sid):
        self._exchange.release(self._number(sid, request))
        return door.Answer(204)

    def _list_available(self, request, country):
        """Numbers to buy: of the American range for fiction alone."""
        form = self._fields(request, _AVAILABLE)
        wanted = form.get("Contains").replace("*", "[0-9]").strip("+")
        if not re.fullmatch(r"(?:[0-9]|\[0-9\])*", wanted):
            raise RestError(400, 21421, "Contains is not valid")
        free = [number for number in self._free_numbers(
                    form.get("AreaCode", DEFAULT_AREA))
                if re.search(wanted, number)] if country == "US" else []
        size = form.whole("PageSize", PAGE_SIZE, PAGE_LIMIT)
        return door.Answer(200, {
            "available_phone_numbers": [
                shapes.available(number, form.get("InRegion") or None)
                for number in free[:size]],
            "uri": request.path})

    # Recordings.

    def _get_recording(self, request, sid):
        recording = self._found(self._exchange.recording(sid), request)
        return door.Answer(200, shapes.recording(
            recording, self._base, self._exchange.recording_url(recording)))

    def _delete_recording(self, request, sid):
        self._found(self._exchange.recording(sid), request)
        self._exchange.forget_recording(sid)
        return door.Answer(204)

    _CALL = r"/Calls/(CA[0-9a-f]{32})\.json"
    _MESSAGE = r"/Messages/([SM]M[0-9a-f]{32})\.json"
    _NUMBER = r"/IncomingPhoneNumbers/(PN[0-9a-f]{32})\.json"
    _RECORDING = r"/Recordings/(RE[0-9a-f]{32})\.json"
    _ROUTES = (
        ("GET", r"\.json", _get_account),
        ("POST", r"/Calls\.json", _create_call),
        ("GET", r"/Calls\.json", _list_calls),
        ("GET", _CALL, _get_call),
        ("POST", _CALL, _update_call),
        ("DELETE", _CALL, _delete_call),
        ("POST", r"/Messages\.json", _create_message),
        ("GET", r"/Messages\.json", _list_messages),
        ("GET", _MESSAGE, _get_message),
        ("POST", _MESSAGE, _redact_message),
        ("DELETE", _MESSAGE, _delete_message),
        ("POST", r"/IncomingPhoneNumbers\.json", _buy_number),
        ("GET", r"/IncomingPhoneNumbers\.json", _list_numbers),
        ("GET", _NUMBER, _get_number),
        ("POST", _NUMBER, _update_number),
        ("DELETE", _NUMBER, _release_number),
        ("GET", r"/AvailablePhoneNumbers/([A-Z]{2})/(?:Local|Mobile)\.json",
         _list_available),
        ("GET", _RECORDING, _get_recording),
        ("DELETE", _RECORDING, _delete_recording),
    )


def _error_answer(error):
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} \
        if error.status == 401 else {}
    return door.Answer(error.status, {
        "code": error.code, "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status}, headers)
