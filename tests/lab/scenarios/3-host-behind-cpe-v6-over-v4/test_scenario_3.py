# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 3: a host behind an IPv4-only CPE, IPv6 over IPv4. See README.md."""
from scenario import WEB, Scenario


# proves: HS-SCEN-3, PS-16 partial, PS-27, HS-L2TP-7
def test_host_behind_a_nat_gets_ipv6():
    with Scenario(payload=[6], transport=4, cpe=True) as s:
        s.set_up()
        s.shown("address and DNS servers have come", lambda w: w["address6"] and WEB[6] in w["dns"])
        s.wait_ping(s.home, 6)
        s.assert_fetches(s.home, 6)
        path = s.captured()
        s.assert_host6(path)
        s.assert_encapsulation(path)
        s.assert_transport_stays_native(path)
        s.assert_cpe_is_untouched()
        assert s.sc.wait_up()["peer"].startswith("203.0.113.7:"), "the NAT's address, and the NAT knows nothing of it"
