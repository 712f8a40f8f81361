# SPDX-License-Identifier: GPL-2.0-or-later
"""
05: what carries the softwire, and how it is found. Topology of home.py: behind the NAT, or directly on an access network with
IPv4 and IPv6, of which the initiator has a route to the concentrator only.

    internet6 ---- sc ---- access ---- home ---- lan        2001:db8:acc::1 ==== IPv6 in UDP in IPv6 ==== 2001:db8:ce::7
                                                            192.0.2.1       ==== IPv6 in UDP in IPv4 ==== 203.0.113.7

What this exercises: IPv6 as transport, servers that are dead or refuse, ports other than 1701, and a concentrator that listens on
every address it has: its answers must come from the address that was asked, or the NAT drops them.
"""
import ipaddress

import pytest

from capture import complaints, count, inner
from home import CONCENTRATOR, INITIATOR, SC_ADDRESS, SC_ADDRESS6, WEB, Direct6, second_home
from lab import wait_until


@pytest.fixture
def direct6():
    with Direct6(name="lab") as lab:
        yield lab


LISTEN = 'listen = [ "192.0.2.1" ];'
BOTH = CONCENTRATOR.replace(LISTEN, f'listen = [ "192.0.2.1", "{SC_ADDRESS6}" ];')
EVERYWHERE = CONCENTRATOR.replace(LISTEN, "")


def assert_works(home):
    prefix = ipaddress.ip_network(home.wait_delegated())
    address = home.wait_host_address()
    assert ipaddress.ip_address(address) in prefix
    wait_until("the host can ping", lambda: home.host.ping(WEB))
    assert home.host.ping(WEB, count=5) and home.internet.ping(address)


# ---- IPv6 below ----

# proves: HS-L2TP-11, HS-L2TP-7, HS-PPP-1 partial, PS-29 partial
@pytest.mark.parametrize("server", [f"[{SC_ADDRESS6}]:1701", SC_ADDRESS6], ids=["with-port", "without-port"])
def test_softwire_over_ipv6(direct6, server):
    direct6.start_sc(config=BOTH)
    capture = direct6.capture(direct6.home, "wan0", "udp")
    direct6.start_si(server=server)
    assert direct6.si.wait_up()["peer"] == f"[{SC_ADDRESS6}]:1701"
    assert_works(direct6)
    capture.stop()
    s = direct6.sc.wait_up()
    assert s["peer"].startswith("[2001:db8:ce::7]:") and s["local"] == f"[{SC_ADDRESS6}]:1701"
    assert s["mtu"] == direct6.si.wait_up()["mtu"] == 1440, "1500 without IPv6, UDP, L2TP and PPP"
    assert "eth:ethertype:ipv6:udp:l2tp:ppp:ipv6:icmpv6:data" in inner(capture.path)
    assert count(capture.path, "ip && udp.port == 1701") == 0, "nothing goes over IPv4"
    assert complaints(capture.path) == []


# proves: HS-L2TP-7 partial, HS-L2TP-8
def test_same_user_over_either_transport_has_the_same_prefix(direct6):
    direct6.start_sc(config=BOTH)
    direct6.start_si(server=f"[{SC_ADDRESS6}]:1701")
    prefix = direct6.wait_delegated()
    direct6.si.stop()
    direct6.si.conf.write_text(direct6.si.conf.read_text().replace(f"[{SC_ADDRESS6}]:1701", SC_ADDRESS))
    direct6.si.begin_again()
    assert direct6.si.wait_up()["peer"] == f"{SC_ADDRESS}:1701"
    assert direct6.wait_delegated() == prefix
    assert_works(direct6)


def test_softwire_does_not_swallow_its_own_transport(direct6):
    """Here the way to the concentrator is the native IPv6 default route, and the softwire's is better."""
    direct6.home.ip("-6", "route", "del", "2001:db8:acc::/64")
    direct6.home.ip("-6", "route", "add", "default", "via", "2001:db8:ce::254", "metric", 2048)
    direct6.start_sc(config=BOTH)
    direct6.start_si(server=f"[{SC_ADDRESS6}]:1701")
    assert_works(direct6)
    up = direct6.si.wait_up()
    direct6.si.ask("clear", "initiator", "home")
    wait_until("a new softwire", lambda: direct6.si.wait_up()["id"] > up["id"])
    assert_works(direct6)


# ---- which server ----

def several(*servers):
    return '", "'.join(servers)


# proves: PS-7 partial, PS-22 partial
def test_dead_server_is_passed_over(home):
    """Nothing answers at the first address: packets are dropped on the way, silently."""
    home.access.nft("table ip f { chain forward { type filter hook forward priority 0; ip daddr 192.0.2.66 drop\n}\n}\n")
    home.start_sc()
    home.start_si(server=several("192.0.2.66", SC_ADDRESS))
    assert home.si.wait_up(timeout=20)["peer"] == f"{SC_ADDRESS}:1701"
    assert home.si.has("event=passed-over", "peer=192.0.2.66:1701", "no answer from the server")
    assert_works(home)


# proves: PS-7 partial
def test_server_whose_port_is_closed_is_passed_over(home):
    """The first machine is there, but no softwired: it refuses, and that counts at once."""
    home.start_sc()
    home.start_si(server=several("203.0.113.254", SC_ADDRESS))
    assert home.si.wait_up(timeout=10)["peer"] == f"{SC_ADDRESS}:1701"
    assert home.si.has("event=setup-failed", "peer=203.0.113.254:1701", "nobody listens")


# proves: PS-7 partial
def test_other_server_is_taken_when_the_first_dies(home):
    """Two addresses of one concentrator stand for two concentrators that share their leases."""
    home.sc_node.ip("addr", "add", "192.0.2.2/24", "dev", "access0")
    home.start_sc(config=CONCENTRATOR.replace(LISTEN, 'listen = [ "192.0.2.1", "192.0.2.2" ];'))
    home.start_si(config=INITIATOR.replace("server =", "retransmit = 0.2; retransmit-tries = 2; server ="),
                  server=several("192.0.2.1", "192.0.2.2"))
    prefix = home.wait_delegated()
    assert_works(home)
    assert home.si.wait_up()["peer"] == "192.0.2.1:1701"
    home.host.start("ping", "-n", "-i", "0.2", WEB, log=home.dir / "ping.log")
    home.access.nft("table ip f { chain forward { type filter hook forward priority 0; ip daddr 192.0.2.1 drop\nip saddr 192.0.2.1 drop\n}\n}\n")
    wait_until("the softwire is on the second address", lambda: home.si.softwire(peer="192.0.2.2:1701"), 30)
    assert home.wait_delegated() == prefix
    wait_until("the host can ping again", lambda: home.host.ping(WEB))


# ---- ports and addresses ----

def test_port_other_than_1701(home):
    home.start_sc(config=CONCENTRATOR.replace('"192.0.2.1"', '"192.0.2.1:11701"'))
    capture = home.capture(home.home, "wan0", "udp")
    home.start_si(server=f"{SC_ADDRESS}:11701")
    assert home.si.wait_up()["peer"] == f"{SC_ADDRESS}:11701"
    assert_works(home)
    capture.stop()
    assert home.sc.wait_up()["local"] == f"{SC_ADDRESS}:11701"
    assert count(capture.path, "udp.port == 1701") == 0 and count(capture.path, "udp.port == 11701") > 10


# proves: PS-27 partial, PS-18 partial, SEC-IPSEC-13 partial
@pytest.mark.parametrize("address", ["192.0.2.1", "192.0.2.2"])
def test_listening_everywhere_answers_from_the_address_that_was_asked(home, address):
    """Behind the NAT an answer from another address would be dropped."""
    home.sc_node.ip("addr", "add", "192.0.2.2/24", "dev", "access0")
    home.start_sc(config=EVERYWHERE)
    assert home.sc.has("level=warn", "no listen address") or home.sc.has("warning", "listen")
    capture = home.capture(home.sc_node, "access0", "udp port 1701")
    home.start_si(server=address)
    assert home.si.wait_up()["peer"] == f"{address}:1701"
    assert_works(home)
    capture.stop()
    assert home.sc.wait_up()["local"] == f"{address}:1701"
    assert count(capture.path, f"udp.srcport == 1701 && ip.src != {address}") == 0
    assert complaints(capture.path) == []


def test_listening_everywhere_includes_ipv6(direct6):
    direct6.sc_node.ip("addr", "add", "2001:db8:acc::2/64", "dev", "access0", "nodad")
    direct6.start_sc(config=EVERYWHERE)
    direct6.start_si(server="[2001:db8:acc::2]:1701")
    assert direct6.si.wait_up()["peer"] == "[2001:db8:acc::2]:1701"
    assert_works(direct6)


# proves: PS-27
def test_two_initiators_behind_one_nat(home):
    """PAT: both come from 203.0.113.7, each from a port of its own."""
    home.start_sc()
    home.start_si()
    prefix = home.wait_delegated()
    other = second_home(home, "bob", "tr0ub4dor and 3")
    other_prefix = wait_until("the other home has a prefix", lambda: (other.softwire() or {}).get("delegated"))[0]
    assert other_prefix != prefix
    assert_works(home)
    wait_until("the other home can ping", lambda: other.node.ping(WEB))
    ends = {s["user"]: s["peer"] for s in home.sc.show("softwires")}
    assert ends["alice"].split(":")[0] == ends["bob"].split(":")[0] == "203.0.113.7" and ends["alice"] != ends["bob"]
