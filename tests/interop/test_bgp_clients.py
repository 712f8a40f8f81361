# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two AFBRs of ours are clients of four route reflectors at once, each other people's; none of the reflectors speaks to another one:

    bird (1)   frr (2)   gobgp (3)   openbgpd (4)
        \\\\        ||        ||         //
         a (7): tells its networks and tunnels       b (8): hears them four times

OpenBGPD has IPv4 sessions, the others IPv6 ones. FRR is told no tunnels at first (tunnels = "none"): it resets sessions over several.
"""
import pytest
import wire
from exchange import Exchange, neighbor, routes, row, skip_without, wait_up
from lab import wait_until
from speakers import ALL, Frr, OpenBgpd, Peer

AS = 65000
BOTH = ("ipv4", "ipv6")
NUMBER = {"bird": 1, "frr": 2, "gobgp": 3, "openbgpd": 4}
NETWORKS = ("198.18.7.0/24", "2001:db8:7::/48")
TUNNELS = [{"type": "l2tpv3", "session": 4711, "cookie": "0123456789abcdef"}, {"type": "gre", "key": 7}, {"type": "ipip"}]
SHOWN = [f"{text} endpoint next-hop" for text in ("l2tpv3 session 4711 cookie of 8 octets", "gre key 7", "ipip")]
CLASSES = ["color:100", "65000:99"]
COLOR, IPIP = bytes.fromhex("030b000000000064"), bytes.fromhex("030c000000000007")


@pytest.fixture(scope="module")
def net():
    skip_without(*ALL)
    with Exchange("clnt") as x:
        build(x)
        yield x


def build(x):
    for name, n in NUMBER.items():
        x.host(name, n)
    a, b = x.host("a", 7), x.host("b", 8)
    x.wire = {node.name: x.listen(node) for node in (a, b)}
    x.speakers, x.neighbors = {}, {}
    for kind in ALL:
        name, at = kind.name, kind is not OpenBgpd
        families = BOTH + (("ipv4-encap", "ipv6-encap") if name == "gobgp" else ())
        x.speakers[name] = x.speaker(kind, x.hosts[name], AS, [Peer(node.local[at], AS, families, client=True) for node in (a, b)])
        x.neighbors[name] = neighbor(x.hosts[name].local[at], families=families, **({"tunnels": "none"} if kind is Frr else {}))
    x.a = x.softwired(a, AS, x.neighbors, tunnels=TUNNELS, classes=CLASSES, networks=NETWORKS)
    x.b = x.softwired(b, AS, x.neighbors)
    wait_up(x.a, *NUMBER)
    wait_up(x.b, *NUMBER)
    wait_until("b has heard all of each", lambda: all(set(NETWORKS) <= set(routes(x.b, "received", name)) for name in NUMBER), 20)


def ends(x, name):
    """(a's address, b's address, the reflector's) of the sessions with reflector NAME."""
    at = name != "openbgpd"
    return x.a.node.local[at], x.b.node.local[at], x.hosts[name].local[at]


def sent_and_passed_on(x, name, prefix):
    a, b, reflector = ends(x, name)
    return wire.told(x.wire["a"].path, prefix, a, reflector), wire.told(x.wire["b"].path, prefix, reflector, b)


def communities(update):
    """Extended ones; OpenBGPD sorts them."""
    value = update.attributes[16][1]
    return {value[i:i + 8] for i in range(0, len(value), 8)}


# proves: MESH-BGP-6 partial, MESH-BGP-10 partial, SEC-CTRL-2
@pytest.mark.parametrize("name", NUMBER)
def test_next_hop_originator_and_cluster_are_right(net, name):
    for family, prefix in zip(BOTH, NETWORKS):
        r = routes(net.b, "received", name)[prefix]
        wanted = net.a.node.local[1] if name != "openbgpd" else net.a.node.local[0]
        assert (r["next_hop"], r["originator_id"], r["as_path"], r["local_pref"]) == (wanted, "10.0.0.7", "", 100), r
        assert r["barred"] is None and r["reached"], r
        sent, passed = sent_and_passed_on(net, name, prefix)
        assert sent.next_hop == passed.next_hop and 9 not in sent.attributes and 10 not in sent.attributes
        assert passed.attributes[9][1] == bytes([10, 0, 0, 7]) and passed.attributes[10][1] == bytes([10, 0, 0, NUMBER[name]])
    assert not row(net.a, name)["password"]


def test_our_own_routes_that_come_back_are_not_used(net):
    """GoBGP and BIRD do not tell a route to who has told it; whoever does: ORIGINATOR_ID is ours."""
    for name in NUMBER:
        for prefix, r in routes(net.a, "received", name).items():
            assert prefix not in NETWORKS or r["barred"], r


# proves: MESH-SIG-6 partial, MESH-SIG-7 partial
@pytest.mark.parametrize("name", ["bird", "openbgpd"])
def test_tunnels_that_the_reflector_does_not_know_come_back_byte_by_byte(net, name):
    for prefix in NETWORKS:
        sent, passed = sent_and_passed_on(net, name, prefix)
        assert len(sent.attributes[23][1]) > 20 and passed.attributes[23][1] == sent.attributes[23][1]
        assert communities(passed) == communities(sent) and passed.attributes[8][1] == sent.attributes[8][1]
        # RFC 4271 section 5: who does not know an attribute says so.
        assert passed.attributes[23][0] == 0xe0
        r = routes(net.b, "received", name)[prefix]
        assert r["tunnels"] == SHOWN and set(r["communities"]) == {"65000:99"} and "color:100" in r["extended_communities"], r


def test_gobgp_which_reads_them_writes_them_with_the_same_values(net):
    for prefix in NETWORKS:
        r = routes(net.b, "received", "gobgp")[prefix]
        assert r["tunnels"] == SHOWN, r


# proves: MESH-SIG-7 partial, MESH-SIG-13 partial
def test_a_route_of_the_encapsulation_safi_passes_gobgp(net):
    core = net.a.node.local[1]
    r = wait_until("b has it", lambda: routes(net.b, "received", "gobgp").get(f"{core}/128"))
    assert (r["family"], r["next_hop"], r["originator_id"]) == ("ipv6-encap", core, "10.0.0.7"), r
    # GoBGP 3.10 does not see a tunnel without sub-TLVs that is the last one: `ipip` is lost with it.
    assert r["tunnels"] == ["l2tpv3 session 4711 cookie of 8 octets", "gre key 7"], r
    sent = wire.told(net.wire["a"].path, f"{core}/128", core)
    assert sent.attributes[23][1] == bytes.fromhex("0001000e" "010c00001267" "0123456789abcdef" "00020006" "010400000007" "00070000")


# proves: MESH-SIG-9 partial
def test_a_neighbour_without_tunnels_has_communities_to_go_by(net):
    for prefix in NETWORKS:
        sent, passed = sent_and_passed_on(net, "frr", prefix)
        assert 23 not in sent.attributes and 23 not in passed.attributes
        assert communities(sent) == {COLOR, IPIP}, "the community has no room for keys: only a plain tunnel is in it"
        assert communities(passed) == communities(sent)
        r = routes(net.b, "received", "frr")[prefix]
        assert {"color:100", "encapsulation:ipip"} <= set(r["extended_communities"]) and r["communities"] == ["65000:99"], r


# proves: MESH-BGP-6 partial
def test_the_choice_among_four_and_whom_it_is_told_is_explained(net):
    told, = net.b.ask("show", "route", NETWORKS[0])["routes"]
    reasons = {p["from"]: p["why"] for p in told["paths"]}
    best = net.hosts["openbgpd"].local[0]
    assert reasons.pop("openbgpd").startswith(f"a lower peer address: peer address {best}"), told
    assert reasons == {name: f"peer address {net.hosts[name].local[1]}, the best has {best}" for name in ("bird", "frr", "gobgp")}
    # What comes from an internal neighbour goes to no other one.
    for n in told["neighbors"]:
        assert not n["told"] and ("RFC 4456" in n["because"] or n["neighbor"] == "openbgpd"), n
    assert routes(net.b, "advertised", "bird") == {}


def test_frr_resets_the_session_over_several_tunnels_and_is_content_with_one(net):
    """FRR 8.4 reads a second tunnel as sub-TLVs of the first, which by chance may make sense with two; with the three here it does not."""
    frr = net.neighbors["frr"]

    def tell(way):
        net.reconfigure(net.a, AS, {**net.neighbors, "frr": {**frr, "tunnels": way}}, tunnels=TUNNELS, classes=CLASSES, networks=NETWORKS)

    a, b, reflector = ends(net, "frr")
    tell("full")
    down = wait_until("FRR has reset the session", lambda: net.a.has("event=bgp-down", "neighbor=frr", "notification=received"))
    assert "UPDATE Message Error" in down[0], down
    assert all(row(net.a, name)["counters"]["flaps"] == 0 for name in ("bird", "gobgp", "openbgpd"))
    tell("one")
    wait_up(net.a, "frr")
    wait_until("b has the network again", lambda: routes(net.b, "received", "frr").get(NETWORKS[0], {}).get("stale") is False)
    sent, passed = sent_and_passed_on(net, "frr", NETWORKS[0])
    assert sent.attributes[23][1][:2] == b"\0\1" and 23 not in passed.attributes, "FRR takes it out of unicast routes"
    assert communities(passed) == {COLOR, IPIP}


def test_tshark_finds_nothing_malformed(net):
    for capture in net.wire.values():
        capture.stop()
        assert wire.malformed(capture.path) == []
