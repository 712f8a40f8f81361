# SPDX-License-Identifier: GPL-2.0-or-later
"""
17: the path between the ends: what ICMP and the routing table say about it, and MTUs in both directions, for IPv4 inside too.

    internet ---- sc ---- access ---- home ---- lan

What this exercises: failures that show outside the tunnel are told with their reason, and end nothing by themselves; an outer link that carries less
lowers the softwire's MTU at the end that learns of it; inner packets that do not fit are answered, or cut where they may be.
"""
import json
import re

import pytest

from capture import complaints, count, decode
from lab import wait_until
from scenario import SC, WEB, Scenario


def path_of(softwired):
    return softwired.show()[0]["path"]


# proves: HS-OAM-3
@pytest.mark.parametrize("transport", [4, 6])
def test_path_failure_that_icmp_tells_is_shown_and_ends_nothing(transport):
    with Scenario(payload=[6], transport=transport) as s:
        s.set_up()
        s.wait_ping(s.home, 6)
        before = s.sc.wait_up()["id"]
        assert path_of(s.si) == "ok" and path_of(s.sc) == "ok"
        s.access.nft("table inet broken { chain through { type filter hook forward priority 0; reject with icmpx type no-route; }\n}\n")
        s.home.ping(WEB[6])
        wait_until("the initiator says why", lambda: s.home.ping(WEB[6]) or path_of(s.si) != "ok", 10)
        assert re.search("unreachable|no route", path_of(s.si), re.I) and s.si.has("event=path")
        s.internet.ping(s.si.softwire()["address6"])
        wait_until("the concentrator says why", lambda: s.internet.ping(s.si.show()[0]["address6"] or WEB[6]) or path_of(s.sc) != "ok", 10)
        assert s.sc.has("event=path")
        assert s.sc.show()[0]["id"] == before, "a hint ends nothing"
        s.access.nft("delete table inet broken\n")
        s.wait_ping(s.home, 6)
        wait_until("all is well again", lambda: path_of(s.si) == "ok" and path_of(s.sc) == "ok", 25)
        assert s.sc.show()[0]["id"] == before, "the same softwire"


# proves: HS-OAM-3, PS-15 partial
def test_loss_of_the_route_to_the_concentrator_is_seen_at_once():
    with Scenario(payload=[6], transport=4) as s:
        s.set_up()
        s.wait_ping(s.home, 6)
        s.home.ip("route", "del", "default")
        wait_until("it is shown, without any packet", lambda: "route" in path_of(s.si), 3)
        s.home.ip("route", "add", "default", "via", "203.0.113.254")
        wait_until("and that it is back", lambda: path_of(s.si) == "ok", 20)
        s.wait_ping(s.home, 6)


# ---- a narrower path ----

def narrow(s, mtu):
    s.access.ip("link", "set", "home0", "mtu", mtu)


# proves: HS-PPP-1, HS-PPP-2
@pytest.mark.parametrize("transport, headers", [(4, 40), (6, 60)])
@pytest.mark.parametrize("payload", [4, 6])
def test_concentrator_learns_that_the_path_is_narrower(payload, transport, headers):
    """The link behind the access router carries 1400: its ICMP error lowers the softwire's MTU, RAs tell the home, senders are told."""
    with Scenario(payload=[payload], transport=transport) as s:
        s.set_up()
        s.wait_ping(s.home, payload)
        address = s.si.softwire()[f"address{payload}"]
        told = s.capture(s.home, "si-home", "icmp6 or icmp")
        narrow(s, 1400)
        expected = 1400 - headers
        inner = 48 if payload == 6 else 28
        wait_until("the concentrator has learned it", lambda: s.internet.ping(address, size=1400 - inner) and False or s.sc.wait_up()["mtu"] == expected, 15)
        assert s.internet.ping(address, size=expected - inner), "what fits goes through whole"
        out = s.internet.sh("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", expected - inner + 8, address, check=False).stdout
        assert re.search(f"mtu ?= ?{expected}", out), out
        told.stop()
        if payload == 6:
            wait_until("the initiator has been told", lambda: s.si.wait_up()["mtu"] <= expected or
                       json.loads(s.home.ip("-j", "link", "show", "dev", "si-home").stdout)[0]["mtu"] <= expected, 20)


# proves: HS-PPP-1 partial
def test_ipv4_packets_that_may_be_cut_are_cut_and_others_answered():
    with Scenario(payload=[4], transport=6, router=True) as s:
        s.set_up(si=s.dnsmasq())
        s.assert_router4()
        leased, _, _ = s.dhcp_on_lan()
        s.wait_ping(s.host, 4)
        for node, to in ((s.host, WEB[4]), (s.internet, str(leased))):
            cut = node.sh("ping", "-n", "-c", "2", "-i", "0.2", "-W", "2", "-M", "dont", "-s", "1472", to, check=False)
            assert " 0% packet loss" in cut.stdout, cut.stdout
            refused = node.sh("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1472", to, check=False).stdout
            assert re.search("mtu ?= ?1440", refused), refused
            fits = node.sh("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", str(1440 - 28), to, check=False).stdout
            assert " 0% packet loss" in fits, fits


def test_fragments_of_outer_packets_are_taken():
    """A path that carries less than an inner packet of 1280 bytes needs is slow, not black: both ends send fragments, and take them."""
    with Scenario(payload=[6], transport=4, cpe=True) as s:
        s.set_up()
        s.wait_ping(s.home, 6)
        s.access.ip("link", "set", "home0", "mtu", 1300)
        s.cpe.ip("link", "set", "wan0", "mtu", 1300)
        wait_until("packets of 1280 bytes pass", lambda: s.home.ping(WEB[6], size=1280 - 48), 15)
        s.assert_fetches(s.home, 6)
        for end, role in ((s.si, "initiators"), (s.sc, "concentrator")):
            counters = end.ask("show", "counters")["counters"][role]
            assert (counters["home"] if role == "initiators" else counters)["dataplane"]["outer_fragmented"] > 0


# proves: HS-PPP-1 partial
def test_mss_of_tcp_inside_ipv4_is_lowered():
    with Scenario(payload=[4], transport=6) as s:
        s.set_up()
        s.wait_ping(s.home, 4)
        wire = s.capture(s.internet, "up0", "tcp port 80")
        s.assert_fetches(s.home, 4)
        wire.stop()
        assert complaints(wire.path) == []
        assert set(decode(wire.path, "tcp.flags.syn == 1", ["tcp.options.mss_val"])) <= {"1400", "1460"}
        assert "1400" in decode(wire.path, "tcp.flags.syn == 1 && tcp.flags.ack == 0", ["tcp.options.mss_val"])
        assert count(wire.path, "ip.len > 1440") == 0


def test_outer_packets_carry_df_and_a_reason_follows():
    with Scenario(payload=[6], transport=4) as s:
        s.set_up()
        s.wait_ping(s.home, 6)
        path = s.captured()
        assert count(path, f"ip.src == {SC[4]} && ip.flags.df == 0") == 0
