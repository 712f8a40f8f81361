# SPDX-License-Identifier: GPL-2.0-or-later
"""
41: packets that are too large for a softwire.

    host1 --- afbr1 ====== p ====== afbr2 --- host2          core.py, Pair, over either core; all links have an MTU of 1500, until one of the core has less
        1500        1500      1500        1500

What this exercises: the MTU that `show endpoints` says, for each encapsulation; Packet Too Big and Fragmentation Needed with that number; packets that may be cut;
a narrow link in the core that only its routers know of; bulk TCP with and without the clamping of its segment size.
"""
import hashlib
import re

import pytest

import seen
from core import Pair, endpoints
from lab import wait_until

HEADER = {"ipip": 0, "gre": 4, "l2tpv3": 12}


@pytest.fixture(scope="module", params=[pytest.param(6, id="ipv6-core", marks=pytest.mark.xdist_group("mesh-41-6")),
                                        pytest.param(4, id="ipv4-core", marks=pytest.mark.xdist_group("mesh-41-4"))])
def net(request):
    with Pair(request.param, name="mtu") as net:
        net.start_afbrs(accept=list(HEADER))
        net.wait_ping(1, 2)
        net.start_web(2, "small\n")
        data = bytes(i * 7 + i // 251 & 255 for i in range(3_000_000))
        (net.dir / "www2" / "large").write_bytes(data)
        net.digest = hashlib.sha256(data).hexdigest()
        net.outer, net.ip, net.icmp = (40, 20, 8) if net.at.core == 6 else (20, 40, 8)
        yield net


def use(net, kind, **keys):
    for n in (1, 2):
        net.change(net.daemon[n], net.afbr_text(n, accept=list(HEADER), encapsulate=[{"use": [kind]}], **keys))
    wait_until("both have it", lambda: all(kind in endpoints(net.daemon[n])[net.at.afbr[3 - n]]["encapsulation"] for n in (1, 2)))
    net.wait_ping(1, 2)


def mtu(net, n=1):
    return endpoints(net.daemon[n])[net.at.afbr[3 - n]]["mtu"]


def forget(net):
    for host in net.host.values():
        host.ip(f"-{net.at.client}", "route", "flush", "cache")


def too_big(net, size):
    """(who has said that a packet of SIZE octets is too big, the MTU that it said)."""
    forget(net)
    out = net.host[1].sh("ping", "-n", "-c", 1, "-W", 2, "-M", "do", "-s", size - net.ip - net.icmp, net.at.host(2), check=False).stdout
    said = re.search(r"From (\S+) icmp_seq=\d+ (?:Packet too big: mtu=|Frag needed and DF set \(mtu = )(\d+)", out)
    assert said, out
    return said[1], int(said[2])


def fits(net, size):
    forget(net)
    return net.host[1].sh("ping", "-n", "-c", 1, "-W", 2, "-M", "do", "-s", size - net.ip - net.icmp, net.at.host(2), check=False).returncode == 0


# proves: MESH-FWD-13
@pytest.mark.parametrize("kind", HEADER)
def test_the_mtu_is_what_the_headers_leave_and_senders_are_told_so(net, kind):
    use(net, kind)
    wanted = 1500 - net.outer - HEADER[kind]
    assert mtu(net) == wanted
    assert str(wanted) in net.daemon[1].table("show", "endpoints")
    assert too_big(net, wanted + 1) == (net.at.gateway(1), wanted)
    core = seen.Watch(net.p, "to-afbr2", net.at.afbr[2], "not port 179")
    assert fits(net, wanted)
    assert max(p.length for p in seen.quick(core.stop())) == 1500, "to the last octet"


# proves: MESH-FWD-13 partial
def test_what_may_be_cut_is_cut_before_it_is_packed(net):
    """IPv4 without DF, by afbr1; IPv6, by who sends, host1 and then host2, after they have been told. No packet of the core is a fragment."""
    use(net, "gre")
    core = seen.Watch(net.p, "to-afbr2", net.at.afbr[2], "not port 179")
    for _ in range(1 if net.at.client == 4 else 3):
        cut = net.host[1].sh("ping", "-n", "-c", 1, "-W", 2, "-M", "dont" if net.at.client == 4 else "want", "-s", 1500 - net.ip - net.icmp, net.at.host(2), check=False)
    assert cut.returncode == 0, cut.stdout
    packets = [p for p in seen.read(core.stop(), net.at.core) if p.inner and p.inner[0] == net.at.host(1)]
    inside = lambda p: "ipv6.fraghdr" in p.stack or p.values["ip.flags.mf"][-1:] in (["1"], ["True"]) and net.at.client == 4
    assert any(inside(p) for p in packets), ("the inner ones are", [p.stack for p in packets])
    assert not any(p.values["ip.frag_offset"][0] != "0" for p in packets if net.at.core == 4)
    assert all(p.stack[1] == "gre" for p in packets)


def large(net):
    forget(net)
    net.host[1].sh("curl", "-s", "-m", 20, "-o", net.dir / "got", net.url(2, "large"))
    return hashlib.sha256((net.dir / "got").read_bytes()).hexdigest()


# proves: MESH-FWD-13 partial
@pytest.mark.parametrize("clamp", [True, False], ids=["clamped", "by-icmp"])
def test_bulk_tcp_gets_through(net, clamp):
    use(net, "l2tpv3", mss_clamp=clamp)
    forget(net)
    client = seen.Watch(net.host[2], "eth0", net.at.gateway(2), "tcp[tcpflags] & tcp-syn != 0" if net.at.client == 4 else "ip6 proto 6 and ip6[53] & 2 != 0")
    assert large(net) == net.digest
    options = client.stop().read_bytes()
    mss = {int.from_bytes(options[i + 2:i + 4], "big") for i in range(len(options) - 4) if options[i:i + 2] == b"\x02\x04"}
    room = 1500 - net.outer - 12 - net.ip - 20
    assert (room in mss) == clamp, (mss, room)


# proves: MESH-FWD-13
def test_a_narrow_link_in_the_core_is_learnt_and_told(net):
    use(net, "ipip")
    narrow = 1400
    for node, device in ((net.p, "to-afbr2"), (net.afbr[2], "core0")):
        node.ip("link", "set", device, "mtu", narrow)
    wanted = narrow - net.outer
    fits(net, 1500 - net.outer)  # the first one is lost, and says so to afbr1
    wait_until("afbr1 has learnt it", lambda: mtu(net) == wanted)
    assert too_big(net, wanted + 1)[1] == wanted and fits(net, wanted)
    assert endpoints(net.daemon[1])[net.at.afbr[2]]["learned_mtu"] == narrow
    assert large(net) == net.digest
    for node, device in ((net.p, "to-afbr2"), (net.afbr[2], "core0")):
        node.ip("link", "set", device, "mtu", 1500)
