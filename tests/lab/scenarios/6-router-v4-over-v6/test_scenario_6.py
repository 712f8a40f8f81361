# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 6: a router on the modem, IPv4 over IPv6. See README.md."""
import pytest

from capture import count, decode
from lab import wait_until
from scenario import WEB, Scenario


# proves: HS-SCEN-6, HS-SCEN-9, HS-DHCP-5, HS-DHCP-8, HS-DHCP-9, HS-DHCP-10 partial, HS-DHCP-14, PS-24
@pytest.mark.parametrize("way", ["ipcp", "dhcp"])
def test_router_on_the_modem_serves_ipv4_to_its_lan(way):
    with Scenario(payload=[4], transport=6, router=True) as s:
        s.set_up(si=s.dnsmasq(), extra=f'address4 = "{way}";')
        address = s.assert_host4()
        subnet = s.assert_router4()
        leased, router, dns = s.dhcp_on_lan()
        assert leased in subnet and leased != subnet[1], "a global address of the subnet"
        assert router == str(subnet[1]) and WEB[4] in dns
        s.wait_ping(s.host, 4)
        s.assert_fetches(s.host, 4)
        unused = subnet[-2] if subnet[-2] != leased else subnet[-3]
        assert not s.internet.ping(str(unused)), "what nobody has leads nowhere"
        path = s.captured()
        s.assert_encapsulation(path)
        s.assert_transport_stays_native(path)
        assert count(path, "dhcp.option.type == 220 && dhcp.option.dhcp == 1") >= 1, "the Subnet Allocation option is in the DISCOVER"
        assert address not in subnet
        if way == "ipcp":
            assert set(decode(path, "dhcp.option.dhcp == 5", ["dhcp.ip.your"])) <= {"0.0.0.0", str(address)}
        s.si.stop()
        wait_until("the subnet is not routed any more", lambda: not s.sc.show() or not s.sc.softwire())
        assert s.sc.ask("show", "leases")["leases"][0]["subnets"] == [str(subnet)], "but stays the user's"


# proves: HS-DHCP-13 partial, HS-PROV-1
def test_router_gets_the_same_subnet_again():
    with Scenario(payload=[4], transport=6, router=True) as s:
        s.set_up()
        first = (s.assert_host4(), s.assert_router4())
        s.si.stop()
        s.sc.stop()
        s.sc.begin_again()
        s.si.begin_again()
        assert (s.assert_host4(), s.assert_router4()) == first
