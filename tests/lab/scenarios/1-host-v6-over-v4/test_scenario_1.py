# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 1: a host on the modem, IPv6 over IPv4. See README.md."""
from capture import count
from scenario import WEB, Scenario


# proves: HS-SCEN-1, HS-SCEN-9, PS-4, PS-12, HS-L2TP-8, HS-L2TP-12, HS-PPP-15, HS-PPP-16, HS-ND-1, HS-ND-2, HS-ND-3, HS-DHCP-1, HS-DHCP-6
def test_host_on_the_modem_gets_ipv6():
    with Scenario(payload=[6], transport=4) as s:
        s.set_up()
        s.shown("address and DNS servers have come", lambda w: w["address6"] and WEB[6] in w["dns"])
        s.wait_dhcp6()
        s.wait_ping(s.home, 6)
        s.assert_fetches(s.home, 6)
        path = s.captured()
        s.assert_host6(path)
        s.assert_encapsulation(path)
        s.assert_transport_stays_native(path)
        assert s.si.softwire()["delegated"] == [] and count(path, "dhcpv6.option.type == 25") == 0, "a host asks for no prefix"
        assert count(path, "dhcpv6.msgtype == 11") >= 1, "it asks for information"
        assert count(path, "ipcp") == 0, "the NCP of the other family is not negotiated"
        s.in_order(path, ["l2tp.avp.message_type == 1", "l2tp.avp.message_type == 10", "lcp && ppp.code == 1", "chap", "ipv6cp",
                          "icmpv6.type == 133", "dhcpv6"])
