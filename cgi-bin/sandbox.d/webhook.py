"""One request from Twilio to the application: signed, limited in time, retried
by Twilio's rules, and noted in the transcript.

Sources: docs:usage/security (signature), docs:usage/webhooks/webhooks-
connection-overrides (time limits and retries), docs:api/errors/112xx."""

import base64
import dataclasses
import hashlib
import hmac
import http.client
import io
import re
import socket
import ssl
import time
import urllib.parse
import uuid

BODY_LIMIT = 64 * 1024        # docs:api/errors/11750
REDIRECT_LIMIT = 10           # docs:api/errors/11215
SHOWN_LIMIT = 8 * 1024        # of an answer, in the transcript

_URL = re.compile(r"(https?)://((?:(?![/?#])[!-~])+)([!-~]*)", re.IGNORECASE)


class Failure(Exception):
    """A request that brought no usable answer. `kind` is the word by which a
    retry policy names it: ct, rt, 4xx, 5xx, or None if no policy does."""

    def __init__(self, kind, code, text):
        super().__init__(text)
        self.kind, self.code, self.text = kind, code, text


@dataclasses.dataclass(frozen=True)
class Limits:
    """Seconds and retries for one request, with Twilio's defaults."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    policy: frozenset = frozenset({"ct"})


def is_requestable(url):
    """Whether Twilio requests such a URL at all (docs:api/errors/11100). A
    host name with an underscore it does not."""
    try:
        parts = urllib.parse.urlsplit(url)
        parts.port      # raises if it is no number
    except ValueError:
        return False
    return _URL.fullmatch(url) is not None and bool(parts.hostname) \
        and "_" not in parts.hostname


def split_overrides(url):
    """Part a URL into what is requested and the limits its fragment sets. The
    fragment is never sent and never signed."""
    target, _, fragment = url.partition("#")
    fields = dict(urllib.parse.parse_qsl(fragment))
    policy = frozenset(fields.get("rp", "ct").split(","))
    if "all" in policy:
        policy = frozenset({"ct", "rt", "4xx", "5xx"})
    return target, Limits(
        connect=_override(fields, "ct", 100, 10_000, 5_000) / 1000,
        read=_override(fields, "rt", 100, 15_000, 15_000) / 1000,
        total=_override(fields, "tt", 100, 15_000, 15_000) / 1000,
        retries=_override(fields, "rc", 0, 5, 1),
        policy=policy)


def _override(fields, key, least, most, default):
    value = fields.get(key, "")
    if not re.fullmatch(r"[0-9]{1,5}", value):
        return default
    return min(most, max(least, int(value)))


def signature(token, url, fields):
    """The X-Twilio-Signature of a form POST to `url`, or with empty `fields`
    of a GET (docs:usage/security)."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def url_to_sign(url, service, port_rule=None):
    """The URL as Twilio signs it. User and password go; the port goes for
    voice over HTTPS (docs:usage/security, "A few notes") unless `port_rule`
    says keep or drop."""
    scheme, authority, rest = _URL.fullmatch(url).groups()
    host = authority.rpartition("@")[2]
    if port_rule is None:
        voice_over_tls = service == "voice" and scheme.lower() == "https"
        port_rule = "drop" if voice_over_tls else "keep"
    if port_rule == "drop":
        host = re.sub(r":[0-9]+$", "", host)
    return f"{scheme}://{host}{rest}"


@dataclasses.dataclass
class Answer:
    """What the application answered, in the end."""

    url: str                          # after redirects; base of relative URLs
    status: int
    content_type: str
    body: bytes
    headers: http.client.HTTPMessage


class Sender:
    """Sends Twilio's requests for one account."""

    def __init__(self, account_sid, token, transcript,
                 ca_file=None, port_rule=None):
        self.account_sid = account_sid
        self.token = token
        self.transcript = transcript
        self.port_rule = port_rule
        self.tls = ssl.create_default_context(cafile=ca_file)

    def send(self, service, method, url, fields, about=None):
        """Request `url` for the "voice" or "messaging" service and return the
        Answer, or raise the last attempt's Failure. `about` is the call or
        message whose transcript shows it."""
        target, limits = split_overrides(url)
        return _Delivery(self, service, about, limits).run(
            method, target, fields)


class _Delivery:
    """One request with all its attempts."""

    def __init__(self, sender, service, about, limits):
        self._sender = sender
        self._service = service
        self._about = about
        self._limits = limits
        self._deadline = time.monotonic() + limits.total
        self._token = str(uuid.uuid4())
        self._attempts = 0

    def run(self, method, url, fields):
        """Try until there is an answer, or none is to be hoped for."""
        while True:
            self._attempts += 1
            try:
                return self._attempt(method, url, fields)
            except Failure as failure:
                if self._attempts > self._limits.retries \
                        or time.monotonic() >= self._deadline \
                        or failure.kind not in self._limits.policy:
                    raise

    def _attempt(self, method, url, fields):
        """One attempt, redirects followed: 307 repeats the request, the others
        turn it into a GET without fields."""
        for _ in range(REDIRECT_LIMIT + 1):
            answer = self._request(method, url, fields)
            place = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307) or not place:
                return _accepted(answer)
            url = urllib.parse.urljoin(url, place).partition("#")[0]
            if answer.status != 307:
                method, fields = "GET", {}
        raise Failure(None, 11215, "too many redirects")

    def _request(self, method, url, fields):
        """One HTTP request, in the transcript whatever comes of it."""
        if method == "GET" and fields:
            joint = "&" if "?" in url else "?"
            url += joint + urllib.parse.urlencode(fields)
        started = time.monotonic()
        note = {"method": method, "url": url, "params": fields,
                "attempt": self._attempts}
        try:
            note["signed_url"] = self._signed(url)
            answer = self._exchange(method, url, note["signed_url"],
                                    fields if method == "POST" else {})
        except Failure as failure:
            self._note(f"{method} {url}: {failure.text}", started,
                       error=failure.code, **note)
            raise
        shown = answer.body[:SHOWN_LIMIT].decode(errors="replace")
        self._note(f"{method} {url}: {answer.status}", started, body=shown,
                   status=answer.status, content_type=answer.content_type,
                   **note)
        return answer

    def _note(self, text, started, **details):
        took = round((time.monotonic() - started) * 1000)
        self._sender.transcript.add(
            "wire", text, call=self._about, ms=took, **details)

    def _signed(self, url):
        """The URL to sign."""
        if not is_requestable(url):
            raise Failure(None, 11100, "not a URL Twilio requests")
        return url_to_sign(url, self._service, self._sender.port_rule)

    def _exchange(self, method, url, signed_url, form):
        """Send one request; a second time with the URL's user and password if
        the first is answered 401 (docs:usage/security, basic authentication)."""
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature":
                signature(self._sender.token, signed_url, form),
            "I-Twilio-Idempotency-Token": self._token,
            "X-Home-Region": "us1",
        }
        answer = self._roundtrip(method, url, form, headers)
        parts = urllib.parse.urlsplit(url)
        if answer.status == 401 and parts.username is not None:
            pair = urllib.parse.unquote(
                f"{parts.username}:{parts.password or ''}")
            code = base64.b64encode(pair.encode()).decode()
            headers["Authorization"] = f"Basic {code}"
            answer = self._roundtrip(method, url, form, headers)
        return answer

    def _roundtrip(self, method, url, form, headers):
        """Connect, send, read the answer, close. All trouble is a Failure."""
        parts = urllib.parse.urlsplit(url)
        sock = self._connect(parts)
        try:
            line = _Line(sock, self._limits, self._deadline)
            line.sendall(_message(method, url, parts, form, headers))
            response = http.client.HTTPResponse(line, method=method)
            response.begin()
            body = response.read(BODY_LIMIT + 1)
        except TimeoutError as error:
            raise Failure("rt", 11205, "no answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            raise Failure("rt", 11205, f"the line broke: {error!r}") from error
        finally:
            sock.close()
        if len(body) > BODY_LIMIT:
            raise Failure(None, 11750, "the answer is larger than 64 kB")
        return Answer(url, response.status, _content_type(response.headers),
                      body, response.headers)

    def _connect(self, parts):
        """Open the connection, with TLS for https. By default only trouble
        here is worth a retry."""
        secure = parts.scheme.lower() == "https"
        left = max(0.001, self._deadline - time.monotonic())
        try:
            sock = socket.create_connection(
                (parts.hostname, parts.port or (443 if secure else 80)),
                min(self._limits.connect, left))
        except (OSError, ValueError) as error:
            raise Failure("ct", 11205, f"cannot connect: {error}") from error
        if not secure:
            return sock
        try:
            return self._sender.tls.wrap_socket(
                sock, server_hostname=parts.hostname)
        except (OSError, ValueError) as error:
            sock.close()
            raise Failure("ct", 11237, f"TLS failed: {error}") from error


def _accepted(answer):
    """Pass on a 2xx or 3xx; 4xx and 5xx are failures (docs:api/errors/11200)."""
    if answer.status >= 400:
        kind = "4xx" if answer.status < 500 else "5xx"
        raise Failure(kind, 11200, f"the answer is HTTP {answer.status}")
    return answer


class _Line:
    """A connected socket that keeps the limits: `read` seconds between two
    packets, nothing after the deadline."""

    def __init__(self, sock, limits, deadline):
        self._sock, self._limits, self._deadline = sock, limits, deadline

    def sendall(self, data):
        """Send everything."""
        self._sock.settimeout(self._patience())
        self._sock.sendall(data)

    def makefile(self, *_):
        """What http.client reads from."""
        line = self

        class Reader(io.RawIOBase):
            """Reads one packet at a time, each with its own time limit."""

            def readable(self):
                return True

            def readinto(self, buffer):
                line._sock.settimeout(line._patience())
                return line._sock.recv_into(buffer)

        return io.BufferedReader(Reader())

    def _patience(self):
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit has passed")
        return min(self._limits.read, left)


def _content_type(headers):
    return headers.get_content_type() if "Content-Type" in headers else ""


def _message(method, url, parts, form, headers):
    """The bytes of the request. The path goes out as it was written."""
    path = _URL.fullmatch(url).group(3)
    if not path.startswith("/"):
        path = "/" + path
    body = urllib.parse.urlencode(form).encode()
    lines = {"Host": parts.netloc.rpartition("@")[2], **headers,
             "Accept": "*/*", "Connection": "close"}
    if method == "POST":
        lines["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
