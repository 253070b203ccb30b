"""The examples for the app's developer do what they say."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

import client
import description
import npm
import stack as stacks

EXAMPLES = client.ROOT / "tests/examples"
RIDE = re.compile(r"""session (ses_\w+): both dial \+1\d{10}
text msg_\w+: waiting
call (cal_\w+): queued
session \1: closed
""")


def run(stack, command, *people, key=None):
    """Run an example against a stack."""
    return subprocess.run(
        [*command, *people], capture_output=True, text=True, timeout=60,
        check=False, env={
            **os.environ, "CALLMASK_URL": stack.url,
            "CALLMASK_API_KEY": key or stack.env["CALLMASK_API_KEY"],
            "CALLMASK_CA": stack.env["CALLMASK_CA"],
            "NODE_EXTRA_CA_CERTS": stack.env["CALLMASK_CA"]})


COMMANDS = pytest.mark.parametrize("command", (
    ["bash", EXAMPLES / "ride.sh"], ["/usr/bin/python3", EXAMPLES / "ride.py"],
    ["node", EXAMPLES / "ride.mjs"]), ids=("curl", "python", "javascript"))


@COMMANDS
def test_a_ride(stack, command):
    people = stack.persons(2)
    done = run(stack, command, *people)
    assert done.returncode == 0, done
    session, call = RIDE.match(done.stdout).groups()
    assert stack.api("GET", f"/v1/calls/{call}").json["session_id"] == session
    seen = stack.api("GET", f"/v1/sessions/{session}").json
    assert seen["status"] == "closed"
    assert [text["to"] for text in seen["messages"]] == ["driver"]
    assert [each["from"] for each in seen["calls"]] == ["driver"]


@COMMANDS
def test_a_refusal_is_told(stack, command):
    person = stack.person()
    done = run(stack, command, person, person)
    assert done.returncode != 0 and not done.stdout
    assert "same_party" in done.stderr, done.stderr
    done = run(stack, command, *stack.persons(2), key="cmk_wrong")
    assert done.returncode != 0 and "unauthorized" in done.stderr, done.stderr


def receivers(folder):
    """The commands that take events, the one in JavaScript beside its package."""
    shutil.copy(EXAMPLES / "webhook.mjs", folder)
    (folder / "node_modules").symlink_to(npm.modules(
        client.ROOT / "tests/scenario/standard-webhooks"))
    return {"python": ["/usr/bin/python3", EXAMPLES / "webhook.py"],
            "javascript": ["node", folder / "webhook.mjs"]}


@pytest.mark.parametrize("language", ("python", "javascript"))
def test_events_are_taken(stack, tmp_path, language):
    command = receivers(tmp_path)[language]
    name, port = f"example-{language}", stacks.free_port()
    stack.new_service(name)
    told = stack.cli("service", "set", f"webhook-url=http://127.0.0.1:{port}/",
                     service=name)
    secret = re.search(r"whsec_\S+", told.stdout + told.stderr).group()
    with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "WEBHOOK_SECRET": secret,
                 "PORT": str(port)}) as receiver:
        try:
            assert receiver.stdout.readline() == "ready\n"
            stack.cli("webhook", "test", service=name)
            assert re.fullmatch(r"webhook\.test evt_\w+\n",
                                receiver.stdout.readline())
            for forged in ({}, {"webhook-id": "evt_x", "webhook-signature": "v1,x",
                                "webhook-timestamp": str(int(time.time()))}):
                assert post(port, forged) == 400
        finally:
            receiver.terminate()


def post(port, headers):
    """The status of the answer to an event that nobody signed."""
    event = json.loads(description.FILE.read_text(encoding="utf-8"))["webhooks"][
        "call.ended"]["post"]["requestBody"]["content"]["application/json"]
    line = client.http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        line.request("POST", "/", json.dumps(event["example"]), headers)
        return line.getresponse().status
    finally:
        line.close()
