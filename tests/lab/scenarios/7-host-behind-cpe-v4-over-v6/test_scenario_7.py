# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 7: a host behind an IPv6-only CPE, IPv4 over IPv6. See README.md."""
from scenario import WEB, Scenario


# proves: HS-SCEN-7, PS-16 partial, HS-L2TP-7
def test_host_behind_an_ipv6_only_cpe_gets_ipv4():
    with Scenario(payload=[4], transport=6, cpe=True) as s:
        s.set_up()
        s.assert_host4()
        assert s.si.softwire()["dns"] == [WEB[4]]
        s.wait_ping(s.home, 4)
        s.assert_fetches(s.home, 4)
        path = s.captured()
        s.assert_encapsulation(path)
        s.assert_transport_stays_native(path)
        s.assert_cpe_is_untouched()
        assert s.sc.wait_up()["peer"].startswith("[2001:db8:ce:1::2]:")
