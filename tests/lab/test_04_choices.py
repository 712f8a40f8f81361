# SPDX-License-Identifier: GPL-2.0-or-later
"""
04: choices that an operator has in each of the scenarios (which have folders of their own in scenarios/).

    a router with a single port (PS-17): NAT box, router and hosts share one Ethernet

    internet ---- sc ---- access ---- nat ----+---- SI, WAN and LAN are wan0
                                              +---- host

What this exercises: a single port, single- and dual-stack networks beyond the concentrator, assigned interface identifiers, DAD and managed addresses as seen
by tshark, link-local ends, ULAs, and that the concentrator is found by address and by name.
"""
import contextlib
import ipaddress
import shutil
from pathlib import Path

import pytest

from capture import complaints, count, decode
from home import CONCENTRATOR, INITIATOR, SC_ADDRESS, USERS, WEB, Direct, Home, without_lan
from lab import Node, wait_until


@pytest.fixture
def direct():
    with Direct(name="lab") as lab:
        yield lab


def wait_ping(node, dst=WEB):
    return wait_until(f"{node.name} reaches {dst}", lambda: node.ping(dst), 10)


def link_address(home):
    """The initiator's address on the softwire, as it shows it and as the kernel has it."""
    shown = wait_until("the softwire has an address", lambda: home.si.wait_up()["address6"])
    wait_until("the kernel has it", lambda: shown in [a["local"] for a in home.home.addresses("si-home")])
    return shown


def iid_of(address):
    return int(ipaddress.ip_address(address)) & (2**64 - 1)


def wait_dns(home):
    return wait_until("the initiator knows DNS servers", lambda: home.si.wait_up()["dns"])


def set_up_with_capture(home, config, answer):
    """Connects with a capture at the initiator's WAN; stops when ANSWER() is true."""
    capture = home.capture(home.home, "wan0", "udp port 1701")
    home.start_si(config=config)
    home.si.wait_up()
    wait_until("the configuration has come", answer)
    capture.stop()
    assert complaints(capture.path) == []
    return capture.path


# ---- a router with one port ----

@pytest.fixture
def one_port():
    with OnePort(name="lab") as lab:
        yield lab


class OnePort(Home):
    def build_home(self):
        self.switch = Node(self, "switch", ipv6=False)
        self.home = Node(self, "home")
        self.host = Node(self, "lan")
        self.switch.ip("link", "add", "bridge0", "type", "bridge")
        self.link(self.nat, "in0", self.switch, "p0", ["192.168.1.1/24"])
        self.link(self.home, "wan0", self.switch, "p1", ["192.168.1.2/24"])
        self.link(self.host, "eth0", self.switch, "p2", ["192.168.1.3/24"])
        for port in ("p0", "p1", "p2"):
            self.switch.ip("link", "set", port, "master", "bridge0")
        self.switch.ip("link", "set", "bridge0", "up")
        for node in (self.home, self.host):
            node.ip("route", "add", "default", "via", "192.168.1.1")
        self.host.sysctl("net.ipv6.conf.eth0.accept_ra", 2)


# proves: PS-17, HS-SCEN-9
def test_router_with_a_single_port(one_port):
    one_port.start_sc()
    one_port.start_si(config=INITIATOR.replace('"lan0"', '"wan0"'))
    wait_until("it is said that both sides share an interface", lambda: one_port.si.has("event=lan-is-uplink", "device=wan0"))
    prefix = ipaddress.ip_network(one_port.wait_delegated())
    assert ipaddress.ip_address(one_port.wait_host_address()) in prefix
    wait_ping(one_port.host)
    route = one_port.host.sh("ip", "-j", "route", "get", SC_ADDRESS).stdout
    assert '"gateway":"192.168.1.1"' in route and one_port.host.ping(SC_ADDRESS), "IPv4 still goes to the NAT box"


# ---- beyond the concentrator ----

# proves: HS-SCEN-10
@pytest.mark.parametrize("dual_stack", [False, True], ids=["ipv6-only", "dual-stack"])
def test_network_beyond_the_concentrator(connected, dual_stack):
    if dual_stack:
        connected.internet.ip("addr", "add", "198.51.100.2/24", "dev", "up0")
        connected.internet.ip("route", "add", "default", "via", "198.51.100.1")
        connected.sc_node.ip("addr", "add", "198.51.100.1/24", "dev", "core0")
        connected.access.ip("route", "add", "default", "via", "192.0.2.1")
    else:
        assert not connected.internet.addresses("up0", family=4)
    connected.wait_host_address()
    wait_ping(connected.host)
    assert connected.home.ping("198.51.100.2") == dual_stack
    s = connected.sc.wait_up()
    assert s["rx6_packets"] > 0 and s["rx4_packets"] == 0, "IPv4 does not go through the softwire"


# ---- interface identifiers, DAD, managed addresses ----

IID_USERS = USERS.replace('"correct horse battery staple";', '"correct horse battery staple"; iid = "::42";')
NAK = "ipv6cp && ppp.code == 3"


# proves: HS-SCEN-11 partial
def test_interface_identifier_is_assigned_by_the_concentrator(direct):
    direct.start_sc(users=IID_USERS)
    path = set_up_with_capture(direct, without_lan(), lambda: direct.home.addresses("si-home"))
    assert iid_of(link_address(direct)) == 0x42
    assert direct.sc.wait_up()["address6"] == link_address(direct)
    assert count(path, f"{NAK} && ip.src == {SC_ADDRESS}") == 1, "one Configure-Nak says which"
    wait_ping(direct.home)


# proves: HS-SCEN-11 partial, HS-PPP-16, HS-ND-3
def test_interface_identifier_of_the_initiator_is_accepted(direct):
    """An EUI-64 of the WAN's MAC address; the concentrator only sees that it is not its own."""
    direct.start_sc()
    path = set_up_with_capture(direct, without_lan(), lambda: direct.home.addresses("si-home"))
    wan = direct.home.addresses("wan0", scope="link")[0]["local"]
    assert iid_of(link_address(direct)) == iid_of(wan)
    assert count(path, NAK) == 0


# proves: HS-SCEN-11 partial
def test_assigned_interface_identifier_never_is_that_of_the_concentrator(direct):
    direct.start_sc(users=IID_USERS.replace("::42", "::1"))
    path = set_up_with_capture(direct, without_lan(), lambda: direct.home.addresses("si-home"))
    iid_of(link_address(direct))
    sources = set(decode(path, "icmpv6.type == 134", ["ipv6.src"])), set(decode(path, "icmpv6.type == 133", ["ipv6.src"]))
    assert sources[0] and sources[1] and not sources[0] & sources[1]
    wait_ping(direct.home)


DAD = 'icmpv6.type == 135 && ipv6.src == ::'


def probes(path, sender):
    return set(decode(path, f"{DAD} && ip.src == {sender}", ["icmpv6.nd.ns.target_address"]))


# proves: HS-ND-4
def test_addresses_of_the_softwire_are_probed_for_duplicates(direct):
    direct.start_sc()
    path = set_up_with_capture(direct, without_lan(), lambda: direct.home.addresses("si-home"))
    address = link_address(direct)
    link_local = str(ipaddress.ip_address((0xfe80 << 112) | iid_of(address)))
    assert probes(path, "203.0.113.7") >= {address, link_local}
    assert probes(path, SC_ADDRESS) == set(decode(path, "icmpv6.type == 134", ["ipv6.src"]))


# proves: HS-ND-5
def test_probing_can_be_switched_off_at_either_end(direct):
    direct.start_sc(config=CONCENTRATOR.replace("listen =", "dad-transmits = 0; listen ="))
    path = set_up_with_capture(direct, without_lan().replace("server =", "dad-transmits = 0; server ="), lambda: direct.home.addresses("si-home"))
    assert count(path, DAD) == 0 and count(path, "icmpv6.type == 134") >= 1
    wait_ping(direct.home)


# proves: HS-ND-6
@pytest.mark.parametrize("config", [without_lan(), INITIATOR], ids=["host", "router"])
def test_managed_addresses_come_by_dhcpv6(direct, config):
    direct.start_sc(config=CONCENTRATOR.replace("listen =", "managed = true; listen ="))
    path = set_up_with_capture(direct, config, lambda: direct.home.addresses("si-home") and wait_dns(direct))
    address = link_address(direct)
    assert count(path, "icmpv6.type == 134 && icmpv6.nd.ra.flag.m == 0") == 0 and count(path, "icmpv6.nd.ra.flag.m == 1") >= 1
    assert count(path, "icmpv6.opt.prefix.flag.a == 1") == 0, "no SLAAC beside it"
    assert count(path, "dhcpv6.msgtype == 1 && dhcpv6.option.type == 3") >= 1, "a Solicit with IA_NA"
    assert address in decode(path, "dhcpv6.msgtype == 7", ["dhcpv6.iaaddr.ip"])[-1]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(direct.sc.wait_up()["link6"])
    wait_ping(direct.home)
    if config == INITIATOR:
        direct.wait_delegated()
        direct.wait_host_address()
        wait_ping(direct.host)


# ---- link-local ends, private prefixes ----

# proves: PS-25
def test_link_local_ends_are_enough(home):
    home.start_sc(config=CONCENTRATOR.replace('link6 = "2001:db8:100::/48";', ""))
    home.start_si()
    home.si.wait_up()
    home.wait_delegated()
    assert not home.home.addresses("si-home")
    s = home.sc.wait_up()
    assert s["link6"] is None and s["address6"] is None
    address = home.wait_host_address()
    wait_ping(home.host)
    assert home.internet.ping(address)


# proves: HS-PROV-4
def test_prefixes_are_global_unless_private_ones_are_wanted(home):
    """The example's pool is global and works across; a ULA pool is warned about, and stays in the carrier's network."""
    ula = CONCENTRATOR.replace("2001:db8:8000::/36", "fd00:8000::/36")
    home.start_sc(config=ula)
    assert home.sc.has("warning:", "ULA prefix"), "a ULA pool is warned about"
    home.start_si()
    assert ipaddress.ip_network(home.wait_delegated()).subnet_of(ipaddress.ip_network("fd00:8000::/36"))
    assert ipaddress.ip_address(home.wait_host_address()).is_private
    wait_ping(home.host, "2001:db8:ffff::1")
    home.si.stop()
    wait_until("the lease is free", lambda: not home.sc.show("leases")[0]["active"])
    assert home.sc.ask("forget", "alice")["forgotten"] == 1, "a lease outlives a change of pools"
    home.sc.conf.write_text(home.sc.conf.read_text().replace("fd00:8000::/36", "2001:db8:8000::/36"))
    warnings = len(home.sc.has("ULA prefix"))
    home.sc.ask("reload")
    assert len(home.sc.has("ULA prefix")) == warnings
    home.si.begin_again()
    wait_until("a global prefix", lambda: home.delegated() and home.delegated().startswith("2001:db8:8"), 15)


# ---- how the concentrator is named ----

class NamesOf:
    """A hosts file of its own for a namespace, and no DNS: ip netns exec mounts /etc/netns/NAME over /etc."""

    def __init__(self, node, hosts):
        self.dir, self.hosts = Path("/etc/netns") / node.ns, hosts

    def __enter__(self):
        self.dir.mkdir(parents=True)
        (self.dir / "hosts").write_text("127.0.0.1 localhost\n" + self.hosts)
        (self.dir / "nsswitch.conf").write_text("hosts: files\n")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.dir)
        with contextlib.suppress(OSError):  # others are using it
            self.dir.parent.rmdir()


# proves: PS-21
@pytest.mark.parametrize("server", [SC_ADDRESS, f"{SC_ADDRESS}:1701", "sc.example.net", "sc.example.net:1701"])
def test_concentrator_is_named_by_address_or_by_name(home, server):
    with NamesOf(home.home, f"{SC_ADDRESS} sc.example.net\n"):
        home.start_sc()
        home.start_si(server=server)
        assert home.si.wait_up()["peer"] == f"{SC_ADDRESS}:1701"
        home.wait_delegated()


# proves: PS-21, PS-7 partial
def test_name_that_nobody_knows_is_said_and_the_next_one_is_tried(home):
    with NamesOf(home.home, f"{SC_ADDRESS} sc.example.net\n"):
        home.start_sc()
        home.start_si(server='no-such.example.net", "sc.example.net')
        assert home.si.wait_up()["peer"] == f"{SC_ADDRESS}:1701"
        assert home.si.has("resolve", "no-such.example.net")
