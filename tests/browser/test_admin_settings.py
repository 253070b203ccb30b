"""The admin panel's settings, in a real browser: changed one by one, with what
people hear beside them."""

import json

import pytest
from selenium.webdriver.common.keys import Keys

SENT = """
    const real = window.fetch;
    window.sent = [];
    window.fetch = (path, options) => {
        if (options?.method === 'PATCH')
            sent.push(options.body);
        return real(path, options);
    };"""


def settings(panel):
    """What the API says they are."""
    return {each["name"]: each["value"] for each in panel.ask("service")["settings"]}


@pytest.fixture
def form(work):
    """The page, with what it sends written down."""
    work.driver.execute_script(SENT)
    work.go("settings")
    work.reads("What people hear")
    work.reads("The call is connected")
    work.sent = lambda: [json.loads(each)["settings"] for each in
                         work.driver.execute_script("return sent")]
    return work


def situation(panel, title):
    """The words of a situation in the preview."""
    return panel.driver.execute_script("""
        const found = [...document.querySelectorAll('.preview article')].find(
            each => each.querySelector('h4').textContent === arguments[0]);
        return [...found.querySelectorAll(':scope > p')].map(p => p.textContent)""",
                                       title)


def test_all_are_there(form, axe):
    names = form.driver.execute_script(
        "return [...document.querySelectorAll('form [id^=setting-]')]"
        ".map(each => each.name).filter(Boolean)")
    service = form.ask("service")
    assert sorted(names) == sorted(each["name"] for each in service["settings"])
    for each in service["settings"]:
        field = form.driver.find_element("id", "setting-" + each["name"])
        value = field.is_selected() and 1 or 0 \
            if field.get_attribute("type") == "checkbox" \
            else field.get_attribute("value")
        assert str(value) == str("" if each["value"] is None else each["value"])
        if field.get_attribute("type") == "number":
            assert [int(field.get_attribute(bound)) for bound in ("min", "max")] \
                == [each["least"], each["most"]]
    assert "Others" not in form.text("form")
    assert "Not saved yet" not in form.text("main")
    form.is_flawless_everywhere(axe)


def test_only_what_was_changed_is_sent(form, axe):
    before = settings(form)
    form.fill("Life of a session", "3600")
    form.field("Callees accept by a key").send_keys(Keys.SPACE)
    form.fill("Announcement to callers", "Your call is connected.")
    form.fill("Longest call", "60")
    form.fill("Longest call", str(before["call-limit"]))
    form.reads("Not saved yet: Life of a session, Callees accept by a key, "
               "Announcement to callers")
    form.reads("seconds = 1 h")
    form.is_flawless(axe)
    assert settings(form) == before
    form.press("Save")
    form.reads("The settings are saved.")
    changed = {"ttl-default": 3600, "screening": 1,
               "announce-caller": "Your call is connected."}
    assert form.sent() == [changed]
    assert settings(form) == before | changed
    form.until(lambda: "Not saved yet" not in form.text("main"))
    # And back to nothing.
    form.fill("Announcement to callers", " ")
    form.field("Announcement to callers").send_keys("\b")
    form.press("Save")
    form.until(lambda: settings(form)["announce-caller"] is None)
    assert form.sent()[1:] == [{"announce-caller": None}]


def test_what_is_wrong_is_said_where_it_is(form, axe):
    before = settings(form)
    form.refusals += [("v1/service", 422)]
    form.field("Record calls").send_keys(Keys.SPACE)
    form.reads("record takes announce-caller", within=".preview")
    form.press("Save")
    form.reads("Takes announce-caller and announce-callee")
    form.focuses("Record calls")
    assert form.field("Record calls").get_attribute("aria-invalid") == "true"
    described = form.field("Record calls").get_attribute("aria-describedby")
    assert "setting-record-wrong" in described.split()
    form.is_flawless(axe)
    # The browser knows bounds by itself.
    sent = len(form.sent())
    form.fill("Longest call", "999999")
    form.press("Save")
    assert not form.driver.execute_script(
        "return document.getElementById('setting-call-limit').validity.valid")
    assert len(form.sent()) == sent and settings(form) == before
    form.press("Discard")
    form.until(lambda: "Not saved yet" not in form.text("main"))
    assert not form.field("Record calls").is_selected()
    assert form.field("Longest call").get_attribute("value") == \
        str(before["call-limit"])


def guarded(panel):
    """Whether the browser would ask before the page is left."""
    return panel.driver.execute_script(
        "return !dispatchEvent(new Event('beforeunload', {cancelable: true}))")


def test_nothing_is_lost_unsaved(form):
    assert not guarded(form)
    form.fill("Ended sessions are kept", "7")
    assert guarded(form)
    form.press("Keys")
    form.reads("your changes wait on their page")
    assert guarded(form)
    form.press("Settings")
    form.reads("Not saved yet: Ended sessions are kept")
    assert form.field("Ended sessions are kept").get_attribute("value") == "7"
    form.press("Discard")
    form.until(lambda: not guarded(form))


def test_what_people_hear(form, axe):
    unknown = "The caller's phone is in no session"
    asks = situation(form, unknown)
    assert asks[0].startswith("Please enter the six digit code")
    assert situation(form, "The session is over") == [
        "Your trip has ended, so this number no longer connects you. Goodbye."]
    form.field("Unknown callers type a code").send_keys(Keys.SPACE)
    form.until(lambda: situation(form, unknown) == asks[1:])
    form.fill("Announcement to callers", "Please hold.")
    form.until(lambda: situation(form, "The call is connected")
               == ["Please hold."])
    form.choose("Language", "German")
    form.until(lambda: "Fahrt ist beendet" in
               situation(form, "The session is over")[0])

    form.driver.execute_script(
        "window.heard = []; speechSynthesis.speak = "
        "said => heard.push([said.text, said.lang])")
    form.press("Listen to: The session is over")
    assert form.driver.execute_script("return heard") == [
        [situation(form, "The session is over")[0], "de"]]
    form.press("TwiML for: The call is connected")
    form.reads('<Say language="de-DE">Please hold.</Say>', within=".preview")
    form.is_flawless(axe)
    # Nothing of it is so yet.
    assert settings(form)["language"] == "en" and form.sent() == []
    form.press("Discard")
    form.until(lambda: situation(form, unknown) == asks)


def test_the_webhooks_secret_is_shown_once(form, quick, account, axe):
    form.fill("Events are sent to", "https://localhost:1/none")
    form.press("Save")
    form.reads("it is not shown again", within="dialog")
    secret = form.field("Secret").get_attribute("value")
    assert secret.startswith("whsec_")
    form.is_flawless(axe)
    form.press("Close")
    form.dialog_closes()
    assert len(form.rows()) == 1 and form.rows()[0]["Secret"].startswith("whs_")
    assert secret not in form.driver.page_source
    quick.cli("service", "set", "webhook-url=", service=account.service)


def test_a_viewer_looks(watch, axe):
    watch.go("settings")
    watch.reads("The call is connected")
    assert watch.driver.execute_script(
        "return [...document.querySelectorAll('form [name]')]"
        ".filter(each => !each.matches(':disabled')).length") == 0
    assert "Save" not in watch.buttons()
    watch.is_flawless(axe)
