"""A page in a browser, as a person uses it: by what can be read on it."""

import contextlib
import time

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


class Page:
    """What the driver shows."""

    def __init__(self, driver):
        self.driver = driver

    def until(self, test, seconds=10):
        """Wait until something holds. Nodes may vanish meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = test()
            except Exception as error:        # of selenium, about old nodes
                found, trouble = None, error
            else:
                trouble = None
            if found:
                return found
            assert time.monotonic() < deadline, (trouble, self.text("body"))
            time.sleep(0.02)

    def text(self, selector):
        """What can be read there."""
        return self.driver.execute_script(
            "return document.querySelector(arguments[0])?.innerText || ''",
            selector)

    def is_flawless(self, axe):
        """No violation of axe's rules."""
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(axe)
        found = self.driver.execute_async_script(
            "axe.run(document).then(arguments[0])")
        assert found["violations"] == [], [
            (each["id"], [node["html"][:200] + str(node["any"])[:300]
                          for node in each["nodes"]])
            for each in found["violations"]]
        assert len(found["passes"]) > 10

    @contextlib.contextmanager
    def seen(self, scheme="light", width=1400, height=800):
        """Seen in a scheme of colours and at a width."""
        command = self.driver.execute_cdp_cmd
        command("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})
        command("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": False})
        try:
            yield
        finally:
            command("Emulation.setEmulatedMedia", {"features": []})
            command("Emulation.clearDeviceMetricsOverride", {})

    def is_flawless_at(self, axe, scheme, width):
        """Nor anything that has to be scrolled sideways."""
        with self.seen(scheme, width):
            self.is_flawless(axe)
            assert self.driver.execute_script(
                "return document.documentElement.scrollWidth") <= width

    def is_flawless_everywhere(self, axe, narrow=360, wide=1400):
        """The same in light and dark, on narrow screens and wide ones."""
        for scheme in ("light", "dark"):
            for width in (narrow, wide):
                self.is_flawless_at(axe, scheme, width)


# What the panel shows and has: found as a person or a screen reader finds it.
FIND_LABEL = """
    const label = [...document.querySelectorAll('dialog[open] label, label')]
        .find(each => each.textContent.trim().startsWith(arguments[0]));
    return label.control"""


class Panel(Page):
    """The admin panel. Whatever the browser complains of fails the test, unless
    `refusals` names it: the end of an address and the status it was answered
    with."""

    def __init__(self, driver, url):
        super().__init__(driver)
        self.url = url
        self.refusals = [("keys/self", 401)]  # who comes is asked for first
        driver.get("about:blank")         # so that the next is a new page
        driver.get_log("browser")
        driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        driver.get(url + "/admin/")
        driver.execute_script(
            "window.breaches = []; addEventListener('securitypolicyviolation', "
            "event => breaches.push(event.violatedDirective))")

    def complaints(self):
        """What the browser complains of beyond the refusals."""
        logged = [entry["message"] for entry in self.driver.get_log("browser")
                  if entry["level"] != "DEBUG"]
        known = [(path, f"status of {status} ") for path, status in self.refusals]
        return [message for message in logged
                if not any(path in message and status in message
                           for path, status in known)] \
            + (self.driver.execute_script("return window.breaches") or [])

    def sign_in(self, key):
        """Come in by the front door."""
        self.fill("Your key", key)
        self.press("Sign in")
        self.reads("Sign out")

    def ask(self, path):
        """What the API says to the browser's cookie."""
        return self.driver.execute_async_script(
            "fetch('/admin/v1/' + arguments[0]).then(answer => answer.json())"
            ".then(arguments[1])", path)

    def refresh(self):
        """Have the page look again at once, as if one came back to it."""
        self.driver.execute_script(
            "document.dispatchEvent(new Event('visibilitychange'))")

    def go(self, *path):
        """To a page, by its address."""
        self.driver.execute_script(
            "location.hash = arguments[0]", "#/" + "/".join(path))

    def reads(self, words, within="body", seconds=10):
        """Wait until words can be read."""
        self.until(lambda: words in self.text(within), seconds)

    def button(self, name, within=""):
        """A button or link by its name; in the dialog, if one is open."""
        if self.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"):
            within = "//dialog"
        [found] = self.driver.find_elements(
            By.XPATH, f"{within}//*[self::button or self::a or self::summary]"
                      f"[normalize-space()=\"{name}\"]")
        return found

    def buttons(self, within="main"):
        """The names of all buttons there."""
        return [each.text for each in self.driver.find_elements(
            By.CSS_SELECTOR, f"{within} button")]

    def press(self, name):
        """Press a button, as soon as it is there."""
        def pressed():
            self.button(name).click()
            return True
        self.until(pressed)

    def field(self, label):
        """A field by the beginning of its label."""
        return self.until(
            lambda: self.driver.execute_script(FIND_LABEL, label))

    def fill(self, label, value):
        """Type into a field what it shall hold."""
        field = self.field(label)
        field.clear()
        field.send_keys(value)

    def choose(self, label, words):
        """Choose from a list."""
        field = self.field(label)
        field.find_element(
            By.XPATH, f".//option[normalize-space()=\"{words}\"]").click()

    def dialog_closes(self):
        """Wait until no dialog is open."""
        self.until(lambda: not self.driver.find_elements(
            By.CSS_SELECTOR, "dialog"))

    # By the keyboard alone.

    def focused(self):
        """What has the focus: its name, or its label's."""
        return self.driver.execute_script(
            "const at = document.activeElement;"
            "return (at.labels?.[0] || at).textContent.trim()")

    def focuses(self, name):
        """Wait until something whose name begins like this has the focus."""
        self.until(lambda: self.focused().startswith(name))

    def tab_to(self, name):
        """Press Tab until something of this name has the focus."""
        for _ in range(60):
            if self.focused().startswith(name):
                return
            self.keys(Keys.TAB)
        raise AssertionError(f"no way to {name!r}: {self.text('body')}")

    def keys(self, *keys):
        """Type, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def rows(self):
        """The rows of the first table in words, those of each by the names of
        their columns."""
        return self.driver.execute_script("""
            const words = node => node.innerText.replace(/\\s+/g, ' ').trim();
            const table = document.querySelector('table');
            const names = [...table.querySelectorAll('thead th')].map(words);
            return [...table.querySelectorAll('tbody tr')].map(row =>
                Object.fromEntries([...row.cells].map((cell, place) =>
                    [names[place], words(cell)])))""")

    def status(self):
        """What the panel says has happened."""
        return self.text(".notices")
