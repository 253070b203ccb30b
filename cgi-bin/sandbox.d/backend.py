"""The app's backend, under /sandbox/app: what an app on the phones asks of its
server, which asks callmask's public API with the key. The page that draws the
phones has no key and needs none.

    POST /sandbox/app/rides                customer, driver: books a ride, after
                                           ending those that are open
    POST /sandbox/app/rides/{id}/calls     from: has both phones called
    POST /sandbox/app/rides/{id}/close
    POST /sandbox/app/events               notes the events since the last time

Each request is answered with callmask's status and document. Requests and
events are in the transcript, as kinds "app" and "event"; the key is not."""

import json
import re
import secrets
import ssl
import threading
import time
import urllib.error
import urllib.request

import control
import door

PATIENCE = 20                 # seconds
PREFIX = "ride-"              # of the references of this app
EVENTS_A_TIME = 500

_ROLE = (lambda value: isinstance(value, str)
         and re.fullmatch("[a-z]{1,32}", value), "a role")


class Backend:
    """Answers under /sandbox/app/. Without a key it answers 503."""

    def __init__(self, notes, url, key, ca_file=None):
        self._notes = notes
        self._url, self._key = url, key
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(
                context=ssl.create_default_context(cafile=ca_file)))
        self._lock = threading.Lock()
        self._seen = None         # the newest event

    def answer(self, request):
        """Answer a request."""
        try:
            if not self._url or not self._key:
                raise control.Problem(503, "the app has no key: set "
                                      "CALLMASK_URL and CALLMASK_API_KEY")
            return self._dispatch(request)
        except control.Problem as problem:
            return door.Answer(problem.status, {"error": problem.text})

    def _dispatch(self, request):
        for path, action in self._ROUTES:
            match = re.fullmatch(path, request.path)
            if match and request.method == "POST":
                return action(self, request, *match.groups())
            if match:
                return door.Answer(405, {"error": "use POST"}, {"Allow": "POST"})
        raise control.Problem(404, f"there is nothing at {request.path}")

    def _book(self, request):
        wish = control.read_fields(
            request.body, {"customer": control.NUMBER, "driver": control.NUMBER},
            ("customer", "driver"))
        _, page = self._ask("GET", "/v1/sessions?status=open")
        for session in page.get("sessions", []):
            if (session["reference"] or "").startswith(PREFIX):
                self._tell(f"/v1/sessions/{session['id']}/close", {})
        return self._tell("/v1/sessions", {
            "reference": PREFIX + secrets.token_hex(2), "ttl": 7200,
            "parties": [{"role": role, "phone": wish[role]}
                        for role in ("customer", "driver")]})

    def _call(self, request, ride):
        wish = control.read_fields(request.body, {"from": _ROLE}, ("from",))
        return self._tell(f"/v1/sessions/{ride}/calls", wish)

    def _close(self, request, ride):
        control.read_fields(request.body, {})
        return self._tell(f"/v1/sessions/{ride}/close", {})

    def _hear(self, request):
        """What happened before the first time is old news."""
        control.read_fields(request.body, {})
        noted = 0
        with self._lock:
            old, after = self._seen is None, self._seen or 0
            while True:
                status, page = self._ask("GET", f"/v1/events?limit="
                                         f"{EVENTS_A_TIME}&after={after}")
                if status != 200:
                    return door.Answer(status, page)
                for event in [] if old else page["events"]:
                    self._notes.add("event", event["type"], event=event)
                    noted += 1
                after = page["next"]
                if len(page["events"]) < EVENTS_A_TIME:
                    break
            self._seen = after
        return door.Answer(200, {"noted": noted})

    def _tell(self, path, fields):
        """A request that changes something, in the transcript."""
        started = time.monotonic()
        status, answer = self._ask("POST", path, fields)
        self._notes.add("app", f"POST {path}: {status}", method="POST",
                        path=path, request=fields, status=status,
                        answer=answer,
                        ms=round((time.monotonic() - started) * 1000))
        return door.Answer(status, answer)

    def _ask(self, method, path, fields=None):
        """One request to the API; status and document."""
        headers = {"Authorization": f"Bearer {self._key}",
                   "Content-Type": "application/json"}
        data = None
        if fields is not None:
            data = json.dumps(fields).encode()
            headers["Idempotency-Key"] = secrets.token_hex(16)
        request = urllib.request.Request(self._url + path, data, headers,
                                         method=method)
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except (OSError, ValueError) as error:
            raise control.Problem(
                502, f"callmask does not answer: {error}") from error

    _RIDE = r"/sandbox/app/rides/(ses_[0-9a-z]{1,40})"
    _ROUTES = (
        (r"/sandbox/app/rides", _book),
        (_RIDE + "/calls", _call),
        (_RIDE + "/close", _close),
        (r"/sandbox/app/events", _hear),
    )
