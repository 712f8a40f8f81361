# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 8: a router behind an IPv6-only CPE, IPv4 over IPv6. See README.md."""
from scenario import Scenario


# proves: HS-SCEN-8, HS-DHCP-9, HS-DHCP-14
def test_router_behind_an_ipv6_only_cpe_serves_ipv4_to_its_lan():
    with Scenario(payload=[4], transport=6, router=True, cpe=True) as s:
        s.set_up(si=s.dnsmasq())
        s.assert_host4()
        subnet = s.assert_router4()
        leased, router, _ = s.dhcp_on_lan()
        assert leased in subnet and router == str(subnet[1])
        s.wait_ping(s.host, 4)
        s.assert_fetches(s.host, 4)
        path = s.captured()
        s.assert_encapsulation(path)
        s.assert_transport_stays_native(path)
        s.assert_cpe_is_untouched()
