# SPDX-License-Identifier: GPL-2.0-or-later
"""
42: a mesh over two autonomous systems (RFC 5565 section 12, all three options). Option 3: border routers of one are next hops of routes in the other.

    host1 --- a1 ====== p ====== a2 ====== b1 --- host2          === IPv6; client networks are IPv4
              2001:db8:ffff::1,  ::2       2001:db8:eeee::1
              \\------ AS 65001 ------/    AS 65002

p has no route to b1, and a1 none but that of BGP, by a2: for b1 a1 packs twice. a2 leaves the next hops of E-IP routes as they are, and takes packets of the core's
own family out of softwires (transit). b1 has a route to a1: it packs once. At last a2 is a router without BGP between them, and a1 and b1 have a session with each other
(option 2).

Option 1, with two cores in a row, and E-IP as it is from one to the other:

    host1 --- a1 ====== a2 --------- b1 ====== b2 --- host2      === IPv6 only, --- IPv4 only
              \\-- AS 65001 --/       \\-- AS 65002 --/
"""
import pytest

import seen
from core import Addresses, endpoints, mesh_routes, wait_ready
from lab import Lab, Node, Softwired, wait_until
from mesh import neighbor, routes, speaker, wait_up

pytestmark = pytest.mark.xdist_group("mesh-42")
A1, A2, P, B1 = "2001:db8:ffff::1", "2001:db8:ffff::2", "2001:db8:ffff::11", "2001:db8:eeee::1"
A_SET, B_SET = "2001:db8:ffff::/48", "2001:db8:eeee::/48"
HOST, GATEWAY, NETWORK = ({n: f"198.18.{n}.{end}" for n in (1, 2)} for end in ("10", "1", "0/24"))
FAMILIES = ["ipv4", "ipv6", "ipv6-encap"]


class TwoSystems(Lab):
    def __enter__(self):
        super().__enter__()
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def build(self):
        self.at = Addresses(6)
        self.a1, self.p, self.a2, self.b1 = (self.router(name, address) for name, address in (("a1", A1), ("p", P), ("a2", A2), ("b1", B1)))
        self.host = {n: Node(self, f"host{n}") for n in (1, 2)}
        for number, (left, right) in enumerate(((self.a1, self.p), (self.p, self.a2), (self.a2, self.b1))):
            self.link(left, f"to-{right.short}", right, f"to-{left.short}", [f"fe80::{number}1/64"], [f"fe80::{number}2/64"])
        for node, at, device, *targets in ((self.a1, "fe80::2", "to-p", P, A2), (self.p, "fe80::1", "to-a1", A1), (self.p, "fe80::12", "to-a2", A2),
                                           (self.a2, "fe80::11", "to-p", P, A1), (self.a2, "fe80::22", "to-b1", B_SET), (self.b1, "fe80::21", "to-a2", A_SET)):
            for target in targets:
                node.ip("route", "add", target, "via", at, "dev", device)
        for n, edge in ((1, self.a1), (2, self.b1)):
            self.link(edge, "ce0", self.host[n], "eth0", [f"{GATEWAY[n]}/24"], [f"{HOST[n]}/24"])
            self.host[n].ip("route", "add", "default", "via", GATEWAY[n])

    def router(self, name, address):
        node = Node(self, name, forward=True)
        node.ip("addr", "add", f"{address}/128", "dev", "lo")
        node.short = name
        return node

    def start_daemons(self):
        common = {"families": FAMILIES, "advertisement_interval": 0}
        other = {**common, "multihop": True, "import": "all", "export": "all"}
        only4 = {"kernel": {"export": {"families": ["ipv4"]}}}
        accept = {"accept": ["ipip"]}
        texts = {
            "a1": speaker(1, 65001, {"a2": neighbor(A2, next_hop_self=True, **common)}, [NETWORK[1]], {"address": A1, "interfaces": ["to-p"]}, accept, **only4),
            "a2": speaker(2, 65001, {"a1": neighbor(A1, **common), "b1": neighbor(B1, next_hop_unchanged=True, **{"as": 65002}, **other)}, [B_SET],
                          {"address": A2, "interfaces": ["to-p", "to-b1"], "transit": True}, accept, **only4),
            "b1": speaker(3, 65002, {"a2": neighbor(A2, **{"as": 65001}, **other)}, [NETWORK[2]], {"address": B1, "interfaces": ["to-a2"]}, accept, **only4)}
        self.daemon = {name: Softwired(getattr(self, name), name, text, wait=False) for name, text in texts.items()}
        wait_ready(*self.daemon.values())
        wait_up(self.daemon["a2"], "a1", "b1")
        wait_until("a1 and b1 have a way", lambda: NETWORK[2] in mesh_routes(self.a1, 4) and NETWORK[1] in mesh_routes(self.b1, 4))

    def seen_at(self, node, device, target):
        """Headers of one ping from host1 to host2, each way, at DEVICE, which leads to TARGET."""
        core = seen.Watch(node, device, target, "ip6 proto 4 or ip6 proto 41")
        assert self.host[1].ping(HOST[2])
        path = core.stop()
        return [p.headers for p in seen.quick(path)], path


@pytest.fixture(scope="module")
def net():
    with TwoSystems(name="twoas") as net:
        net.start_daemons()
        wait_until("host1 reaches host2", lambda: net.host[1].ping(HOST[2]))
        yield net


INNER = (HOST[1], HOST[2])
BACK = [(B1, A1), INNER[::-1]]


# proves: MESH-AS-4, MESH-AS-5, MESH-AS-3 partial
def test_packed_twice_where_the_interior_has_no_route_to_the_next_hop(net):
    packets, path = net.seen_at(net.p, "to-a2", A2)
    assert packets == [[(A1, A2), (A1, B1), INNER], BACK]
    double = seen.read(path, 6, f"ipv6.dst == {A2} && ipv6.nxt == 41")
    assert [(p.stack[:3], p.outer, p.inner) for p in double] == [(("ipv6", "ipv6", "ip"), [(A1, A2), (A1, B1)], INNER)]
    assert seen.wrong(seen.read(path, 6)) == []
    packets, _ = net.seen_at(net.a2, "to-b1", B1)
    assert packets == [[(A1, B1), INNER], BACK], "one of them ends at a2"
    assert endpoints(net.daemon["a1"])[B1]["through"] == A2
    assert A2 in net.daemon["a1"].table("show", "route", HOST[2])


# proves: MESH-AS-6
def test_the_mtu_counts_both(net):
    assert endpoints(net.daemon["a1"])[B1]["mtu"] == 1420 and endpoints(net.daemon["b1"])[A1]["mtu"] == 1460
    out = net.host[1].sh("ping", "-n", "-c", 1, "-W", 2, "-M", "do", "-s", 1421 - 28, HOST[2], check=False).stdout
    assert "mtu = 1420" in out, out
    assert net.host[1].ping(HOST[2], size=1420 - 28)


# proves: MESH-AS-5
def test_packed_once_as_soon_as_the_interior_has_a_route(net):
    net.p.ip("route", "add", B_SET, "via", "fe80::12", "dev", "to-a2")
    net.a1.ip("route", "add", B_SET, "via", "fe80::2", "dev", "to-p")
    wait_until("a1 packs once", lambda: endpoints(net.daemon["a1"])[B1]["mtu"] == 1460)
    packets, _ = net.seen_at(net.p, "to-a2", A2)
    assert packets == [[(A1, B1), INNER], BACK]
    net.a1.ip("route", "del", B_SET)
    wait_until("a1 packs twice", lambda: endpoints(net.daemon["a1"])[B1]["mtu"] == 1420)
    packets, _ = net.seen_at(net.p, "to-a2", A2)
    assert packets == [[(A1, A2), (A1, B1), INNER], BACK]


# proves: MESH-AS-2
def test_multihop_ebgp_between_border_routers_with_a_network_without_bgp_between_them(net):
    common = {"families": ["ipv4"], "advertisement_interval": 0, "multihop": True, "import": "all", "export": "all"}
    net.daemon["a2"].stop()
    net.p.ip("route", "replace", B_SET, "via", "fe80::12", "dev", "to-a2")
    net.a1.ip("route", "replace", B_SET, "via", "fe80::2", "dev", "to-p")
    for name, number, as_number, other, device in (("a1", 1, 65001, ("b1", B1, 65002), "to-p"), ("b1", 3, 65002, ("a1", A1, 65001), "to-a2")):
        daemon = net.daemon[name]
        text = speaker(number, as_number, {other[0]: neighbor(other[1], **{"as": other[2]}, **common)}, [NETWORK[1 if name == "a1" else 2]],
                       {"address": A1 if name == "a1" else B1, "interfaces": [device]}, {"accept": ["ipip"]}, kernel={"export": {"families": ["ipv4"]}})
        daemon.conf.write_text("\n".join(daemon.conf.read_text().splitlines()[:3]) + "\n" + text)
        daemon.ask("reload")
    wait_up(net.daemon["a1"], "b1")
    wait_until("host1 reaches host2", lambda: net.host[1].ping(HOST[2]))
    told = routes(net.daemon["a1"])[NETWORK[2]]
    assert (told["as_path"], told["next_hop"]) == ("65002", B1)
    packets, _ = net.seen_at(net.p, "to-a2", A2)
    assert packets == [[(A1, B1), INNER], BACK]
    assert NETWORK[2] not in {r["dst"] for r in net.a2.routes(4)}


class TwoCores(Lab):
    """Option 1: a mesh in each AS."""
    core = {"a1": "2001:db8:ffff::1", "a2": "2001:db8:ffff::2", "b1": "2001:db8:eeee::1", "b2": "2001:db8:eeee::2"}
    between = {"a2": "203.0.113.1", "b1": "203.0.113.2"}

    def build(self):
        self.at = {name: Node(self, name, forward=True) for name in self.core}
        self.host = {n: Node(self, f"host{n}") for n in (1, 2)}
        for a, b in (("a1", "a2"), ("b1", "b2")):
            self.link(self.at[a], "core0", self.at[b], "core0", [f"{self.core[a]}/64"], [f"{self.core[b]}/64"])
        self.link(self.at["a2"], "edge0", self.at["b1"], "edge0", [f"{self.between['a2']}/30"], [f"{self.between['b1']}/30"])
        for n, edge in ((1, "a1"), (2, "b2")):
            self.link(self.at[edge], "edge0", self.host[n], "eth0", [f"{GATEWAY[n]}/24"], [f"{HOST[n]}/24"])
            self.host[n].ip("route", "add", "default", "via", GATEWAY[n])

    def start_daemons(self):
        inside = {"families": ["ipv4", "ipv6-encap"], "advertisement_interval": 0, "next_hop_self": True}
        outside = {"families": ["ipv4"], "advertisement_interval": 0, "import": "all", "export": "all"}
        self.daemon = {}
        for number, (name, mate, over, as_number, networks) in enumerate((("a1", "a2", None, 65001, [NETWORK[1]]), ("a2", "a1", "b1", 65001, []),
                                                                          ("b1", "b2", "a2", 65002, []), ("b2", "b1", None, 65002, [NETWORK[2]])), 1):
            neighbors = {mate: neighbor(self.core[mate], **inside)}
            if over:
                neighbors[over] = neighbor(self.between[over], **{"as": 65001 + 65002 - as_number}, **outside)
            text = speaker(number, as_number, neighbors, networks, {"address": self.core[name], "interfaces": ["core0"]},
                           {"accept": ["l2tpv3"], "client": {"interfaces": ["edge0"]}}, kernel={"export": {"families": ["ipv4"]}})
            self.daemon[name] = Softwired(self.at[name], name, text, wait=False)
        wait_ready(*self.daemon.values())


# proves: MESH-AS-1
def test_two_cores_in_a_row_hand_packets_over_as_they_are():
    """Each AS has softwires of its own, to border routers of its own, and knows nothing of the other one's."""
    with TwoCores(name="twocores") as net:
        net.build()
        net.start_daemons()
        wait_until("host1 reaches host2", lambda: net.host[1].ping(HOST[2]), 15)
        core = net.core
        for a, b in (("a1", "a2"), ("a2", "a1"), ("b1", "b2"), ("b2", "b1")):
            assert set(endpoints(net.daemon[a])) == {core[b]}
        watched = [seen.Watch(net.at[node], "core0", core[to], "ip6 proto 115") for node, to in (("a2", "a1"), ("b1", "b2"))]
        watched.append(seen.Watch(net.at["b1"], "edge0", net.between["a2"], "ip6"))
        assert net.host[1].ping(HOST[2])
        in_a, in_b = ([(p.how[0][0], p.headers) for p in seen.quick(w.stop())] for w in watched[:2])
        assert in_a == [("l2tpv3", [(core["a1"], core["a2"]), INNER]), ("l2tpv3", [(core["a2"], core["a1"]), INNER[::-1]])]
        assert in_b == [("l2tpv3", [(core["b1"], core["b2"]), INNER]), ("l2tpv3", [(core["b2"], core["b1"]), INNER[::-1]])]
        plain = [p.outer[0] for p in seen.read(watched[2].stop(), 4) if p.stack[0] == "ip" and p.outer[0] in (INNER, INNER[::-1])]
        assert plain == [INNER, INNER[::-1]]
        assert routes(net.daemon["a1"])[NETWORK[2]]["as_path"] == "65002"
