# SPDX-License-Identifier: GPL-2.0-or-later
"""
03: what goes wrong, and how fast it is well again, with default timers. Topology of home.py.

What this exercises: a concentrator that is killed and comes back, one that loses only its engine process, a NAT whose public
address changes, junk at port 1701, forged packets that end nothing. Recovery comes from hints, never from following an address.
"""
import os
import signal
import socket
import struct
import subprocess
import time

from home import CONCENTRATOR, INITIATOR, WEB
from lab import wait_until


def traffic(home):
    """A ping once in 0.2 s from the LAN host, for ever; the home must have something to send for hints to come."""
    home.wait_host_address()
    wait_until("the host can ping", lambda: home.host.ping(WEB))
    return home.host.start("ping", "-n", "-i", "0.2", WEB, log=home.dir / "ping.log")


def kill_all(process):
    """Keeper and engine process, without a chance to say goodbye."""
    for pid in [*process.children(), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.popen.wait()


# proves: PS-15 partial, HS-PROV-1, HS-OAM-2, HS-L2TP-29 partial
def test_killed_concentrator_comes_back_with_the_same_prefix_within_10_s(connected):
    prefix = connected.delegated()
    traffic(connected)
    kill_all(connected.sc)
    wait_until("the initiator notices", lambda: connected.si.show("softwires")[0]["state"] != "up", 30)
    connected.sc.begin_again()
    began = time.monotonic()
    wait_until("the host can ping again", lambda: connected.host.ping(WEB), 10)
    assert time.monotonic() - began < 10
    assert connected.wait_delegated() == prefix
    assert len(connected.sc.show("leases")) == 1


def test_restart_that_nobody_noticed_is_found_by_a_stray_hint(connected):
    """Down for less than the initiator needs to notice: its packets then meet a concentrator that does not know them."""
    prefix = connected.delegated()
    traffic(connected)
    kill_all(connected.sc)
    connected.sc.begin_again()
    began = time.monotonic()
    wait_until("a new softwire is up", lambda: connected.sc.softwire(), 10)
    assert time.monotonic() - began < 10
    wait_until("the host can ping again", lambda: connected.host.ping(WEB), 5)
    assert connected.wait_delegated() == prefix
    assert connected.sc.has("event=stray"), "the concentrator told the initiator"


def test_killed_engine_process_is_started_again_by_the_keeper(connected):
    """And goes on with the softwire that was there (test_25 looks closer)."""
    prefix, before = connected.delegated(), connected.sc.wait_up()["id"]
    traffic(connected)
    engine = connected.sc.children()
    assert len(engine) == 1
    os.kill(engine[0], signal.SIGKILL)
    wait_until("another engine process", lambda: connected.sc.children() not in ([], engine), 10)
    wait_until("the host can ping again", lambda: connected.sc.softwire() and connected.host.ping(WEB), 15)
    assert connected.wait_delegated() == prefix and connected.sc.wait_up()["id"] == before


def test_engine_process_is_unprivileged(connected):
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{connected.sc.children()[0]}/status").read().splitlines() if ":\t" in line)
    assert int(status["Uid"].split()[0]) != 0 and int(status["CapEff"], 16) == 0 and status["NoNewPrivs"].strip() == "1"


# proves: PS-13, PS-15, HS-PROV-1
def test_new_public_address_of_the_nat_is_survived_within_15_s(connected):
    prefix, before = connected.delegated(), connected.sc.wait_up()["peer"]
    traffic(connected)
    began = time.monotonic()
    connected.nat.ip("addr", "add", "203.0.113.8/24", "dev", "wan0")
    connected.nat.ip("addr", "del", "203.0.113.7/24", "dev", "wan0")
    connected.nat.ip("addr", "add", "203.0.113.8/24", "dev", "wan0", check=False)
    connected.nat.ip("route", "replace", "default", "via", "203.0.113.254")
    moved = wait_until("a softwire from the new address", lambda: [
        s for s in connected.sc.show("softwires") if s["state"] == "up" and s["peer"].startswith("203.0.113.8:")], 15)
    wait_until("the host can ping again", lambda: connected.host.ping(WEB), 15 - (time.monotonic() - began))
    assert time.monotonic() - began < 15
    assert moved[0]["peer"] != before and connected.wait_delegated() == prefix
    wait_until("the old softwire is replaced", lambda: len([s for s in connected.sc.show("softwires") if s["state"] == "up"]) == 1)


# proves: PS-14 partial, PS-15, HS-PROV-1
def test_initiator_that_moves_to_another_network_is_back_at_once(connected):
    """The home router's own address changes, as on a roaming laptop: a hint from the kernel, not a timer."""
    prefix = connected.delegated()
    traffic(connected)
    # The first router also loses the mapping: a new network has a new NAT.
    connected.nat.sh("sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=1", "net.netfilter.nf_conntrack_udp_timeout_stream=1", check=False)
    began = time.monotonic()
    connected.home.ip("addr", "add", "192.168.1.77/24", "dev", "wan0")
    connected.home.ip("addr", "del", "192.168.1.2/24", "dev", "wan0")
    connected.home.ip("addr", "add", "192.168.1.77/24", "dev", "wan0", check=False)
    connected.home.ip("route", "replace", "default", "via", "192.168.1.1")
    wait_until("the host can ping again", lambda: connected.si.softwire() and connected.host.ping(WEB), 15)
    assert time.monotonic() - began < 15
    assert connected.wait_delegated() == prefix


JUNK = r"""
import os, random, socket, struct, sys, time
random.seed(int(sys.argv[3]))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end, sent = time.monotonic() + float(sys.argv[2]), 0
heads = [b"\xc8\x02", b"\x00\x02", b"\x40\x02", b"\x02\x02", b"\xff\xff", b""]
while time.monotonic() < end:
    for _ in range(200):
        kind = random.randrange(8)
        body = os.urandom(random.randrange(0, 200))
        if kind == 0:   # a control header with a true length and random AVPs
            packet = struct.pack("!HHHHHH", 0xc802, 12 + len(body), random.randrange(65536), 0, 0, 0) + body
        elif kind == 1: # an SCCRQ from a random sender, sometimes cut
            avps = bytes.fromhex("800800000000000180080000000201008009000000074a554e4b800a00000003000000038008000000090001")
            packet = struct.pack("!HHHHHH", 0xc802, 12 + len(avps), 0, 0, 0, 0) + avps
            packet = packet[:random.randrange(1, len(packet) + 1)]
        elif kind == 2: # data for a random session
            packet = struct.pack("!HHH", 2, random.randrange(65536), random.randrange(65536)) + b"\xff\x03\x00\x57" + body
        else:
            packet = random.choice(heads) + body
        s.sendto(packet, (sys.argv[1], 1701))
        sent += 1
    time.sleep(0.005)
print(sent)
"""


def memory_kib(process):
    """Private and shared memory of keeper and engine process."""
    total = 0
    for pid in [process.pid, *process.children()]:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


# proves: SEC-HS-22 partial
def test_junk_at_the_port_grows_nothing_and_harms_nobody(connected):
    traffic(connected)
    script = connected.dir / "junk.py"
    script.write_text(JUNK)

    def flood(seed, seconds):
        return int(connected.access.sh("/usr/bin/python3", script, "192.0.2.1", seconds, seed).stdout)

    before_up = connected.sc.wait_up()
    flood(1, 1)  # tables of limits and pools take their size
    wait_until("junk tunnels are gone", lambda: len(connected.sc.show("tunnels")) <= 200, 5)
    before = memory_kib(connected.sc)
    sent = flood(2, 5)
    assert sent > 20000
    grown = memory_kib(connected.sc) - before
    limit = 64 * 1024 if os.environ.get("SOFTWIRE_SANITIZED") else 2048
    assert grown < limit, f"{grown} KiB more after {sent} packets of junk"
    after_up = connected.sc.wait_up()
    assert after_up["id"] == before_up["id"], "the established softwire is still the same"
    assert connected.host.ping(WEB, count=3)
    counters = connected.sc.ask("show", "counters")["counters"]["concentrator"]
    assert counters["dataplane"]["drop_header"] + counters["dataplane"]["drop_short"] > 1000
    assert counters["concentrator"]["strays_suppressed"] > 1000, "answers to strangers are limited"


SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for packet in sys.argv[1:] * 20:
    s.sendto(bytes.fromhex(packet), ("192.0.2.1", 1701))
"""


def forge(home, user="alice"):
    """Who sends this knows ids and sequence numbers, but has another address: StopCCN, CDN, and LCP's Terminate-Request and Configure-Request."""
    tunnel = next(t for t in home.sc.show("tunnels") if t["user"] == user)
    ids = struct.pack("!HH", tunnel["local_tunnel"], tunnel["local_session"])

    def control(avps):
        avps = bytes.fromhex(avps)
        return struct.pack("!HH", 0xc802, 12 + len(avps)) + ids + struct.pack("!HH", tunnel["nr"], tunnel["ns"]) + avps

    stop = control("8008000000000004" + f"800800000009{tunnel['peer_tunnel']:04x}" + "8008000000010001")
    cdn = control("800800000000000e" + f"80080000000e{tunnel['peer_session']:04x}" + "8008000000010003")
    terminate, configure = (struct.pack("!H", 2) + ids + bytes.fromhex("ff03c021") + lcp for lcp in (b"\x05\x01\x00\x04", b"\x01\x63\x00\x04"))
    before = wrong_peer(home)
    home.access.sh("/usr/bin/python3", "-c", SEND, *[packet.hex() for packet in (stop, cdn, terminate, configure)])
    wait_until("they were seen", lambda: wrong_peer(home) >= before + 80)


def wrong_peer(home):
    return home.sc.ask("show", "counters")["counters"]["concentrator"]["dataplane"]["drop_wrong_peer"]


# proves: SEC-HS-22 partial
def test_forged_teardown_and_lcp_from_elsewhere_end_nothing(connected):
    up = connected.sc.wait_up()
    connected.wait_host_address()
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    forge(connected)
    assert connected.host.ping(WEB)
    assert connected.sc.wait_up()["id"] == up["id"] and connected.si.wait_up()["reconnects"] == 0


# proves: HS-L2TP-30 partial
def test_no_hello_while_data_flows(home):
    """HELLO is sent only when nothing else was for the period; traffic both ways makes it needless."""
    home.start_sc(config=CONCENTRATOR.replace('network = "trusted";', 'network = "trusted"; hello = 1;'))
    home.start_si(config=INITIATOR.replace('network = "trusted";', 'network = "trusted"; hello = 1;'))
    home.wait_delegated()
    wait_until("HELLOs while it idles", lambda: hellos(home) >= 2, 10)
    traffic(home)
    wait_until("traffic has taken over", lambda: home.si.wait_up()["rx6_packets"] > 10)
    before, packets = hellos(home), home.si.wait_up()["rx6_packets"]
    wait_until("3 s of traffic", lambda: home.si.wait_up()["rx6_packets"] > packets + 15)
    assert hellos(home) - before <= 1


def hellos(home):
    counters = home.si.ask("show", "counters")["counters"]["initiators"]["home"]["l2tp"]
    return counters["hello_tx"] + counters["hello_rx"]
