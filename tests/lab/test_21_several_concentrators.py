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

from lab import wait_until
from pair import FIXED, SECOND, Pair
from scenario import PASSWORD, SC, WEB


def routes(node):
    return {r["dst"] for family in (4, 6) for r in node.routes(family) if r.get("dev") == "sc0"}


# proves: HS-PROV-3, PS-7 partial, PS-18, PS-20, PS-23 partial
def test_user_keeps_what_is_fixed_at_whichever_concentrator():
    users = f'alice = {{ secret = "{PASSWORD}"; delegate = "{FIXED["delegated"]}"; ipv4 = "{FIXED["address4"]}"; }};'
    with Pair(payload=[4, 6], transport=4) as s:
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
