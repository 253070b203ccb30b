#!/usr/bin/python3
"""Takes the pictures of the README: a day of a service in the admin panel, and
the two phones, light and dark. `make pictures` runs it and makes them small."""

import pathlib
import random
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenario")]

import conftest                                           # noqa: E402
import stack as stacks                                    # noqa: E402
from client import masked                                 # noqa: E402
from page import Panel                                    # noqa: E402
from test_phones import CARLA, DAN, Phones                # noqa: E402

WIDTH, HEIGHT = 1360, 860
# What a day of rides is like, hour by hour.
RIDES = [2, 1, 1, 0, 1, 3, 9, 17, 22, 15, 11, 12, 16, 14, 12, 13, 19, 26, 28, 22,
         17, 13, 9, 5]


def live_a_day(stack):
    """Tallies of the hours that are over: nobody waits a day for a picture."""
    dice = random.Random(2026)
    now = int(time.time())
    for ago in range(30 * 24):
        rides = RIDES[(23 - ago) % 24] + dice.randrange(3)
        counts = {"sessions_opened": rides, "texts_relayed": rides // 2,
                  "calls_answered": rides + dice.randrange(rides + 1),
                  "calls_missed no-answer": dice.randrange(2 + rides // 5),
                  "calls_missed busy": dice.randrange(2),
                  "calls_refused session_closed": dice.randrange(2 + rides // 8),
                  "calls_refused caller_unknown": dice.randrange(2)}
        for what, count in counts.items():
            at = now - now % 3600 - ago * 3600
            tally(stack, 3600, at, what, count)
            for _ in range(count if ago < 24 else 0):
                tally(stack, 60, at + 60 * dice.randrange(60), what, 1)


def tally(stack, step, at, what, count):
    """Count, as callmask would have."""
    if count and at <= time.time():
        stack.bend(
            "INSERT INTO tally (service_id, step_s, at, what, count) "
            "SELECT id, ?, ?, ?, ? FROM service WHERE true "
            "ON CONFLICT DO UPDATE SET count = tally.count + excluded.count",
            step, at, what, count)


def play(stack):
    """Some sessions, and one with a story to tell; that one."""
    for trip in range(8725, 8731):
        customer, driver = stack.persons(2)
        made = stack.open(customer, driver, reference=f"trip-{trip}")
        stack.dial(customer, masked(made))
        if trip % 3 == 0:
            stack.close(made)
    customer, driver = stack.persons(2)
    made = stack.open(customer, driver, reference="trip-8731")
    stack.phone(driver, behaviour="busy")
    stack.dial(customer, masked(made))
    stack.phone(driver, behaviour="answer")
    stack.dial(customer, masked(made))
    stack.sandbox("POST", "messages", {
        "from": customer, "to": masked(made), "body": "I am at the east gate."})
    stack.api("POST", f"/v1/sessions/{made['id']}/calls", {"from": "driver"})
    stack.texts_settled(made)
    time.sleep(3)
    stack.api("PATCH", f"/v1/sessions/{made['id']}", {"voice": "customer"})
    stack.dial(driver, masked(made))
    return made


def take(page, name):
    """A picture in light and in dark."""
    for scheme in ("light", "dark"):
        with page.seen(scheme, WIDTH, HEIGHT):
            page.driver.execute_script(
                "document.activeElement.blur(); scrollTo(0, 0)")
            time.sleep(0.7)              # charts are drawn anew
            page.driver.save_screenshot(str(HERE / f"{name}-{scheme}.png"))


def take_panel(stack, driver, session):
    panel = Panel(driver, stack.url)
    panel.sign_in(stack.cli("key", "add", "--role", "operator", "--name",
                            "Olive").stdout.strip())
    panel.press("Day")
    panel.reads("Calls as a table")
    take(panel, "overview")
    panel.go("sessions", session["id"])
    panel.reads("What happened")
    take(panel, "session")
    stack.cli("number", "sync", "--apply", check=False)
    panel.go("numbers")
    panel.reads("At Twilio")
    panel.reads("+1 202 555 01")
    take(panel, "numbers")


def take_phones(stack, driver):
    phones = Phones(driver, stack.url)
    phones.tap(CARLA, "Book a ride")
    phones.tap(CARLA, "Call Dan")
    phones.reads(DAN, "Incoming call")
    take(phones, "phones")


def main():
    stack = stacks.Stack(SANDBOX_SPEED="5")
    try:
        stack.cli("service", "set", "ask-code=0")
        live_a_day(stack)
        session = play(stack)
        with conftest.browser(WIDTH, HEIGHT) as driver:
            take_panel(stack, driver, session)
    finally:
        stack.stop()
    stack = stacks.Stack(SANDBOX_SPEED="1")
    try:
        with conftest.browser(WIDTH, HEIGHT) as driver:
            take_phones(stack, driver)
    finally:
        stack.stop()
    subprocess.run(["pngquant", "--force", "--ext", ".png", "--speed", "1",
                    "64", *HERE.glob("*-*.png")], check=True)


if __name__ == "__main__":
    main()
