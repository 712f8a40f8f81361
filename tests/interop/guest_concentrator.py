# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs in the kernel lab: softwired as concentrator, with xl2tpd and pppd as initiators, and the guest's kernel for L2TP, PPP, and SLAAC.

    internet6 ---- sc ---- alice ---- lan       noip; DHCPv6-PD by dhcpcd for the LAN; thrown out once, and back
    2001:db8:1::2  |   |-- bob                  tunnel secret in both directions, Random Vectors, mutual CHAP, and IPCP, which we don't speak
                   |   |-- carol                a wrong password
                   |   `-- dave                 a wrong tunnel secret
                   softwired, 192.0.2.1
"""
import os
import signal

from peers import Guest, lac, mtu, ppp_devices, wait_address, wait_hello, wait_ping
from lab import Node, Softwired, wait_until

SC, WEB = "192.0.2.1", "2001:db8:1::2"
CLIENTS = ["alice", "bob", "carol", "dave"]

CONFIG = """
concentrator = {{
    listen = [ "192.0.2.1" ];
    network = "trusted";
    host-name = "sc.example.net";
    local6 = "2001:db8:ffff::1";
    users = "{users}";
    hello = 2;
    pools = {{ default = {{
        link6 = "2001:db8:100::/48";
        delegate = {{ from = "2001:db8:8000::/36"; length = 56; }};
        dns = [ "2001:db8:1::2" ];
    }}; }};
}};
"""

USERS = """
users = {
    alice = { secret = "alice and the queen"; };
    bob = { secret = "bob the builder"; server-secret = "what the server knows"; };
    carol = { secret = "carol in winter"; };
    dave = { secret = "dave the diver"; };
};
peers = (
    { address = "198.51.100.2"; tunnel-secret = "dug by both of us"; },
    { address = "198.51.102.2"; tunnel-secret = "another one"; }
);
"""

# client, server, secret: as pppd reads it, on either side of CHAP.
CHAP_SECRETS = """
alice * "alice and the queen" *
bob sc.example.net "bob the builder" *
sc.example.net bob "what the server knows" *
carol * "not what carol should say" *
dave * "dave the diver" *
"""

DHCPCD = """
duid
noipv6rs
ipv6only
nohook resolv.conf
interface ppp0
ia_pd 1 lan0/0/64
"""


def network(g):
    sc = Node(g, "sc", forward=True)
    internet = Node(g, "internet6")
    g.link(internet, "up0", sc, "core0", [f"{WEB}/64"], ["2001:db8:1::1/64"])
    internet.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
    sc.ip("addr", "add", f"{SC}/32", "dev", "lo")
    clients = {}
    # In the documentation range 198.51.100.0/24 and above it: one /24 for each client.
    for number, name in zip((99, 100, 101, 102), CLIENTS):
        client = clients[name] = Node(g, name, forward=name == "alice")
        client.sysctl("net.ipv6.conf.default.accept_ra", 2)
        g.link(sc, name, client, "eth0", [f"198.51.{number}.1/24"], [f"198.51.{number}.2/24"])
        client.ip("route", "add", SC, "via", f"198.51.{number}.1")
        g.watch(sc, name, name)
    lan = Node(g, "lan")
    g.link(clients["alice"], "lan0", lan, "eth0")
    return sc, internet, clients


def what_ppp0_got(node, internet):
    address = wait_address(node, "ppp0")
    wait_ping(node, WEB)
    return {
        "address": address,
        "default": [r for r in node.routes() if r["dst"] == "default"],
        "mtu": mtu(node, "ppp0"),
        "many": node.ping(WEB, count=20, interval=0.02),
        "full": node.ping(WEB, count=3, size=mtu(node, "ppp0") - 48, interval=0.05),
        "back": internet.ping(address),
        "in the kernel": "interface ppp0" in node.sh("cat", "/proc/net/pppol2tp").stdout,
    }


def is_given_back(sc, dhcpcd):
    """If not, dhcpcd is told (again) to release: while one of its scripts runs it may not hear the signal."""
    given_back = not sc.softwire(user="alice")["delegated"]
    if not given_back:
        dhcpcd.kill(signal.SIGALRM)
    return given_back


def delegation(g, sc, node, internet):
    """dhcpcd asks for a prefix, numbers lan0 from it, and gives it back."""
    os.makedirs("/var/lib/dhcpcd", exist_ok=True)
    with open("/var/lib/dhcpcd/duid", "w") as f:
        f.write("00:03:00:01:02:00:00:00:00:01\n")
    dhcpcd = node.start("dhcpcd", "-B", "-d", "-6", "-f", g.file("dhcpcd.conf", DHCPCD), "ppp0", log=g.dir / "dhcpcd.log")
    address = wait_address(node, "lan0", 30)
    wait_ping(node, WEB, "-I", address)
    back = internet.ping(address)
    lease = [lease for lease in sc.show("leases") if lease["user"] == "alice"][0]
    wait_until("the prefix is given back", lambda: is_given_back(sc, dhcpcd), 20, interval=1)
    return {"address": address, "back": back, "lease": lease, "log": dhcpcd.has("2001:db8:8")}


def thrown_out(sc, node, client):
    """The operator ends the softwire; the client connects again and gets the same prefix."""
    before = sc.softwire(user="alice")
    sc.ask("clear", "user", "alice")
    after = sc.wait_up(30, user="alice")
    wait_until("a new PPP device has an address", lambda: [d for d in ppp_devices(node) if node.addresses(d)], 15)
    wait_ping(node, WEB)
    return {"before": before, "after": after, "xl2tpd": client.process.has("cleared by the operator")}


def hangs_up(sc, client):
    client.process.kill()
    return wait_until("the concentrator sees the end", lambda: sc.has("event=down", "user=bob"), 15)[0]


def main():
    with Guest() as g:
        sc_node, internet, node = network(g)
        with open("/etc/ppp/chap-secrets", "w") as f:
            f.write(CHAP_SECRETS)
        users = g.file("users.conf", USERS)
        sc = Softwired(sc_node, "concentrator", CONFIG.format(users=users))
        lcp = ["lcp-echo-interval 1", "lcp-echo-failure 3"]
        alice = lac(node["alice"], SC, ["name alice", "noip", *lcp])
        bob = lac(node["bob"], SC, ["name bob", "auth", "require-chap", "remotename sc.example.net"],
                  ["challenge = yes", "hidden bit = yes", "length bit = yes"], "dug by both of us")
        carol = lac(node["carol"], SC, ["name carol", "noip"])
        dave = lac(node["dave"], SC, ["name dave", "noip"], secret="not the one")
        g.step("alice is up", lambda: sc.wait_up(30, user="alice"))
        g.step("alice", lambda: what_ppp0_got(node["alice"], internet))
        g.step("bob is up", lambda: sc.wait_up(30, user="bob"))
        g.step("bob", lambda: what_ppp0_got(node["bob"], internet))
        g.step("bob's IPCP", lambda: wait_until("IPCP is rejected", lambda: bob.ppp_has("ProtRej", "80 21")))
        g.step("delegation", lambda: delegation(g, sc, node["alice"], internet))
        g.step("carol", lambda: {
            "pppd": wait_until("pppd is refused", lambda: carol.ppp_has("CHAP authentication failed"), 20),
            "event": wait_until("the concentrator says why", lambda: sc.has("event=auth-failed", "peer=198.51.101.2")),
            "leases": [lease["user"] for lease in sc.show("leases")],
            "addresses": [a for device in ppp_devices(node["carol"]) for a in node["carol"].addresses(device)],
        })
        g.step("dave", lambda: {
            "event": wait_until("the concentrator says why", lambda: sc.has("cause=tunnel-auth"), 20),
            "xl2tpd": wait_until("the client is told", lambda: dave.process.has("Connection closed")),
            "ppp": dave.ppp_has(""),
        })
        g.step("hello", lambda: wait_hello(sc, user="bob"))
        g.step("thrown out", lambda: thrown_out(sc, node["alice"], alice))
        g.step("bob hangs up", lambda: hangs_up(sc, bob))
        g.step("bob's device is gone", lambda: wait_until("it is gone", lambda: not ppp_devices(node["bob"])))
        g.step("stopped", lambda: sc.stop())


if __name__ == "__main__":
    main()
