"""Every TwiML verb but Dial, and the ways from one document to the next."""

from conftest import CUSTOMER, MASKED, codes, kinds


def test_webhook_has_twilios_parameters(app, sandbox):
    app.on("/twilio/voice", "")
    view = sandbox.call(stir_verstat="TN-Validation-Passed-A")
    asked, = app.at("/twilio/voice")
    assert asked.method == "POST"
    assert asked["CallSid"] == view["sid"] and len(view["sid"]) == 34
    for name, value in {
            "From": CUSTOMER, "To": MASKED, "Caller": CUSTOMER,
            "Called": MASKED, "CallStatus": "ringing", "Direction": "inbound",
            "ApiVersion": "2010-04-01", "FromCity": "", "CalledCountry": "",
            "StirVerstat": "TN-Validation-Passed-A"}.items():
        assert asked[name] == value
    assert asked["AccountSid"].startswith("AC")
    assert "ParentCallSid" not in asked.fields
    assert asked.headers["User-Agent"] == "TwilioProxy/1.1"
    assert asked.headers["I-Twilio-Idempotency-Token"]
    assert view["status"] == "completed" and not view["connected"]


def test_stir_verstat_is_absent_unless_given(app, sandbox):
    app.on("/twilio/voice", "")
    sandbox.call()
    assert app.at("/twilio/voice")[0].get("StirVerstat") is None


def test_withheld_caller(app, sandbox):
    app.on("/twilio/voice", "")
    sandbox.call(withheld=True)
    sandbox.call(withheld="+266696687")
    assert [asked["From"] for asked in app.at("/twilio/voice")] \
        == ["anonymous", "+266696687"]


def test_say_play_pause(app, sandbox):
    app.on("/twilio/voice",
           '<Pause length="2"/><Say>Your  trip <break time="1s"/>has ended.</Say>'
           '<Play>https://example.com/a.mp3</Play><Play digits="12#"/>')
    view = sandbox.call()
    assert view["heard"] == ["Your trip has ended.",
                             "[https://example.com/a.mp3]", "[tones 12#]"]
    assert view["status"] == "completed" and view["duration"] >= 4
    assert kinds(view) == ["dials", "hears", "hears", "hears", "ended"]


def test_empty_response_hangs_up(app, sandbox):
    app.on("/twilio/voice", "<Response/>")
    view = sandbox.call()
    assert (view["status"], view["heard"]) == ("completed", [])


def test_reject(app, sandbox):
    app.on("/twilio/voice", "<Reject/>", '<Reject reason="busy"/>')
    assert sandbox.call()["status"] == "no-answer"
    view = sandbox.call()
    assert view["status"] == "busy"
    final = app.at("/twilio/status")[-1]
    assert (final["CallStatus"], final["CallDuration"]) == ("busy", "0")


def test_hangup_ends_the_document(app, sandbox):
    app.on("/twilio/voice", "<Hangup/><Say>never</Say>")
    view = sandbox.call()
    assert (view["status"], view["heard"]) == ("completed", [])


def test_redirect_leads_on_relative_and_by_get(app, sandbox):
    app.on("/twilio/voice", '<Redirect method="GET">voice/next?a=b%20c</Redirect>'
                            "<Say>never</Say>")
    app.on("/twilio/voice/next", "<Say>next</Say>")
    assert sandbox.call()["heard"] == ["next"]
    asked, = app.at("/twilio/voice/next")
    assert asked.method == "GET" and "CallSid=CA" in asked.query


def test_documents_in_a_ring_are_stopped(app, sandbox):
    app.on("/twilio/voice", "<Redirect>/twilio/voice</Redirect>")
    view = sandbox.call()
    assert view["status"] == "failed" and len(app.at("/twilio/voice")) == 200


def test_gather_ends_with_its_last_digit(app, sandbox):
    app.on("/twilio/voice", '<Gather numDigits="4" action="/code">'
                            "<Say>Your code?</Say></Gather>")
    app.on("/code", "<Say>Thanks.</Say>")
    view = sandbox.call(digits="48215")
    assert view["heard"] == ["Your code?", "Thanks."]
    assert app.at("/code")[0]["Digits"] == "4821"


def test_gather_ends_with_its_key(app, sandbox):
    app.on("/twilio/voice", '<Gather action="/code"/>')
    app.on("/code", '<Gather action="/star" finishOnKey="*"/>')
    app.on("/star", '<Gather action="/none" finishOnKey="" timeout="1"/>')
    app.on("/none", "")
    sandbox.call(digits=["12#3", "#4*", "5#*"])
    assert [app.at(path)[0]["Digits"] for path in ("/code", "/star", "/none")] \
        == ["12", "#4", "5#*"]


def test_gather_without_digits_goes_on(app, sandbox):
    app.on("/twilio/voice", '<Gather timeout="3" action="/code"/><Say>Bye.</Say>')
    view = sandbox.call()
    assert view["heard"] == ["Bye."] and view["duration"] >= 3
    assert app.at("/code") == []


def test_gather_reports_empty_result_on_demand(app, sandbox):
    app.on("/twilio/voice", '<Gather timeout="1" action="/code" '
                            'actionOnEmptyResult="true"/>')
    app.on("/code", "")
    sandbox.call()
    assert app.at("/code")[0]["Digits"] == ""


def test_gather_without_action_repeats_the_document(app, sandbox):
    app.on("/twilio/voice", '<Gather numDigits="1"/>', "<Say>Again.</Say>")
    assert sandbox.call(digits="7")["heard"] == ["Again."]
    assert app.at("/twilio/voice")[1]["Digits"] == "7"


def test_gather_hears_only_what_it_listens_for(app, sandbox):
    app.on("/twilio/voice", '<Gather input="speech" timeout="1" action="/code"/>')
    sandbox.call(digits="1")
    assert app.at("/code") == []


def test_keys_pressed_by_hand_cut_the_prompt_short(app, sandbox):
    app.on("/twilio/voice", '<Gather numDigits="2" timeout="60" action="/code">'
                            '<Say>Press.</Say><Pause length="80000"/></Gather>')
    app.on("/code", "")
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["heard"])
    sandbox.act(sid, "digits", CUSTOMER, digits="1")
    sandbox.act(sid, "digits", CUSTOMER, digits="2")
    sandbox.settle()
    assert app.at("/code")[0]["Digits"] == "12"


def test_record_reports_and_the_recording_can_be_deleted(app, sandbox):
    app.on("/twilio/voice", '<Record action="/done" maxLength="60" '
                            'recordingStatusCallback="/recorded"/>')
    app.on("/done", "<Say>Saved.</Say>")
    app.on("/recorded", "")
    view = sandbox.call()
    assert view["heard"] == ["[beep]", "Saved."]
    done, = app.at("/done")
    recorded, = app.at("/recorded")
    assert int(done["RecordingDuration"]) == 5 and done["Digits"] == ""
    assert recorded["RecordingStatus"] == "completed"
    assert recorded["CallSid"] == view["sid"]
    path = f"/Recordings/{recorded['RecordingSid']}.json"
    assert sandbox.rest("GET", path)[1]["source"] == "RecordVerb"
    assert sandbox.rest("DELETE", path) == (204, None)
    assert sandbox.rest("DELETE", path)[0] == 404


def test_record_ends_when_the_caller_hangs_up(app, sandbox):
    sandbox.phone(CUSTOMER, behaviour="manual")
    app.on("/twilio/voice", '<Record action="/done"/>')
    app.on("/done", "<Say>never</Say>")
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["heard"])
    sandbox.act(sid, "hangup", CUSTOMER)
    sandbox.settle()
    assert app.at("/done")[0]["Digits"] == "hangup"
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == ["[beep]"]


def test_caller_hangs_up_before_the_answer(app, sandbox):
    app.on("/twilio/voice", '<Pause length="80000"/>')
    sid = sandbox.start()
    sandbox.until(sid, lambda view: app.at("/twilio/voice"))
    sandbox.act(sid, "hangup", CUSTOMER)
    sandbox.settle()
    assert app.at("/twilio/status")[0]["CallStatus"] == "no-answer"


def test_unknown_names_warn_and_the_rest_goes_on(app, sandbox):
    app.on("/twilio/voice", '<say>no</say><Say loud="yes" loop="x">Yes.</Say>'
                            "<Enqueue/>and text")
    view = sandbox.call()
    assert view["heard"] == ["Yes."] and view["status"] == "completed"
    assert codes(view) == [12200] * 5


def test_numbers_out_of_range_have_their_own_codes(app, sandbox):
    app.on("/twilio/voice",
           '<Gather finishOnKey="x" timeout="1"/>'
           f'<Dial timeout="4" timeLimit="0" answerOnBridge="yes" '
           f'callerId="{MASKED}"><Conference>a</Conference><Who/></Dial>')
    view = sandbox.call()
    assert codes(view) == [13310, 13212, 13216, 13219, 12200, 13215, 13224]
