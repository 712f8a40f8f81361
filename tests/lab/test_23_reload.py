# SPDX-License-Identifier: GPL-2.0-or-later
"""
23: reloads under traffic. Topology of home.py, with a second address at the concentrator:

    internet6 ---- sc ---- access ---- nat ---- home ---- lan
                   192.0.2.1, 192.0.2.9        a ping that never stops

What this exercises: users, pools, listening addresses, limits and the log level change without a lost packet, and the command says so key by
key; an address that goes serves those who are there, sends others to the new one, and is closed after the last; a configuration that cannot be
had (an address, a users file) changes nothing, in the keeper neither; initiators come and go with a reload; one that comes before the daemon is
ready waits.
"""
import json
import os
import re
import signal
import socket

import pytest

from capture import complaints, decode
from home import USERS, WEB, second_home
from lab import BUILD, secret_file, wait_until

SECOND = "192.0.2.9"


def edit(end, *pairs):
    text = end.conf.read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    end.conf.write_text(text)


def softwire(end, *words):
    return end.node.sh(BUILD / "src" / "softwire", "--socket", end.socket, *words, check=False)


def listens(home, address):
    return f"{address}:1701" in home.sc_node.sh("ss", "-Hunl").stdout


@pytest.fixture
def served(connected):
    connected.sc_node.ip("addr", "add", f"{SECOND}/24", "dev", "access0")
    connected.wait_host_address()
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    return connected


class Ping:
    """A ping that counts what it loses."""

    def __init__(self, home):
        self.process = home.host.start("ping", "-n", "-i", "0.02", "-W", "2", WEB, log=home.dir / "ping.log")
        wait_until("it pings", lambda: self.process.text().count("time=") > 5)

    def heard(self):
        return self.process.text().count("time=")

    def more(self):
        before = self.heard()
        wait_until("it goes on", lambda: self.heard() > before + 20)

    def lost(self):
        self.process.kill(signal.SIGINT)
        self.process.popen.wait(5)
        return re.search(r"([0-9.]+)% packet loss", self.process.text())[1]


# proves: PS-2 partial, MGMT-7 partial
def test_everything_changes_and_no_packet_is_lost(served):
    sc, alice = served.sc, served.sc.wait_up()
    ping = Ping(served)
    secret_file(served.dir / "concentrator" / "users.conf", USERS.replace("};\n};", "};\n    carol = { secret = \"x\"; };\n};"))
    edit(sc, ('"192.0.2.1"', f'"{SECOND}"'), ("2001:db8:100::/48", "2001:db8:110::/48"), ("2001:db8:8000::/36", "2001:db8:9000::/36"),
         ("users =", 'max-softwires = 100; hello = 30; users ='))
    sc.conf.write_text('log = "debug";\n' + sc.conf.read_text())
    run = softwire(sc, "reload")
    assert run.returncode == 0 and run.stderr == "", run
    assert set(run.stdout.splitlines()) == {
        "log info -> debug",
        f"concentrator: listen 192.0.2.1 -> {SECOND}",
        "concentrator: max-softwires 60000 -> 100 (for new softwires)",
        "concentrator: hello 60 -> 30",
        "concentrator: pool default: link6 2001:db8:100::/48 -> 2001:db8:110::/48 (for new softwires)",
        "concentrator: pool default: delegate: from 2001:db8:8000::/36 -> 2001:db8:9000::/36 (for new softwires)",
        "concentrator: users: 1 new, 0 changed, 0 gone",
        "concentrator: 192.0.2.1:1701 takes no new softwires; it is closed when the 1 that is there is gone",
    }
    assert sc.has("event=reload", "hello 60 -> 30"), "the log has them, too"
    ping.more()
    assert softwire(sc, "reload").stdout == "Nothing has changed.\n"
    ping.more()
    assert ping.lost() == "0"
    assert sc.wait_up()["id"] == alice["id"] and sc.wait_up()["link6"].startswith("2001:db8:100:")


# proves: SEC-IPSEC-14 partial
def test_an_address_that_goes_serves_those_who_are_there(served):
    sc, alice = served.sc, served.sc.wait_up()
    edit(sc, ('"192.0.2.1"', f'"{SECOND}"'))
    assert sc.ask("reload")["ok"] and listens(served, "192.0.2.1") and listens(served, SECOND)
    wire = served.capture(served.access, "sc0", "udp port 1701")
    bob = second_home(served, "bob", "tr0ub4dor and 3")
    wait_until("bob is sent to the new address", lambda: bob.softwire(peer=f"{SECOND}:1701"), 15)
    wire.stop()
    words = decode(wire.path, "ip.src == 192.0.2.1 && l2tp.avp.message_type == 4", ["l2tp.result_code", "l2tp.avp.error_code", "l2tp.avp.error_message"])
    assert words and set(words) == {f"2\t7\t{SECOND}"}, words
    assert complaints(wire.path) == []
    assert served.host.ping(WEB) and sc.softwire(user="alice")["id"] == alice["id"]
    sc.ask("clear", "user", "alice")
    wait_until("alice follows him", lambda: served.si.softwire(peer=f"{SECOND}:1701"), 15)
    wait_until("the old address is closed with the last softwire", lambda: not listens(served, "192.0.2.1"), 45)
    assert sc.has("event=listener-closed", "local=192.0.2.1:1701") and listens(served, SECOND)
    edit(sc, (f'"{SECOND}"', f'"192.0.2.1", "{SECOND}"'))
    assert "concentrator: listen 192.0.2.9 -> 192.0.2.1, 192.0.2.9" in sc.ask("reload")["say"]
    assert served.si.wait_up()["peer"] == f"{SECOND}:1701"


def test_what_cannot_be_had_changes_nothing(served):
    sc, alice, good = served.sc, served.sc.wait_up(), served.sc.conf.read_text()
    users = served.dir / "concentrator" / "users.conf"
    edit(sc, ('"192.0.2.1"', f'"{SECOND}", "192.0.2.77"'), ("users =", 'hello = 7; device = "sc5"; users ='))
    secret_file(users, "users = { bob = { secret = \"b\"; }; };\n")
    for by_signal in (False, True):
        before = len(sc.has("event=reload", "nothing was changed"))
        logged = len(sc.has("event=config", "192.0.2.77"))
        if by_signal:
            os.kill(sc.pid, signal.SIGHUP)
        else:
            run = softwire(sc, "reload")
            assert run.returncode == 1 and "cannot listen on 192.0.2.77:1701: no interface has this address" in run.stderr, run
        wait_until("it is refused", lambda: len(sc.has("event=reload", "nothing was changed")) > before)
        assert len(sc.has("event=config", "192.0.2.77")) == logged + 1, "said once"
    assert not listens(served, SECOND) and listens(served, "192.0.2.1")
    edit(sc, (f'"{SECOND}", "192.0.2.77"', f'"{SECOND}"'))
    secret_file(users, "users = {\n    bob = { secert = \"b\"; };\n};\n")
    run = softwire(sc, "reload")
    assert run.returncode == 1 and f"{users}:2: " in run.stderr, run
    assert not listens(served, SECOND) and sc.wait_up()["id"] == alice["id"]

    secret_file(users, USERS)
    os.kill(sc.children()[0], signal.SIGKILL)  # the keeper has not taken it over either
    wait_until("the next engine is ready", lambda: len(sc.has("event=ready")) > 1, 15)
    assert listens(served, "192.0.2.1") and not listens(served, SECOND)
    assert sc.node.ip("link", "show", "sc0", check=False).returncode == 0
    sc.conf.write_text(good)
    assert softwire(sc, "reload").stdout == "Nothing has changed.\n"
    served.si.wait_up(timeout=30)


# Holds the concentrator's device, as a process before it that is slow to leave.
HOLD = """
import fcntl, os, signal, struct
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"sc0", 0x1001))
print("held", flush=True)
signal.pause()
"""


def test_a_reload_that_comes_too_early_waits(home):
    hold = home.sc_node.start("/usr/bin/python3", "-c", HOLD, log=home.dir / "hold.log")
    wait_until("the device is taken", lambda: hold.has("held"))
    sc = home.start_sc(wait=False)
    with socket.socket(socket.AF_UNIX) as client:
        wait_until("the control socket is there", lambda: not client.connect_ex(str(sc.socket)))
        edit(sc, ("users =", "hello = 30; users ="))
        client.sendall(b'{"v":1,"do":"reload"}\n')
        assert softwire(sc, "show", "counters").returncode == 0, "the request is there"
        assert not sc.has("event=ready")
        hold.stop()
        assert json.loads(client.makefile().readline())["say"] == ["concentrator: hello 60 -> 30"]
    assert sc.text().index("event=ready") < sc.text().index("hello 60 -> 30")
    home.start_si()
    home.wait_delegated()


# proves: PS-2 partial
def test_initiators_come_and_go(connected):
    si = connected.si
    connected.wait_delegated()
    live = si.node.start(BUILD / "src" / "softwire", "--json", "--socket", si.socket, "trace", "home", log=connected.dir / "trace.log")
    wait_until("somebody traces", lambda: '"ok"' in live.text())
    edit(si, (" home = {", " office = {"))
    assert set(si.ask("reload")["say"]) == {"initiator office is new", "initiator home is gone"}
    up = wait_until("the new one is up", lambda: si.softwire(name="office"), 20)
    assert up["user"] == "alice" and connected.home.ip("link", "show", "si-office", check=False).returncode == 0
    wait_until("the device of the old one is gone", lambda: connected.home.ip("link", "show", "si-home", check=False).returncode != 0)
    wait_until("whoever traced it hears the end", lambda: not live.running())
    assert [s["name"] for s in si.show()] == ["office"]
    connected.wait_delegated()
    wait_until("the host can ping", lambda: connected.host.ping(WEB), 15)
    edit(si, (" office = {", " home = {"))
    wait_until("and back", lambda: si.ask("reload", check=False)["ok"])
    wait_until("home is up again", lambda: si.softwire(name="home"), 20)
