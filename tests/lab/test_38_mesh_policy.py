# SPDX-License-Identifier: GPL-2.0-or-later
"""
38: which packets go by which softwire is the ingress' policy.

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair, with an IPv6 core; afbr1's rules change, and what afbr2 tells

What this exercises: one encapsulation for all; by class of the egress (a color, a community); in order of preference; by traffic class; none at all; TTL, DSCP
and ECN of the outer header; that nothing leaves in an encapsulation that no rule has chosen, nor before its parameters are known; other rules, and other
cookies, under traffic.
"""
import re
import signal

import pytest

import seen
from core import Pair, endpoints
from lab import wait_until

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
        packets = self.watch()
        ping = self.host[1].sh("ping", "-n", "-c", 1, "-W", 1, *options, self.at.host(2), check=False)
        assert (ping.returncode == 0) == answered, ping.stdout
        return packets(), ping.stdout

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


# proves: MESH-FWD-6, MESH-FWD-7, MESH-SIG-5
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
    assert "none" in net.why(), net.why()


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
    wait_until("its routes have come again", lambda: net.at.network(2) in net.why() and "rejected" not in net.why())
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
