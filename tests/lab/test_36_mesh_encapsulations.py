# SPDX-License-Identifier: GPL-2.0-or-later
"""
36: every encapsulation, over an IPv6 core and over an IPv4 core, in both directions at once.

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair; the hosts have an address in each of six networks
                           ||
                         teller                              GoBGP, which tells labeled routes for both AFBRs (explicit null)

What this exercises: from a route of BGP to a softwire: accepting all encapsulations and choosing among them by prefix; with a key that only the egress knows
(afbr2 wants GRE with a key, afbr1 without), with Session ID and cookie, with labels; ping, HTTP; what a capture on the core shows to tshark.
"""
import ipaddress

import pytest

import seen
from core import Pair, mesh_routes
from lab import wait_until

# Network K of each host: how packets to it are to be packed, and whether its route has a label (6PE's IPv4-mapped next hops over an IPv4 core).
WAYS = {"ipip": (0, "ipip", False), "gre": (1, "gre", False), "l2tpv3": (2, "l2tpv3", False),
        "mpls-in-ip": (3, "ipip", True), "mpls-in-gre": (4, "gre", True), "mpls-in-l2tpv3": (5, "l2tpv3", True)}
ACCEPT = {1: ["l2tpv3", "gre", "ipip", "mpls-in-ip", "mpls-in-gre", "mpls-in-l2tpv3"],
          2: ["l2tpv3", "gre-key", "ipip", "mpls-in-ip", "mpls-in-gre", "mpls-in-l2tpv3"]}


def network(at, n, k):
    return str(list(ipaddress.ip_network(f"198.18.{n}.0/24").subnets(new_prefix=27))[k]) if at.client == 4 else str(ipaddress.ip_network(f"2001:db8:{n}00:0:{k}::/80"))


def address(at, n, k):
    return str(ipaddress.ip_network(network(at, n, k)).network_address + (10 if at.client == 4 else 0x10))


class Ways:
    """One mesh, all traffic through it, and what was on the core meanwhile."""

    def __init__(self, pair):
        self.pair, self.at = pair, pair.at
        rules = [{"prefixes": [network(self.at, n, k) for n in (1, 2) for k, kind, _ in WAYS.values() if kind == use], "use": [use]} for use in ("ipip", "gre", "l2tpv3")]
        labeled = f"ipv{self.at.client}-labeled"
        self.start(rules, labeled)
        self.traffic()

    def start(self, rules, labeled):
        pair, at = self.pair, self.at
        more = {"teller": {"address": at.rr, "families": [labeled], "connect-retry": 1, "idle-hold": 0.2}}
        for n in (1, 2):
            for k, _, _ in list(WAYS.values())[1:]:
                pair.host[n].ip("addr", "add", f"{address(at, n, k)}/{at.whole and ipaddress.ip_address(at.host(n)).max_prefixlen}", "dev", "eth0")
        teller = pair.start_teller((labeled,), (1, 2))
        pair.start_each({n: {"accept": ACCEPT[n], "encapsulate": rules, "more": more, "own_networks": False,
                             "networks": [network(at, n, k) for k, _, label in WAYS.values() if not label]} for n in (1, 2)})
        teller.wait_up()
        for n in (1, 2):
            for k, _, label in WAYS.values():
                if label:
                    teller.announce(network(at, n, k), labeled, next_hop=("" if at.core == 6 else "::ffff:") + at.afbr[n], label=0 if at.client == 4 else 2)
        for n in (1, 2):
            wanted = {network(at, 3 - n, k) for k, _, _ in WAYS.values()}
            wait_until(f"afbr{n} has all routes", lambda: wanted <= set(mesh_routes(pair.afbr[n], at.client)))

    def traffic(self):
        pair, at = self.pair, self.at
        pair.start_web(2, "hello across the core\n", any_address=True)
        pair.wait_ping(1, 2)
        core = seen.Watch(pair.p, "to-afbr2", at.afbr[2], "not port 179")
        client = seen.Watch(pair.host[2], "eth0", at.gateway(2), f"ip{'6' if at.client == 6 else ''}")
        self.answers, self.pages = {}, {}
        for way, (k, _, _) in WAYS.items():
            a, b = address(at, 1, k), address(at, 2, k)
            self.answers[way] = pair.host[1].sh("ping", "-n", "-c", 2, "-i", 0.05, "-W", 1, "-I", a, b, check=False).returncode == 0
            self.pages[way] = pair.host[1].sh("curl", "-s", "-m", 3, "--interface", a, f"http://{f'[{b}]' if ':' in b else b}/", check=False).stdout
        self.all = seen.read(core.stop(), at.core)
        self.delivered = seen.read(client.stop(), at.client)

    def between(self, k, sender):
        """Packets of network K that AFBR SENDER has sent."""
        wanted = address(self.at, sender, k), address(self.at, 3 - sender, k)
        return [p for p in self.all if p.inner == wanted]


@pytest.fixture(scope="module", params=[pytest.param(6, id="ipv6-core", marks=pytest.mark.xdist_group("mesh-36-6")),
                                        pytest.param(4, id="ipv4-core", marks=pytest.mark.xdist_group("mesh-36-4"))])
def ways(request):
    with Pair(request.param) as pair:
        yield Ways(pair)


# proves: MESH-BGP-1, MESH-FWD-1, MESH-FWD-2, MESH-SIG-1, MESH-ENC-2, MESH-ENC-3, MESH-ENC-4, MESH-ENC-6, MESH-ENC-8, MESH-ENC-11, MESH-ENC-12, MESH-ENC-14
@pytest.mark.parametrize("way", WAYS)
def test_packets_cross_the_core_both_ways(ways, way):
    k = WAYS[way][0]
    assert ways.answers[way] and ways.pages[way] == "hello across the core\n", ways.pair.daemon[1].table("show", "route", address(ways.at, 2, k))
    # What arrives is what was sent: the addresses that the hosts have given, one hop less at each AFBR.
    got = [p for p in ways.delivered if p.outer and p.outer[0] == (address(ways.at, 1, k), address(ways.at, 2, k))]
    assert got and {p.first("ip.ttl" if ways.at.client == 4 else "ipv6.hlim") for p in got} == {"62"}


# proves: MESH-FWD-3, MESH-FWD-6, MESH-FWD-12, MESH-ENC-1 partial, MESH-ENC-2, MESH-ENC-3, MESH-ENC-4, MESH-ENC-5, MESH-ENC-6, MESH-ENC-7 partial, MESH-ENC-8, MESH-ENC-11
@pytest.mark.parametrize("way", WAYS)
def test_the_core_sees_the_encapsulation_that_was_chosen_between_bgp_next_hops(ways, way):
    at, (k, kind, label) = ways.at, WAYS[way]
    core, client = (seen.NAMES[f] for f in (at.core, at.client))
    wanted = (core, *{"ipip": (), "gre": ("gre",), "l2tpv3": ("l2tp",)}[kind], *(("mpls",) if label else ()), client)
    for sender in (1, 2):
        packets = ways.between(k, sender)
        assert len(packets) > 6, "two echos, and a page"
        assert {p.stack[:len(wanted)] for p in packets} == {wanted}
        assert {tuple(p.outer) for p in packets} == {((at.afbr[sender], at.afbr[3 - sender]),)}
        if label:
            assert {(p.first("mpls.label"), p.first("mpls.bottom"), p.first("mpls.ttl")) for p in packets} == {("0" if at.client == 4 else "2", "1", "63")}
        if kind == "gre":
            keys = {p.first("gre.key") for p in packets}
            wants_key = sender == 1 and not label
            assert len(keys) == 1 and (keys != {None}) == wants_key, "a key where the egress wants one"
        if kind == "l2tpv3":
            tokens = {(p.first("l2tp.sid"), p.first("l2tp.cookie")) for p in packets}
            assert len(tokens) == 1 and int(next(iter(tokens))[0], 16) and len(next(iter(tokens))[1]) == 16


# proves: MESH-ENC-6 partial, MESH-SIG-6 partial
def test_keys_sessions_and_cookies_are_the_egress_own(ways):
    used = {(sender, kind): {(p.first("l2tp.sid"), p.first("l2tp.cookie"), p.first("gre.key")) for p in ways.between(k, sender)}
            for sender in (1, 2) for k, kind, label in WAYS.values() if not label}
    assert used[1, "l2tpv3"].isdisjoint(used[2, "l2tpv3"])
    told = {n: str(ways.pair.daemon[n].ask("show", "acceptance")) for n in (1, 2)}
    (sid, _, _), = used[1, "l2tpv3"]
    assert f"session {hex(int(sid, 16))} " in told[2] and f"session {hex(int(sid, 16))} " not in told[1]


# proves: MESH-BGP-2, MESH-BGP-3
def test_the_core_carries_nothing_of_the_clients_family_and_tshark_finds_nothing_wrong(ways):
    at, core = ways.at, seen.NAMES[ways.at.core]
    assert {p.stack[0] for p in ways.all if p.stack[0] != "arp"} == {core}
    assert seen.wrong(ways.all) == []
    routes = ways.pair.p.ip(f"-{at.client}", "route", check=False).stdout
    assert not [line for line in routes.splitlines() if not line.startswith("fe80::")], routes
    # Nor has what comes to a host a trace of the core.
    ends = {end for p in ways.delivered for pair in (*p.outer, p.inner or ()) for end in pair}
    assert ends and ends.isdisjoint(at.afbr.values())
