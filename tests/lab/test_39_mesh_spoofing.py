# SPDX-License-Identifier: GPL-2.0-or-later
"""
39: who may put packets into softwires, and what keeps others out (RFC 5565 section 13).

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair, with an IPv6 core; p, teller and host1 send what they should not
                           ||
                         teller

What this exercises: packets with the right outer source and the wrong cookie, key, Session ID, encapsulation, label, header; from who is no next hop of BGP;
by the wrong interface; from a client with an address of the core. Each is counted by its reason, and nothing of them reaches the host.
"""
import pytest

import seen
from core import Pair, counters
from lab import wait_until

pytestmark = pytest.mark.xdist_group("mesh-39")
COOKIE, SESSION, KEY = "00112233445566ff", 4711, 99
TUNNELS = [{"type": "l2tpv3", "session": SESSION, "cookie": COOKIE}, {"type": "gre", "key": KEY}, {"type": "ipip"}]


@pytest.fixture(scope="module")
def net():
    with Pair(6, name="spoof") as net:
        net.start_each({1: {"core": {"endpoints": [net.at.set]}}, 2: {"tunnels": TUNNELS, "core": {"endpoints": [net.at.set]}}})
        net.wait_ping(1, 2)
        net.inner = seen.echo(net.at.host(1), net.at.host(2))
        yield net


def received(net):
    """Echo requests that host2 has seen."""
    text = net.host[2].sh("cat", "/proc/net/snmp").stdout.splitlines()
    names, values = [line.split() for line in text if line.startswith("Icmp:")]
    return int(values[names.index("InEchos")])


def refused(net, counter, node, *packets):
    before, count = received(net), counters(net.daemon[2])[counter]
    seen.send(node, *packets)
    wait_until(f"{counter} counts", lambda: counters(net.daemon[2])[counter] == count + len(packets))
    # What was right behind them has arrived: so would they have.
    seen.send(net.p, seen.ip(net.at.afbr[1], net.at.afbr[2], *seen.ipip(net.inner)))
    wait_until("the right one has come", lambda: received(net) > before)
    assert received(net) == before + 1


def outer(net, payload, source=None):
    return seen.ip(source or net.at.afbr[1], net.at.afbr[2], *payload)


# proves: SEC-MESH-2, MESH-ENC-5, MESH-ENC-7
def test_what_has_all_marks_comes_in(net):
    """The outer header is in the clear: who is inside the core and knows the cookie is believed."""
    before = received(net)
    checked = outer(net, seen.gre_with_checksum(net.inner, KEY))
    seen.send(net.p, outer(net, seen.l2tpv3(net.inner, SESSION, bytes.fromhex(COOKIE))), outer(net, seen.gre(net.inner, KEY)), outer(net, seen.ipip(net.inner)), checked)
    wait_until("all four have come", lambda: received(net) == before + 4)


BAD = {
    "a-wrong-cookie": ("drop_cookie", lambda i: seen.l2tpv3(i, SESSION, bytes(8))),
    "a-cookie-that-is-too-short": ("drop_cookie", lambda i: (115, SESSION.to_bytes(4, "big") + b"\0\x11")),
    "a-wrong-session": ("drop_session", lambda i: seen.l2tpv3(i, SESSION + 1, bytes.fromhex(COOKIE))),
    "a-control-message": ("drop_header", lambda i: seen.l2tpv3(i, 0, bytes.fromhex(COOKIE))),
    "a-wrong-key": ("drop_key", lambda i: seen.gre(i, KEY + 1)),
    "no-key": ("drop_key", lambda i: seen.gre(i)),
    "a-gre-checksum": ("drop_checksum", lambda i: seen.gre_with_checksum(i, KEY, error=1)),
    "a-gre-version": ("drop_header", lambda i: seen.gre(i, KEY, 1)),
    "mpls-that-nobody-advertised": ("drop_encapsulation", lambda i: seen.gre(b"\0\0\x01\x40" + i, KEY, 0, 0x8847)),
    "a-payload-of-the-core": ("drop_payload", lambda i: seen.l2tpv3(seen.echo("2001:db8:ffff::1", "2001:db8:ffff::2"), SESSION, bytes.fromhex(COOKIE))),
    "a-cut-payload": ("drop_payload", lambda i: seen.ipip(i[:15])),
}


# proves: SEC-MESH-1, SEC-MESH-4, SEC-MESH-9, SEC-MESH-11, MESH-ENC-7
@pytest.mark.parametrize("what", BAD)
def test_refused_with_its_reason(net, what):
    counter, make = BAD[what]
    refused(net, counter, net.p, outer(net, make(net.inner)), outer(net, make(net.inner)))
    acceptance = net.daemon[2].ask("show", "acceptance")["acceptance"]
    assert acceptance["drops"][counter.removeprefix("drop_")] >= 2, acceptance


# proves: SEC-MESH-4, SEC-MESH-7, SEC-MESH-11
def test_who_is_no_next_hop_may_not_send_and_whom_the_operator_names_may(net):
    right = seen.l2tpv3(net.inner, SESSION, bytes.fromhex(COOKIE))
    other = counters(net.daemon[2])["drop_cookie"]
    refused(net, "drop_transmitter", net.p, *[outer(net, p, net.at.rr) for p in (right, seen.ipip(net.inner), seen.l2tpv3(net.inner, SESSION, bytes(8)))])
    assert counters(net.daemon[2])["drop_cookie"] == other, "the cookie was not even looked at"
    net.change(net.daemon[2], net.afbr_text(2, tunnels=TUNNELS, core={"endpoints": [net.at.set], "transmitters": [f"{net.at.rr}/128"]}))
    before = received(net)
    seen.send(net.teller_node, outer(net, right, net.at.rr))
    wait_until("it has come", lambda: received(net) == before + 1)
    net.change(net.daemon[2], net.afbr_text(2, tunnels=TUNNELS, core={"endpoints": [net.at.set]}))
    refused(net, "drop_transmitter", net.p, outer(net, right, net.at.rr))


def link_local(node, device):
    return node.addresses(device, 6, "link")[0]["local"]


# proves: SEC-MESH-5, SEC-MESH-6
def test_clients_reach_no_endpoint_and_speak_for_none(net):
    """host1 has found out that its border router forwards IPv6, and knows the cookie."""
    for n in (1, 2):
        net.host[n].ip("route", "add", net.at.set, "via", link_local(net.afbr[n], f"ce{n}"), "dev", "eth0")
        net.host[n].ip("addr", "add", f"2001:db8:bad::{n}/128", "dev", "lo")
    right = seen.l2tpv3(net.inner, SESSION, bytes.fromhex(COOKIE))
    core = seen.Watch(net.p, "to-afbr2", net.at.afbr[2], "ip6 proto 115")
    before = received(net)
    forged = outer(net, right, net.at.afbr[1])
    seen.send(net.host[1], forged, outer(net, right, "2001:db8:bad::1"), seen.ip(net.at.afbr[1], "2001:db8:ffff::12", *right))
    # At its own border router it does not come from the core.
    refused(net, "drop_interface", net.host[2], forged)
    assert received(net) == before + 1
    seen.send(net.p, outer(net, seen.l2tpv3(net.inner, SESSION, bytes.fromhex(COOKIE))))
    wait_until("a right one is seen on the core", lambda: received(net) == before + 2)
    assert len(seen.quick(core.stop())) == 1, "nothing of the others was"
