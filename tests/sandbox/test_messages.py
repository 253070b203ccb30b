"""Text messages both ways."""

import pytest
from conftest import CUSTOMER, DRIVER, MASKED, OTHER, SPARE, codes


def text(sandbox, body="Hello", **more):
    return sandbox.post("/sandbox/messages",
                        **{"from": CUSTOMER, "to": MASKED, "body": body}, **more)


def test_message_reaches_the_application_and_the_other_phone(app, sandbox):
    app.on("/twilio/message",
           f'<Message to="{DRIVER}" from="{MASKED}">I am\nhere</Message>')
    result = text(sandbox, "Where\nare you?")
    asked, = app.at("/twilio/message")
    for name, value in {
            "MessageSid": result["sid"], "SmsSid": result["sid"],
            "SmsMessageSid": result["sid"], "From": CUSTOMER, "To": MASKED,
            "Body": "Where\nare you?", "NumMedia": "0", "NumSegments": "1",
            "SmsStatus": "received", "FromCity": ""}.items():
        assert asked[name] == value
    assert asked["AccountSid"].startswith("AC") and result["sid"][:2] == "SM"
    received, = result["received"]
    assert (received["phone"], received["from"], received["body"]) \
        == (DRIVER, MASKED, "I am\nhere")
    assert [e["kind"] for e in result["transcript"]] \
        == ["text_sent", "wire", "text_received"]


def test_reply_goes_back_by_default(app, sandbox):
    app.on("/twilio/message", "Closed.", content_type="text/plain")
    received, = text(sandbox)["received"]
    assert (received["phone"], received["from"]) == (CUSTOMER, MASKED)


def test_media_both_ways(app, sandbox):
    app.on("/twilio/message", f'<Message to="{DRIVER}"><Body>Look</Body>'
                              "<Media>/a.png</Media></Message>")
    result = text(sandbox, "", media=["https://example.com/p.png?x=1",
                                      "https://example.com/q"])
    asked, = app.at("/twilio/message")
    assert asked["NumMedia"] == "2" and result["sid"][:2] == "MM"
    assert asked["MediaContentType0"] == "image/png"
    assert asked["MediaUrl1"] == "https://example.com/q"
    assert result["received"][0]["media"] == [app.url + "/a.png"]


def test_redirect_of_messages(app, sandbox):
    app.on("/twilio/message", "<Redirect>other</Redirect>")
    app.on("/twilio/other", "<Message>Hi</Message><Message>again</Message>")
    assert [m["body"] for m in text(sandbox)["received"]] == ["Hi", "again"]


@pytest.mark.parametrize("document, code", [
    (f'<Message from="{OTHER}">x</Message>', 21606),
    (f'<Message from="{CUSTOMER}">x</Message>', 21606),
    ('<Message to="202">x</Message>', 21211),
    ("<Message/>", 21602),
    ("<Message>" + "x" * 1601 + "</Message>", 21617),
    ("<Message>" + "<Media>/a</Media>" * 11 + "</Message>", 21623),
    ("<Say>x</Say>", 12200),
    ("<Response><Message></Response>", 12100),
    ("<Redirect>message</Redirect>", 11200),
])
def test_what_twilio_does_not_send(app, sandbox, document, code):
    app.on("/twilio/message", document)
    result = text(sandbox)
    assert result["received"] == [] and codes(result) == [code]


def test_fallback_url_of_messages(app, sandbox):
    app.on("/twilio/message", "", status=500)
    result = text(sandbox)
    assert result["received"] == [] and codes(result) == [11200]


def test_states_of_a_reply(app, sandbox):
    app.on("/state", "")
    app.on("/twilio/message", f'<Message to="{DRIVER}" statusCallback="/state" '
                              'action="/state">x</Message>')
    sid = text(sandbox)["received"][0]["sid"]
    sandbox.phone(DRIVER, behaviour="unreachable")
    assert text(sandbox)["received"] == []
    sandbox.settle()
    states = app.at("/state")
    assert [state["MessageStatus"] for state in states] \
        == ["sent", "delivered", "sent", "undelivered"]
    assert states[1]["MessageSid"] == sid and states[1]["RawDlrDoneDate"]
    assert (states[1]["From"], states[1]["To"]) == (MASKED, DRIVER)
    assert states[3]["ErrorCode"] == "30003"


def test_stop_and_start(app, sandbox):
    app.on("/twilio/message", "<Message>Hi</Message>")
    result = text(sandbox, "stop")
    assert "unsubscribed" in result["transcript"][1]["text"]
    assert result["received"] == [] and codes(result) == [21610]
    assert len(app.at("/twilio/message")) == 1      # it is still delivered
    status, error = sandbox.rest("POST", "/Messages.json", To=CUSTOMER,
                                 From=MASKED, Body="x")
    assert (status, error["code"]) == (400, 21610)
    assert text(sandbox, "Start")["received"][0]["body"] == "Hi"


def test_rest_message(app, sandbox):
    app.on("/state", "")
    status, message = sandbox.rest(
        "POST", "/Messages.json", To=DRIVER, From=MASKED, Body="Grüße",
        StatusCallback=app.url + "/state")
    assert status == 201
    assert (message["status"], message["direction"], message["body"],
            message["num_segments"]) == ("queued", "outbound-api", "Grüße", "1")
    sandbox.settle()
    assert [state["MessageStatus"] for state in app.at("/state")] \
        == ["sent", "delivered"]
    got = [e for e in sandbox.get("/sandbox/transcript")["entries"]
           if e["kind"] == "text_received"]
    assert (got[0]["phone"], got[0]["sender"], got[0]["text"]) \
        == (DRIVER, MASKED, "Grüße")
    path = f"/Messages/{message['sid']}.json"
    assert sandbox.rest("GET", path)[1]["status"] == "delivered"
    assert sandbox.rest("POST", path, Body="")[1]["body"] == ""
    assert sandbox.rest("GET", "/Messages.json", To=DRIVER, PageSize=1)[1][
        "messages"][0]["sid"] == message["sid"]
    assert sandbox.rest("DELETE", path) == (204, None)
    assert sandbox.rest("GET", path)[0] == 404


@pytest.mark.parametrize("fields, code", [
    ({"From": MASKED, "Body": "x"}, 21604),
    ({"To": DRIVER, "Body": "x"}, 21603),
    ({"To": DRIVER, "From": OTHER, "Body": "x"}, 21606),
    ({"To": "202", "From": MASKED, "Body": "x"}, 21211),
    ({"To": DRIVER, "From": MASKED}, 21602),
    ({"To": DRIVER, "From": MASKED, "Body": "x", "StatusCallback": "y"}, 21609),
])
def test_rest_refuses_messages(sandbox, fields, code):
    status, error = sandbox.rest("POST", "/Messages.json", **fields)
    assert (status, error["code"], error["status"]) == (400, code, 400)


def test_a_masked_number_is_not_texted(app, sandbox):
    app.on("/twilio/message", f'<Message to="{SPARE}">x</Message>')
    assert text(sandbox)["received"] == []
