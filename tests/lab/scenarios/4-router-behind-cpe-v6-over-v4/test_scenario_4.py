# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 4: a router behind an IPv4-only CPE, IPv6 over IPv4. See README.md."""
from capture import count
from scenario import Scenario


# proves: HS-SCEN-4, PS-27, HS-DHCP-4, HS-DHCP-5
def test_router_behind_a_nat_serves_ipv6_to_its_lan():
    with Scenario(payload=[6], transport=4, router=True, cpe=True) as s:
        s.set_up()
        s.assert_router6()
        s.wait_ping(s.host, 6)
        s.assert_fetches(s.host, 6)
        path = s.captured()
        s.assert_host6(path)
        s.assert_transport_stays_native(path)
        s.assert_cpe_is_untouched()
        assert count(path, "dhcpv6.msgtype == 1 && dhcpv6.option.type == 25") >= 1
