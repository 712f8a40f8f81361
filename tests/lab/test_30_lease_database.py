# SPDX-License-Identifier: GPL-2.0-or-later
"""
30: leases that are never lost or doubled, whatever happens to the database. Topology of home.py, a second home where one is needed:

    internet6 ---- sc ---- access ---- nat ---- home  (alice)
                   |                        `-- home2 (bob)
                   leases.db on a disk that is full, or overwritten

What this exercises: a full disk (softwires that are up feel nothing, who comes back gets in, a new user is told why not and gets in by himself when
there is room again), a database that is overwritten while the daemon runs and while it does not, and leases as text, out and in.
"""
import json
import subprocess
import threading
import time
from contextlib import contextmanager

from home import CONCENTRATOR, USERS, WEB, second_home
from lab import BUILD, wait_until


@contextmanager
def small_disk(home, kilobytes):
    path = home.dir / "small"
    path.mkdir(mode=0o755)
    home.sh("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=755", "softwire-test", path)
    try:
        yield path
    finally:
        if home.sc:
            home.sc.stop()
        home.sh("umount", path)


@contextmanager
def no_room(path):
    """Whatever becomes free is taken at once."""
    done, ballast = threading.Event(), path / "ballast"

    def fill():
        with open(ballast, "ab", buffering=0) as file:
            while not done.is_set():
                try:
                    file.write(bytes(4096))
                except OSError:
                    time.sleep(0.01)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        wait_until("the disk is full", lambda: b" 100% " in subprocess.run(["df", path], capture_output=True).stdout)
        yield
    finally:
        done.set()
        thread.join()
        ballast.unlink()


def lease(home, *words):
    return home.sc_node.sh(BUILD / "src" / "softwire", "--socket", home.sc.socket, "lease", *words, check=False)


# proves: HS-PROV-1 partial
def test_a_full_disk_harms_nobody_and_passes_without_hands(home):
    with small_disk(home, 600) as disk:
        home.start_sc(config=CONCENTRATOR.replace("listen =", f'leases = "{disk}/db/leases.db"; listen ='))
        home.start_si()
        prefix = home.wait_delegated()
        home.wait_host_address()
        wait_until("the host can ping", lambda: home.host.ping(WEB))
        database = lambda: home.sc.ask("show", "leases")["database"]
        with no_room(disk):
            bob = second_home(home, "bob", "tr0ub4dor and 3")
            wait_until("the leases are read-only", lambda: not database()["writable"] and home.sc.has("event=no-address", "user=bob"), 20)
            assert home.host.ping(WEB, count=5)
            assert "full" in database()["why"] and "The leases are read-only" in home.sc.table("show", "leases")
            assert home.sc.has("level=error", "event=leases-read-only")
            assert home.sc.ask("show", "counters")["counters"]["concentrator"]["now"]["leases_read_only"] == 1
            wait_until("bob is told why", lambda: "try again later" in str(bob.show()[0]["last_error"]))
            up = home.si.softwire()["id"]
            home.si.ask("clear", "initiator", "home")  # alice comes back meanwhile
            wait_until("alice is up again, with the same prefix", lambda: (s := home.si.softwire()) and s["id"] != up and s["delegated"] == [prefix], 15)
        bob.wait_up(30)
        wait_until("it is over", lambda: home.sc.has("event=leases-writable"))
        assert len(home.sc.has("event=leases-writable")) <= len(home.sc.has("event=leases-read-only"))
        assert lease(home, "check").returncode == 0


def overwrite(path):
    size = path.stat().st_size
    subprocess.run(["dd", "if=/dev/urandom", f"of={path}", "bs=4096", f"count={size // 4096}", "conv=notrunc"], check=True, capture_output=True)


# proves: HS-PROV-1 partial
def test_a_database_that_is_overwritten_costs_nobody_a_prefix(connected):
    prefix = connected.delegated()
    path = connected.sc.dir / "state" / "leases.db"
    overwrite(path)
    connected.sc.stop()
    connected.sc.begin_again()
    wait_until("the same prefix, after it was found at the end", lambda: connected.delegated() == prefix and connected.sc.softwire(), 20)
    connected.sc.stop()
    overwrite(path)
    connected.sc.begin_again()
    wait_until("the same prefix, after it was found at the start", lambda: connected.delegated() == prefix and connected.sc.softwire(), 20)
    assert connected.sc.has("event=leases-damaged") and connected.sc.has("event=leases-recovered")
    kept = list(path.parent.glob("leases.db.damaged-*"))
    assert 1 <= len([k for k in kept if not k.name.endswith("-wal")]) <= 3
    check = lease(connected, "check")
    assert (check.returncode, check.stdout) == (0, "The leases are in order.\n")


# proves: HS-PROV-1 partial
def test_leases_go_out_and_come_in_as_text(connected):
    text = connected.sc.dir / "leases.txt"
    assert lease(connected, "export", text).returncode == 0
    head, alice = [json.loads(line) for line in text.read_text().splitlines()]
    assert (head["format"], head["version"], head["leases"]) == ("softwire-leases", 1, 1)
    assert alice["user"] == "alice" and alice["delegated"] == [connected.delegated()]
    again = lease(connected, "import", text)
    assert again.returncode == 0 and "1 were there as they are" in again.stdout

    # Another prefix: refused while she uses hers, taken when she does not.
    alice["delegated"] = ["2001:db8:8abc:de00::/56"]
    text.write_text(json.dumps(head) + "\n" + json.dumps(alice) + "\n")
    refused = lease(connected, "import", "--force", text)
    assert refused.returncode == 1 and "user alice, slot 0 has another lease, and is using it" in refused.stderr
    connected.si.stop()
    wait_until("alice has gone", lambda: not connected.sc.show("softwires"))
    assert lease(connected, "import", text).returncode == 1
    assert lease(connected, "import", "--force", text).returncode == 0
    connected.si.begin_again()
    wait_until("alice has what was imported", lambda: connected.delegated() == alice["delegated"][0], 15)

    # Half a file is none; who is not a user any more is found.
    text.write_text(json.dumps(head | {"leases": 2}) + "\n" + json.dumps(alice) + "\n")
    half = lease(connected, "import", text)
    assert half.returncode == 1 and "the file is not complete" in half.stderr
    assert lease(connected, "check").returncode == 0
    # A pool that is changed takes nothing from anybody, and that is in order.
    good = connected.sc.conf.read_text()
    connected.sc.conf.write_text(good.replace("length = 56", "length = 60"))
    connected.sc.ask("reload")
    check = lease(connected, "check")
    assert check.returncode == 0 and check.stdout.startswith(f"note: {alice['delegated'][0]} of user alice, slot 0 has not the length that pool default"), check
    assert "`softwire forget alice` gives another one" in check.stdout
    answer = connected.sc.ask("lease", "check")
    assert answer["problems"] == [] and len(answer["notes"]) == 1, answer
    connected.sc.conf.write_text(good)
    connected.sc.ask("reload")
    connected.write("concentrator", "users.conf", USERS.replace("alice", "carol"))
    connected.sc.ask("reload")
    check = lease(connected, "check")
    assert check.returncode == 1 and "user alice, who has a lease in slot 0, is not in the users file" in check.stdout

    # Without a daemon, too.
    database = connected.sc.dir / "state" / "leases.db"
    busy = lease(connected, "check", "--database", database)
    assert busy.returncode == 1 and "another process is using it" in busy.stderr
    connected.sc.stop()
    fixed = f'carol = {{ delegate = [ "{alice["delegated"][0]}" ];'
    connected.write("concentrator", "users.conf", USERS.replace("alice = {", fixed))
    offline = lease(connected, "check", "--database", database, "--config", connected.sc.conf)
    assert offline.returncode == 1 and "user alice, who has a lease in slot 0, is not in the users file" in offline.stdout
    assert f"{alice['delegated'][0]} of user alice, slot 0 is fixed for user carol" in offline.stdout
    assert json.loads(lease(connected, "export", "--database", database).stdout.splitlines()[1])["delegated"] == alice["delegated"]
