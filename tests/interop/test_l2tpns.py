# SPDX-License-Identifier: GPL-2.0-or-later
"""
Our initiator and l2tpns, a concentrator with an L2TP, PPP, RA and DHCPv6 of its own, authenticating by RADIUS.

    internet6 ---- lns ---- si ---- lan
    2001:db8:1::2  l2tpns,  softwired
                   radius.py
"""
import ipaddress
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from capture import complaints, count, decode  # noqa: E402
from lab import Lab, Node, Softwired, secret_file, wait_until  # noqa: E402

HERE = Path(__file__).resolve().parent
WEB, LNS, SI = "2001:db8:1::2", "192.0.2.1", "192.0.2.2"
WEB4 = "198.18.0.2"
DELEGATED = "2001:db8:100::/56"
LINK = "2001:db8:9::/64"

L2TPNS = """\
set debug 3
set log_file "{dir}/log"
set pid_file "{dir}/pid"
set hostname "lns"
set l2tp_secret "dug by both of us"
set primary_radius 192.0.2.1
set radius_secret "secret"
set radius_authtypes "chap"
set bind_address 192.0.2.1
set peer_address 192.0.2.1
set primary_dns 192.0.2.53
set primary_ipv6_dns "2001:db8:1::2"
set ipv6_prefix 2001:db8:9::
set cluster_interface eth0
set cluster_hb_timeout 31
set send_garp no
"""

INITIATOR = """
initiator = {{
    home = {{
        server = [ "192.0.2.1" ];
        network = "trusted";
        dns = "none";
        user = "alice";
        password-file = "{dir}/password";
        tunnel-secret-file = "{dir}/tunnel";
        lan = [ "lan0" ];
        {extra}
    }};
}};
"""


class Isp(Lab):
    def __init__(self):
        super().__init__(name="ns")

    def build(self):
        self.internet, self.lns, self.si = Node(self, "internet6"), Node(self, "lns", forward=True), Node(self, "si")
        self.lan = Node(self, "lan")
        self.link(self.internet, "up0", self.lns, "core0", [f"{WEB}/64", f"{WEB4}/30"], ["2001:db8:1::1/64", "198.18.0.1/30"])
        self.internet.ip("route", "add", "default", "via", "198.18.0.1")
        self.internet.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
        self.link(self.lns, "eth0", self.si, "wan0", [f"{LNS}/24"], [f"{SI}/24"])
        self.link(self.si, "lan0", self.lan, "eth0")
        self.si.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.lan.sysctl("net.ipv6.conf.eth0.accept_ra", 2)

    def start_lns(self, password):
        self.radius = self.lns.start("/usr/bin/python3", HERE / "radius.py", LNS, "secret", "alice", password, DELEGATED, log=self.dir / "radius.log")
        directory = self.dir / "l2tpns"
        for name in ("etc", "var"):
            (directory / name).mkdir(parents=True)
        (directory / "etc" / "ip_pool").write_text("10.64.0.0/16\n")
        (directory / "etc" / "users").write_text("")
        (directory / "etc" / "startup-config").write_text(L2TPNS.format(dir=directory))
        # It looks for some files in fixed places; it has its own there, which nobody else sees.
        script = 'mount --bind "$0/etc" /etc/l2tpns && mount --bind "$0/var" /var/lib/l2tpns && exec l2tpns -c /etc/l2tpns/startup-config'
        # When it ends, it ends its process group.
        self.lns.start("unshare", "-m", "sh", "-c", script, directory, log=directory / "output", start_new_session=True)
        log = directory / "log"
        wait_until("l2tpns is its own master", lambda: log.exists() and "declaring myself the master" in log.read_text(errors="replace"), 30)

    def start_si(self, password, extra=""):
        directory = self.dir / "initiator"
        directory.mkdir()
        secret_file(directory / "password", password + "\n")
        secret_file(directory / "tunnel", "dug by both of us\n")
        self.softwired = Softwired(self.si, "initiator", INITIATOR.format(dir=directory, extra=extra))
        return self.softwired


@pytest.fixture
def isp():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not shutil.which("l2tpns", path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip("package l2tpns is not installed")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun")
    with Isp() as lab:
        lab.build()
        yield lab


# proves: PS-5, HS-L2TP-24 partial
def test_initiator_gets_ipv6_for_its_lan_from_l2tpns(isp):
    isp.start_lns("alice and the queen")
    capture = isp.capture(isp.si, "wan0", "udp port 1701")
    si = isp.start_si("alice and the queen")
    s = si.wait_up(20)
    s = wait_until("address and prefix are there", lambda: (s := si.softwire()) and s["delegated"] and s["address6"] and s, 20)
    assert s["delegated"] == [DELEGATED]
    assert ipaddress.ip_address(s["address6"]) in ipaddress.ip_network(LINK)
    inside = wait_until("the LAN host has an address", lambda: isp.lan.addresses("eth0"), 15)[0]["local"]
    assert ipaddress.ip_address(inside) in ipaddress.ip_network(DELEGATED)
    wait_until("the LAN host can ping", lambda: isp.lan.ping(WEB), 15)
    assert isp.internet.ping(inside)
    assert isp.lan.ping(WEB, count=20, interval=0.02)
    assert si.stop() == 0
    capture.stop()
    assert complaints(capture.path, f"ip.src == {SI}") == []
    asked = {int(p, 16) for p in decode(capture.path, f"ip.src == {SI} && ppp.code == 1 && !chap", ["ppp.protocol"])}
    assert asked == {0xc021, 0x8057}, asked
    assert count(capture.path, f"ip.src != {SI} && l2tp.avp.type == 13") == 1, "its answer to our challenge"


# proves: PS-5, HS-PPP-15, HS-PPP-18, HS-PPP-21
def test_initiator_gets_ipv4_beside_ipv6_from_l2tpns(isp):
    isp.start_lns("alice and the queen")
    capture = isp.capture(isp.si, "wan0", "udp port 1701")
    si = isp.start_si("alice and the queen", "ipv4 = true;")
    s = wait_until("both families are there", lambda: (s := si.softwire()) and s["delegated"] and s["address4"] and s, 25)
    assert ipaddress.ip_address(s["address4"]) in ipaddress.ip_network("10.64.0.0/16") and "192.0.2.53" in s["dns"]
    assert sorted(f["name"] for f in s["families"]) == ["ipv4", "ipv6"]
    wait_until("IPv4 works", lambda: isp.si.ping(WEB4), 15)
    wait_until("and so does IPv6", lambda: isp.lan.ping(WEB), 15)
    assert isp.internet.ping(s["address4"])
    assert si.stop() == 0
    capture.stop()
    assert complaints(capture.path, f"ip.src == {SI}") == []
    assert count(capture.path, f"ip.src == {SI} && ipcp") >= 2


def test_initiator_says_that_l2tpns_refused_its_password(isp):
    isp.start_lns("alice and the queen")
    si = isp.start_si("something else")
    # l2tpns sends a CDN and no CHAP Failure, so only the step tells that it was the password.
    wait_until("it says when", lambda: si.has("event=setup-failed", "step=auth", "cause=peer", "CDN"), 20)
    assert isp.radius.has("rejected") and not isp.radius.has("accepted")
