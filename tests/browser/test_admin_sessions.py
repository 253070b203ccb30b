"""The admin panel's sessions, in a real browser: found, looked at, changed."""

import itertools
import json
import re
import subprocess

import pytest
from selenium.webdriver.common.keys import Keys

from client import masked, ROOT

WORDS = ROOT / "nginx/admin/words.js"
API = ROOT / "nginx/v1/openapi.json"


TRIPS = itertools.count(1)


@pytest.fixture
def pair(quick):
    """Two people and an open session of theirs, as (caller, callee, session)."""
    caller, callee = quick.persons(2)
    return caller, callee, quick.open(caller, callee,
                                      reference=f"trip {next(TRIPS)}")


@pytest.fixture
def at_session(panel, operator, pair):
    """The panel, showing the pair's session to an operator."""
    panel.sign_in(operator)
    panel.go("sessions", pair[2]["id"])
    panel.reads("Session opened")
    return panel


def listed(panel):
    """The names of the sessions in the list."""
    return panel.driver.execute_script(
        "return [...document.querySelectorAll('tbody a')].map(a => a.innerText)")


def test_finding(panel, quick, operator, pair):
    caller, _, session = pair
    other = quick.open(*quick.persons(2), reference="another")
    quick.close(other)
    panel.sign_in(operator)
    panel.press("Sessions")
    panel.until(lambda: listed(panel)[:2] == ["another", session["reference"]])

    spoken = f"{caller[:2]} ({caller[2:5]}) {caller[5:8]}-{caller[8:]}"
    for text, matched in ((session["id"], "The session with this id"),
                          (session["reference"], "Sessions with this reference"),
                          (spoken, "Sessions of the person with this phone")):
        panel.fill("Find", f" {text} \n")
        panel.reads(matched)
        panel.until(lambda: listed(panel) == [session["reference"]])
    panel.fill("Find", f"{masked(session)}\n")
    panel.reads("Sessions on this masked number")
    assert session["reference"] in listed(panel)

    # What was looked for is still there for who comes back, in no address.
    panel.press(session["reference"])
    panel.reads("Session opened")
    assert panel.driver.current_url.endswith("#/sessions/" + session["id"])
    panel.driver.back()
    panel.reads("Sessions on this masked number")
    assert panel.field("Find").get_attribute("value") == masked(session)

    panel.fill("Find", "nobody knows this\n")
    panel.reads("Sessions with this reference: there are none.")
    panel.fill("Find", "another\n")
    panel.until(lambda: listed(panel) == ["another"])
    panel.choose("Status", "open")
    panel.reads("there are none")
    panel.choose("Status", "closed")
    panel.until(lambda: listed(panel) == ["another"])
    panel.choose("Status", "any")


def test_pages(panel, quick, viewer):
    """Each page once, by its cursor, there and back again."""
    names = [f"page {number}" for number in range(60)]
    for name in names:
        quick.open(*quick.persons(2), reference=name)
    panel.sign_in(viewer)
    panel.go("sessions")
    panel.until(lambda: listed(panel)[:50] == names[:9:-1])
    assert not panel.button("Previous").is_enabled()
    panel.press("Next")
    panel.until(lambda: listed(panel)[:10] == names[9::-1])
    panel.reads("Page 2")
    panel.press("Previous")
    panel.until(lambda: listed(panel)[:50] == names[:9:-1])
    panel.choose("Status", "open")
    panel.reads("Page 1")


def moments(panel):
    """What happened, by the time line, a line each."""
    return panel.driver.execute_script(
        "return [...document.querySelectorAll('.timeline p')].map("
        "each => each.innerText.replace(/\\s+/g, ' ').trim())")


def test_what_happened(panel, quick, viewer, pair):
    caller, callee, session = pair
    number = masked(session)
    quick.cli("service", "set", "webhook-url=https://localhost:1/none")
    try:
        quick.dial(caller, number)
        quick.phone(caller, behaviour="no-answer")
        quick.dial(callee, number)
        quick.sandbox("POST", "messages", {
            "from": caller, "to": number, "body": "Coming down."})
        quick.api("POST", f"/v1/sessions/{session['id']}/messages",
                  {"to": "driver", "text": "Two minutes."})
        quick.texts_settled(session)
        quick.api("PATCH", f"/v1/sessions/{session['id']}", {"voice": "customer"})
        quick.dial(callee, number)
        panel.sign_in(viewer)
        panel.go("sessions", session["id"])
        panel.reads("The session does not let this party call.")
    finally:
        quick.cli("service", "set", "webhook-url=")
    told = moments(panel)
    assert told[0] == "Session opened"
    assert re.fullmatch(r"The customer called the driver completed "
                        r"Rang for \d+ s\. Talked for \d+ s\.", told[1])
    assert told[2].startswith("The driver called the customer not answered Rang for")
    assert sorted(told[3:5]) == ["The app texted the driver delivered",
                                 "The customer texted the driver delivered"]
    assert told[5:] == ["Session changed",
                        "The driver called the customer refused The session does "
                        "not let this party call."]
    # How the app was told of each: nobody listens there.
    assert re.search(r"call\.answered\s+waits after \d tr", panel.text(".timeline"))
    panel.reads("Who may call\nthe customer")
    for real in (caller, callee):
        assert real[2:] not in panel.driver.page_source.replace(" ", "")

    # What happens meanwhile is there by itself.
    quick.close(session)
    panel.reads("Session closed")
    panel.until(lambda: moments(panel)[-1] == "Session closed")


def test_a_call_under_way(at_session, quick, pair):
    caller, callee, session = pair
    quick.phone(callee, behaviour="manual")
    call = quick.sandbox("POST", "calls", {
        "from": caller, "to": masked(session), "wait": False})
    at_session.until(
        lambda: quick.sandbox("GET", f"calls/{call['sid']}")["rang"])
    quick.sandbox("POST", f"calls/{call['sid']}/answer", {"phone": callee})
    at_session.until(lambda: quick.get(session)["calls"][0]["answered_at"])
    at_session.refresh()
    at_session.reads("They are talking.")
    assert "talking" in moments(at_session)[-1]
    at_session.press("Close")
    at_session.driver.find_element("css selector", "dialog [type=checkbox]").click()
    at_session.press("Close the session")
    at_session.dialog_closes()
    at_session.reads("The session is closed, its calls are being ended.",
                     within=".notices")
    at_session.until(lambda: all(call["ended_at"]
                                 for call in quick.get(session)["calls"]))
    at_session.refresh()
    at_session.reads("Talked for")


def test_extending(at_session, quick, pair):
    before = quick.get(pair[2])["expires_at"]
    at_session.press("Extend")
    at_session.press("4 hours")
    assert at_session.field("By how many").get_attribute("value") == "240"
    at_session.fill("By how many", "90")
    at_session.press("Extend")
    at_session.dialog_closes()
    at_session.reads("The session is extended.", within=".notices")
    length = quick.one("SELECT unixepoch(?) - unixepoch(?)",
                       quick.get(pair[2])["expires_at"], before)
    assert length == 90 * 60

    # What the service does not allow is said where it was asked for.
    at_session.refusals += [(f"sessions/{pair[2]['id']}", 422)]
    at_session.press("Extend")
    at_session.fill("By how many", "10000000")
    at_session.press("Extend")
    at_session.reads("expires_at", within="dialog [role=alert]")
    assert at_session.field("By how many").get_attribute("aria-invalid") == "true"
    at_session.keys(Keys.ESCAPE)
    at_session.dialog_closes()
    at_session.focuses("Extend")


def test_who_may_call_and_text(at_session, quick, pair):
    at_session.press("Calls and texts")
    at_session.choose("Calls", "driver")
    at_session.choose("Texts", "nobody")
    at_session.press("Change")
    at_session.dialog_closes()
    told = quick.get(pair[2])
    assert (told["voice"], told["text"]) == ("driver", "none")
    at_session.reads("Who may text\nnobody")
    at_session.press("Calls and texts")
    assert at_session.field("Texts").get_attribute("value") == "none"
    at_session.choose("Texts", "both")
    at_session.press("Change")
    at_session.dialog_closes()
    told = quick.get(pair[2])
    assert (told["voice"], told["text"]) == ("driver", "both")


def test_another_phone(at_session, quick, pair):
    _, old, session = pair
    new = quick.person()
    at_session.refusals += [(f"sessions/{session['id']}", 422)]
    at_session.press("Replace a phone")
    at_session.choose("Whose phone", "driver")
    at_session.fill("New phone", "12")
    at_session.press("Replace")
    at_session.reads("must be E.164", within="dialog [role=alert]")
    at_session.fill("New phone", f"{new[:2]} ({new[2:5]}) {new[5:]}")
    at_session.press("Replace")
    at_session.dialog_closes()
    at_session.reads("The driver has another phone.", within=".notices")
    assert new[2:] not in at_session.driver.page_source
    assert quick.dial(new, masked(session))["connected"]
    assert not quick.dial(old, masked(session))["connected"]
    assert quick.one("SELECT count(*) FROM audit WHERE subject = ? "
                     "AND name = 'Olive'", session["id"])


def test_calling_and_texting(at_session, quick, pair):
    caller, callee, session = pair
    at_session.press("Call")
    at_session.choose("Who is rung first", "driver")
    at_session.press("Call")
    at_session.dialog_closes()
    at_session.reads("The phone of the driver is rung.", within=".notices")
    at_session.until(lambda: quick.get(session)["calls"][0]["status"] == "completed")
    at_session.refresh()
    at_session.reads("A call for the app: the driver, then the customer")

    at_session.press("Text")
    at_session.fill("Text", "We are looking into it.")
    at_session.choose("To", "customer")
    at_session.press("Send")
    at_session.dialog_closes()
    [text] = quick.texts_settled(session)
    assert (text["to"], text["status"]) == ("customer", "delivered")
    assert "We are looking into it." in json.dumps(
        quick.sandbox("GET", "transcript"))
    at_session.refresh()
    at_session.reads("The app texted the customer")
    assert "We are looking into it." not in at_session.text("body")


def test_what_if(panel, quick, viewer, pair):
    caller, callee, session = pair
    stranger = quick.person()

    def said(phone):
        panel.fill("The phone", phone)
        panel.press("Find out")
        panel.until(lambda: panel.field("The phone").get_attribute("value") == "")
        return panel.until(lambda: panel.text(".route"))

    panel.sign_in(viewer)
    panel.go("sessions", session["id"])
    panel.reads("What if this phone dialled now?")
    told = said(caller)
    assert "It would be connected." in told and "phone of the driver" in told
    assert said(callee).count("phone of the customer is rung") == 1
    told = said(stranger)
    assert "It would be refused. The caller has no session" in told
    assert "The caller hears:" in told and "is rung" not in told
    assert "The caller hides their number." in said("")
    quick.close(session)
    told = said(caller)
    assert "The session is closed." in told and "Your trip has ended" in told
    for real in (caller, callee, stranger):
        assert real[2:] not in panel.driver.page_source


def test_viewers_look_only(panel, viewer, pair):
    panel.sign_in(viewer)
    panel.go("sessions", pair[2]["id"])
    panel.reads("Session opened")
    assert panel.buttons() == ["Find out"]


def test_what_is_over_has_fewer_buttons(at_session, quick, pair):
    assert at_session.buttons(".deeds") == [
        "Call", "Text", "Extend", "Calls and texts", "Replace a phone", "Close"]
    quick.api("POST", f"/v1/sessions/{pair[2]['id']}/close", {"linger": 600})
    at_session.refresh()
    at_session.until(lambda: at_session.buttons(".deeds") == [
        "Call", "Text", "Close"])
    quick.close(pair[2])
    at_session.refresh()
    at_session.until(lambda: at_session.buttons(".deeds") == [])


def test_no_such_session(panel, viewer):
    panel.refusals += [("ses_0", 404)]
    panel.sign_in(viewer)
    panel.go("sessions", "ses_0")
    panel.until(lambda: panel.text("main [role=alert]"))
    panel.press("All sessions")
    panel.reads("Find")


def test_by_keyboard_alone(panel, quick, operator, pair):
    panel.focuses("Your key")
    panel.keys(operator, Keys.ENTER)
    panel.reads("Calls today")
    panel.tab_to("Sessions")
    panel.keys(Keys.ENTER)
    panel.reads("Find")
    panel.tab_to("Find")
    panel.keys(pair[2]["id"], Keys.ENTER)
    panel.reads("The session with this id")
    panel.tab_to(pair[2]["reference"])
    panel.keys(Keys.ENTER)
    panel.reads("Session opened")
    panel.tab_to("Close")
    panel.keys(Keys.ENTER)
    panel.reads("Close this session?")
    # Whoever opens it by accident changes nothing by pressing Enter again.
    panel.focuses("End calls under way")
    panel.keys(Keys.ESCAPE)
    panel.dialog_closes()
    panel.focuses("Close")
    panel.keys(Keys.ENTER)
    panel.reads("Close this session?")
    panel.tab_to("Close the session")
    panel.keys(Keys.ENTER)
    panel.dialog_closes()
    assert quick.get(pair[2])["status"] == "closed"
    assert panel.driver.execute_script(
        "return document.activeElement.id") == "main"
    # What has been done is said to those who do not see it, too.
    assert panel.driver.find_element(
        "css selector", "[role=status].notices").text.startswith(
            "The session is closed.")


def test_light_dark_wide_and_narrow(panel, axe, quick, operator, pair):
    caller, _, session = pair
    quick.dial(caller, masked(session))
    panel.sign_in(operator)
    panel.go("sessions")
    panel.reads(session["reference"])
    panel.is_flawless_everywhere(axe)
    panel.go("sessions", session["id"])
    panel.reads("Talked for")
    panel.is_flawless_everywhere(axe)
    for deed in panel.buttons(".deeds"):
        panel.press(deed)
        for scheme, width in (("light", 360), ("dark", 1400)):
            panel.is_flawless_at(axe, scheme, width)
        panel.keys(Keys.ESCAPE)
        panel.dialog_closes()


def words_js():
    """All lists of words.js."""
    script = WORDS.read_text(encoding="utf-8") + """
        console.log(JSON.stringify({REASONS, ACTIONS, SESSION_STATUS, CALL_STATUS,
            MESSAGE_STATUS, RECORDING_STATUS, EVENTS, DELIVERY_STATE}))"""
    return json.loads(subprocess.run(
        ["node", "--input-type=module"], input=script, capture_output=True,
        text=True, check=True).stdout)


def test_every_word_has_a_sentence():
    """And every sentence a word: those of the code and of the API."""
    shapes = json.loads(API.read_text(encoding="utf-8"))["components"]["schemas"]
    words = {name: set(list_) for name, list_ in words_js().items()}

    def named(shape, field):
        return set(shapes[shape]["properties"][field]["enum"]) - {None}

    policy = (ROOT / "lib/policy.c").read_text(encoding="utf-8")
    decided = set(re.findall(r'\[POLICY_\w+\] = "(\w+)"', policy))
    assert words["REASONS"] | words["ACTIONS"] == decided | {"from_app"}
    assert words["REASONS"] == (named("Message", "reason") | named("Call", "reason")
                                | named("Route", "reason"))
    assert words["ACTIONS"] == named("Route", "action")
    assert words["SESSION_STATUS"] == named("Session", "status")
    assert words["CALL_STATUS"] == named("Call", "status")
    assert words["MESSAGE_STATUS"] == named("Message", "status")
    assert words["RECORDING_STATUS"] == named("Recording", "status")
    assert words["EVENTS"] == named("Event", "type")
    schema = (ROOT / "sql/migrations/0001-first.sql").read_text(encoding="utf-8")
    [states] = re.findall(r"state IN \('waiting', '(\w+)', '(\w+)'\)", schema)
    assert words["DELIVERY_STATE"] == {"waiting", *states}
    for list_ in words_js().values():
        for sentence in list_.values():
            assert sentence if isinstance(sentence, str) else all(sentence)
