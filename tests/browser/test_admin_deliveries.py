"""The admin panel's deliveries, in a real browser: what waits, what failed, and
how it is tried anew."""

import contextlib

import pytest

AT = 1790000000
ERROR = "upstream went away"


def name(place):
    return f"dlv_{place:026d}"


@pytest.fixture
def outbox(quick, account):
    """Some deliveries of each state, in the outbox past callmask."""
    service = quick.one("SELECT id FROM service WHERE name = ?", account.service)
    kinds = [("app", "event", "evt_1"), ("twilio", "call", "cal_1"),
             ("twilio", "number_check", "+14235550177")]
    with contextlib.closing(quick.connect("rw")) as database:
        database.execute("BEGIN")
        for place in range(66):
            channel, kind, subject = kinds[place % 3]
            state = ("done", "waiting")[place] if place < 2 else "parked"
            waits = state == "waiting"
            database.execute(
                "INSERT INTO outbox (id, service_id, channel, kind, subject_id, "
                "state, attempts, lease, doubt, due_at_ms, created_at_ms, ended_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)",
                (name(place), service, channel, kind, subject, state, 2,
                 9 * 10 ** 12 if waits else AT * 1000, AT * 1000,
                 None if waits else AT + 60))
            for number, status in ((1, None), (2, 200 if place == 0 else 503)):
                database.execute(
                    "INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?)",
                    (name(place), number, AT * 1000 + number * 5000, 1500 * number,
                     status, None if status == 200 else ERROR))
        database.execute("COMMIT")
    yield
    with contextlib.closing(quick.connect("rw")) as database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("DELETE FROM outbox WHERE service_id = ?", (service,))


def parked(quick):
    """Those that are still as they were."""
    return [each for [each] in quick.rows(
        "SELECT id FROM outbox WHERE state = 'parked' AND ended_at = ?", AT + 60)]


def test_listed(work, outbox, axe):
    work.press("Deliveries")
    work.until(lambda: len(work.rows()) == 1)
    [row] = work.rows()
    assert (row["Delivery"], row["About"], row["Tries"], row["Last answer"]) == (
        "call to be placed", "cal_1", "2", f"HTTP 503 {ERROR}")
    assert row["Next"].startswith("next try in ")
    work.press("Done")
    work.until(lambda: work.rows()[0]["Delivery"] == "event to the app")
    assert work.rows()[0]["Last answer"] == "HTTP 200"
    work.press("Failed")
    work.until(lambda: len(work.rows()) == 50)
    assert work.driver.find_element(
        "css selector", ".tabs [aria-current]").text == "Failed"
    work.press("Next")
    work.until(lambda: len(work.rows()) == 14)
    work.is_flawless_everywhere(axe)


def test_one_is_tried_anew(work, quick, account, outbox, axe):
    work.go("deliveries", name(2))
    work.reads("number to be checked at Twilio")
    assert "+1 423 555 0177" in work.text("dl") and "failed" in work.text("dl")
    assert [(row["Try"], row["Took"], row["Answer"]) for row in work.rows()] == [
        ("1", "2 s", f"no answer {ERROR}"), ("2", "3 s", f"HTTP 503 {ERROR}")]
    work.is_flawless_everywhere(axe)
    work.press("Retry…")
    work.reads("Retry this delivery?", within="dialog")
    work.is_flawless(axe)
    work.press("Cancel")
    work.dialog_closes()
    assert name(2) in parked(quick)
    work.press("Retry…")
    work.press("Retry")
    work.dialog_closes()
    assert work.status().startswith("The delivery is tried anew.")
    assert name(2) not in parked(quick) and len(parked(quick)) == 63
    work.press("+1 423 555 0177")
    work.until(lambda: work.driver.current_url.endswith("#/numbers/14235550177"))
    work.refusals.append(("numbers/14235550177", 404))
    work.reads("All numbers")


def test_all_are_tried_anew(work, quick, outbox, axe):
    work.go("deliveries", "parked")
    work.press("Retry all that failed…")
    work.reads("Retry all that failed?", within="dialog")
    work.is_flawless(axe)
    work.press("Retry all")
    work.dialog_closes()
    assert work.status().startswith("64 deliveries are tried anew.")
    assert parked(quick) == []


def test_a_viewer_looks(watch, quick, outbox):
    watch.go("deliveries", "parked")
    watch.until(lambda: len(watch.rows()) == 50)
    assert set(watch.buttons()) == {"Previous", "Next"}
    watch.go("deliveries", name(2))
    watch.reads("number to be checked at Twilio")
    assert watch.buttons() == []
