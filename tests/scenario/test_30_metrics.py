"""What those who watch over an installation are told: /metrics in the format of
Prometheus, /healthz and /readyz; and that nobody else is told it."""

import fcntl
import json
import os
import re
import signal
import subprocess
import time

import pytest

from client import ROOT, masked

MONITORING = ROOT / "cgi-bin/monitoring"
PROMTOOL = ROOT / "build/promtool"        # make check fetches it
PATHS = ("/metrics", "/healthz", "/readyz")
FAMILY = re.compile(r"callmask_[a-z_]+")
SAMPLE = re.compile(r"(callmask_[a-z_]+)(?:\{(.*)\})? (-?[0-9.]+)")
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def parse(text):
    """The samples, {(name, labels): value}, of a text that is strictly in the
    format: each family once, with help, type and then all its samples."""
    samples, types, family = {}, {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family, words = line[7:].split(" ", 1)
            assert FAMILY.fullmatch(family) and words and family not in types
            types[family] = None
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == family and types[name] is None
            assert kind in ("counter", "gauge", "histogram")
            assert (kind == "counter") == name.endswith("_total")
            types[name] = kind
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            tails = ("_bucket", "_sum", "_count") \
                if types[family] == "histogram" else ("",)
            assert name in {family + tail for tail in tails}
            found = LABEL.findall(labels or "")
            assert len("".join(f',{a}="{b}"' for a, b in found)) == \
                (len(labels) + 1 if labels else 0), line
            key = name, frozenset(found)
            assert key not in samples
            samples[key] = float(value)
    assert None not in types.values()
    check_histograms(samples, types)
    return samples


def check_histograms(samples, types):
    """Buckets rise, and the last is the count."""
    for family in (name for name, kind in types.items() if kind == "histogram"):
        for (name, labels), count in list(samples.items()):
            if name != family + "_count":
                continue
            buckets = sorted(
                (float(dict(of)["le"]), value)
                for (name, of), value in samples.items()
                if name == family + "_bucket" and labels < of)
            assert buckets[-1] == (float("inf"), count)
            values = [value for _, value in buckets]
            assert values == sorted(values) and len(values) == 13


def scrape(stack):
    """All samples, by name and labels."""
    answer = stack.request("GET", "/metrics")
    assert (answer.status, answer.type) == (
        200, "text/plain; version=0.0.4; charset=utf-8")
    samples = parse(answer.body.decode())
    return lambda name, **labels: samples[
        "callmask_" + name, frozenset(labels.items())]


def ready(stack):
    """None, or why callmask is not ready."""
    answer = stack.request("GET", "/readyz")
    if answer.status == 200:
        assert answer.body == b"ok\n"
        return None
    assert answer.problem == (503, "not_ready", None)
    return answer.json["detail"]


def until(test, seconds=15):
    """Waits for test to be true."""
    end = time.time() + seconds
    while not test():
        assert time.time() < end, "it did not come"
        time.sleep(0.02)


def set_access(made, pattern, replacement):
    """Changes who may watch, and waits until no process goes by the old rule;
    how many lines were changed."""
    path = made.folder / "nginx/snippets/callmask-locations.conf"
    text, count = re.subn(pattern, replacement, path.read_text())
    path.write_text(text)
    old = set(made.workers("nginx"))
    os.kill(made.leader("nginx"), signal.SIGHUP)
    until(lambda: made.workers("nginx") and not old & set(made.workers("nginx")))
    return count


@pytest.mark.sanitized
def test_what_happens_is_counted(stack):
    customer, driver = stack.persons(2)
    before = scrape(stack)
    session = stack.open(customer, driver)
    stack.voice(customer, masked(session))
    stack.close(session)
    stack.voice(customer, masked(session))
    stack.webhook("/twilio/message", {
        **stack.voice_fields(customer, masked(session)),
        "MessageSid": "SM" + os.urandom(16).hex(), "Body": "Hello"})
    after = scrape(stack)

    def rise(name, **labels):
        return after(name, **labels) - before(name, **labels)
    assert rise("calls_connected_total") == rise("calls_refused_total") == 1
    assert rise("refusals_total", kind="call", reason="session_closed") == 1
    assert rise("refusals_total", kind="text", reason="session_closed") == 1
    assert rise("refusals_total", kind="call", reason="voice_off") == 0
    for program, count in (("voice-inbound", 2), ("session-create", 1),
                           ("session-close", 1), ("message-inbound", 1),
                           ("routes", 0)):
        took = "request_duration_seconds_"
        assert rise(took + "count", program=program) == count
        assert rise(took + "bucket", program=program, le="+Inf") == count
        assert (rise(took + "sum", program=program) > 0) == (count > 0)
    counters = stack.counters()
    assert {name: after(name + "_total") for name in
            ("calls_connected", "calls_refused", "webhooks_forged")} == {
        name: counters[name] for name in
        ("calls_connected", "calls_refused", "webhooks_forged")}
    assert after("database_up") == after("worker_up") == 1


def test_how_things_stand(stack):
    stack.open(*stack.persons(2))
    samples = scrape(stack)
    assert samples("sessions_open") >= 1
    assert samples("numbers", service="demo", country="US", state="active") == \
        stack.one("SELECT count(*) FROM number n JOIN service s ON "
                  "s.id = n.service_id WHERE n.state = 'active' AND "
                  "n.country = 'US' AND s.name = 'demo'")
    assert 0 <= samples("pool_free_ratio", service="demo") < 1
    for channel in ("app", "twilio"):
        assert samples("outbox_waiting", service="demo", channel=channel) >= 0
        assert samples("outbox_lag_seconds", service="demo", channel=channel) \
            < 60


def test_no_person_or_session_is_named(stack):
    session = stack.open(*stack.persons(2), reference="ref-of-metrics")
    text = stack.request("GET", "/metrics").body.decode()
    assert not re.search(r"\+[0-9]|ref-of-metrics|[a-z]{3}_[0-9a-z]{26}", text)
    for phone in stack.people + stack.numbers:
        assert phone.lstrip("+") not in text
    assert session["id"] not in text


def test_only_who_watches_is_told(stack, unchanged):
    for path in PATHS:
        assert stack.request("GET", path).status == 200
        assert stack.request("HEAD", path).body == b""
        answer = stack.request("POST", path, b"")
        assert answer.problem == (405, "method_not_allowed", None)
        assert answer.headers["Allow"] == "GET, HEAD"
        # Passed on by a proxy that is on this machine.
        for header in ("X-Forwarded-For", "Forwarded"):
            answer = stack.request("GET", path, headers={header: "0"})
            assert answer.problem == (404, "not_found", None)
        assert stack.request("GET", path + "/").status == 404
        assert stack.request("GET", path + "?a=%zz").problem[0] == 422


def test_from_elsewhere_it_is_not_there(new_stack):
    """The same configuration with this machine taken for elsewhere."""
    made = new_stack(WORKERS="1")
    assert set_access(made, r"(?m)^ *allow +.*;\n", "") == 2
    for path in PATHS:
        assert made.request("GET", path).problem == (404, "not_found", None)
    check_readiness(made)


# Not a test of its own for the time that a stack takes.

def check_readiness(made):
    """What is missing is named; nothing has to be restarted when it is back."""
    set_access(made, "deny  all;", "")
    assert ready(made) is None

    made.bend("UPDATE schema_version SET version = version + 1")
    assert ready(made) == "the database has another schema version"
    made.bend("UPDATE schema_version SET version = version - 1")
    assert ready(made) is None

    with open(made.folder / "callmask.db-lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert ready(made) == "the database cannot be written"
        assert scrape(made)("database_up") == 1
    assert ready(made) is None

    database = made.folder / "callmask.db"
    database.rename(made.folder / "away")
    assert ready(made) == "keys or database are not there"
    assert made.request("GET", "/healthz").body == b"ok\n"
    assert scrape(made)("database_up") == 0
    (made.folder / "away").rename(database)
    assert ready(made) is None
    assert scrape(made)("database_up") == 1
    failed = scrape(made)("requests_failed_total")
    check_worker(made)
    assert scrape(made)("requests_failed_total") == failed == 0


def check_worker(made):
    """Without a worker, and with one that does not get on."""
    with made.hanging(made.workers("outboxd")):
        with made.late():
            assert ready(made) == "what is for Twilio has been due for 5 minutes"
            assert 301 <= scrape(made)(
                "outbox_lag_seconds", service="demo", channel="twilio") < 360
        assert ready(made) is None
    os.kill(made.leader("outboxd"), signal.SIGTERM)
    until(lambda: ready(made) == "outboxd does not run")
    assert scrape(made)("worker_up") == 0


# The files for Prometheus and Grafana.

def test_rules_and_dashboard_ask_for_what_there_is(stack):
    told = set(FAMILY.findall(stack.request("GET", "/metrics").body.decode()))
    rules = (MONITORING / "callmask-alerts.yml").read_text()
    dashboard = json.loads((MONITORING / "callmask-dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"]
             for target in panel["targets"]]
    for text in (rules, *asked):
        names = set(FAMILY.findall(text))
        assert names and names <= told, names - told
    channels = {word for text in (rules, *asked)
               for word in re.findall(r'channel="([a-z]+)"', text)}
    assert channels <= {"app", "twilio"}


def test_promtool_has_nothing_to_say(stack):
    metrics = subprocess.run(
        [PROMTOOL, "check", "metrics"], check=False, capture_output=True,
        input=stack.request("GET", "/metrics").body, timeout=60)
    assert (metrics.returncode, metrics.stdout + metrics.stderr) == (0, b"")
    rules = subprocess.run(
        [PROMTOOL, "check", "rules", MONITORING / "callmask-alerts.yml"],
        check=False, capture_output=True, timeout=60)
    assert rules.returncode == 0, rules.stdout + rules.stderr
