# SPDX-License-Identifier: GPL-2.0-or-later
"""
37: networks of one family around a core of the other, with other people's daemons: OSPF in the core by BIRD and FRR, CE routers by BIRD, FRR and GoBGP.

    host1 --- ce1 --- afbr1 === p1 ======= p3 === afbr3 --- ce3 --- host3          core.py; over an IPv6 core; over an IPv4 core without rr: a full mesh
               :               \\\\       //        \\
               :                \\\\     //          \\
               :         rr ===== p2 === afbr2 --- ce2 --- host2
               :....................................:                              a backdoor, which is down at first

What this exercises: routes from CE to CE by way of the reflector, and packets after them; a core that knows only its own family; what becomes of traffic when the
IGP loses an AFBR, with another way and without one; when a speaker dies; a link between two islands that avoids the core.
"""
import contextlib
import os
import re
import signal

import pytest

import seen
from core import ALL_LINKS, CE_AS, Core, FrrIgp, endpoints, mesh_routes
from lab import wait_until
from mesh import is_up, routes, row, wait_up
from speakers import Bird, Frr, GoBgp, Peer

BACKDOOR = {4: ("203.0.113.129", "203.0.113.130", 30), 6: ("2001:db8:bd::1", "2001:db8:bd::2", 64)}


class Islands(Core):
    """With the backdoor: both ends know of each other from the start, and have no link yet."""

    def build(self):
        super().build()
        near, far, length = BACKDOOR[self.at.client]
        self.link(self.ce[1], "door", self.ce[2], "door", [f"{near}/{length}"], [f"{far}/{length}"])
        self.door(False)

    def door(self, is_open):
        for n, address in zip((1, 2), BACKDOOR[self.at.client]):
            self.ce[n].ip("link", "set", "door", "up" if is_open else "down")
            if is_open and self.at.client == 6:  # which goes with the link
                self.ce[n].ip("addr", "replace", f"{address}/64", "dev", "door")

    def ce_peers(self, n, afbrs):
        peers = super().ce_peers(n, afbrs)
        if n in (1, 2):
            own, other = BACKDOOR[self.at.client][n - 1], BACKDOOR[self.at.client][2 - n]
            peers.append(Peer(other, CE_AS[3 - n], (f"ipv{self.at.client}",), local=own))
        return peers


@pytest.fixture(scope="module", params=[pytest.param(6, id="ipv6-core", marks=pytest.mark.xdist_group("mesh-37-6")),
                                        pytest.param(4, id="ipv4-core", marks=pytest.mark.xdist_group("mesh-37-4"))])
def net(request):
    ces = {n: (ALL_LINKS[n], kind) for n, kind in {1: Bird, 2: Frr, 3: GoBgp}.items()}
    with Islands(request.param, ces=ces, igp={3: FrrIgp} if request.param == 6 else {}, reflector=request.param == 6) as net:
        net.start_igp(wait=False)
        net.daemon = {n: net.start_afbr(n) for n in net.afbrs}
        if net.reflector:
            net.start_reflector()
        net.start_ces()
        for n in (1, 2, 3):
            net.start_web(n, f"host{n}\n")
        net.wait_igp()
        wait_all(net)
        yield net


def wait_all(net):
    for n in net.afbrs:
        wanted = {net.at.network(m) for m in net.afbrs if n not in ALL_LINKS[m]}
        wait_until(f"afbr{n} has the others' networks", lambda: wanted <= softwire_routes(net, n), 20)


def softwire_routes(net, n):
    return {p for p, r in mesh_routes(net.afbr[n], net.at.client).items() if r["dev"] == "softwire0"}


class Pings:
    """From host A to host B all the time; how long nothing came back."""

    def __init__(self, net, a, b):
        self.log = net.dir / f"ping-{a}-{b}"
        self.log.unlink(missing_ok=True)
        self.process = net.host[a].start("ping", "-n", "-O", "-i", 0.02, "-W", 1, net.at.host(b), log=self.log)
        self.wait(5)

    def wait(self, more):
        before = len(self.process.has("bytes from"))
        wait_until("answers come", lambda: len(self.process.has("bytes from")) >= before + more, 15)

    def stop(self):
        """(sent, answered)"""
        self.process.kill(signal.SIGINT)
        self.process.popen.wait(5)
        found = re.search(r"(\d+) packets transmitted, (\d+) received", self.process.text())
        return int(found[1]), int(found[2])


# proves: MESH-BGP-1, MESH-BGP-5 partial, MESH-FWD-1, MESH-FWD-2, MESH-SIG-1, MESH-SIG-11
@pytest.mark.parametrize("a, b", [(1, 2), (2, 1), (1, 3), (3, 1), (3, 2)])
def test_islands_reach_each_other(net, a, b):
    net.wait_ping(a, b)
    assert net.fetch(a, b) == f"host{b}\n"


# proves: MESH-SIG-2, MESH-SIG-11, MESH-BGP-15
def test_softwires_lead_to_the_next_hops_of_the_routes_and_nowhere_else(net):
    at = net.at
    found = {e["address"] for e in net.daemon[1].ask("show", "endpoints")["endpoints"]}
    assert found == {at.afbr[2], at.afbr[3]}, found
    told = routes(net.daemon[1])
    assert {told[at.network(2)]["next_hop"], told[at.network(3)]["next_hop"]} == {at.afbr[2], at.afbr[3]}
    # A packet by each way, between exactly these addresses.
    core = seen.Watch(net.p[1], "to-afbr1", at.afbr[1], "not port 179 and not proto 89 and not ip6 proto 89")
    for b in (2, 3):
        assert net.ping(1, b)
    packets = [p for p in seen.read(core.stop(), at.core) if p.inner]
    assert {(p.outer[0], p.inner) for p in packets if p.inner[0] == at.host(1)} == {
        ((at.afbr[1], told[at.network(b)]["next_hop"]), (at.host(1), at.host(b))) for b in (2, 3)}
    assert seen.wrong(packets) == []


# proves: MESH-SIG-13
def test_border_routers_find_each_other_by_what_bgp_tells(net):
    """With the reflector no configuration names another border router; each knows where the others are, who may send, and how they take packets."""
    if not net.reflector:
        return
    at = net.at
    for n in net.afbrs:
        others = {at.afbr[m] for m in net.afbrs if m != n}
        written = re.findall(r'[0-9a-f:]+:[0-9a-f:]+', net.daemon[n].conf.read_text())
        assert at.rr in written and at.afbr[n] in written and not others & set(written), written
        told = routes(net.daemon[n])
        far = [told[at.network(m)] for m in net.ces if n not in ALL_LINKS[m]]
        assert all("encapsulation:ipip" in route["extended_communities"] for route in far), far
        assert {route["next_hop"] for route in far} <= set(endpoints(net.daemon[n])) & others, far
        may = net.daemon[n].ask("show", "acceptance")["acceptance"]["transmitters"]
        assert {t["address"] for t in may} == others, may


# proves: MESH-BGP-2, MESH-BGP-4
def test_routers_of_the_core_know_their_own_family_only(net):
    at = net.at
    for n in (1, 2, 3):
        routes_of_clients = [r for r in net.p[n].routes(at.client) if not r["dst"].startswith("fe80:")]
        assert routes_of_clients == [], routes_of_clients
        assert {at.afbr[m] for m in net.afbrs} <= {r["dst"] for r in net.p[n].routes(at.core)}, "from the IGP"
    # Nor does the IGP tell AFBRs anything of the clients' family.
    assert all(r.get("protocol") != "bird" for r in net.afbr[1].routes(at.client))


def test_a_traceroute_shows_one_hop_for_the_whole_core(net):
    hops = net.traceroute(1, 3).splitlines()[1:]
    assert len(hops) == 5 and hops[-1].split()[1] == net.at.host(3), hops


def test_packets_flow_on_while_a_speaker_is_away(net):
    """
    The reflector, where there is one, which loses no packet (the last one may be under way); else afbr3, where what comes out of the core is lost until the next process is there. Who is left keeps
    what it told (RFC 4724).
    """
    net.wait_ping(1, 3)
    pings = Pings(net, 1, 3)
    daemon, name = (net.rr, "rr") if net.reflector else (net.daemon[3], "afbr3")
    os.kill(daemon.children()[0], signal.SIGKILL)  # its engine
    wait_until("afbr1 has noticed", lambda: row(net.daemon[1], name)["counters"]["flaps"] > 0)
    pings.wait(10)
    wait_up(net.daemon[1], name)
    wait_until("all has been told again", lambda: not routes(net.daemon[1])[net.at.network(3)]["stale"])
    pings.wait(5)
    sent, answered = pings.stop()
    assert sent - answered <= (1 if net.reflector else 100), (sent, answered)


# proves: MESH-BGP-17
def test_a_link_between_two_islands_is_used_when_bgp_prefers_it_and_the_core_when_it_is_gone(net):
    net.wait_ping(1, 2)
    pings = Pings(net, 1, 2)
    net.door(True)
    wait_until("ce1 goes by the backdoor", lambda: any(r["dst"] == net.at.network(2) and r["dev"] == "door" for r in net.ce[1].routes(net.at.client)), 15)
    assert net.fetch(1, 2) == "host2\n"
    # host3 has still the core before it, and for the AFBR what the other end of the core tells is nearer than what ce1 tells.
    assert net.fetch(3, 1) == "host1\n"
    assert routes(net.daemon[1])[net.at.network(2)]["next_hop"] in (net.at.afbr[2], net.at.afbr[3])
    net.door(False)
    wait_until("ce1 goes by the core", lambda: any(r["dst"] == net.at.network(2) and r["dev"] == "up1" for r in net.ce[1].routes(net.at.client)), 15)
    pings.wait(10)
    sent, answered = pings.stop()
    assert sent - answered < 100, (sent, answered)


@contextlib.contextmanager
def unplugged(net, n):
    """AFBR N without its link to the core."""
    net.p[n].ip("link", "set", f"to-afbr{n}", "down")
    try:
        yield
    finally:
        net.p[n].ip("link", "set", f"to-afbr{n}", "up")


def state(net, n):
    """What afbr1 says of the endpoint AFBR N."""
    return endpoints(net.daemon[1]).get(net.at.afbr[n], {"state": "none"})["state"]


# proves: MESH-BGP-17 partial
def test_when_the_igp_loses_an_afbr_traffic_moves_before_bgp_has_noticed(net):
    """With a full mesh the backup is known before; the reflector, which has told one way only, tells the other one when the IGP has told it."""
    at = net.at
    best = routes(net.daemon[1])[at.network(2)]["next_hop"]
    lost, other = (2, 3) if best == at.afbr[2] else (3, 2)
    observer = net.rr if net.reflector else net.daemon[1]
    if not net.reflector:
        legs = [row["slots"][0] for row in net.daemon[1].ask("show", "paths")["paths"]]
        assert (best, at.afbr[other]) in {(leg["primary"]["address"], (leg["backup"] or {}).get("address")) for leg in legs}, legs
    pings = Pings(net, 1, 2)
    with unplugged(net, lost):
        wait_until("afbr1 has no way to it", lambda: state(net, lost) != "up", 10)
        pings.wait(10)
        assert is_up(observer, f"afbr{lost}"), "the session is still there"
        sent, answered = pings.stop()
        assert sent - answered < 200, f"{sent - answered} of {sent} packets, one each 20 ms, are lost"
        assert net.fetch(1, 2) == "host2\n"
        assert routes(net.daemon[1])[at.network(2)]["next_hop"] == at.afbr[other]
    wait_until("it is there again", lambda: is_reached(net, lost), 20)


def is_reached(net, n):
    return any(r["dst"] == net.at.afbr[n] for r in net.afbr[1].routes(net.at.core))


def test_without_another_way_the_sender_is_told_at_once(net):
    net.wait_ping(1, 3)
    with unplugged(net, 3):
        wait_until("afbr1 has no way to afbr3", lambda: state(net, 3) != "up", 10)
        wait_until("the sender is told", lambda: "nreachable" in net.host[1].sh("ping", "-n", "-c", 1, "-W", 1, net.at.host(3), check=False).stdout)
        why = net.daemon[1].table("show", "route", net.at.host(3))
        assert "there is no route to it" in why or net.reflector, "the reflector has taken it back"
    net.wait_ping(1, 3, 20)
