# SPDX-License-Identifier: GPL-2.0-or-later
"""
43: what must not happen in a mesh, and what is said when it is about to.

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair, with an IPv6 core
                           ||
                         teller                              GoBGP, which tells afbr1 nonsense

What this exercises: a next hop that only a softwire leads to; tunnel parameters that are incomplete, or contradict each other; somebody else's route in the place of
ours; a routing protocol on softwires; an endpoint that comes and goes; more changes of the kernel's routes than a socket has room for; an operator who takes an
endpoint out of service; another routing table with the same prefixes.
"""
import os
import signal
import struct

import pytest

import seen
from core import Pair, counters, endpoints, mesh_routes
from lab import Node, wait_until

pytestmark = pytest.mark.xdist_group("mesh-43")
FLAPS = 5


@pytest.fixture(scope="module")
def net():
    with Pair(6, name="trouble") as net:
        teller = net.start_teller(("ipv4",))
        more = {"teller": {"address": net.at.rr, "families": ["ipv4"], "connect-retry": 1, "idle-hold": 0.2}}
        net.start_each({1: {"more": more}, 2: {"accept": ["ipip", "l2tpv3"]}})
        teller.wait_up()
        net.wait_ping(1, 2)
        yield net


def why(net, prefix):
    return net.daemon[1].table("show", "route", prefix)


# proves: MESH-BGP-7 partial, MESH-BGP-8 partial
def test_a_next_hop_that_only_a_softwire_leads_to_is_none(net):
    net.afbr[1].ip("route", "add", "2001:db8:cafe::/48", "via", "fe80::1", "dev", "softwire0")
    net.teller.announce("198.18.50.0/24", next_hop="2001:db8:cafe::1")
    wait_until("it is told why", lambda: "only a softwire leads there" in why(net, "198.18.50.0/24"))
    assert "198.18.50.0/24" not in mesh_routes(net.afbr[1], 4)
    # There is a way now.
    net.afbr[1].ip("route", "add", "2001:db8:cafe::1/128", "via", "fe80::99", "dev", "core0")
    wait_until("it is used", lambda: "198.18.50.0/24" in mesh_routes(net.afbr[1], 4))
    net.afbr[1].ip("route", "del", "2001:db8:cafe::1/128")
    wait_until("and not any more", lambda: "198.18.50.0/24" not in mesh_routes(net.afbr[1], 4))
    net.afbr[1].ip("route", "del", "2001:db8:cafe::/48")


HELLO = """log stderr all;
router id 10.0.1.{n};
protocol device {{ }}
protocol ospf v2 four {{ ipv4 {{ import none; export none; }}; area 0 {{ interface "softwire0" {{ type ptp; hello 1; }}; }}; }}
protocol ospf v3 six {{ ipv6 {{ import none; export none; }}; area 0 {{ interface "softwire0" {{ type ptp; hello 1; }}; }}; }}
"""


# proves: MESH-BGP-8
def test_no_routing_protocol_finds_a_neighbour_through_a_softwire(net):
    """OSPF of both versions at both ends, and a hello in an IP-in-IP header that somebody in the core makes up."""
    core = seen.Watch(net.p, "to-afbr1", net.at.afbr[1], "ip6 proto 4 or ip6 proto 41 or ip6 proto 115")
    drops = {n: counters(net.daemon[n])["drop_local_scope"] for n in (1, 2)}
    birds = {}
    for n in (1, 2):
        (net.dir / f"hello{n}").write_text(HELLO.format(n=n))
        net.afbr[n].ip("addr", "add", f"10.9.9.{n}/24", "dev", "softwire0")
        net.afbr[n].ip("addr", "add", f"fe80::ce:{n}/64", "dev", "softwire0")
        birds[n] = net.afbr[n].start("bird", "-f", "-c", net.dir / f"hello{n}", "-s", net.dir / f"hello{n}.ctl", "-P", net.dir / f"hello{n}.pid", log=net.dir / f"hello{n}.log")
    said = lambda n, *words: net.sh("birdc", "-s", net.dir / f"hello{n}.ctl", *words, check=False).stdout
    wait_until("both have said hello by both protocols", lambda: all(counters(net.daemon[n])["drop_local_scope"] >= drops[n] + 4 for n in (1, 2)))
    before = counters(net.daemon[2])["drop_local_scope"]
    seen.send(net.p, seen.ip(net.at.afbr[1], net.at.afbr[2], *seen.ipip(seen.ip("10.9.9.1", "224.0.0.5", 89, bytes(44), hops=1))))
    wait_until("what is made up is dropped", lambda: counters(net.daemon[2])["drop_local_scope"] > before)
    assert net.ping(1, 2)
    for n in (1, 2):
        text = said(n, "show", "ospf", "interface", "four") + said(n, "show", "ospf", "interface", "six")
        assert text.count("Interface softwire0") == 2, text
        for protocol in ("four", "six"):
            neighbors = said(n, "show", "ospf", "neighbors", protocol)
            assert "Router ID" in neighbors and "softwire0" not in neighbors, neighbors
        birds[n].stop()
        for address in (f"10.9.9.{n}/24", f"fe80::ce:{n}/64"):
            net.afbr[n].ip("addr", "del", address, "dev", "softwire0")
    inner = {p.headers[-1] for p in seen.quick(core.stop())}
    assert inner == {(net.at.host(1), net.at.host(2)), (net.at.host(2), net.at.host(1))}, "the ping, and nothing else"


def tunnel(kind, *subs):
    """A TLV of the Tunnel Encapsulation attribute (RFC 9012)."""
    body = b"".join(bytes([number, len(value)]) + value for number, value in subs)
    return struct.pack("!HH", kind, len(body)) + body


INCOMPLETE = {
    "l2tpv3-without-a-session": tunnel(1, (2, b"\x08\x00")),
    "l2tpv3-with-session-0": tunnel(1, (1, struct.pack("!I", 0) + bytes(8))),
    "another-endpoint": tunnel(1, (1, struct.pack("!I", 7) + bytes(8)), (6, struct.pack("!IH", 0, 2) + b"\x20\x01\x0d\xb8" + bytes(11) + b"\x42")),
}


# proves: MESH-SIG-6, MESH-FWD-3 partial
@pytest.mark.parametrize("what", INCOMPLETE)
def test_parameters_that_cannot_be_used_lead_to_no_softwire(net, what):
    prefix = f"198.18.{60 + list(INCOMPLETE).index(what)}.0/24"
    net.change(net.daemon[1], net.afbr_text(1, more={"teller": {"address": net.at.rr, "families": ["ipv4"], "connect-retry": 1, "idle-hold": 0.2}},
                                           encapsulate=[{"prefixes": ["198.18.60.0/22"], "use": ["l2tpv3"]}, {"use": ["ipip"]}]))
    net.teller.announce(prefix, next_hop=net.at.afbr[2], attributes=[(0xc0, 23, INCOMPLETE[what])])
    wait_until("it is known", lambda: prefix in why(net, prefix))
    said = net.host[1].sh("ping", "-n", "-c", 1, "-W", 1, prefix.replace(".0/24", ".1"), check=False).stdout
    assert "nreachable" in said, said
    assert "l2tpv3" in why(net, prefix).lower(), why(net, prefix)
    # There is a route, which rejects its packets: none of another length takes them, packed in another way.
    assert prefix in mesh_routes(net.afbr[1], 4) and "rejects its packets" in why(net, prefix)


def test_somebody_elses_route_stays_where_it_is(net):
    net.afbr[1].ip("route", "add", "198.18.70.0/24", "via", net.at.host(1), "metric", "20")
    net.teller.announce("198.18.70.0/24", next_hop=net.at.afbr[2])
    wait_until("the log tells", lambda: net.daemon[1].has("event=kernel-route-failed", "198.18.70.0/24", "somebody else"))
    assert "198.18.70.0/24" not in mesh_routes(net.afbr[1], 4)
    assert "somebody else" in why(net, "198.18.70.0/24")
    net.afbr[1].ip("route", "del", "198.18.70.0/24")


def state(net):
    """Of the endpoint afbr2; none: no route leads to it any more."""
    return endpoints(net.daemon[1]).get(net.at.afbr[2], {"state": "none"})["state"]


def test_an_endpoint_that_comes_and_goes_is_followed_and_told(net):
    told = lambda event: len(net.daemon[1].has(event, net.at.afbr[2]))
    before = {event: told(event) for event in ("event=endpoint-down", "event=endpoint-up")}
    for _ in range(FLAPS):
        net.afbr[1].ip("route", "del", f"{net.at.afbr[2]}/128")
        wait_until("it is gone", lambda: state(net) != "up" and net.at.network(2) not in mesh_routes(net.afbr[1], 4))
        assert "there is no route to it" in why(net, net.at.host(2)), "who asks for the address hears it, too"
        net.afbr[1].ip("route", "add", f"{net.at.afbr[2]}/128", "via", "fe80::99", "dev", "core0")
        wait_until("it is back", lambda: state(net) == "up" and net.at.network(2) in mesh_routes(net.afbr[1], 4))
    assert net.ping(1, 2)
    wait_until("the log tells of each", lambda: all(told(event) == count + FLAPS for event, count in before.items()))
    assert net.daemon[1].has("event=endpoint-down", net.at.afbr[2], "there is no route to it")


def test_more_changes_than_a_socket_has_room_for_are_not_missed(net):
    """While the engine does not listen, thousands of routes come and go, and the way to the endpoint with them."""
    engine = net.daemon[1].children()[0]
    batch = "".join(f"route add 2001:db8:f00d:{n:x}::/64 dev lo\nroute del 2001:db8:f00d:{n:x}::/64 dev lo\n" for n in range(8000))
    os.kill(engine, signal.SIGSTOP)
    try:
        net.afbr[1].sh("ip", "-6", "-batch", "-", input=batch)
        net.afbr[1].ip("route", "del", f"{net.at.afbr[2]}/128")
    finally:
        os.kill(engine, signal.SIGCONT)
    wait_until("it has noticed", lambda: state(net) != "up")
    net.afbr[1].ip("route", "add", f"{net.at.afbr[2]}/128", "via", "fe80::99", "dev", "core0")
    wait_until("it is back", lambda: state(net) == "up")
    net.wait_ping(1, 2)


@pytest.mark.parametrize("how", ("del", "down"))
def test_a_device_that_somebody_deletes_or_sets_down_is_filled_again(net, how):
    if how == "del":
        net.afbr[1].ip("link", "del", "softwire0")
    else:
        net.afbr[1].ip("link", "set", "softwire0", "down")
        wait_until("the log tells", lambda: net.daemon[1].has("event=device-down"))
        net.afbr[1].ip("link", "set", "softwire0", "up")
    net.wait_ping(1, 2)
    wait_until("the log tells", lambda: net.daemon[1].has(f"event=device-{'back' if how == 'del' else 'up'}"))


# proves: MESH-FWD-6 partial
def test_the_operator_takes_an_endpoint_out_of_service(net):
    net.daemon[1].ask("mesh", "shutdown", net.at.afbr[2])
    assert state(net) == "shut" and not net.ping(1, 2)
    assert "operator" in net.daemon[1].table("show", "endpoints")
    net.daemon[1].ask("mesh", "start", net.at.afbr[2])
    wait_until("it is back", lambda: net.ping(1, 2))


def echos(node):
    """Echo requests that NODE has received."""
    names, values = [line.split() for line in node.sh("cat", "/proc/net/snmp").stdout.splitlines() if line.startswith("Icmp:")]
    return int(values[names.index("InEchos")])


# proves: MESH-BGP-20
def test_another_table_with_the_same_prefixes_is_left_alone_and_works(net):
    """Two sites of a private network at afbr1, with the addresses of host1 and host2, and a routing table of their own."""
    afbr, site = net.afbr[1], {n: Node(net, f"site{n}") for n in (1, 2)}
    for n in (1, 2):
        net.link(afbr, f"vpn{n}", site[n], "eth0", [f"10.77.{n}.1/30"], [f"10.77.{n}.2/30"])
        site[n].ip("addr", "add", f"{net.at.host(n)}/32", "dev", "lo")
        site[n].ip("route", "add", "default", "via", f"10.77.{n}.1", "src", net.at.host(n))
        afbr.ip("rule", "add", "iif", f"vpn{n}", "lookup", "100")
        # Even with the mark of ours.
        afbr.ip("route", "add", net.at.network(n), "via", f"10.77.{n}.2", "proto", "172", "table", "100")
    table = lambda: (afbr.ip("route", "show", "table", "100").stdout, afbr.ip("rule", "show").stdout)
    before = table()
    assert len(before[0].splitlines()) == 2

    def both_work():
        counts = echos(site[2]), echos(net.host[2])
        net.wait_ping(1, 2)
        mesh = echos(net.host[2]) - counts[1]
        assert mesh and echos(site[2]) == counts[0], "host1 reaches host2, through the softwire"
        assert site[1].ping(net.at.host(2))
        assert (echos(site[2]) - counts[0], echos(net.host[2]) - counts[1]) == (1, mesh), "site1 reaches site2"

    assert mesh_routes(afbr, 4)[net.at.network(2)]["dev"] == "softwire0"
    both_work()
    # Nor does an end, or a start that sweeps out what was left.
    net.daemon[1].stop()
    assert table() == before
    net.daemon[1].begin_again()
    wait_until("the routes are back", lambda: net.at.network(2) in mesh_routes(afbr, 4), 15)
    both_work()
    assert table() == before
    for n in (1, 2):
        afbr.ip("rule", "del", "iif", f"vpn{n}", "lookup", "100")
        afbr.ip("link", "del", f"vpn{n}")
