# SPDX-License-Identifier: GPL-2.0-or-later
"""
21: the profile of doc/profile.md with two concentrators: aggregates of their own, one users file, nothing shared.

                   .---- sc  ----.
    internet ------|             |---- access ---- home
                   `---- sc2 ----'

What this exercises: the initiator knows both; a user with fixed prefix and address has them at either, with routes only where it is connected; a user from the
pools gets others at the second one.
"""
import ipaddress

from lab import Node, Softwired, wait_until
from scenario import PASSWORD, SC, WEB, Scenario

FIXED = {"delegated": "2001:db8:9000::/56", "address4": "203.0.113.200"}
SECOND = "192.0.2.2"


class Two(Scenario):
    def build(self):
        super().build()
        self.sc2_node = Node(self, "sc2", forward=True)
        self.link(self.internet, "up1", self.sc2_node, "core0", ["2001:db8:2::2/64", "198.18.1.2/30"], ["2001:db8:2::1/64", "198.18.1.1/30"])
        for family, via in ((6, "2001:db8:2::2"), (4, "198.18.1.2")):
            self.sc2_node.ip(f"-{family}", "route", "add", "default", "via", via)
        self.link(self.sc2_node, "access0", self.access, "sc1", [f"{SECOND}/32"], [])
        self.sc2_node.ip("route", "add", "192.0.2.254", "dev", "access0")
        self.sc2_node.ip("route", "add", "203.0.113.0/25", "via", "192.0.2.254")
        self.access.ip("route", "add", f"{SECOND}/32", "dev", "sc1")
        self.access.sysctl("net.ipv4.conf.sc1.proxy_arp", 1)

    def start_second(self):
        text = self.sc.conf.read_text().split("\n", 3)[3].replace(f'"{SC[4]}"', f'"{SECOND}"')
        for one, other in (("2001:db8:100::", "2001:db8:200::"), ("2001:db8:8000::", "2001:db8:a000::"), ("198.51.100.0/24", "198.51.101.0/24"),
                           ("198.18.64.0", "198.18.80.0"), ('local4 = "198.51.100.1"', 'local4 = "198.51.101.1"'), ("2001:db8:ffff::1", "2001:db8:ffff::2")):
            text = text.replace(one, other)
        self.sc2 = Softwired(self.sc2_node, "second", text)


def routes(node):
    return {r["dst"] for family in (4, 6) for r in node.routes(family) if r.get("dev") == "sc0"}


# proves: HS-PROV-3, PS-7 partial, PS-18, PS-20, PS-23 partial
def test_user_keeps_what_is_fixed_at_whichever_concentrator():
    users = f'alice = {{ secret = "{PASSWORD}"; delegate = "{FIXED["delegated"]}"; ipv4 = "{FIXED["address4"]}"; }};'
    with Two(payload=[4, 6], transport=4) as s:
        s.start_sc(users=users)
        s.start_second()
        s.start_si(extra=f'prefix = true; retransmit = 0.5; retransmit-tries = 2;', server=f'{SC[4]}", "{SECOND}')
        first = s.shown("everything is there", lambda w: w["delegated"] and w["address4"])
        mine = {FIXED["delegated"], FIXED["address4"]}
        assert {first["delegated"][0], first["address4"]} == mine
        assert mine <= routes(s.sc_node) and not mine & routes(s.sc2_node), "routes of its own, where it is connected"
        s.wait_ping(s.home, 6)
        s.wait_ping(s.home, 4)
        s.sc.stop()
        wait_until("it is at the second one", lambda: (w := s.si.softwire()) and w["peer"].startswith(SECOND) and w["delegated"] and w["address4"] and w["address6"], 40)
        again = s.si.softwire()
        assert {again["delegated"][0], again["address4"]} == mine
        assert mine <= routes(s.sc2_node)
        assert again["link6"] != first["link6"] and ipaddress.ip_network(again["link6"]).subnet_of(ipaddress.ip_network("2001:db8:200::/48")), "its own aggregate"
        s.internet.ip("route", "replace", FIXED["address4"], "via", "198.18.1.1")  # what a routing protocol would do
        s.internet.ip("-6", "route", "replace", "2001:db8:200::/48", "via", "2001:db8:2::1")
        wait_until("IPv4 works through the second", lambda: s.home.ping(WEB[4]), 10)
        wait_until("and IPv6", lambda: s.home.ping(WEB[6]), 10)
