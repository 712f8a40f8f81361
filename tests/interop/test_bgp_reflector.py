# SPDX-License-Identifier: GPL-2.0-or-later
"""
We are the route reflector of BIRD, FRR, GoBGP and OpenBGPD at once, all on one LAN, and an AFBR with networks and tunnels of our own:

    bird (1)   frr (2)   gobgp (3)      IPv6 sessions, TCP-MD5: IPv4 routes with IPv6 next hops (RFC 8950), IPv6, labels, tunnel endpoints
         \\        |        /
                rr (9)
                  |
              openbgpd (4)              an IPv4 session, TCP-MD5: it knows no IPv6 next hops of IPv4 routes

FRR has a second session, over IPv4, for labels: it takes those and unicast not in one.

Each tells an IPv4 and an IPv6 network; what the others hear of it is read from them. The tests that end sessions come last.
"""
import base64

import pytest
import wire
from exchange import Exchange, neighbor, routes, row, skip_without, wait_up
from lab import wait_until
from speakers import ALL, Frr, OpenBgpd, Peer

AS = 65000
BOTH = ("ipv4", "ipv6")
LABELED = ("ipv4-labeled", "ipv6-labeled")
FAMILIES = {"bird": BOTH + LABELED, "frr": BOTH, "gobgp": BOTH + LABELED + ("ipv4-encap", "ipv6-encap"), "openbgpd": BOTH}
NUMBER = {"bird": 1, "frr": 2, "gobgp": 3, "openbgpd": 4}
PREFIX = {name: (f"198.51.{100 + n}.0/24", f"2001:db8:10{n}::/48") for name, n in NUMBER.items()}
OURS = ("198.18.9.0/24", "2001:db8:9::/48")
NEXT_HOP = {"bird": "2001:db8:ffff::1", "frr": "2001:db8:ffff::2", "gobgp": "2001:db8:ffff::3", "openbgpd": "192.0.2.4"}
COMMUNITIES = {"communities": ["65000:1"], "extended": [("rt", 65000, 7)], "large": ["65000:1:2"], "med": 5}
LABELS = {"bird": ("203.0.113.0/25", "2001:db8:201::/48", 1000), "gobgp": ("203.0.113.128/25", "2001:db8:203::/48", 777)}
SIX_PE, FOUR_PLAIN = "2001:db8:204::/48", "203.0.112.0/25"  # GoBGP's, with labels and IPv4 next hops

# What GoBGP announces, byte by byte: the communities of the others; a GRE tunnel with a key to itself; an attribute that nobody knows.
GRE = bytes.fromhex("00020006" "0104deadbeef")
RAW = [(0x80, 4, (5).to_bytes(4, "big")), (0xc0, 8, bytes.fromhex("fde80001")), (0xc0, 16, bytes.fromhex("0002fde800000007")),
       (0xc0, 32, bytes.fromhex("0000fde80000000100000002")), (0xc0, 23, GRE), (0xc0, 99, b"nobody knows")]
# Of a type that nobody has, with a sub-TLV from 128 on, whose length has two octets; GRE with a key, a color and an endpoint; L2TPv3 with a session and a cookie.
COLOR = bytes.fromhex("0408" "030b000000000064")
SEVERAL = bytes.fromhex("7ffe0007" "c80004aabbccdd" "00020018" "010400000007" + COLOR.hex() + "0606000000000000" "0001000a" "01080000126889abcdef")
SEVERAL_PREFIX = "198.51.111.0/24"
LARGE_PREFIX = "198.51.112.0/24"
OLD_STYLE = "192.0.2.33"  # a next hop that OpenBGPD understands
OLD_PREFIX = "198.51.110.0/24"

# Our own, by preference.
TUNNELS = [{"type": "l2tpv3", "session": 4711, "cookie": "0123456789abcdef"}, {"type": "gre", "key": 7, "payload": "ipv4"}, {"type": "ipip"}]


ROLE = {"tunnels": TUNNELS, "classes": ["color:100", "65000:99"], "networks": OURS, "core": "192.0.2.9"}


@pytest.fixture(scope="module")
def net():
    skip_without(*ALL)
    with Exchange("refl") as x:
        build(x)
        yield x


def build(x):
    for name, n in NUMBER.items():
        x.host(name, n)
    us = x.host("rr", 9)
    x.wire = x.listen(us)
    x.speakers, neighbors = {}, {}
    for kind in ALL:
        name, native = kind.name, kind is OpenBgpd
        families = FAMILIES[name]
        address = x.hosts[name].local[not native]
        neighbors[name] = neighbor(address, families=families, client=True, password_file=x.secret(name, f"secret-of-{name}"),
                                   **({"tunnels": "one"} if kind is Frr else {}))
        peers = [Peer(us.local[not native], AS, families, f"secret-of-{name}")]
        x.speakers[name] = x.speaker(kind, x.hosts[name], AS, peers + ([Peer(us.local[0], AS, LABELED)] if kind is Frr else []))
    neighbors["frr-labeled"] = neighbor(x.hosts["frr"].local[0], families=LABELED, client=True)
    x.us, x.neighbors = us, neighbors
    x.rr = x.softwired(us, AS, neighbors, **ROLE)
    wait_up(x.rr, *neighbors)
    announce(x)
    wait_until("all have heard all", lambda: all(heard_all(x, name) for name in NUMBER), 20)


def announce(x):
    for name, speaker in x.speakers.items():
        for prefix in PREFIX[name]:
            speaker.announce(prefix, **({"attributes": RAW} if name == "gobgp" else COMMUNITIES))
    go = x.speakers["gobgp"]
    go.announce(OLD_PREFIX, next_hop=OLD_STYLE, attributes=RAW)
    for name, (four, six, label) in LABELS.items():
        x.speakers[name].announce(four, "ipv4-labeled", label=label)
        x.speakers[name].announce(six, "ipv6-labeled", label=label + 1)
    go.announce(SIX_PE, "ipv6-labeled", label=800, next_hop="::ffff:192.0.2.3")
    go.announce(SEVERAL_PREFIX, attributes=[(0xc0, 23, SEVERAL)])
    go.announce(FOUR_PLAIN, "ipv4-labeled", label=801, next_hop="192.0.2.3")
    go.announce("192.0.2.3/32", "ipv4-encap", next_hop="192.0.2.3", attributes=[(0xc0, 23, GRE)])


def read(x, name, family):
    speaker = x.speakers[name]
    return speaker.routes(speaker.peers[name == "frr" and family in LABELED].address, family)


def wanted(name, family):
    """What NAME has to hear, of unicast."""
    at = family == "ipv6"
    found = {PREFIX[n][at] for n in NUMBER if n != name} | {OURS[at]}
    if not at and name != "gobgp":
        found |= {OLD_PREFIX, SEVERAL_PREFIX}
    if not at and name == "openbgpd":
        found -= {SEVERAL_PREFIX, *(PREFIX[n][0] for n in ("bird", "frr", "gobgp"))}
    return found


def heard_all(x, name):
    return all(wanted(name, family) <= set(read(x, name, family)) for family in BOTH)


# proves: MESH-BGP-13, SEC-CTRL-4
@pytest.mark.parametrize("name", NUMBER)
def test_both_ends_have_all_capabilities_that_the_other_offers(net, name):
    speaker, ours = net.speakers[name], row(net.rr, name)
    session = speaker.session(speaker.peers[0].address)
    assert session.up and ours["state"] == "established" and ours["password"]
    assert session.capabilities == {"refresh", "as4", "graceful-restart", "enhanced-refresh"} | (
        set() if name == "openbgpd" else {"extended-next-hop", "extended-message"})
    assert session.families == set(FAMILIES[name])
    assert session.next_hops in (None, {f for f in FAMILIES[name] if f in ("ipv4", "ipv4-labeled")})
    theirs = ours["capabilities"]
    assert set(theirs["families"]) == set(FAMILIES[name]) and theirs["as4"] and theirs["refresh"] and theirs["graceful_restart"]
    assert theirs["enhanced_refresh"] == (name != "gobgp")
    assert theirs["extended_message"] == (name in ("bird", "frr"))
    assert ("ipv4" in theirs["extended_next_hop"]) == (name != "openbgpd")
    assert all(f["agreed"] for f in ours["families"])
    # The same from the OPENs themselves: RFC 8950's capability goes to all, whether they know it or not.
    sent = wire.capabilities(wire.messages(net.wire.path, speaker.peers[0].address, net.neighbors[name]["address"], wire.OPEN)[-1].body)
    assert bytes.fromhex("000100010002") in sent[5][0]


# proves: MESH-BGP-6 partial, MESH-BGP-10, MESH-BGP-12 partial
@pytest.mark.parametrize("name", NUMBER)
def test_reflected_routes_keep_their_next_hops_and_say_who_told_them(net, name):
    for family in BOTH:
        at = family == "ipv6"
        told = read(net, name, family)
        assert set(told) == wanted(name, family)
        for other in NUMBER:
            prefix = PREFIX[other][at]
            if prefix not in told:
                continue
            r = told[prefix]
            assert r.next_hop == (net.hosts[other].local[1] if at else NEXT_HOP[other]), (family, other, r)
            assert (r.originator, r.clusters) == (f"10.0.0.{NUMBER[other]}", ("10.0.0.9",)), (family, other, r)
            assert r.as_path == () and r.origin == "igp" and r.local_pref == 100, (family, other, r)


@pytest.mark.parametrize("name", NUMBER)
def test_communities_of_all_kinds_and_the_med_come_through(net, name):
    for family in BOTH:
        for prefix, r in read(net, name, family).items():
            if prefix not in (*OURS, SEVERAL_PREFIX):
                assert (r.communities, r.extended, r.large, r.med) == ({"65000:1"}, {"rt:65000:7"}, {"65000:1:2"}, 5), (prefix, r)


def test_what_we_read_is_what_they_have_told(net):
    for name in NUMBER:
        told = routes(net.rr, "received", name)
        for prefix in PREFIX[name]:
            r = told[prefix]
            assert r["next_hop"] == (net.hosts[name].local[1] if ":" in prefix else NEXT_HOP[name]), r
            assert (r["communities"], r["extended_communities"], r["large_communities"], r["med"], r["local_pref"], r["as_path"]) == (
                ["65000:1"], ["rt:65000:7"], ["65000:1:2"], 5, 100, ""), r
            assert r["best"] and r["barred"] is None and r["originator_id"] is None, r
    told = routes(net.rr, "received", "gobgp")
    assert told[PREFIX["gobgp"][0]]["tunnels"] == ["gre key 3735928559"]
    assert told["192.0.2.3/32"]["family"] == "ipv4-encap" and told["192.0.2.3/32"]["tunnels"] == ["gre key 3735928559"]


# proves: MESH-BGP-14
def test_who_does_not_know_ipv6_next_hops_of_ipv4_routes_is_not_told_them(net):
    told = routes(net.rr, "advertised", "openbgpd")
    assert {p for p in told if ":" not in p} == {OLD_PREFIX, OURS[0]}
    assert wire.last_told(net.wire.path, PREFIX["bird"][0], net.us.local[0]) is None


# proves: MESH-BGP-9, MESH-BGP-11, MESH-BGP-12 partial
def test_our_own_networks_have_next_hops_of_the_cores_family(net):
    for name in NUMBER:
        for family, prefix in zip(BOTH, OURS):
            wanted_hop = net.us.local[1] if name != "openbgpd" else "192.0.2.9" if family == "ipv4" else "::ffff:c000:209"
            r = read(net, name, family)[prefix]
            assert r.next_hop == wanted_hop and r.originator is None and r.clusters == (), (name, r)
    # 6PE (RFC 4798): over the IPv4 session the next hop is IPv4-mapped.
    told = wire.told(net.wire.path, OURS[1], net.us.local[0], net.hosts["openbgpd"].local[0])
    assert told.next_hop == bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 9])


# proves: MESH-BGP-11 partial, MESH-BGP-16 partial
def test_labels_come_through_with_next_hops_of_either_family(net):
    for name, other in (("bird", "gobgp"), ("gobgp", "bird"), ("frr", "bird"), ("frr", "gobgp")):
        four, six, label = LABELS[other]
        for family, prefix, value in (("ipv4-labeled", four, label), ("ipv6-labeled", six, label + 1)):
            if name == "frr" and prefix == four:
                continue  # over IPv4 FRR offers no IPv6 next hops
            r = wait_until(f"{name} has {prefix}", lambda: read(net, name, family).get(prefix))
            assert (r.label, r.next_hop, r.originator) == (value, NEXT_HOP[other], f"10.0.0.{NUMBER[other]}"), r
        assert routes(net.rr, "received", other)[four]["label"] == label
    # 6PE of GoBGP: read by us; BIRD takes it for an IPv4 next hop and refuses it, with the session up.
    r = routes(net.rr, "received", "gobgp")[SIX_PE]
    assert (r["next_hop"], r["label"]) == ("192.0.2.3", 800)
    r = wait_until("FRR has it", lambda: read(net, "frr", "ipv6-labeled").get(SIX_PE))
    assert (r.next_hop, r.label) == ("::ffff:c000:203", 800)
    told = wait_until("FRR has this one", lambda: FOUR_PLAIN in read(net, "frr", "ipv4-labeled") and read(net, "frr", "ipv4-labeled"))
    assert set(told) == {FOUR_PLAIN} and (told[FOUR_PLAIN].next_hop, told[FOUR_PLAIN].label) == ("192.0.2.3", 801), told
    wait_until("BIRD has said so", lambda: f"Invalid route {SIX_PE} withdrawn" in net.speakers["bird"].log.read_text())
    assert row(net.rr, "bird")["counters"]["flaps"] == 0


# proves: MESH-SIG-6 partial, MESH-SIG-7, MESH-SIG-9 partial, MESH-SIG-13 partial
def test_gobgp_reads_our_tunnels_with_the_same_values(net):
    for family, prefix in zip(BOTH, OURS):
        r = read(net, "gobgp", family)[prefix]
        assert [t["type"] for t in r.tunnels] == [1, 2, 7], "L2TPv3 over IP, GRE, IP in IP: by preference"
        l2tp, gre, ipip = ({s["type"]: s for s in t["value"]} for t in r.tunnels)
        assert l2tp[1]["key"] == 4711 and base64.b64decode(l2tp[1]["cookie"]) == bytes.fromhex("0123456789abcdef")
        assert gre[1]["key"] == 7 and not gre[1].get("cookie") and gre[2]["protocol"] == 0x0800, gre
        assert 1 not in ipip
        assert r.communities == {"65000:99"}
        assert any('"color": 100' in e for e in r.extended), r.extended
    # The route of the Encapsulation SAFI. A last tunnel without sub-TLVs GoBGP 3.10 does not see.
    r = read(net, "gobgp", "ipv4-encap")["192.0.2.9/32"]
    assert r.next_hop == "192.0.2.9" and [t["type"] for t in r.tunnels] == [1, 2], r
    l2tp, gre = ({s["type"]: s for s in t["value"]} for t in r.tunnels)
    assert (l2tp[1]["key"], base64.b64decode(l2tp[1]["cookie"]), gre[1]["key"]) == (4711, bytes.fromhex("0123456789abcdef"), 7)


# proves: MESH-SIG-6 partial, MESH-SIG-9 partial
def test_a_neighbour_that_knows_one_plain_tunnel_only_gets_that_one(net):
    """FRR 8.4 resets sessions over two; it strips the attribute from unicast routes, and the communities stay."""
    frr = net.neighbors["frr"]["address"]
    for prefix in OURS:
        told = wire.told(net.wire.path, prefix, destination=frr)
        assert told.attributes[23][1] == bytes.fromhex("00010016" "010c00001267" "0123456789abcdef" "0606000000000000"), "L2TPv3, which is preferred"
        communities = [told.attributes[16][1][i:i + 8] for i in range(0, len(told.attributes[16][1]), 8)]
        assert bytes.fromhex("030b000000000064") in communities
    assert row(net.rr, "frr")["counters"]["flaps"] == 0
    assert "65000:99" in read(net, "frr", "ipv4")[OURS[0]].communities


# proves: MESH-SIG-6 partial, MESH-SIG-7 partial
def test_several_tunnels_of_gobgp_are_read_and_passed_on_as_they_are(net):
    sent = wire.told(net.wire.path, SEVERAL_PREFIX, NEXT_HOP["gobgp"]).attributes[23][1]
    assert sent == SEVERAL
    r = routes(net.rr, "received", "gobgp")[SEVERAL_PREFIX]
    assert r["tunnels"] == ["gre key 7 endpoint next-hop color 100", "l2tpv3 session 4712 cookie of 4 octets"], r
    assert read(net, "bird", "ipv4")[SEVERAL_PREFIX].opaque[23] == SEVERAL
    # FRR would reset the session over the first one, and over two: it gets the first that is plain.
    told = wire.told(net.wire.path, SEVERAL_PREFIX, destination=net.neighbors["frr"]["address"])
    assert told.attributes[23][1] == SEVERAL[11:39], told
    assert row(net.rr, "frr")["counters"]["flaps"] == 0


def test_what_bird_and_openbgpd_do_not_know_reaches_them_as_it_was(net):
    for name, prefix in (("bird", PREFIX["gobgp"][0]), ("bird", OLD_PREFIX), ("openbgpd", OLD_PREFIX), ("openbgpd", PREFIX["gobgp"][1])):
        r = read(net, name, "ipv6" if ":" in prefix else "ipv4")[prefix]
        assert r.opaque[23] == GRE and r.opaque[99] == b"nobody knows", (name, r)
    told = wire.told(net.wire.path, OLD_PREFIX, net.us.local[0])
    # RFC 4271 section 5: who passes on what it does not know says so; the tunnels we know.
    assert told.attributes[99] == (0xe0, b"nobody knows") and told.attributes[23] == (0xc0, GRE)
    # All of ours, the same for both.
    assert read(net, "bird", "ipv4")[OURS[0]].opaque[23] == read(net, "openbgpd", "ipv6")[OURS[1]].opaque[23]


def test_what_is_withdrawn_is_gone_everywhere(net):
    for name, speaker in net.speakers.items():
        speaker.withdraw(PREFIX[name][1])
    wait_until("nobody has any", lambda: all(set(read(net, name, "ipv6")) == {OURS[1]} for name in NUMBER))
    for name, speaker in net.speakers.items():
        speaker.announce(PREFIX[name][1], **({"attributes": RAW} if name == "gobgp" else COMMUNITIES))
    wait_until("all have heard all again", lambda: all(heard_all(net, name) for name in NUMBER), 20)


def test_a_set_longer_than_4096_octets_goes_to_those_that_take_such_messages(net):
    """RFC 8654: from BIRD to FRR. GoBGP cannot have it, and the log says so."""
    many = [f"65000:1:{n}" for n in range(400)]
    net.speakers["bird"].announce(LARGE_PREFIX, large=many)
    r = wait_until("FRR has it", lambda: read(net, "frr", "ipv4").get(LARGE_PREFIX))
    assert r.large == set(many) and set(routes(net.rr)[LARGE_PREFIX]["large_communities"]) == set(many)
    told = wait_until("the log tells who has it not", lambda: net.rr.has("event=bgp-untold", "neighbor=gobgp", f"prefix={LARGE_PREFIX}"))
    assert "message" in told[0], told
    assert LARGE_PREFIX not in read(net, "gobgp", "ipv4")
    net.speakers["bird"].withdraw(LARGE_PREFIX)
    wait_until("it is withdrawn", lambda: LARGE_PREFIX not in read(net, "frr", "ipv4"))
    assert all(row(net.rr, name)["counters"]["flaps"] == 0 for name in NUMBER)


def refreshes(net, source, destination):
    """(AFI, subtype, SAFI) of ROUTE-REFRESH messages."""
    return [(int.from_bytes(m.body[:2], "big"), m.body[2], m.body[3]) for m in wire.messages(net.wire.path, source, destination, wire.REFRESH)]


def test_routes_are_told_again_between_two_marks_by_those_that_know_them(net):
    """RFC 7313: 0 asks, 1 begins, 2 ends."""
    us = net.us.local[1]
    bird = net.neighbors["bird"]["address"]
    counted = {f["family"]: f["received"] for f in row(net.rr, "bird")["families"]}
    assert net.rr.ask("bgp", "refresh", "all", "--in")["refreshed"] == len(net.neighbors)
    wait_until("BIRD has told all again", lambda: {s for _, s, _ in refreshes(net, bird, us)} >= {1, 2} and
               len([r for r in refreshes(net, bird, us) if r[1] == 2]) == 4)
    wait_until("we have asked for each family", lambda: {(1, 0, 1), (2, 0, 1), (1, 0, 4), (2, 0, 4)} <= set(refreshes(net, us, bird)))
    for name in ("bird", "frr", "openbgpd"):
        speaker = net.speakers[name]
        speaker.refresh(speaker.peers[0].address)
    wait_until("we have told BIRD all again", lambda: len([r for r in refreshes(net, us, bird) if r[1] == 2]) == 4)
    for name in ("frr", "openbgpd"):
        wait_until(f"{name} has asked", lambda: net.rr.has("event=bgp-refresh", f"neighbor={name}"))
    wait_until("all is as it was", lambda: all(heard_all(net, name) for name in NUMBER))
    now = row(net.rr, "bird")
    assert {f["family"]: f["received"] for f in now["families"]} == counted and all(f["stale"] == 0 for f in now["families"])
    assert all(row(net.rr, name)["counters"]["flaps"] == 0 for name in NUMBER)


def test_a_killed_speaker_keeps_its_routes_until_it_is_back(net):
    """Graceful restart of BIRD (RFC 4724): it dies, and comes back with fewer routes."""
    four, six = PREFIX["bird"]
    bird = net.speakers["bird"]
    bird.kill()
    wait_until("its routes are kept", lambda: all(routes(net.rr, "received", "bird").get(p, {}).get("stale") for p in (four, six)))
    assert four in read(net, "frr", "ipv4") and six in read(net, "openbgpd", "ipv6")
    bird.configure({k: v for k, v in bird.own.items() if k[1] != six})
    bird.restart()
    wait_up(net.rr, "bird")
    wait_until("one is fresh, the other gone", lambda: not routes(net.rr, "received", "bird")[four]["stale"] and six not in routes(net.rr))
    wait_until("nobody has the other one", lambda: not any(six in read(net, name, "ipv6") for name in NUMBER if name != "bird"))
    assert row(net.rr, "bird")["counters"]["established"] == 2
    withdrawn = [p for u in wire.updates(net.wire.path, net.us.local[1], net.neighbors["frr"]["address"]) for p in u.withdrawn]
    assert four not in withdrawn, "the others have not felt it"


@pytest.mark.parametrize("name", NUMBER)
def test_words_of_a_shutdown_reach_the_other_end_both_ways(net, name):
    """RFC 9003. Afterwards all is as before."""
    speaker, words = net.speakers[name], "fibre works until noon"
    peer = speaker.peers[0].address
    wait_up(net.rr, name)
    before = row(net.rr, name)["counters"]["established"]
    net.rr.ask("bgp", "clear", name, "--words", words)
    wait_until(f"{name} has read our words", lambda: speaker.heard(words))
    speaker.hurry(peer)
    wait_until("it is up again", lambda: row(net.rr, name)["counters"]["established"] > before and speaker.session(peer).up, 20)
    speaker.shutdown(peer, f"{name} says good night")
    down = wait_until("its words are in our log", lambda: net.rr.has("event=bgp-down", f"neighbor={name}", f"{name} says good night"))
    assert "Administrative Shutdown" in down[-1] and "notification=received" in down[-1]
    error = row(net.rr, name)["last_error"]
    assert error["sent"] is False and f"{name} says good night" in error["reason"]
    speaker.enable(peer)


def test_too_many_routes_end_the_session_of_who_told_them(net):
    wait_up(net.rr, "openbgpd", "bird")
    flaps = row(net.rr, "bird")["counters"]["flaps"]
    limited = {**net.neighbors, "openbgpd": {**net.neighbors["openbgpd"], "max-prefix": {"ipv4": 2}}}
    net.reconfigure(net.rr, AS, limited, **ROLE)
    speaker = net.speakers["openbgpd"]
    for n in range(3):
        speaker.announce(f"203.0.{n}.0/24")
    wait_until("it is told why", lambda: speaker.heard("max-prefix") or speaker.heard("maximum number of prefixes"))
    held = wait_until("it is held down", lambda: row(net.rr, "openbgpd")["state"] == "idle" and row(net.rr, "openbgpd"))
    assert held["last_error"]["sent"] and "Maximum Number of Prefixes" in held["last_error"]["code"], held
    assert net.rr.has("event=bgp-max-prefix", "neighbor=openbgpd", "family=ipv4")
    for n in range(3):
        speaker.withdraw(f"203.0.{n}.0/24")
    net.rr.ask("bgp", "clear", "openbgpd")
    speaker.hurry(speaker.peers[0].address)
    wait_up(net.rr, "openbgpd")
    assert row(net.rr, "bird")["counters"]["flaps"] == flaps


def test_tshark_finds_nothing_malformed(net):
    net.wire.stop()
    # Of the Color sub-TLV tshark 4.0 has an idea of its own, and it does not know extended messages.
    assert wire.malformed(net.wire.path, without=COLOR, longest=4096) == []
    kinds = {m.kind for m in wire.messages(net.wire.path)}
    assert kinds == {1, 2, 3, 4, 5}
