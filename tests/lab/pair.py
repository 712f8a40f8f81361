# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two concentrators of one provider behind one access network (doc/profile.md), each with aggregates of its own:

                   .---- sc  ----.
    internet ------|             |---- access ---- home [---- lan]
                   `---- sc2 ----'
"""
from lab import Node, Softwired
from scenario import SC, Scenario

SECOND = "192.0.2.2"
FIXED = {"delegated": "2001:db8:9000::/56", "address4": "203.0.113.200"}


class Pair(Scenario):
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

    def start_both(self, users, si="", server=f'{SC[4]}", "{SECOND}'):
        self.start_sc(users=users)
        self.start_second()
        self.start_si(extra=si, server=server)
