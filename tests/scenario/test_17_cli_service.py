"""callmask, the operator's tool: keys, numbers and sessions of a service."""

import fcntl
import json
import re
import shlex
import subprocess
import time

import pytest

from client import masked

KEY = r"cm_[0-9a-z]{26}_[0-9a-f]{64}"


# Keys.

def test_a_key_from_its_making_to_its_end(stack):
    made = stack.cli("key", "add", "--role", "admin", "--name", "Zoë")
    key = made.stdout.strip()
    assert re.fullmatch(KEY, key)
    key_id = "key_" + key.split("_")[1]
    assert key_id in made.stderr and key not in made.stderr
    [line] = [line for line in stack.cli("key", "list").stdout.splitlines()
              if key_id in line]
    assert "admin" in line and "valid" in line and "Zoë" in line
    assert key.split("_")[2] not in line
    assert stack.api("GET", "/v1/sessions", key=key).status == 200
    assert stack.cli("key", "revoke", key_id).stdout == f"{key_id} revoked\n"
    assert stack.api("GET", "/v1/sessions", key=key).status == 401
    assert "revoked" in stack.cli("key", "list").stdout
    again = stack.cli("key", "revoke", key_id, check=False)
    assert again.returncode == 1 and "no such valid key" in again.stderr


def test_a_key_of_another_service_cannot_be_revoked(stack):
    key = stack.new_service("keys")
    key_id = "key_" + key.split("_")[1]
    done = stack.cli("key", "revoke", key_id, check=False)
    assert done.returncode == 1
    assert stack.api("GET", "/v1/sessions", key=key).status == 200


def test_only_the_hash_of_a_key_is_kept(stack):
    key = stack.cli("key", "add", "--name", "hashed").stdout.strip()
    secret = key.split("_")[2]
    for path in stack.folder.iterdir():
        if path.is_file() and path.name not in ("env", "stack.out"):
            data = path.read_bytes()
            assert secret.encode() not in data
            assert bytes.fromhex(secret) not in data


# Numbers.

def test_numbers_are_added_one_by_one(stack):
    done = stack.cli("number", "add", "+12025550140", "+1202", "+12025550140",
                     "+12025550141", "12025550142", check=False)
    assert done.returncode == 1
    assert done.stdout == "+12025550140 added (US)\n+12025550141 added (US)\n"
    assert "+1202: is not an E.164 number" in done.stderr
    assert "+12025550140: is in a pool already" in done.stderr
    assert "12025550142: is not" in done.stderr
    listed = stack.cli("number", "list").stdout
    assert "+12025550140" in listed and "+12025550142" not in listed
    # So that other tests find the pool as it was.
    connection = stack.connect("rw")
    connection.execute("DELETE FROM number WHERE number LIKE '+1202555014_' "
                       "AND last_used_at = 0")
    connection.close()


@pytest.mark.parametrize("number", ("+88216555012", "+18005550123", "",
                                    "+1 202 555 0143", "anonymous"))
def test_a_number_of_no_country_is_refused(stack, number):
    done = stack.cli("number", "add", number, check=False)
    assert done.returncode == 1 and done.stdout == ""


def test_the_number_of_a_party_is_refused(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    done = stack.cli("number", "add", customer, check=False)
    assert done.returncode == 1
    assert "real number of someone in an open session" in done.stderr
    assert f"+1…{customer[-2:]}: " in done.stderr
    assert customer not in done.stderr
    assert customer not in stack.cli("number", "list").stdout
    stack.close(session)


def test_the_number_of_another_service_is_refused(stack):
    stack.new_service("numbers")
    done = stack.cli("number", "add", stack.numbers[0], service="numbers",
                     check=False)
    assert done.returncode == 1 and "in a pool already" in done.stderr


def test_the_list_of_numbers_tells_their_use(stack):
    key = stack.new_service("use", numbers=["+12025550136"])
    live, ended = [stack.create(*stack.persons(2), key=key).json for _ in "ab"]
    stack.close(ended, key=key)
    [line] = stack.cli("number", "list", service="use").stdout.splitlines()
    assert re.match(r"\+12025550136 +US +active +2 live +2 held +last used 20",
                    line)
    assert masked(live) == "+12025550136"


# Sessions.

def test_sessions_are_listed_shown_and_closed(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver, reference="trip of the operator")
    stack.dial(customer, masked(session))
    listed = stack.cli("session", "list", "open").stdout
    assert session["id"] in listed and "trip of the operator" in listed
    shown = json.loads(stack.cli("session", "show", session["id"]).stdout)
    assert shown == stack.get(session)
    closed = json.loads(stack.cli("session", "close", session["id"]).stdout)
    assert closed["status"] == "closed"
    assert session["id"] in stack.cli("session", "list", "closed").stdout
    assert session["id"] not in stack.cli("session", "list", "open").stdout
    assert stack.get(session)["status"] == "closed"


def test_a_session_that_is_not_there_or_not_ours(stack):
    stack.new_service("sessions")
    session = stack.open(*stack.persons(2))
    for verb in ("show", "close"):
        for service, id_ in (("demo", "ses_x"), ("sessions", session["id"])):
            done = stack.cli("session", verb, id_, service=service, check=False)
            assert done.returncode == 1 and done.stdout == ""
    assert stack.get(session)["status"] == "open"


def test_with_several_services_one_must_be_named(stack):
    stack.new_service("several")
    done = stack.cli("session", "list", service=None, check=False)
    assert done.returncode == 1 and "say -s NAME" in done.stderr
    done = stack.cli("session", "list", service="nobody", check=False)
    assert done.returncode == 1 and "no service nobody" in done.stderr


def test_what_the_panel_sets_meanwhile_stays(new_stack):
    made = new_stack(WORKERS="1")
    command = [*shlex.split(made.env["CALLMASK"]), "service", "set", "hold=17"]
    with open(made.folder / "callmask.db-lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(command) as setting:
            time.sleep(0.5)
            made.bend("UPDATE service SET call_limit_s = 77")
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert setting.wait(20) == 0
    assert made.rows("SELECT hold_s, call_limit_s FROM service") == [(17, 77)]
