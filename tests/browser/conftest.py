"""A stack to play with, and Debian's Chromium looking at it."""

import contextlib
import pathlib
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))

import npm                                                # noqa: E402
import stack as stacks                                    # noqa: E402
from between import Account                               # noqa: E402
from page import Panel                                    # noqa: E402

webdriver = pytest.importorskip("selenium.webdriver")

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
           "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update",
           "--disable-sync", "--ignore-certificate-errors",
           "--force-prefers-reduced-motion")


@pytest.fixture(scope="module")
def stack(request):
    """callmask as `make run` starts it, in quicker time."""
    failed = request.session.testsfailed
    made = stacks.Stack(SANDBOX_SPEED="3")
    made.cli("service", "set", "ask-code=1")
    yield made
    made.stop(keep=request.session.testsfailed > failed)


@pytest.fixture(scope="module")
def quick(request):
    """callmask in much quicker time, for those who look at it afterwards."""
    failed = request.session.testsfailed
    made = stacks.Stack(SANDBOX_SPEED="50")
    yield made
    made.stop(keep=request.session.testsfailed > failed)


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core."""
    source = npm.modules(HERE / "axe") / "axe-core" / "axe.min.js"
    return source.read_text(encoding="utf-8")


@contextlib.contextmanager
def browser(width=1500, height=1000):
    """A Chromium of its own, with a profile that knows nothing."""
    with tempfile.TemporaryDirectory(prefix="callmask-browser.") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for option in (*OPTIONS, f"--user-data-dir={profile}",
                       f"--window-size={width},{height}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(
            options=options,
            service=webdriver.chrome.service.Service(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="session")
def chromium():
    """The browser of all tests."""
    with browser() as driver:
        yield driver


@pytest.fixture
def panel(quick, chromium):
    """The admin panel's front door. The browser has nothing to complain of from
    its first byte to the end of the test: no error, no breach of the policy."""
    opened = Panel(chromium, quick.url)
    yield opened
    assert opened.complaints() == []


@pytest.fixture(scope="module")
def operator(quick):
    """The key of an operator, called Olive."""
    return quick.cli("key", "add", "--role", "operator",
                     "--name", "Olive").stdout.strip()


@pytest.fixture(scope="module")
def viewer(quick):
    """The key of a viewer, called Vic."""
    return quick.cli("key", "add", "--role", "viewer",
                     "--name", "Vic").stdout.strip()


_area = iter((423, 424, 425, 430, 432, 434, 435, 440))


@pytest.fixture(scope="module")
def account(quick, tmp_path_factory):
    """A service of a module's own, without numbers yet; with the keys of its
    operator, called Olive, and of its viewer, called Vic."""
    area = next(_area)
    made = Account(quick, tmp_path_factory.mktemp("account"), f"of-{area}", area)
    made.keys = {
        role: quick.cli("key", "add", "--role", role, "--name", name,
                        service=made.service).stdout.strip()
        for role, name in (("operator", "Olive"), ("viewer", "Vic"))}
    yield made
    made.close()


@pytest.fixture
def work(panel, account):
    """The panel, with the account's operator in it."""
    panel.sign_in(account.keys["operator"])
    return panel


@pytest.fixture
def watch(panel, account):
    """The panel, with the account's viewer in it."""
    panel.sign_in(account.keys["viewer"])
    return panel
