"""Twilio's reports come twice, late, out of order, or about calls nobody knows.
They leave the same record as if they had come as they should."""

import itertools
import random
import secrets
import urllib.parse

import pytest

from client import masked, new_sid

pytestmark = pytest.mark.sanitized

REPORTS = (
    ("initiated", {"SequenceNumber": "0", "Timestamp": "Sun, 22 Nov 2026 16:00:00 +0000"}),
    ("ringing", {"SequenceNumber": "1", "Timestamp": "Sun, 22 Nov 2026 16:00:02 +0000"}),
    ("in-progress", {"SequenceNumber": "2", "Timestamp": "Sun, 22 Nov 2026 16:00:09 +0000"}),
    ("completed", {"SequenceNumber": "3", "Timestamp": "Sun, 22 Nov 2026 16:00:16 +0000",
                   "CallDuration": "7", "Duration": "1"}),
)
DIAL_ENDED = ("the Dial's action", {"DialCallStatus": "completed",
                                    "DialCallDuration": "7",
                                    "DialBridged": "true"})
AT = 1795363200                       # 16:00:00 of that day
LEG = ("SELECT status, sequence, ringing_at, answered_at, ended_at, duration_s, "
       "session_id, service_id IS NULL FROM call WHERE sid = ?")


class Call:
    """A call under way: the leg that was dialled, and the one that rings."""

    def __init__(self, stack, people=None):
        self.stack = stack
        self.caller, self.callee = people or stack.persons(2)
        self.session = stack.open(self.caller, self.callee)
        self.number = masked(self.session)
        self.dial()

    def dial(self, ask=True):
        """The caller dials (again). Without ask, we never hear of it."""
        self.sid, self.child = new_sid(), new_sid()
        if ask:
            assert self.stack.voice(self.caller, self.number, self.sid).rings

    def send(self, report):
        """Send one report about the leg that rings, or the Dial's action."""
        status, fields = report
        if report is DIAL_ENDED:
            fields = {**self.stack.voice_fields(self.caller, self.number, self.sid),
                      "DialCallSid": self.child, **fields}
            assert self.stack.webhook("/twilio/voice/ended", fields).status == 200
            return
        answer = self.stack.report(
            self.child, status, ParentCallSid=self.sid, To=self.callee,
            From=self.number, Direction="outbound-dial", **fields)
        assert answer.twiml.verbs == []

    def told(self):
        """The events of this call."""
        return self.stack.rows(
            "SELECT type, detail FROM event JOIN call ON call.id = subject_id "
            "WHERE call.sid = ? ORDER BY seq", self.sid)

    def leg(self):
        """The record of the leg that rings."""
        [row] = self.stack.rows(LEG, self.child)
        return row


@pytest.mark.parametrize("reports", (REPORTS, (*REPORTS, DIAL_ENDED)),
                         ids=("24 orders", "120 orders, with the action"))
def test_every_order_leaves_the_same_record(stack, reports):
    call = Call(stack)
    shown = set()
    for number, order in enumerate(itertools.permutations(reports)):
        if number:
            call.dial()
        again = order[number % len(order)]
        for report in order:
            call.send(report)
            if report is again:
                call.send(report)
        for report in order[::-1] if number % 5 == 0 else (again,):
            call.send(report)
        assert call.leg() == ("completed", 3, AT + 2, AT + 9, AT + 16, 7,
                              call.session["id"], 0), order
        newest = stack.get(call.session)["calls"][0]
        shown.add(tuple(newest[name] for name in (
            "from", "reason", "status", "ringing_at", "answered_at", "ended_at",
            "duration")))
        told = call.told()
        assert told[0] == ("call.started", "connected")
        assert told.count(("call.ended", "completed")) == 1
        assert len(told) == len(set(told))
    assert shown == {("customer", "connected", "completed",
                      "2026-11-22T16:00:02Z", "2026-11-22T16:00:09Z",
                      "2026-11-22T16:00:16Z", 7)}


def test_a_call_under_way_does_not_go_back(stack):
    call = Call(stack)
    for order in itertools.permutations(REPORTS[:3]):
        call.dial()
        for report in order + order:
            call.send(report)
        assert call.leg()[:5] == ("in-progress", 2, AT + 2, AT + 9, None), order


@pytest.mark.parametrize("order", ("caller first", "callee first"))
def test_the_end_is_told_once_whoever_tells_it_first(stack, order):
    """The caller's own end, by the action without a leg or by the number's
    status callback, and that of the leg that rang."""
    call = Call(stack)
    fields = stack.voice_fields(call.caller, call.number, call.sid)
    ends = [lambda: stack.webhook("/twilio/voice/ended",
                                  {**fields, "DialCallStatus": "completed"}),
            lambda: stack.webhook("/twilio/status",
                                  {**fields, "CallStatus": "completed"}),
            lambda: call.send(REPORTS[3])]
    for end in (ends if order == "caller first" else ends[::-1]) * 2:
        end()
    assert [kind for kind, _ in call.told()] == ["call.started", "call.ended"]


@pytest.mark.parametrize("final", ("completed", "busy", "failed", "no-answer",
                                   "canceled"))
def test_final_stays_final(stack, final):
    call = Call(stack)
    call.send((final, {"SequenceNumber": "2"}))
    before = call.told()
    for late in ("queued", "initiated", "ringing", "in-progress", "completed",
                 "busy", "failed", "no-answer", "canceled"):
        for sequence in ("0", "9", ""):
            call.send((late, {"SequenceNumber": sequence}))
    assert call.leg()[0] == final
    assert stack.get(call.session)["calls"][0]["status"] == final
    assert call.told() == before


def test_reports_without_sequence_number_only_go_on(stack):
    call = Call(stack)
    for status, after in (("ringing", "ringing"), ("initiated", "ringing"),
                          ("in-progress", "in-progress"),
                          ("ringing", "in-progress"), ("busy", "busy"),
                          ("in-progress", "busy")):
        call.send((status, {}))
        assert call.leg()[0] == after


def test_a_call_nobody_knows_is_noted_once_and_answered(stack):
    counted = stack.counters()["webhooks_unknown"]
    sid = new_sid()
    for status in ("ringing", "completed", "completed"):
        answer = stack.report(sid, status, From="+12025550150",
                              To="+12025550188", SequenceNumber="0")
        assert answer.twiml.verbs == []
    assert stack.counters()["webhooks_unknown"] == counted + 3
    [row] = stack.rows(LEG, sid)
    assert (row[0], row[6:]) == ("completed", (None, 1))
    assert "webhook_unknown" in stack.read("log/status-callback.log")


def test_a_strange_call_on_our_number_is_noted(stack):
    sid = new_sid()
    stack.report(sid, "completed", From="+12025550150", To=stack.numbers[0])
    [row] = stack.rows(LEG, sid)
    assert (row[0], row[6:]) == ("completed", (None, 0))


def test_a_call_whose_record_was_lost_is_found_again(stack):
    """Its own record could not be written; the reports bring it back."""
    call = Call(stack)
    call.dial(ask=False)
    for report in REPORTS:
        call.send(report)
    newest = stack.get(call.session)["calls"][0]
    assert (newest["reason"], newest["status"]) == ("connected", "completed")
    assert call.told()[-1] == ("call.ended", "completed")


def test_the_end_of_an_unknown_dial_is_answered(stack):
    counted = stack.counters()["webhooks_unknown"]
    fields = stack.voice_fields("+12025550150", "+12025550188")
    answer = stack.webhook("/twilio/voice/ended", {
        **fields, "DialCallStatus": "busy", "DialCallSid": new_sid()})
    assert answer.twiml.said.startswith("The line is busy.")
    assert stack.counters()["webhooks_unknown"] == counted + 1


@pytest.mark.parametrize("status, said", (
    ("busy", "The line is busy."), ("no-answer", "There is no answer."),
    ("failed", "The call could not"), ("completed", ""), ("canceled", "")))
def test_what_the_caller_hears_when_the_dial_is_over(stack, status, said):
    call = Call(stack)
    fields = {**stack.voice_fields(call.caller, call.number, call.sid),
              "DialCallStatus": status}
    for child in ("", new_sid(), "nonsense"):
        twiml = stack.webhook("/twilio/voice/ended",
                              {**fields, "DialCallSid": child}).twiml
        assert twiml.said.startswith(said) and bool(twiml.said) == bool(said)
        assert twiml.verbs[-1] == "Hangup"


@pytest.mark.parametrize("field, values", (
    ("CallStatus", ("", "done", "RINGING", "ringing ", "answered", "ringing\n",
                    "complete", "0", "ringing\x7f", "é", "x" * 9000)),
    ("CallSid", ("", "CA", "CA" + "0" * 31, "CA" + "0" * 33, "CA" + "g" * 32,
                 "XX" + "0" * 32, "ca" + "0" * 32)),
    ("ParentCallSid", ("CA", "CA" + "0" * 33, "null", " ")),
    ("SequenceNumber", ("-1", "x", "1.5", "10000000000", " 1", "+1", "0x1")),
    ("CallDuration", ("-1", "x", "7 s", "99999999999")),
), ids=lambda value: value if isinstance(value, str) else "")
def test_garbage_is_refused(stack, field, values):
    before = stack.tables()
    good = {"CallSid": new_sid(), "CallStatus": "ringing",
            "From": "+12025550150", "To": stack.numbers[0]}
    for value in values:
        answer = stack.webhook("/twilio/status", {**good, field: value})
        assert answer.problem == (422, "invalid_field", field)
    for missing in ("CallSid", "CallStatus"):
        fewer = {name: good[name] for name in good if name != missing}
        assert stack.webhook("/twilio/status", fewer).problem == (
            422, "invalid_field", missing)
    assert stack.tables() == before


def test_a_field_given_twice_is_not_chosen_from(stack):
    fields = {"CallSid": new_sid(), "CallStatus": "ringing"}
    body = urllib.parse.urlencode(fields) + "&CallStatus=ringing"
    answer = stack.request("POST", "/twilio/status", body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": stack.sign("/twilio/status", fields)})
    assert answer.problem == (422, "invalid_field", "CallStatus")


@pytest.mark.parametrize("field, value", (
    ("DialCallStatus", "ringing"), ("DialCallStatus", ""), ("CallSid", "CA"),
    ("DialCallDuration", "long")))
def test_a_garbled_end_is_refused(stack, field, value):
    before = stack.tables()
    fields = {**stack.voice_fields("+12025550150", stack.numbers[0]),
              "DialCallStatus": "busy", field: value}
    assert stack.webhook("/twilio/voice/ended", fields).problem == (
        422, "invalid_field", field)
    assert stack.tables() == before


@pytest.mark.parametrize("chaos", (
    {"duplicate": True}, {"reverse": True}, {"duplicate": True, "reverse": True},
    {"drop": True}), ids=str)
@pytest.mark.parametrize("behaviour, status", (("answer", "completed"),
                                               ("busy", "busy"),
                                               ("no-answer", "no-answer")))
def test_a_network_that_loses_its_head(stack, chaos, behaviour, status):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.phone(driver, behaviour=behaviour)
    stack.dial(customer, masked(session), callbacks=chaos)
    [told] = stack.get(session)["calls"]
    assert (told["reason"], told["status"]) == ("connected", status)
    assert told["ended_at"]
    events = stack.events(session)
    assert events.count(("call.ended", status)) == 1
    assert [kind for kind, _ in events].count("call.ended") == 1
    assert [kind for kind, _ in events].count("call.started") == 1


def test_the_end_of_a_refused_call_is_no_news(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    stack.close(session)
    stack.dial(customer, masked(session))
    assert stack.events(session)[-1] == ("call.refused", "session_closed")


def test_odd_forms_rightly_signed(stack):
    """They may be written down, but connect nobody and break nothing."""
    seed = secrets.randbits(32)
    print("seed", seed)
    random_ = random.Random(seed)
    customer, driver = stack.persons(2)
    number = masked(stack.open(customer, driver))
    odd = ("", " ", "+", "CA", "x" * 5000, "\n", "é", "🚕", "%00", "'", "\"",
           "<>&", "+1", "0", "-1", "1e9", "99999999999", "null", customer + " ",
           "+" + customer, number, "anonymous")
    statuses = set()
    for turn in range(300):
        path = ("/twilio/voice", "/twilio/voice/ended", "/twilio/status")[turn % 3]
        fields = {**stack.voice_fields(customer, number, new_sid()),
                  "ParentCallSid": new_sid(), "DialCallStatus": "completed",
                  "DialCallSid": new_sid(), "DialCallDuration": "1",
                  "SequenceNumber": "1", "CallDuration": "1",
                  "Timestamp": "Sun, 22 Nov 2026 16:00:00 +0000"}
        spoiled = random_.sample(sorted(fields), random_.randrange(1, 5))
        fields |= {name: random_.choice(odd) for name in spoiled}
        answer = stack.webhook(path, fields)
        statuses.add(answer.status)
        assert answer.status in (200, 422), (path, fields, answer)
        if answer.status == 200 and answer.twiml.rings:
            assert (fields["From"], fields["To"]) == (customer, number)
            assert answer.twiml.rings == driver
    assert statuses == {200, 422}
