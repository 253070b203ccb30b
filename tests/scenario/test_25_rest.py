"""Twilio's REST API on bad days: too many requests, failures, answers that are
lost, and the worker killed when Twilio has the request. Every phone rings once,
every text arrives once and in its order."""

import signal
import sys
import urllib.parse

import pytest

from client import ROOT

sys.path.insert(0, str(ROOT / "tests" / "worker"))

from receivers import Mediator                            # noqa: E402
from rig import Rig, wait_for                             # noqa: E402

FAULTS = ("limited", "broken", "unsure", "cut", "lost", "half", "deadly")


@pytest.fixture(scope="module", name="rig")
def rig_of_the_module(request):
    """A stack whose worker reaches the sandbox through a mediator."""
    failed = request.session.testsfailed
    made = Rig(WORKERS="2")
    made.mediator = Mediator(made.env["SANDBOX_URL"])
    made.set_conf("callmask.conf", "twilio_api_url", made.mediator.url)
    made.mediator.kill = lambda: made.workers_up[0].send_signal(signal.SIGKILL)
    yield made
    made.mediator.close()
    made.stop(keep=request.session.testsfailed > failed)


@pytest.fixture(autouse=True)
def worker(rig):
    """A worker for each test."""
    rig.mediator.faults, rig.mediator.done = [], []
    [made] = rig.start()
    yield made
    rig.end()


def carry(rig):
    """Let time pass until nothing waits for Twilio; a dead worker is followed
    by another."""
    def waits(more=""):
        return rig.one("SELECT count(*) FROM outbox WHERE channel = 'twilio' "
                       f"AND state = 'waiting' {more}")

    def carried():
        [worker] = rig.workers_up
        if worker.poll() is not None:
            rig.workers_up = []
            rig.pass_time(60)         # its leases end
            rig.start()
        # Between two tries; not what is under way, on a lease for a minute.
        elif waits("AND due_at_ms / 1000 - strftime('%s') BETWEEN 1 AND 30"):
            rig.pass_time(12)
        return waits() == 0

    wait_for(lambda: not rig.mediator.faults)
    wait_for(carried, 30)


def sent(rig, name):
    """The fields of what Twilio was asked for, and did."""
    return [urllib.parse.parse_qs(body) for path, body in rig.mediator.done
            if path.endswith(f"/{name}.json")]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_phone_rings_once(rig, fault):
    customer, driver = rig.persons(2)
    session = rig.open(customer, driver)
    # The first makes a connection that is kept: libcurl would repeat the second
    # by itself where that is closed.
    for faults in [], [fault]:
        rig.mediator.faults = faults
        answer = rig.api("POST", f"/v1/sessions/{session['id']}/calls",
                         {"from": "driver"})
        assert answer.status == 202, answer
        carry(rig)
        call = answer.json["id"]
        wait_for(lambda call=call: rig.api("GET", f"/v1/calls/{call}").json[
            "status"] == "completed")
    assert [fields["To"] for fields in sent(rig, "Calls")] == [[driver]] * 2
    assert [leg["to"] for leg in rig.sandbox("GET", "calls")["calls"]
            if leg["to"] == driver] == [driver] * 2


@pytest.mark.parametrize("fault", FAULTS)
def test_texts_arrive_once_and_in_order(rig, fault):
    """The second meets the fault; those behind it wait."""
    session = rig.open(*rig.persons(2))
    words = [f"{fault} {number}" for number in range(4)]
    for word in words:
        if word == words[1]:
            carry(rig)                # over a connection that is kept
            rig.mediator.faults = [fault]
        answer = rig.api("POST", f"/v1/sessions/{session['id']}/messages",
                         {"to": "driver", "text": word})
        assert answer.status == 202, answer
    carry(rig)
    assert [fields["Body"] for fields in sent(rig, "Messages")] == [
        [word] for word in words]
