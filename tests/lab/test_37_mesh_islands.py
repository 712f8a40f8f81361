# SPDX-License-Identifier: GPL-2.0-or-later
"""
37: networks of one family around a core of the other, with other people's daemons: OSPF in the core by BIRD and FRR, CE routers by BIRD, FRR and GoBGP.

    host1 --- ce1 --- afbr1 === p1 ======= p3 === afbr3 --- ce3 --- host3          core.py; over an IPv6 core; over an IPv4 core without rr: a full mesh
               :               \\\\       //        \\
               :                \\\\     //          \\
               :         rr ===== p2 === afbr2 --- ce2 --- host2
               :....................................:                              a backdoor, which is down at first

What this exercises: routes from CE to CE, by way of the reflector; a core that knows only its own family.
"""
import pytest

from core import ALL_LINKS, CE_AS, Core, FrrIgp
from lab import wait_until
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
        net.wait_igp()
        yield net


# proves: MESH-BGP-2, MESH-BGP-4
def test_routers_of_the_core_know_their_own_family_only(net):
    at = net.at
    for n in (1, 2, 3):
        routes_of_clients = [r for r in net.p[n].routes(at.client) if not r["dst"].startswith("fe80:")]
        assert routes_of_clients == [], routes_of_clients
        assert {at.afbr[m] for m in net.afbrs} <= {r["dst"] for r in net.p[n].routes(at.core)}, "from the IGP"
    # Nor does the IGP tell AFBRs anything of the clients' family.
    assert all(r.get("protocol") != "bird" for r in net.afbr[1].routes(at.client))


# proves: MESH-BGP-5 partial, MESH-BGP-6 partial
def test_ce_routers_hear_of_each_others_networks(net):
    wanted = {net.at.network(n) for n in (1, 2, 3)}
    for n, speaker in net.speaker.items():
        near = net.at.access(ALL_LINKS[n][0], n)[0]
        wait_until(f"ce{n} has them", lambda: wanted - {net.at.network(n)} <= set(speaker.routes(near, f"ipv{net.at.client}")))
