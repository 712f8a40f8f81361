# SPDX-License-Identifier: GPL-2.0-or-later
"""
19: homes with several LAN interfaces.

    internet ---- sc ---- access ---- home ---- lan (lan0)
                                         `----- lan2 (lan1)

What this exercises: parts of a prefix and of a subnet for each interface; a /64, which cannot be split, on a bridge of all of them (HS-PROV-10).
"""
import ipaddress
import json

import pytest

from lab import Node, wait_until
from scenario import POOL4, Scenario


@pytest.fixture
def two_lans():
    class TwoLans(Scenario):
        def build(self):
            super().build()
            self.host2 = Node(self, "lan2")
            self.link(self.home, "lan1", self.host2, "eth0")
            self.host2.sysctl("net.ipv6.conf.eth0.accept_ra", 2)

        def start_si(self, extra="", **kw):
            self.router = False
            try:
                return super().start_si(extra='lan = [ "lan0", "lan1" ]; ' + extra, **kw)
            finally:
                self.router = True

    def make(payload, transport=4):
        return TwoLans(payload=payload, transport=transport, router=True)
    return make


def master(node, device):
    return json.loads(node.ip("-j", "link", "show", "dev", device).stdout)[0].get("master")


# proves: HS-PROV-10
def test_lans_are_bridged_when_there_is_only_a_64(two_lans):
    with two_lans([6]) as s:
        s.set_up(si='lan-bridge = "br-lan";', pools='default = { link6 = "2001:db8:100::/48"; delegate = { from = "2001:db8:8000::/48"; length = 64; }; };')
        prefix = ipaddress.ip_network(s.shown("a /64 is delegated", lambda w: w["delegated"])["delegated"][0])
        assert prefix.prefixlen == 64
        hosts = [wait_until(f"{node.name} has an address", lambda node=node: node.addresses("eth0"), 20)[0]["local"] for node in (s.host, s.host2)]
        assert all(ipaddress.ip_address(a) in prefix for a in hosts)
        assert master(s.home, "lan0") == master(s.home, "lan1") == "br-lan"
        s.wait_ping(s.host, 6)
        s.wait_ping(s.host2, 6)
        assert s.host.ping(hosts[1]), "the two are one link"
        s.si.stop()
        assert s.home.ip("link", "show", "dev", "br-lan", check=False).returncode != 0, "the bridge goes with its maker"
        assert master(s.home, "lan0") is None


# proves: HS-PROV-10 partial
def test_without_a_bridge_it_is_said_who_goes_without(two_lans):
    with two_lans([6]) as s:
        s.set_up(pools='default = { link6 = "2001:db8:100::/48"; delegate = { from = "2001:db8:8000::/48"; length = 64; }; };')
        s.shown("a /64 is delegated", lambda w: w["delegated"])
        wait_until("it is said", lambda: s.si.has("event=prefix-too-long", "advice="))
        wait_until("the first has an address", lambda: s.host.addresses("eth0"), 20)
        assert not s.host2.addresses("eth0")


# proves: HS-SCEN-6 partial, HS-DHCP-14 partial
def test_prefix_and_subnet_are_parted_among_the_lans(two_lans):
    with two_lans([4, 6]) as s:
        s.set_up()
        shown = s.shown("both are delegated", lambda w: w["delegated"] and w["subnets"])
        prefix, subnet = ipaddress.ip_network(shown["delegated"][0]), ipaddress.ip_network(shown["subnets"][0])
        nets6 = [{ipaddress.ip_network(f'{a["local"]}/64', strict=False) for a in wait_until("a LAN has an address", lambda d=d: s.home.addresses(d), 15)} for d in ("lan0", "lan1")]
        assert nets6 == [{n} for n in list(prefix.subnets(new_prefix=64))[:2]]
        halves = list(subnet.subnets(prefixlen_diff=1))
        for device, half in zip(("lan0", "lan1"), halves):
            mine = wait_until(f"{device} has its IPv4 address", lambda d=device: s.home.addresses(d, 4))
            assert (mine[0]["local"], mine[0]["prefixlen"]) == (str(half[1]), half.prefixlen)
        assert ipaddress.ip_address(shown["address4"]) in ipaddress.ip_network(POOL4)
