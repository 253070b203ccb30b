"""The admin panel's numbers, in a real browser: listed, found, added, set, and
looked up at Twilio."""

import re

import pytest
from selenium.webdriver.common.keys import Keys

ELSEWHERE = "https://elsewhere.example/"


def spoken(number):
    """A number as the panel shows it."""
    return f"+1 {number[2:5]} {number[5:8]} {number[8:]}"


def of_area(area, count, first=0):
    """Numbers that nobody has."""
    return [f"+1{area}55501{last:02d}" for last in range(first, first + count)]


def choose(panel, *numbers):
    """Mark numbers in the list."""
    for number in numbers:
        panel.until(lambda number=number: panel.field(spoken(number)))
        panel.field(spoken(number)).click()


def names(panel):
    return [row["Number"] for row in panel.rows()]


@pytest.fixture(scope="module")
def numbers(quick, account):
    """Five numbers of the pool: three bought, of which one is set wrongly, one
    that is not in the account, and one of another country."""
    a, b, c, d = account.numbers[:4]
    account.buy(a)
    account.buy(b, VoiceUrl=ELSEWHERE)
    account.buy(c)
    canada = "+14165550190"
    quick.cli("number", "add", a, b, c, d, canada, service=account.service)
    quick.cli("number", "set", "reserved", c, service=account.service)
    return a, b, c, d, canada


def test_listed_and_found(work, numbers, axe):
    a, _, c, _, canada = numbers
    work.press("Numbers")
    work.until(lambda: len(work.rows()) == 5)
    assert {row["Number"]: (row["Country"], row["State"], row["Live"], row["Held"],
                            row["Last used"], row["At Twilio"])
            for row in work.rows()}[spoken(c)] == (
                "US", "reserved", "0", "0", "–", "not checked yet")
    work.is_flawless_everywhere(axe)

    work.choose("State", "reserved")
    work.until(lambda: names(work) == [spoken(c)])
    work.choose("State", "retired")
    work.reads("No such numbers.")
    work.choose("State", "all")
    work.fill("Country", "ca")
    work.until(lambda: names(work) == [spoken(canada)])
    work.fill("Country", "")
    work.fill("Number", f"{spoken(a)}\n")
    work.until(lambda: names(work) == [spoken(a)])
    work.reads("All numbers")
    work.refusals.append(("numbers/12025550100", 404))
    work.go("numbers", "12025550100")
    work.until(lambda: work.text("[role=alert]"))
    work.go("numbers", "reserved")
    work.until(lambda: names(work) == [spoken(c)])


def test_looked_up_and_set_at_twilio(work, quick, account, numbers, axe):
    a, b, _, d, _ = numbers
    work.go("numbers")
    work.press("Check all at Twilio")
    work.reads("Checked at Twilio: 2 right, 1 set differently, "
               "2 not in the account.")
    found = {row["Number"]: row["At Twilio"] for row in work.rows()}
    assert re.fullmatch(r"right \d\d:\d\d", found[spoken(a)])
    assert re.fullmatch(r"set differently \d\d:\d\d voice_url is "
                        + re.escape(ELSEWHERE) + ".*", found[spoken(b)])
    assert found[spoken(d)].startswith("not in the account")
    work.is_flawless_everywhere(axe)

    choose(work, b, d)
    work.press("Set 2 at Twilio…")
    work.reads("Set 2 numbers at Twilio?", within="dialog")
    work.is_flawless(axe)
    work.press("Cancel")
    work.dialog_closes()
    assert account.get(b)["voice_url"] == ELSEWHERE
    work.press("Set 2 at Twilio…")
    work.press("Set at Twilio")
    work.reads("Set at Twilio: 1 right, 1 not in the account.")
    assert account.get(b)["voice_url"] == quick.url + "/twilio/voice"


def test_how_they_are_used(work, quick, account, numbers, axe):
    """By the keyboard."""
    a, b, c = numbers[:3]
    work.go("numbers")
    work.until(lambda: len(work.rows()) == 5)
    assert not work.button("Set state…").is_enabled()
    for number in (a, b):
        work.tab_to(spoken(number))
        work.keys(Keys.SPACE)
    work.reads("2 chosen")
    work.driver.execute_script("document.querySelector('main').focus()")
    work.tab_to("Set state…")
    work.keys(Keys.ENTER)
    work.reads("No session gets it any more", within="dialog")
    work.is_flawless(axe)
    work.tab_to("active")
    work.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    work.dialog_closes()
    work.reads("2 numbers are now draining.")
    assert [account.state(each) for each in (a, b, c)] == [
        "draining", "draining", "reserved"]
    work.until(lambda: [row["State"] for row in work.rows()].count("draining") == 2)

    # One of them is gone meanwhile.
    quick.bend("UPDATE number SET service_id = (SELECT id FROM service WHERE "
               "name = 'demo') WHERE number = ?", b)
    work.refusals.append((f"numbers/{b[1:]}", 404))
    work.press("Set state…")
    work.field("retired").click()
    work.press("Set")
    work.reads(f"{spoken(b)}: ", within="dialog [role=alert]")
    work.press("Cancel")
    work.until(lambda: len(work.rows()) == 4)
    assert [account.state(each) for each in (a, b)] == ["retired", "draining"]
    quick.bend("UPDATE number SET service_id = (SELECT id FROM service WHERE "
               "name = ?) WHERE number = ?", account.service, b)


def pool_size(quick, account):
    return quick.one("SELECT count(*) FROM number JOIN service ON service.id = "
                     "service_id WHERE service.name = ?", account.service)


def test_added_by_hand(work, quick, account, numbers, axe):
    new, other = of_area(478, 2)
    before = pool_size(quick, account)
    work.go("numbers")
    work.press("Add numbers")
    work.press("Add")
    work.reads("There is no number to add.")
    work.is_flawless_everywhere(axe)
    work.field("Numbers").send_keys("\n".join((
        spoken(new), f"{new}, ({other[2:5]})", numbers[0], "15550100", "hello",
        quick.numbers[0], f" {other} ")))
    work.press("Add")
    work.reads("Done: 2 added, 1 there already, 5 refused.")
    taken = "is in use: in another pool, or as somebody's own"
    assert [tuple(row.values()) for row in work.rows()] == [
        ("2", new, "refused", "is the same as in line 1"),
        ("2", f"({other[2:5]})", "refused", "is not a phone number"),
        ("4", "15550100", "refused", "must begin with + and the country code"),
        ("5", "hello", "refused", "is not a phone number"),
        ("6", quick.numbers[0], "refused", taken),
        ("3", numbers[0], "there already", ""),
        ("1", spoken(new), "added", ""),
        ("7", other, "added", "")]
    assert pool_size(quick, account) == before + 2
    work.is_flawless_everywhere(axe)
    work.choose("Show", "there already")
    work.until(lambda: len(work.rows()) == 1)
    work.press("Add more")
    work.reads("or a CSV file")


def test_added_from_a_file(work, quick, account, tmp_path):
    """In portions, to be stopped and gone on with."""
    many = [f"+1{area}55501{last:02d}" for area in (479, 480, 484)
            for last in range(100)][:250]
    lines = ["Sid;Phone Number;Name",
             *(f'PN{place};"{spoken(number)}";"a ""name"";\nof two lines"'
               for place, number in enumerate(many))]
    path = tmp_path / "numbers.csv"
    path.write_bytes(("\ufeff" + "\r\n".join(lines)).encode())
    before = pool_size(quick, account)
    work.go("numbers", "add")
    work.field("or a CSV file").send_keys(str(path))
    slow = {"offline": False, "latency": 1000, "downloadThroughput": -1,
            "uploadThroughput": -1}
    work.driver.execute_cdp_cmd("Network.enable", {})
    work.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    try:
        work.press("Add")
        work.press("Stop")
        work.reads("Stopped: 100 added, 150 not sent.")
        assert pool_size(quick, account) == before + 100
        work.press("Go on")
        work.until(lambda: work.driver.execute_script(
            "return document.querySelector('progress')?.value") in (100, 200))
    finally:
        work.driver.execute_cdp_cmd("Network.emulateNetworkConditions",
                                    {**slow, "latency": 0})
        work.driver.execute_cdp_cmd("Network.disable", {})
    work.reads("Done: 250 added.")
    assert pool_size(quick, account) == before + 250
    first = work.rows()[0]
    assert (first["Line"], first["Number"]) == ("2", spoken(many[0]))
    assert len(work.rows()) == 100
    work.press("Next")
    work.press("Next")
    work.until(lambda: len(work.rows()) == 50)
    assert work.rows()[0]["Line"] == str(2 + 2 * 200)


CASES = (
    ("a,b\nc,d\n", "No column of this file is called"),
    ("\n\n", "There is nothing in this file."),
    ("number\n2.025E+10\n", "was rounded by a spreadsheet"),
    ("who,where\nMia,+14845550199\n", "Done: 1 added."),
    ("+14845550199", "1 there already"),
    ("PhoneNumber\tSid\n\tPN1\n", "there is no number"),
    ("\ufeffnumber\r\n+14845550198\r\n".encode("utf-16-le"), "1 added"),
)


@pytest.mark.parametrize("text, said", CASES, ids=range(len(CASES)))
def test_files_of_all_kinds(work, tmp_path, text, said):
    path = tmp_path / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    work.go("numbers", "add")
    work.field("or a CSV file").send_keys(str(path))
    work.press("Add")
    work.reads(said)


def test_a_viewer_looks(watch, numbers, axe):
    watch.go("numbers")
    watch.until(lambda: len(watch.rows()) >= 5)
    assert set(watch.buttons()) <= {"Find", "Previous", "Next"}
    assert watch.driver.find_elements("css selector", "main [type=checkbox]") == []
    assert "Add numbers" not in watch.text("main")
    watch.is_flawless(axe)
    watch.go("numbers", "add")
    watch.reads("Country")
    assert "CSV" not in watch.text("main")
