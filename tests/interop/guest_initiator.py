# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs in the kernel lab: softwired as initiator, with xl2tpd and pppd as concentrator, radvd for Router Advertisements and KAME's dhcp6s
for the delegated prefix.

    internet6 ---- isp ---- si ---- lan        home: CHAP; a prefix for lan0; once thrown out, and back
    2001:db8:1::2         / |
           secretive ----'  |                  office: tunnel secret in both directions, Random Vectors, mutual CHAP
           strict ----------'                  stranger: a wrong password
"""
import json
import os
import pwd
import shutil
import signal
import time

from peers import Guest, lns, mtu, ppp_devices, wait_address, wait_hello, wait_ping
from lab import Node, Softwired, secret_file, wait_until

WEB = "2001:db8:1::2"
LINK, DELEGATED = "2001:db8:9::/64", "2001:db8:100::/56"
DUID = "00030001020000000001"

CONFIG = """
initiator = {{
    home = {{
        server = [ "192.0.2.1" ];
        network = "trusted";
        dns = "none";
        user = "alice";
        password-file = "{dir}/alice";
        lan = [ "lan0" ];
        hello = 2;
    }};
    office = {{
        server = [ "198.51.100.1" ];
        network = "trusted";
        dns = "none";
        user = "bob";
        password-file = "{dir}/bob";
        server-password-file = "{dir}/bob-server";
        tunnel-secret-file = "{dir}/bob-tunnel";
        insist-auth = true;
        default-route = false;
        hello = 2;
        echo = 0;
    }};
    stranger = {{
        server = [ "203.0.113.1" ];
        network = "trusted";
        dns = "none";
        user = "mallory";
        password-file = "{dir}/mallory";
    }};
}};
"""

# client, server, secret: as pppd reads it, on either side of CHAP.
CHAP_SECRETS = """
alice isp "alice and the queen" *
bob secretive "bob the builder" *
secretive bob "what the server knows" *
mallory strict "what mallory does not know" *
"""

SECRETS = {
    "alice": "alice and the queen",
    "bob": "bob the builder",
    "bob-server": "what the server knows",
    "bob-tunnel": "dug by both of us",
    "mallory": "something else",
}

RADVD = """
interface ppp0 {
    AdvSendAdvert on;
    AdvOtherConfigFlag on;
    AdvLinkMTU 1400;
    prefix 2001:db8:9::/64 { AdvOnLink on; AdvAutonomous on; };
    RDNSS 2001:db8:1::2 {};
};
"""

DHCP6S = """
option domain-name-servers 2001:db8:1::2;
host home { duid %s; prefix 2001:db8:100::/56 3600 7200; };
""" % ":".join(DUID[n:n + 2] for n in range(0, len(DUID), 2))


def network(g):
    internet, si, lan = Node(g, "internet6"), Node(g, "si"), Node(g, "lan")
    servers = {name: Node(g, name, forward=True) for name in ("isp", "secretive", "strict")}
    g.link(internet, "up0", servers["isp"], "core0", [f"{WEB}/64"], ["2001:db8:1::1/64"])
    internet.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
    for (name, server), net in zip(servers.items(), ("192.0.2", "198.51.100", "203.0.113")):
        g.link(server, "eth0", si, name, [f"{net}.1/24"], [f"{net}.2/24"])
        g.watch(si, name, name)
    si.sysctl("net.ipv6.conf.all.forwarding", 1)
    g.link(si, "lan0", lan, "eth0")
    lan.sysctl("net.ipv6.conf.eth0.accept_ra", 2)
    return internet, si, lan, servers


def engine_user():
    return "softwire" if any(p.pw_name == "softwire" for p in pwd.getpwall()) else "nobody"


def start_si(g, node):
    """The DUID is known beforehand, as a provider's would be that has it from its customer."""
    directory = g.dir / "initiator"
    (directory / "state").mkdir(parents=True)
    for name, secret in SECRETS.items():
        secret_file(directory / name, secret + "\n")
    (directory / "state" / "initiator-home.json").write_text(json.dumps({"duid": DUID}))
    for path in (directory / "state", directory / "state" / "initiator-home.json"):
        shutil.chown(path, engine_user())
    return Softwired(node, "initiator", CONFIG.format(dir=directory))


def serve_ipv6(g, server):
    """On the device of pppd that is there now, with addresses and routes that a provider's scripts would set."""
    wait_until("pppd has made ppp0", lambda: server.addresses("ppp0", scope="link"), 20)
    server.ip("addr", "add", "2001:db8:9::1/64", "dev", "ppp0")
    server.ip("-6", "route", "add", DELEGATED, "dev", "ppp0")
    radvd = server.start("radvd", "-n", "-C", g.file("radvd.conf", RADVD), "-p", g.dir / "radvd.pid", "-m", "stderr", log=g.dir / "radvd.log")
    dhcp6s = server.start("dhcp6s", "-f", "-D", "-c", g.file("dhcp6s.conf", DHCP6S), "-P", g.dir / "dhcp6s.pid", "ppp0", log=g.dir / "dhcp6s.log")
    return radvd, dhcp6s


def home(si, node, internet, lan):
    up = si.wait_up(30, name="home")
    wait_until("the prefix is delegated", lambda: si.softwire(name="home")["delegated"], 20)
    inside = wait_address(lan, "eth0")
    wait_ping(lan, WEB)
    return {
        "up": up,
        "softwire": si.softwire(name="home"),
        "lan": inside,
        "default": [r for r in node.routes() if r["dst"] == "default"],
        "mtu": mtu(node, "si-home"),
        "many": lan.ping(WEB, count=20, interval=0.02),
        "full": node.ping(WEB, count=3, size=mtu(node, "si-home") - 48, interval=0.05),
        "back": internet.ping(inside),
    }


def office(g, si, server):
    wait_until("authenticated in both directions", lambda: server.ppp_has("IPV6CP ConfAck") and len(ppp_devices(server.node)) == 1, 20)
    s = wait_until("the session is there", lambda: [t for t in si.show("tunnels") if t["name"] == "office"])
    return {"tunnel": s, "rejected": wait_until("IPCP is rejected", lambda: server.ppp_has("ProtRej", "80 21")),
            "softwire": [s for s in si.show("softwires") if s["name"] == "office"][0],
            "chap": server.ppp_has("CHAP")}


def stranger(si, server):
    return {
        "event": wait_until("it says why", lambda: si.has("event=setup-failed", "softwire=stranger") or si.has("event=setup-failed", "stranger"), 20),
        "pppd": wait_until("pppd says why", lambda: server.ppp_has("CHAP peer authentication failed") or server.ppp_has("CHAP Failure"), 10),
        "softwire": [s for s in si.show("softwires") if s["name"] == "stranger"][0],
    }


def thrown_out(g, si, server):
    """pppd ends; the initiator sees it and connects again. (radvd and dhcp6s don't follow to pppd's new device: that is for scripts.)"""
    began = time.monotonic()
    for pid in g.sh("pgrep", "-P", server.process.pid).stdout.split():
        os.kill(int(pid), signal.SIGTERM)
    event = wait_until("the end is seen", lambda: si.has("event=down", "initiator=home"), 10)[0]
    s = wait_until("the softwire is up again", lambda: si.softwire(name="home", reconnects=1), 20)
    return {"event": event, "softwire": s, "seconds": time.monotonic() - began}


def main():
    with Guest() as g:
        internet, node, lan, server = network(g)
        with open("/etc/ppp/chap-secrets", "w") as f:
            f.write(CHAP_SECRETS)
        isp = lns(server["isp"], ["name isp", "noip"])
        secretive = lns(server["secretive"], ["name secretive"], ["challenge = yes", "hidden bit = yes", "length bit = yes"], "dug by both of us")
        strict = lns(server["strict"], ["name strict", "noip"])
        for s in (isp, secretive, strict):
            wait_until("xl2tpd listens", lambda: s.process.has("Listening"))
        si = start_si(g, node)
        g.step("served", lambda: serve_ipv6(g, server["isp"]) and True)
        g.step("home", lambda: home(si, node, internet, lan))
        g.step("office", lambda: office(g, si, secretive))
        g.step("stranger", lambda: stranger(si, strict))
        g.step("hello", lambda: wait_hello(si, name="home"))
        g.step("thrown out", lambda: thrown_out(g, si, isp))
        g.step("stopped", lambda: si.stop())
        g.step("after", lambda: {
            "lan0": node.addresses("lan0"),
            "isp": wait_until("xl2tpd is told", lambda: isp.process.has("Connection closed"), 10),
            "ppp": wait_until("no PPP device is left", lambda: not ppp_devices(server["isp"]) and not ppp_devices(server["secretive"]), 10),
        })


if __name__ == "__main__":
    main()
