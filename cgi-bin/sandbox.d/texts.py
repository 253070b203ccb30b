"""Text messages: what phones send to the account's numbers, what the
application answers, and what phones receive.

Sources: docs:messaging/guides/webhook-request, docs:messaging/twiml/message,
docs:messaging/guides/track-outbound-message-status."""

import collections
import mimetypes
import threading
import time
import urllib.parse

import ground
import legs
import twiml
import webhook

MESSAGES_KEPT = 10_000
DOCUMENT_LIMIT = 10
BODY_LIMIT = 1600
MEDIA_LIMIT = 10

# Twilio keeps these lists itself; the message still goes to the application
# (docs: help.twilio.com 223134027).
STOP_WORDS = frozenset("STOP STOPALL UNSUBSCRIBE CANCEL END QUIT".split())
START_WORDS = frozenset("START YES UNSTOP".split())
STOP_REPLY = ("You have successfully been unsubscribed. You will not receive "
              "any more messages from this number. Reply START to resubscribe.")
START_REPLY = ("You have successfully been re-subscribed to messages from this "
               "number. Reply STOP to unsubscribe.")


class Refused(Exception):
    """A message Twilio does not take; `code` is its error number."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


class Message:
    """One message. `arrived` says whether a phone has it."""

    def __init__(self, direction, sender, receiver, body, media, callbacks=()):
        self.sid = ground.new_sid("MM" if media else "SM")
        self.direction = direction
        self.sender, self.receiver = sender, receiver
        self.body, self.media = body, list(media)
        self.callbacks = callbacks        # URLs that want its states
        self.about = self.sid             # under which the transcript has it
        self.status = "received" if direction == "inbound" else "queued"
        self.error_code = None
        self.arrived = False
        self.created_at = self.updated_at = time.time()

    def segments(self):
        """How many SMS it takes; 0 for none. Every character outside plain
        ASCII counts as one that needs the wide alphabet."""
        if not self.body:
            return 0
        alone, joined = (160, 153) if self.body.isascii() else (70, 67)
        return 1 if len(self.body) <= alone else -(-len(self.body) // joined)

    def fields(self):
        """The parameters of every request about it."""
        return {"MessageSid": self.sid, "SmsSid": self.sid,
                "From": self.sender, "To": self.receiver,
                "ApiVersion": legs.API_VERSION}

    def webhook_fields(self):
        """The parameters that bring it to the application."""
        fields = self.fields() | {
            "SmsMessageSid": self.sid, "SmsStatus": "received",
            "Body": self.body, "NumMedia": str(len(self.media)),
            "NumSegments": str(self.segments()),
        }
        for side in ("From", "To"):
            for part in ("City", "State", "Zip", "Country"):
                fields[side + part] = ""
        for index, url in enumerate(self.media):
            kind = mimetypes.guess_type(urllib.parse.urlsplit(url).path)[0]
            fields[f"MediaUrl{index}"] = url
            fields[f"MediaContentType{index}"] = kind or "image/jpeg"
        return fields


class PostOffice:
    """Carries messages between the phones and the application."""

    def __init__(self, exchange):
        self._exchange = exchange
        self._messages = collections.OrderedDict()     # by sid
        self._stopped = set()                          # (phone, number)
        self._lock = threading.Lock()
        self._courier = legs.Courier(self._deliver_callback, exchange.tally)

    def message(self, sid):
        """The message with this identifier, or None."""
        with self._lock:
            return self._messages.get(sid)

    def all_messages(self):
        """All messages, newest first."""
        with self._lock:
            return list(reversed(self._messages.values()))

    def forget(self, message):
        """Erase a message's record."""
        with self._lock:
            self._messages.pop(message.sid, None)

    def clear(self):
        """Forget who has asked for no more messages."""
        with self._lock:
            self._stopped.clear()

    # From a phone to the application.

    def text(self, phone, number, body, media):
        """A phone texts one of the account's numbers. Returns the message and
        those sent in answer; raises NotOwned."""
        owned = self._exchange.owned(number)
        message = Message("inbound", phone.number, number, body, media)
        self._exchange.tally.begin()
        try:
            self._keep(message)
            self._note("text_sent", body, message.sid, phone, media=message.media)
            self._mind_stop_words(message)
            return message, self._answers(message, owned)
        finally:
            self._exchange.tally.end()

    def _mind_stop_words(self, message):
        """STOP and START are Twilio's business, answered by itself."""
        word = message.body.strip().upper()
        pair = (message.sender, message.receiver)
        if word in START_WORDS:
            with self._lock:
                known = pair in self._stopped
                self._stopped.discard(pair)
            if known:
                self._arrive(message, START_REPLY)
        elif word in STOP_WORDS:
            self._arrive(message, STOP_REPLY)
            with self._lock:
                self._stopped.add(pair)

    def _arrive(self, message, text):
        """Twilio's own reply to a message reaches its sender."""
        phone = self._exchange.phones.find(message.sender)
        self._note("text_received", text, message.sid, phone,
                   sender=message.receiver)

    def _answers(self, message, owned):
        """Bring a message to the application and send what it answers; with
        the fallback URL if the first one fails."""
        try:
            return self._play(message, owned["sms_method"], owned["sms_url"])
        except (webhook.Failure, twiml.TwimlError) as error:
            self._fail(message.sid, error)
            if not owned["sms_fallback_url"]:
                return []
            about = {"ErrorCode": str(error.code), "ErrorUrl": owned["sms_url"]}
        try:
            return self._play(message, owned["sms_fallback_method"],
                              owned["sms_fallback_url"], about)
        except (webhook.Failure, twiml.TwimlError) as error:
            self._fail(message.sid, error)
            return []

    def _play(self, message, method, url, more=None):
        """Carry out the documents, the first and those it redirects to."""
        def warn(code, text):
            self._note("warning", f"{code}: {text}", message.sid, code=code)

        sent = []
        for _ in range(DOCUMENT_LIMIT):
            fields = message.webhook_fields() | (more or {})
            answer = self._request(message.sid, method, url, fields)
            for verb in twiml.read(answer.body, answer.content_type,
                                   "messaging", warn):
                target = urllib.parse.urljoin(answer.url, verb.text())
                if verb.name == "Redirect":
                    method, url = verb.get("method", "POST"), target
                    break
                sent += self._reply(message, verb, answer.url)
            else:
                return sent
        raise twiml.TwimlError(11200, f"more than {DOCUMENT_LIMIT} documents")

    def _reply(self, message, verb, base):
        """docs:messaging/twiml/message: to and from default to the other way
        round of the message answered."""
        parts = verb.children
        texts = [part.body() for part in parts if part.name == "Body"]
        media = [urllib.parse.urljoin(base, part.text())
                 for part in parts if part.name == "Media"]
        body = " ".join(texts) if parts else verb.body()
        urls = {urllib.parse.urljoin(base, verb.get(name))
                for name in ("action", "statusCallback") if verb.get(name)}
        reply = Message("outbound-reply", verb.get("from", message.receiver),
                        verb.get("to", message.sender), body, media,
                        sorted(urls))
        reply.about = message.sid
        try:
            self.check(reply)
        except Refused as error:
            self._fail(message.sid, error)
            return []
        self._keep(reply)
        self._carry(reply)
        return [reply]

    # From the application to a phone.

    def send(self, message):
        """Send a message in the background, once check() has passed it."""
        self._keep(message)
        self._exchange.tally.in_background(self._carry, message)

    def check(self, message):
        """Raise Refused for what Twilio would not take (docs:api/errors)."""
        if not ground.is_e164(message.receiver):
            raise Refused(21211, "Invalid 'To' Phone Number: "
                                 f"{message.receiver}")
        if not self._exchange.owns(message.sender):
            raise Refused(21606, "The 'From' phone number provided "
                                 f"({message.sender}) is not a valid message-"
                                 "capable Twilio phone number")
        if not message.body and not message.media:
            raise Refused(21602, "Message body is required.")
        if len(message.body) > BODY_LIMIT:
            raise Refused(21617, "The concatenated message body exceeds the "
                                 f"{BODY_LIMIT} character limit")
        if len(message.media) > MEDIA_LIMIT:
            raise Refused(21623, "Number of media files exceeds allowed limit")
        with self._lock:
            if (message.receiver, message.sender) in self._stopped:
                raise Refused(21610, "Attempt to send to unsubscribed recipient")

    def _carry(self, message):
        """Bring a message to its phone and report both steps."""
        self._reach(message, "sent")
        phone = self._exchange.phones.find(message.receiver)
        if self._exchange.owns(message.receiver):
            self._note("warning", f"{message.receiver} is a Twilio number; the "
                       "sandbox does not text itself", message.about)
            message.error_code = 30006
        elif phone.behaviour == "unreachable":
            message.error_code = 30003
        else:
            message.arrived = True
            self._note("text_received", message.body, message.about, phone,
                       sender=message.sender, media=message.media)
        self._reach(message, "delivered" if message.arrived else "undelivered")

    def _reach(self, message, status):
        """A message is in a new state; tell who asked."""
        message.status, message.updated_at = status, time.time()
        fields = message.fields() | {
            "AccountSid": self._exchange.account_sid,
            "MessageStatus": status, "SmsStatus": status,
        }
        if message.error_code:
            fields["ErrorCode"] = str(message.error_code)
        if status != "sent":
            fields["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime())
        for url in message.callbacks:
            self._courier.post((message.about, url, fields))

    def _deliver_callback(self, about, url, fields):
        self._exchange.deliver_callback(about, "POST", url, fields, "messaging")

    def _request(self, about, method, url, fields):
        fields = fields | {"AccountSid": self._exchange.account_sid}
        return self._exchange.sender.send("messaging", method, url, fields, about)

    def _keep(self, message):
        with self._lock:
            self._messages[message.sid] = message
            if len(self._messages) > MESSAGES_KEPT:
                self._messages.popitem(last=False)

    def _fail(self, about, error):
        self._note("error", f"{error.code}: {error.text}", about, code=error.code)

    def _note(self, kind, text, about, phone=None, **more):
        if phone:
            more |= {"phone": phone.number, "name": phone.name}
        self._exchange.transcript.add(kind, text, call=about, **more)
