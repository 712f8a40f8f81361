# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 5: a host on the modem, IPv4 over IPv6. See README.md."""
from capture import count, decode
from scenario import LOCAL4, WEB, Scenario


# proves: HS-SCEN-5, HS-SCEN-9, PS-1 partial, PS-4, PS-12, PS-24, HS-L2TP-9, HS-L2TP-12, HS-PPP-15, HS-PPP-18, HS-PPP-21, HS-PROV-8, HS-ND-7
def test_host_on_the_modem_gets_ipv4():
    with Scenario(payload=[4], transport=6) as s:
        s.set_up()
        s.assert_host4()
        assert s.si.softwire()["dns"] == [WEB[4]]
        s.wait_ping(s.home, 4)
        assert s.home.ping(LOCAL4), "our end answers"
        s.assert_fetches(s.home, 4)
        path = s.captured()
        s.assert_encapsulation(path)
        s.assert_transport_stays_native(path)
        asked = decode(path, "ipcp && ppp.code == 1", ["ipcp.opt.ip_address"])
        assert "0.0.0.0" in asked[0] + asked[1], "it asks for an address"
        assert count(path, "ipcp && ppp.code == 3") >= 1, "and is told one by Configure-Nak"
        assert count(path, "ipcp.opt.pri_dns_address") >= 1
        assert count(path, "ipv6cp || icmpv6.type == 133 || icmpv6.type == 134") == 0, "no IPV6CP, and no RS or RA"
        s.in_order(path, ["l2tp.avp.message_type == 1", "l2tp.avp.message_type == 10", "lcp && ppp.code == 1", "chap", "ipcp"])


# proves: HS-SCEN-5, HS-PPP-19, HS-PPP-20, HS-DHCP-6, HS-DHCP-7
def test_host_gets_its_ipv4_address_by_dhcp_where_ipcp_gives_none():
    with Scenario(payload=[4], transport=6) as s:
        s.set_up(extra='address4 = "dhcp";')
        address = s.assert_host4()
        s.shown("DNS servers have come", lambda w: w["dns"] == [WEB[4]])
        s.wait_ping(s.home, 4)
        path = s.captured()
        assert count(path, "ipcp && ppp.code == 2 && ipcp.opt.ip_address == 0.0.0.0") >= 1, "0.0.0.0 is acknowledged: no address"
        assert str(address) in decode(path, "dhcp.option.dhcp == 5", ["dhcp.ip.your"]), "an ACK gives the address"
        s.in_order(path, ["ipcp", "dhcp.option.dhcp == 1", "dhcp.option.dhcp == 5"])
        assert s.si.ask("show", "leases")["leases"]
