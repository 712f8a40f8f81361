# SPDX-License-Identifier: GPL-2.0-or-later
"""
06: packets that are too large for the softwire, in either direction. Topology of home.py; all links have an MTU of 1500.

    internet6 ---- sc ======== 1460 ======== home ---- lan        1500 - 20 IPv4 - 8 UDP - 8 L2TP - 4 PPP
             1500                                1500

What this exercises: the inner MTU, Packet Too Big from a real address of the end that drops, the MSS of TCP as lowered by either
end in both directions, bulk transfers in both directions with and without that, and an access network that is narrower.
"""
import hashlib
import re

import pytest

from capture import complaints, count, decode
from home import CONCENTRATOR, INITIATOR, WEB
from lab import wait_until

FITS, TOO_LARGE = 1460 - 48, 1460 - 47  # of ping -s, for IPv6 packets of 1460 and 1461


def wait_ping(home):
    address = home.wait_host_address()
    wait_until("the host can ping", lambda: home.host.ping(WEB))
    return address


def too_big(node, dst, size):
    """(who said Packet Too Big, the MTU that it said) for one ping that may not be fragmented here."""
    out = node.sh("ping", "-n", "-c", 1, "-W", 2, "-s", size, "-M", "do", dst, check=False)
    said = re.search(r"From ([0-9a-f:]+) icmp_seq=\d+ Packet too big: mtu=(\d+)", out.stdout + out.stderr)
    assert said, out.stdout + out.stderr
    return said.group(1), int(said.group(2))


# proves: HS-PPP-1
def test_mtu_is_what_the_headers_leave(connected):
    assert connected.sc.wait_up()["mtu"] == connected.si.wait_up()["mtu"] == 1460
    link = connected.home.ip("-j", "link", "show", "dev", "si-home").stdout
    assert '"mtu":1460' in link
    wait_ping(connected)
    capture = connected.capture(connected.home, "wan0", "udp port 1701")
    assert connected.host.ping(WEB, size=FITS)
    capture.stop()
    lengths = {int(n) for n in decode(capture.path, "l2tp && icmpv6.type == 128", ["ip.len"]) for n in n.split(",")}
    assert 1460 + 20 + 8 + 6 + 4 <= max(lengths) <= 1500, "the largest inner packet fits, with the optional Length field of L2TP (2) or not"
    assert count(capture.path, "ip.flags.mf == 1 || ip.frag_offset > 0") == 0 and complaints(capture.path) == []


def test_host_is_told_by_the_home_router(connected):
    wait_ping(connected)
    who, mtu = too_big(connected.host, WEB, TOO_LARGE)
    assert mtu == 1460 and who in [a["local"] for a in connected.home.addresses("lan0") + connected.home.addresses("si-home")]
    assert connected.host.ping(WEB, size=FITS)
    assert connected.host.ping(WEB, size=None)


# proves: HS-PPP-1 partial
def test_internet_is_told_by_the_concentrator(connected):
    """From its address on softwires, local6, so that no filter against spoofed sources drops it."""
    address = wait_ping(connected)
    assert too_big(connected.internet, address, TOO_LARGE) == ("2001:db8:ffff::1", 1460)
    assert connected.internet.ping(address, size=FITS)
    assert connected.sc.wait_up()["drop_too_big"] == 1
    assert connected.sc.ask("show", "counters")["counters"]["concentrator"]["dataplane"]["icmp_sent"] >= 1


# ---- TCP ----

def syn_mss(home):
    """The MSS of the SYN that the web server sees, and of the SYN-ACK that the host sees."""
    wait_ping(home)
    home.start_web()
    up = home.capture(home.internet, "up0", "ip6 and tcp port 80")
    down = home.capture(home.host, "eth0", "ip6 and tcp port 80")
    home.host.sh("curl", "-s", "-m", 10, f"http://[{WEB}]/")
    up.stop()
    down.stop()
    assert complaints(up.path) == [] and complaints(down.path) == []
    return (set(decode(up.path, "tcp.flags.syn == 1 && tcp.flags.ack == 0", ["tcp.options.mss_val"])),
            set(decode(down.path, "tcp.flags.syn == 1 && tcp.flags.ack == 1", ["tcp.options.mss_val"])))


UNCLAMPED_SC, UNCLAMPED_SI = (c.replace('network = "trusted";', 'network = "trusted"; mss-clamp = false;') for c in (CONCENTRATOR, INITIATOR))


@pytest.mark.parametrize("sc, si, mss", [(CONCENTRATOR, INITIATOR, 1400), (CONCENTRATOR, UNCLAMPED_SI, 1400),
                                         (UNCLAMPED_SC, INITIATOR, 1400), (UNCLAMPED_SC, UNCLAMPED_SI, 1440)],
                         ids=["both-ends", "concentrator", "initiator", "neither"])
def test_mss_is_lowered_in_both_directions(home, sc, si, mss):
    home.start_sc(config=sc)
    home.start_si(config=si)
    home.wait_delegated()
    assert syn_mss(home) == ({str(mss)}, {str(mss)})


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def download(client, url):
    """SHA-256 of what comes, as seen by the client."""
    return client.sh("sh", "-c", f"curl -sS -m 60 '{url}' | sha256sum", timeout=90).stdout.split()[0]


BULK = "".join(f"line {n} of a large file\n" for n in range(800000))  # about 20 MB


# proves: HS-PPP-1 partial
@pytest.mark.parametrize("clamped", [True, False], ids=["clamped", "path-mtu-discovery"])
def test_bulk_transfer_in_both_directions(home, clamped):
    home.start_sc(config=CONCENTRATOR if clamped else UNCLAMPED_SC)
    home.start_si(config=INITIATOR if clamped else UNCLAMPED_SI)
    home.wait_delegated()
    address = wait_ping(home)
    home.start_web(BULK)
    assert len(BULK) > 20e6
    assert download(home.host, f"http://[{WEB}]/") == digest(BULK)
    home.host.start("/usr/bin/python3", "-m", "http.server", "-d", home.dir / "www", "-b", address, "80", log=home.dir / "web2.log")
    wait_until("the host's web server answers", lambda: home.host.sh("curl", "-s", "-I", f"http://[{address}]/", check=False).returncode == 0)
    assert download(home.internet, f"http://[{address}]/") == digest(BULK)
    s = home.sc.wait_up()
    assert s["rx6_bytes"] > len(BULK) and s["tx6_bytes"] > len(BULK)
    assert s["drop_spoofed"] == s["drop_other"] == 0
    clamps = home.sc.ask("show", "counters")["counters"]["concentrator"]["dataplane"]["mss_clamped"]
    assert (clamps > 0) == clamped
    assert (s["drop_too_big"] > 0) != clamped, "without clamping the concentrator says Packet Too Big"


# ---- a narrower access network ----

def narrow(home, mtu):
    home.access.ip("link", "set", "home0", "mtu", mtu)
    home.nat.ip("link", "set", "wan0", "mtu", mtu)


# proves: HS-PPP-2 partial
def test_narrower_access_network_is_found_while_in_use(connected):
    """The initiator's own link has 1500; ICMP from the NAT says that the path has 1400."""
    wait_ping(connected)
    narrow(connected, 1400)
    connected.start_web(BULK)
    connected.host.ping(WEB, size=FITS)
    wait_until("the initiator has a lower MTU", lambda: connected.si.wait_up()["mtu"] == 1360, 10)
    assert '"mtu":1360' in connected.home.ip("-j", "link", "show", "dev", "si-home").stdout
    assert too_big(connected.host, WEB, FITS)[1] == 1360
    assert connected.host.ping(WEB, size=1360 - 48)
    assert download(connected.host, f"http://[{WEB}]/") == digest(BULK)


# proves: HS-PPP-2 partial
def test_downstream_over_a_narrower_access_network(connected):
    """The concentrator learns it from the network, and tells senders. What is under way arrives in fragments."""
    address = wait_ping(connected)
    narrow(connected, 1400)
    connected.internet.ping(address, size=1400 - 48)
    wait_until("the concentrator knows", lambda: connected.sc.wait_up()["mtu"] == 1360, 10)
    assert too_big(connected.internet, address, 1361 - 48) == ("2001:db8:ffff::1", 1360)
    assert connected.internet.ping(address, size=1360 - 48)
    connected.start_web(BULK)
    assert download(connected.host, f"http://[{WEB}]/") == digest(BULK)


# proves: HS-PPP-1 partial
def test_narrow_link_of_the_initiator_counts_from_the_start(home):
    home.home.ip("link", "set", "wan0", "mtu", 1400)
    home.nat.ip("link", "set", "in0", "mtu", 1400)
    home.start_sc()
    home.start_si()
    assert home.si.wait_up()["mtu"] == 1360
    home.wait_delegated()
    address = wait_ping(home)
    assert home.sc.wait_up()["mtu"] == 1360, "told by the MRU in LCP"
    assert too_big(home.internet, address, FITS) == ("2001:db8:ffff::1", 1360)
