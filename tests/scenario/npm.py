"""Packages from npm, as a lock file names them."""

import fcntl
import subprocess

import client


def modules(folder):
    """The node_modules of a folder below tests/scenario, installed if they are
    not there; by one at a time."""
    path = client.ROOT / "tests/scenario" / folder
    with open(path / "package-lock.json", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "node_modules/.package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefix", path],
                           check=True, capture_output=True, text=True, timeout=300)
    return path / "node_modules"
