# SPDX-License-Identifier: GPL-2.0-or-later
"""
MRT files (RFC 6396) of a daemon with real sessions, read by another program: bgpdump. What becomes of them, and of BGP, when the disk is full.

    ce1 ---- AS 64512 ---- afbr1 ==== afbr2
"""
import subprocess

from lab import wait_until
from mesh import AS, CE, CE_AS, CORE, NETWORK, Mesh, edge, is_up, other, row, wait_up


def bgpdump(path):
    """What it reads, a line for each route, withdrawal and state; it must have nothing to complain of, but that it does not know ROUTE-REFRESH."""
    run = subprocess.run(["bgpdump", "-v", "-m", str(path)], capture_output=True, text=True, check=True, timeout=30)
    complaints = [line for line in run.stderr.splitlines() if "logging to" not in line and "MSG_ROUTE_REFRESH_01 not implemented" not in line]
    assert not complaints, complaints
    return [line.split("|") for line in run.stdout.splitlines()]


def messages(path):
    """The messages in it, in words: "Open", "Keepalive" ..."""
    run = subprocess.run(["bgpdump", "-v", "-H", str(path)], capture_output=True, text=True, check=True, timeout=30)
    return [line.split("/")[-1] for line in run.stdout.splitlines() if line.startswith("TYPE: BGP4MP/")]


def files(daemon, kind):
    return sorted((daemon.dir / "state" / "mrt").glob(f"{kind}.*"))


def mrt(**keys):
    return {"updates": True, "rotate": 3600, "keep": 24, **{k.replace("_", "-"): v for k, v in keys.items()}}


def told(path, prefix):
    return [line for line in bgpdump(path) if line[0].startswith("BGP4MP") and line[2] == "A" and line[5] == prefix]


def test_another_program_reads_what_was_said_and_what_is_in_the_tables():
    with Mesh() as m:
        neighbors = {"afbr2": other(2, next_hop_self=True), "ce1": edge(1)}
        afbr1 = m.start_afbr(1, neighbors, mrt=mrt())
        m.start_afbr(2, {"afbr1": other(1)})
        m.start_ce(1)
        wait_up(afbr1, "afbr2", "ce1")
        (updates,) = files(afbr1, "updates")
        # From the CE, and on to the other side.
        wait_until("the CE's route is in the file, as it came and as it went", lambda: len(told(updates, NETWORK[1])) >= 2)
        lines = told(updates, NETWORK[1])
        assert ["BGP4MP", CE[1], str(CE_AS[1]), str(CE_AS[1])] in [[line[0], *line[3:5], line[6]] for line in lines], lines
        assert ["BGP4MP_LOCAL", CORE[2], str(AS), str(CE_AS[1])] in [[line[0], *line[3:5], line[6]] for line in lines], lines
        states = [line[3:] for line in bgpdump(updates) if line[2] == "STATE"]
        assert [CE[1], str(CE_AS[1]), "5", "6"] in states, states
        assert {"Open", "Keepalive", "Update"} <= {word for word in messages(updates)}, messages(updates)

        table = afbr1.ask("bgp", "dump")["file"]
        rows = [line for line in bgpdump(table) if line[5] == NETWORK[1]]
        assert rows and rows[0][3:5] == [CE[1], str(CE_AS[1])] and rows[0][6] == str(CE_AS[1]) and rows[0][8] == CE[1], rows
        assert files(afbr1, "rib") == [type(updates)(table)]

        # Another file every second, two of each kind stay; then none are wanted.
        m.change(afbr1, 1, AS, neighbors, core=CORE[1], mrt=mrt(rotate=1, keep=2, table_interval=1))
        wait_until("there are new ones, and the first have gone",
                   lambda: not updates.exists() and len(files(afbr1, "rib")) == 2 and table not in map(str, files(afbr1, "rib")))
        assert row(afbr1, "ce1")["counters"]["established"] == 1
        m.change(afbr1, 1, AS, neighbors, core=CORE[1], mrt={"updates": False})
        afbr1.ask("bgp", "clear", "ce1", "--words", "nobody writes this down")
        wait_until("it is up again", lambda: row(afbr1, "ce1")["counters"]["established"] == 2)
        left = files(afbr1, "updates")
        assert len(left) == 2 and not any("Notify" in messages(path) for path in left), left
        for path in left + files(afbr1, "rib"):
            bgpdump(path)
        # What was not written yet when it ends is written then.
        m.change(afbr1, 1, AS, neighbors, core=CORE[1], mrt=mrt())
        before = len(files(afbr1, "updates"))
        afbr1.stop()
        last = files(afbr1, "updates")[-1]
        assert len(files(afbr1, "updates")) == before and "Notify" in messages(last), messages(last)


def test_a_full_disk_costs_no_session_and_files_go_on_when_there_is_room():
    with Mesh() as m:
        disk = m.dir / "afbr1" / "state" / "mrt"
        disk.mkdir(parents=True)
        m.sh("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk)
        try:
            afbr1 = m.start_afbr(1, {"ce1": edge(1)}, mrt=mrt())
            m.start_ce(1)
            wait_up(afbr1, "ce1")
            (updates,) = wait_until("its file is there", lambda: files(afbr1, "updates"))
            ballast = disk / "ballast"
            m.sh("dd", "if=/dev/zero", f"of={ballast}", "bs=4096", check=False)
            wait_until("the log tells of it", lambda: afbr1.ask("bgp", "refresh", "ce1") and afbr1.has("event=mrt", "No space left"))
            refused = afbr1.ask("bgp", "dump", check=False)
            assert not refused["ok"] and "No space left" in refused["error"], refused
            assert not files(afbr1, "rib")
            afbr1.ask("bgp", "clear", "ce1")
            wait_until("BGP goes on", lambda: row(afbr1, "ce1")["counters"]["established"] == 2 and is_up(afbr1, "ce1"))
            bgpdump(updates)
            assert "Notify" not in messages(updates)
            assert len(afbr1.has("event=mrt", "wait in memory")) == 1
            ballast.unlink()
            wait_until("the log tells that there is room", lambda: afbr1.has("event=mrt", "written again", "0 are missing"))
            wait_until("what has waited in memory is in the file", lambda: "Notify" in messages(updates))
            assert told(updates, NETWORK[1])
            counters = afbr1.ask("show", "counters")["counters"]["afbr"]["afbr"]
            assert counters["mrt_lost"] == 0 and counters["mrt_written"] > 10, counters
            assert afbr1.ask("bgp", "dump")["ok"]
        finally:
            m.stop_all()
            m.sh("umount", disk, check=False)
