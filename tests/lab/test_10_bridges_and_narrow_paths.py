# SPDX-License-Identifier: GPL-2.0-or-later
"""
10: a home that got only a /64, and a path that is narrower than it looks. Topology of home.py, with a second LAN host:

    home router --- lan0 --- lan
                \\-- lan1 --- lan2

What this exercises: one /64 for several LAN interfaces needs a bridge (HS-PROV-10); the initiator lowers its MTU when the path to
the concentrator refuses large packets (outer path MTU discovery).
"""
import ipaddress

from home import CONCENTRATOR, INITIATOR, WEB
from lab import Node, wait_until

ONLY_A_64 = CONCENTRATOR.replace("length = 56", "length = 64")


def second_host(home):
    host = Node(home, "lan2")
    home.link(home.home, "lan1", host, "eth0")
    host.sysctl("net.ipv6.conf.eth0.accept_ra", 2)
    return host


def address_of(host):
    return ipaddress.ip_address(wait_until("the host has an address", lambda: host.addresses("eth0"), 15)[0]["local"])


# proves: HS-PROV-10 partial
def test_bridged_lan_interfaces_share_a_64(home):
    other = second_host(home)
    home.home.ip("link", "add", "br0", "type", "bridge")
    for device in ("lan0", "lan1"):
        home.home.ip("link", "set", device, "master", "br0")
    home.home.ip("link", "set", "br0", "up")
    home.start_sc(config=ONLY_A_64)
    home.start_si(config=INITIATOR.replace('"lan0"', '"br0"'))
    prefix = ipaddress.ip_network(home.wait_delegated())
    assert prefix.prefixlen == 64
    first, second = address_of(home.host), address_of(other)
    assert first in prefix and second in prefix and first != second
    wait_until("both reach the internet", lambda: home.host.ping(WEB) and other.ping(WEB))
    assert home.host.ping(str(second)), "and each other"
    assert not home.si.has("event=prefix-too-long")


# proves: HS-PROV-10 partial
def test_unbridged_second_interface_is_told_to_be_bridged(home):
    second_host(home)
    home.start_sc(config=ONLY_A_64)
    home.start_si(config=INITIATOR.replace('"lan0"', '"lan0", "lan1"'))
    home.wait_delegated()
    address_of(home.host)
    assert home.si.has("event=prefix-too-long", "bridge")
    assert home.home.addresses("lan0") and not home.home.addresses("lan1")


def test_each_interface_gets_a_64_of_its_own(home):
    other = second_host(home)
    home.start_sc()
    home.start_si(config=INITIATOR.replace('"lan0"', '"lan0", "lan1"'))
    prefix = ipaddress.ip_network(home.wait_delegated())
    first, second = address_of(home.host), address_of(other)
    assert first in prefix and second in prefix
    assert ipaddress.ip_network(f"{first}/64", strict=False) != ipaddress.ip_network(f"{second}/64", strict=False)
    wait_until("they reach each other through the router", lambda: home.host.ping(str(second)))


# proves: HS-PPP-2
def test_narrow_path_lowers_the_mtu_of_the_softwire(connected):
    connected.wait_host_address()
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    assert connected.si.wait_up()["mtu"] == 1460
    for node, device in ((connected.nat, "wan0"), (connected.access, "home0")):
        node.ip("link", "set", device, "mtu", "1400")
    wait_until("a large packet has met the narrow link", lambda: connected.host.ping(WEB, size=1400) or connected.si.wait_up()["mtu"] < 1460)
    assert connected.si.wait_up()["mtu"] == 1360, "1400 - 20 - 8 - 12"
    assert connected.si.has("event=mtu", "mtu=1360")
    wait_until("what fits goes through", lambda: connected.host.ping(WEB, size=1360 - 48))
    out = connected.host.sh("ping", "-n", "-c1", "-W2", "-s", 1400, "-M", "do", WEB, check=False)
    assert "mtu" in out.stdout.lower() + out.stderr.lower(), "the host is told"
