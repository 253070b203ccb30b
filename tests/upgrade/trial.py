#!/usr/bin/python3
"""trial.py - callmask's Debian package on a bare Debian 12 with a running
systemd and an nginx that has another site already: installed by the README,
replaced by a newer version under load, removed, purged.

    trial.py [OLD.deb [NEW.deb]]

Without OLD it is the package of these sources (make deb), without NEW the old one
with a higher version. Takes root, the network (Debian's mirror) and, at first,
some minutes; later ones find the bare Debian in build/upgrade.

Prints each check and ends with N passed, N failed; exits 1 if one failed, 2 if
this machine cannot run it.
"""

import collections
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from box import Box, CannotRun, make_base                 # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

# What the package and this trial need, fetched before there is no network.
PACKAGES = ["nginx", "openssl", "curl", "python3", "multiwatch", "libcurl4",
            "libfcgi0ldbl", "libinih1", "libjansson4", "libsodium23",
            "libsqlite3-0", "libssl3", "libxml2"]

HOST, OTHER = "mask.example.net", "shop.example"
ACCOUNT, TOKEN = "AC" + secrets.token_hex(16), secrets.token_hex(16)
CUSTOMER, DRIVER = "+12025550147", "+12025550123"
SANDBOX = "http://127.0.0.1:8088"
CURL = "curl -sS --cacert /etc/ssl/box/cert.pem"

SITES = f"""
server {{
    listen 443 ssl;
    server_name {OTHER};
    ssl_certificate     /etc/ssl/box/cert.pem;
    ssl_certificate_key /etc/ssl/box/key.pem;
    default_type text/plain;
    location /v1/      {{ return 200 "the shop\\n"; }}
    location = /metrics {{ return 200 "metrics of the shop\\n"; }}
    location /          {{ return 200 "welcome to the shop\\n"; }}
}}
server {{
    listen 443 ssl;
    server_name {HOST};
    ssl_certificate     /etc/ssl/box/cert.pem;
    ssl_certificate_key /etc/ssl/box/key.pem;
    # here
}}
"""

passed = failed = 0


def check(what, good, otherwise=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(("ok      " if good else "FAILED  ") + what, flush=True)
    if not good and otherwise:
        print("        " + str(otherwise).strip().replace("\n", "\n        "))


def by_the_book(words):
    """These words, which the README must have."""
    assert re.sub(r"\s+", " ", words) in re.sub(r"\s+", " ", README), \
        f"not in the README: {words}"
    return words


def indented_after(words):
    """The block of the README after these words, as somebody copies it."""
    block = README[README.index(words) + len(words):].lstrip("\n")
    return re.split(r"\n(?=\S| {1,4}\S)", block)[0] + "\n"


# --- The packages.

def make_package():
    done = subprocess.run(["make", "-s", "deb"], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise CannotRun("make deb failed:\n" + done.stdout[-1500:])
    version = re.search(r"\((.*?)\)", (ROOT / "debian/changelog").read_text())[1]
    return next((ROOT / "build").glob(f"callmask_{version}_*.deb"))


def raise_version(package, folder):
    """The same package with a higher version."""
    tree, newer = f"{folder}/tree", f"{folder}/newer.deb"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = pathlib.Path(tree, "DEBIAN/control")
    control.write_text(re.sub(r"(?m)^(Version: .*)", r"\1+newer",
                              control.read_text()))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, newer],
                   check=True, stdout=subprocess.DEVNULL)
    return newer


# --- A machine with a web site, and callmask on it.

def set_up_site(box):
    box.run("apt-get install -y nginx openssl curl python3")
    box.run(f"""
        mkdir -p /etc/ssl/box; cd /etc/ssl/box
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -days 30 -subj /CN=box -keyout key.pem -out cert.pem \
            -addext subjectAltName=DNS:{HOST},DNS:{OTHER}
        echo 127.0.0.1 {HOST} {OTHER} >>/etc/hosts""")
    box.put("/etc/nginx/sites-available/sites", SITES)
    box.run("ln -s ../sites-available/sites /etc/nginx/sites-enabled/ && "
            "nginx -t && systemctl reload nginx")


def site_is_well(box, when):
    answers = [box.run(f"{CURL} https://{OTHER}{path}", check=False).stdout
               for path in ("/v1/things", "/metrics", "/")]
    check(f"{when}, the other site is what it was", answers == [
        "the shop\n", "metrics of the shop\n", "welcome to the shop\n"], answers)


def install(box, package):
    box.copy(package, "/root/old.deb")
    done = box.run("apt-get install -y ./old.deb", check=False)
    check("the package installs by itself", done.returncode == 0, done.stdout)
    done = box.run("nginx -t && systemctl reload nginx", check=False)
    check("nginx takes what it brought", done.returncode == 0, done.stdout)
    site_is_well(box, "with the package there")


def set_up_callmask(box):
    """The README's steps."""
    box.run(by_the_book("sed -i s/mask.example.net/YOUR.NAME/ "
                        "/etc/callmask/callmask.conf").replace("YOUR.NAME", HOST))
    box.put("/etc/callmask/more", indented_after(
        "`/etc/callmask/secrets.conf`:").replace("AC…", ACCOUNT).replace(
            "the account's auth token", TOKEN))
    box.run("cat /etc/callmask/more >>/etc/callmask/secrets.conf; "
            "rm /etc/callmask/more")
    # In place of Twilio, the sandbox.
    box.run(f"printf '%s\\n' 'twilio_api_url = {SANDBOX}' "
            "'ca_file = /etc/ssl/box/cert.pem' >>/etc/callmask/callmask.conf")
    box.run(by_the_book("callmask init --service rides --countries US,CA") +
            " && callmask service set hold=0")
    key = box.run(by_the_book("callmask key add --name backend") +
                  " 2>/dev/null").stdout.strip()
    box.run(by_the_book("callmask number add +12025550199 +12025550198"))
    box.run(by_the_book("callmask doctor --offline"))
    box.run(by_the_book("systemctl enable --now callmask.target"))
    line = by_the_book("include snippets/callmask-locations*.conf;")
    box.run(f"sed -i 's|# here|{line}|' /etc/nginx/sites-available/sites && " +
            by_the_book("nginx -t && systemctl reload nginx"))
    site_is_well(box, "with callmask beside it")
    return key


def start_sandbox(box):
    box.run(f"systemd-run --unit sandbox --setenv TWILIO_ACCOUNT_SID={ACCOUNT} "
            f"--setenv TWILIO_AUTH_TOKEN={TOKEN} /src/cgi-bin/sandbox "
            f"--webhook-url https://{HOST} --ca /etc/ssl/box/cert.pem --speed 20 "
            "--number +12025550199 --number +12025550198")
    box.run(f"until curl -s {SANDBOX}/sandbox/health; do sleep 0.1; done")


def first_call(box, key):
    """From the numbers at Twilio to a phone that rings. Returns the session."""
    box.run(by_the_book("callmask number sync --apply"))
    done = box.run("callmask doctor", check=False)
    check("doctor is content", done.returncode == 0 and
          "warn" not in done.stdout, done.stdout)
    session = json.loads(box.run(
        f"{CURL} https://{HOST}/v1/sessions -H 'Authorization: Bearer {key}' "
        "--json @-", stdin=None, input=json.dumps({"parties": [
            {"role": "customer", "phone": CUSTOMER},
            {"role": "driver", "phone": DRIVER}]})).stdout)
    masked = session["parties"][0]["masked_number"]
    call = json.loads(box.run(
        f"curl -sS {SANDBOX}/sandbox/calls --json @-", stdin=None,
        input=json.dumps({"from": CUSTOMER, "to": masked})).stdout)
    check("a masked call connects", call.get("connected") and [
        (leg["phone"], leg["showed"]) for leg in call["rang"]] ==
        [(DRIVER, masked)], call)
    return session["id"], masked


# --- Replaced under load.

class UnderLoad:
    """A load, from here on; what happens meanwhile has a name."""

    def __init__(self, box, plan):
        self.process = subprocess.Popen(
            box.command("exec python3 -B /src/tests/upgrade/load.py"), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps(plan) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "running\n"
        self.phases = []
        self.during("nothing in particular", lambda: time.sleep(3))

    def during(self, name, deed):
        begun = time.time()
        deed()
        self.phases.append((begun, name))
        print(f"        {time.time() - begun:5.1f} s  {name}", flush=True)
        time.sleep(2)

    def end(self):
        self.process.stdin.close()
        result = json.loads(self.process.stdout.read())
        self.process.wait()
        for lost in result["lost"]:
            lost["during"] = [name for begun, name in self.phases
                              if begun <= lost["at"] + lost["after"]][-1]
        return result


def upgrade_under_load(box, package, plan):
    box.copy(package, "/root/new.deb")
    load = UnderLoad(box, plan)

    def upgrade():
        done = box.run("apt-get install -y ./new.deb", check=False)
        check("the newer version installs", done.returncode == 0, done.stdout)
    load.during("apt install of the newer version", upgrade)
    stale = box.run("ls -l /proc/[0-9]*/exe 2>/dev/null | grep callmask | "
                    "grep deleted", check=False).stdout
    check("after it, no program of the old one runs", stale == "", stale)
    for words in ("systemctl restart callmask.target",
                  "systemctl reload nginx",
                  "systemctl restart callmask@voice-inbound"):
        load.during(words, lambda words=words: box.run(words))
    load.during("six restarts in ten seconds", lambda: [
        box.run("sleep 1; systemctl restart callmask@voice-inbound")
        for _ in range(6)])
    result = load.end()
    total = sum(result["answers"].values())
    for kind, count in result["answers"].items():
        print(f"        {count:6} {kind:11} the longest took "
              f"{result['longest'][kind]:.2f} s")
    lost = collections.Counter(
        f"{one['during']}: {one['kind']}: {one['what'][:90]}"
        for one in result["lost"])
    check(f"of {total} requests, {len(result['lost'])} were lost",
          total > 1000 and not lost, "\n".join(
              f"{n} times {what}" for what, n in lost.most_common(20)) or "few")
    slow = max(result["longest"][kind] for kind in ("voice", "status"))
    check("Twilio never waited for 4 s", slow < 4, f"{slow} s")
    check_kept(box, plan["key"], result)


def check_kept(box, key, result):
    """What was acknowledged is there, and was done once."""
    known, cursor = set(), ""
    while cursor is not None:
        page = json.loads(box.run(
            f"{CURL} 'https://{HOST}/v1/sessions?limit=100{cursor}' "
            f"-H 'Authorization: Bearer {key}'").stdout)
        known |= {one["id"] for one in page["sessions"]}
        cursor = page["next"] and "&cursor=" + page["next"]
    missing = set(result["opened"]) - known
    check(f"all of {len(result['opened'])} sessions opened meanwhile are there",
          result["opened"] and not missing, missing)
    box.run("for i in $(seq 150); do callmask doctor --offline | "
            "grep -q ' 0 deliveries' && break; sleep 0.2; done")
    sent = json.loads(box.run(
        f"curl -sS -u {ACCOUNT}:{TOKEN} '{SANDBOX}/2010-04-01/Accounts/{ACCOUNT}"
        f"/Messages.json?PageSize=1000'").stdout)["messages"]
    bodies = [one["body"] for one in sent if one["body"].startswith("text ")]
    check(f"all of {result['texted']} texts left, each once",
          len(bodies) == result["texted"] == len(set(bodies)),
          f"{len(bodies)} sent, {len(set(bodies))} different")


# --- Gone again.

def files_of_callmask(box):
    return set(box.run(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /src -o "
        "-path /root -o -path /var/lib/dpkg -o -path /var/lib/apt -o "
        "-path /var/cache -o -path /var/log -o -path /tmp \\) -prune -o "
        "\\( -name '*callmask*' -o -path '*/callmask/*' \\) -print; "
        "find /run -name '*callmask*'").stdout.split())


def remove(box, before):
    done = box.run("apt-get remove -y callmask", check=False)
    check("it can be removed", done.returncode == 0, done.stdout)
    left = box.run("systemctl list-units 'callmask*' --plain --no-legend "
                   "--state=active,activating,deactivating,failed; "
                   "ls -l /proc/[0-9]*/exe 2>/dev/null | grep lib/callmask",
                   check=False).stdout
    check("nothing of it runs any more", left == "", left)
    site_is_well(box, "with it removed")
    done = box.run("nginx -t && systemctl restart nginx", check=False)
    check("nginx starts with the include line still there",
          done.returncode == 0, done.stdout)
    files = files_of_callmask(box) - before
    odd = {f for f in files if not f.startswith(("/etc/", "/var/lib/"))}
    check("only configuration and data stay", not odd, sorted(odd))


def purge(box, before):
    done = box.run("apt-get purge -y callmask", check=False)
    check("it can be purged", done.returncode == 0, done.stdout)
    site_is_well(box, "with it purged")
    done = box.run("nginx -t && systemctl restart nginx", check=False)
    check("nginx starts with the include line still there",
          done.returncode == 0, done.stdout)
    site_is_well(box, "with nginx started anew")
    files = files_of_callmask(box) - before
    kept = {"/etc/callmask", "/etc/callmask/secrets.conf", "/var/lib/callmask"}
    odd = {f for f in files - kept
           if not f.startswith("/var/lib/callmask/callmask.db")}
    check("the database and its keys stay, and nothing else",
          not odd and kept < files, sorted(odd) or sorted(files))


def trial(old, new):
    base, downloads = make_base(ROOT / "build/upgrade", PACKAGES)
    with Box(base, downloads, ROOT) as box:
        set_up_site(box)
        before = files_of_callmask(box)
        install(box, old)
        start_sandbox(box)
        key = set_up_callmask(box)
        session, masked = first_call(box, key)
        upgrade_under_load(box, new, {
            "host": HOST, "other": OTHER, "ca": "/etc/ssl/box/cert.pem",
            "account": ACCOUNT, "token": TOKEN, "key": key, "pause_s": 0.01,
            "session": session, "pair": [CUSTOMER, DRIVER, masked]})
        remove(box, before)
        purge(box, before)


def stop(*_):
    raise SystemExit(1)


def main():
    if len(sys.argv) > 3 or any(a.startswith("-") for a in sys.argv[1:]):
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, stop)
    try:
        with tempfile.TemporaryDirectory() as folder:
            old = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 \
                else make_package()
            new = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 \
                else raise_version(old, folder)
            trial(old, new)
    except CannotRun as error:
        print(f"trial.py cannot run: {error}", file=sys.stderr)
        return 2
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
