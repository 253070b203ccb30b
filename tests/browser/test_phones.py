"""The two phones in a real browser: the whole story, by its buttons."""

import pytest
from selenium.webdriver.common.by import By

from page import Page

CARLA, DAN, UNKNOWN = "customer", "driver", "unknown"
MASKED = "+1 202 555 01"


class Phones(Page):
    """The page as a person uses it: phones by their owners, buttons by their
    names."""

    def __init__(self, driver, url):
        super().__init__(driver)
        driver.get(url + "/sandbox/")
        self.until(lambda: self.shows(CARLA, "Carla"))

    def shows(self, phone, words):
        return words in self.text(f".phone.{phone}")

    def reads(self, phone, words):
        """Wait until words stand on a phone."""
        self.until(lambda: self.shows(phone, words))

    def button(self, phone, name):
        xpath = (f"//section[contains(@class,'phone {phone}')]//button["
                 f"@aria-label='{name}' or starts-with(normalize-space(),'{name}')"
                 f" or contains(normalize-space(i/following-sibling::text()),'{name}')]")
        return self.driver.find_element(By.XPATH, xpath)

    def tap(self, phone, name):
        def tapped():
            self.button(phone, name).click()
            return True
        self.until(tapped)

    def type(self, phone, keys):
        for key in keys:
            self.tap(phone, key)

    def switch(self, words):
        self.driver.find_element(
            By.XPATH, f"//label[contains(.,'{words}')]/input").click()

    def done(self, *steps):
        """Wait until exactly these steps are ticked off."""
        self.until(lambda: self.driver.execute_script(
            "return [...document.querySelectorAll('.story ol li.done')].map("
            "item => item.textContent.replace(/^✓| \\(done\\)$/g, ''))")
            == list(steps))

    def end_call(self, phone):
        self.tap(phone, "Hang up")
        self.reads(phone, "Call ended")


@pytest.fixture
def page(stack, chromium):
    """The page from the beginning. The browser has nothing to complain of from
    its first byte to the end of the test: no error, no breach of the policy."""
    opened = Phones(chromium, stack.url)
    opened.tap_over = lambda: chromium.find_element(
        By.XPATH, "//button[.='Start over']").click()
    opened.tap_over()
    opened.done()
    yield opened
    assert chromium.get_log("browser") == []


def test_the_story(page, axe):
    assert "Tap “Book a ride”" in page.text(".now")
    page.tap(CARLA, "Book a ride")
    page.done("Book a ride")
    for phone in (CARLA, DAN):
        page.reads(phone, MASKED)

    page.tap(CARLA, "Call Dan")
    page.reads(DAN, "Incoming call")
    assert page.shows(DAN, MASKED) and "rings" in page.text(".now")
    page.is_flawless(axe)
    page.tap(DAN, "Answer")
    for phone in (CARLA, DAN):
        page.reads(phone, "Talking")
    page.is_flawless(axe)
    page.end_call(DAN)
    page.reads(CARLA, "Call ended")
    page.done("Book a ride", "Call the driver")

    page.tap(DAN, "Call Carla")
    page.tap(CARLA, "Answer")
    page.reads(DAN, "Talking")
    page.end_call(CARLA)

    page.tap(CARLA, "Text")
    field = page.driver.find_element(
        By.CSS_SELECTOR, ".phone.customer input[type=text]")
    field.send_keys("At the door.\n")
    page.reads(DAN, "At the door.")
    page.done("Book a ride", "Call the driver", "Call back", "Text")

    page.tap(DAN, "App")
    page.tap(DAN, "End the trip")
    page.reads(DAN, "Trip ended")
    page.tap(CARLA, "App")
    page.tap(CARLA, "Call Dan")
    page.reads(CARLA, "Your trip has ended, so this number no longer connects")
    page.done("Book a ride", "Call the driver", "Call back", "Text",
              "End the trip", "Call once more")
    page.reads(CARLA, "Call ended")
    assert not page.shows(DAN, "Incoming")

    wire = page.text(".wire")
    for words in ("POST /v1/sessions", "POST /twilio/voice", "call.answered",
                  "session.closed", "show +1 202 555 01", "message.relayed"):
        page.until(lambda: words in page.text(".wire"))
    assert "POST /Messages.json" in wire
    page.driver.execute_script("document.querySelectorAll('.wire details')"
                               ".forEach(each => { each.open = true })")
    wire = page.text(".wire")
    assert "<Number" in wire and "‹Dan’s number›" in wire
    for number in ("2025550147", "2025550123"):
        assert number not in wire
    page.is_flawless(axe)


def test_a_hidden_number_an_unknown_phone_and_the_app(page, axe):
    page.tap(CARLA, "Book a ride")
    page.reads(CARLA, "Your code is")
    code = page.text(".phone.customer .code b")

    page.tap(CARLA, "Call me first")
    page.tap(CARLA, "Answer")
    page.reads(CARLA, "Connecting your call.")
    page.tap(DAN, "Decline")
    page.reads(DAN, "Missed call")
    page.until(lambda: page.button(CARLA, "Call Dan"))

    page.switch("Unknown phone")
    page.tap(UNKNOWN, "Fill in")
    page.tap(UNKNOWN, "Call")
    page.reads(UNKNOWN, "six digit code")
    page.type(UNKNOWN, code)
    page.tap(DAN, "Answer")
    page.reads(UNKNOWN, "Talking")
    page.end_call(UNKNOWN)
    page.reads(DAN, "Call ended")

    page.tap(CARLA, "Keypad")
    page.driver.find_element(
        By.CSS_SELECTOR, ".phone.customer input[type=tel]").send_keys(
            "+12025550100\n")
    page.reads(CARLA, "is not a number of the account")
    assert [entry["level"] for entry in page.driver.get_log("browser")] \
        == ["SEVERE"]                         # the 404 itself
    page.is_flawless(axe)

    # What was going on is there again for who opens the page anew.
    page.driver.refresh()
    page.reads(CARLA, "Dan is on his way")
    page.tap_over()
    page.reads(CARLA, "Book a ride")
    page.done()


def test_light_dark_wide_and_narrow(page, axe):
    """Nothing to complain of, whatever it is looked at on."""
    page.is_flawless_everywhere(axe, narrow=400, wide=1500)
