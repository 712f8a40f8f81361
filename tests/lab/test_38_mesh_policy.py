# SPDX-License-Identifier: GPL-2.0-or-later
"""
38: which packets go by which softwire is the ingress' policy.

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair, with an IPv6 core; afbr1's rules change, and what afbr2 tells

What this exercises: one encapsulation for all; by class of the egress (a color, a community); in order of preference; by traffic class; none at all; TTL, DSCP
and ECN of the outer header; which routes are for softwires at all (RFC 5565 section 7); that nothing leaves in an encapsulation that no rule has chosen, nor before its parameters are known; other rules, and other
cookies, under traffic.
"""
import re
import signal

import pytest

import seen
from core import Pair, endpoints
from lab import LabError, wait_until
from mesh import AS, neighbor, routes
from speakers import GoBgp, Peer

pytestmark = pytest.mark.xdist_group("mesh-38")
ACCEPT = ["l2tpv3", "gre", "ipip"]


class Policy(Pair):
    def configure(self, n, **keys):
        """Another configuration of AFBR N, in force at both ends."""
        daemon = self.daemon[n]
        self.change(daemon, self.afbr_text(n, **{"accept": ACCEPT, **keys}))

    def rules(self, *rules):
        self.configure(1, encapsulate=list(rules))

    def watch(self):
        """What afbr1 sends into the core from now on, as a function."""
        core = seen.Watch(self.p, "to-afbr1", self.at.afbr[1], "ip6 proto 4 or ip6 proto 47 or ip6 proto 115")
        return lambda: [p for p in seen.quick(core.stop()) if p.headers[0][0] == self.at.afbr[1]]

    def sent(self, *options, answered=True):
        """What afbr1 has sent into the core for one ping."""
        packets, said = self.watch(), []
        ask = lambda: self.host[1].sh("ping", "-n", "-c", 1, "-W", 1, *options, self.at.host(2), check=False)
        if answered:
            assert ask().returncode == 0
        else:  # the kernel rations what it says of missing routes, to each host (ip_error())
            wait_until("the sender is told", lambda: said.append(ask().stdout) or "nreachable" in said[-1])
        return packets(), "".join(said)

    def why(self):
        return self.daemon[1].table("show", "route", self.at.host(2))

    def wait_how(self, kind):
        wait_until(f"afbr1 has chosen {kind}", lambda: any(kind in str(e["encapsulation"]) and e["state"] == "up" and e["paths"] for e in
                                                          self.daemon[1].ask("show", "endpoints")["endpoints"]))


@pytest.fixture(scope="module")
def net():
    with Policy(6, name="policy") as net:
        net.start_each({1: {"accept": ACCEPT}, 2: {"accept": ACCEPT, "classes": ["color:100", "65000:7"]}})
        net.wait_ping(1, 2)
        yield net


# proves: MESH-FWD-6, MESH-FWD-7, MESH-SIG-5, MESH-ENC-1 partial
@pytest.mark.parametrize("kind", ["ipip", "gre", "l2tpv3"])
def test_one_encapsulation_for_all(net, kind):
    net.rules({"use": [kind]})
    net.wait_how(kind)
    packets, _ = net.sent()
    assert [p.how[0][0] for p in packets] == [kind]
    assert endpoints(net.daemon[1])[net.at.afbr[2]]["because"]


# proves: MESH-FWD-8, MESH-SIG-9
def test_by_class_of_the_egress(net):
    net.rules({"class": ["color:100"], "use": ["gre"]}, {"use": ["ipip"]})
    net.wait_how("gre")
    packets, _ = net.sent()
    assert [p.how[0][0] for p in packets] == ["gre"]
    net.rules({"class": ["65000:8"], "use": ["gre"]}, {"class": ["65000:7"], "use": ["l2tpv3"]}, {"use": ["ipip"]})
    net.wait_how("l2tpv3")
    packets, _ = net.sent()
    assert [p.how[0][0] for p in packets] == ["l2tpv3"]
    # The egress belongs to other classes now.
    net.configure(2, classes=["65000:8"])
    net.wait_how("gre")
    net.configure(2, classes=["color:100", "65000:7"])


# proves: MESH-FWD-6, MESH-FWD-7
def test_in_order_of_preference_and_never_by_what_no_rule_names(net):
    net.rules({"use": ["l2tpv3", "gre"]})
    net.wait_how("l2tpv3")
    net.configure(2, accept=["gre", "ipip"])
    net.wait_how("gre")
    packets, _ = net.sent()
    assert [p.how[0][0] for p in packets] == ["gre"]
    # The egress takes IP-in-IP only: no rule allows it.
    net.configure(2, accept=["ipip"])
    wait_until("there is no way any more", lambda: "no" in net.why() and not net.ping(1, 2))
    packets, said = net.sent(answered=False)
    assert packets == [] and "nreachable" in said, said
    assert "ipip" in net.why() and "l2tpv3" in net.why() and "gre" in net.why(), net.why()
    net.configure(2)


# proves: MESH-FWD-4, MESH-FWD-6
def test_none_at_all(net):
    net.rules({"prefixes": [net.at.network(2)], "use": ["none"]}, {"use": ["ipip"]})
    wait_until("it is rejected", lambda: not net.ping(1, 2))
    packets, said = net.sent(answered=False)
    assert packets == [] and "nreachable" in said, said
    assert "none" in net.why() and "rejects its packets" in net.why(), net.why()
    # Nor does it go by a shorter route, if there is one.
    assert "dev softwire0" in net.afbr[1].sh("ip", "-4", "route", "get", net.at.host(2)).stdout


# proves: MESH-FWD-9, MESH-FWD-11, MESH-ENC-14
def test_by_traffic_class_with_outer_headers_as_the_rules_say(net):
    net.rules({"dscp": ["ef"], "use": ["gre"], "outer-dscp": "cs5", "ttl": 33}, {"dscp": ["af41"], "use": ["l2tpv3"], "ecn": True}, {"use": ["ipip"], "ttl": 44})
    net.wait_how("l2tpv3")
    by = {tos: net.sent("-Q", tos)[0][0] for tos in (0xb8, 0x88 | 2, 0x00, 0x28 | 2)}
    assert {tos: (p.how[0][0], p.hops, p.inner_tos) for tos, p in by.items()} == {
        0xb8: ("gre", 33, 0xb8), 0x8a: ("l2tpv3", 64, 0x8a), 0: ("ipip", 44, 0), 0x2a: ("ipip", 44, 0x2a)}
    assert by[0xb8].tos == 40 << 2, "always this one"
    assert by[0x8a].tos == 0x8a, "the packet's own, and routers of the core may mark congestion"
    assert by[0x2a].tos == 0x28, "the packet's own, without ECN"


# proves: MESH-SIG-5, MESH-SIG-6
def test_nothing_is_sent_before_the_parameters_are_known(net):
    silent = {"afbr1": {"address": net.at.afbr[1], "families": ["ipv4"], "connect-retry": 1, "idle-hold": 0.2, "next-hop-self": True, "tunnels": "none"}}
    net.rules({"use": ["l2tpv3"]})
    net.wait_how("l2tpv3")
    net.configure(2, more=silent)
    wait_until("afbr2 tells nothing of tunnels", lambda: not net.ping(1, 2))
    wait_until("its routes have come again", lambda: "rejects its packets" in net.why())
    packets, said = net.sent(answered=False)
    assert packets == [] and "nreachable" in said, said
    # What needs no parameters may be used.
    net.rules({"use": ["l2tpv3", "ipip"]})
    net.wait_how("ipip")
    assert [p.how[0][0] for p in net.sent()[0]] == ["ipip"]
    net.rules({"use": ["l2tpv3"]})
    watched = net.watch()
    net.configure(2)
    net.wait_how("l2tpv3")
    net.wait_ping(1, 2)
    assert {p.how[0][0] for p in watched()} == {"l2tpv3"}


def losses(ping):
    ping.kill(signal.SIGINT)
    ping.popen.wait(5)
    sent, answered = re.search(r"(\d+) packets transmitted, (\d+) received", ping.text()).groups()
    return int(sent) - int(answered)


# proves: MESH-SIG-6 partial, MESH-ENC-7, SEC-MESH-9
def test_other_cookies_and_other_rules_under_traffic_lose_no_packet(net):
    net.rules({"use": ["l2tpv3"]})
    net.wait_how("l2tpv3")
    watched = net.watch()
    ping = net.host[1].start("ping", "-n", "-i", 0.01, "-W", 1, net.at.host(2), log=net.dir / "ping")
    answers = lambda n: wait_until("answers come", lambda: len(ping.has("bytes from")) >= n)
    answers(10)
    before = endpoints(net.daemon[1])[net.at.afbr[2]]
    net.daemon[2].ask("mesh", "roll")
    wait_until("afbr1 has the new parameters", lambda: endpoints(net.daemon[1])[net.at.afbr[2]]["encapsulation"] != before["encapsulation"])
    answers(len(ping.has("bytes from")) + 10)
    net.rules({"use": ["gre"]})
    net.wait_how("gre")
    answers(len(ping.has("bytes from")) + 10)
    assert losses(ping) == 0
    packets = watched()
    tokens = list(dict.fromkeys(p.how[0] for p in packets))
    assert [t[0] for t in tokens] == ["l2tpv3", "l2tpv3", "gre"], "each way begins once and ends once"
    assert tokens[0][1] != tokens[1][1] and tokens[0][2] != tokens[1][2]


NEAR, FAR, PLAIN = "198.18.2.10", "198.18.80.1", "198.18.81.1"
WHEN = {  # (tunnel-when, interfaces of the core, core0 has an IPv4 address): how packets to NEAR, FAR, PLAIN leave
    "a-routed-to-an-interface-of-the-core": ("core-interface", "core0", False, ("packed", "packed", None)),
    "a-routed-to-another-interface": ("core-interface", "spare0", False, (None, None, "plain")),
    "b-routed-to-an-interface-of-one-family": ("core-only-interface", "spare0", False, ("packed", "packed", None)),
    "b-routed-to-an-interface-of-both-families": ("core-only-interface", "spare0", True, (None, None, "plain")),
    "c-with-a-next-hop-of-the-core": ("core-next-hop", "spare0", False, ("packed", "packed", "plain")),
    "d-routes-of-bgp-from-inside": ("bgp", "spare0", False, ("packed", None, "plain")),
}


class When:
    """
    Routes to NEAR are told by afbr2, of our AS; to FAR with the same next hop by the teller, of another AS; to PLAIN by the teller, too, with an IPv4 next hop that
    is reached by core0. What cannot go natively (the next hop is of the other family, and not on a link), and is for no softwire, goes nowhere; nor does what has a
    next hop that is no endpoint of a softwire.
    """
    address = "203.0.113.65/30"

    def __init__(self, net):
        self.net = net
        net.afbr[1].ip("link", "add", "spare0", "up", "type", "veth", "peer", "name", "spare1")
        self.without_address()
        self.more = {"teller": neighbor(net.at.rr, families=["ipv4"], multihop=True, **{"as": 64999, "import": "all", "export": "all"})}
        self.teller = GoBgp(net.teller_node, 64999, "10.0.0.99", ("0.0.0.0", net.at.rr), [Peer(net.at.afbr[1], AS, ("ipv4",), multihop=True)])
        net.configure(1, more=self.more)
        self.teller.wait_up()
        self.teller.announce(f"{FAR}/32", next_hop=net.at.afbr[2])
        self.teller.announce(f"{PLAIN}/32", next_hop="203.0.113.77")
        wait_until("all is told", lambda: {net.at.network(2), f"{FAR}/32", f"{PLAIN}/32"} <= set(routes(net.daemon[1])))

    def without_address(self):
        """With its last address an interface loses its routes, too."""
        self.net.afbr[1].ip("-4", "addr", "flush", "dev", "core0")
        self.net.afbr[1].ip("route", "replace", "203.0.113.77/32", "via", "inet6", "fe80::99", "dev", "core0")

    def leave(self):
        """How an echo request to each of the three leaves for the core, if at all."""
        core = seen.Watch(self.net.p, "to-afbr1", self.net.at.afbr[1], "ip or ip6 proto 4")
        seen.send(self.net.host[1], *[seen.echo(self.net.at.host(1), to) for to in (NEAR, FAR, PLAIN)])
        how = {p.inner[1] if p.inner else p.outer[0][1]: p.stack for p in seen.read(core.stop(), 6) if self.net.at.host(1) in (p.inner or ("",))[0]}
        return tuple(how.get(to) and ("packed" if how[to][0] == "ipv6" else "plain") for to in (NEAR, FAR, PLAIN))

    def end(self):
        self.without_address()
        self.net.afbr[1].ip("link", "del", "spare0")
        self.teller.stop()
        self.net.configure(1)


@pytest.fixture(scope="module")
def when(net):
    when = When(net)
    yield when
    when.end()


# proves: MESH-FWD-5, MESH-FWD-4 partial
@pytest.mark.parametrize("what", WHEN)
def test_what_is_for_softwires_is_a_choice_of_four(net, when, what):
    word, interface, both, wanted = WHEN[what]
    net.configure(1, more=when.more, core={"interfaces": [interface]}, **{"tunnel-when": [word], "encapsulate": [{"use": ["ipip"]}]})
    net.afbr[1].ip("addr", "add", when.address, "dev", "core0") if both else when.without_address()
    found = []
    try:
        wait_until("packets go as they should", lambda: found.append(when.leave()) or found[-1] == wanted, 4)
    except LabError:
        assert found[-1] == wanted
        raise
