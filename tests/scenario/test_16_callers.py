"""Numbers and callers, through nginx: codes, intents, changes in mid-session,
lingering, screening, limits, and the explanation of all that."""

import pytest

import stack as stacks
from client import masked

WRONG = "000000"


@pytest.fixture(name="asking", scope="module")
def asking_stack(request):
    """A stack whose service asks unknown callers for a code."""
    made = stacks.Stack()
    made.cli("service", "set", "ask-code=1")
    yield made
    made.stop(keep=request.session.testsfailed > 0)


def codes(session):
    return [party["code"] for party in session["parties"]]


def reasons(stack, session):
    return [call["reason"] for call in stack.get(session)["calls"]]


def test_an_unknown_phone_reaches_the_other_by_code(asking):
    customer, driver, friend = asking.persons(3)
    session = asking.open(customer, driver)
    number = masked(session)
    for code, rings in zip(codes(session), (driver, customer)):
        call = asking.dial(friend, number, digits=[code])
        assert [rang["phone"] for rang in call["rang"]] == [rings]
        assert call["rang"][0]["showed"] == number
    assert reasons(asking, session) == ["connected_by_code"] * 2


def test_a_hidden_number_reaches_the_other_by_code(asking):
    customer, driver = asking.persons(2)
    session = asking.open(customer, driver)
    call = asking.dial(customer, masked(session), withheld=True,
                       digits=[codes(session)[0]])
    assert [rang["phone"] for rang in call["rang"]] == [driver]


def test_three_wrong_codes_end_the_call_in_the_same_words(asking):
    customer, driver, stranger = asking.persons(3)
    session = asking.open(customer, driver)
    call = asking.dial(stranger, masked(session),
                       digits=[WRONG, "111111", "222222", codes(session)[0]])
    assert call["rang"] == []
    assert len(call["heard"]) == 4
    assert len(set(call["heard"][:3])) == 1
    assert call["heard"][3].startswith("There is no trip for this call")


def test_the_code_of_a_closed_session_is_as_wrong_as_any(asking):
    customer, driver, stranger = asking.persons(3)
    session = asking.open(customer, driver)
    asking.close(session)
    tried = [asking.dial(stranger, masked(session), digits=[code])["heard"]
             for code in (codes(session)[0], WRONG)]
    assert tried[0] == tried[1]


def test_a_replaced_driver_is_cut_off_and_the_new_one_is_reached(stack):
    customer, driver, other = stack.persons(3)
    session = stack.open(customer, driver)
    number = masked(session)
    answer = stack.api("PATCH", f"/v1/sessions/{session['id']}",
                       {"parties": [{"role": "driver", "phone": other}]})
    assert answer.status == 200 and masked(answer.json) == number
    assert stack.voice(driver, number).rings is None
    assert stack.voice(customer, number).rings == other
    assert stack.voice(other, number).rings == customer


def test_a_change_that_is_refused_leaves_nothing(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    before = stack.get(session)
    answer = stack.api(
        "PATCH", f"/v1/sessions/{session['id']}",
        {"ttl": 60, "parties": [{"role": "driver", "phone": customer}]})
    assert answer.problem[:2] == (422, "same_party")
    assert stack.get(session) == before


def test_lost_property_is_asked_for_in_one_direction(stack):
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)
    answer = stack.api("POST", f"/v1/sessions/{session['id']}/close",
                       {"linger": 600, "voice": "customer"})
    assert answer.json["status"] == "lingering"
    assert stack.voice(customer, masked(session)).rings == driver
    assert stack.voice(driver, masked(session)).rings is None
    stack.close(session)
    assert stack.voice(customer, masked(session)).rings is None


def test_an_intent_lets_one_hidden_caller_through_once(asking):
    customer, driver = asking.persons(2)
    session = asking.open(customer, driver)
    path = f"/v1/sessions/{session['id']}/intents"
    assert asking.api("POST", path, {"role": "customer"}).problem[:2] == (
        409, "not_enabled")
    asking.cli("service", "set", "intents=1")
    try:
        assert asking.api("POST", path, {"role": "customer"}).status == 201
        number = masked(session)
        assert asking.voice("anonymous", number).rings == driver
        assert asking.voice("anonymous", number).rings is None
    finally:
        asking.cli("service", "set", "intents=0")


def test_a_callee_presses_a_key_or_is_another(asking):
    customer, driver = asking.persons(2)
    session = asking.open(customer, driver)
    number = masked(session)
    asking.cli("service", "set", "screening=1", "language=de")
    try:
        asking.phone(driver, digits=["1"])
        assert asking.dial(customer, number)["connected"]
        asking.phone(driver, behaviour="answer")
        assert not asking.dial(customer, number)["connected"]
        asking.phone(driver, digits=["9"])
        assert not asking.dial(customer, number)["connected"]
    finally:
        asking.cli("service", "set", "screening=0", "language=en")
    assert asking.voice(customer, number).rings is None
    assert asking.voice(driver, number).rings is None
    parties = asking.get(session)["parties"]
    assert [party["disputed"] for party in parties] == [False, True]


def test_a_late_caller_is_put_through_to_the_support_line(asking):
    customer, driver = asking.persons(2)
    support = "+12025550100"
    session = asking.open(customer, driver)
    asking.close(session)
    asking.cli("service", "set", f"support-number={support}")
    try:
        assert asking.voice(customer, masked(session)).rings == support
    finally:
        asking.cli("service", "set", "support-number=")
    assert asking.voice(customer, masked(session)).rings is None


def test_a_limit_of_calls_holds_for_new_ones_only(asking):
    customer, driver = asking.persons(2)
    session = asking.open(customer, driver)
    number = masked(session)
    asking.cli("service", "set", "session-calls=1")
    try:
        sid = "CA" + "5" * 32
        assert asking.voice(customer, number, sid).rings == driver
        assert asking.voice(customer, number, sid).rings == driver
        assert asking.voice(customer, number).rings is None
    finally:
        asking.cli("service", "set", "session-calls=0")
    assert reasons(asking, session) == ["session_limit", "connected"]


def test_the_explanation_is_what_happens(stack):
    customer, driver, stranger = stack.persons(3)
    session = stack.open(customer, driver)
    number = masked(session)

    def explain(caller, key):
        query = f"from={caller}&to={number}".replace("+", "%2B")
        return stack.api("GET", f"/v1/routes?{query}", key=key)

    admin = stack.env["CALLMASK_ADMIN_KEY"]
    assert explain(customer, stack.env["CALLMASK_API_KEY"]).status == 403
    said = explain(customer, admin).json
    assert (said["action"], said["reason"]) == ("connect", "connected")
    assert said["shown"] == number
    assert explain(stranger, admin).json["reason"] == "caller_unknown"
    for answer in (explain(customer, admin), explain(stranger, admin)):
        assert driver[1:].encode() not in answer.body
    assert stack.get(session)["calls"] == []


def test_numbers_that_are_reserved_draining_or_retired(new_stack):
    stack = new_stack(NUMBERS="+12025550161 +12025550162 +12025550163")
    stack.cli("number", "set", "reserved", "+12025550161")
    stack.cli("number", "set", "draining", "+12025550162")
    assert masked(stack.open(*stack.persons(2))) == "+12025550163"
    wish = stack.create(*stack.persons(2), masked_number="+12025550161")
    assert masked(wish.json) == "+12025550161"
    wish = stack.create(*stack.persons(2), masked_number="+12025550162")
    assert wish.problem[:2] == (409, "pool_exhausted")
    stack.cli("number", "set", "retired", "+12025550163")
    assert stack.create(*stack.persons(2)).problem[:2] == (
        409, "pool_exhausted")
