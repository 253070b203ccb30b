"""The admin panel's door and its overview, in a real browser."""

import pytest

from client import masked


def show_stranger(panel, problem):
    """Wait until the door says what is wrong, and has the key ready to be typed
    again."""
    panel.reads(problem, within="[role=alert]")
    panel.focuses("Your key")


def test_signing_in_and_out(panel, quick, operator):
    panel.reads("Where do I get a key?")
    panel.focuses("Your key")
    panel.refusals += [("sign-in", 401), ("sign-in", 403)]

    wrong = operator[:-4] + "0000"
    panel.fill("Your key", wrong)
    panel.press("Sign in")
    show_stranger(panel, "This key is not known, or not valid any more.")
    panel.fill("Your key", quick.env["CALLMASK_API_KEY"])
    panel.press("Sign in")
    show_stranger(panel, "is an app's")

    panel.sign_in(f" {operator} ")
    panel.reads("Olive operator".replace(" ", "\n"), within=".who")
    assert panel.driver.title == "Overview · demo · callmask"
    assert panel.driver.execute_script("return document.cookie") == ""
    panel.driver.refresh()
    panel.reads("Calls today")

    panel.press("Sign out")
    panel.reads("You have been signed out.")
    assert panel.driver.execute_async_script(
        "fetch('/admin/v1/keys/self').then(answer => arguments[0](answer.status))"
    ) == 401


@pytest.mark.parametrize("why", ("ended", "revoked"))
def test_a_sign_in_that_is_over(panel, quick, why):
    key = quick.cli("key", "add", "--role", "viewer", "--name", why).stdout.strip()
    panel.sign_in(key)
    panel.reads("Calls today")
    panel.refusals += [("overview", 401), ("tallies", 401), ("sessions", 401)]
    if why == "ended":
        quick.bend("UPDATE sign_in SET ends_at = 1")
    else:
        quick.cli("key", "revoke", key.split("_")[1].join(("key_", "")))
    panel.go("sessions")
    panel.reads("You have been signed out.")
    panel.focuses("Your key")


def figures(panel):
    """The large numbers of the overview by their names."""
    return panel.driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('.figure')]"
        ".map(each => [each.children[0].innerText, each.children[1].innerText]))")


def test_what_it_shows(panel, quick, viewer):
    caller, callee = quick.persons(2)
    session = quick.open(caller, callee)
    number = masked(session)
    quick.dial(caller, number)
    quick.phone(callee, behaviour="busy")
    quick.dial(caller, number)
    quick.dial(quick.person(), number)
    quick.dial(quick.person(), number)
    quick.close(session)
    quick.dial(caller, number)

    panel.sign_in(viewer)
    panel.reads("Calls today")
    told = panel.ask("overview")
    today = told["calls"]["today"]
    assert today["answered"] and today["missed_by"]["busy"]
    assert today["refused_by"]["session_closed"]
    panel.until(lambda: figures(panel) == {
        "open sessions": str(told["sessions"]["open"]),
        "calls under way": "0",
        "answered": str(today["answered"]), "missed": str(today["missed"]),
        "refused": str(today["refused"]), "failed": str(today["failed"]),
        "free for a new pair": f"{int(told['pool']['free'] * 100)} %",
        "days left": "–", "wait for the app": "0", "wait for Twilio": "0",
        "given up": "0"})
    for words in (f"{today['refused_by']['session_closed']} The session is closed.",
                  f"{today['missed_by']['busy']} busy", "US 8 active",
                  "Database answers", "Worker runs"):
        assert words in panel.text("main"), words
    assert panel.text(".troubles") == ""

    # What happens meanwhile is there by itself, and nothing moves.
    assert panel.text(".figure dd") == str(told["sessions"]["open"])
    where = "return JSON.stringify(document.querySelector('.charts')" \
            ".getBoundingClientRect())"
    before = panel.driver.execute_script(where)
    quick.open(*quick.persons(2))
    panel.until(lambda: figures(panel)["open sessions"]
                == str(told["sessions"]["open"] + 1))
    assert panel.driver.execute_script(where) == before


def drawn(panel):
    """How many points of each chart have the colours of bars."""
    return panel.driver.execute_script("""
        return [...document.querySelectorAll('.bars canvas')].map(canvas => {
            const copy = document.createElement('canvas').getContext(
                '2d', {willReadFrequently: true});
            [copy.canvas.width, copy.canvas.height] = [canvas.width, canvas.height];
            copy.drawImage(canvas, 0, 0);
            const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
            let points = 0;
            for (let at = 0; at < data.length; at += 4)
                if (data[at + 3] === 255 && Math.max(...data.slice(at, at + 3))
                        - Math.min(...data.slice(at, at + 3)) > 60)
                    points++;
            return points;
        })""")


def test_charts(panel, quick, viewer):
    quick.open(*quick.persons(2))
    panel.sign_in(viewer)
    panel.until(lambda: len(drawn(panel)) == 3 and drawn(panel)[1] > 20)
    for span, steps in (("Day", 96), ("Month", 120), ("Hour", 60)):
        panel.press(span)
        panel.reads(f"The last {span.lower()}")
        assert panel.button(span).get_attribute("aria-pressed") == "true"
        panel.until(lambda: drawn(panel)[1] > 20)
        told = panel.ask(f"tallies?span={span.lower()}")["series"]
        assert len(told["sessions_opened"]) == steps
        panel.reads(f"{sum(told['sessions_opened'])} opened")

    # The same for who cannot see it.
    panel.press("Sessions as a table")
    rows = panel.driver.execute_script(
        "return [...document.querySelectorAll('details[open] tbody td')]"
        ".map(each => Number(each.innerText))")
    assert sum(rows) == sum(told["sessions_opened"])


def test_trouble_is_loud(panel, quick, viewer):
    pipe = quick.folder / "callmask.db-wake"
    panel.sign_in(viewer)
    panel.reads("Worker runs")
    assert panel.text("[role=alert]") == ""
    try:
        pipe.rename(quick.folder / "away")
        quick.bend("UPDATE number SET state = 'draining'")
        panel.refresh()
        panel.reads("Trouble: The worker does not run", within="[role=alert]")
        panel.reads("Trouble: No masked number is free", within="[role=alert]")
        assert "Worker does not run" in panel.text("main")
    finally:
        (quick.folder / "away").rename(pipe)
        quick.bend("UPDATE number SET state = 'active'")
    panel.refresh()
    panel.until(lambda: panel.text("[role=alert]") == "")


def test_callmask_out_of_reach(panel, quick, viewer):
    """What was known stays, with a word that it is old."""
    panel.sign_in(viewer)
    panel.reads("Calls today")
    panel.refusals += [("overview", 503), ("tallies", 503)]
    secrets = quick.folder / "secrets.conf"
    kept = secrets.read_text()
    try:
        secrets.write_text("")
        quick.restart("admin")
        panel.refresh()
        panel.until(lambda: panel.text(".loaded > [role=alert]"))
        assert "Calls today" in panel.text("main")
    finally:
        secrets.write_text(kept)
        quick.restart("admin")
    panel.refresh()
    panel.until(lambda: not panel.text(".loaded > [role=alert]"))


def test_light_dark_wide_and_narrow(panel, axe, viewer):
    panel.is_flawless_everywhere(axe)
    panel.sign_in(viewer)
    panel.reads("The last hour")
    panel.press("Calls as a table")
    panel.is_flawless_everywhere(axe)


def test_the_menu_on_narrow_screens(panel, axe, viewer):
    with panel.seen(width=360):
        panel.fill("Your key", viewer)
        panel.press("Sign in")
        panel.reads("Calls today")
        assert "Sign out" not in panel.text("header")
        panel.tab_to("Menu")
        panel.keys("\ue007")                              # Enter
        panel.until(lambda: "Sign out" in panel.text("header"))
        panel.is_flawless(axe)
        panel.keys("\ue00c")                              # Escape
        panel.until(lambda: "Sign out" not in panel.text("header"))
        panel.focuses("Menu")
        panel.press("Menu")
        panel.press("Sessions")
        panel.reads("Find")
        assert "Sign out" not in panel.text("header")
        assert panel.driver.execute_script(
            "return document.activeElement.id") == "main"
