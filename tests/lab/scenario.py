# SPDX-License-Identifier: GPL-2.0-or-later
"""
The eight deployment scenarios of RFC 5571 section 3, built from one plan. Each folder of scenarios/ has one of them, with its
drawing and what it expects.

    internet ---- sc ---- access ---- [cpe ----] si [---- lan]
    a web server  |       one         a modem    |        a host without
    payload       |       family      that knows |        any configuration
    family        |       only        only the   softwired, initiator "home"
                  softwired           transport
                  concentrator        family

The access network, and the CPE where there is one, carry the transport family only, and the internet beyond the concentrator has the
payload family only, so nothing can reach it by another way. Over IPv4 the CPE is a NAT; over IPv6 it is a router that lets in only what answers.
"""
import ipaddress

from capture import complaints, count, decode
from lab import Lab, Node, Softwired, secret_file, wait_until

SC = {4: "192.0.2.1", 6: "2001:db8:acc::1"}
WEB = {4: "198.18.0.2", 6: "2001:db8:1::2"}
NEXT = {4: "198.18.0.1", 6: "2001:db8:1::1"}
POOL4, SUBNETS4, LOCAL4 = "198.51.100.0/24", "198.18.64.0/20", "198.51.100.1"
LINKS6, DELEGATED6, LOCAL6 = "2001:db8:100::/48", "2001:db8:8000::/36", "2001:db8:ffff::1"
PASSWORD = "correct horse battery staple"

POOL = {
    6: f'link6 = "{LINKS6}"; delegate = {{ from = "{DELEGATED6}"; length = 56; }};',
    4: f'ipv4 = "{POOL4}"; delegate4 = {{ from = "{SUBNETS4}"; length = 28; }};',
}


class Scenario(Lab):
    """PAYLOAD: families that the softwire carries; TRANSPORT: the one that the access network has."""

    def __init__(self, payload, transport, router=False, cpe=False):
        super().__init__(name="scen")
        self.payload, self.transport, self.router = tuple(payload), transport, router
        self.with_cpe = cpe
        self.sc = self.si = None

    def __enter__(self):
        super().__enter__()
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    # ---- the network ----

    def build(self):
        six = self.transport == 6
        self.internet = Node(self, "internet")
        self.sc_node = Node(self, "sc", forward=True)
        self.access = Node(self, "access", forward=True, ipv6=six)
        self.home = Node(self, "home")
        for family in self.payload:
            length = 64 if family == 6 else 30
            if family == self.payload[0]:
                self.link(self.internet, "up0", self.sc_node, "core0")
            self.internet.ip("addr", "add", f"{WEB[family]}/{length}", "dev", "up0")
            self.sc_node.ip("addr", "add", f"{NEXT[family]}/{length}", "dev", "core0")
            self.internet.ip(f"-{family}", "route", "add", "default", "via", NEXT[family])
        near, far = ("2001:db8:acc::1/64", "2001:db8:acc::fe/64") if six else ("192.0.2.1/24", "192.0.2.254/24")
        self.link(self.sc_node, "access0", self.access, "sc0", [near], [far])
        customers = "2001:db8:ce::/48" if six else "203.0.113.0/24"
        self.sc_node.ip(f"-{self.transport}", "route", "add", customers, "via", far.split("/")[0])
        self.build_cpe() if self.with_cpe else self.build_direct()
        if self.router:
            self.host = Node(self, "lan")
            self.link(self.home, "lan0", self.host, "eth0")
            self.host.sysctl("net.ipv6.conf.eth0.accept_ra", 2)

    def wan(self, node, device, peer, peer_device, theirs, ours):
        """NODE's uplink, with a default route of the transport family."""
        self.link(peer, peer_device, node, device, [theirs], [ours])
        to = "default"
        if self.transport in self.payload and node is not getattr(self, "cpe", None):  # the softwire brings this family: natively there is only the way to the concentrator
            to = "2001:db8:acc::/64" if self.transport == 6 else "192.0.2.0/24"
        node.ip(f"-{self.transport}", "route", "add", to, "via", theirs.split("/")[0])

    def build_direct(self):
        if self.transport == 6:
            self.wan(self.home, "wan0", self.access, "home0", "2001:db8:ce::fe/64", "2001:db8:ce::7/64")
        else:
            self.wan(self.home, "wan0", self.access, "home0", "203.0.113.254/24", "203.0.113.7/24")

    def build_cpe(self):
        self.cpe = Node(self, "cpe", forward=True, ipv6=self.transport == 6)
        if self.transport == 6:
            self.wan(self.cpe, "wan0", self.access, "home0", "2001:db8:ce::fe/64", "2001:db8:ce::7/64")
            self.wan(self.home, "wan0", self.cpe, "in0", "2001:db8:ce:1::1/64", "2001:db8:ce:1::2/64")
            self.access.ip("-6", "route", "add", "2001:db8:ce:1::/64", "via", "2001:db8:ce::7")
            self.cpe.nft("table ip6 f { chain through { type filter hook forward priority 0; policy drop; ct state established,related accept; "
                         "iifname in0 accept; }\n}\n")
        else:
            self.wan(self.cpe, "wan0", self.access, "home0", "203.0.113.254/24", "203.0.113.7/24")
            self.wan(self.home, "wan0", self.cpe, "in0", "192.168.1.1/24", "192.168.1.2/24")
            self.cpe.nft("table ip nat { chain post { type nat hook postrouting priority 100; oifname wan0 masquerade random\n}\n}\n")

    # ---- the daemons ----

    def file(self, name, file, text):
        directory = self.dir / name
        directory.mkdir(exist_ok=True)
        return secret_file(directory / file, text)

    def concentrator(self, pools=None, extra="", dns=True):
        names = ", ".join(f'"{WEB[f]}"' for f in self.payload)
        pools = pools or "default = {{ {} {} }};".format(" ".join(POOL[f] for f in self.payload), f"dns = [ {names} ];" if dns else "")
        local = " ".join(f'local{f} = "{LOCAL4 if f == 4 else LOCAL6}";' for f in self.payload)
        return f"""
concentrator = {{
    listen = [ "{SC[self.transport]}" ];
    network = "trusted";
    {local}
    users = "{self.dir}/concentrator/users.conf";
    pools = {{ {pools} }};
    {extra}
}};
"""

    def start_sc(self, users=f'alice = {{ secret = "{PASSWORD}"; }};', **kw):
        self.file("concentrator", "users.conf", f"users = {{ {users} }};\n")
        self.sc = Softwired(self.sc_node, "concentrator", self.concentrator(**kw))
        return self.sc

    def start_si(self, extra="", server=None, name="initiator", wait=True):
        self.file("initiator", "password", PASSWORD + "\n")
        lan = 'lan = [ "lan0" ];' if self.router else ""
        self.si = Softwired(self.home, name, f"""
initiator = {{
    home = {{
        server = [ "{server or SC[self.transport]}" ];
        network = "trusted";
        user = "alice";
        password-file = "{self.dir}/initiator/password";
        ipv6 = {"true" if 6 in self.payload else "false"};
        ipv4 = {"true" if 4 in self.payload else "false"};
        {lan}
        dns = "none";
        {extra}
    }};
}};
""", wait=wait)
        return self.si

    def set_up(self, si="", **kw):
        """Both ends up, with a capture at the initiator's uplink; returns what `softwire show softwires` says of the initiator."""
        self.start_sc(**kw)
        self.wire = self.capture(self.home, "wan0", "udp port 1701")
        self.start_si(extra=si)
        return self.si.wait_up()

    # ---- what every scenario expects ----

    def captured(self):
        """The capture's path; tshark has nothing to object to."""
        self.wire.stop()
        assert complaints(self.wire.path) == []
        return self.wire.path

    def shown(self, what, condition):
        """The initiator's softwire, once CONDITION holds for it."""
        return wait_until(what, lambda: (s := self.si.softwire()) and condition(s) and s)

    def wait_ping(self, node, family):
        return wait_until(f"{node.name} reaches {WEB[family]}", lambda: node.ping(WEB[family]), 10)

    def start_web(self, family, text="hello\n"):
        directory = self.dir / f"www{family}"
        directory.mkdir(exist_ok=True)
        (directory / "index.html").write_text(text)
        self.internet.start("/usr/bin/python3", "-m", "http.server", "-d", directory, "-b", WEB[family], "80", log=self.dir / f"web{family}.log")
        url = f"http://[{WEB[6]}]/" if family == 6 else f"http://{WEB[4]}/"
        wait_until("the web server answers", lambda: self.internet.sh("curl", "-s", url, check=False).returncode == 0)
        return url

    def assert_fetches(self, node, family, size=200000):
        """More than one window, in full-sized segments."""
        text = "x" * size
        url = self.start_web(family, text)
        got = node.sh("curl", "-s", "--max-time", "20", url)
        assert len(got.stdout) == size

    def assert_transport_stays_native(self, path):
        """HS-SCEN-9: the default route of the transport family is the access network's, and nothing of that family is inside the softwire."""
        routes = [r for r in self.home.routes(self.transport) if r["dst"] == "default"]
        if self.transport not in self.payload:
            assert [r["dev"] for r in routes] == ["wan0"]
            assert count(path, f"ppp.protocol == 0x{'0057' if self.transport == 6 else '0021'}") == 0
        assert self.home.ping(SC[self.transport]), "the concentrator is reached natively"

    def assert_cpe_is_untouched(self):
        """It knows neither the payload family nor the softwire."""
        family = 10 - self.transport
        assert self.cpe.addresses("wan0", family) == [] and self.cpe.addresses("in0", family) == []
        assert [r for r in self.cpe.routes(family) if r.get("dst") == "default"] == []

    def assert_encapsulation(self, path):
        """Payload/PPP/L2TPv2/UDP/transport, and no other."""
        stacks = {line for line in decode(path, fields=["frame.protocols"]) if ":ppp:ip" in line and ":ipcp" not in line and ":ipv6cp" not in line}
        outer = f"eth:ethertype:{'ipv6' if self.transport == 6 else 'ip'}:udp:l2tp:ppp:"
        inner = {outer + ("ipv6" if f == 6 else "ip") for f in self.payload}
        assert stacks and all(any(s.startswith(i) for i in inner) for s in stacks), stacks

    def in_order(self, path, filters):
        """Each filter's first packet comes after the one before."""
        numbers = []
        for text in filters:
            found = decode(path, text, ["frame.number"])
            assert found, f"no packet: {text}"
            numbers.append(int(found[0]))
        assert numbers == sorted(numbers), list(zip(filters, numbers))

    # ---- IPv6 ----

    def assert_host6(self, path):
        """IID by IPV6CP, a /64 by RA, DNS by DHCPv6."""
        s = self.shown("address and DNS servers have come", lambda s: s["address6"] and WEB[6] in s["dns"])
        address = ipaddress.ip_address(s["address6"])
        assert address in ipaddress.ip_network(LINKS6)
        wait_until("the kernel has it", lambda: str(address) in [a["local"] for a in self.home.addresses("si-home")])
        requested = decode(path, "ipv6cp && ppp.code == 1", ["ipv6cp.opt.interface_identifier"])
        assert int(address) & (2**64 - 1) in [int(r.replace(":", "")[-16:], 16) for r in requested]
        return address

    def wait_dhcp6(self):
        wait_until("DHCPv6 has answered", lambda: self.si.ask("show", "counters")["counters"]["initiators"]["home"]["dhcp6"]["rx"])

    def wait_host_address6(self):
        found = wait_until("the LAN host has an address by SLAAC", lambda: self.host.addresses("eth0"), 15)
        return ipaddress.ip_address(found[0]["local"])

    def assert_router6(self):
        """A prefix by DHCPv6-PD, a /64 of it on the LAN."""
        prefix = ipaddress.ip_network(self.shown("a prefix is delegated", lambda s: s["delegated"])["delegated"][0])
        assert prefix.prefixlen == 56 and prefix.subnet_of(ipaddress.ip_network(DELEGATED6))
        assert self.wait_host_address6() in prefix
        return prefix

    # ---- IPv4 ----

    def assert_host4(self):
        """A /32 address of the pool on the softwire, and the default route there."""
        s = self.shown("the IPv4 address is known", lambda s: s["address4"])
        address = ipaddress.ip_address(s["address4"])
        assert address in ipaddress.ip_network(POOL4) and str(address) != LOCAL4
        mine = wait_until("the kernel has it", lambda: self.home.addresses("si-home", 4))
        assert [(a["local"], a["prefixlen"]) for a in mine] == [(str(address), 32)]
        wait_until("the default route leads there", lambda: any(r["dst"] == "default" and r["dev"] == "si-home" for r in self.home.routes(4)))
        return address

    def assert_router4(self):
        """A subnet by DHCP, whose first address is the router's on the LAN; what nobody has is unreachable."""
        subnet = ipaddress.ip_network(self.shown("a subnet is delegated", lambda s: s["subnets"])["subnets"][0])
        assert subnet.prefixlen == 28 and subnet.subnet_of(ipaddress.ip_network(SUBNETS4))
        mine = wait_until("the LAN has its address", lambda: self.home.addresses("lan0", 4))
        assert (mine[0]["local"], mine[0]["prefixlen"]) == (str(subnet[1]), 28)
        return subnet

    def dnsmasq(self):
        """The example hook, as an operator would install it; returns the settings that call it."""
        from lab import ROOT
        hook = self.dir / "dnsmasq-lan"
        text = (ROOT / "examples" / "hooks" / "dnsmasq-lan").read_text()
        hook.write_text(text.replace("/run/softwired", str(self.dir)))
        hook.chmod(0o755)
        return f'hooks = {{ up = "{hook}"; down = "{hook}"; change = "{hook}"; renew = "{hook}"; }};'

    def dhcp_on_lan(self):
        """The LAN host runs a DHCP client of somebody else (busybox); its address, its router, its DNS servers."""
        script, result = self.dir / "udhcpc", self.dir / "lan-dhcp"
        script.write_text(f"""#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
echo "$ip $router $dns" > {result}
""")
        script.chmod(0o755)
        self.host.start("busybox", "udhcpc", "-f", "-i", "eth0", "-s", script, "-t", "10", "-T", "1", "-n", log=self.dir / "udhcpc.log")
        address, router, *dns = wait_until("the LAN host has an address by DHCP", lambda: result.exists() and result.read_text().split(), 20)
        return ipaddress.ip_address(address), router, dns
