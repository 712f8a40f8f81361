# SPDX-License-Identifier: GPL-2.0-or-later
"""
24: initiators with several concentrators, and several addresses of one.

                   .---- sc  ----.
    internet ------|             |---- access ---- home ---- lan
                   `---- sc2 ----'

What this exercises: the second concentrator is there within seconds when the first dies, the initiator comes home when it is back, and the LAN is not
told of either; `softwire drain` sends an initiator to the other one; a name with a dead address of one family costs less than a second.
"""
import json
import os
import signal
import socket
import time

from capture import decode
from home import CONCENTRATOR, INITIATOR, SC_ADDRESS, SC_ADDRESS6, Direct6
from lab import wait_until
from pair import FIXED, SECOND, Pair
from scenario import PASSWORD, SC, WEB
from test_04_choices import NamesOf

ALICE = f'alice = {{ secret = "{PASSWORD}"; delegate = "{FIXED["delegated"]}"; ipv4 = "{FIXED["address4"]}"; }};'


def kill_all(process):
    for pid in [*process.children(), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.popen.wait()


def at(s, address):
    return (w := s.si.softwire()) and w["peer"].startswith(address + ":") and w["delegated"] and w


def control(softwired, verb, **arguments):
    """One request to the control socket, as any program would send it."""
    with socket.socket(socket.AF_UNIX) as c:
        c.connect(str(softwired.socket))
        c.sendall(json.dumps({"v": 1, "do": verb, **arguments}).encode() + b"\n")
        return json.loads(c.makefile().readline())


def withdrawals(path):
    """Router Advertisements that take something back."""
    return decode(path, "icmpv6.type == 134 && (icmpv6.nd.ra.router_lifetime == 0 || icmpv6.opt.prefix.preferred_lifetime == 0)")


# proves: PS-7 partial, PS-15 partial, HS-PROV-3 partial
def test_death_of_one_concentrator_is_survived_within_seconds_and_its_return_is_followed():
    with Pair(payload=[6], transport=4, router=True) as s:
        s.start_both(ALICE, si="come-home-interval = 2;")
        wait_until("at the first one", lambda: at(s, SC[4]), 15)
        s.wait_host_address6()
        s.wait_ping(s.host, 6)
        lan = s.capture(s.host, "eth0", "icmp6")
        mine = s.host.addresses("eth0")[0]["local"]
        s.host.start("ping", "-n", "-i", "0.2", WEB[6], log=s.dir / "ping.log")
        kill_all(s.sc)
        began = time.monotonic()
        wait_until("at the second one", lambda: at(s, SECOND), 10)
        assert time.monotonic() - began < 6
        s.internet.ip("-6", "route", "replace", FIXED["delegated"], "via", "2001:db8:2::1")  # what a routing protocol would do
        s.wait_ping(s.host, 6)

        s.sc.begin_again()
        wait_until("home again", lambda: at(s, SC[4]), 15)
        assert s.si.has("event=moved", "a better server is back")
        assert not s.sc2.has("cause=dead-peer"), "the second was left in good order"
        wait_until("the second one has nobody", lambda: not s.sc2.show("softwires"), 5)
        s.internet.ip("-6", "route", "del", FIXED["delegated"])
        s.wait_ping(s.host, 6)
        lan.stop()
        assert withdrawals(lan.path) == []
        assert [a["local"] for a in s.host.addresses("eth0") if a.get("preferred_life_time")] == [mine]


# proves: PS-7 partial, SEC-IPSEC-14 partial
def test_drained_concentrator_sends_its_initiators_to_the_other_one():
    with Pair(payload=[6], transport=4, router=True) as s:
        s.start_both(ALICE, server=SC[4])  # which knows nothing of the second
        wait_until("at the first one", lambda: at(s, SC[4]), 15)
        s.wait_host_address6()
        lan = s.capture(s.host, "eth0", "icmp6")
        began = time.monotonic()
        assert control(s.sc, "drain", to=[SECOND])["ok"]
        there = wait_until("at the second one", lambda: at(s, SECOND), 10)
        assert time.monotonic() - began < 5
        assert there["redirected_by"] == f"{SC[4]}:1701" and there["server"] == SC[4] and SECOND in there["redirect_text"]
        assert s.si.has("event=redirected") and f"sent by {SC[4]}:1701" in s.si.table("show", "softwires")
        wait_until("it is drained", lambda: control(s.sc, "show drain")["drain"]["state"] == "drained", 10)
        lan.stop()
        assert withdrawals(lan.path) == []


BOTH = CONCENTRATOR.replace('listen = [ "192.0.2.1" ]', 'listen = [ "192.0.2.1", "2001:db8:acc::1" ]').replace(
    'local6 =', 'local4 = "198.51.100.1"; local6 =').replace('link6 =', 'ipv4 = "198.51.100.0/24"; link6 =')


# proves: PS-21 partial
def test_dead_address_of_one_family_costs_less_than_a_second():
    """The softwire brings IPv4, so IPv6 is asked first; the way there is a black hole."""
    with Direct6(name="lab") as home, NamesOf(home.home, f"{SC_ADDRESS} sc.example.net\n{SC_ADDRESS6} sc.example.net\n"):
        home.access.nft("table ip6 hole { chain through { type filter hook forward priority 0; meta l4proto udp drop; }\n}\n")
        home.start_sc(config=BOTH)
        wire = home.capture(home.home, "wan0", "udp port 1701")
        home.start_si(config=INITIATOR.replace("ipv6 = true;", "ipv6 = false; ipv4 = true; default-route = false;").replace('lan = [ "lan0" ];', ""), server="sc.example.net")
        assert home.si.wait_up(timeout=5)["peer"] == f"{SC_ADDRESS}:1701"
        wire.stop()
        six = [float(t) for t in decode(wire.path, "ipv6 && l2tp", ["frame.time_epoch"])]
        ppp = [float(t) for t in decode(wire.path, "ip && ppp", ["frame.time_epoch"])]
        assert six and ppp and 0.2 < ppp[0] - six[0] < 1
        assert decode(wire.path, "ipv6 && ppp") == [], "nothing is said to the loser"
        assert len(home.sc.show("softwires")) == 1
