"""Real numbers stay inside: whatever happened to them, they stand in no file of
the installation, in no answer of the API, and in nothing the system tells of
the processes. The only ways out are the Number of a Dial, and a request to
Twilio."""

import base64
import concurrent.futures
import json
import re
import secrets
import urllib.parse

import pytest

import stack as stacks
from client import masked, new_sid

pytestmark = pytest.mark.sanitized


def views(data):
    """Bytes as they are, and as whoever wanted to hide digits in them could
    have meant them."""
    yield data
    yield data[::-1]
    yield from (data[::2], data[1::2])                    # 16-bit characters
    yield urllib.parse.unquote_to_bytes(data)
    for run in re.findall(rb"[0-9A-Fa-f]{20,}", data):
        yield from (bytes.fromhex(run[start:][:len(run[start:]) & ~1].decode())
                    for start in (0, 1))
    for run in re.findall(rb"[A-Za-z0-9+/]{12,}", data):
        for start in range(4):
            code = run[start:]
            yield base64.b64decode(code[:len(code) - (len(code) % 4 == 1)] + b"==")


def search(numbers, texts):
    """Where numbers, which are all +1AAA55501NN, stand in (name, bytes)."""
    wanted = {number[2:].encode() for number in numbers}
    pattern = re.compile(rb"(?=([2-9][0-9]{2}55501[0-9]{2}))")
    return [(name, found) for name, data in texts for view in views(data)
            for found in pattern.findall(view) if found in wanted]


def files(stack):
    """Name and contents of all files of a stack, the sandbox's log left out:
    it is the phone network and may know."""
    for path in sorted(stack.folder.rglob("*")):
        if path.is_file() and path.name not in ("sandbox.log", "stack.out"):
            yield str(path.relative_to(stack.folder)), path.read_bytes()


@pytest.fixture(scope="module")
def canaries(stack):
    """Numbers that went through everything there is, rightly and wrongly."""
    customer, driver, stranger, third = people = stack.persons(4)
    key = {"Idempotency-Key": secrets.token_hex(8)}
    session = stack.create(customer, driver, headers=key, reference="leaks").json
    number = masked(session)
    stack.create(customer, driver, headers=key)
    stack.create(customer, third, headers=key)
    for behaviour in ("answer", "busy", "no-answer", "unreachable"):
        stack.phone(driver, behaviour=behaviour)
        stack.dial(customer, number, callbacks={"duplicate": True})
    stack.dial(stranger, number)
    stack.dial(customer, number, withheld=True)
    # Refusals that have the numbers in all the wrong places.
    wishes = [{customer: 1}, {"reference": [customer]}, {"ttl": customer},
              {"country": customer}, {"parties": customer}, {"parties": [customer]},
              {"parties": [{"role": customer, "phone": driver}] * 2},
              {"parties": [{customer: driver, "role": "a"}] * 2},
              {"parties": [{"role": "a", "phone": customer + "x"}] * 2},
              {"parties": [{"role": "a", "phone": customer},
                           {"role": "b", "phone": customer}]},
              {customer[1:]: customer}]
    bodies = [json.dumps(wish).encode() for wish in wishes]
    bodies += [f'{{"{driver}":1,"{driver}":2}}'.encode(), bodies[-2][:-3],
               customer.encode(), b"\xff" + customer.encode(),
               customer.encode() * 2000]
    for body in bodies:
        assert stack.api("POST", "/v1/sessions", body).status >= 400
    for path in (f"/v1/sessions/{customer[1:]}", f"/v1/{customer[1:]}",
                 f"/v1/sessions/{driver[1:]}/close"):
        assert stack.api("GET", path).status in (404, 405)
        assert stack.api("POST", path, {}).status in (404, 405)
    for query in ("cursor", "status", "limit", driver[1:]):
        stack.api("GET", f"/v1/sessions?{query}={customer[1:]}")
    for path in ("/twilio/voice", "/twilio/voice/ended", "/twilio/status"):
        fields = stack.voice_fields(customer, driver)
        for changes in ({}, {"To": number}, {"CallSid": customer},
                        {"CallStatus": driver}, {"DialCallStatus": driver},
                        {"SequenceNumber": driver[1:]}, {customer: driver},
                        {"ParentCallSid": customer[1:]},
                        {"ParentCallSid": new_sid(), "From": number,
                         "To": driver, "CallStatus": "completed"},
                        {"Timestamp": customer}, {"From": customer + ";x=y"},
                        {"DialCallStatus": "busy", "DialCallSid": driver}):
            stack.webhook(path, {**fields, "CallSid": new_sid(), **changes})
            stack.webhook(path, {**fields, **changes}, "A" * 27 + "=")
    # Texts that hold the numbers, sent, refused by Twilio and by us.
    for sender, body in ((customer, driver), (driver, "STOP"),
                         (customer, customer), (stranger, customer)):
        stack.sandbox("POST", "messages", {
            "from": sender, "to": number, "body": body})
    for to in ("customer", "driver"):
        stack.api("POST", f"/v1/sessions/{session['id']}/messages",
                  {"to": to, "text": f"{customer} {driver}"})
    stack.api("POST", f"/v1/sessions/{session['id']}/messages",
              {"to": customer, "text": driver})
    stack.texts_settled(session)
    for changes in ({}, {"From": customer}, {"Body": driver},
                    {"NumMedia": "1", "MediaUrl0": customer},
                    {"MessageSid": customer}):
        fields = {"MessageSid": "SM" + secrets.token_hex(16), "From": driver,
                  "To": customer, "Body": "x", "NumMedia": "0", **changes}
        stack.webhook("/twilio/message", fields)
        stack.webhook(f"/twilio/message/status/{customer[1:]}", {
            **fields, "MessageStatus": "sent", "ErrorCode": driver[1:]})
    stack.cli("number", "add", customer, driver, check=False)
    stack.cli("session", "show", session["id"])
    stack.close(session)
    stack.dial(customer, number)
    stack.sandbox("POST", "settle")
    return people


def test_the_search_finds_what_is_there(stack):
    """A masked number is no secret: it stands in the environment file and the
    database; and in whatever disguise this test gives it."""
    number = stack.numbers[0]
    found = {name for name, _ in search([number], files(stack))}
    assert "env" in found and found & {"callmask.db", "callmask.db-wal"}
    for start in range(4):
        text = b"\0\xffx;"[:start] + b"tel:" + number.encode() + b"+1 ;"[start:]
        for disguise in (text, text[::-1], text.hex().encode(),
                         b"0" + text.hex().encode(), base64.b64encode(text),
                         b"x" + base64.b64encode(text), text.decode(
                             "latin-1").encode("utf-16-le"),
                         b"".join(b"%%%02x" % byte for byte in text)):
            assert search([number], [("here", disguise)]), disguise


def test_no_file_holds_a_real_number(stack, canaries):
    """Neither these, nor the number of anybody in any test so far."""
    assert set(canaries) <= set(stack.people)
    assert search(stack.people, files(stack)) == []


def test_no_answer_of_the_api_holds_a_real_number(stack, canaries):
    texts = [(str(answer.status), answer.body + str(answer.headers).encode())
             for answer in stack.answers]
    assert len(texts) > 20
    assert search(stack.people, texts) == []


def test_a_real_number_leaves_by_the_number_of_a_dial_alone(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    fields = stack.voice_fields(customer, masked(session))
    document = stack.webhook("/twilio/voice", fields).body
    assert search([customer], [("", document)]) == []
    bare = re.sub(b">[^<]*</Number>", b"></Number>", document)
    assert bare != document and search([driver], [("", bare)]) == []


def test_the_system_tells_nothing_of_them(stack, canaries):
    pids = [pid for part in ("nginx", "outboxd", *stacks.PROGRAMS)
            for pid in (stack.leader(part), *stack.workers(part))]
    texts = [(str(pid), stacks.told_of(pid)) for pid in pids]
    assert b"voice-inbound" in b"".join(text for _, text in texts)
    assert search(stack.people, texts) == []


def test_workers_leave_no_core_behind(stack):
    for program in ("voice-inbound", "session-create", "outboxd"):
        for pid in stack.workers(program):
            with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
                [core] = [line for line in limits
                          if line.startswith("Max core file size")]
            assert core.split()[4:6] == ["0", "0"]


def test_failures_leak_nothing(new_stack):
    """The same search, on a stack where everything went wrong."""
    stack = new_stack()
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    other = stack.connect("rw")
    other.execute("BEGIN IMMEDIATE")
    fields = stack.voice_fields(customer, masked(session))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(stack.voice, customer, masked(session))
        pool.submit(stack.create, *stack.persons(2))
        pool.submit(stack.report, new_sid(), "completed", ParentCallSid=new_sid(),
                    From=masked(session), To=driver)
        pool.submit(stack.webhook, "/twilio/voice/ended",
                    {**fields, "DialCallStatus": "busy"})
    other.execute("ROLLBACK")
    other.close()
    (stack.folder / "callmask.db").rename(stack.folder / "away.db")
    stack.voice(customer, masked(session))
    stack.create(*stack.persons(2))
    stack.report(new_sid(), "completed", From=customer, To=masked(session))
    (stack.folder / "away.db").rename(stack.folder / "callmask.db")
    stack.set_conf("secrets.conf", "sealing_keys", "1:" + "A" * 43 + "=")
    stack.restart("voice-inbound")
    stack.voice(customer, masked(session))
    assert stack.counters()["requests_failed"] >= 3
    assert search(stack.people, files(stack)) == []
    texts = [("", answer.body) for answer in stack.answers]
    assert search(stack.people, texts) == []
