# SPDX-License-Identifier: GPL-2.0-or-later
"""
25: softwires outlive the processes that serve them. Topology of home.py.

What this exercises, each under a ping every 20 ms and a TCP transfer from the LAN through the softwire: a concentrator whose engine process is killed,
one that is upgraded to another program, one whose keeper is killed under a service manager that keeps its descriptors; then the same at the
home. The far end never notices more than a gap, which is measured. And what cannot be adopted: its peer is told at once.

    lan ---- home ---- nat ---- access ---- sc ---- internet6
             initiator                      concentrator     ping, TCP
"""
import mmap
import os
import re
import shutil
import signal
import time

import pytest

from capture import decode
from home import CONCENTRATOR, INITIATOR, SC_ADDRESS, USERS, WEB
from lab import BUILD, wait_until
from service import Service, replace_program

GAP = 2.0  # seconds; what is asserted. Mostly it is 0.3.

SENDER = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 7777))
sent = 0
while True:
    s.sendall(sent.to_bytes(8, "big"))
    sent += 1
    time.sleep(0.005)
"""
RECEIVER = """
import socket, sys
l = socket.create_server((sys.argv[1], 7777), family=socket.AF_INET6)
print("listening", flush=True)
c, _ = l.accept()
f, expected = c.makefile("rb"), 0
while True:
    got = f.read(8)
    if len(got) < 8:
        print("closed", flush=True)
        break
    if int.from_bytes(got, "big") != expected:
        print("wrong", flush=True)
    expected += 1
    if expected % 100 == 0:
        print(f"received {expected}", flush=True)
"""


class Traffic:
    """From the LAN host to the internet: a ping every 20 ms, and one TCP connection whose bytes are counted."""

    def __init__(self, home):
        self.home = home
        home.wait_host_address()
        wait_until("the host can ping", lambda: home.host.ping(WEB))
        self.receiver = home.internet.start("/usr/bin/python3", "-c", RECEIVER, WEB, log=home.dir / "receiver.log")
        wait_until("the receiver listens", lambda: self.receiver.has("listening"))
        self.sender = home.host.start("/usr/bin/python3", "-c", SENDER, WEB, log=home.dir / "sender.log")
        self.pings = home.host.start("ping", "-n", "-D", "-i", "0.02", WEB, log=home.dir / "ping.log")
        wait_until("both flow", lambda: len(self.answers()) > 20 and self.received() > 0)

    def answers(self):
        return [float(t) for t in re.findall(r"^\[(\d+\.\d+)\].*icmp_seq=\d+ ", self.pings.text(), re.M) if t]

    def received(self):
        last = self.receiver.has("received")
        return int(last[-1].split()[1]) if last else 0

    def flows_on(self):
        """Both go on; returns the longest time without an answer to a ping."""
        pings, bytes_ = len(self.answers()), self.received()
        wait_until("pings are answered", lambda: len(self.answers()) > pings + 50, 10)
        wait_until("the TCP connection goes on", lambda: self.received() > bytes_, 20)
        assert self.sender.running() and not self.receiver.has("wrong") and not self.receiver.has("closed")
        times = self.answers()
        gap = max(b - a for a, b in zip(times, times[1:]))
        print(f"longest gap: {gap:.3f} s", flush=True)
        return gap


def identity(process):
    s = process.wait_up()
    return {k: s[k] for k in ("id", "peer", "link6", "delegated", "tunnel", "setup_ms", "auth") if k in s}


def never_noticed(home, before_sc, before_si):
    assert identity(home.sc) == before_sc and identity(home.si) == before_si, "the same softwire, not another one"
    assert len(home.si.has("event=up ")) <= 1 and not home.si.has("event=down") and not home.sc.has("event=down")


def engine_of(process):
    return wait_until("an engine process", lambda: process.children())[0]


def kill_engine(process):
    engine = engine_of(process)
    os.kill(engine, signal.SIGKILL)
    wait_until("another engine process", lambda: process.children() not in ([], [engine]), 10)


def counted(process, name, role="concentrator"):
    counters = process.ask("show", "counters")["counters"]
    part = counters[role] if role == "concentrator" else counters["initiators"]["home"]
    return part["concentrator" if role == "concentrator" else "initiator"][name]


# proves: PS-2 partial
def test_softwires_survive_the_death_of_the_concentrators_engine(connected):
    sc, si = identity(connected.sc), identity(connected.si)
    traffic = Traffic(connected)
    kill_engine(connected.sc)
    assert traffic.flows_on() < GAP
    never_noticed(connected, sc, si)
    assert counted(connected.sc, "adopted") == 1 and counted(connected.sc, "not_adopted") == 0
    lease = connected.sc.show("leases")
    assert len(lease) == 1 and lease[0]["active"], "the lease is held again"
    kill_engine(connected.sc)  # and once more: what was adopted is written down, too
    assert traffic.flows_on() < GAP
    never_noticed(connected, sc, si)


@pytest.fixture
def another(tmp_path):
    """A copy of the program at another place, which can be replaced."""
    directory = tmp_path / "sbin"
    directory.mkdir(mode=0o755)
    shutil.copy(BUILD / "src" / "softwired", directory / "softwired")
    return directory / "softwired"


# proves: PS-2 partial
def test_softwires_survive_an_upgrade_of_the_concentrator(home, another):
    home.start_sc(program=another)
    home.start_si()
    home.wait_delegated()
    sc, si, pid = identity(home.sc), identity(home.si), home.sc.pid
    traffic = Traffic(home)
    replace_program(another, "9.9.9")
    said = home.sc.table("upgrade")
    assert "softwired 9.9.9 has taken over" in said, said
    assert traffic.flows_on() < GAP
    never_noticed(home, sc, si)
    assert home.sc.running() and home.sc.pid == pid and home.sc.has("event=ready", "softwired 9.9.9")
    assert os.readlink(f"/proc/{engine_of(home.sc)}/exe") == str(another), "not the old file"
    assert counted(home.sc, "adopted") == 1
    # A program that does not take the configuration changes nothing, and it is said why.
    home.sc.conf.write_text(home.sc.conf.read_text() + "\nno-such-key = 1;\n")
    refused = home.sc.ask("upgrade", check=False)
    assert not refused["ok"] and any("no-such-key" in e for e in refused["errors"]), refused
    assert home.sc.softwire() and traffic.flows_on() < GAP
    never_noticed(home, sc, si)
    # And the next keeper cleans up what the one before has done.
    home.sc.stop()
    assert "sc0" not in home.sc_node.ip("link", "show").stdout
    assert not home.sc.socket.exists()


# proves: PS-2 partial
def test_softwires_survive_the_death_of_the_concentrators_keeper(home):
    home.write("concentrator", "users.conf", USERS)
    home.sc = Service(home.sc_node, "concentrator", CONCENTRATOR.format(dir=home.dir / "concentrator"))
    home.start_si()
    home.wait_delegated()
    sc, si = identity(home.sc), identity(home.si)
    traffic = Traffic(home)
    home.sc.popen.kill()
    home.sc.popen.wait()
    home.sc.begin_again()
    assert traffic.flows_on() < GAP
    never_noticed(home, sc, si)
    # An end in order is one: the peer is told, nothing is left to be adopted, and the manager has nothing to keep.
    home.sc.stop()
    wait_until("the peer is told", lambda: home.si.has("event=down"))
    wait_until("nothing is stored any more", lambda: not home.sc.stored)


def sees_no_flap(home):
    """What the LAN host has heard of its router since it had its address: nothing that takes anything back."""
    return not any(a.get("deprecated") for a in home.host.addresses("eth0")) and len(home.host.addresses("eth0")) == 1


class Advertisements:
    """Router Advertisements on the LAN; one with a lifetime of 0, or a prefix that is deprecated, would be a flap."""

    def __init__(self, home):
        self.home = home
        self.capture = home.capture(home.host, "eth0", "icmp6 and ip6[40] == 134")

    def take_nothing_back(self):
        self.capture.stop()
        assert sees_no_flap(self.home)
        for lifetime in decode(self.capture.path, "icmpv6.type == 134", ["icmpv6.nd.ra.router_lifetime"]):
            assert int(lifetime) > 0, "an advertisement took the default route back"


# proves: PS-2 partial
def test_the_softwire_survives_the_death_of_the_homes_engine(connected):
    sc, si = identity(connected.sc), identity(connected.si)
    traffic = Traffic(connected)
    advertisements = Advertisements(connected)
    kill_engine(connected.si)
    assert traffic.flows_on() < GAP
    never_noticed(connected, sc, si)
    assert counted(connected.si, "adopted", "initiator") == 1
    kill_engine(connected.si)
    assert traffic.flows_on() < GAP
    never_noticed(connected, sc, si)
    advertisements.take_nothing_back()


# proves: PS-2 partial
def test_the_softwire_survives_an_upgrade_of_the_home(home, another):
    home.start_sc()
    home.start_si(program=another)
    home.wait_delegated()
    sc, si, pid = identity(home.sc), identity(home.si), home.si.pid
    traffic = Traffic(home)
    advertisements = Advertisements(home)
    replace_program(another, "9.9.9")
    said = home.si.table("upgrade")
    assert "softwired 9.9.9 has taken over" in said, said
    assert traffic.flows_on() < GAP
    never_noticed(home, sc, si)
    assert home.si.running() and home.si.pid == pid
    advertisements.take_nothing_back()
    # And the next keeper cleans up what the one before has done: nothing is left of it.
    home.si.stop()
    wait_until("the concentrator is told", lambda: not home.sc.softwire())
    assert not home.home.addresses("lan0") and "si-home" not in home.home.ip("link", "show").stdout
    assert not [r for r in home.home.routes(6) if r.get("type") == "unreachable"]


# proves: PS-2 partial
def test_the_softwire_survives_the_death_of_the_homes_keeper(home):
    home.start_sc()
    home.write("initiator", "password", "correct horse battery staple\n")
    home.si = Service(home.home, "initiator", INITIATOR.format(dir=home.dir / "initiator", user="alice", server=SC_ADDRESS))
    home.si.wait_up()
    home.wait_delegated()
    sc, si = identity(home.sc), identity(home.si)
    traffic = Traffic(home)
    advertisements = Advertisements(home)
    home.si.popen.kill()
    home.si.popen.wait()
    home.si.begin_again()
    assert traffic.flows_on() < GAP
    never_noticed(home, sc, si)
    advertisements.take_nothing_back()
    home.si.stop()
    assert not home.home.addresses("lan0")
    assert not [r for r in home.home.routes(6) if r.get("type") == "unreachable"]
    wait_until("nothing is stored any more", lambda: not home.si.stored)


def spoil_records(process):
    """In the memory that the keeper holds a byte of every record is changed."""
    for fd in os.listdir(f"/proc/{process.pid}/fd"):
        path = f"/proc/{process.pid}/fd/{fd}"
        if "softwired-state" not in os.readlink(path):
            continue
        with open(path, "r+b", buffering=0) as memory, mmap.mmap(memory.fileno(), 0) as state:
            at, spoilt = state.find(b"SW5S"), 0
            while at >= 0:
                state[at + 30] ^= 0xff
                spoilt, at = spoilt + 1, state.find(b"SW5S", at + 1)
            assert spoilt, "the record of a softwire"
            return
    raise AssertionError("no state")


# proves: HS-PROV-1 partial
def test_a_damaged_record_is_not_adopted_and_its_peer_is_back_within_seconds(connected):
    prefix = connected.delegated()
    Traffic(connected)
    spoil_records(connected.sc)
    began = time.monotonic()
    kill_engine(connected.sc)
    wait_until("the host can ping again", lambda: connected.sc.softwire() and connected.host.ping(WEB), 15)
    assert time.monotonic() - began < 10
    assert connected.sc.has("event=adopted", "softwires=0", "damaged=1")
    assert connected.wait_delegated() == prefix


def test_a_softwire_that_cannot_be_adopted_is_told_at_once(connected):
    """Its user is gone from the users file while the engine process is dead: like a reload, and the peer need not find out by silence."""
    Traffic(connected)
    users = connected.dir / "concentrator" / "users.conf"
    text = users.read_text()
    users.write_text(text.replace("alice", "alicia"))
    began = time.monotonic()
    os.kill(engine_of(connected.sc), signal.SIGKILL)
    wait_until("the initiator is told", lambda: connected.si.has("event=down", "started again without this softwire"), 5, 0.02)
    assert time.monotonic() - began < 3
    assert connected.sc.has("event=not-adopted", "the user is not allowed any more")
    assert counted(connected.sc, "not_adopted") == 1
    users.write_text(text)
    connected.sc.ask("reload")
    wait_until("and it is back", lambda: connected.sc.softwire(), 20)
