# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs in the kernel lab: softwired as concentrator for every payload and every way to authenticate, with xl2tpd and pppd as initiators.

    internet ---- sc ---- erin      MS-CHAPv2, IPv4 and IPv6 on one link
    198.18.0.2    |   |-- frank     CHAP, IPv4 only
    2001:db8:1::2 |   |-- grace     PAP, IPv4 only
                  |   |-- heidi     EAP with MD5, IPv6 only
                  |   |-- judy      EAP-TLS, both ends by certificate
                  |   |-- ivan      refuses to authenticate, and is served as nobody
                  |   `-- mallory   MS-CHAPv2 with a wrong password
                  softwired, 192.0.2.1
"""
import json

from peers import Guest, lac, mtu, ppp_devices, wait_address, wait_ping
from lab import Node, Softwired, wait_until

SC, WEB, WEB4, LOCAL4 = "192.0.2.1", "2001:db8:1::2", "198.18.0.2", "198.51.100.1"
CLIENTS = ["erin", "frank", "grace", "heidi", "judy", "ivan", "mallory"]

CONFIG = """
concentrator = {{
    listen = [ "192.0.2.1" ];
    network = "trusted";
    host-name = "sc.example.net";
    local6 = "2001:db8:ffff::1";
    local4 = "198.51.100.1";
    users = "{dir}/users.conf";
    auth = [ "ms-chap-v2", "chap", "eap-tls", "eap-md5", "pap" ];
    eap = {{ certificate = "{dir}/sc.crt"; key = "{dir}/sc.key"; ca = "{dir}/ca.crt"; }};
    anonymous = {{ pool = "guests"; }};
    pools = {{
        default = {{ link6 = "2001:db8:100::/48"; ipv4 = "198.51.100.0/24"; dns = [ "198.18.0.2", "198.18.0.3", "2001:db8:1::2" ]; }};
        guests = {{ ipv4 = "198.18.99.0/24"; temporary = true; }};
    }};
}};
"""

USERS = """
users = {
    erin = { secret = "erin's own secret"; ipv4 = "198.51.100.77"; };
    frank = { secret = "frank speaks"; };
    grace = { secret = "grace says it aloud"; };
    heidi = { secret = "heidi in the hills"; };
    judy = { };
    mallory = { secret = "what mallory does not know"; };
};
"""

CHAP_SECRETS = """
erin * "erin's own secret" *
frank * "frank speaks" *
heidi * "heidi in the hills" *
mallory * "something else" *
"""
PAP_SECRETS = 'grace * "grace says it aloud" *\n'

REFUSE = ["refuse-pap", "refuse-chap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"]


def only(method):
    return [option for option in REFUSE if option != f"refuse-{method}"]


def certificates(g):
    """A CA, the concentrator's certificate and judy's."""
    def make(*words):
        g.sh("openssl", *words, cwd=g.dir)
    make("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=our own CA", "-keyout", "ca.key", "-out", "ca.crt", "-days", "3650")
    for name, subject, use in (("sc", "sc.example.net", "serverAuth"), ("judy", "judy", "clientAuth")):
        (g.dir / "ext").write_text(f"subjectAltName=DNS:{subject}\nextendedKeyUsage={use}\n")
        make("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        make("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext", "-out", f"{name}.crt", "-days", "3650")
        (g.dir / f"{name}.key").chmod(0o600)


def network(g):
    sc = Node(g, "sc", forward=True)
    internet = Node(g, "internet")
    g.link(internet, "up0", sc, "core0", [f"{WEB}/64", f"{WEB4}/30"], ["2001:db8:1::1/64", "198.18.0.1/30"])
    internet.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
    internet.ip("route", "add", "default", "via", "198.18.0.1")
    sc.ip("addr", "add", f"{SC}/32", "dev", "lo")
    clients = {}
    for number, name in enumerate(CLIENTS):
        client = clients[name] = Node(g, name)
        client.sysctl("net.ipv6.conf.default.accept_ra", 2)
        g.link(sc, name, client, "eth0", [f"10.0.{number}.1/24"], [f"10.0.{number}.2/24"])
        client.ip("route", "add", SC, "via", f"10.0.{number}.1")
        g.watch(sc, name, name)
    return sc, internet, clients


def address4(node):
    out = json.loads(node.ip("-j", "-4", "addr", "show", "dev", "ppp0", check=False).stdout or "[]")
    return next(((a["local"], a.get("address")) for d in out for a in d.get("addr_info", [])), None)


def ipv4(node, internet):
    """What pppd got by IPCP, and whether it works."""
    ours, theirs = wait_until(f"{node.name} has an IPv4 address", lambda: address4(node), 20)
    wait_ping(node, WEB4)
    return {
        "address": ours,
        "peer": theirs,
        "many": node.ping(WEB4, count=20, interval=0.02),
        "full": node.ping(WEB4, count=3, size=mtu(node, "ppp0") - 28, interval=0.05),
        "back": internet.ping(ours),
    }


def main():
    with Guest() as g:
        sc_node, internet, node = network(g)
        for name, text in (("chap-secrets", CHAP_SECRETS), ("pap-secrets", PAP_SECRETS)):
            with open(f"/etc/ppp/{name}", "w") as f:
                f.write(text)
        certificates(g)
        g.file("users.conf", USERS)
        sc = Softwired(sc_node, "concentrator", CONFIG.format(dir=g.dir))
        four = ["defaultroute", "usepeerdns"]
        erin = lac(node["erin"], SC, ["name erin", *only("mschap-v2"), *four])
        frank = lac(node["frank"], SC, ["name frank", "noipv6", *only("chap"), *four])
        grace = lac(node["grace"], SC, ["name grace", "noipv6", *only("pap"), *four])
        heidi = lac(node["heidi"], SC, ["name heidi", "noip", *only("eap")])
        judy = lac(node["judy"], SC, ["name judy", *only("eap"), *four, f"ca {g.dir}/ca.crt", f"cert {g.dir}/judy.crt", f"key {g.dir}/judy.key", "need-peer-eap"])
        ivan = lac(node["ivan"], SC, ["name ivan", "noipv6", *REFUSE, *four])
        mallory = lac(node["mallory"], SC, ["name mallory", "noipv6", *only("mschap-v2")])
        for name, user in (("erin", "erin"), ("frank", "frank"), ("grace", "grace"), ("judy", "judy")):
            g.step(f"{name} is up", lambda user=user: sc.wait_up(40, user=user))
            g.step(f"{name} has IPv4", lambda name=name: ipv4(node[name], internet))
        g.step("erin has IPv6", lambda: wait_address(node["erin"], "ppp0") and wait_ping(node["erin"], WEB))
        g.step("erin's DNS", lambda: wait_until("pppd was told", lambda: erin.ppp_has("primary   DNS address", "198.18.0.2") and erin.ppp_has("secondary DNS address", "198.18.0.3")))
        g.step("heidi is up", lambda: sc.wait_up(40, user="heidi"))
        g.step("heidi has IPv6", lambda: wait_address(node["heidi"], "ppp0") and wait_ping(node["heidi"], WEB))
        g.step("ivan has IPv4", lambda: ipv4(node["ivan"], internet))
        g.step("ivan is nobody", lambda: [s for s in sc.show() if s["user"].startswith("anonymous/")] if all(s["user"] for s in sc.show() if s["state"] == "up") else None)
        g.step("mallory", lambda: {
            "pppd": wait_until("pppd is refused", lambda: mallory.ppp_has("MS-CHAP authentication failed"), 30),
            "event": wait_until("the concentrator says why", lambda: sc.has("event=auth-failed", "wrong password")),
            "devices": [d for d in ppp_devices(node["mallory"]) if address4(node["mallory"])],
        })
        g.step("leases", lambda: sc.show("leases"))
        g.step("proofs", lambda: {"erin": erin.ppp_has("MS-CHAP v2") + erin.ppp_has("CHAP authentication succeeded"), "frank": frank.ppp_has("CHAP authentication succeeded"),
                                  "grace": grace.ppp_has("PAP authentication succeeded"), "heidi": heidi.ppp_has("EAP"), "judy": judy.ppp_has("EAP"), "ivan": ivan.ppp_has("LCP")})
        g.step("stopped", lambda: sc.stop())


if __name__ == "__main__":
    main()
