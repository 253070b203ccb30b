"""A bare Debian 12 with a running systemd, to install things in: a folder made by
debootstrap, booted in namespaces of its own. It has no network but its own
loopback, and nothing it does outlives it: all it writes is in memory, and its
mounts and processes go with its first process."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

MIRROR = "http://deb.debian.org/debian"
RELEASE = "bookworm"

# Beyond the bare minimum: what makes it boot, and be talked to.
BASE = "systemd,systemd-sysv,dbus,ca-certificates"

# Runs as the box's first process, in fresh namespaces: BASE DOWNLOADS SOURCES.
# The folder of the base is never written to.
START = r"""
set -eu
mount --make-rprivate /
scratch=$(mktemp -d)
mount -t tmpfs -o mode=755,size=4g box "$scratch"
cd "$scratch"
mkdir upper work root
mount -t overlay -o "lowerdir=$1,upperdir=$PWD/upper,workdir=$PWD/work" box root
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do
	: >dev/$node
	mount --bind /dev/$node dev/$node
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=755 run run
mkdir -p var/cache/apt/archives src old
cp "$2"/*.deb var/cache/apt/archives/
mount --bind "$3" src
mount -o remount,bind,ro src
hostname box
pivot_root . old
umount -l /old
exec env -i container=namespaces PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --show-status=no
"""


class CannotRun(Exception):
    """This machine lacks something that a box needs."""


def make_base(folder, packages):
    """Makes the base and fetches the packages, once; later calls find them.
    Returns the two folders."""
    folder = pathlib.Path(folder)
    base, downloads = folder / "base", folder / "packages"
    if os.geteuid() != 0:
        raise CannotRun("only root can boot a system in a folder")
    for tool in ("debootstrap", "unshare", "nsenter", "setpriv"):
        if not shutil.which(tool):
            raise CannotRun(f"{tool} is missing")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = " ".join(packages)
    made = folder / "made"
    if made.exists() and made.read_text() == wanted:
        return base, downloads
    # In a mount namespace, for debootstrap mounts /proc and /sys of the new
    # system: nothing may be mounted there when it is removed one day.
    made.unlink(missing_ok=True)
    script = f"""
        set -eu
        mount --make-rprivate /
        rm -rf --one-file-system {base} {downloads}
        debootstrap --variant=minbase --include={BASE} {RELEASE} {base} {MIRROR}
        mkdir {downloads}
        cp /etc/resolv.conf {base}/etc/
        mount --bind {downloads} {base}/var/cache/apt/archives
        mkdir {downloads}/partial
        chroot {base} apt-get update
        chroot {base} apt-get install -y --download-only {wanted}
    """
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise CannotRun(f"no Debian from {MIRROR}:\n" + done.stdout[-1500:])
    made.write_text(wanted)
    return base, downloads


class Box:
    """One such system; sources are seen in it as /src, read only."""

    def __init__(self, base, downloads, sources):
        self.cgroup = self._make_cgroup()
        # If this program dies, so does unshare, and all the box with it.
        self.outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--kill-child",
             "--fork", "--pid", "--mount", "--net", "--uts", "--ipc",
             "--cgroup", "sh", "-c", START, "box", base, downloads, sources],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=self._join_cgroup)
        self.pid = None
        try:
            self._await()
        except BaseException:
            self.stop()
            raise

    def _make_cgroup(self):
        for line in open("/proc/mounts"):
            _, where, kind, *_ = line.split()
            if kind == "cgroup2":
                return tempfile.mkdtemp(prefix="callmask-box-", dir=where)
        raise CannotRun("no cgroup2 is mounted on this machine")

    def _join_cgroup(self):
        with open(self.cgroup + "/cgroup.procs", "w") as file:
            file.write("0")

    def _await(self):
        """Waits until systemd says that it is up."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.outer.poll() is not None:
                raise CannotRun("systemd does not boot here:\n" +
                                self.outer.stdout.read().decode()[-1500:])
            children = pathlib.Path(
                f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
            self.pid = next(iter(children.read_text().split()), None)
            if self.pid and self.run("systemctl is-system-running",
                                     check=False).stdout.strip() in (
                                         "running", "degraded"):
                return
            time.sleep(0.2)
        raise CannotRun("systemd does not come up here within a minute")

    def command(self, script):
        """The words that run a shell script in the box."""
        return ["nsenter", "-t", self.pid, "--all", "env", "-i", "HOME=/root",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                "sh", "-c", "cd /root; " + script]

    def run(self, script, check=True, **options):
        done = subprocess.run(self.command(script), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **{"stdin": subprocess.DEVNULL, **options})
        if check and done.returncode != 0:
            raise AssertionError(f"in the box: {script.strip()}\n"
                                 f"exit status {done.returncode}\n{done.stdout}")
        return done

    def put(self, path, text, mode="644"):
        self.run(f"mkdir -p $(dirname {path}) && cat >{path} && "
                 f"chmod {mode} {path}", stdin=None, input=text)

    def copy(self, file, path):
        with open(file, "rb") as source:
            self.run(f"cat >{path}", stdin=source)

    def stop(self):
        """Ends its first process, and by that all others and all mounts."""
        if self.outer.poll() is None:
            if self.pid:
                subprocess.run(["kill", "-KILL", self.pid], check=False)
            else:
                self.outer.kill()
            self.outer.wait()
        for _ in range(100):
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
            if not os.path.exists(self.cgroup):
                return
            time.sleep(0.05)
        print(f"box: {self.cgroup} is left", file=sys.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
