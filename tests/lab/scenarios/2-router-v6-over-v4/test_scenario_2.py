# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario 2: a router on the modem, IPv6 over IPv4. See README.md."""
import ipaddress

from capture import complaints, count, decode
from lab import wait_until
from scenario import WEB, Scenario


# proves: HS-SCEN-2, HS-SCEN-9, HS-DHCP-1, HS-DHCP-2, HS-DHCP-3, HS-DHCP-4, HS-DHCP-5, PS-24, PS-26
def test_router_on_the_modem_serves_ipv6_to_its_lan():
    with Scenario(payload=[6], transport=4, router=True) as s:
        s.home.sysctl("net.ipv4.ip_forward", 1)  # IPv4 for the LAN is the router's own, as ever
        s.home.ip("addr", "add", "192.168.2.1/24", "dev", "lan0")
        s.home.nft("table ip nat { chain post { type nat hook postrouting priority 100; oifname wan0 masquerade\n}\n}\n")
        told = s.capture(s.host, "eth0", "icmp6")
        s.set_up(si=s.dnsmasq())
        prefix = s.assert_router6()
        s.wait_ping(s.host, 6)
        s.assert_fetches(s.host, 6)
        own = prefix[0x1234]  # hosts choose their identifiers
        s.host.ip("addr", "add", f"{own}/64", "dev", "eth0", "nodad")
        assert s.host.ping(WEB[6])
        assert s.home.sh("ip", "-j", "-6", "route", "show", "type", "unreachable").stdout.find(str(prefix)) > 0, "the rest never loops"
        told.stop()
        assert complaints(told.path) == []
        assert WEB[6] in decode(told.path, "icmpv6.type == 134", ["icmpv6.opt.rdnss"])[-1]
        path = s.captured()
        assert count(path, "dhcpv6.msgtype == 1 && dhcpv6.option.type == 25") >= 1, "a Solicit with IA_PD"
        s.assert_host6(path)
        s.assert_transport_stays_native(path)


# proves: HS-SCEN-2, HS-DHCP-14 partial
def test_lan_learns_dns_servers_by_dhcp_too():
    """dnsmasq, started by the hook, answers DHCPv6 without state (RFC 8415 section 18.3.6), for hosts that read no DNS servers in RAs."""
    with Scenario(payload=[6], transport=4, router=True) as s:
        s.set_up(si=s.dnsmasq())
        s.assert_router6()
        wire = s.capture(s.host, "eth0", "udp port 547")
        ask = s.dir / "ask.py"
        ask.write_text("""
import socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 546))
s.settimeout(1)
message = bytes([11]) + b"abc" + struct.pack("!HH", 1, 10) + struct.pack("!HH", 3, 1) + bytes(6) + struct.pack("!HHH", 6, 2, 23)
s.sendto(message, ("ff02::1:2", 547, 0, socket.if_nametoindex("eth0")))
print(s.recv(1500).hex())
""")
        expected = ipaddress.ip_address(WEB[6]).packed.hex()
        wait_until("DHCPv6 on the LAN names the DNS server",
                   lambda: expected in s.host.sh("/usr/bin/python3", ask, check=False).stdout, 15)
        wire.stop()
        assert complaints(wire.path) == []
