"""Packages from npm, as a lock file names them."""

import fcntl
import subprocess


def modules(folder):
    """The node_modules of a folder, installed if they are not there; by one at a
    time."""
    with open(folder / "package-lock.json", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules/.package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefix",
                            folder],
                           check=True, capture_output=True, text=True, timeout=300)
    return folder / "node_modules"
