"""Dial and its nouns: who rings, what they see, who talks, what the action
hears of it."""

import time

import pytest
from conftest import CUSTOMER, DRIVER, MASKED, OTHER, SPARE, codes, kinds


def dial(inside=DRIVER, **attributes):
    attributes = {"callerId": MASKED, "action": "/done", **attributes}
    text = "".join(f' {name}="{value}"' for name, value in attributes.items()
                   if value is not None)
    return f"<Dial{text}>{inside}</Dial>"


@pytest.fixture(autouse=True)
def action(app):
    app.on("/done", "")


def test_masked_call_connects(app, sandbox):
    sandbox.phone(DRIVER, name="driver")
    app.on("/twilio/voice", dial())
    view = sandbox.call()
    assert view["connected"] and view["status"] == "completed"
    rung, = view["rang"]
    assert (rung["phone"], rung["showed"], rung["status"]) \
        == (DRIVER, MASKED, "completed")
    done, = app.at("/done")
    assert (done["DialCallStatus"], done["DialBridged"], done["CallStatus"]) \
        == ("completed", "true", "in-progress")
    assert done["DialCallSid"] == rung["sid"]
    assert 5 <= int(done["DialCallDuration"]) <= 8
    assert kinds(view) == ["dials", "shows", "rings", "answers", "connected",
                           "hangs_up", "ended", "ended"]
    shows = next(e for e in view["transcript"] if e["kind"] == "shows")
    assert (shows["phone"], shows["name"], shows["text"]) \
        == (DRIVER, "driver", MASKED)


def test_real_number_does_not_reach_the_callee(app, sandbox):
    app.on("/twilio/voice", dial())
    view = sandbox.call()
    assert CUSTOMER not in str(view["rang"]) + str(
        [e for e in view["transcript"] if e["phone"] == DRIVER])


def test_missing_caller_id_shows_the_leak(app, sandbox):
    app.on("/twilio/voice", dial(callerId=None))
    view = sandbox.call()
    assert view["rang"][0]["showed"] == CUSTOMER
    assert "warning" in kinds(view)


@pytest.mark.parametrize("number", [OTHER, "anonymous", "+1202"])
def test_foreign_caller_id_is_an_application_error(app, sandbox, number):
    app.on("/twilio/voice", dial(callerId=number))
    view = sandbox.call()
    assert view["heard"] == ["An application error has occurred. Goodbye."]
    assert (view["status"], view["rang"], codes(view)) == ("failed", [], [13214])


@pytest.mark.parametrize("number", [SPARE, MASKED, CUSTOMER])
def test_caller_id_may_be_owned_or_of_this_call(app, sandbox, number):
    app.on("/twilio/voice", dial(callerId=number))
    assert sandbox.call()["rang"][0]["showed"] == number


@pytest.mark.parametrize("behaviour, status, sip, steps", [
    ("busy", "busy", "486", ["initiated", "busy"]),
    ("decline", "busy", "603", ["initiated", "ringing", "busy"]),
    ("unreachable", "failed", "404", ["initiated", "failed"]),
    ("no-answer", "no-answer", "487", ["initiated", "ringing", "no-answer"]),
])
def test_nobody_talks(app, sandbox, behaviour, status, sip, steps):
    sandbox.phone(DRIVER, behaviour=behaviour)
    app.on("/leg", "")
    app.on("/done", "<Say>Sorry.</Say>")
    app.on("/twilio/voice", dial(
        '<Number statusCallback="/leg" statusCallbackEvent="initiated ringing '
        f'answered completed">{DRIVER}</Number>', timeout=5))
    view = sandbox.call()
    assert not view["connected"] and view["heard"] == ["Sorry."]
    assert view["rang"][0]["status"] == status
    done, = app.at("/done")
    assert (done["DialCallStatus"], done["DialBridged"],
            done["DialCallDuration"]) == (status, "false", "0")
    assert [asked["CallStatus"] for asked in app.at("/leg")] == steps
    assert app.at("/leg")[-1]["SipResponseCode"] == sip


def test_ring_timeout_has_five_seconds_more(app, sandbox):
    sandbox.phone(DRIVER, answer_after=8)
    app.on("/twilio/voice", dial(timeout=5), dial(timeout=5))
    assert sandbox.call()["connected"]
    assert not sandbox.call(answer_after=12)["connected"]


def test_time_limit_ends_the_talk_not_the_call(app, sandbox):
    sandbox.phone(DRIVER, behaviour="manual")
    sandbox.phone(CUSTOMER, behaviour="manual")
    app.on("/done", "<Say>Time is up.</Say>")
    app.on("/twilio/voice", dial(timeLimit=20))
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "answer", DRIVER)
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == ["Time is up."]
    assert 20 <= int(app.at("/done")[0]["DialCallDuration"]) <= 23


def test_caller_hangs_up_while_talking(app, sandbox):
    sandbox.phone(CUSTOMER, talk_for=3)
    app.on("/done", "<Say>never</Say>")
    app.on("/twilio/voice", dial())
    view = sandbox.call()
    assert view["heard"] == [] and view["connected"]
    done, = app.at("/done")
    assert (done["CallStatus"], done["DialBridged"]) == ("completed", "true")


def test_caller_hangs_up_while_it_rings(app, sandbox):
    sandbox.phone(DRIVER, behaviour="manual")
    app.on("/twilio/voice", dial(answerOnBridge="true"))
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "hangup", CUSTOMER)
    sandbox.settle()
    view = sandbox.get(f"/sandbox/calls/{sid}")
    assert (view["status"], view["rang"][0]["status"]) \
        == ("no-answer", "no-answer")
    assert app.at("/done")[0]["DialCallStatus"] == "no-answer"


def test_answer_on_bridge(app, sandbox):
    app.on("/twilio/voice", dial(answerOnBridge="true"), dial())
    sandbox.phone(DRIVER, behaviour="no-answer")
    view = sandbox.call()
    assert (view["status"], view["duration"]) == ("no-answer", 0)
    assert app.at("/done")[0]["CallStatus"] == "ringing"
    assert sandbox.call()["status"] == "completed"
    assert app.at("/done")[1]["CallStatus"] == "in-progress"


def test_without_action_the_document_goes_on(app, sandbox):
    app.on("/twilio/voice", dial(action=None) + "<Say>After.</Say>",
           dial() + "<Say>never</Say>")
    assert sandbox.call()["heard"] == ["After."]
    assert sandbox.call()["heard"] == []


def test_clients_and_sip_phones_ring_too(app, sandbox):
    sandbox.phone(DRIVER, behaviour="no-answer")
    app.on("/twilio/voice", dial(
        f"<Number>{DRIVER}</Number><Client><Identity>desk</Identity></Client>",
        callerId="client:app"), dial("<Sip>sip:a@example.com</Sip>",
                                     callerId="mask-01"))
    view = sandbox.call()
    assert codes(view) == [13214]      # no such caller ID for a number
    view = sandbox.call()
    assert [(leg["phone"], leg["showed"], leg["status"])
            for leg in view["rang"]] \
        == [("sip:a@example.com", "mask-01", "completed")]


def test_a_client_may_win_over_a_number(app, sandbox):
    sandbox.phone(DRIVER, behaviour="no-answer")
    app.on("/twilio/voice",
           dial(f"<Number>{DRIVER}</Number><Client>desk</Client>"))
    assert {leg["phone"]: leg["status"] for leg in sandbox.call()["rang"]} \
        == {DRIVER: "no-answer", "client:desk": "completed"}


def test_the_faster_phone_talks(app, sandbox):
    sandbox.phone(DRIVER, answer_after=9)
    sandbox.phone(OTHER, answer_after=2)
    app.on("/twilio/voice", dial(
        f"<Number>{DRIVER}</Number><Number>{OTHER}</Number>"))
    view = sandbox.call()
    assert {leg["phone"]: leg["status"] for leg in view["rang"]} \
        == {DRIVER: "no-answer", OTHER: "completed"}
    talk = next(e for e in view["transcript"] if e["kind"] == "connected")
    assert talk["other"] == OTHER


def test_sequential_rings_one_after_the_other(app, sandbox):
    sandbox.phone(DRIVER, behaviour="busy")
    app.on("/twilio/voice", dial(
        f"<Number>{DRIVER}</Number><Number>{OTHER}</Number>"
        f"<Number>+12025550112</Number>", sequential="true"))
    view = sandbox.call()
    assert [(leg["phone"], leg["status"]) for leg in view["rang"]] \
        == [(DRIVER, "busy"), (OTHER, "completed")]


def test_callee_hears_its_own_document_first(app, sandbox):
    sandbox.phone(DRIVER, digits="1")
    app.on("/hello", '<Gather numDigits="1" action="/key"><Say>Press 1.</Say>'
                     "</Gather><Hangup/>")
    app.on("/key", "<Say>Connecting.</Say>")
    app.on("/twilio/voice", dial(f'<Number url="/hello">{DRIVER}</Number>'))
    view = sandbox.call()
    assert view["connected"] and view["heard"] == []
    assert view["rang"][0]["heard"] == ["Press 1.", "Connecting."]
    asked, = app.at("/hello")
    assert (asked["To"], asked["From"], asked["Direction"], asked["CallStatus"],
            asked["ParentCallSid"]) == (
        DRIVER, MASKED, "outbound-dial", "in-progress", view["sid"])
    assert app.at("/key")[0]["Digits"] == "1"


def test_callee_who_presses_nothing_is_not_connected(app, sandbox):
    app.on("/hello", '<Gather numDigits="1" timeout="2" action="/key"/><Hangup/>')
    app.on("/twilio/voice", dial(f'<Number url="/hello">{DRIVER}</Number>',
                                 answerOnBridge="true"))
    view = sandbox.call()
    assert not view["connected"] and app.at("/key") == []
    done, = app.at("/done")
    assert (done["DialCallStatus"], done["DialBridged"]) \
        == ("completed", "false")


def test_callees_document_may_not_dial(app, sandbox):
    app.on("/hello", dial(OTHER))
    app.on("/twilio/voice", dial(f'<Number url="/hello">{DRIVER}</Number>'))
    view = sandbox.call()
    assert not view["connected"] and 13201 in codes(view)
    assert [leg["phone"] for leg in view["rang"]] == [DRIVER]


def test_hangup_on_star(app, sandbox):
    for phone in (CUSTOMER, DRIVER):
        sandbox.phone(phone, behaviour="manual")
    app.on("/done", "<Say>Back.</Say>")
    app.on("/twilio/voice", dial(hangupOnStar="true"))
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "answer", DRIVER)
    sandbox.until(sid, lambda view: view["connected"])
    sandbox.act(sid, "digits", DRIVER, digits="*")
    sandbox.act(sid, "digits", CUSTOMER, digits="*")
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == ["Back."]
    assert app.at("/done")[0]["DialCallStatus"] == "completed"


def test_star_before_the_answer_cancels(app, sandbox):
    sandbox.phone(DRIVER, behaviour="manual")
    app.on("/twilio/voice", dial(hangupOnStar="true"))
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "digits", CUSTOMER, digits="*")
    sandbox.settle()
    assert app.at("/done")[0]["DialCallStatus"] == "canceled"


def test_manual_phone_declines(app, sandbox):
    sandbox.phone(DRIVER, behaviour="manual")
    app.on("/twilio/voice", dial())
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "decline", DRIVER)
    sandbox.settle()
    assert app.at("/done")[0]["DialCallStatus"] == "busy"


def test_manual_phone_has_the_time_that_people_need(app, sandbox):
    """Ten simulated seconds would be a fifth of a real one."""
    sandbox.phone(DRIVER, behaviour="manual")
    app.on("/twilio/voice", dial(timeout=5))
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    time.sleep(0.6)
    sandbox.act(sid, "answer", DRIVER)
    sandbox.until(sid, lambda view: view["connected"])
    sandbox.act(sid, "hangup", DRIVER)
    sandbox.settle()


def test_manual_phone_hangs_up(app, sandbox):
    for phone in (CUSTOMER, DRIVER):
        sandbox.phone(phone, behaviour="manual")
    app.on("/done", "<Say>Bye.</Say>")
    app.on("/twilio/voice", dial())
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "answer", DRIVER)
    sandbox.until(sid, lambda view: view["connected"])
    sandbox.act(sid, "hangup", DRIVER)
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == ["Bye."]


@pytest.mark.parametrize("inside", ["2025550123", "", "<Number>x</Number>"])
def test_what_is_no_number_fails(app, sandbox, inside):
    app.on("/twilio/voice", dial(inside))
    view = sandbox.call()
    assert view["rang"] == [] and 13224 in codes(view)
    assert app.at("/done")[0]["DialCallStatus"] == "failed"


def test_a_masked_number_is_not_called(app, sandbox):
    app.on("/twilio/voice", dial(SPARE))
    view = sandbox.call()
    assert view["rang"][0]["status"] == "failed" and "warning" in kinds(view)


def test_more_than_ten_nouns_are_cut(app, sandbox):
    numbers = "".join(f"<Number>+120255501{n}</Number>" for n in range(10, 21))
    app.on("/twilio/voice", dial(numbers))
    view = sandbox.call()
    assert len(view["rang"]) == 10 and 12200 in codes(view)


def test_recording_of_a_dial_is_reported(app, sandbox):
    app.on("/recorded", "")
    app.on("/twilio/voice", dial(record="record-from-answer-dual",
                                 recordingStatusCallback="/recorded"))
    sandbox.call()
    recorded, = app.at("/recorded")
    assert recorded["RecordingSource"] == "DialVerb"
    assert recorded["RecordingChannels"] == "2"
    assert app.at("/done")[0]["RecordingUrl"] == recorded["RecordingUrl"]


def test_a_recording_is_reported_from_its_beginning(app, sandbox):
    app.on("/recorded", "")
    app.on("/twilio/voice", dial(
        record="record-from-answer", recordingStatusCallback="/recorded",
        recordingStatusCallbackEvent="in-progress completed absent"))
    view = sandbox.call()
    begun, ended = app.at("/recorded")
    assert begun["RecordingStatus"] == "in-progress"
    assert begun.get("RecordingDuration") is None
    assert ended["RecordingStatus"] == "completed"
    assert ended["RecordingChannels"] == "1"
    assert begun["CallSid"] == ended["CallSid"] == view["sid"]
    assert begun["RecordingSid"] == ended["RecordingSid"]
    kept = sandbox.rest("GET", f"/Recordings/{ended['RecordingSid']}.json")[1]
    assert (kept["status"], kept["duration"]) == (
        "completed", ended["RecordingDuration"])
