# SPDX-License-Identifier: GPL-2.0-or-later
"""
20: what the softwire means for the transport layer inside it (RFC 4925 section 1, RFC 6040, RFC 2983). Scenarios 1 and 5 of scenario.py:

    internet ---- sc ======== access ======== home        a softwire of one family over the other
                              marks CE

What this exercises: DSCP and ECN of payload on the outer header, CS6 on control messages, congestion marks of a router under the
softwire that reach TCP inside it, and packets that such a router must not have marked.
"""
import pytest

from capture import count, decode
from lab import wait_until
from scenario import SC, WEB, Scenario

BOTH = pytest.mark.parametrize("payload, transport", [(6, 4), (4, 6)], ids=["6-over-4", "4-over-6"])
FIELD = {4: "ip.dsfield", 6: "ipv6.tclass"}


def ping(node, dst, tos):
    assert node.sh("ping", "-n", "-c", 3, "-i", 0.2, "-W", 1, "-Q", tos, dst, check=False).returncode == 0


def values(path, family, display_filter):
    return {int(v, 0) for line in decode(path, display_filter, [FIELD[family]]) for v in line.split(",")}


# proves: PS-8 partial
@BOTH
def test_dscp_and_ecn_are_on_the_outer_header(payload, transport):
    with Scenario(payload=[payload], transport=transport) as s:
        s.set_up()
        s.wait_ping(s.home, payload)
        away = s.capture(s.internet, "up0", "icmp or icmp6")
        ping(s.home, WEB[payload], 0xba)
        away.stop()
        path = s.captured()
        request = "icmpv6.type == 128" if payload == 6 else "icmp.type == 8"
        marked = f"l2tp && {request} && {FIELD[payload]} == 0xba"
        assert count(path, marked) == 3
        assert values(path, transport, marked) == {0xba}
        assert 0 in values(path, transport, f"l2tp && {request} && {FIELD[payload]} == 0"), "and those without have none"
        assert values(path, transport, "l2tp.type == 1") == {0xc0}, "control messages"
        assert values(path, transport, "lcp") == {0xc0}, "and what PPP has to say"
        assert count(away.path, f"{request} && {FIELD[payload]} == 0xba") == 3, "the inner header has not changed"


def mark_ce(s, which):
    """The access network is congested for packets that are marked WHICH on their outer header, from the concentrator to home."""
    ip = "ip" if s.transport == 4 else "ip6"
    s.access.nft(f"table {ip} congestion {{ chain through {{ type filter hook forward priority 0; "
                 f"{ip} saddr {SC[s.transport]} udp sport 1701 {ip} ecn {which} {ip} ecn set ce\n}}\n}}\n")


def counters(daemon):
    return daemon.ask("show", "counters")["counters"]["initiators"]["home"]["dataplane"]


# proves: PS-8 partial
@BOTH
def test_congestion_under_the_softwire_reaches_tcp_inside(payload, transport):
    """RFC 3168: the receiver of a marked segment says ECE until the sender has answered CWR."""
    with Scenario(payload=[payload], transport=transport) as s:
        s.set_up()
        s.wait_ping(s.home, payload)
        for node in (s.home, s.internet):
            node.sysctl("net.ipv4.tcp_ecn", 1)
        mark_ce(s, "ect0")
        web = s.capture(s.internet, "up0", "tcp port 80")
        s.assert_fetches(s.home, payload)
        web.stop()
        assert count(web.path, "tcp.flags.syn == 0 && tcp.flags.ece == 1 && tcp.dstport == 80") > 0, "the receiver says that there is congestion"
        assert count(web.path, "tcp.flags.syn == 0 && tcp.flags.cwr == 1 && tcp.srcport == 80") > 0, "and the sender slows down"
        path = s.captured()
        assert count(path, f"l2tp && tcp.srcport == 80 && {FIELD[transport]} == 3 && {FIELD[payload]} == 2") > 0, "it is the outer header that is marked"
        got = counters(s.si)
        assert got["ecn_ce"] > 0 and got["drop_ecn"] == 0


# proves: PS-8 partial
def test_congestion_that_cannot_be_told_is_loss():
    with Scenario(payload=[6], transport=4) as s:
        s.set_up()
        s.wait_ping(s.home, 6)
        mark_ce(s, "not-ect")
        assert not s.home.ping(WEB[6], count=3)
        got = wait_until("the drops are counted", lambda: (c := counters(s.si))["drop_ecn"] >= 3 and c)
        assert got["ecn_ce"] == 0
        ping(s.home, WEB[6], 0x02)
        assert s.si.softwire(), "control messages do not care"
