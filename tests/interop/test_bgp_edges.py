# SPDX-License-Identifier: GPL-2.0-or-later
"""
BIRD, FRR, GoBGP and OpenBGPD as CE routers of one AFBR of ours, each in an AS of its own, and an internal neighbour that hears of their networks:

    bird (1, AS 64501)      IPv6 session: IPv4 routes with IPv6 next hops                b (8, AS 65000), ours
    frr (2, AS 64502)       IPv4 session, TCP-MD5; at first with a wrong password    \\   /
    gobgp (3, AS 64503)     IPv4 session; no policies, so nothing passes (RFC 8212)   pe (9, AS 65000)
    openbgpd (4, AS 64504)  IPv4 session, IPv6 routes too                            /   \\
                                                                                          router (254) ---- far (AS 64506), BIRD, IPv6, multihop

All of these but far are on our link, and both ends say so (GTSM). far is told the next hops of others unchanged (RFC 5565 section 12, option 3).
"""
import pytest
import wire
from capture import count
from exchange import Exchange, neighbor, routes, row, skip_without, wait_up
from lab import wait_until
from speakers import ALL, Bird, Peer

AS = 65000
BOTH = ("ipv4", "ipv6")
NUMBER = {"bird": 1, "frr": 2, "gobgp": 3, "openbgpd": 4}
FAR_AS = 64506
CE_AS = {**{name: 64500 + n for name, n in NUMBER.items()}, "far": FAR_AS}
NETWORK = {name: f"198.51.{100 + n}.0/24" for name, n in NUMBER.items()}
NETWORK6 = {"bird": "2001:db8:101::/48", "far": "2001:db8:106::/48"}
LOST = "2001:db8:104::/48"  # OpenBGPD tells it with its loopback address as next hop, since the session is an IPv4 one
FAR_NETWORK = "203.0.113.0/24"
SECRETIVE = "198.51.120.0/24"  # not for other ASes: no-export
B_NETWORK = "198.18.8.0/24"
FAR = "2001:db8:fffe::2"
COMMUNITIES = {"communities": ["64999:1"], "extended": [("rt", 64999, 7)], "large": ["64999:1:2"], "med": 5}
OPEN = {"import": "all", "export": "all", "advertisement_interval": 0}


@pytest.fixture(scope="module")
def net():
    skip_without(*ALL)
    with Exchange("edge") as x:
        build(x)
        yield x


def build(x):
    for name, n in NUMBER.items():
        x.host(name, n)
    pe, b = x.host("pe", 9), x.host("b", 8)
    router, far = x.host("router", 254), x.host("far", 6)
    route_to(x, router, far, pe)
    x.wire = x.listen(pe)
    at = {"bird": 1, "frr": 0, "gobgp": 0, "openbgpd": 0}
    families = {"bird": BOTH, "frr": ("ipv4",), "gobgp": ("ipv4",), "openbgpd": BOTH}
    secret = {"frr": "right-password"}
    x.speakers = {kind.name: x.speaker(kind, x.hosts[kind.name], CE_AS[kind.name], [
        Peer(pe.local[at[kind.name]], AS, families[kind.name], secret.get(kind.name), hops=1)]) for kind in ALL}
    x.far = Bird(far, FAR_AS, "10.0.0.6", ("192.0.2.6", FAR), [Peer(pe.local[1], AS, BOTH, multihop=True)])
    x.address = {name: x.hosts[name].local[at[name]] for name in NUMBER}
    keys = {"bird": OPEN, "frr": {**OPEN, "password_file": x.secret("password", "wrong-password")}, "gobgp": {}, "openbgpd": OPEN}
    x.neighbors = {name: neighbor(x.address[name], families=families[name], ttl_security=1, **{"as": CE_AS[name]}, **keys[name]) for name in NUMBER}
    x.neighbors["far"] = neighbor(FAR, families=BOTH, multihop=True, next_hop_unchanged=True, **{"as": FAR_AS}, **OPEN)
    x.neighbors["b"] = neighbor(b.local[1], families=BOTH, next_hop_self=True)
    x.pe = x.softwired(pe, AS, x.neighbors, tunnels=[{"type": "ipip"}])
    x.b = x.softwired(b, AS, {"pe": neighbor(pe.local[1], families=BOTH)}, networks=[B_NETWORK])
    for name, speaker in x.speakers.items():
        for prefix in (NETWORK[name], NETWORK6.get(name)):
            if prefix:
                speaker.announce(prefix, **({} if name == "gobgp" else COMMUNITIES))
    x.speakers["bird"].announce(SECRETIVE, communities=["65535:65281"])
    x.speakers["openbgpd"].announce(LOST)
    for prefix in (FAR_NETWORK, NETWORK6["far"]):
        x.far.announce(prefix, **COMMUNITIES)


def route_to(x, router, far, pe):
    """far is on a link of its own, behind the router."""
    x.link(router, "down0", far, "up0", ["2001:db8:fffe::1/64"], [f"{FAR}/64"])
    far.ip("link", "set", "eth0", "down")
    router.sysctl("net.ipv6.conf.all.forwarding", 1)
    far.ip("route", "add", "default", "via", "2001:db8:fffe::1")
    pe.ip("route", "add", "2001:db8:fffe::/64", "via", router.local[1])


def read(x, name, family="ipv4"):
    speaker = x.speakers[name]
    return speaker.routes(speaker.peers[0].address, family)


# proves: SEC-CTRL-1 partial, SEC-CTRL-3 partial, SEC-CTRL-4 partial
def test_a_wrong_password_brings_no_session_and_the_right_one_does(net):
    frr = net.speakers["frr"].peers[0].address
    told = wait_until("the log says so", lambda: net.pe.has("event=bgp-md5", "frr"))
    assert "password" in told[0]
    assert row(net.pe, "frr")["state"] != "established" and not net.speakers["frr"].session(frr).up
    net.secret("password", "right-password")
    net.pe.ask("reload")
    wait_up(net.pe, "frr")
    assert count(net.wire.path, f"ip.addr == {net.address['frr']} && !tcp.options.md5") == 0
    assert not net.pe.has("-password")


def test_the_others_have_sessions_too(net):
    wait_up(net.pe, *NUMBER, "far", "b")
    for name in ("bird", "frr", "gobgp", "openbgpd"):
        r = row(net.pe, name)
        assert (r["as"], r["internal"]) == (CE_AS[name], False)
    # GTSM (RFC 5082): as from the same link, both ways.
    for name in NUMBER:
        a = net.address[name]
        assert count(net.wire.path, f"bgp && ipv6.addr == {a} && ipv6.hlim != 255" if ":" in a else f"bgp && ip.addr == {a} && ip.ttl != 255") == 0


# proves: MESH-BGP-5 partial, MESH-BGP-9 partial
def test_their_networks_cross_to_the_internal_neighbour_with_us_as_next_hop(net):
    wanted = {NETWORK[n]: n for n in ("bird", "frr", "openbgpd")} | {p: n for n, p in NETWORK6.items()}
    wait_until("b has all of them", lambda: set(wanted) <= set(routes(net.b)))
    for prefix, name in wanted.items():
        r = routes(net.b)[prefix]
        assert (r["as_path"], r["next_hop"], r["local_pref"], r["origin"]) == (str(CE_AS[name]), net.pe.node.local[1], 100, "igp"), r
        assert r["med"] == (5 if name in ("frr", "openbgpd") else None), "BIRD keeps it to itself"
        assert (r["communities"], set(r["extended_communities"]), r["large_communities"]) == (["64999:1"], {"rt:64999:7", "encapsulation:ipip"}, ["64999:1:2"]), r
        assert r["tunnels"] == [], "a plain tunnel to us: the community says it all"
    assert routes(net.b)[SECRETIVE]["communities"] == ["no-export"]


# proves: MESH-BGP-5 partial, MESH-BGP-9 partial, MESH-BGP-12 partial
@pytest.mark.parametrize("name", ["bird", "frr", "openbgpd"])
def test_a_ce_is_told_others_networks_as_an_external_neighbour(net, name):
    others = [n for n in ("bird", "frr", "openbgpd") if n != name]
    wanted = {NETWORK[n] for n in others} | {B_NETWORK}
    wait_until(f"{name} has them", lambda: wanted <= set(read(net, name)))
    told = read(net, name)
    assert set(told) == wanted | {FAR_NETWORK}, "neither its own nor those of who has no policies, nor what stays in our AS"
    ours = net.pe.node.local[name == "bird"]
    for n in others:
        r = told[NETWORK[n]]
        assert (r.as_path, r.next_hop, r.origin) == ((AS, CE_AS[n]), ours, "igp"), r
        assert (r.communities, r.extended, r.large) == ({"64999:1"}, {"rt:64999:7"}, {"64999:1:2"}), r
    assert (told[B_NETWORK].as_path, told[B_NETWORK].next_hop) == ((AS,), ours)
    for prefix in told:
        sent = wire.told(net.wire.path, prefix, ours, net.address[name])
        # LOCAL_PREF, others' MED, reflection and tunnels stay at home.
        assert not {4, 5, 9, 10, 23} & set(sent.attributes), (prefix, sent)
    if name != "frr":
        r = wait_until("IPv6 networks too", lambda: read(net, name, "ipv6").get(NETWORK6["far"]))
        assert r.as_path == (AS, FAR_AS)
        assert r.next_hop == (net.pe.node.local[1] if name == "bird" else "::ffff:c000:209"), r


def test_a_route_without_a_host_as_next_hop_is_treated_as_withdrawn_and_the_session_stays(net):
    told = wait_until("the log says so", lambda: net.pe.has("event=bgp-update", "neighbor=openbgpd", f"prefix={LOST}"))
    assert "treated as withdrawn" in told[0] and "next hop ::1" in told[0], told
    counters = row(net.pe, "openbgpd")["counters"]
    assert counters["withdrawn_updates"] >= 1 and counters["flaps"] == 0
    assert LOST not in routes(net.pe)


def test_without_policies_nothing_comes_in_or_goes_out_and_we_say_why(net):
    r = wait_until("its route has come", lambda: routes(net.pe, "received", "gobgp").get(NETWORK["gobgp"]))
    assert r["barred"] and "policy" in r["barred"] and not r["best"], r
    assert read(net, "gobgp") == {} and routes(net.pe, "advertised", "gobgp") == {}
    assert NETWORK["gobgp"] not in routes(net.b)
    told = net.pe.table("show", "route", NETWORK["gobgp"])
    assert "gobgp" in told and "policy" in told, told


# proves: MESH-AS-2 partial, MESH-AS-3
def test_a_neighbour_some_hops_away_gets_next_hops_as_they_are(net):
    wanted = {B_NETWORK: net.b.node.local[1], NETWORK["bird"]: net.hosts["bird"].local[1], NETWORK["frr"]: "192.0.2.2"}
    far = net.far.peers[0].address
    told = wait_until("far has them", lambda: (lambda t: set(wanted) <= set(t) and t)(net.far.routes(far, "ipv4")))
    for prefix, hop in wanted.items():
        assert told[prefix].next_hop == hop, (prefix, told[prefix])
    assert told[B_NETWORK].as_path == (AS,) and told[NETWORK["bird"]].as_path == (AS, CE_AS["bird"])
    r = wait_until("b has far's network", lambda: routes(net.b).get(FAR_NETWORK))
    assert (r["as_path"], r["next_hop"], r["communities"]) == (str(FAR_AS), net.pe.node.local[1], ["64999:1"]), r
    assert count(net.wire.path, f"ipv6.dst == {FAR} && bgp && ipv6.hlim != 64") == 0


def test_a_dead_ce_is_forgotten_and_what_it_told_is_withdrawn(net):
    """Without graceful restart of its own accord: OpenBGPD offers it for no family."""
    net.speakers["openbgpd"].kill()
    wait_until("its network is gone", lambda: NETWORK["openbgpd"] not in routes(net.b), 15)
    wait_until("FRR has heard so", lambda: NETWORK["openbgpd"] not in read(net, "frr"))
    assert all(row(net.pe, name)["counters"]["flaps"] == 0 for name in ("bird", "frr", "gobgp", "far", "b"))


def test_tshark_finds_nothing_malformed(net):
    net.wire.stop()
    assert wire.malformed(net.wire.path) == []
