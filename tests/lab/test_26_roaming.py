# SPDX-License-Identifier: GPL-2.0-or-later
"""
26: a home that moves between two access networks, and sleeps.

                             .---- nat  ---- wan0 .
    internet6 ---- sc ---- access                  home ---- lan
                             `---- nat2 ---- wan1 \'

Both networks have a NAT of their own. What this exercises: a TCP transfer of a LAN host goes on while its router moves; the LAN sees no prefix, no default
router and no address go or be deprecated; a NAT that maps anew and a sleep in which the concentrator has forgotten us cost seconds.
"""
import os
import signal
import time

import pytest

from capture import decode
from home import WEB, Home
from lab import Node, wait_until
from test_03_hints import kill_all, traffic

PIECE = bytes(range(256)) * 80  # 20 kB
PIECES = 150
# The server sets the pace: a client that does so catches up after a pause.
SLOW_SERVER = f"""
import http.server, sys, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        pieces = {PIECES} if self.path == "/" else 0
        self.send_response(200)
        self.send_header("Content-Length", str(pieces * {len(PIECE)}))
        self.end_headers()
        for _ in range(pieces):
            self.wfile.write(bytes(range(256)) * 80)
            time.sleep(0.05)
class Server(http.server.ThreadingHTTPServer):
    address_family = 10
Server((sys.argv[1], 80), Slow).serve_forever()
"""


class TwoNetworks(Home):
    def build_nat(self):
        super().build_nat()
        self.nat2 = Node(self, "nat2", forward=True, ipv6=False)
        self.link(self.access, "home1", self.nat2, "wan0", ["203.0.114.254/24"], ["203.0.114.7/24"])
        self.nat2.ip("route", "add", "default", "via", "203.0.114.254")
        self.nat2.nft("table ip nat { chain post { type nat hook postrouting priority 100; oifname wan0 masquerade random\n}\n}\n")
        self.sc_node.ip("route", "add", "203.0.114.0/24", "via", "192.0.2.254")

    def build_home(self):
        super().build_home()
        self.link(self.nat2, "in0", self.home, "wan1", ["192.168.2.1/24"], [])
        self.home.ip("link", "set", "wan1", "down")

    def move(self, away, to, address, gateway):
        """As a network manager does it: the old network is gone before the new one is there."""
        self.home.ip("addr", "flush", "dev", away)
        self.home.ip("link", "set", away, "down")
        self.home.ip("link", "set", to, "up")
        self.home.ip("addr", "add", address, "dev", to)
        self.home.ip("route", "add", "default", "via", gateway)

    def public(self):
        """The address that the concentrator sees."""
        s = self.sc.softwire()
        return s["peer"].split(":")[0] if s else None


@pytest.fixture
def roamer(request):
    with TwoNetworks(name="roam") as lab:
        lab.start_sc()
        lab.start_si()
        lab.si.wait_up()
        lab.wait_delegated()
        lab.wait_host_address()
        yield lab
        if getattr(request.node, "report_call", None) and request.node.report_call.failed:
            lab.show_logs()


def lan_state(lab):
    """Addresses and default routers, without what counts down."""
    def addresses(node, device):
        return sorted((a["local"], a["preferred_life_time"] > 0) for a in node.addresses(device))
    return addresses(lab.home, "lan0"), addresses(lab.host, "eth0"), sorted((r["dst"], r.get("gateway")) for r in lab.host.routes(6) if r["dst"] == "default")


def assert_lan_saw_nothing(path):
    assert decode(path, "icmpv6.type == 134", ["frame.number"]), "there were advertisements"
    assert decode(path, "icmpv6.type == 134 && (icmpv6.nd.ra.router_lifetime == 0 || icmpv6.opt.prefix.preferred_lifetime == 0)") == []


# proves: PS-13, PS-14, PS-15, HS-PROV-1
def test_transfer_of_a_lan_host_survives_the_move_between_two_networks(roamer):
    prefix, before = roamer.delegated(), lan_state(roamer)
    roamer.internet.start("/usr/bin/python3", "-c", SLOW_SERVER, WEB, log=roamer.dir / "web.log")
    wait_until("the web server answers", lambda: roamer.internet.sh("curl", "-s", f"http://[{WEB}]/ready", check=False).returncode == 0)
    lan = roamer.capture(roamer.host, "eth0", "icmp6")
    watch = roamer.home.start("ip", "-6", "monitor", "address", "dev", "lan0", log=roamer.dir / "monitor.log")
    got = roamer.dir / "got"
    curl = roamer.host.start("curl", "-s", "-o", got, f"http://[{WEB}]/", log=roamer.dir / "curl.log")
    wait_until("the transfer runs", lambda: got.exists() and got.stat().st_size > 200000)
    assert roamer.public() == "203.0.113.7"

    for away, to, address, gateway, public in (("wan0", "wan1", "192.168.2.2/24", "192.168.2.1", "203.0.114.7"),
                                               ("wan1", "wan0", "192.168.1.2/24", "192.168.1.1", "203.0.113.7")):
        size, began = got.stat().st_size, time.monotonic()
        roamer.move(away, to, address, gateway)
        wait_until("a softwire from there", lambda: roamer.public() == public and roamer.si.softwire(), 5)
        assert time.monotonic() - began < 3
        wait_until("the transfer goes on", lambda: got.stat().st_size > size + 100000, 10)
        assert curl.running()
        assert roamer.wait_delegated() == prefix and lan_state(roamer) == before

    wait_until("the transfer is done", lambda: not curl.running(), 15)
    assert curl.popen.returncode == 0 and got.read_bytes() == PIECE * PIECES
    lan.stop()
    watch.stop()
    assert_lan_saw_nothing(lan.path)
    assert "Deleted" not in watch.text() and "deprecated" not in watch.text()
    assert not roamer.si.has("event=withdrawn")


# proves: PS-15, HS-PROV-1
def test_nat_that_maps_anew_costs_seconds(roamer):
    prefix = roamer.delegated()
    traffic(roamer)
    port = roamer.sc.softwire()["peer"]
    roamer.nat.ip("addr", "add", "203.0.113.8/24", "dev", "wan0")
    roamer.nat.ip("addr", "del", "203.0.113.7/24", "dev", "wan0")
    roamer.nat.ip("addr", "add", "203.0.113.8/24", "dev", "wan0", check=False)
    roamer.nat.ip("route", "replace", "default", "via", "203.0.113.254")
    began = time.monotonic()
    wait_until("a softwire through the new mapping", lambda: roamer.public() == "203.0.113.8" and roamer.si.softwire(), 8)
    assert time.monotonic() - began < 6
    assert roamer.sc.softwire()["peer"] != port and roamer.wait_delegated() == prefix
    wait_until("the host can ping again", lambda: roamer.host.ping(WEB), 3)


# proves: PS-15 partial
def test_after_a_sleep_the_softwire_is_there_again_at_once(roamer):
    """The engine process is stopped, which its clock shows; meanwhile the concentrator loses its memory."""
    prefix, before = roamer.delegated(), lan_state(roamer)
    lan = roamer.capture(roamer.host, "eth0", "icmp6")
    engine = roamer.si.children()[0]
    os.kill(engine, signal.SIGSTOP)
    stopped = time.monotonic()
    kill_all(roamer.sc)
    roamer.sc.begin_again()
    wait_until("it has slept for five seconds", lambda: time.monotonic() - stopped > 5)
    os.kill(engine, signal.SIGCONT)
    began = time.monotonic()
    wait_until("the host can ping again", lambda: roamer.sc.softwire() and roamer.host.ping(WEB), 6)
    assert time.monotonic() - began < 5
    assert roamer.si.has("event=resumed")
    assert roamer.wait_delegated() == prefix and lan_state(roamer) == before
    lan.stop()
    assert_lan_saw_nothing(lan.path)
