"""Texts, from phone to phone: relayed, refused, redacted, sent for the app,
followed to their end; each once, in order, and kept no longer than need be."""

import base64
import http.client
import secrets
import time
import urllib.parse

import pytest

from client import masked

pytestmark = pytest.mark.sanitized

TEXT_ENDED = "Your trip has ended, so this number passes on no more texts."
TEXT_OFF = "Texts are not possible on this trip. Yours was not passed on."


def until(test, seconds=15):
    """The first true thing that test returns."""
    end = time.time() + seconds
    while not (found := test()):
        assert time.time() < end, "it did not come"
        time.sleep(0.01)
    return found


def text(stack, sender, number, body="Hello", **more):
    """A phone texts a masked number; what it gets in answer."""
    result = stack.sandbox("POST", "messages", {
        "from": sender, "to": number, "body": body, **more})
    assert not [entry for entry in result["transcript"]
                if entry["kind"] in ("error", "warning")], result
    for answer in result["received"]:
        assert (answer["phone"], answer["from"]) == (sender, number)
    return [answer["body"] for answer in result["received"]]


def inbox(stack, phone):
    """What a phone has received: number shown, text, media."""
    return [(entry["sender"], entry["text"], entry.get("media", []))
            for entry in stack.sandbox("GET", "transcript")["entries"]
            if entry["kind"] == "text_received" and entry["phone"] == phone]


def opened(stack, **more):
    """Two people, their session, and the number both dial."""
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver, **more)
    return customer, driver, session, masked(session)


def send(stack, session, **note):
    """The app texts parties of a session; the answer as it is."""
    return stack.api("POST", f"/v1/sessions/{session['id']}/messages", note)


def kept(stack):
    """How many texts the database still holds."""
    return stack.one("SELECT count(*) FROM message "
                     "WHERE body_sealed IS NOT NULL")


def forgotten(stack):
    """What was written is kept no longer than until the worker has heard that
    Twilio took it; a report may be faster."""
    return until(lambda: kept(stack) == 0)


@pytest.fixture(name="setting")
def setting_of_the_service(stack):
    """Changes a setting for one test."""
    undo = []

    def change(name, value, standard):
        stack.cli("service", "set", f"{name}={value}")
        undo.append(f"{name}={standard}")

    yield change
    for line in undo:
        stack.cli("service", "set", line)


def test_two_people_text_each_other(stack):
    customer, driver, session, number = opened(stack)
    assert text(stack, customer, number, "I wait at the gate.\nGrüße 👋") == []
    assert text(stack, driver, number, "2 minutes") == []
    second, first = stack.texts_settled(session)
    assert inbox(stack, driver) == [(number, "I wait at the gate.\nGrüße 👋", [])]
    assert inbox(stack, customer) == [(number, "2 minutes", [])]
    assert (first["from"], first["to"]) == ("customer", "driver")
    assert (second["from"], second["to"]) == ("driver", "customer")
    for message in (first, second):
        assert (message["reason"], message["status"]) == ("relayed", "delivered")
        assert message["error"] is None and message["sent_at"]
        assert "text" not in message and "body" not in message
        answer = stack.api("GET", f"/v1/messages/{message['id']}")
        assert answer.json == message
    assert sorted(stack.events(session)) == [
        ("message.delivered", None)] * 2 + [("message.relayed", None)] * 2 + [
        ("session.opened", None)]
    assert forgotten(stack)


def test_each_sees_the_number_they_dial(stack):
    """Where the two have a number each, a text goes from one to the other."""
    customer, driver, third = stack.persons(3)
    for number in stack.numbers[:-1]:
        stack.open(customer, stack.person(), masked_number=number)
    stack.open(third, driver, masked_number=stack.numbers[-1])
    session = stack.open(customer, driver)
    theirs, his = (party["masked_number"] for party in session["parties"])
    assert theirs != his
    text(stack, customer, theirs, "Where?")
    stack.texts_settled(session)
    assert inbox(stack, driver) == [(his, "Where?", [])]


def test_pictures_are_passed_on(stack):
    customer, driver, session, number = opened(stack)
    media = ["https://example.com/a.png?x=1&y=2", "https://example.com/b.jpg"]
    text(stack, customer, number, "", media=media)
    text(stack, customer, number, "two", media=media[:1])
    newer, older = stack.texts_settled(session)
    assert inbox(stack, driver) == [(number, "", media), (number, "two", media[:1])]
    assert (older["media"], newer["media"]) == (2, 1)


def test_texts_keep_their_order(stack):
    customer, driver, session, number = opened(stack)
    for count in range(12):
        text(stack, customer, number, f"text {count}")
    stack.texts_settled(session)
    assert [body for _, body, _ in inbox(stack, driver)] \
        == [f"text {count}" for count in range(12)]


def test_stop_words_are_words(stack):
    """Twilio minds them and delivers them all the same; so do we."""
    customer, driver, session, number = opened(stack)
    for word in ("cancel", "Cancel the trip", "STOP"):
        stack.sandbox("POST", "messages", {
            "from": customer, "to": number, "body": word})
    stack.texts_settled(session)
    assert [body for _, body, _ in inbox(stack, driver)] \
        == ["cancel", "Cancel the trip", "STOP"]


def test_who_wants_no_texts_gets_none(stack):
    """Twilio refuses a text to who has sent it STOP: 21610, not tried again."""
    customer, driver, session, number = opened(stack)
    stack.sandbox("POST", "messages", {
        "from": driver, "to": number, "body": "STOP"})
    text(stack, customer, number, "Hello?")
    message = stack.texts_settled(session)[0]
    assert (message["status"], message["error"]) == ("failed", 21610)
    assert ("message.failed", "21610") in stack.events(session)
    assert stack.one("SELECT attempts FROM outbox WHERE subject_id = ?",
                     message["id"]) == 1
    assert "Hello?" not in [body for _, body, _ in inbox(stack, driver)]
    assert forgotten(stack)


def test_a_phone_that_is_off(stack):
    customer, driver, session, number = opened(stack)
    stack.phone(driver, behaviour="unreachable")
    text(stack, customer, number)
    message, = stack.texts_settled(session)
    assert (message["status"], message["error"]) == ("undelivered", 30003)
    assert stack.events(session)[-1] == ("message.failed", "30003")


def test_late_senders_are_told_once(stack):
    customer, driver, session, number = opened(stack)
    stack.close(session)
    assert text(stack, customer, number) == [TEXT_ENDED]
    assert text(stack, customer, number, "again") == []
    assert text(stack, driver, number) == [TEXT_ENDED]
    messages = stack.texts_settled(session)
    assert {message["reason"] for message in messages} == {"session_closed"}
    assert {(message["from"], message["to"]) for message in messages} == {
        ("customer", None), ("driver", None)}
    assert stack.events(session).count(("message.refused", "session_closed")) == 3
    assert [body for _, body, _ in inbox(stack, driver)] == [TEXT_ENDED]


def test_who_may_text(stack):
    customer, driver, session, number = opened(stack, text="driver")
    assert text(stack, customer, number) == [TEXT_OFF]
    assert text(stack, driver, number, "fine") == []
    messages = stack.texts_settled(session)
    assert [message["reason"] for message in messages] == ["relayed", "text_off"]
    assert inbox(stack, customer) == [(number, TEXT_OFF, []),
                                      (number, "fine", [])]


def test_strangers_get_no_word(stack):
    _, driver, session, number = opened(stack)
    before = len(stack.rows("SELECT id FROM message"))
    assert text(stack, stack.person(), number) == []
    for sender in ("ACME", "anonymous", "", "+266696687", "72345"):
        answer = stack.webhook("/twilio/message", {
            "MessageSid": "SM" + secrets.token_hex(16), "From": sender,
            "To": number, "Body": "Hi", "NumMedia": "0"})
        assert answer.twiml.verbs == []
    rows = stack.rows("SELECT reason, status, from_party, body_sealed "
                      "FROM message ORDER BY id")[before:]
    assert sorted(row[0] for row in rows) == [
        "caller_unknown"] * 3 + ["caller_withheld"] * 3
    assert {row[1:] for row in rows} == {("refused", None, None)}
    assert stack.get(session)["messages"] == []
    assert inbox(stack, driver) == []


def test_the_same_text_twice_is_one(stack):
    customer, driver, session, number = opened(stack)
    fields = {"MessageSid": "SM" + secrets.token_hex(16), "From": customer,
              "To": number, "Body": "once", "NumMedia": "0"}
    for _ in range(3):
        assert stack.webhook("/twilio/message", fields).twiml.verbs == []
    stack.texts_settled(session)
    assert [body for _, body, _ in inbox(stack, driver)] == ["once"]
    stack.close(session)
    fields["MessageSid"] = "SM" + secrets.token_hex(16)
    for _ in range(2):
        assert stack.webhook("/twilio/message", fields).twiml.verbs == ["Message"]


@pytest.mark.parametrize("changes, field", [
    ({"MessageSid": "x"}, "MessageSid"), ({"NumMedia": "x"}, "NumMedia"),
    ({"NumMedia": "1"}, "MediaUrl0"), ({"Body": "x" * 1601}, "Body"),
    ({"NumMedia": "1", "MediaUrl0": "file:///etc/passwd"}, "MediaUrl0"),
])
def test_forms_that_twilio_never_sends(stack, unchanged, changes, field):
    fields = {"MessageSid": "SM" + secrets.token_hex(16), "Body": "x",
              "From": "+12025550199", "To": stack.numbers[0], "NumMedia": "0"}
    answer = stack.webhook("/twilio/message", fields | changes)
    assert answer.problem == (422, "invalid_field", field)
    assert stack.webhook("/twilio/message", fields, "A" * 27 + "=").problem[:2] \
        == (403, "signature_invalid")


def test_redaction(stack, setting):
    setting("redact", 1, 0)
    customer, driver, session, number = opened(stack)
    text(stack, customer, number, f"call me: {customer}, or two o two five five "
         "five o one four seven at 14:30; a@example.com, t.me/a")
    text(stack, customer, number, "", media=[
        "https://example.com/card.vcf", "https://example.com/a.jpg"])
    stack.texts_settled(session)
    assert inbox(stack, driver) == [
        (number, "call me: ***, or *** at 14:30; ***, ***", []),
        (number, "***", ["https://example.com/a.jpg"])]


def test_texts_of_the_app(stack):
    customer, driver, session, number = opened(stack)
    answer = send(stack, session, to="driver", text="Gate 5, please")
    assert answer.status == 202
    message, = answer.json["messages"]
    assert (message["from"], message["to"], message["reason"],
            message["status"]) == (None, "driver", "from_app", "waiting")
    for note in ({"text": "To both"}, {"to": "both", "text": "Again"}):
        assert [each["to"] for each in send(stack, session, **note).json[
            "messages"]] == ["customer", "driver"]
    stack.texts_settled(session)
    assert inbox(stack, driver) == [(number, "Gate 5, please", []),
                                    (number, "To both", []),
                                    (number, "Again", [])]
    assert inbox(stack, customer) == [(number, "To both", []),
                                      (number, "Again", [])]
    assert stack.api("GET", f"/v1/messages/{message['id']}").json["status"] \
        == "delivered"
    assert forgotten(stack)


def test_a_note_asked_for_twice_is_sent_once(stack):
    _, driver, session, _ = opened(stack)
    path = f"/v1/sessions/{session['id']}/messages"
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first, second = (stack.api("POST", path, {"to": "driver", "text": "x"},
                               headers=key) for _ in range(2))
    assert (first.status, first.json) == (second.status, second.json)
    assert second.headers["Idempotent-Replayed"] == "true"
    stack.texts_settled(session)
    assert len(inbox(stack, driver)) == 1


def test_the_last_word_of_the_app_arrives(stack):
    """Written before the session was closed, it is sent after."""
    _, driver, session, number = opened(stack)
    assert send(stack, session, to="driver", text="Thank you").status == 202
    stack.close(session)
    assert send(stack, session, to="driver", text="late").problem[:2] \
        == (409, "session_ended")
    stack.texts_settled(session)
    assert inbox(stack, driver) == [(number, "Thank you", [])]


@pytest.mark.parametrize("note, field", [
    ({}, "text"), ({"text": ""}, "text"), ({"text": 5}, "text"),
    ({"text": "ü" * 1601}, "text"), ({"text": "x", "to": "other"}, "to"),
    ({"text": "x", "to": ["driver"]}, "to"), ({"text": "x", "at": 1}, "at"),
])
def test_notes_that_are_refused(stack, note, field):
    _, driver, session, _ = opened(stack)
    assert send(stack, session, **note).problem == (422, "invalid_field", field)
    assert send(stack, session, text="ü" * 1600, to="driver").status == 202
    assert len(stack.texts_settled(session)) == 1
    assert [len(body) for _, body, _ in inbox(stack, driver)] == [1600]


def test_who_may_look(stack):
    _, _, session, _ = opened(stack)
    message, = send(stack, session, to="driver", text="x").json["messages"]
    other = stack.new_service(secrets.token_hex(4))
    path = f"/v1/messages/{message['id']}"
    assert stack.api("GET", path, key=other).problem[:2] == (404, "not_found")
    assert stack.api("GET", path, key="x").status == 401
    assert stack.api("GET", "/v1/messages/none").problem[:2] == (404, "not_found")
    assert stack.api("POST", f"/v1/sessions/{session['id']}/messages",
                     {"text": "x"}, key=other).problem[:2] == (404, "not_found")
    stack.texts_settled(session)


def test_states_come_late_twice_and_backwards(stack):
    _, _, session, _ = opened(stack)
    message, = send(stack, session, to="driver", text="x").json["messages"]
    message, = stack.texts_settled(session)
    path = f"/twilio/message/status/{message['id']}"
    sid = stack.one("SELECT sent_sid FROM message WHERE id = ?", message["id"])
    before = stack.events(session)
    for status in ("sent", "failed", "delivered", "queued"):
        answer = stack.webhook(path, {"MessageSid": sid, "MessageStatus": status})
        assert answer.twiml.verbs == []
    other = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "failed"}
    for unknown in (path, "/twilio/message/status/msg_0"):
        assert stack.webhook(unknown, other).twiml.verbs == []
    assert stack.get(session)["messages"] == [message]
    assert stack.events(session) == before
    for field in ("MessageSid", "MessageStatus", "ErrorCode"):
        answer = stack.webhook(path, other | {field: "x"})
        assert answer.problem == (422, "invalid_field", field)


def test_texts_are_kept_for_who_asks(stack, setting):
    setting("keep-texts", 30, 0)
    _, driver, session, _ = opened(stack)
    send(stack, session, to="driver", text="kept: 5550147")
    stack.texts_settled(session)
    assert kept(stack) == 1
    for path in stack.folder.glob("callmask.db*"):
        if path.is_file():
            assert b"5550147" not in path.read_bytes()
    stack.bend("UPDATE message SET body_sealed = NULL")


def rest_send(stack, **fields):
    """A message that is sent past callmask, by Twilio's REST API."""
    line = http.client.HTTPConnection(
        "127.0.0.1", int(stack.env["SANDBOX_URL"].rpartition(":")[2]))
    account = stack.env["TWILIO_ACCOUNT_SID"]
    user = f"{account}:{stack.env['TWILIO_AUTH_TOKEN']}".encode()
    line.request("POST", f"/2010-04-01/Accounts/{account}/Messages.json",
                 urllib.parse.urlencode(fields),
                 {"Authorization": b"Basic " + base64.b64encode(user),
                  "Content-Type": "application/x-www-form-urlencoded"})
    assert line.getresponse().status == 201
    line.close()


@pytest.mark.parametrize("arrived", [True, False])
def test_in_doubt_it_looks_first(stack, arrived):
    """A worker died with a text in its hands: whether it had arrived or not,
    it arrives once."""
    customer, driver, session, number = opened(stack)
    text(stack, customer, number, "before")
    stack.texts_settled(session)
    with stack.texts_held(session):
        text(stack, customer, number, "before")
        stack.bend("UPDATE outbox SET doubt = 1 WHERE kind = 'message' AND "
             "state = 'waiting'")
        if arrived:
            rest_send(stack, To=driver, From=number, Body="before")
    until(lambda: stack.get(session)["messages"][0]["sent_at"])
    stack.sandbox("POST", "settle")
    assert [body for _, body, _ in inbox(stack, driver)] == ["before"] * 2


def test_a_lost_answer_is_no_second_text(stack):
    customer, driver, session, number = opened(stack)
    stack.sandbox("POST", "lose", {"answers": 1})
    text(stack, customer, number, "once")
    message, = stack.texts_settled(session)
    assert message["status"] == "delivered"
    until(lambda: stack.one("SELECT count(*) FROM attempt JOIN outbox ON id = "
                            "delivery_id WHERE subject_id = ?", message["id"]))
    stack.bend("UPDATE outbox SET due_at_ms = 0 WHERE subject_id = ?",
         message["id"])
    stack.open(*stack.persons(2))         # wakes the worker
    until(lambda: stack.one("SELECT state = 'done' FROM outbox WHERE "
                            "subject_id = ?", message["id"]))
    assert [body for _, body, _ in inbox(stack, driver)] == ["once"]
    assert forgotten(stack)


def test_what_would_come_late_does_not_come(stack):
    """Closed before the worker came to it; a driver replaced; an hour old."""
    stories = [(*opened(stack), why) for why in (
        "session_closed", "party_replaced", "late")]
    for customer, driver, session, number, why in stories:
        with stack.texts_held(session):
            text(stack, customer, number)
            if why == "session_closed":
                stack.close(session)
            elif why == "party_replaced":
                stack.api("PATCH", f"/v1/sessions/{session['id']}", {"parties": [
                    {"role": "driver", "phone": stack.person()}]})
            else:
                stack.bend("UPDATE message SET created_at = created_at - 3601 "
                     "WHERE session_id = ?", session["id"])
        message, = stack.texts_settled(session)
        assert (message["status"], message["error"]) == ("failed", None)
        assert stack.events(session)[-1] == ("message.failed", why)
        assert inbox(stack, driver) == []
    assert forgotten(stack)
