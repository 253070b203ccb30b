"""Numbers and Twilio, by the operator's tool: what is set, searched, bought and
released, what doctor finds, and how keys change."""

import json
import os
import pathlib
import re
import secrets
import urllib.parse

import pytest

import stack as stacks
from between import Account, Between
from client import masked

SETTINGS = ("voice_url", "voice_method", "status_callback",
            "status_callback_method", "sms_url", "sms_method", "trunk_sid",
            "voice_application_sid")
TRUNK, APPLICATION = "TK" + "0" * 32, "AP" + "0" * 32
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"),
                None)
ELSEWHERE = "https://elsewhere.example/"


# American area codes that client.AREA_CODES leaves over.
_area = iter((
    423, 424, 425, 430, 432, 434, 435, 440, 442, 443, 458, 463, 469, 470, 475,
    478, 479, 480, 484, 501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513,
    515, 516, 517, 518, 520, 530, 540, 541, 551, 559, 561, 562, 563, 567, 570,
    571, 573, 574, 575, 580, 585, 586, 601, 602, 603, 605, 606, 607, 608, 609,
    610, 612, 614, 615, 616, 617, 618, 619, 620, 623, 626, 630, 631, 636, 641))


@pytest.fixture
def area():
    """An area code that no other test takes numbers of."""
    return next(_area)


@pytest.fixture
def account(stack, tmp_path, area):
    """A service of its own in the shared stack, without numbers yet."""
    made = Account(stack, tmp_path, f"numbers-{area}", area)
    yield made
    made.close()


def settings(account, number):
    """What decides where a number's calls and texts go."""
    resource = account.get(number)
    return {name: resource[name] for name in SETTINGS}


def pool(account, *numbers):
    """Put numbers into the pool."""
    account.stack.cli("number", "add", *numbers, service=account.service)


# sync.

def test_sync_finds_nothing(account):
    a, b = account.numbers[:2]
    for number in (a, b):
        account.buy(number)
    pool(account, a, b)
    assert account.sync() == (0, ["2 numbers in the pool, 0 not right"])
    assert account.sync("--json") == (0, [])
    assert account.sync("--apply")[0] == 0
    assert account.between.made("POST") == []


WRONG = (
    ({"VoiceUrl": ELSEWHERE}, "voice_url", ELSEWHERE, "/twilio/voice"),
    ({"VoiceUrl": ""}, "voice_url", "", "/twilio/voice"),
    ({"VoiceMethod": "GET"}, "voice_method", "GET", "POST"),
    ({"StatusCallback": ELSEWHERE}, "status_callback", ELSEWHERE,
     "/twilio/status"),
    ({"StatusCallbackMethod": "GET"}, "status_callback_method", "GET", "POST"),
    ({"SmsUrl": ELSEWHERE}, "sms_url", ELSEWHERE, "/twilio/message"),
    ({"SmsMethod": "GET"}, "sms_method", "GET", "POST"))


def test_sync_shows_what_differs_and_sets_it(account):
    wrong = dict(zip(account.numbers, WRONG))
    for number, (wish, *_) in wrong.items():
        account.buy(number, **wish)
    pool(account, *wrong)
    before = [settings(account, number) for number in wrong]
    status, lines = account.sync()
    assert status == 1
    assert lines == [
        "{:16}  {} is {}, should be {}{}".format(
            number, setting, was or "not set",
            "" if to == "POST" else account.stack.url, to)
        for number, (_, setting, was, to) in wrong.items()] + [
        f"{len(wrong)} numbers in the pool, {len(wrong)} not right"]
    assert before == [settings(account, number) for number in wrong]

    status, lines = account.sync("--apply")
    assert status == 0
    assert lines == [f"{number:16}  set" for number in wrong] + [
        f"{len(wrong)} numbers in the pool, 0 not right"]
    for number in wrong:
        assert settings(account, number) == {
            "voice_url": account.stack.url + "/twilio/voice",
            "status_callback": account.stack.url + "/twilio/status",
            "sms_url": account.stack.url + "/twilio/message",
            "voice_method": "POST", "status_callback_method": "POST",
            "sms_method": "POST", "trunk_sid": None,
            "voice_application_sid": None}
    # Only what differed was sent.
    assert [each["form"].keys() for each in account.between.seen
            if each["method"] == "POST"] == [
        wish.keys() for wish, *_ in wrong.values()]
    account.sync("--apply")
    assert len(account.between.made("POST")) == len(wrong)


def test_callers_reach_us_after_sync(account):
    number = account.numbers[0]
    account.buy(number, VoiceUrl="http://127.0.0.1:9/", VoiceMethod="GET")
    pool(account, number)
    customer, driver = account.stack.persons(2)
    key = account.stack.cli("key", "add", "--name", "x",
                            service=account.service).stdout.strip()
    session = account.stack.create(customer, driver, key=key).json
    assert masked(session) == number
    assert account.sync("--apply")[0] == 0
    call = account.stack.dial(customer, number)
    assert [leg["phone"] for leg in call["rang"]] == [driver]


def test_what_others_have_is_taken_over_only_if_told(account):
    trunk, application, noted = account.numbers[:3]
    account.buy(trunk, TrunkSid=TRUNK, VoiceMethod="GET")
    account.buy(application, VoiceApplicationSid=APPLICATION,
                SmsApplicationSid=APPLICATION)
    account.buy(noted, VoiceFallbackUrl=ELSEWHERE)
    pool(account, trunk, application, noted)
    status, lines = account.sync("--apply")
    assert status == 1
    assert [line.split()[:2] for line in lines] == [
        [trunk, "set"], [trunk, "trunk_sid"],
        [application, "voice_application_sid"],
        [application, "sms_application_sid"], [noted, "voice_fallback_url"],
        ["3", "numbers"]]
    assert TRUNK in lines[1] and "--take-over" in lines[1]
    assert "may stay" in lines[4] and lines[5].endswith("2 not right")
    assert settings(account, trunk)["trunk_sid"] == TRUNK
    assert account.cli("number", "sync", "--take-over").returncode == 2

    assert account.sync("--apply", "--take-over")[0] == 0
    assert settings(account, trunk)["trunk_sid"] is None
    assert account.get(application)["sms_application_sid"] is None
    assert settings(account, application)["voice_application_sid"] is None
    assert account.get(noted)["voice_fallback_url"] == ELSEWHERE


def test_sync_as_json(account):
    wrong, missing, stranger = account.numbers[:3]
    account.buy(wrong, VoiceMethod="GET")
    account.buy(stranger)
    pool(account, wrong, missing)
    status, lines = account.sync("--json")
    found = [json.loads(line) for line in lines]
    assert status == 1
    assert found[:2] == [
        {"number": wrong, "kind": "set", "setting": "voice_method", "is": "GET",
         "wanted": "POST"},
        {"number": missing, "kind": "lack", "setting": "account",
         "is": "another's or nobody's", "wanted": "ours"}]
    assert {"number": stranger, "kind": "note", "setting": "pool", "is": "none",
            "wanted": None} in found
    # A number of another pool is not this service's business.
    assert not [each for each in found
                if each["number"] in account.stack.numbers]


def test_a_retired_number_need_not_be_there(account):
    gone, kept = account.numbers[:2]
    account.buy(kept, VoiceMethod="GET")
    pool(account, gone, kept)
    account.stack.cli("number", "set", "retired", gone, kept,
                      service=account.service)
    status, lines = account.sync()
    assert status == 1 and not [line for line in lines if gone in line]
    assert [line for line in lines if kept in line]


def test_a_number_that_takes_no_calls(account):
    deaf, mute = account.numbers[:2]
    pool(account, deaf, mute)
    account.buy(deaf)
    account.buy(mute, SmsUrl=ELSEWHERE)

    def without(request):
        """The true list, but for two abilities."""
        numbers = [account.get(deaf), account.get(mute)]
        numbers[0]["capabilities"]["voice"] = False
        numbers[1]["capabilities"]["sms"] = False
        return 200, {"incoming_phone_numbers": numbers, "next_page_uri": None}

    account.between.tell(without)
    status, lines = account.sync()
    assert status == 1
    assert lines == [
        f"{deaf:16}  capabilities.voice is false, should be true: cannot be set",
        f"{mute:16}  capabilities.sms is false (may stay)",
        "2 numbers in the pool, 1 not right"]


def test_overrides_go_to_the_voice_url_alone(account):
    account.set(twilio_api_url=account.between.url,
                url_overrides="rc=2&rp=ct,rt,5xx")
    number = account.numbers[0]
    account.buy(number)
    pool(account, number)
    assert account.sync()[0] == 1
    assert account.sync("--apply")[0] == 0
    now = settings(account, number)
    assert now["voice_url"] \
        == account.stack.url + "/twilio/voice#rc=2&rp=ct,rt,5xx"
    assert now["status_callback"] == account.stack.url + "/twilio/status"


def test_sync_reads_page_by_page_and_shows_it(account):
    """More numbers than a page holds: those of two further area codes."""
    first, *_ = account.numbers
    areas = [next(_area), next(_area)]
    others = [f"+1{area}55501{last:02d}" for area in areas
              for last in range(100)]
    pool(account, first)
    for number in others:
        account.buy(number)
    account.buy(first)         # so that it stands behind the first page
    try:
        status, shown = account.at_terminal("number", "sync")
        assert status == 0
        lines = [re.sub(".*\r\x1b\\[K", "", line)
                 for line in shown.split("\r\n")]
        assert set(others) <= {line.split()[0] for line in lines if line.strip()}
        assert "1 number in the pool, 0 not right" in lines
        assert re.search(r"reading numbers \[ {30}\] 0 of 1\r", shown)
        # Cleared away, and not there at all without a terminal.
        assert "\r\x1b[K" in shown
        assert "reading" not in account.cli("number", "sync").stderr
    finally:
        for area in areas:
            account.release(area)
    pages = [urllib.parse.parse_qs(path.partition("?")[2])
             for _, path in account.between.made("GET")[:2]]
    assert pages[0] == {"PageSize": ["200"]} and pages[1]["Page"] == ["1"]


def test_a_page_elsewhere_is_not_gone_to(account):
    evil = Between(account.stack.env["SANDBOX_URL"])
    account.between.tell((200, {
        "incoming_phone_numbers": [],
        "next_page_uri": evil.url + f"/2010-04-01/Accounts/{account.sid}/x"}))
    status, lines = account.sync()
    assert (status, lines) == (1, []) and evil.seen == []
    evil.close()


def test_sync_goes_on_where_it_was_broken_off(account):
    numbers = account.numbers[:4]
    for number in numbers:
        account.buy(number, VoiceUrl=ELSEWHERE)
    pool(account, *numbers)
    account.between.tell(None, None, (503, b""))
    done = account.cli("number", "sync", "--apply")
    assert done.returncode == 1 and "503" in done.stderr
    assert len(account.between.made("POST")) == 2     # and no further try
    assert account.sync("--apply")[0] == 0
    assert len(account.between.made("POST")) == 5


def test_one_number_that_twilio_refuses_stops_no_other(account):
    numbers = account.numbers[:3]
    for number in numbers:
        account.buy(number, VoiceUrl=ELSEWHERE)
    pool(account, *numbers)
    account.between.tell(None, (400, {"code": 21402, "message": "x"}))
    done = account.cli("number", "sync", "--apply")
    assert done.returncode == 1 and "error 21402" in done.stderr
    assert [settings(account, number)["voice_url"] == ELSEWHERE
            for number in numbers] == [True, False, False]


# When Twilio does not answer as hoped.

def test_too_many_requests_are_repeated(account):
    account.between.tell((429, {"code": 20429}, {"Retry-After": "1"}),
                         (429, {"code": 20429}))
    done = account.cli("number", "sync")
    assert done.returncode == 0, done.stderr
    assert len(account.between.seen) == 3
    assert len(set(account.between.made())) == 1      # the very same
    account.between.tell(*[(429, {"code": 20429})] * 5)
    done = account.cli("number", "sync")
    assert done.returncode == 1 and "error 20429" in done.stderr
    assert len(account.between.seen) == 8


@pytest.mark.parametrize("answer, words", (
    ((401, {"code": 20003}), ("account and first auth token", "20003")),
    ((401, b""), ("account and first auth token",)),
    ((500, b"<html>"), ("500",)), ((302, b"", {"Location": "/"}), ("302",)),
    ((200, b"<html>Log in to the hotel's network</html>"), ("200",)),
    ((200, {"calls": []}), ("not a list",)),
    ("drop", ("no answer from",))), ids=str)
def test_answers_that_are_none(account, answer, words):
    pool(account, account.numbers[0])
    account.between.tell(answer)
    done = account.cli("number", "sync", "--apply")
    assert (done.returncode, done.stdout) == (1, "")
    for word in words:
        assert word in done.stderr
    assert len(account.between.seen) == 1
    assert account.stack.env["TWILIO_AUTH_TOKEN"] not in done.stderr


def test_nobody_answers(account):
    account.set(twilio_api_url=f"http://127.0.0.1:{stacks.free_port()}")
    done = account.cli("number", "sync")
    assert done.returncode == 1 and "no answer from http://" in done.stderr


# search.

def test_search(account, area):
    account.buy(account.numbers[1])
    done = account.cli("number", "search", "--country", "US", "--area-code",
                       str(area), "--limit", "2")
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        [account.numbers[i], "voice", "sms", "mms"] for i in (0, 2)]
    done = account.cli("number", "search", "--country", "US", "--area-code",
                       str(area), "--contains", "5550133", "--mobile")
    assert done.stdout.split()[0] == account.numbers[33]
    assert len(done.stdout.splitlines()) == 1
    done = account.cli("number", "search", "--country", "US", "--area-code", "1")
    assert done.returncode == 1 and "error 21451" in done.stderr


@pytest.mark.parametrize("arguments", (
    ("sync", "x"), ("sync", "--nonsense"), ("sync", "--take-over"),
    ("search",), ("search", "--country", "XX"), ("search", "--country", "US",
                                                 "--limit", "0"),
    ("search", "--country", "US", "x"), ("search", "--country", "US", "--yes"),
    ("search", "--country", "US", "--limit", "1001"),
    ("buy",), ("buy", "--yes"), ("buy", "--country", "US"),
    ("buy", "--count", "1"), ("buy", "--count", "few"),
    ("buy", "--count", "1", "--country", "US", "+12025550142"),
    ("buy", "--limit", "1", "--country", "US"),
    ("release",), ("release", "--yes"), ("release", "--country", "US")),
    ids=" ".join)
def test_usage(stack, arguments):
    done = stack.cli("number", *arguments, check=False)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr


# buy.

def test_bought_numbers_are_set_and_in_the_pool(account):
    a, b = account.numbers[:2]
    done = account.cli("number", "buy", "--yes", a, b)
    assert done.returncode == 0
    assert done.stdout == "".join(f"{number} bought and added (US)\n"
                                  for number in (a, b))
    assert account.state(a) == account.state(b) == "active"
    # In the request that buys it: no caller finds it unset.
    assert len(account.between.made("POST")) == 2
    assert account.sync()[0] == 0


@pytest.mark.parametrize("typed, status", (
    (b"y\n", 0), (b"yes\n", 0), (b"n\n", 1), (b"\n", 1), (b"Y es\n", 1),
    (b"\x04", 1)))
def test_the_operator_is_asked(account, typed, status):
    number = account.numbers[0]
    got, shown = account.at_terminal("number", "buy", number, typed=typed)
    assert got == status and "Buy 1 number, which costs money" in shown
    assert ("buying numbers [" in shown) == (status == 0)
    assert status or f"\r\x1b[K{number} bought and added (US)\r\n" in shown
    assert (account.state(number) is not None) == (status == 0)
    assert (account.get(number) is not None) == (status == 0)


@pytest.mark.parametrize("deed", ("buy", "release"))
def test_nobody_can_be_asked(account, deed):
    number = account.numbers[0]
    if deed == "release":
        account.buy(number)
        pool(account, number)
    done = account.cli("number", deed, number)
    assert done.returncode == 2 and "say --yes" in done.stderr
    assert account.between.seen == []
    assert account.state(number) == ("active" if deed == "release" else None)


def test_what_could_not_be_used_is_not_bought(account):
    customer, driver = account.stack.persons(2)
    session = account.stack.open(customer, driver)
    mine, good = account.numbers[:2]
    pool(account, mine)
    for bad, word in ((customer, "real number"), (mine, "in a pool already"),
                      (account.stack.numbers[0], "in a pool already"),
                      ("+1202", "not an E.164 number")):
        done = account.cli("number", "buy", "--yes", good, bad)
        assert done.returncode == 1 and word in done.stderr
    assert account.between.seen == [] and account.state(good) is None
    account.stack.close(session)


def test_so_many_of_an_area_code(account, area):
    account.buy(account.numbers[0])
    done = account.cli("number", "buy", "--yes", "--country", "US",
                       "--area-code", str(area), "--count", "3")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] \
        == account.numbers[1:4]
    done = account.cli("number", "buy", "--yes", "--country", "US",
                       "--area-code", str(area), "--contains", "555010",
                       "--count", "7")
    assert done.returncode == 1 and "only 6 such numbers" in done.stderr
    assert len(account.between.made("POST")) == 3


def test_a_number_that_is_gone(account):
    a, b = account.numbers[:2]
    account.buy(a)
    done = account.cli("number", "buy", "--yes", a, b)
    assert done.returncode == 1 and f"{a}: Twilio says no" in done.stderr
    assert "error 21422" in done.stderr
    assert (account.state(a), account.state(b)) == (None, "active")


def test_a_lost_answer_is_looked_after(account):
    a, b, c = account.numbers[:3]
    account.between.tell("drop")
    done = account.cli("number", "buy", "--yes", a)
    assert done.returncode == 0 and account.state(a) == "active"
    account.between.tell((500, b""))
    done = account.cli("number", "buy", "--yes", b)
    assert done.returncode == 1 and f"{b}: was not bought" in done.stderr
    assert account.state(b) is None
    account.between.tell("drop", (500, b""))
    done = account.cli("number", "buy", "--yes", c)
    assert done.returncode == 1 and "is not known" in done.stderr
    assert "number sync" in done.stderr
    # Each was asked for once.
    assert [each["form"]["PhoneNumber"] for each in account.between.seen
            if each["method"] == "POST"] == [a, b, c]


def test_bought_but_not_added(account):
    number = account.numbers[0]

    def snatch(_):
        account.stack.cli("number", "add", number)

    account.between.tell(snatch)
    done = account.cli("number", "buy", "--yes", number)
    assert done.returncode == 1 and done.stdout == ""
    assert "is bought but not in the pool" in done.stderr
    assert f"callmask -s {account.service} number add {number}" in done.stderr
    connection = account.stack.connect("rw")
    connection.execute("DELETE FROM number WHERE number = ?", [number])
    connection.close()


# release.

def test_a_number_in_use_is_kept(account):
    number = account.numbers[0]
    account.buy(number)
    pool(account, number)
    account.stack.cli("service", "set", "hold=3600", service=account.service)
    key = account.stack.cli("key", "add", "--name", "x",
                            service=account.service).stdout.strip()
    session = account.stack.create(*account.stack.persons(2), key=key).json
    for _ in ("live", "held"):
        done = account.cli("number", "release", "--yes", number)
        assert done.returncode == 1 and "lives on it or holds it" in done.stderr
        account.stack.close(session, key=key)
    assert account.between.seen == [] and account.state(number) == "active"
    assert account.get(number)


def test_released_after_use(account):
    number = account.numbers[0]
    account.buy(number)
    pool(account, number)
    key = account.stack.cli("key", "add", "--name", "x",
                            service=account.service).stdout.strip()
    session = account.stack.create(*account.stack.persons(2), key=key).json
    account.stack.close(session, key=key)
    done = account.cli("number", "release", "--yes", number)
    assert done.returncode == 0 and "released" in done.stdout
    assert account.get(number) is None and account.state(number) == "retired"
    # What was said over it is kept.
    assert account.stack.api("GET", f"/v1/sessions/{session['id']}",
                             key=key).json["parties"][0]["masked_number"] == number
    done = account.cli("number", "release", "--yes", number)
    assert done.returncode == 0 and "not in the account" in done.stdout


def test_release_is_repeated_until_it_is_done(account):
    number = account.numbers[0]
    account.buy(number)
    pool(account, number)
    for lost in (((500, b""),), (None, (503, b"")), (None, (401, b""))):
        account.between.tell(*lost)
        done = account.cli("number", "release", "--yes", number)
        assert done.returncode == 1 and "run this again" in done.stderr
        # No session takes it meanwhile.
        assert account.state(number) == "retired" and account.get(number)
    # Gone between the look and the deed.
    account.between.tell(None, (404, {"code": 20404}))
    assert account.cli("number", "release", "--yes", number).returncode == 0
    assert account.cli("number", "release", "--yes", number).returncode == 0
    assert account.get(number) is None


def test_only_numbers_of_the_service_are_released(account):
    stranger = account.numbers[0]
    account.buy(stranger)
    for number in (stranger, account.stack.numbers[0], "+1"):
        done = account.cli("number", "release", "--yes", number)
        assert done.returncode == 1 and "no such thing" in done.stderr
    assert account.between.seen == [] and account.get(stranger)
    assert account.state(account.stack.numbers[0]) == "active"


def test_no_other_number_is_released(account):
    """Twilio's filter finds numbers that only hold what was asked for."""
    mine, other = account.numbers[:2]
    account.buy(other)
    pool(account, mine)
    account.between.tell((200, {"incoming_phone_numbers": [account.get(other)]}))
    done = account.cli("number", "release", "--yes", mine)
    assert done.returncode == 0 and "not in the account" in done.stdout
    assert account.get(other)


# doctor.

def findings(done):
    """What doctor says, by its first word."""
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    return [text for kind, text in lines if kind == "FAIL"], lines


def test_doctor_asks_twilio(account):
    right, wrong = account.numbers[:2]
    account.buy(right)
    pool(account, right)
    done = account.cli("doctor")
    assert done.returncode == 0
    for words in ("1 number is right at Twilio", "account is active",
                  account.stack.url + " answers", "outboxd is running"):
        assert words in done.stdout
    account.buy(wrong, VoiceUrl=ELSEWHERE)
    pool(account, wrong)
    done = account.cli("doctor")
    assert done.returncode == 1
    assert findings(done)[0] == [
        "1 of 2 numbers not right at Twilio: callmask number sync"]


def test_doctor_offline_asks_nobody(account):
    pool(account, account.numbers[0])
    done = account.cli("doctor", "--offline")
    assert done.returncode == 0 and "skip Twilio and public_url" in done.stdout
    assert account.between.seen == []


@pytest.mark.parametrize("answers, status, words", (
    (((401, {"code": 20003}),), 1, "error 20003"),
    ((None, (200, {"status": "suspended"})), 1, "account is suspended"),
    ((None, (200, {})), 1, "no known state"),
    (((500, b""),), 1, "500"),
    (("drop",), 0, "warn numbers at Twilio: no answer")), ids=str)
def test_doctor_tells_of_the_account(account, answers, status, words):
    account.buy(account.numbers[0])
    pool(account, account.numbers[0])
    account.between.tell(*answers)
    done = account.cli("doctor")
    assert done.returncode == status, done.stdout
    assert words in done.stdout


def test_doctor_without_a_network(account):
    pool(account, account.numbers[0])
    nobody = f"http://127.0.0.1:{stacks.free_port()}"
    account.set(twilio_api_url=nobody, public_url=nobody)
    done = account.cli("doctor")
    assert done.returncode == 0
    assert f"warn numbers at Twilio: no answer from {nobody}" in done.stdout
    assert f"warn {nobody} cannot be reached from here" in done.stdout


def test_doctor_calls_our_own_url(account):
    """Somebody else's web site stands there."""
    account.buy(account.numbers[0])
    pool(account, account.numbers[0])
    account.set(twilio_api_url=account.between.url,
                public_url=account.stack.env["SANDBOX_URL"])
    fails, _ = findings(account.cli("doctor"))
    assert any("answers with 404 where we say 401" in text for text in fails)


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is missing")
def test_doctor_compares_clocks(account, monkeypatch):
    pool(account, account.numbers[0])
    assert "ok   our clock and Twilio's agree" in account.cli("doctor").stdout
    monkeypatch.setenv("LD_PRELOAD", str(FAKETIME))
    for offset, words in (("+10m", "ahead of"), ("-10m", "behind")):
        monkeypatch.setenv("FAKETIME", offset)
        [fail] = [text for text in findings(account.cli("doctor"))[0]
                  if "our clock is" in text]
        assert words in fail and 595 <= int(fail.split()[3]) <= 605


def test_doctor_looks_into_the_outbox(account, new_stack):
    stack = new_stack(WORKERS="1")
    assert "ok   outboxd is running; 0 deliveries" in stack.cli("doctor").stdout
    os.kill(stack.leader("outboxd"), 15)
    while True:
        try:
            stack.leader("outboxd")
        except OSError:
            break
    assert "warn outboxd is not running" in stack.cli("doctor").stdout
    connection = stack.connect("rw")
    for name, state, at in (("1", "waiting", 1000), ("2", "waiting", 2000),
                            ("3", "parked", 3000)):
        connection.execute(
            "INSERT INTO outbox (id, service_id, channel, kind, subject_id, "
            "state, lease, attempts, doubt, due_at_ms, created_at_ms, ended_at) "
            "SELECT ?, id, 'app', 'event', 'evt_', ?, 0, 1, 0, ?, ?, ? "
            "FROM service",
            ["dlv_" + name, state, at, at, 1 if state == "parked" else None])
    connection.close()
    done = stack.cli("doctor", check=False)
    assert done.returncode == 1
    for words in ("FAIL outboxd is not running; 2 deliveries are waiting",
                  "the oldest waits since 1970-01-01T00:00:01Z",
                  "warn 1 delivery was given up"):
        assert words in done.stdout


# Keys.

def test_an_api_key_opens_twilio(account, tmp_path):
    number = account.numbers[0]
    pool(account, number)
    key, secret = "SK" + secrets.token_hex(16), secrets.token_hex(16)
    text = account.stack.read("secrets.conf")
    (tmp_path / "secrets.conf").write_text(
        text + f"twilio_api_key = {key}\ntwilio_api_secret = {secret}\n")
    (tmp_path / "secrets.conf").chmod(0o600)
    account.set(twilio_api_url=account.between.url,
                secrets=tmp_path / "secrets.conf")
    account.between.tell((200, {"incoming_phone_numbers": []}),
                         (401, {"code": 20003}))
    done = account.cli("doctor")
    assert account.between.seen[0]["opened_by"] == f"{key}:{secret}"
    # A key that may not see the account is no fault.
    assert "skip the state of the account" in done.stdout
    account.between.tell((401, {"code": 20003}))
    done = account.cli("number", "sync")
    assert "account and API key" in done.stderr and secret not in done.stderr


def test_a_token_is_rotated_and_no_webhook_refused(new_stack):
    """As README says: the new one is put in front, later the old one taken
    out. At every moment what Twilio may sign is accepted."""
    stack = new_stack(WORKERS="1")
    old, new = stack.env["TWILIO_AUTH_TOKEN"], secrets.token_hex(16)
    customer, driver = stack.persons(2)
    session = stack.open(customer, driver)

    def rings(token):
        fields = stack.voice_fields(customer, masked(session))
        answer = stack.webhook("/twilio/voice", fields, token=token)
        return answer.status == 200 and answer.twiml.rings == driver

    assert rings(old) and not rings(new)
    stack.set_conf("secrets.conf", "twilio_auth_tokens", f"{new} {old}")
    assert rings(old)                    # before the restart
    stack.restart("voice-inbound")
    assert rings(old) and rings(new)     # before and after the promotion
    stack.set_conf("secrets.conf", "twilio_auth_tokens", new)
    assert rings(new)
    stack.restart("voice-inbound")
    assert rings(new) and not rings(old)


def test_the_first_token_opens_twilio(account, tmp_path):
    """A secondary token does as soon as it is made; so it comes first."""
    pool(account, account.numbers[0])
    text = account.stack.read("secrets.conf")
    (tmp_path / "secrets.conf").write_text(
        re.sub("(?m)^(twilio_auth_tokens = )", r"\1next ", text))
    (tmp_path / "secrets.conf").chmod(0o600)
    account.set(twilio_api_url=account.between.url,
                secrets=tmp_path / "secrets.conf")
    done = account.cli("number", "sync")
    # One try, with the first: the sandbox does not know it yet.
    assert [each["opened_by"] for each in account.between.seen] == [
        f"{account.sid}:next"]
    assert done.returncode == 1 and "20003" in done.stderr
