# SPDX-License-Identifier: GPL-2.0-or-later
"""
Other people's BGP speakers, as objects: BIRD, FRR, GoBGP and OpenBGPD with the same few words for each.

A speaker runs in the namespace of a node, with its files in a directory of the lab. Peers are configured when it is made; announce() and withdraw() work while
it runs. What it knows is read from its own command-line tool: sessions as Session, routes as Route, so that a test compares values and not texts.
Families have softwired's names. What a speaker cannot do raises NotImplementedError, or its families() leave it out.
"""
import base64
import contextlib
import dataclasses
import ipaddress
import json
import os
import re
import shutil
import signal
import struct
import subprocess

from lab import LabError, secret_file, wait_until

FAMILY = {"ipv4": (1, 1), "ipv6": (2, 1), "ipv4-labeled": (1, 4), "ipv6-labeled": (2, 4), "ipv4-encap": (1, 7), "ipv6-encap": (2, 7)}
FAMILY_NAME = {number: name for name, number in FAMILY.items()}


@dataclasses.dataclass
class Peer:
    """A neighbour of a speaker."""
    address: str
    as_number: int
    families: tuple = ("ipv4", "ipv6")
    password: str = None
    client: bool = False
    hops: int = None  # GTSM
    multihop: bool = False
    local: str = None  # our end, where it is another one than the speaker's


@dataclasses.dataclass
class Session:
    up: bool
    capabilities: set  # that the other end has offered: names
    families: set  # likewise
    next_hops: set  # families with IPv6 next hops (RFC 8950) that it has offered; None where the speaker does not tell


@dataclasses.dataclass
class Route:
    next_hop: str
    as_path: tuple = ()
    origin: str = None
    local_pref: int = None
    med: int = None
    communities: set = dataclasses.field(default_factory=set)
    extended: set = dataclasses.field(default_factory=set)  # route targets as rt:65000:7, others as the speaker writes them
    large: set = dataclasses.field(default_factory=set)
    originator: str = None
    clusters: tuple = ()
    label: int = None
    opaque: dict = dataclasses.field(default_factory=dict)  # number of an attribute that the speaker does not know: its bytes
    tunnels: list = None  # GoBGP: what it reads in attribute 23


def address(text):
    return str(ipaddress.ip_address(text))


def is_ipv6(text):
    return ipaddress.ip_address(text.split("/")[0]).version == 6


def with_own(directory, *argv, made="."):
    """To be run in a namespace of its own: DIRECTORY, which the program insists on, is its own, too, with the subdirectory MADE in it."""
    return "sh", "-c", f'mount -t tmpfs none {directory} && mkdir -p {directory}/{made} && exec "$@"', "sh", *argv


class Speaker:
    name = program = None

    def __init__(self, node, as_number, router_id, local, peers):
        self.node, self.as_number, self.router_id, self.local, self.peers = node, as_number, router_id, local, peers
        self.dir = node.lab.dir / f"{self.name}-{node.name}"
        self.dir.mkdir()
        self.log = self.dir / "log"
        self.configure()
        self.start()

    @classmethod
    def missing(cls):
        return shutil.which(cls.program) is None

    def start(self):
        self.process = self.node.start(*self.argv(), log=self.log)
        wait_until(f"{self.name} answers", self.answers)

    def stop(self):
        self.process.stop()

    def kill(self):
        """Without a word to anybody."""
        for pid in [*self.children(), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):  # it went with another one
                os.kill(pid, signal.SIGKILL)
        self.process.popen.wait()

    def children(self):
        out = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        return [int(pid) for pid in out.split()]

    def sh(self, *cmd, check=True):
        return self.node.lab.sh(*cmd, check=check).stdout

    def wait_up(self, *addresses, timeout=15):
        for a in addresses or [p.address for p in self.peers]:
            wait_until(f"{self.name} has a session with {a}", lambda: self.session(a).up, timeout)

    def hurry(self, peer_address):
        """Try again now, where it would rest after an error."""

    def heard(self, words):
        """Has the other end said this when it ended a session?"""
        return words in self.log.read_text(errors="replace")


def label_of(stack):
    """The label in three bytes (RFC 8277)."""
    return int.from_bytes(stack[:3], "big") >> 4


class Bird(Speaker):
    name, program = "bird", "bird"
    knows = {"ipv4", "ipv6", "ipv4-labeled", "ipv6-labeled"}
    CHANNEL = {"ipv4": "ipv4", "ipv6": "ipv6", "ipv4-labeled": "ipv4 mpls", "ipv6-labeled": "ipv6 mpls"}
    TABLE = {"ipv4": "master4", "ipv6": "master6", "ipv4-labeled": "labeled4", "ipv6-labeled": "labeled6"}
    CAPABILITY = {"Route refresh": "refresh", "Enhanced refresh": "enhanced-refresh", "Extended message": "extended-message",
                  "Graceful restart": "graceful-restart", "4-octet AS numbers": "as4", "Extended next hop": "extended-next-hop"}

    def argv(self):
        return "bird", "-f", "-c", self.dir / "bird.conf", "-s", self.dir / "ctl", "-P", self.dir / "pid", *self.options

    options = ()

    def restart(self):
        """After a kill: its neighbours are told that it has been there before (RFC 4724)."""
        self.options = ("-R",)
        self.start()

    def birdc(self, *words, check=True):
        return self.sh("birdc", "-r" if words[0] == "show" else "-v", "-s", self.dir / "ctl", *words, check=check)

    def answers(self):
        return (self.dir / "ctl").exists() and self.node.lab.sh("birdc", "-s", self.dir / "ctl", "show", "status", check=False).returncode == 0

    def protocol(self, peer_address):
        return f"p{[p.address for p in self.peers].index(peer_address)}"

    def channel(self, peer, family):
        words = ["import all;", "export where source ~ [RTS_BGP, RTS_STATIC];", f"table {self.TABLE[family]};"]
        if family.startswith("ipv4") and is_ipv6(peer.address):
            words.append("extended next hop on;")
        if peer.as_number == self.as_number and peer.client:
            words.append("next hop keep ibgp;")
        return f"    {self.CHANNEL[family]} {{ {' '.join(words)} }};"

    def protocol_text(self, peer):
        internal = peer.as_number == self.as_number
        lines = [f"protocol bgp {self.protocol(peer.address)} {{", f"    local {peer.local or self.local[is_ipv6(peer.address)]} as {self.as_number};",
                 f"    neighbor {peer.address} as {peer.as_number};", "    direct;" if not internal and not peer.multihop else "    multihop;",
                 "    hold time 9; connect delay time 1; connect retry time 1; error wait time 1, 2;",
                 "    enable extended messages on; graceful restart on; enable route refresh on; interpret communities on;"]
        lines += [f'    password "{peer.password}";'] if peer.password else []
        lines += ["    rr client;"] if peer.client and internal else []
        lines += ["    ttl security on;"] if peer.hops else []
        lines += [self.channel(peer, f) for f in peer.families if f in self.knows]
        return "\n".join(lines + ["}"])

    def configure(self, routes=None):
        self.own = {} if routes is None else routes
        text = [f"log stderr all;\nrouter id {self.router_id};\nipv4 table labeled4;\nipv6 table labeled6;",
                "protocol device { scan time 1; }\nprotocol direct { ipv4; ipv6; }"]
        for family, table in self.TABLE.items():
            rows = "\n".join(r for (f, _), r in self.own.items() if f == family)
            text.append(f"protocol static {table}_own {{ {family[:4]} {{ table {table}; }};\n{rows}\n}}")
        text += [self.protocol_text(p) for p in self.peers]
        (self.dir / "bird.conf").write_text("\n".join(text) + "\n")

    def announce(self, prefix, family=None, communities=(), extended=(), large=(), med=None, label=None):
        """EXTENDED: ("rt", 65000, 7). LABEL: of a labeled family; the next hop is a neighbour on the link, then."""
        family = family or ("ipv6" if is_ipv6(prefix) else "ipv4")
        words = [f"bgp_community.add(({c.replace(':', ',')}));" for c in communities]
        words += [f"bgp_ext_community.add(({', '.join(map(str, e))}));" for e in extended]
        words += [f"bgp_large_community.add(({c.replace(':', ',')}));" for c in large]
        words += [f"bgp_med = {med};"] if med is not None else []
        where = f"via {self.local[is_ipv6(self.peers[0].address)]} mpls {label}" if label else "unreachable"
        self.configure({**self.own, (family, prefix): f"route {prefix} {where} {{ {' '.join(words)} }};"})
        self.birdc("configure")

    def withdraw(self, prefix, family=None):
        family = family or ("ipv6" if is_ipv6(prefix) else "ipv4")
        self.configure({k: v for k, v in self.own.items() if k != (family, prefix)})
        self.birdc("configure")

    def session(self, peer_address):
        text = self.birdc("show", "protocols", "all", self.protocol(peer_address))
        theirs = re.search(r"Neighbor capabilities\n(.*?)\n    \S", text, re.S)
        theirs = theirs.group(1) + "\n" if theirs else ""
        names = {known for line in theirs.splitlines() for word, known in self.CAPABILITY.items() if line.strip() == word}
        families = re.search(r"AF announced:(.*)", theirs)
        hops = re.search(r"IPv6 nexthop:(.*)", theirs)
        ours = lambda m: {w.replace("-mpls", "-labeled") for w in m.group(1).split()} if m else set()
        return Session(bool(re.search(r"BGP state: +Established", text)), names, ours(families), ours(hops))

    def routes(self, peer_address, family):
        found = {}
        text = self.birdc("show", "route", "all", "table", self.TABLE[family], "protocol", self.protocol(peer_address))
        for block in re.findall(r"^(\S+/\d+ .*(?:\n\t.*)*)", text, re.M):
            prefix = block.split()[0]
            values = dict(re.findall(r"\n\tBGP\.(\w+)(?: \[\w*\])?: ?(.*)", block))
            found[prefix] = self.route(values)
        return found

    @staticmethod
    def route(v):
        pairs = lambda text: {t.replace(",", ":").replace(" ", "") for t in re.findall(r"\(([^)]*)\)", text or "")}
        return Route(
            address(v["next_hop"].split()[0]), tuple(int(n) for n in v.get("as_path", "").split()), v.get("origin", "").lower(),
            int(v["local_pref"]) if "local_pref" in v else None, int(v["med"]) if "med" in v else None,
            pairs(v.get("community")), pairs(v.get("ext_community")), pairs(v.get("large_community")), v.get("originator_id"),
            tuple(v.get("cluster_list", "").split()), int(v["mpls_label_stack"].split()[0]) if v.get("mpls_label_stack") else None,
            {int(k, 16): bytes.fromhex(b) for k, b in v.items() if re.fullmatch("[0-9a-f]{2}", k)})

    def shutdown(self, peer_address, words):
        self.birdc("disable", self.protocol(peer_address), f'"{words}"')

    def enable(self, peer_address):
        self.birdc("enable", self.protocol(peer_address))

    def refresh(self, peer_address):
        """Asks for all of its routes again."""
        self.birdc("reload", "in", self.protocol(peer_address))


class Frr(Speaker):
    name, program = "frr", "/usr/lib/frr/bgpd"
    knows = {"ipv4", "ipv6", "ipv4-labeled", "ipv6-labeled"}
    AF = {"ipv4": "ipv4 unicast", "ipv6": "ipv6 unicast", "ipv4-labeled": "ipv4 labeled-unicast", "ipv6-labeled": "ipv6 labeled-unicast"}
    JSON = {"ipv4Unicast": "ipv4", "ipv6Unicast": "ipv6", "ipv4LabeledUnicast": "ipv4-labeled", "ipv6LabeledUnicast": "ipv6-labeled"}
    CAPABILITY = {"4byteAs": "as4", "extendedMessage": "extended-message", "extendedNexthop": "extended-next-hop", "routeRefresh": "refresh",
                  "enhancedRouteRefresh": "enhanced-refresh", "gracefulRestart": "graceful-restart"}

    def start(self):
        """zebra first: without it bgpd knows no interfaces, and takes no link-local next hop."""
        shutil.chown(self.dir, "frr", "frr")  # neither stays root
        common = ["--vty_socket", self.dir, "-z", self.dir / "zserv", "-P", 0, "--log", "stdout"]
        zebra = with_own("/var/tmp", "/usr/lib/frr/zebra", "-f", "/dev/null", "-i", self.dir / "zebra.pid", *common)
        self.zebra = self.node.start(*zebra, log=self.dir / "zebra.log")
        wait_until("zebra answers", lambda: (self.dir / "zserv").exists())
        self.common = common
        super().start()

    def argv(self):
        return with_own("/var/tmp", self.program, "-f", self.dir / "bgpd.conf", "-i", self.dir / "bgpd.pid", "-n", *self.common)

    def vtysh(self, *commands, check=True):
        return self.sh("vtysh", "--vty_socket", self.dir, *sum((["-c", c] for c in commands), []), check=check)

    def json(self, command):
        return json.loads(self.vtysh(command) or "{}")

    def answers(self):
        return (self.dir / "bgpd.vty").exists() and "FRRouting" in self.vtysh("show version", check=False)

    def configure(self):
        lines = ["frr defaults datacenter", "hostname frr", "log stdout", f"router bgp {self.as_number}", f" bgp router-id {self.router_id}",
                 " no bgp default ipv4-unicast", " no bgp network import-check", " bgp graceful-restart", " timers bgp 3 9",
                 " no bgp ebgp-requires-policy"]
        for p in self.peers:
            at = f" neighbor {p.address} "
            lines += [at + f"remote-as {p.as_number}", at + "timers connect 1", at + "capability extended-nexthop", at + "advertisement-interval 0"]
            lines += [at + f"password {p.password}"] if p.password else []
            lines += [at + f"ttl-security hops {p.hops}"] if p.hops else []
            lines += [at + "ebgp-multihop"] if p.multihop else []
        for family, name in self.AF.items():
            lines.append(f" address-family {name}")
            for p in self.peers:
                if family in p.families:  # unicast and labeled unicast of one family are one too many for a session
                    lines.append(f"  neighbor {p.address} activate")
                    lines += [f"  neighbor {p.address} route-reflector-client"] if p.client and p.as_number == self.as_number else []
            lines.append(" exit-address-family")
        (self.dir / "bgpd.conf").write_text("\n".join(lines) + "\n")

    def announce(self, prefix, family=None, communities=(), extended=(), large=(), med=None):
        """EXTENDED: ("rt", 65000, 7)."""
        family = family or ("ipv6" if is_ipv6(prefix) else "ipv4")
        name = "m" + re.sub(r"\W", "_", prefix)
        sets = [f"set community {' '.join(communities)}"] if communities else []
        sets += [f"set extcommunity {kind} {a}:{b}" for kind, a, b in extended]
        sets += [f"set large-community {' '.join(large)}"] if large else []
        sets += [f"set metric {med}"] if med is not None else []
        self.vtysh("configure terminal", f"route-map {name} permit 10", *sets, "exit", f"router bgp {self.as_number}", f"address-family {self.AF[family]}",
                   f"network {prefix} route-map {name}")

    def withdraw(self, prefix, family=None):
        family = family or ("ipv6" if is_ipv6(prefix) else "ipv4")
        self.vtysh("configure terminal", f"router bgp {self.as_number}", f"address-family {self.AF[family]}", f"no network {prefix}")

    def session(self, peer_address):
        row = self.json(f"show bgp neighbors {peer_address} json").get(peer_address, {})
        said = row.get("neighborCapabilities", {})
        received = lambda value: "eceived" in json.dumps(value)
        names = {known for word, known in self.CAPABILITY.items() if received(said.get(word, ""))}
        families = {self.JSON[f] for f, v in said.get("multiprotocolExtensions", {}).items() if f in self.JSON and received(v)}
        hops = {self.JSON[f] for f in said.get("extendedNexthopFamililesByPeer", {}) if f in self.JSON}
        return Session(row.get("bgpState") == "Established", names, families, hops)

    def routes(self, peer_address, family):
        found = {}
        table = self.json(f"show bgp {self.AF[family]} json detail").get("routes", {})
        for prefix, parts in table.items():
            for path in parts:
                if path.get("peer", {}).get("peerId") == peer_address:
                    found[prefix] = self.route(path)
        return found

    @staticmethod
    def route(p):
        hops = [h["ip"] for h in p["nexthops"] if h.get("scope", "global") == "global"]
        path = tuple(int(n) for s in p["aspath"]["segments"] for n in s["list"])
        return Route(
            address(hops[0]), path, p["origin"].lower(), p.get("locPrf"), p.get("metric"), set(p.get("community", {}).get("list", [])),
            {e.lower() for e in p.get("extendedCommunity", {}).get("string", "").split()}, set(p.get("largeCommunity", {}).get("list", [])), p.get("originatorId"),
            tuple(p.get("clusterList", {}).get("list", [])), p.get("remoteLabel"))

    def connections(self, peer_address):
        """How many sessions there have been."""
        return self.json(f"show bgp neighbors {peer_address} json")[peer_address]["connectionsEstablished"]

    def shutdown(self, peer_address, words):
        self.vtysh("configure terminal", f"router bgp {self.as_number}", f"neighbor {peer_address} shutdown message {words}")

    def enable(self, peer_address):
        self.vtysh("configure terminal", f"router bgp {self.as_number}", f"no neighbor {peer_address} shutdown")

    def refresh(self, peer_address):
        self.vtysh(f"clear bgp {peer_address} soft in")


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def member(number, value):
    """A field of a protocol buffer."""
    return varint(number << 3) + varint(value) if isinstance(value, int) else varint(number << 3 | 2) + varint(len(value)) + value


def attribute(flags, kind, value):
    """A path attribute (RFC 4271 section 4.3), with a length of two octets."""
    return bytes([flags | 0x10, kind]) + struct.pack("!H", len(value)) + value


def nlri(prefix):
    network = ipaddress.ip_network(prefix)
    return bytes([network.prefixlen]) + network.network_address.packed[:(network.prefixlen + 7) // 8]


class GoBgp(Speaker):
    name, program = "gobgp", "gobgpd"
    knows = set(FAMILY)
    AFI_SAFI = {"ipv4": "ipv4-unicast", "ipv6": "ipv6-unicast", "ipv4-labeled": "ipv4-labelled-unicast", "ipv6-labeled": "ipv6-labelled-unicast",
                "ipv4-encap": "ipv4-encap", "ipv6-encap": "ipv6-encap"}
    # For its command-line tool, which calls one family so; ipv6-encap it does not know, although the daemon does.
    SHOW = {"ipv4": "ipv4", "ipv6": "ipv6", "ipv4-labeled": "ipv4-mpls", "ipv6-labeled": "ipv6-mpls", "ipv4-encap": "encap"}
    CAPABILITY = {"FourOctetASNCapability": "as4", "RouteRefreshCapability": "refresh", "EnhancedRouteRefreshCapability": "enhanced-refresh",
                  "GracefulRestartCapability": "graceful-restart", "ExtendedNexthopCapability": "extended-next-hop"}

    def argv(self):
        return "gobgpd", "-f", self.dir / "gobgpd.toml", "-p", "--pprof-disable", "--api-hosts", f"unix://{self.dir}/api"

    def gobgp(self, *words, check=True):
        return self.sh("gobgp", "--target", f"unix://{self.dir}/api", *words, check=check)

    def answers(self):
        return (self.dir / "api").exists() and self.node.lab.sh("gobgp", "--target", f"unix://{self.dir}/api", "global", check=False).returncode == 0

    def configure(self):
        lines = ["[global.config]", f"as = {self.as_number}", f'router-id = "{self.router_id}"']
        for p in self.peers:
            lines += ["[[neighbors]]", "[neighbors.config]", f'neighbor-address = "{p.address}"', f"peer-as = {p.as_number}"]
            lines += [f'auth-password = "{p.password}"'] if p.password else []
            lines += ["[neighbors.timers.config]", "connect-retry = 1", "hold-time = 9", "keepalive-interval = 3", "idle-hold-time-after-reset = 1",
                      "[neighbors.graceful-restart.config]", "enabled = true", "restart-time = 20"]
            if p.client and p.as_number == self.as_number:
                lines += ["[neighbors.route-reflector.config]", "route-reflector-client = true", f'route-reflector-cluster-id = "{self.router_id}"']
            lines += ["[neighbors.ttl-security.config]", "enabled = true", f"ttl-min = {256 - p.hops}"] if p.hops else []
            lines += ["[neighbors.ebgp-multihop.config]", "enabled = true", "multihop-ttl = 8"] if p.multihop else []
            for f in p.families:
                lines += ["[[neighbors.afi-safis]]", "[neighbors.afi-safis.config]", f'afi-safi-name = "{self.AFI_SAFI[f]}"',
                          "[neighbors.afi-safis.mp-graceful-restart.config]", "enabled = true"]
        (self.dir / "gobgpd.toml").write_text("\n".join(lines) + "\n")

    def call(self, method, message):
        """A gRPC call by hand, since the command-line tool knows neither all families nor attributes as bytes."""
        run = subprocess.run(
            ["curl", "-s", "-D", "-", "-o", "/dev/null", "--http2-prior-knowledge", "--unix-socket", self.dir / "api", "-H", "content-type: application/grpc",
             "-H", "te: trailers", "--data-binary", "@-", f"http://localhost/apipb.GobgpApi/{method}"],
            input=b"\0" + struct.pack("!I", len(message)) + message, capture_output=True, timeout=30)
        answer = run.stdout.decode()
        if "grpc-status: 0" not in answer:
            raise LabError(f"gobgpd {method}: {answer}")

    def path(self, family, reach, attributes, withdraw=False):
        afi, safi = FAMILY[family]
        path = member(20, reach) + b"".join(member(21, a) for a in attributes) + member(9, member(1, afi) + member(2, safi))
        return member(1, 0) + member(3, path + (member(5, 1) if withdraw else b""))

    def announce(self, prefix, family=None, next_hop=None, attributes=(), label=None, withdraw=False):
        """ATTRIBUTES: (flags, number, bytes), any, beside ORIGIN and AS_PATH; NEXT_HOP: by default the own address in the family of the first session."""
        family = family or ("ipv6" if is_ipv6(prefix) else "ipv4")
        reach = nlri(prefix)
        if label is not None:
            reach = bytes([reach[0] + 24]) + (label << 4 | 1).to_bytes(3, "big") + reach[1:]
        hop = ipaddress.ip_address(next_hop or self.local[is_ipv6(self.peers[0].address)]).packed
        afi, safi = FAMILY[family]
        mp = struct.pack("!HBB", afi, safi, len(hop)) + hop + b"\0" + reach
        first = [attribute(0x40, 1, b"\0"), attribute(0x40, 2, b"")]
        self.call("AddPath", self.path(family, reach, [*first, attribute(0x80, 14, mp), *(attribute(*a) for a in attributes)], withdraw))

    def withdraw(self, prefix, family=None, **kw):
        self.announce(prefix, family, withdraw=True, **kw)

    def session(self, peer_address):
        row = json.loads(self.gobgp("-j", "neighbor", peer_address))
        names, families, hops = set(), set(), set()
        for c in row["state"].get("remote_cap", []):
            kind, value = c["type_url"].split(".")[-1], base64.b64decode(c.get("value", ""))
            if kind in self.CAPABILITY:
                names.add(self.CAPABILITY[kind])
            if kind == "MultiProtocolCapability":
                families.add(FAMILY_NAME.get((value[3], value[5])))
            if kind == "ExtendedNexthopCapability":
                hops |= {FAMILY_NAME.get((value[i + 5], value[i + 7])) for i in range(0, len(value), 14)}
            if kind == "UnknownCapability" and value[:2] == b"\x08\x06":
                names.add("extended-message")
        return Session(row["state"].get("session_state") == 6, names, families, hops)

    def routes(self, peer_address, family):
        table = json.loads(self.gobgp("-j", "neighbor", peer_address, "adj-in", "-a", self.SHOW[family]) or "{}")
        whole = "/32" if family == "ipv4-encap" else ""
        return {prefix + whole: self.route(paths[0], family) for prefix, paths in table.items()}

    @staticmethod
    def route(path, family):
        by = {a["type"]: a for a in path["attrs"]}
        value = lambda kind, key="value", otherwise=None: by.get(kind, {}).get(key, otherwise)
        colon = lambda n: f"{n >> 16}:{n & 0xffff}"
        labels = path["nlri"].get("labels", [])
        known = {1, 2, 3, 4, 5, 8, 9, 10, 14, 16, 23, 32}
        return Route(
            address(value(14, "nexthop") or value(3, "nexthop")), tuple(n for s in value(2, "as_paths", []) for n in s["asns"]),
            ("igp", "egp", "incomplete")[value(1)], value(5), value(4, "metric"), {colon(n) for n in value(8, "communities", [])},
            {f"rt:{e['value']}" if (e["type"], e["subtype"]) == (0, 2) else json.dumps(e, sort_keys=True) for e in value(16, otherwise=[])},
            {f"{c['ASN']}:{c['LocalData1']}:{c['LocalData2']}" for c in value(32, otherwise=[])}, value(9), tuple(value(10, otherwise=[])),
            labels[0] if labels else None, {k: base64.b64decode(a["value"]) for k, a in by.items() if k not in known and "value" in a}, value(23))

    def shutdown(self, peer_address, words):
        self.gobgp("neighbor", peer_address, "shutdown", "--reason", words)

    def enable(self, peer_address):
        self.gobgp("neighbor", peer_address, "enable")

    def refresh(self, peer_address):
        self.gobgp("neighbor", peer_address, "softresetin")


class OpenBgpd(Speaker):
    name, program = "openbgpd", "/usr/sbin/bgpd"
    knows = {"ipv4", "ipv6"}
    FAMILY = {"ipv4": "IPv4 unicast", "ipv6": "IPv6 unicast"}
    CAPABILITY = {"as4byte": "as4", "refresh": "refresh", "enhanced_refresh": "enhanced-refresh", "graceful_restart": "graceful-restart"}

    def argv(self):
        # Its processes change their root to a directory there.
        return with_own("/run", self.program, "-d", "-v", "-f", self.dir / "bgpd.conf", made="openbgpd")

    def bgpctl(self, *words, check=True):
        return self.sh("bgpctl", "-s", self.dir / "ctl", *words, check=check)

    def answers(self):
        return (self.dir / "ctl").exists() and self.node.lab.sh("bgpctl", "-s", self.dir / "ctl", "show", check=False).returncode == 0

    def configure(self):
        lines = [f"AS {self.as_number}", f"router-id {self.router_id}", f'socket "{self.dir}/ctl"', "holdtime 9", "connect-retry 1"]
        for p in self.peers:
            lines += [f"neighbor {p.address} {{", f"  remote-as {p.as_number}", f"  local-address {self.local[is_ipv6(p.address)]}", "  announce enhanced refresh yes"]
            lines += [f"  announce {self.FAMILY[f]}" for f in p.families] + [f"  announce {name} none" for f, name in self.FAMILY.items() if f not in p.families]
            lines += [f'  tcp md5sig password "{p.password}"'] if p.password else []
            lines += ["  route-reflector"] if p.client and p.as_number == self.as_number else []
            lines += ["  ttl-security yes"] if p.hops else []
            lines += ["  multihop 8"] if p.multihop else []
            lines.append("}")
        secret_file(self.dir / "bgpd.conf", "\n".join([*lines, "allow from any", "allow to any"]) + "\n")

    def announce(self, prefix, communities=(), extended=(), large=(), med=None):
        """EXTENDED: ("rt", 65000, 7). The next hop is said, since over a session of the other family it would be a loopback address."""
        words = ["nexthop", self.local[is_ipv6(prefix)]] + sum((["community", c] for c in communities), []) + sum((["large-community", c] for c in large), [])
        words += sum((["ext-community", e[0], f"{e[1]}:{e[2]}"] for e in extended), []) + (["med", str(med)] if med is not None else [])
        self.bgpctl("network", "add", prefix, *words)

    def withdraw(self, prefix):
        self.bgpctl("network", "delete", prefix)

    def session(self, peer_address):
        rows = json.loads(self.bgpctl("-j", "show", "neighbor", peer_address))["neighbors"]
        row = rows[0] if rows else {}
        said = row.get("session", {}).get("remote", {}).get("capabilities", {})
        names = {known for word, known in self.CAPABILITY.items() if said.get(word)}
        families = {f for f, name in self.FAMILY.items() if name in said.get("multiprotocol", [])}
        return Session(row.get("state") == "Established", names, families, None)

    def routes(self, peer_address, family):
        rows = json.loads(self.bgpctl("-j", "show", "rib", "neighbor", peer_address, "in", "detail")).get("rib", [])
        return {r["prefix"]: self.route(r) for r in rows if is_ipv6(r["prefix"]) == (family == "ipv6")}

    @staticmethod
    def route(r):
        found = Route(
            address(r["exit_nexthop"]), tuple(int(n) for n in r["aspath"].split()), r["origin"].lower(), r.get("localpref"), r.get("metric"),
            set(r.get("communities", [])), {e.replace(" ", ":") for e in r.get("extended_communities", [])}, set(r.get("large_communities", [])))
        for a in r.get("attributes", []):
            if a["type"] == "Originator Id":
                found.originator = a["originator"]
            elif a["type"] == "Cluster Id List":
                found.clusters = tuple(a["cluster_list"])
            elif "data" in a:
                found.opaque[int(re.search(r"\d+", str(a["type"])).group())] = bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", a["data"]))
        return found

    def shutdown(self, peer_address, words):
        self.bgpctl("neighbor", peer_address, "down", words)

    def enable(self, peer_address):
        self.bgpctl("neighbor", peer_address, "up")

    def hurry(self, peer_address):
        self.bgpctl("neighbor", peer_address, "clear")

    def refresh(self, peer_address):
        self.bgpctl("neighbor", peer_address, "refresh")

    def heard(self, words):
        rows = json.loads(self.bgpctl("-j", "show", "neighbor"))["neighbors"]
        return super().heard(words) or any(words in json.dumps(r) for r in rows)


ALL = (Bird, Frr, GoBgp, OpenBgpd)
