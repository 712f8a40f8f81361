# SPDX-License-Identifier: GPL-2.0-or-later
"""
The topology of the first softwire (RFC 5571 section 3.1.4, scenario HS-SCEN-4), for ./demo and for the lab tests:

    internet6 ---- sc ---- access ---- nat ---- home ---- lan
    2001:db8:1::2  |       IPv4 only   |        |         a host without
    a web server   |       192.0.2.0/24|        |         any configuration
                   |       203.0.113/24|        |
                   softwired           NAPT     softwired, initiator "home"
                   concentrator        203.0.113.7

The access network and the NAT have no IPv6 at all. The home router gets a /64 on its softwire and a /56 for its LAN.
"""
from lab import Lab, Node, Softwired, secret_file, wait_until

SC_ADDRESS = "192.0.2.1"
WEB = "2001:db8:1::2"
DELEGATED_POOL = "2001:db8:8000::/36"

CONCENTRATOR = """
concentrator = {{
    listen = [ "192.0.2.1" ];
    network = "trusted";                    # the lab's access network is ours
    local6 = "2001:db8:ffff::1";
    users = "{dir}/users.conf";
    pools = {{
        default = {{
            link6 = "2001:db8:100::/48";
            delegate = {{ from = "2001:db8:8000::/36"; length = 56; }};
            dns = [ "2001:db8:1::2" ];
        }};
    }};
}};
"""

USERS = """
users = {
    alice = { secret = "correct horse battery staple"; };
    bob = { secret = "tr0ub4dor and 3"; };
};
"""

INITIATOR = """
initiator = {{
    home = {{
        server = [ "{server}" ];
        network = "trusted";
        user = "{user}";
        password-file = "{dir}/password";
        ipv6 = true;
        lan = [ "lan0" ];
        dns = "none";                       # the machine's own resolver is not the lab's
    }};
}};
"""


class Home(Lab):
    """Builds the network; start_sc() and start_si() run the daemons."""

    def __init__(self, **kw):
        super().__init__(**kw)
        self.sc = self.si = None

    def __enter__(self):
        super().__enter__()
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def build(self):
        self.build_provider()
        self.build_nat()
        self.build_home()

    def build_provider(self):
        self.internet = Node(self, "internet6")
        self.sc_node = Node(self, "sc", forward=True)
        self.access = Node(self, "access", forward=True, ipv6=False)
        self.link(self.internet, "up0", self.sc_node, "core0", ["2001:db8:1::2/64"], ["2001:db8:1::1/64"])
        self.link(self.sc_node, "access0", self.access, "sc0", ["192.0.2.1/24"], ["192.0.2.254/24"])
        self.internet.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
        self.sc_node.ip("route", "add", "203.0.113.0/24", "via", "192.0.2.254")

    def build_nat(self):
        self.nat = Node(self, "nat", forward=True, ipv6=False)
        self.link(self.access, "home0", self.nat, "wan0", ["203.0.113.254/24"], ["203.0.113.7/24"])
        self.nat.ip("route", "add", "default", "via", "203.0.113.254")
        self.nat.nft("table ip nat { chain post { type nat hook postrouting priority 100; oifname wan0 masquerade random\n}\n}\n")

    def build_home(self):
        self.home = Node(self, "home")
        self.host = Node(self, "lan")
        self.link(self.nat, "in0", self.home, "wan0", ["192.168.1.1/24"], ["192.168.1.2/24"])
        self.link(self.home, "lan0", self.host, "eth0")
        self.home.ip("route", "add", "default", "via", "192.168.1.1")
        self.host.sysctl("net.ipv6.conf.eth0.accept_ra", 2)

    def write(self, name, file, text):
        directory = self.dir / name
        directory.mkdir(exist_ok=True)
        return secret_file(directory / file, text)

    def start_sc(self, config=CONCENTRATOR, users=USERS, **kw):
        self.write("concentrator", "users.conf", users)
        self.sc = Softwired(self.sc_node, "concentrator", config.format(dir=self.dir / "concentrator"), **kw)
        return self.sc

    def start_si(self, config=INITIATOR, user="alice", password="correct horse battery staple", server=SC_ADDRESS, **kw):
        self.write("initiator", "password", password + "\n")
        self.si = Softwired(
            self.home, "initiator", config.format(dir=self.dir / "initiator", user=user, server=server), **kw)
        return self.si

    def start_web(self, text="hello over IPv6\n"):
        directory = self.dir / "www"
        directory.mkdir(exist_ok=True)
        (directory / "index.html").write_text(text)
        web = self.internet.start("/usr/bin/python3", "-m", "http.server", "-d", directory, "-b", WEB, "80", log=self.dir / "web.log")
        wait_until("the web server answers", lambda: self.internet.sh("curl", "-s", f"http://[{WEB}]/", check=False).returncode == 0)
        return web

    def delegated(self):
        """The prefix that the initiator holds now, or None."""
        s = self.si.softwire()
        return s["delegated"][0] if s and s["delegated"] else None

    def wait_delegated(self, timeout=15):
        return wait_until("the home has a delegated prefix", self.delegated, timeout)

    def wait_host_address(self, timeout=15):
        """The LAN host's own address, by SLAAC from the home router's RA."""
        return wait_until("the LAN host has a global address", lambda: self.host.addresses("eth0"), timeout)[0]["local"]


class Direct(Home):
    """
    The initiator is what stands at the end of the access network, with a public IPv4 address and without any NAT:

        internet6 ---- sc ---- access ---- home ---- lan
                                           203.0.113.7
    """

    def build_nat(self):
        self.nat = None

    def build_home(self):
        self.home = Node(self, "home")
        self.host = Node(self, "lan")
        self.link(self.access, "home0", self.home, "wan0", ["203.0.113.254/24"], ["203.0.113.7/24"])
        self.link(self.home, "lan0", self.host, "eth0")
        self.home.ip("route", "add", "default", "via", "203.0.113.254")
        self.host.sysctl("net.ipv6.conf.eth0.accept_ra", 2)


SC_ADDRESS6 = "2001:db8:acc::1"


class Direct6(Direct):
    """Direct, with IPv6 on the access network too, where only the concentrator's own prefix is routed: 2001:db8:acc::1 and 2001:db8:ce::7."""

    def build_provider(self):
        super().build_provider()
        for key in ("all.disable_ipv6", "default.disable_ipv6", "sc0.disable_ipv6"):
            self.access.sysctl(f"net.ipv6.conf.{key}", 0)
        self.access.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.sc_node.ip("addr", "add", "2001:db8:acc::1/64", "dev", "access0", "nodad")
        self.access.ip("addr", "add", "2001:db8:acc::254/64", "dev", "sc0", "nodad")
        self.sc_node.ip("-6", "route", "add", "2001:db8:ce::/64", "via", "2001:db8:acc::254")

    def build_home(self):
        super().build_home()
        self.access.ip("addr", "add", "2001:db8:ce::254/64", "dev", "home0", "nodad")
        self.home.ip("addr", "add", "2001:db8:ce::7/64", "dev", "wan0", "nodad")
        self.home.ip("-6", "route", "add", "2001:db8:acc::/64", "via", "2001:db8:ce::254")


def with_names(lab, hosts):
    """In front of a command of lab.home.sh() or start(): a file of names instead of DNS."""
    (lab.dir / "nsswitch.conf").write_text("hosts: files\n")
    (lab.dir / "hosts").write_text(hosts)
    return ("sh", "-c", f"mount --bind {lab.dir}/nsswitch.conf /etc/nsswitch.conf && mount --bind {lab.dir}/hosts /etc/hosts && exec \"$@\"", "sh")


def without_lan(config=INITIATOR):
    """A host, not a router: no LAN, so no prefix is asked for."""
    return config.replace('lan = [ "lan0" ];', "")


def second_home(home, user, password, config=INITIATOR):
    """Another router behind the same NAT, at 192.168.2.2, with another LAN host; its running initiator."""
    node, host = Node(home, "home2"), Node(home, "lan2")
    home.link(home.nat, "in1", node, "wan0", ["192.168.2.1/24"], ["192.168.2.2/24"])
    home.link(node, "lan0", host, "eth0")
    node.ip("route", "add", "default", "via", "192.168.2.1")
    host.sysctl("net.ipv6.conf.eth0.accept_ra", 2)
    home.host2 = host
    home.write("initiator2", "password", password + "\n")
    return Softwired(node, "initiator2", config.format(dir=home.dir / "initiator2", user=user, server=SC_ADDRESS))
