# SPDX-License-Identifier: GPL-2.0-or-later
"""
13: a silent softwire, and one whose path is cut without a word. Topology of home.py, cut or counted at the access router:

    internet6 ---- sc ---- access ---- nat ---- home ---- lan
                             ^ drops everything in both directions, or only looks

What this exercises: HELLO from both ends while nothing else is sent, the keepalive switched off at both ends, LCP echo beside HELLO,
and both ends that find a dead peer by themselves and say so. Periods are short so that the tests are.
"""
import re
import subprocess

import pytest

from capture import complaints, count, decode
from home import CONCENTRATOR, INITIATOR, SC_ADDRESS, WEB
from lab import BUILD, secret_file, wait_until

HELLO = "l2tp.avp.message_type == 6"
CUT = "table ip cut { chain forward { type filter hook forward priority 0; udp dport 1701 drop\nudp sport 1701 drop\n}\n}\n"


def with_settings(config, **settings):
    text = " ".join(f"{key.replace('_', '-')} = {value};" for key, value in settings.items())
    return config.replace('network = "trusted";', f'network = "trusted"; {text}')


def start(home, sc, si):
    """Starts both ends with these settings; waits until all there is to configure is configured."""
    home.start_sc(config=with_settings(CONCENTRATOR, **sc))
    home.start_si(config=with_settings(INITIATOR, **si))
    home.si.wait_up()
    home.wait_delegated()
    home.wait_host_address()


def hellos(end):
    """(sent, received), of the concentrator or the initiator."""
    counters = end.ask("show", "counters")["counters"]
    l2tp = (counters.get("concentrator") or counters["initiators"]["home"])["l2tp"]
    return l2tp["hello_tx"], l2tp["hello_rx"]


# Captures are made at the access router: a capture at the initiator changes its link, which is a hint and brings a HELLO of its own.

def from_and_to(path, display_filter):
    """How many from the concentrator, and how many to it."""
    return count(path, f"{display_filter} && ip.src == {SC_ADDRESS}"), count(path, f"{display_filter} && ip.dst == {SC_ADDRESS}")


# proves: HS-L2TP-29 partial, HS-L2TP-30 partial, HS-OAM-1 partial, HS-L2TP-3 partial
@pytest.mark.parametrize("sc, si", [(1, 3600), (3600, 1)], ids=["concentrator", "initiator"])
def test_silent_softwire_is_kept_alive_by(home, sc, si):
    """Only one end sends here, so that it is seen of each; what it sends is acknowledged, and the softwire stays."""
    start(home, {"hello": sc}, {"hello": si})
    up = home.sc.wait_up()
    capture = home.capture(home.access, "home0", "udp port 1701")
    sender, other = (home.sc, home.si) if sc == 1 else (home.si, home.sc)
    before = hellos(sender)[0], hellos(other)[1]
    wait_until("three HELLOs were sent and have come", lambda: hellos(sender)[0] >= before[0] + 3 and hellos(other)[1] >= before[1] + 3)
    wait_until("the last one is acknowledged", lambda: home.sc.show("tunnels")[0]["in_flight"] == home.si.show("tunnels")[0]["in_flight"] == 0)
    capture.stop()
    here, there = from_and_to(capture.path, HELLO)
    assert (here >= 3 and there == 0) if sc == 1 else (there >= 3 and here == 0)
    assert home.sc.wait_up()["id"] == up["id"] and complaints(capture.path) == []
    times = [float(t) for t in decode(capture.path, HELLO, ["frame.time_relative"])]
    assert all(0.8 < b - a < 3 for a, b in zip(times, times[1:])), f"about one a second: {times}"


# proves: HS-L2TP-30 partial
def test_nothing_is_sent_while_traffic_is_heard(home):
    start(home, {"hello": 1}, {"hello": 1})
    wait_until("the host can ping", lambda: home.host.ping(WEB))
    pings = home.host.start("ping", "-n", "-i", "0.1", WEB, log=home.dir / "ping.log")
    wait_until("traffic flows", lambda: "icmp_seq=5" in pings.text())
    capture = home.capture(home.access, "home0", "udp port 1701")
    wait_until("it has flowed for 2.5 s", lambda: "icmp_seq=30" in pings.text())
    capture.stop()
    assert count(capture.path, "icmpv6.type == 128") >= 20 and count(capture.path, HELLO) == 0


# proves: HS-OAM-1
def test_keepalive_can_be_switched_off(home):
    """Silence, and nobody minds; not even when the path is cut."""
    start(home, {"hello": 0}, {"hello": 0})
    up = home.sc.wait_up()
    home.access.nft(CUT)
    capture = home.capture(home.access, "home0", "udp port 1701")
    wait_until("5 s of silence", lambda: min(e.show("tunnels")[0]["last_heard_seconds"] for e in (home.sc, home.si)) >= 5, 20)
    capture.stop()
    assert count(capture.path, "l2tp") == 0 and hellos(home.sc) == hellos(home.si) == (0, 0)
    assert home.sc.wait_up()["id"] == up["id"] and home.si.wait_up()["reconnects"] == 0


QUICK = {"hello": 1, "retransmit": 0.2, "retransmit_tries": 3}


# proves: HS-L2TP-29, HS-L2TP-32, HS-OAM-1, HS-OAM-2, HS-L2TP-3 partial
def test_dead_peer_is_found_by_both_ends_and_said(home):
    start(home, QUICK, {**QUICK, "backoff_max": 1})
    home.access.nft(CUT)
    for end, word in ((home.sc, "user=alice"), (home.si, "initiator=home")):
        wait_until(f"{end.name} says what happened", lambda: end.has("event=down", word, "cause=dead-peer"), 15)
        line = end.has("event=down", "cause=dead-peer")[0]
        assert re.search(r'reason="[^"]*(answer|acknowledge|heard)', line), line
    wait_until("the concentrator has cleared it", lambda: home.sc.show() == [] and home.sc.show("tunnels") == [])
    assert [x["active"] for x in home.sc.show("leases")] == [False]
    assert home.si.show()[0]["last_error"]
    home.access.nft("flush ruleset")
    home.si.wait_up()
    home.wait_delegated()
    wait_until("the host can ping again", lambda: home.host.ping(WEB))


# proves: HS-OAM-2 partial
@pytest.mark.parametrize("silent", ["concentrator", "initiator"])
def test_one_end_alone_finds_the_dead_peer(home, silent):
    """The other end's keepalive is off: it does not help."""
    off = {"hello": 0}
    start(home, off if silent == "concentrator" else QUICK, off if silent == "initiator" else QUICK)
    finder, other = (home.si, home.sc) if silent == "concentrator" else (home.sc, home.si)
    home.access.nft(CUT)
    wait_until(f"{finder.name} finds it", lambda: finder.has("event=down", "cause=dead-peer"), 15)
    assert not other.has("event=down")


# proves: HS-L2TP-31 partial
def test_lcp_echo_is_sent_beside_hello_and_answered(home):
    """The shortest interval there is, 10 s, at both ends; a HELLO is sent all the same."""
    start(home, {"hello": 11, "echo": 10}, {"hello": 11, "echo": 10})
    capture = home.capture(home.access, "home0", "udp port 1701")

    def echoes(end):
        counters = end.ask("show", "counters")["counters"]
        return (counters.get("concentrator") or counters["initiators"]["home"])["ppp"]

    wait_until("an echo was asked by both", lambda: all(echoes(e)["echo_tx"] >= 1 and echoes(e)["echo_rx"] >= 1 for e in (home.sc, home.si)), 16)
    wait_until("a HELLO was sent, too", lambda: hellos(home.sc)[0] + hellos(home.si)[0] >= 1, 16)
    capture.stop()
    asked, replied = from_and_to(capture.path, "lcp && ppp.code == 9"), from_and_to(capture.path, "lcp && ppp.code == 10")
    assert min(asked) >= 1 and asked == replied[::-1] and complaints(capture.path) == []


# proves: HS-L2TP-31 partial, HS-OAM-1 partial
@pytest.mark.parametrize("settings, word", [("hello = 60; echo = 5", "echo"), ("hello = 20; echo = 30", "echo"), ("hello = 0; echo = 30", "echo"),
                                            ("hello = 7200", "hello"), ("hello = -1", "hello")])
def test_periods_that_make_no_sense_are_refused(home, settings, word):
    path = home.dir / "periods.conf"
    secret_file(home.dir / "users.conf", 'users = { alice = { secret = "x"; }; };\n')
    path.write_text(CONCENTRATOR.format(dir=home.dir).replace('network = "trusted";', f'network = "trusted"; {settings};'))
    run = subprocess.run([BUILD / "src" / "softwire", "check", path], capture_output=True, text=True)
    assert run.returncode == 1 and word in run.stdout, run
