# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs in the kernel lab: softwired as AFBR, with the guest's kernel for the far end of each encapsulation: ip6_tunnel, ip6_gre, sit, ip_gre, MPLS.

                     2001:db8:ffff::1   IPv6 only   ::2, ::3
               ,---- afbr6 ======================== far6 ----.
    client ----|                                             |---- server
               `---- afbr4 ======================== far4 ----'
                     192.0.2.1          IPv4 only   .2, .3

Behind the far kernels each way to pack has prefixes of its own (Row): GoBGP at far6 and far4 tells AFBRs how packets for them are to be packed, and the far kernel
packs what comes from there in the same way: with the key that the AFBR has told GoBGP, or with explicit null as label, the one that our AFBRs take.

Linux's L2TPv3 is not here: its sessions carry Ethernet frames (RFC 4719) or PPP, ours carry IP and MPLS (RFC 5565, RFC 4817); nor has this kernel L2TP over IP.
"""
import contextlib
import ctypes
import json
import os
import socket
import struct
import threading
from dataclasses import dataclass

from peers import Guest
from lab import LabError, Node, Softwired, wait_until
from mesh import neighbor, setting
from speakers import GoBgp, Peer

AS = 65000
FAR_KEY, WRONG_KEY = 0xfeedf00d, 0x0badbad0
BULK = 20000
IPIP, GRE, MPLS_GRE = 7, 2, 11  # tunnel types
CLONE_NEWNET = 0x40000000


@dataclass
class Row:
    """Packets for PREFIX, where SERVER is: the far kernel's end of the softwire has the number OUTER, its device is DEVICE. The AFBR is told TUNNEL (None: nothing), KEY, LABEL."""
    name: str
    prefix: str
    outer: int = 2
    device: str = None
    tunnel: int = None
    key: int = None
    label: int = None

    @property
    def six(self):
        return ":" in self.prefix

    @property
    def server(self):
        return self.prefix.split("/")[0].removesuffix("0") + "1"

    def family(self):
        return ("ipv6" if self.six else "ipv4") + ("-labeled" if self.label else "")

    def attributes(self):
        """RFC 9012 section 2: one tunnel; its egress endpoint is the next hop (section 3.1), its key, its payload (sections 3.2 and 3.4.1)."""
        if self.tunnel is None:
            return []
        parts = bytes([6, 6]) + bytes(6)
        if self.key:
            parts += bytes([1, 4]) + struct.pack("!I", self.key)
        if self.label and self.tunnel != MPLS_GRE:
            parts += bytes([2, 2, 0x88, 0x47])
        return [(0xc0, 23, struct.pack("!HH", self.tunnel, len(parts)) + parts)]


# Devices of a far kernel: to OUTER they come from one end of it, and the kernel tells them apart by protocol and key.
CORES = {
    6: {
        "base": "2001:db8:ffff::", "length": 64,
        "devices": {
            # With the Tunnel Encapsulation Limit option (RFC 2473 section 4.1.1), which is the kernel's own default, and without.
            "ipip": ("ip6tnl", 2, "mode", "any"), "ipip-bare": ("ip6tnl", 3, "mode", "any", "encaplimit", "none"),
            "gre": ("ip6gre", 2), "gre-bare": ("ip6gre", 3, "encaplimit", "none"),
            "key": ("ip6gre", 2, "ikey", FAR_KEY, "okey"), "wrong": ("ip6gre", 3, "ikey", FAR_KEY, "okey", WRONG_KEY),
        },
        "rows": [
            Row("ipip", "198.51.101.0/24", 2, "ipip"),
            Row("ipip-bare", "198.51.102.0/24", 3, "ipip-bare", IPIP),
            Row("gre", "198.51.103.0/24", 2, "gre", GRE),
            Row("gre-bare", "198.51.104.0/24", 3, "gre-bare", GRE),
            Row("key", "198.51.105.0/24", 2, "key", GRE, key=FAR_KEY),
            Row("mpls-in-ip", "198.51.106.0/24", 2, "ipip", IPIP, label=1006),
            Row("mpls-in-gre", "198.51.107.0/24", 2, "gre", MPLS_GRE, label=1007),
            Row("same-family", "2001:db8:108::/48", 2, "gre", GRE),
            Row("wrong-key", "198.51.109.0/24", 3, "wrong", GRE, key=FAR_KEY),
        ],
    },
    4: {
        "base": "192.0.2.", "length": 24,
        "devices": {
            "ipip": ("sit", 2, "mode", "any"), "gre": ("gre", 2), "key": ("gre", 2, "ikey", FAR_KEY, "okey"),
            "wrong": ("gre", 3, "ikey", FAR_KEY, "okey", WRONG_KEY),
        },
        "rows": [
            Row("ipip", "2001:db8:201::/48", 2, "ipip"),
            Row("gre", "2001:db8:203::/48", 2, "gre", GRE),
            Row("key", "2001:db8:205::/48", 2, "key", GRE, key=FAR_KEY),
            Row("mpls-in-ip", "2001:db8:206::/48", 2, "ipip", label=2006),
            Row("mpls-in-gre", "2001:db8:207::/48", 2, "gre", MPLS_GRE, label=2007),
            Row("same-family", "198.51.208.0/24", 2, "gre", GRE),
            Row("wrong-key", "2001:db8:209::/48", 3, "wrong", GRE, key=FAR_KEY),
        ],
    },
}


@contextlib.contextmanager
def inside(node):
    """Sockets that are made here are NODE's."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path):
        fd = os.open(path, os.O_RDONLY)
        try:
            if libc.setns(fd, CLONE_NEWNET):
                raise LabError(f"{path}: {os.strerror(ctypes.get_errno())}")
        finally:
            os.close(fd)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    enter(f"/run/netns/{node.ns}")
    try:
        yield
    finally:
        enter(f"/proc/self/fd/{own}")
        os.close(own)


def read_all(s, size):
    data = b""
    while len(data) < size:
        more = s.recv(size - len(data))
        if not more:
            break
        data += more
    return data


def tcp(node, address, peer, peer_address):
    """NODE connects to PEER; so many bytes there, and the same ones back. True, or what went wrong."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(peer):
        listener = socket.create_server((peer_address, 0), family=family)
    with inside(node):
        s = socket.socket(family, socket.SOCK_STREAM)
    data, back = b"".join(b"%08d" % i for i in range(BULK // 8)), b""  # nothing that a decoder could take for another protocol

    def serve():
        with contextlib.suppress(OSError):
            listener.settimeout(8)
            c, _ = listener.accept()
            with c:
                c.settimeout(8)
                c.sendall(read_all(c, BULK))
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with s:
            s.settimeout(8)
            s.bind((address, 0))
            s.connect(listener.getsockname()[:2])
            s.sendall(data)
            back = read_all(s, BULK)
    except OSError as e:
        return f"{e}, after {len(back)} octets"
    finally:
        thread.join()
        listener.close()
    return back == data or f"{len(back)} octets of {BULK}, or others"


def ping(node, source, destination, size=None, patience=5):
    """How many answers came to three questions, which are asked again as long as fewer have come; with all that ping says, if it says nothing of them."""
    words = ["-s", size - (48 if ":" in destination else 28), "-M", "do"] if size else []
    words += ["-w", patience] if patience else ["-W", 1]
    run = node.sh("ping", "-n", "-q", "-c", 3, "-i", 0.02, "-I", source, *words, destination, check=False)
    got = run.stdout.split(" received")[0].split()[-1:]
    return int(got[0]) if got and got[0].isdigit() else run.stdout + run.stderr


class Core:
    """One core, with our AFBR at one side and the far kernel at the other."""

    def __init__(self, g, number, client, server):
        self.g, self.n, self.client, self.server = g, number, client, server
        plan = CORES[number]
        self.base, self.rows, self.devices = plan["base"], plan["rows"], plan["devices"]
        self.afbr, self.far = Node(g, f"afbr{number}", forward=True), Node(g, f"far{number}", forward=True)
        self.ours = f"{self.base}1"
        self.ends = {k: f"{self.base}{k}" for k in (2, 3)}
        g.link(self.afbr, "core0", self.far, "core0", [f"{self.ours}/{plan['length']}"], [f"{e}/{plan['length']}" for e in self.ends.values()])
        self.client4, self.client6 = f"198.18.{number}.2", f"2001:db8:c{number}::2"
        g.link(self.afbr, "lan0", client, f"up{number}", [f"198.18.{number}.1/24", f"2001:db8:c{number}::1/64"],
               [f"{self.client4}/24", f"{self.client6}/64"])
        g.link(self.far, "lan0", server, f"up{number}", [f"10.{number}.0.1/24", f"2001:db8:a{number}::1/64"],
               [f"10.{number}.0.2/24", f"2001:db8:a{number}::2/64"])
        self.batch(server, [(r.six, f"addr add {r.server} dev lo") for r in self.rows])
        self.batch(server, [(False, f"route add 198.18.{number}.0/24 via 10.{number}.0.1"), (True, f"route add 2001:db8:c{number}::/64 via 2001:db8:a{number}::1")])
        self.batch(client, [(r.six, f"route add {r.prefix} via {self.gateway(r)}") for r in self.rows])
        g.watch(self.afbr, "core0", f"core{number}", "", ("-s", 2048))

    @staticmethod
    def batch(node, lines):
        """(IPv6, arguments of ip) at once."""
        for family in (False, True):
            text = "".join(f"{line}\n" for six, line in lines if six == family)
            node.ip("-6" if family else "-4", "-batch", "-", input=text)

    def gateway(self, row):
        return f"2001:db8:c{self.n}::1" if row.six else f"198.18.{self.n}.1"

    def way_to_server(self, row):
        return f"2001:db8:a{self.n}::2" if row.six else f"10.{self.n}.0.2"

    def source(self, row):
        return self.client6 if row.six else self.client4

    def start(self):
        """Our AFBR, and GoBGP beside the far kernel, which tells it of all rows."""
        families = ["ipv4", "ipv6", "ipv4-labeled" if self.n == 6 else "ipv6-labeled"]
        bgp = {"as": AS, "router-id": f"10.0.0.{self.n}", "networks": [f"198.18.{self.n}.0/24", f"2001:db8:c{self.n}::/64"],
               "neighbors": {"far": neighbor(self.ends[2], families=families, **{"advertisement-interval": 0})}}
        rest = {"core": {"address": self.ours, "interfaces": ["core0"], "transit": True}, "client": {"interfaces": ["lan0"]}, "bgp": bgp,
                "accept": ["ipip", "gre", "gre-key", "mpls-in-ip", "mpls-in-gre"], "tunnel-when": ["core-next-hop", "bgp"]}
        self.daemon = Softwired(self.afbr, f"afbr{self.n}", f"afbr = {setting(rest)};\n", wait=False)
        local = (self.ends[2], self.ends[2])
        self.speaker = GoBgp(self.far, AS, f"10.0.1.{self.n}", local, [Peer(self.ours, AS, families=tuple(families))])
        for r in self.rows:
            end = self.ends[r.outer]
            self.speaker.announce(r.prefix, r.family(), ("::ffff:" if r.six and self.n == 4 else "") + end, r.attributes(), label=r.label)
        return True

    def told(self):
        """The key that GoBGP has heard with our network."""
        route = wait_until("GoBGP has our network", lambda: self.speaker.routes(self.ours, "ipv4").get(f"198.18.{self.n}.0/24"), 20)
        return {"next hop": route.next_hop, "tunnels": route.tunnels, "key": key_of(route.tunnels)}

    def build(self, key):
        """The far kernel's devices, with the key that was told, and who uses which. Label: explicit null, the one that we take."""
        label = 0 if self.n == 6 else 2
        lines = []
        for name, (kind, outer, *words) in self.devices.items():
            words = [*words, key] if words[-1:] == ["okey"] else words
            lines += [f"link add {name} type {kind} local {self.ends[outer]} remote {self.ours} {' '.join(map(str, words))}", f"link set {name} up"]
        self.far.ip("-batch", "-", input="".join(f"{line}\n" for line in lines))
        self.far.sh("sysctl", "-qw", "net.mpls.platform_labels=4096", *(f"net.mpls.conf.{name}.input=1" for name in self.devices))
        lines = []
        for table, r in enumerate(self.rows, 101):
            pack = f"encap mpls {label} " if r.label else ""
            lines += [(r.six, f"route add {r.prefix} via {self.way_to_server(r)}"), (r.six, f"route add table {table} default {pack}dev {r.device}"),
                      (r.six, f"rule add pref {table} from {r.prefix} lookup {table}")]
        self.batch(self.far, lines)
        for r in self.rows:
            if r.label:
                self.far.ip("-f", "mpls", "route", "add", r.label, "via", "inet6" if r.six else "inet", self.way_to_server(r), "dev", "lan0")
        return {d["ifname"]: d["mtu"] for d in json.loads(self.far.ip("-j", "link").stdout)}

    def endpoints(self):
        """Of each row, when the kernel has all routes."""
        def there():
            known = {r["dst"] for family in (4, 6) for r in self.afbr.routes(family) if r.get("dev") == "softwire0"}
            return known >= {r.prefix for r in self.rows}
        wait_until("the kernel has all routes", there, 20)
        rows = self.daemon.show("endpoints")
        return {r.name: next(e for e in rows if e["address"] == self.ends[r.outer] and e["encapsulation"] == packing(r)) for r in self.rows}

    def use(self, r, mtu, far_mtu):
        """Both ways: small, as large as goes without fragments, and TCP."""
        source, far_mtu = self.source(r), far_mtu[r.device] - (4 if r.label else 0)
        found = {
            "there": ping(self.client, source, r.server),
            "back": ping(self.server, r.server, source),
            "full there": ping(self.client, source, r.server, mtu[r.name]["mtu"]),
            "far mtu": far_mtu,
        }
        # What the server has learned of the client's path by another tunnel is not for this one.
        self.server.ip("-6" if r.six else "-4", "route", "flush", "cache")
        return {
            **found,
            "full back": ping(self.server, r.server, source, far_mtu),
            "tcp there": tcp(self.client, source, self.server, r.server),
            "tcp back": tcp(self.server, r.server, self.client, source),
        }

    def wrong(self, r):
        """The key that the far kernel sends is not the one that it was told: nothing passes, neither its packets nor answers to ours."""
        before = self.daemon.ask("show", "acceptance")
        got = ping(self.server, r.server, self.source(r), patience=None)
        return {"back": got, "before": before["acceptance"], "after": self.daemon.ask("show", "acceptance")["acceptance"]}


def packing(r):
    """In our words."""
    plain = "ipip" if r.tunnel in (None, IPIP) else "gre"
    if r.label:
        return "mpls-in-ip" if plain == "ipip" else "mpls-in-gre"
    return f"gre key {r.key}" if r.key else plain


def key_of(tunnels):
    """Of the GRE tunnel that has one, as GoBGP reads attribute 23."""
    return next((part["key"] for t in tunnels if t["type"] == GRE for part in t["value"] if "key" in part), None)


def main():
    with Guest() as g:
        client, server = Node(g, "client"), Node(g, "server")
        cores = [Core(g, n, client, server) for n in (6, 4)]
        for c in cores:
            g.step(f"{c.n}: start", c.start)
        for c in cores:
            told = g.step(f"{c.n}: told", c.told)
            far = g.step(f"{c.n}: far", lambda: c.build(told["key"]))
            before = g.step(f"{c.n}: before", c.endpoints)
            for r in c.rows:
                if r.name == "wrong-key":
                    g.step(f"{c.n}: {r.name}", lambda: c.wrong(r))
                else:
                    g.step(f"{c.n}: {r.name}", lambda: c.use(r, before, far))
            g.step(f"{c.n}: after", c.endpoints)
            g.step(f"{c.n}: kernel without MPLS", lambda: c.afbr.sh("sysctl", "-n", "net.mpls.platform_labels").stdout.strip())
            g.step(f"{c.n}: acceptance", lambda: c.daemon.ask("show", "acceptance")["acceptance"])
            g.step(f"{c.n}: stopped", c.daemon.stop)


if __name__ == "__main__":
    main()
