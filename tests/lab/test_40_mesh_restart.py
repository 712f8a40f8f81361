# SPDX-License-Identifier: GPL-2.0-or-later
"""
40: softwires and the end of the process that made them: its death, its upgrade, its stop.

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair, with an IPv6 core

What this exercises: packets go on by the rows of the process before, with the same keys and cookies, before BGP has told anything again; what nobody told again is
swept out, and not before; an end in order leaves nothing behind, and the other end goes by what it is told. Only what comes out of the core in the moment
between two processes is lost.
"""
import os
import re
import shutil
import signal

import pytest

from core import Pair, endpoints, mesh_routes
from lab import BUILD, wait_until
from mesh import is_up, routes
from service import Service, replace_program

pytestmark = pytest.mark.xdist_group("mesh-40")
EXTRA = "198.18.77.0/24"
MOMENT = 50  # pings, 20 ms apart: of a start with sanitizers, on a busy machine
NO_BGP = "table ip6 test { chain f { type filter hook forward priority 0; tcp dport 179 drop; tcp sport 179 drop; }; }"


@pytest.fixture(scope="module")
def net():
    with Pair(6, name="restart") as net:
        program = net.dir / "softwired"
        shutil.copy(BUILD / "src" / "softwired", program)
        program.chmod(0o755)
        net.program = program
        keys = {"accept": ["l2tpv3", "gre-key"], "encapsulate": [{"prefixes": [EXTRA], "use": ["gre"]}, {"use": ["l2tpv3"]}]}
        net.start_each({1: {"kind": Service, "program": program, **keys}, 2: {"networks": [EXTRA], **keys}})
        net.wait_ping(1, 2)
        net.keys = keys
        yield net


class Traffic:
    """Pings both ways, and whether a route to the other end is ever touched."""

    def __init__(self, net):
        self.net = net
        for n in (1, 2):
            (net.dir / f"ping{n}").unlink(missing_ok=True)
        self.pings = [net.host[n].start("ping", "-n", "-i", 0.02, "-W", 1, net.at.host(3 - n), log=net.dir / f"ping{n}") for n in (1, 2)]
        (net.dir / "monitor").unlink(missing_ok=True)
        self.monitor = net.afbr[1].start("ip", "-4", "monitor", "route", log=net.dir / "monitor")
        self.go_on()

    def go_on(self):
        for ping in self.pings:
            before = len(ping.has("bytes from"))
            wait_until("ping goes on", lambda: len(ping.has("bytes from")) > before + 5)

    def lost(self):
        """Of the one that has lost more."""
        worst = 0
        for ping in self.pings:
            ping.kill(signal.SIGINT)
            ping.popen.wait(5)
            sent, answered = re.search(r"(\d+) packets transmitted, (\d+) received", ping.text()).groups()
            worst = max(worst, int(sent) - int(answered))
        self.monitor.stop()
        return worst


def told(net):
    """What the other end has been told of afbr1."""
    return {e["encapsulation"] for e in net.daemon[2].ask("show", "endpoints")["endpoints"]}


def wait_back(net):
    daemon = net.daemon[1]
    wait_until("the session is back", lambda: is_up(daemon, "afbr2") and net.at.network(2) in routes(daemon), 15)
    wait_until("the other end has heard all again", lambda: not routes(net.daemon[2])[net.at.network(1)]["stale"])


# proves: MESH-SIG-10 partial
def test_packets_go_on_after_the_death_of_the_engine_and_what_was_withdrawn_meanwhile_goes_afterwards(net):
    daemon = net.daemon[1]
    wait_until("the other network is there", lambda: EXTRA in mesh_routes(net.afbr[1], 4))
    before, traffic = told(net), Traffic(net)
    net.p.nft(NO_BGP)
    os.kill(daemon.children()[0], signal.SIGKILL)
    wait_until("the next process has begun", lambda: len(daemon.has("event=engine-started")) == 2)
    traffic.go_on()
    assert not is_up(daemon, "afbr2") and EXTRA in mesh_routes(net.afbr[1], 4)
    assert all(e["adopted"] and e["state"] == "up" for e in endpoints(daemon).values())
    net.change(net.daemon[2], net.afbr_text(2, **net.keys))
    net.p.nft("delete table ip6 test")
    wait_back(net)
    wait_until("what nobody told again is gone", lambda: EXTRA not in mesh_routes(net.afbr[1], 4), 15)
    traffic.go_on()
    assert traffic.lost() < MOMENT
    assert not traffic.monitor.has("Deleted", net.at.network(2)), traffic.monitor.text()
    assert told(net) == before, "the same Session ID, cookie and key"
    assert {e["state"] for e in endpoints(daemon).values()} == {"up"}


def test_packets_go_on_after_an_upgrade_and_after_the_death_of_the_keeper(net):
    daemon, before, traffic = net.daemon[1], told(net), Traffic(net)
    replace_program(net.program, "9.9.9")
    assert "softwired 9.9.9 has taken over" in daemon.table("upgrade")
    wait_back(net)
    traffic.go_on()
    daemon.popen.kill()
    daemon.popen.wait()
    daemon.begin_again()
    wait_back(net)
    traffic.go_on()
    assert traffic.lost() < MOMENT
    assert not traffic.monitor.has("Deleted", net.at.network(2)), traffic.monitor.text()
    assert told(net) == before


def test_an_end_in_order_leaves_nothing_and_the_other_end_tells_senders(net):
    net.daemon[1].stop()
    assert mesh_routes(net.afbr[1], 4) == {} and "softwire0" not in net.afbr[1].ip("link").stdout
    wait_until("the other end has heard of it", lambda: net.at.network(1) not in mesh_routes(net.afbr[2], 4), 5)
    said = net.host[2].sh("ping", "-n", "-c", 1, "-W", 1, net.at.host(1), check=False).stdout
    assert "nreachable" in said, said
