"""Twilio's REST API: calls and numbers, errors and paging."""

import http.client
import re

import pytest
from conftest import ACCOUNT, CUSTOMER, DRIVER, MASKED, OTHER, SPARE, codes

CALL_PROPERTIES = set(
    "sid date_created date_updated parent_call_sid account_sid to to_formatted "
    "from from_formatted phone_number_sid status start_time end_time duration "
    "price price_unit direction answered_by api_version forwarded_from "
    "group_sid caller_name queue_time trunk_sid uri subresource_uris".split())
DATE = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000"


def create(sandbox, *events, **fields):
    return sandbox.rest("POST", "/Calls.json",
                        *(("StatusCallbackEvent", event) for event in events),
                        **{"To": DRIVER, "From": MASKED, **fields})


def test_call_placed_by_the_application(app, sandbox):
    app.on("/placed", f'<Dial callerId="{MASKED}">{CUSTOMER}</Dial>')
    app.on("/leg", "")
    status, call = create(sandbox, "initiated", "answered", "completed",
                          Url=app.url + "/placed",
                          StatusCallback=app.url + "/leg")
    assert status == 201 and set(call) == CALL_PROPERTIES
    assert (call["to"], call["from"], call["direction"]) \
        == (DRIVER, MASKED, "outbound-api")
    assert call["status"] in ("queued", "ringing")
    assert re.fullmatch(DATE, call["date_created"])
    assert call["to_formatted"] == "(202) 555-0123"
    assert sandbox.answer_headers["Twilio-Request-Id"].startswith("RQ")
    sandbox.settle()
    asked, = app.at("/placed")
    assert (asked["CallSid"], asked["CallStatus"], asked["Direction"]) \
        == (call["sid"], "in-progress", "outbound-api")
    view = sandbox.get(f"/sandbox/calls/{call['sid']}")
    assert view["connected"]
    assert [(leg["phone"], leg["showed"]) for leg in view["rang"]] \
        == [(DRIVER, MASKED), (CUSTOMER, MASKED)]
    assert [(step["CallStatus"], step["SequenceNumber"])
            for step in app.at("/leg")] \
        == [("initiated", "0"), ("in-progress", "1"), ("completed", "2")]
    ended = sandbox.rest("GET", f"/Calls/{call['sid']}.json")[1]
    assert ended["status"] == "completed" and int(ended["duration"]) >= 5
    assert re.fullmatch(DATE, ended["end_time"])


def test_call_without_caller_id_shows_the_first_phones_number(app, sandbox):
    app.on("/placed", f"<Dial>{CUSTOMER}</Dial>")
    sid = create(sandbox, Url=app.url + "/placed")[1]["sid"]
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["rang"][1]["showed"] == DRIVER


@pytest.mark.parametrize("behaviour, final", [
    ("busy", "busy"), ("no-answer", "no-answer"), ("unreachable", "failed")])
def test_placed_call_nobody_answers(app, sandbox, behaviour, final):
    sandbox.phone(DRIVER, behaviour=behaviour)
    app.on("/leg", "")
    sid = create(sandbox, Url=app.url + "/placed", Timeout=5,
                 StatusCallback=app.url + "/leg")[1]["sid"]
    sandbox.settle()
    step, = app.at("/leg")
    assert (step["CallStatus"], app.at("/placed")) == (final, [])
    assert sandbox.rest("GET", f"/Calls/{sid}.json")[1]["status"] == final


def test_a_lost_answer_comes_after_the_deed(sandbox):
    sandbox.post("/sandbox/lose", answers=1)
    fields = {"Twiml": "<Response/>"}
    assert sandbox.rest("GET", "/Calls.json")[0] == 200
    with pytest.raises(http.client.RemoteDisconnected):
        create(sandbox, **fields)
    sid = create(sandbox, **fields)[1]["sid"]
    calls = sandbox.rest("GET", "/Calls.json", To=DRIVER, From=MASKED)[1]
    assert calls["calls"][0]["sid"] == sid and len(calls["calls"]) >= 2
    sandbox.settle()


def test_document_given_in_the_request(app, sandbox):
    sid = create(sandbox, Twiml="<Response><Say>Hi.</Say></Response>")[1]["sid"]
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["rang"][0]["heard"] == ["Hi."]


def test_given_document_has_no_relative_urls(app, sandbox):
    sid = create(sandbox, Twiml="<Response><Redirect>/x</Redirect></Response>")[
        1]["sid"]
    sandbox.settle()
    assert codes(sandbox.get(f"/sandbox/calls/{sid}")) == [15004]


@pytest.mark.parametrize("fields, code", [
    ({"To": ""}, 21201), ({"From": ""}, 21213), ({"To": "911"}, 21211),
    ({"From": "x"}, 21212), ({"From": OTHER}, 21210), ({}, 21205),
    ({"Url": "ftp://x"}, 21205), ({"Url": "http://a_b/"}, 21205),
    ({"Twiml": "x" * 4001}, 32018),
    ({"Url": "http://x/", "Timeout": "long"}, 20001),
    ({"Url": "http://x/", "Method": "PUT"}, 21403),
    ({"Url": "http://x/", "StatusCallback": "x"}, 21609),
    ({"Url": "http://x/", "StatusCallback": "http://x/",
      "StatusCallbackEvent": "initiated ringing"}, 21626),
])
def test_refused_calls(sandbox, fields, code):
    status, error = create(sandbox, **fields)
    assert (status, error["code"]) == (400, code)
    assert set(error) == {"code", "message", "more_info", "status"}


def talking(app, sandbox):
    """A call on which both talk until somebody ends it."""
    for phone in (CUSTOMER, DRIVER):
        sandbox.phone(phone, behaviour="manual")
    app.on("/done", "<Say>After.</Say>")
    app.on("/twilio/voice",
           f'<Dial callerId="{MASKED}" action="/done">{DRIVER}</Dial>')
    sid = sandbox.start()
    sandbox.until(sid, lambda view: view["rang"]
                  and view["rang"][0]["status"] == "ringing")
    sandbox.act(sid, "answer", DRIVER)
    view = sandbox.until(sid, lambda view: view["connected"])
    return sid, view["rang"][0]["sid"]


def test_ending_the_parent_ends_its_dial(app, sandbox):
    sid, child = talking(app, sandbox)
    status, call = sandbox.rest("POST", f"/Calls/{sid}.json", Status="completed")
    assert (status, call["status"]) == (200, "completed")
    sandbox.settle()
    assert sandbox.rest("GET", f"/Calls/{child}.json")[1]["status"] == "completed"
    status, error = sandbox.rest("POST", f"/Calls/{sid}.json", Status="completed")
    assert (status, error["code"]) == (400, 21220)
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == []


def test_ending_the_child_returns_to_the_parent(app, sandbox):
    sid, child = talking(app, sandbox)
    assert sandbox.rest("GET", f"/Calls/{child}.json")[1]["parent_call_sid"] == sid
    sandbox.rest("POST", f"/Calls/{child}.json", Status="completed")
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == ["After."]


def test_canceling_spares_a_call_in_progress(app, sandbox):
    sid, _ = talking(app, sandbox)
    assert sandbox.rest("POST", f"/Calls/{sid}.json", Status="canceled")[1][
        "status"] == "in-progress"
    assert sandbox.rest("DELETE", f"/Calls/{sid}.json")[1]["code"] == 20009
    sandbox.act(sid, "hangup", CUSTOMER)


def test_canceling_a_ringing_call(app, sandbox):
    sandbox.phone(DRIVER, behaviour="manual")
    sid = create(sandbox, Url=app.url + "/placed")[1]["sid"]
    sandbox.until(sid, lambda view: view["status"] == "ringing")
    assert sandbox.rest("POST", f"/Calls/{sid}.json", Url=app.url + "/x")[1][
        "code"] == 21220
    assert sandbox.rest("POST", f"/Calls/{sid}.json", Status="completed")[1][
        "status"] == "canceled"


def test_redirecting_a_call(app, sandbox):
    sid, child = talking(app, sandbox)
    app.on("/moved", "<Say>Moved.</Say>")
    assert sandbox.rest("POST", f"/Calls/{child}.json", Url=app.url + "/moved")[
        1]["code"] == 21220
    sandbox.rest("POST", f"/Calls/{sid}.json", Url=app.url + "/moved")
    sandbox.settle()
    assert sandbox.get(f"/sandbox/calls/{sid}")["heard"] == ["Moved."]
    assert app.at("/done") == []
    assert sandbox.rest("GET", f"/Calls/{child}.json")[1]["status"] == "completed"


def test_time_limit_of_a_placed_call(app, sandbox):
    sid = create(sandbox, Twiml='<Response><Pause length="9000"/></Response>',
                 TimeLimit=10)[1]["sid"]
    sandbox.settle()
    assert 10 <= int(sandbox.rest("GET", f"/Calls/{sid}.json")[1]["duration"]) <= 13


def test_calls_are_listed_filtered_and_paged(app, sandbox):
    app.on("/twilio/voice", '<Reject reason="busy"/>')
    sids = [sandbox.call(caller=OTHER)["sid"] for _ in range(3)]
    status, page = sandbox.rest("GET", "/Calls.json", From=OTHER, Status="busy",
                                PageSize=2)
    assert status == 200
    assert [call["sid"] for call in page["calls"]] == sids[:0:-1]
    assert (page["page"], page["page_size"], page["start"], page["end"]) \
        == (0, 2, 0, 1)
    path = page["next_page_uri"].partition(f"{page['calls'][0]['account_sid']}")[2]
    page = sandbox.rest("GET", path)[1]
    assert [call["sid"] for call in page["calls"]] == sids[:1]
    assert page["next_page_uri"] is None and page["previous_page_uri"]
    assert sandbox.rest("DELETE", f"/Calls/{sids[0]}.json") == (204, None)
    assert sandbox.rest("GET", f"/Calls/{sids[0]}.json")[1]["code"] == 20404


@pytest.mark.parametrize("user, password, status", [
    ("SK1", "secret", 200), ("SK1", "wrong", 401), ("SK2", "secret", 401),
    ("", "", 401)])
def test_authentication(sandbox, user, password, status):
    got, document = sandbox.rest("GET", "/Calls.json", user=user,
                                 password=password)
    assert got == status
    if status == 401:
        assert document["code"] == 20003
        assert sandbox.answer_headers["WWW-Authenticate"].startswith("Basic")


def test_other_accounts_and_resources_are_not_found(sandbox):
    assert sandbox.rest("GET", "/Queues.json")[1]["code"] == 20404
    assert sandbox.rest("GET", "/Calls")[0] == 404
    assert sandbox.rest("DELETE", "/Calls.json")[1]["code"] == 20004
    assert sandbox.rest("GET", "/../ACffff/Calls.json")[0] == 404


def test_misspelt_fields_leave_a_warning(app, sandbox):
    create(sandbox, Twiml="<Response/>", StatusCallbackEvents="ringing")
    texts = [e["text"] for e in sandbox.get("/sandbox/transcript")["entries"]
             if e["kind"] == "warning"]
    assert any("StatusCallbackEvents" in text for text in texts)


def test_numbers_bought_set_and_released(app, sandbox):
    status, found = sandbox.rest("GET", "/AvailablePhoneNumbers/US/Local.json",
                                 AreaCode="303", Contains="+1303*5550107")
    assert (status, found["available_phone_numbers"]) == (200, [])
    found = sandbox.rest("GET", "/AvailablePhoneNumbers/US/Local.json",
                         AreaCode="303", PageSize=3)[1]["available_phone_numbers"]
    assert [offer["phone_number"] for offer in found] \
        == ["+13035550100", "+13035550101", "+13035550102"]
    status, number = sandbox.rest(
        "POST", "/IncomingPhoneNumbers.json", AreaCode="303",
        FriendlyName="pool", VoiceUrl=app.url + "/own", SmsMethod="GET")
    assert status == 201
    assert (number["phone_number"], number["friendly_name"], number["voice_url"],
            number["sms_method"], number["status"]) == (
        "+13035550100", "pool", app.url + "/own", "GET", "in-use")
    assert number["trunk_sid"] is None and number["sid"][:2] == "PN"
    app.on("/own", "<Say>Own.</Say>")
    assert sandbox.call(callee="+13035550100")["heard"] == ["Own."]
    path = f"/IncomingPhoneNumbers/{number['sid']}.json"
    assert sandbox.rest("POST", path, TrunkSid="TK" + "0" * 32)[1][
        "trunk_sid"] == "TK" + "0" * 32
    assert sandbox.call(callee="+13035550100")["status"] == "failed"
    assert sandbox.rest("GET", path)[1]["voice_url"] == app.url + "/own"
    assert sandbox.rest("DELETE", path) == (204, None)
    assert sandbox.rest("GET", path)[0] == 404
    status, error = sandbox.request(
        "POST", "/sandbox/calls", f'{{"from": "{OTHER}", "to": "+13035550100"}}')
    assert status == 404 and "+13035550100" in error["error"]


def test_numbers_listed(sandbox):
    numbers = sandbox.rest("GET", "/IncomingPhoneNumbers.json", PageSize=1)[1]
    assert numbers["incoming_phone_numbers"][0]["phone_number"] == MASKED
    assert numbers["next_page_uri"].endswith("PageSize=1&Page=1")
    only = sandbox.rest("GET", "/IncomingPhoneNumbers.json", PhoneNumber=SPARE)[1]
    assert len(only["incoming_phone_numbers"]) == 1


@pytest.mark.parametrize("fields, code", [
    ({"PhoneNumber": "x"}, 21421), ({"PhoneNumber": MASKED}, 21422),
    ({"PhoneNumber": "+14155551212"}, 21422), ({"AreaCode": "99"}, 21451),
    ({"VoiceUrl": "x"}, 21402), ({"VoiceMethod": "PUT"}, 21403)])
def test_refused_numbers(sandbox, fields, code):
    status, error = sandbox.rest("POST", "/IncomingPhoneNumbers.json", **fields)
    assert (status, error["code"]) == (400, code)


def test_no_numbers_in_other_countries(sandbox):
    assert sandbox.rest("GET", "/AvailablePhoneNumbers/GB/Local.json")[1][
        "available_phone_numbers"] == []


def test_mobile_numbers_are_looked_for_alike(sandbox):
    found = sandbox.rest("GET", "/AvailablePhoneNumbers/US/Mobile.json",
                         PageSize=1)[1]["available_phone_numbers"]
    assert len(found) == 1


def test_the_account(sandbox):
    status, account = sandbox.rest("GET", ".json")
    assert (status, account["sid"], account["status"]) == (200, ACCOUNT, "active")
    assert account["auth_token"] is None
    assert sandbox.rest("GET", ".xml")[0] == 404
    assert sandbox.rest("GET", ".json", password="wrong")[0] == 401


def test_one_request_of_each_shape_is_shown(sandbox):
    def noted(body):
        return [each for each in sandbox.get("/sandbox/requests")["requests"]
                if ["Body", body] in each["fields"]]

    for sid in "01":
        for body in ("shape one", "shape two", ""):
            sandbox.rest("POST", f"/Messages/SM{sid * 32}.json", Body=body)
    assert noted("shape two") == [] and len(noted("")) == 1
    assert noted("shape one") == [{
        "method": "POST", "agent": "", "fields": [["Body", "shape one"]],
        "path": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/SM{'0' * 32}.json"}]
    sandbox.rest("GET", "/Messages.json", password="wrong", Unseen="1")
    assert "Unseen" not in str(sandbox.get("/sandbox/requests"))
