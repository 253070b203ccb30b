"""What the app's backend may ask for, what it gets, and what it never sees."""

import datetime
import re
import time

import pytest

from client import TRIP_ENDED, masked, new_sid

ULID = "[0-9a-z]{26}"
PARTY = {"id", "role", "masked_number", "code", "dial", "disputed"}
SESSION = {"id", "reference", "status", "created_at", "expires_at", "closed_at",
           "linger_until", "voice", "text", "parties"}


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def test_the_answer_has_what_the_design_promises(stack):
    answer = stack.create(*stack.persons(2), reference="trip-8731", ttl=7200)
    session = answer.json
    assert (answer.status, answer.type) == (201, "application/json")
    assert answer.headers["Location"] == f"/v1/sessions/{session['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert session.keys() == SESSION
    assert re.fullmatch(f"ses_{ULID}", session["id"])
    assert (session["reference"], session["status"]) == ("trip-8731", "open")
    assert session["closed_at"] is None
    life = moment(session["expires_at"]) - moment(session["created_at"])
    assert life == datetime.timedelta(hours=2)
    assert [party["role"] for party in session["parties"]] == [
        "customer", "driver"]
    for party in session["parties"]:
        assert party.keys() == PARTY
        assert re.fullmatch(f"pty_{ULID}", party["id"])
        assert re.fullmatch("[0-9]{6}", party["code"])
        assert party["dial"] == f"{party['masked_number']},,{party['code']}#"
    assert masked(session) in stack.numbers
    assert stack.get(session) == session | {
        "calls": [], "messages": [], "recordings": []}


def test_reference_and_ttl_may_be_left_out(stack):
    wish = {"parties": [{"role": "a", "phone": stack.person()},
                        {"role": "b", "phone": stack.person()}]}
    answer = stack.api("POST", "/v1/sessions", wish)
    session = answer.json
    life = moment(session["expires_at"]) - moment(session["created_at"])
    assert session["reference"] is None
    assert life == datetime.timedelta(hours=2)
    nulls = wish | {"reference": None, "ttl": None, "country": None}
    assert stack.api("POST", "/v1/sessions", nulls).status == 201


@pytest.mark.parametrize("phone", (
    "12025550150", "+1 202 555 0150", "+1-202-555-0150", "+0202555015",
    "+120255", "+1202555015012345", "+1202555015x", "", "tel:+12025550150",
    "+１２０２５５５０１５０", "anonymous"))
def test_a_phone_must_be_e164(stack, phone):
    for pair in ((phone, stack.person()), (stack.person(), phone)):
        place = pair.index(phone)
        assert stack.create(*pair).problem == (
            422, "invalid_field", f"parties[{place}].phone")


def test_the_two_must_differ(stack):
    phone = stack.person()
    assert stack.create(phone, phone).problem == (
        422, "same_party", "parties[1].phone")


def test_a_masked_number_is_no_party(stack):
    for number in stack.numbers:
        assert stack.create(number, stack.person()).problem == (
            422, "own_number", "parties[0].phone")
        assert stack.create(stack.person(), number).problem == (
            422, "own_number", "parties[1].phone")


@pytest.mark.parametrize("phone", (
    "+14165550123", "+17875550123", "+18765550123", "+442079460123",
    "+18005550123", "+19005550123", "+88216555012"))
def test_a_country_not_allowed(stack, phone):
    assert stack.create(stack.person(), phone).problem == (
        422, "country_not_allowed", "parties[1].phone")


def test_a_number_of_a_wanted_country(stack):
    assert stack.open(*stack.persons(2), country="US")
    assert stack.create(*stack.persons(2), country="CA").problem == (
        409, "pool_exhausted", None)
    for wrong in ("us", "USA", "XX", "U", 1):
        assert stack.create(*stack.persons(2), country=wrong).problem == (
            422, "invalid_field", "country")


@pytest.mark.parametrize("ttl", (0, -1, 30 * 86400 + 1, 2**62, 1.5, 3600.0,
                                 "3600", True, [], {}))
def test_a_ttl_out_of_bounds(stack, ttl):
    assert stack.create(*stack.persons(2), ttl=ttl).problem == (
        422, "invalid_field", "ttl")


@pytest.mark.parametrize("ttl", (1, 30 * 86400))
def test_a_ttl_at_its_bounds(stack, ttl):
    session = stack.open(*stack.persons(2), ttl=ttl)
    life = moment(session["expires_at"]) - moment(session["created_at"])
    assert life.total_seconds() == ttl


def test_a_reference_names_one_open_session(stack):
    first = stack.open(*stack.persons(2), reference="one")
    assert stack.create(*stack.persons(2), reference="one").problem == (
        409, "reference_in_use", "reference")
    stack.close(first)
    second = stack.open(*stack.persons(2), reference="one")
    stack.close(second)
    assert second["id"] != first["id"]


def test_a_reference_is_free_again_after_expiry(stack):
    first = stack.open(*stack.persons(2), reference="short", ttl=1)
    assert stack.create(*stack.persons(2), reference="short").status == 409
    time.sleep(1.1)
    stack.open(*stack.persons(2), reference="short")
    assert stack.get(first)["status"] == "expired"
    assert stack.events(first) == [
        ("session.opened", None), ("session.expired", None)]


def test_any_text_is_a_reference(stack):
    for text in ("Fahrt 7 – Zoë 🚕", "x" * 128, "'; DROP TABLE leg; --",
                 "%s%n", "</Response>", "ü" * 64):
        session = stack.open(*stack.persons(2), reference=text)
        assert stack.get(session)["reference"] == text
    for text in ("x" * 129, "ü" * 65, "", "a\nb", "a\x7fb", "\x00"):
        assert stack.create(*stack.persons(2), reference=text).status in (
            400, 422)


@pytest.mark.parametrize("role", ("", "Customer", "1st", "a b", "ü", "x" * 33,
                                  "+12025550150", None, 7))
def test_a_role_is_a_lower_case_word(stack, role):
    wish = {"parties": [{"role": role, "phone": stack.person()},
                        {"role": "driver", "phone": stack.person()}]}
    assert stack.api("POST", "/v1/sessions", wish).problem == (
        422, "invalid_field", "parties[0].role")


def test_a_refused_request_writes_nothing(stack):
    before = stack.tables()
    for wish in ({"ttl": 0}, {"country": "XX"}, {"surprise": 1},
                 {"reference": ""}):
        assert stack.create(*stack.persons(2), **wish).status == 422
    assert stack.create(stack.numbers[0], stack.person()).status == 422
    assert stack.tables() == before


# Numbers.

def test_an_exhausted_pool_is_told_and_noted(stack):
    driver, before = stack.person(), stack.tables()["event"]
    sessions = [stack.open(stack.person(), driver) for _ in stack.numbers]
    assert {masked(session) for session in sessions} == set(stack.numbers)
    answer = stack.create(stack.person(), driver)
    assert answer.problem == (409, "pool_exhausted", None)
    noted = [row for row in stack.tables()["event"] if row not in before]
    assert [row[3] for row in noted].count("pool.exhausted") == 1
    for session in sessions:
        stack.close(session)
    # Held for the old pairings: still nothing for a new one.
    assert stack.create(stack.person(), driver).status == 409


def test_a_pair_gets_its_number_again(stack):
    customer, driver = stack.persons(2)
    first = stack.open(customer, driver)
    stack.close(first)
    for _ in range(5):
        stack.close(stack.open(*stack.persons(2)))
    again = stack.open(driver, customer)
    assert masked(again) == masked(first)


def test_two_sessions_of_one_pair_are_apart(stack):
    customer, driver = stack.persons(2)
    one, two = stack.open(customer, driver), stack.open(driver, customer)
    assert masked(one) != masked(two)
    stack.close(one)
    assert stack.voice(customer, masked(one)).said == TRIP_ENDED
    for caller, callee in ((customer, driver), (driver, customer)):
        twiml = stack.voice(caller, masked(two))
        assert (twiml.rings, twiml.dial["callerId"]) == (callee, masked(two))


@pytest.mark.parametrize("how", ("closed", "expired"))
def test_the_old_session_has_no_hold_on_the_new_one(stack, how):
    customer, driver = stack.persons(2)
    old = stack.open(customer, driver, ttl=1)
    if how == "closed":
        stack.close(old)
    else:
        time.sleep(1.1)
    new = stack.open(customer, driver)
    assert masked(new) == masked(old)
    stack.close(old)
    assert stack.voice(customer, masked(new)).rings == driver
    assert [len(stack.get(session)["calls"]) for session in (old, new)] == [0, 1]


def test_pairs_share_a_number_and_never_meet(stack):
    key = stack.new_service("shared", numbers=["+12025550138"])
    pairs = [stack.persons(2) for _ in range(10)]
    for pair in pairs:
        assert stack.create(*pair, key=key).status == 201
    for one, other in pairs:
        for caller, callee in ((one, other), (other, one)):
            assert stack.voice(caller, "+12025550138").rings == callee


def test_each_customer_of_a_driver_has_another_number(stack):
    driver, customers = stack.person(), stack.persons(5)
    numbers = {customer: masked(stack.open(customer, driver))
               for customer in customers}
    assert len(set(numbers.values())) == 5
    for customer, number in numbers.items():
        assert stack.voice(driver, number).rings == customer
        assert stack.voice(customer, number).rings == driver


def test_an_old_party_never_reaches_the_next_pairs(stack):
    number = "+12025550137"
    key = stack.new_service("busy", numbers=[number])
    old, driver = stack.persons(2)
    stack.close(stack.create(old, driver, key=key).json, key=key)
    for _ in range(5):
        customer, other = stack.persons(2)
        session = stack.create(customer, other, key=key).json
        assert stack.voice(customer, number).rings == other
        for caller in (old, driver):
            assert stack.voice(caller, number).said == TRIP_ENDED
        assert masked(session) == number


def test_a_number_is_free_again_after_its_hold(stack):
    numbers = ["+12025550130"]
    key = stack.new_service("quick", "--hold", "3", numbers=numbers)
    customer, driver, other = stack.persons(3)
    first = stack.create(customer, driver, key=key).json
    assert stack.create(other, driver, key=key).status == 409
    stack.close(first, key=key)
    assert stack.create(other, driver, key=key).status == 409
    time.sleep(4.1)
    assert stack.create(other, driver, key=key).status == 201
    assert stack.voice(other, numbers[0]).rings == driver
    sid = new_sid()
    assert stack.voice(customer, numbers[0], sid).rings is None
    assert stack.one("SELECT reason FROM call WHERE sid = ?",
                     sid) == "caller_unknown"
