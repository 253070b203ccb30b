"""The admin panel's keys, in a real browser: made, shown once, revoked."""

import pytest
from selenium.webdriver.common.keys import Keys


def key_of(quick, account, name):
    """Role and state of a key."""
    [row] = quick.rows(
        "SELECT role, revoked_at IS NULL FROM api_key JOIN service "
        "ON service.id = service_id WHERE service.name = ? AND api_key.name = ?",
        account.service, name)
    return row


def test_made_and_shown_once(work, quick, account, axe):
    """By the keyboard."""
    work.go("keys")
    work.until(lambda: len(work.rows()) >= 3)
    work.tab_to("Add a key")
    work.keys(Keys.ENTER)
    work.reads("What it may do", within="dialog")
    work.is_flawless_everywhere(axe)
    work.tab_to("Name")
    work.keys("dispatch")
    work.tab_to("app")
    work.keys(Keys.SPACE, Keys.ARROW_DOWN)
    work.tab_to("Cancel")
    work.keys(Keys.TAB, Keys.ENTER)
    work.reads("it is not shown again", within="dialog")
    work.is_flawless(axe)
    key = work.field("Key").get_attribute("value")
    assert quick.api("GET", "/v1/keys/self", key=key).json["name"] == "dispatch"
    assert key_of(quick, account, "dispatch") == ("admin", 1)

    work.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    work.press("Copy")
    work.reads("Copied.", within="dialog")
    assert work.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0])") == key
    work.press("Close")
    work.dialog_closes()
    work.until(lambda: "dispatch" in [row["Name"] for row in work.rows()])
    assert key not in work.driver.page_source
    assert key.split("_")[2] not in work.driver.page_source


def test_revoked(work, quick, account, axe):
    key = quick.cli("key", "add", "--name", "old backend",
                    service=account.service).stdout.strip()
    work.go("keys")
    work.press("Revoke… old backend")
    work.reads("it opens no sessions any more", within="dialog")
    work.is_flawless(axe)
    work.fill("To be sure", "new backend\n")
    work.reads("This is not its name.", within="dialog")
    assert quick.api("GET", "/v1/keys/self", key=key).status == 200
    work.fill("To be sure", "old backend\n")
    work.dialog_closes()
    assert work.status().startswith("The key “old backend” is revoked.")
    assert quick.api("GET", "/v1/keys/self", key=key).status == 401
    assert key_of(quick, account, "old backend") == ("app", 0)
    [row] = [row for row in work.rows() if row["Name"] == "old backend"]
    assert row["State"].startswith("revoked")
    work.until(lambda: not [each for each in work.buttons()
                            if each.endswith("old backend")])


def test_nobody_revokes_their_own(work):
    work.go("keys")
    work.until(lambda: "Olive (yours)" in [row["Name"] for row in work.rows()])
    assert work.button("Revoke… Vic")
    with pytest.raises(ValueError):
        work.button("Revoke… Olive")


def test_a_viewer_looks(watch, axe):
    watch.go("keys")
    watch.until(lambda: "Vic (yours)" in [row["Name"] for row in watch.rows()])
    assert watch.buttons() == []
    watch.is_flawless(axe)
