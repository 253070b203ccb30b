"""A new sealing key, by `callmask rekey`, that is killed while it seals."""

import base64
import contextlib
import ctypes
import ctypes.util
import re
import shlex
import signal
import sqlite3
import subprocess
import time

import pytest

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium"))
NONCE, TAG = 24, 16
# What is sealed, and for which place.
PLACES = {"party": ("phone_sealed", "party.phone_sealed"),
          "message": ("body_sealed", "message.body")}
SESSIONS = 2000


def seal(number, key, context, text, nonce):
    """Seal as callmask does: key's number, nonce, XChaCha20-Poly1305."""
    out = ctypes.create_string_buffer(len(text) + TAG)
    SODIUM.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, None, text, ctypes.c_ulonglong(len(text)), context,
        ctypes.c_ulonglong(len(context)), None, nonce, key)
    return bytes([number]) + nonce + out.raw


def unseal(keys, context, sealed):
    """Open it by the key it names; None if it does not open."""
    nonce, data = sealed[1:1 + NONCE], sealed[1 + NONCE:]
    out = ctypes.create_string_buffer(len(data) - TAG)
    status = SODIUM.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, None, None, data, ctypes.c_ulonglong(len(data)), context,
        ctypes.c_ulonglong(len(context)), nonce, keys[sealed[0]])
    return None if status else out.raw


class Place:
    """An installation with thousands of sealed things and no programs."""

    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        (folder / "callmask.conf").write_text(
            f"public_url = https://localhost\ndatabase = {folder}/callmask.db\n"
            f"secrets = {folder}/secrets.conf\nmetrics = {folder}/metrics\n")
        self.cli("init", "--service", "demo", "--countries", "US")
        self.cli("number", "add", "+12025550199")
        self.fill()

    def command(self, *arguments):
        return [self.program, "-c", self.folder / "callmask.conf", *arguments]

    def cli(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True,
                              text=True, check=True, timeout=60).stdout

    def keys(self):
        """The sealing keys by their numbers."""
        text = (self.folder / "secrets.conf").read_text()
        return {int(number): base64.b64decode(key) for number, key in
                re.findall(r"(\d+):([A-Za-z0-9+/]{43}=)", text)}

    def connect(self):
        return contextlib.closing(sqlite3.connect(
            self.folder / "callmask.db", isolation_level=None))

    def fill(self):
        """Two parties and a text for each session, as programs write them."""
        key = self.keys()[1]
        with self.connect() as db:
            service, = db.execute("SELECT id FROM service").fetchone()
            db.execute("BEGIN")
            for n in range(SESSIONS):
                session = f"ses_{n:026d}"
                db.execute(
                    "INSERT INTO session (id, service_id, created_at, expires_at, "
                    "voice, text) VALUES (?, ?, 1, 2, 'both', 'both')",
                    [session, service])
                for at in (0, 1):
                    party = f"pty_{2 * n + at:026d}"
                    db.execute(
                        "INSERT INTO party (id, session_id, position, role, "
                        "person, phone_sealed, number, code) VALUES "
                        "(?, ?, ?, ?, '', ?, '+12025550199', '')",
                        [party, session, at, "ab"[at],
                         self.sealed(key, "party", party)])
                message = f"msg_{n:026d}"
                db.execute(
                    "INSERT INTO message (id, service_id, session_id, reason, "
                    "status, media, body_sealed, created_at) VALUES "
                    "(?, ?, ?, 'relayed', 'sent', 0, ?, 1)",
                    [message, service, session,
                     self.sealed(key, "message", message)])
            db.execute("COMMIT")

    @staticmethod
    def text(name):
        """What is sealed in a row."""
        return f"the secret of {name}".encode()

    def sealed(self, key, table, name):
        return seal(1, key, f"{PLACES[table][1]}:{name}".encode(),
                    self.text(name), base64.b32encode(name.encode())[-NONCE:])

    def rows(self):
        """All that is sealed, by row."""
        with self.connect() as db:
            return {(table, name): sealed for table, (column, _) in PLACES.items()
                    for name, sealed in db.execute(
                        f"SELECT id, {column} FROM {table}")}

    def check(self):
        """Everything opens, by a key we have, and is what it was. The rows."""
        keys, rows = self.keys(), self.rows()
        assert len(rows) == 3 * SESSIONS
        for (table, name), sealed in rows.items():
            context = f"{PLACES[table][1]}:{name}".encode()
            assert unseal(keys, context, sealed) == self.text(name)
        return rows

    def kill_rekey(self, share):
        """Kill `rekey run` once so much of all is sealed with key 2; what it
        said."""
        with self.connect() as db, subprocess.Popen(
                self.command("rekey", "run", "--yes"), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) as running:
            ending = time.monotonic() + 30
            while time.monotonic() < ending and running.poll() is None:
                done = sum(db.execute(
                    f"SELECT count(*) FROM {table} "
                    f"WHERE substr({column}, 1, 1) = x'02'").fetchone()[0]
                    for table, (column, _) in PLACES.items())
                if done > share * 3 * SESSIONS:
                    break
            running.kill()
            said = running.stdout.read().decode()
            assert running.wait(30) == -signal.SIGKILL, said
        return said


@pytest.mark.sanitized
def test_a_new_key_is_killed_and_goes_on(stack, tmp_path):
    place = Place(tmp_path, shlex.split(stack.env["CALLMASK"])[0])
    first = place.check()
    place.cli("rekey", "start")
    before = first
    for share in (0.01, 0.3, 0.6):
        assert "any more" not in place.kill_rekey(share)
        rows = place.check()
        used = [sealed[0] for sealed in rows.values()]
        assert share * len(rows) <= used.count(2) < len(rows)
        assert used.count(1) + used.count(2) == len(rows)
        # What was sealed anew is not touched again, what was not is as it was.
        for name, sealed in rows.items():
            assert sealed == before[name] or (
                sealed[0] == 2 and before[name][0] == 1)
        before = rows
    left = sum(sealed[0] == 1 for sealed in before.values())
    said = place.cli("rekey", "run")
    assert said.startswith(f"{left} sealed anew with key 2\n")
    assert "nothing is sealed with key 1 any more" in said
    rows = place.check()
    assert {sealed[0] for sealed in rows.values()} == {2}
    assert all(rows[name] == sealed for name, sealed in before.items()
               if sealed[0] == 2)
    # The old key is not needed for anything.
    secrets = tmp_path / "secrets.conf"
    secrets.write_text(re.sub(r"(?m)^sealing_keys = 1:.*\n", "",
                              secrets.read_text()))
    assert place.keys().keys() == {2}
    assert place.check() == rows
    assert place.cli("rekey", "run") == "0 sealed anew with key 2\n"
