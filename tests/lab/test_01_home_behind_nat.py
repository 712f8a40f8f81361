# SPDX-License-Identifier: GPL-2.0-or-later
"""
01: the first softwire. A home router behind an IPv4 NAT gets IPv6 for its LAN (HS-SCEN-4); topology in home.py.

What this exercises: the whole set-up on real packets, both directions of traffic, the operator's view at both ends,
what is in the kernel, that the outer path has no IPv6, and tshark's opinion of everything that was sent.
"""
import ipaddress
import time

from capture import complaints, count, decode, inner
from home import DELEGATED_POOL, WEB
from lab import wait_until


# proves: PS-1 partial, PS-5 partial, PS-11 partial, PS-24, PS-26, PS-27, PS-29 partial, HS-SCEN-4, HS-L2TP-1, HS-L2TP-4, HS-L2TP-7 partial,
# HS-L2TP-8, HS-DHCP-3, HS-DHCP-4, HS-DHCP-5 partial, HS-PROV-9, PS-13, PS-16 partial
def test_lan_host_reaches_the_ipv6_internet(connected):
    connected.start_web("over the softwire\n")
    address = ipaddress.ip_address(connected.wait_host_address())
    prefix = ipaddress.ip_network(connected.delegated())
    assert address in prefix and prefix.prefixlen == 56 and prefix.subnet_of(ipaddress.ip_network(DELEGATED_POOL))
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    assert connected.host.ping(WEB, count=20, interval=0.05)
    page = connected.host.sh("curl", "-s", "-m", "10", f"http://[{WEB}]/").stdout
    assert page == "over the softwire\n"
    assert connected.internet.ping(str(address)), "the host can be reached from outside, too"
    chosen = str(ipaddress.ip_network((address, 64), strict=False)[0x1234])  # PS-26: not what the router's RA made it take
    connected.host.sh("ip", "-6", "addr", "add", f"{chosen}/64", "dev", "eth0", "nodad")
    connected.host.sh("ping", "-n", "-c3", "-i0.2", "-W2", "-I", chosen, WEB)
    assert connected.internet.ping(chosen)


# proves: HS-SCEN-9, PS-12
def test_only_the_missing_family_goes_through_the_softwire(connected):
    routes4 = connected.home.routes(4)
    assert not [r for r in routes4 if r.get("dev", "").startswith("si-")], "no IPv4 route leads into the softwire"
    default4 = [r for r in routes4 if r["dst"] == "default"]
    assert default4[0]["gateway"] == "192.168.1.1"
    assert [r for r in connected.home.routes(6) if r["dst"] == "default" and r["dev"] == "si-home"]


# proves: HS-DHCP-5 partial
def test_unused_part_of_the_prefix_is_unreachable(connected):
    prefix = ipaddress.ip_network(connected.delegated())
    connected.wait_host_address()
    unused = list(prefix.subnets(new_prefix=64))[-1][1]
    types = {r.get("type"): r["dst"] for r in connected.home.routes(6)}
    assert types.get("unreachable") == str(prefix)
    out = connected.internet.sh("ping", "-n", "-c1", "-W2", unused, check=False).stdout
    assert "unreachable" in out.lower() or "No route" in out, f"the home router answers for what it does not use: {out}"


def test_unassigned_pool_space_is_unreachable_at_the_concentrator(connected):
    out = connected.internet.sh("ping", "-n", "-c1", "-W2", "2001:db8:8000::1", check=False).stdout
    assert "From 2001:db8:ffff::1" in out and "unreachable" in out.lower(), out


# proves: HS-L2TP-12, HS-L2TP-13, HS-L2TP-14, HS-L2TP-15, HS-L2TP-16, HS-L2TP-17, HS-L2TP-20, HS-L2TP-21, HS-L2TP-22,
# HS-L2TP-26, HS-L2TP-28, HS-ND-1, HS-ND-2, HS-PPP-3, HS-PPP-13, HS-PPP-15, HS-PPP-16, HS-PPP-17
def test_tshark_sees_the_exchange_of_the_rfc(home):
    home.start_sc()
    capture = home.capture(home.home, "wan0", "udp port 1701")
    home.start_si()
    home.wait_delegated()
    home.wait_host_address()
    home.host.ping(WEB, count=3)
    capture.stop()
    types = [t for t in decode(capture.path, "l2tp.type == 1", ["l2tp.avp.message_type"]) if t]
    assert types[:6] == ["1", "2", "3", "10", "11", "12"], f"SCCRQ SCCRP SCCCN ICRQ ICRP ICCN, but: {types}"
    assert count(capture.path, "l2tp.avp.hidden == 1") == 0
    sent = {int(t) for line in decode(capture.path, "l2tp.type == 1", ["l2tp.avp.type"]) for t in line.split(",") if t}
    assert sent <= {0, 2, 3, 6, 7, 8, 9, 10, 11, 13, 14, 15, 19, 24}, f"only AVPs that softwires need: {sent}"
    assert set(decode(capture.path, "l2tp.avp.message_type == 12", ["l2tp.avp.connect_speed"])) == {"0"}
    capable = "l2tp.avp.sync_framing_supported == 1 && l2tp.avp.async_framing_supported == 1"
    for message in (1, 2):  # SCCRQ, SCCRP: S and A (RFC 5571 section 5.1.1.1)
        assert count(capture.path, f"l2tp.avp.message_type == {message} && {capable}") == types.count(str(message))
    synchronous = "l2tp.avp.sync_framing_type == 1 && l2tp.avp.async_framing_type == 0"
    assert count(capture.path, f"l2tp.avp.message_type == 12 && {synchronous}") == types.count("12"), "ICCN: S only"
    for asks, answers, words in (("dst", "src", "initiator"), ("src", "dst", "concentrator")):
        asked = identifiers(capture.path, f"udp.{asks}port == 1701 && ppp.code == 1")
        acknowledged = identifiers(capture.path, f"udp.{answers}port == 1701 && ppp.code == 2")
        assert len(asked[-1]) == 16 and asked[-1] == acknowledged[-1], f"the {words}'s identifier: {asked}, acknowledged {acknowledged}"
        assert words != "initiator" or asked[0][6:10] == "fffe", f"not an EUI-64: {asked}"
    order = [o for o in (first_frame(capture.path, f) for f in STEPS)]
    assert order == sorted(order) and all(order), f"tunnel, LCP, CHAP, IPV6CP, RS, RA, DHCPv6 in this order: {order}"
    assert complaints(capture.path) == []
    stacks = inner(capture.path)
    assert not any("ipcp" in s for s in stacks), "only the network protocol of the payload is negotiated"


STEPS = ["l2tp.avp.message_type == 1", "l2tp.avp.message_type == 12", "lcp", "chap.code == 2", "chap.code == 3", "ipv6cp", "icmpv6.type == 133",
         "icmpv6.type == 134", "dhcpv6"]


def identifiers(path, display_filter):
    """Of the IPV6CP packets, in hexadecimal digits; "" where there is none."""
    return [line.replace(":", "") for line in decode(path, f"ipv6cp && {display_filter}", ["ipv6cp.interface_identifier"])]


def first_frame(path, display_filter):
    frames = decode(path, display_filter, ["frame.number"])
    return int(frames[0]) if frames else 0


# proves: HS-OAM-4, HS-L2TP-23 partial, PS-10 partial
def test_operator_sees_the_softwire_at_both_ends(connected):
    sc, si = connected.sc.wait_up(), connected.si.wait_up()
    assert sc["user"] == si["user"] == "alice" and sc["link6"] == si["link6"]
    wait_until("both ends show the prefix", lambda: connected.sc.wait_up()["delegated"] == connected.si.wait_up()["delegated"])
    assert sc["peer"].startswith("203.0.113.7:") and si["peer"] == "192.0.2.1:1701"
    assert sc["mtu"] == si["mtu"] == 1460
    assert sc["families"] == si["families"] == [{"afi": 2, "safi": 1, "name": "ipv6"}]
    t1, t2 = connected.sc.show("tunnels")[0], connected.si.show("tunnels")[0]
    assert (t1["local_tunnel"], t1["peer_tunnel"]) == (t2["peer_tunnel"], t2["local_tunnel"])
    assert (t1["local_session"], t1["peer_session"]) == (t2["peer_session"], t2["local_session"])
    lease = connected.sc.show("leases")[0]
    assert lease["user"] == "alice" and lease["active"] and lease["duid"] and lease["delegated"] == si["delegated"]
    assert connected.sc.has("event=auth-ok", "user=alice") and connected.sc.has("event=up", "user=alice")
    for line in connected.sc.text().splitlines() + connected.si.text().splitlines():
        assert "correct horse" not in line, "a secret in the log"


# proves: HS-L2TP-33, HS-L2TP-32 partial, PS-2 partial
def test_ended_in_good_order_from_either_side(connected):
    connected.sc.ask("clear", "user", "alice")
    assert wait_until("the initiator says why", lambda: connected.si.has("event=down", "cleared by the operator"))
    connected.si.wait_up()
    capture = connected.capture(connected.sc_node, "access0", "udp port 1701")
    connected.si.stop()
    wait_until("the concentrator has let go", lambda: connected.sc.softwire() is None)
    capture.stop()
    assert connected.sc.has("event=down", "shuts down")
    assert count(capture.path, "l2tp.avp.message_type == 4") >= 1, "StopCCN"
    assert complaints(capture.path) == []
    assert not connected.home.addresses("lan0"), "the LAN address is gone"
    assert not [r for r in connected.home.routes(6) if r.get("type") == "unreachable" and r["dst"].startswith("2001")]


# proves: PS-3 partial
def test_set_up_takes_a_small_part_of_the_start(home):
    """Of the home router's start (the daemon from exec to its first softwire) the exchange itself is the smaller part."""
    home.start_sc()
    began = time.monotonic()
    home.start_si(wait=False)
    setup = wait_until("up", lambda: home.si.socket.exists() and home.si.softwire(), 15)["setup_ms"]
    total = (time.monotonic() - began) * 1000
    assert 0 <= setup < 1000 and setup < total / 2, f"{setup} ms of {total:.0f} ms"
