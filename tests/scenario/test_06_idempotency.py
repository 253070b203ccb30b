"""Idempotency-Key, by Stripe's contract: said twice, it happens once."""

import concurrent.futures
import json
import secrets

import pytest

from client import masked


def keyed(key=None):
    """The header; by default with a key nobody used."""
    return {"Idempotency-Key": key or secrets.token_hex(8)}


def sessions(stack):
    return stack.one("SELECT count(*) FROM session")


def test_the_first_answer_is_given_again_to_the_byte(stack):
    header, people = keyed(), stack.persons(2)
    first = stack.create(*people, headers=header)
    assert first.status == 201
    assert first.headers["Idempotent-Replayed"] is None
    before = stack.tables()
    for _ in range(3):
        again = stack.create(*people, headers=header)
        assert (again.status, again.body) == (first.status, first.body)
        assert again.type == first.type
        assert again.headers["Idempotent-Replayed"] == "true"
    assert stack.tables() == before


def test_it_is_given_again_after_the_session_was_closed(stack):
    header, people = keyed(), stack.persons(2)
    first = stack.create(*people, headers=header)
    stack.close(first.json)
    assert stack.create(*people, headers=header).body == first.body


def test_keys_in_another_order_ask_the_same(stack):
    header, (a, b) = keyed(), stack.persons(2)
    texts = (
        f'{{"ttl":60,"parties":[{{"role":"a","phone":"{a}"}},'
        f'{{"role":"b","phone":"{b}"}}]}}',
        f'{{ "parties" : [ {{"phone":"{a}", "role":"a"}},\n'
        f'\t{{"phone":"\\u002b{b[1:]}","role":"b"}}],  "ttl":60 }}\r\n')
    first, again = (stack.api("POST", "/v1/sessions", text.encode(),
                              headers=header) for text in texts)
    assert first.status == 201 and again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_for_something_else(stack):
    header, (a, b, c) = keyed(), stack.persons(3)
    session = stack.create(a, b, headers=header).json
    before = stack.tables()
    path = f"/v1/sessions/{session['id']}/close"
    for answer in (stack.create(a, c, headers=header),
                   stack.create(b, a, headers=header),
                   stack.create(a, b, ttl=3601, headers=header),
                   stack.create(a, b, reference="x", headers=header),
                   stack.api("POST", path, headers=header)):
        assert answer.problem == (
            422, "idempotency_key_reused", "Idempotency-Key")
        assert answer.headers["Idempotent-Replayed"] is None
    assert stack.tables() == before


def test_a_request_that_was_wrong_keeps_nothing(stack):
    header, people = keyed(), stack.persons(2)
    wrong = (stack.create(*people, ttl=0, headers=header),
             stack.create(people[0], people[0], headers=header),
             stack.create(people[0], "+14165550123", headers=header),
             stack.create(people[0], stack.numbers[0], headers=header),
             stack.api("POST", "/v1/sessions", b"{", headers=header),
             stack.create(*people, key="nobody's", headers=header),
             stack.api("POST", "/v1/sessions/ses_x/close", headers=header))
    assert [answer.status for answer in wrong] == [422] * 4 + [400, 401, 404]
    assert stack.tables()["idempotency"] == [
        row for row in stack.tables()["idempotency"]
        if row[1] != header["Idempotency-Key"]]
    assert stack.create(*people, headers=header).status == 201


def test_a_refusal_of_the_deed_is_kept(stack):
    header, people = keyed(), stack.persons(2)
    reference = secrets.token_hex(8)
    holder = stack.open(*stack.persons(2), reference=reference)
    first = stack.create(*people, reference=reference, headers=header)
    assert first.problem == (409, "reference_in_use", "reference")
    stack.close(holder)
    again = stack.create(*people, reference=reference, headers=header)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.problem == first.problem
    assert stack.create(*people, reference=reference,
                        headers=keyed()).status == 201


def test_closing_under_a_key(stack):
    header, session = keyed(), stack.open(*stack.persons(2))
    path = f"/v1/sessions/{session['id']}/close"
    first = stack.api("POST", path, headers=header)
    again = stack.api("POST", path, headers=header)
    assert first.json["status"] == "closed" and again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"


def test_another_service_may_use_the_same_key(stack):
    key = stack.new_service("idempotent", numbers=["+12025550134"])
    header, people = keyed(), stack.persons(2)
    mine = stack.create(*people, headers=header)
    theirs = stack.create(*people, key=key, headers=header)
    assert (mine.status, theirs.status) == (201, 201)
    assert masked(theirs.json) == "+12025550134"
    assert theirs.headers["Idempotent-Replayed"] is None


def test_sixteen_at_once_under_one_key_are_one(stack):
    for _ in range(5):
        header, people = keyed(), stack.persons(2)
        before = sessions(stack)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(
                lambda _: stack.create(*people, headers=header), range(16)))
        assert {(answer.status, answer.body) for answer in answers} == {
            (201, answers[0].body)}
        assert sum(answer.headers["Idempotent-Replayed"] is None
                   for answer in answers) == 1
        assert sessions(stack) == before + 1


def test_two_questions_at_once_under_one_key(stack):
    header, (a, b, c) = keyed(), stack.persons(3)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(
            lambda turn: stack.create(a, (b, c)[turn % 2], headers=header),
            range(16)))
    assert sorted(answer.status for answer in answers) == [201] * 8 + [422] * 8
    assert len({answer.body for answer in answers}) == 2


@pytest.mark.parametrize("key, status", (
    (b"x", 201), (b"k" * 255, 201), (b"!~:;,.'\"", 201), (b"k" * 256, 422),
    (b"a\x01b", 422), (b"a\x7fb", 422), (b"a\tb", 422), (b"\xc3\xa9", 422),
    (b"\xff", 422)), ids=range(9))
def test_what_a_key_looks_like(stack, key, status):
    # Bytes, for http.client has rules of its own.
    if status == 201:
        key = secrets.token_hex(4).encode() + key[8:]
    wish = {"ttl": 60, "parties": [{"role": "a", "phone": stack.person()},
                                   {"role": "b", "phone": stack.person()}]}
    before = stack.tables()
    data = stack.post_bytes(json.dumps(wish).encode())
    answer = stack.raw(data.replace(
        b"\r\n\r\n", b"\r\nIdempotency-Key: " + key + b"\r\n\r\n", 1))
    assert answer.status == status or (status, answer.status) == (422, 400)
    if status == 422:
        assert stack.tables() == before
        assert answer.status == 400 or answer.problem == (
            422, "invalid_field", "Idempotency-Key")


@pytest.mark.parametrize("second", ("same", "other"))
def test_two_keys_are_not_none(stack, second):
    """Who sends two wants to be safe, and would not be."""
    people = stack.persons(2)
    wish = {"ttl": 60, "parties": [{"role": "a", "phone": people[0]},
                                   {"role": "b", "phone": people[1]}]}
    before = stack.tables()
    first = secrets.token_hex(4)
    second = first if second == "same" else second
    answer = stack.raw(stack.post_bytes(
        json.dumps(wish).encode(),
        more=f"Idempotency-Key: {first}\r\nIdempotency-Key: {second}\r\n"))
    assert answer.status in (400, 422)
    assert stack.tables() == before


def test_what_is_kept_survives_new_workers(new_stack):
    stack = new_stack()
    header, people = keyed(), stack.persons(2)
    first = stack.create(*people, headers=header)
    stack.restart("session-create")
    again = stack.create(*people, headers=header)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
