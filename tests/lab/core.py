# SPDX-License-Identifier: GPL-2.0-or-later
"""
The topology of a softwire mesh (RFC 5565 section 3.1 and 3.2) around a core of three routers, for the lab tests and ./demo mesh:

    host1 --- ce1 --- afbr1 === p1 ======= p3 === afbr3 --- ce3 --- host3
                                 \\\\       //        \\
                                  \\\\     //          \\
                           rr ===== p2 === afbr2 --- ce2 --- host2

    ===  the core: one address family (6 or 4), OSPF as its IGP, by BIRD or FRR; P routers have no address of the clients' family, nor a route of it
    ---  client networks: the other family

AFBRs are known in the core by addresses of their own on lo, which the IGP carries. Our softwired runs at the AFBRs, and at the route reflector. CE routers have
an AS each and speak BGP (speakers.py: other people's); ce2 has two AFBRs. Of a smaller mesh parts are left out: CORE.afbrs, CORE.clients.
"""
import ipaddress
import json
import re
from concurrent.futures import ThreadPoolExecutor

from lab import BUILD, Lab, Node, Softwired, wait_until
from mesh import AS, neighbor, speaker, wait_up
from speakers import Bird, Frr, GoBgp, Peer, with_own

ALL_CE = {1: Bird, 2: Frr, 3: GoBgp}
ALL_LINKS = {1: (1,), 2: (2, 3), 3: (3,)}  # of CE routers: which AFBRs
CE_AS = {n: 64510 + n for n in (1, 2, 3)}


class Addresses:
    """Of a mesh whose core is of family CORE."""

    def __init__(self, core):
        self.core, self.client = core, 10 - core
        six = core == 6
        self.set = "2001:db8:ffff::/48" if six else "192.0.2.0/24"  # the core's own: endpoints and routers
        base = "2001:db8:ffff::" if six else "192.0.2."
        self.afbr = {n: f"{base}{n}" for n in (1, 2, 3)}
        self.p = {n: f"{base}{10 + n}" for n in (1, 2, 3)}
        self.rr = f"{base}99"
        self.whole = 128 if six else 32

    def core_link(self, number):
        """Both ends of a link of the core: OSPFv3 needs no addresses."""
        return ([], []) if self.core == 6 else ([f"10.255.0.{2 * number}/31"], [f"10.255.0.{2 * number + 1}/31"])

    def access(self, afbr, ce):
        """(AFBR's end, CE's end, prefix length)"""
        if self.client == 4:
            base = ipaddress.ip_address("203.0.113.0") + 16 * afbr + 4 * ce
            return str(base + 1), str(base + 2), 30
        return f"2001:db8:ce:{afbr}{ce}::1", f"2001:db8:ce:{afbr}{ce}::2", 64

    def network(self, ce):
        return f"198.18.{ce}.0/24" if self.client == 4 else f"2001:db8:{ce}00::/48"

    def host(self, ce):
        return f"198.18.{ce}.10" if self.client == 4 else f"2001:db8:{ce}00::10"

    def gateway(self, ce):
        return f"198.18.{ce}.1" if self.client == 4 else f"2001:db8:{ce}00::1"

    def lan_length(self):
        """The network is more than the LAN."""
        return 25 if self.client == 4 else 64


def parallel(*calls):
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


# ---- the core's IGP ----


class BirdIgp:
    """OSPF on the interfaces of the core; what it finds goes into the kernel."""

    def __init__(self, node, address, number, core):
        self.node, family = node, f"ipv{core}"
        self.dir = node.lab.dir / f"igp-{node.name}"
        self.dir.mkdir()
        (self.dir / "bird.conf").write_text(f"""log stderr all;
router id 10.0.0.{number};
protocol device {{ scan time 10; }}
protocol kernel {{ {family} {{ import none; export where source ~ [RTS_OSPF, RTS_OSPF_IA] && net != {address}/{128 if core == 6 else 32}; }}; }}
protocol ospf {"v3" if core == 6 else "v2"} core {{
    tick 1;
    {family} {{ import all; export none; }};
    area 0 {{
        stubnet {address}/{128 if core == 6 else 32};
        interface "core*", "to-*" {{ type ptp; hello 1; dead 4; retransmit 2; }};
    }};
}}
""")
        self.process = node.start("bird", "-f", "-c", self.dir / "bird.conf", "-s", self.dir / "ctl", "-P", self.dir / "pid", log=self.dir / "log")

    def pids(self):
        return [self.process.pid]


class FrrIgp:
    """The same by FRR: zebra, and ospf6d or ospfd."""

    def __init__(self, node, address, number, core):
        self.node = node
        self.dir = node.lab.dir / f"igp-{node.name}"
        self.dir.mkdir()
        node.lab.sh("chown", "frr:frr", self.dir)
        word, daemon = ("ipv6 ospf6", "ospf6d") if core == 6 else ("ip ospf", "ospfd")
        lines = ["interface lo", f" {word} area 0.0.0.0"] + ([f" {word} passive"] if core == 6 else [])
        for device in self.core_devices(node):
            lines += [f"interface {device}", f" {word} area 0.0.0.0", f" {word} network point-to-point", f" {word} hello-interval 1", f" {word} dead-interval 4"]
        lines += [f"router {'ospf6' if core == 6 else 'ospf'}", f" ospf{'6' if core == 6 else ''} router-id 10.0.0.{number}", " timers throttle spf 0 50 500"]
        lines += [" timers throttle lsa all 0", " timers lsa min-arrival 0"] if core == 4 else [" timers lsa min-arrival 0"]
        (self.dir / "ospf.conf").write_text("\n".join(lines) + "\n")
        common = ["--vty_socket", self.dir, "-z", self.dir / "zserv", "-P", 0, "--log", "stdout"]
        self.processes = [node.start(*with_own("/var/tmp", "/usr/lib/frr/zebra", "-f", "/dev/null", "-i", self.dir / "zebra.pid", *common), log=self.dir / "zebra.log")]
        wait_until("zebra answers", lambda: (self.dir / "zserv").exists())
        self.processes.append(node.start(
            *with_own("/var/tmp", f"/usr/lib/frr/{daemon}", "-f", self.dir / "ospf.conf", "-i", self.dir / "ospf.pid", *common), log=self.dir / "log"))

    @staticmethod
    def core_devices(node):
        links = json.loads(node.ip("-j", "link", "show").stdout)
        return [link["ifname"] for link in links if link["ifname"].startswith(("core", "to-"))]


# ---- CE routers that forward, too ----


class BirdCe(Bird):
    def configure(self, routes=None):
        super().configure(routes)
        with (self.dir / "bird.conf").open("a") as f:
            for family in ("ipv4", "ipv6"):
                f.write(f"protocol kernel {{ {family} {{ import none; export where source = RTS_BGP; }}; }}\n")


class FrrCe(Frr):
    def argv(self):
        return [a for a in super().argv() if a != "-n"]


CE_KINDS = {Bird: BirdCe, Frr: FrrCe, GoBgp: GoBgp}


def wait_ready(*daemons):
    for daemon in daemons:
        wait_until(f"{daemon.name} is ready", lambda: daemon.has("event=ready"), 15)


# ---- the mesh ----


class Core(Lab):
    """
    AFBRS: their numbers; P router N is at AFBR N, and those of numbers that are not there are left out, too (with two there is one link between two P routers).
    CES: number -> (AFBRs, kind of speakers.py); None for a kind: no BGP; the AFBR has a static route, and tells the network as its own.
    IGP: P router -> FrrIgp, where it is not BIRD's.
    """

    def __init__(self, core=6, afbrs=(1, 2, 3), ces=None, igp=None, reflector=True, name="core"):
        super().__init__(name=name)
        self.at, self.afbrs, self.igp_kinds, self.reflector = Addresses(core), afbrs, igp or {}, reflector
        self.ces = ces if ces is not None else {n: (ALL_LINKS[n], ALL_CE[n]) for n in (1, 2, 3)}

    def __enter__(self):
        super().__enter__()
        try:
            self.build()
        except BaseException:
            self.show_logs()
            self.close()
            raise
        return self

    def build(self):
        core, client = self.at.core, self.at.client
        self.p = {n: self.router(f"p{n}", self.at.p[n], ipv6=core == 6) for n in self.afbrs}
        self.afbr = {n: self.router(f"afbr{n}", self.at.afbr[n]) for n in self.afbrs}
        self.links = 0
        for n in self.afbrs:
            self.core_link(self.p[n], f"to-afbr{n}", self.afbr[n], "core0")
        for a, b in [(a, b) for a in self.afbrs for b in self.afbrs if a < b]:
            self.core_link(self.p[a], f"to-p{b}", self.p[b], f"to-p{a}")
        if self.reflector:
            self.rr_node = self.router("rr", self.at.rr)
            at = 2 if 2 in self.afbrs else self.afbrs[-1]
            self.core_link(self.p[at], "to-rr", self.rr_node, "core0")
        self.ce, self.host = {}, {}
        for n, (afbrs, _) in self.ces.items():
            self.ce[n], self.host[n] = Node(self, f"ce{n}", forward=True), Node(self, f"host{n}")
            for afbr in afbrs:
                near, far, length = self.at.access(afbr, n)
                self.link(self.afbr[afbr], f"ce{n}", self.ce[n], f"up{afbr}", [f"{near}/{length}"], [f"{far}/{length}"])
            self.link(self.ce[n], "lan0", self.host[n], "eth0", [f"{self.at.gateway(n)}/{self.at.lan_length()}"], [f"{self.at.host(n)}/{self.at.lan_length()}"])
            self.host[n].ip(f"-{client}", "route", "add", "default", "via", self.at.gateway(n))

    def router(self, name, address, ipv6=True, forward=True):
        node = Node(self, name, forward=forward, ipv6=ipv6)
        node.ip("addr", "add", f"{address}/{self.at.whole}", "dev", "lo")
        node.core_address = address
        return node

    def core_link(self, a, a_device, b, b_device):
        """Without a trace of the clients' family."""
        near, far = self.at.core_link(self.links)
        self.links += 1
        if self.at.core == 4:
            for node in (a, b):
                node.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.link(a, a_device, b, b_device, near, far)
        if self.at.core == 4:
            for node in (a, b):
                node.sysctl("net.ipv6.conf.default.disable_ipv6", 0)

    # ---- the core ----

    def start_igp(self, wait=True):
        members = [(self.p[n], 10 + n, self.igp_kinds.get(n, BirdIgp)) for n in self.afbrs]
        members += [(self.afbr[n], n, BirdIgp) for n in self.afbrs] + ([(self.rr_node, 99, BirdIgp)] if self.reflector else [])
        made = parallel(*[lambda m=m: m[2](m[0], m[0].core_address, m[1], self.at.core) for m in members])
        self.igp = {m[0].name: igp for m, igp in zip(members, made)}
        self.members = [m[0] for m in members]
        if wait:
            self.wait_igp()

    def wait_igp(self):
        """Everybody has a way to everybody."""
        for node in self.members:
            wanted = {m.core_address for m in self.members if m is not node}
            wait_until(f"the IGP has converged at {node.name}", lambda: wanted <= {r["dst"] for r in node.routes(self.at.core)}, 20)

    # ---- BGP ----

    def families(self, encap=True):
        return [f"ipv{self.at.client}"] + ([f"ipv{self.at.core}-encap"] if encap else [])

    def afbr_text(self, n, more=None, networks=(), **keys):
        """
        The configuration of AFBR N: neighbours are the reflector (or, without one, the other AFBRs), and its CE routers; MORE of them. NETWORKS beside those of clients
        without BGP (own_networks=False: instead of them). KEYS of `afbr`, with _ for -; those of `core` and `client` are added to what is there.
        """
        families = self.families()
        others = {"rr": self.at.rr} if self.reflector else {f"afbr{m}": self.at.afbr[m] for m in self.afbrs if m != n}
        neighbors = {name: neighbor(a, families=families, next_hop_self=True, advertisement_interval=0) for name, a in others.items()}
        networks, ce_devices, own = list(networks), [], keys.pop("own_networks", True)
        for ce, (afbrs, kind) in self.ces.items():
            if n in afbrs:
                ce_devices.append(f"ce{ce}")
                if kind:
                    neighbors[f"ce{ce}"] = neighbor(self.at.access(n, ce)[1], advertisement_interval=0, **{"as": CE_AS[ce], "import": "all", "export": "all"})
                elif own:
                    networks.append(self.at.network(ce))
        neighbors.update(more or {})
        core = {"address": self.at.afbr[n], "interfaces": ["core0"], **keys.pop("core", {})}
        client = {"interfaces": ce_devices, **keys.pop("client", {})}
        bgp = keys.pop("bgp", {})
        return speaker(n, AS, neighbors, networks=networks, core=core, afbr={"client": client, **keys}, **{"kernel": {"export": {}}, **bgp})

    def start_reflector(self, **kw):
        """It hears of next hops by the IGP, so that it tells of others as soon as one is gone."""
        clients = {f"afbr{n}": neighbor(self.at.afbr[n], families=self.families(), client=True, advertisement_interval=0, local_address=self.at.rr) for n in self.afbrs}
        self.rr = Softwired(self.rr_node, "rr", speaker(99, AS, clients, core=None, **kw), wait=False)

    def start_afbr(self, n, wait=False, kind=Softwired, program=None, **keys):
        return kind(self.afbr[n], f"afbr{n}", self.afbr_text(n, **keys), wait=wait, program=program)

    def start_ces(self):
        self.speaker = {}
        for n, (afbrs, kind) in self.ces.items():
            near = self.at.access(afbrs[0], n)[0]
            if not kind or kind is GoBgp:  # GoBGP tells routes and takes none into the kernel
                self.ce[n].ip(f"-{self.at.client}", "route", "add", "default", "via", near)
        with_bgp = [(n, afbrs, kind) for n, (afbrs, kind) in self.ces.items() if kind]
        made = parallel(*[lambda n=n, a=a, k=k: self.start_ce(n, a, k) for n, a, k in with_bgp])
        self.speaker.update({n: s for (n, _, _), s in zip(with_bgp, made)})

    def start_ce(self, n, afbrs, kind):
        own = self.at.access(afbrs[0], n)[1]
        local = (own, "::") if self.at.client == 4 else ("0.0.0.0", own)
        made = CE_KINDS[kind](self.ce[n], CE_AS[n], f"10.0.1.{n}", local, self.ce_peers(n, afbrs))
        made.announce(self.at.network(n))
        return made

    def ce_peers(self, n, afbrs):
        return [Peer(near, AS, (f"ipv{self.at.client}",), local=far) for near, far, _ in (self.at.access(a, n) for a in afbrs)]

    def static_clients(self):
        for n, (afbrs, kind) in self.ces.items():
            if not kind:
                for afbr in afbrs:
                    self.afbr[afbr].ip("route", "add", self.at.network(n), "via", self.at.access(afbr, n)[1])

    def change(self, daemon, text):
        """Another configuration, and what the reload says about it."""
        lines = daemon.conf.read_text().splitlines()[:3]
        daemon.conf.write_text("\n".join(lines) + "\n" + text)
        return daemon.ask("reload")["say"]

    # ---- what crosses ----

    def start_web(self, n, text, any_address=False):
        directory = self.dir / f"www{n}"
        directory.mkdir(exist_ok=True)
        (directory / "index.html").write_text(text)
        address = ("::" if self.at.client == 6 else "0.0.0.0") if any_address else self.at.host(n)
        self.host[n].start("/usr/bin/python3", "-m", "http.server", "-d", directory, "-b", address, "80", log=self.dir / f"web{n}.log")
        wait_until("the web server listens", lambda: ":0050 " in self.host[n].sh("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout)

    def url(self, n, path=""):
        host = self.at.host(n)
        return f"http://{f'[{host}]' if ':' in host else host}/{path}"

    def fetch(self, a, b, path="", timeout=5):
        return self.host[a].sh("curl", "-s", "-m", timeout, self.url(b, path), check=False).stdout

    def traceroute(self, a, b):
        return self.host[a].sh("traceroute", "-n", "-q", 1, "-w", 2, "-m", 12, self.at.host(b), check=False).stdout

    def one_packet(self, node, device):
        """tcpdump's words about a packet of a softwire; a function that waits for them."""
        among = "proto 4 or proto 41 or proto 47 or proto 115 or ip6 proto 4 or ip6 proto 41 or ip6 proto 47 or ip6 proto 115"
        process = node.start("tcpdump", "-n", "-t", "-v", "-l", "-c", 1, "-i", device, among, log=self.dir / f"one-{node.name}-{device}")
        wait_until("tcpdump listens", lambda: process.has("listening on"))

        def words():
            process.popen.wait(10)
            return "\n".join(line for line in process.text().splitlines() if not re.match("dropped|tcpdump|listening|\\d+ packet", line))
        return words

    def ping(self, a, b, **kw):
        return self.host[a].ping(self.at.host(b), **kw)

    def wait_ping(self, a, b, timeout=15):
        wait_until(f"host{a} reaches host{b}", lambda: self.ping(a, b), timeout)


class Pair(Core):
    """
    The smallest mesh: two AFBRs with static routes across one P router, a host behind each, which the AFBR has on a link and tells as a network of its own; and at the
    P router a speaker of BGP that can tell AFBRs anything (GoBGP), where a test starts it. AFBRs begin as a Debian host does: they forward nothing, and look at the way back
    to sources (rp_filter 2).

        host1 --- afbr1 ====== p ====== afbr2 --- host2
                               ||
                             teller
    """

    def __init__(self, core=6, name="pair"):
        super().__init__(core, (1, 2), {1: ((1,), None), 2: ((2,), None)}, reflector=False, name=name)

    def build(self):
        self.links = 0
        self.ce, self.host = {}, {}
        self.p = self.router("p", self.at.p[1], ipv6=self.at.core == 6)
        self.afbr = {n: self.router(f"afbr{n}", self.at.afbr[n], forward=False) for n in (1, 2)}
        for node in self.afbr.values():
            for key in ("all", "default"):
                node.sysctl(f"net.ipv4.conf.{key}.rp_filter", 2)
            node.sysctl("net.ipv4.icmp_ratelimit", 0)  # tests ask often
            node.sysctl("net.ipv6.icmp.ratelimit", 0)
        self.teller_node = self.router("teller", self.at.rr)
        for name, node in (("afbr1", self.afbr[1]), ("afbr2", self.afbr[2]), ("teller", self.teller_node)):
            self.core_link(self.p, f"to-{name}", node, "core0")
            self.static_core_routes(name, node)
        for n in (1, 2):
            self.host[n] = Node(self, f"host{n}")
            length = self.at.network(n).split("/")[1]
            self.link(self.afbr[n], f"ce{n}", self.host[n], "eth0", [f"{self.at.gateway(n)}/{length}"], [f"{self.at.host(n)}/{length}"])
            self.host[n].ip(f"-{self.at.client}", "route", "add", "default", "via", self.at.gateway(n))

    def static_core_routes(self, name, node):
        """There: whole address; back: what belongs to the core."""
        if self.at.core == 6:
            far, near = (f"fe80::{n}" for n in (self.links, 99))
            node.ip("addr", "add", f"{far}/64", "dev", "core0")
            self.p.ip("addr", "add", f"{near}/64", "dev", f"to-{name}")
        else:
            near, far = (end[0].split("/")[0] for end in self.at.core_link(self.links - 1))
        self.p.ip("route", "add", f"{node.core_address}/{self.at.whole}", "via", far, "dev", f"to-{name}")
        for other in (*self.at.afbr.values(), self.at.rr, self.at.p[1]):
            if other != node.core_address:
                node.ip("route", "add", f"{other}/{self.at.whole}", "via", near, "dev", "core0")

    def start_teller(self, families, afbrs=(1,)):
        """A neighbour of the AFBRs that speaks for others."""
        local = ("0.0.0.0", self.at.rr) if self.at.core == 6 else (self.at.rr, "::")
        self.teller = GoBgp(self.teller_node, AS, "10.0.0.99", local, [Peer(self.at.afbr[n], AS, tuple(families)) for n in afbrs])
        return self.teller

    def start_afbrs(self, **keys):
        """Both, with the same KEYS of `afbr`."""
        return self.start_each({1: keys, 2: keys})

    def start_each(self, keys):
        self.daemon = {n: self.start_afbr(n, **keys[n]) for n in (1, 2)}
        wait_ready(*self.daemon.values())
        wait_up(self.daemon[1], "afbr2")
        wait_up(self.daemon[2], "afbr1")
        return self.daemon


def mesh_routes(node, family):
    """What BGP has put into NODE's kernel: prefix -> route."""
    return {r["dst"]: r for r in node.routes(family) if r.get("protocol") == "172"}


def softwire_command(daemon, *words):
    return daemon.node.sh(BUILD / "src" / "softwire", "--socket", daemon.socket, *words, check=False)


# ---- what the operator sees ----


def endpoints(daemon):
    """Address -> row of `show endpoints`; where there are several to one address, the last one that paths lead to."""
    return {e["address"]: e for e in sorted(daemon.ask("show", "endpoints")["endpoints"], key=lambda e: bool(e["paths"]))}


def counters(daemon):
    return daemon.ask("show", "counters")["counters"]["afbr"]["mesh"]
