# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux's own tunnels as the far end of our encapsulations, in both directions: ip6_tunnel, sit, ip_gre, ip6_gre, with and without keys, and MPLS in IP and in GRE.
GoBGP tells the routes, and what is needed for them.

The scenario, with its topology, is guest_mesh.py.
"""
import ipaddress
from dataclasses import dataclass

import pytest
from capture import complaints, count, decode
from guest import PROGRAMS, Run
from guest_mesh import CORES, FAR_KEY

MODULES = "veth tun ip6_tunnel sit ip_gre ip6_gre mpls_router mpls_iptunnel"
NEEDED = {**{p: PROGRAMS[p] for p in ("linux.uml", "tcpdump", "tshark", "insmod")}, "gobgpd": "gobgpd", "curl": "curl"}
ROWS = {(core, r.name): r for core, plan in CORES.items() for r in plan["rows"]}
GOOD = [at for at in ROWS if at[1] != "wrong-key"]
# Octets around a packet; the kernel's may have an option more.
OVERHEAD = {"ipip": 0, "gre": 4, "key": 8, "mpls-in-ip": 4, "mpls-in-gre": 8, "same-family": 4}
OPTION = 8  # the Tunnel Encapsulation Limit in a Destination Options header


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    return Run("guest_mesh.py", tmp_path_factory.mktemp("mesh"), NEEDED, MODULES)


@dataclass
class Packet:
    """On the core: headers from the outermost one to the inner IP header, and what is in them."""
    headers: tuple
    source: str  # of the outermost
    ends: set  # of the innermost
    key: int
    label: int
    bottom: str


def number(text):
    return int(text, 0) if text else None


def read(line):
    protocols, src4, dst4, src6, dst6, key, label, bottom = line.split("\t")
    headers = protocols.split(":")[2:]
    inner = max((i for i, h in enumerate(headers) if h in ("ip", "ipv6")), default=0)
    six, deep = headers[inner] == "ipv6", inner > 0
    addresses = [f.split(",") for f in ((src6, dst6) if six else (src4, dst4))]
    outer = (src6 if headers[0] == "ipv6" else src4).split(",")[0]
    return Packet(tuple(headers[:inner + 1]), outer, {a[-1] for a in addresses} if deep else set(), number(key), number(label), bottom)


@pytest.fixture(scope="module")
def packets(mesh):
    """Of each core, those that are in softwires."""
    fields = ["frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "gre.key", "mpls.label", "mpls.bottom"]
    return {core: [read(line) for line in decode(mesh.capture(f"core{core}"), f"(ip || ipv6) && !tcp.port == 179", fields)] for core in CORES}


def found(mesh, at):
    return mesh[f"{at[0]}: {at[1]}"]


def on_the_wire(packets, at):
    """(our packets, the kernel's) of a row."""
    row, ours = ROWS[at], CORES[at[0]]["base"] + "1"
    its = [p for p in packets[at[0]] if row.server in p.ends]
    return [p for p in its if p.source == ours], [p for p in its if p.source == f"{CORES[at[0]]['base']}{row.outer}"]


def headers(at, option=False):
    """What is to be around packets of a row."""
    row = ROWS[at]
    between = (("ipv6.dstopts",) if option else ()) + (("gre",) if row.device not in ("ipip", "ipip-bare") else ()) + (("mpls",) if row.label else ())
    return ("ipv6" if at[0] == 6 else "ip", *between, "ipv6" if row.six else "ip")


def passes(mesh, packets, at):
    """Small packets and TCP pass both ways, packed as they should be, and are counted."""
    row, got = ROWS[at], found(mesh, at)
    assert (got["there"], got["back"]) == (3, 3)
    assert (got["tcp there"], got["tcp back"]) == (True, True)
    ours, theirs = on_the_wire(packets, at)
    assert {p.headers for p in ours} == {headers(at)}
    assert {p.headers for p in theirs} == {headers(at, with_option(at))}
    assert {(p.label, p.bottom) for p in ours} == {(row.label, "1" if row.label else "")}
    endpoint = mesh[f"{at[0]}: after"][at[1]]
    assert endpoint[f"tx{6 if row.six else 4}_packets"] == len(ours)
    assert (endpoint["state"], endpoint["hints"], endpoint["flaps"]) == ("up", 0, 0)
    return ours, theirs


def with_option(at):
    """Does the kernel pack with the option? Its tunnels over IPv6 do where they are not told otherwise."""
    return at[0] == 6 and not ROWS[at].device.endswith("-bare")


# proves: MESH-ENC-2
def test_ipv6_in_ipv4_with_sit(mesh, packets):
    passes(mesh, packets, (4, "ipip"))


# proves: MESH-ENC-3
@pytest.mark.parametrize("name", ["ipip", "ipip-bare"])
def test_ipv4_in_ipv6_with_ip6_tunnel(mesh, packets, name):
    passes(mesh, packets, (6, name))


# proves: MESH-ENC-4
@pytest.mark.parametrize("at", [(4, "gre"), (4, "same-family"), (6, "gre"), (6, "gre-bare"), (6, "same-family")])
def test_both_families_in_gre_over_both_with_ip_gre_and_ip6_gre(mesh, packets, at):
    ours, theirs = passes(mesh, packets, at)
    assert {p.key for p in ours + theirs} == {None}


# proves: MESH-ENC-5
@pytest.mark.parametrize("core", CORES)
def test_each_end_of_gre_uses_the_key_that_the_other_one_has_told(mesh, packets, core):
    ours, theirs = passes(mesh, packets, (core, "key"))
    assert {p.key for p in ours} == {FAR_KEY}
    assert {p.key for p in theirs} == {mesh[f"{core}: told"]["key"]} and mesh[f"{core}: told"]["key"]


# proves: MESH-ENC-11, MESH-ENC-12
@pytest.mark.parametrize("name", ["mpls-in-ip", "mpls-in-gre"])
@pytest.mark.parametrize("core", CORES)
def test_labeled_routes_go_as_mpls_in_ip_and_in_gre(mesh, packets, core, name):
    """The core has no MPLS, and neither has the kernel where we are."""
    _, theirs = passes(mesh, packets, (core, name))
    assert {(p.label, p.bottom) for p in theirs} == {(2 if ROWS[core, name].six else 0, "1")}, "explicit null, for the family of the payload"
    assert mesh[f"{core}: kernel without MPLS"] == "0"


# proves: MESH-ENC-14 partial
@pytest.mark.parametrize("core", CORES)
def test_all_ways_are_taken_at_once_and_counted(mesh, packets, core):
    rows = mesh[f"{core}: acceptance"]["accept"]
    assert [r["accept"] for r in rows] == ["ipip", "gre", "gre-key", "mpls-in-ip", "mpls-in-gre"]
    for r in rows:
        devices = {"ipip": ("ipip", "ipip-bare"), "gre": ("gre", "gre-bare", "same-family"), "gre-key": ("key",)}.get(r["accept"], (r["accept"],))
        seen = [p for at in GOOD if at[0] == core and at[1] in devices for p in on_the_wire(packets, at)[1]]
        assert r["rx4_packets"] + r["rx6_packets"] == len(seen) > 0, r
    assert sum(r["rx4_packets"] + r["rx6_packets"] for r in mesh[f"{core}: acceptance"]["transmitters"]) == sum(r["rx4_packets"] + r["rx6_packets"] for r in rows)


def test_tunnel_encapsulation_limit_is_taken_and_not_needed(mesh, packets):
    """RFC 2473 section 4.1.1: Linux's tunnels over IPv6 send it as long as nobody forbids it (encaplimit none)."""
    options = {name: {"ipv6.dstopts" in p.headers for p in on_the_wire(packets, (6, name))[1]} for core, name in GOOD if core == 6}
    assert options == {name: {not name.endswith("-bare")} for name in options}


@pytest.mark.parametrize("at", GOOD, ids=str)
def test_packets_as_large_as_the_softwire_pass_in_one_piece(mesh, at):
    got, outer = found(mesh, at), 40 if at[0] == 6 else 20
    around = OVERHEAD[at[1].removesuffix("-bare")]
    assert mesh[f"{at[0]}: before"][at[1]]["mtu"] == mesh[f"{at[0]}: after"][at[1]]["mtu"] == 1500 - outer - around
    assert got["far mtu"] == 1500 - outer - around - (OPTION if with_option(at) else 0)
    assert (got["full there"], got["full back"]) == (3, 3)


@pytest.mark.parametrize("core", CORES)
def test_wrong_key_is_dropped_and_counted(mesh, packets, core):
    got = mesh[f"{core}: wrong-key"]
    _, sent = on_the_wire(packets, (core, "wrong-key"))
    assert got["back"] == 0 and len(sent) == 3
    before, after = got["before"]["drops"], got["after"]["drops"]
    assert {k: after[k] - before[k] for k in after if after[k] != before[k]} == {"key": 3}
    assert got["before"]["accept"] == got["after"]["accept"]


@pytest.mark.parametrize("core", CORES)
def test_nothing_else_was_dropped(mesh, core):
    drops = mesh[f"{core}: acceptance"]["drops"]
    assert {k: v for k, v in drops.items() if v} == {"key": 3}


# The kernel's tunnel drivers are in this kernel, and see what comes to our sockets, too.
@pytest.mark.parametrize("core", CORES)
def test_our_kernel_tells_nobody_that_it_has_no_such_tunnel(mesh, packets, core):
    assert len(packets[core]) > 100
    assert count(mesh.capture(f"core{core}"), "icmp.type == 3 || icmpv6.type == 1") == 0
    assert mesh[f"{core}: stopped"] == 0


@pytest.mark.parametrize("core", CORES)
def test_tshark_has_no_complaint(mesh, core):
    assert complaints(mesh.capture(f"core{core}")) == []
    ours = ipaddress.ip_address(CORES[core]["base"] + "1")
    assert count(mesh.capture(f"core{core}"), f"{'ipv6' if ours.version == 6 else 'ip'}.src == {ours}") > 100
