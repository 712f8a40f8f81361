# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs in the kernel lab: softwired as initiator with IPv4 payload, and with every way to authenticate, against xl2tpd and pppd as concentrators.

    internet ---- isp ---- si      home: MS-CHAPv2, IPv4 and IPv6 on one link, DNS by IPCP
    198.18.0.2           / | |
           talker ------'  | |     loud: PAP, IPv4 only, said to be wanted
           asker ----------' |     eager: EAP with MD5, IPv4 only
           greedy -----------'     shy: a server that wants PAP, which was not allowed
"""
import json

from peers import Guest, Xl2tpd, mtu, wait_ping
from lab import Node, Softwired, secret_file, wait_until

WEB4 = "198.18.0.2"

INITIATOR = """
    {name} = {{
        server = [ "{server}" ];
        network = "trusted";
        dns = "none";
        user = "{user}";
        password-file = "{dir}/{user}";
        ipv4 = true;
        {rest}
    }};
"""

SECRETS = {"alice": "alice and the queen", "bob": "bob the builder", "carol": "carol in winter", "dave": "dave the diver"}

CHAP_SECRETS = """
alice isp "alice and the queen" *
carol asker "carol in winter" *
"""
PAP_SECRETS = """
bob talker "bob the builder" *
dave greedy "dave the diver" *
"""


def network(g):
    internet, si = Node(g, "internet"), Node(g, "si")
    servers = {name: Node(g, name, forward=True) for name in ("isp", "talker", "asker", "greedy")}
    g.link(internet, "up0", servers["isp"], "core0", [f"{WEB4}/30"], ["198.18.0.1/30"])
    internet.ip("route", "add", "default", "via", "198.18.0.1")
    for number, (name, server) in enumerate(servers.items()):
        g.link(server, "eth0", si, name, [f"10.0.{number}.1/24"], [f"10.0.{number}.2/24"])
        g.watch(si, name, name)
    return internet, si, servers


def start_si(g, node):
    directory = g.dir / "initiator"
    directory.mkdir()
    for name, secret in SECRETS.items():
        secret_file(directory / name, secret + "\n")
    plans = [("home", "10.0.0.1", "alice", ""), ("loud", "10.0.1.1", "bob", 'ipv6 = false; auth = [ "pap" ]; default-route = false;'),
             ("eager", "10.0.2.1", "carol", 'ipv6 = false; auth = [ "eap-md5" ]; default-route = false;'),
             ("shy", "10.0.3.1", "dave", "ipv6 = false; default-route = false;")]
    text = "".join(INITIATOR.format(name=n, server=s, user=u, dir=directory, rest=r) for n, s, u, r in plans)
    return Softwired(node, "initiator", "initiator = {\n" + text + "};\n")


def kernel4(node, device):
    out = json.loads(node.ip("-j", "-4", "addr", "show", "dev", device, check=False).stdout or "[]")
    return [f'{a["local"]}/{a["prefixlen"]}' for d in out for a in d.get("addr_info", [])]


def home(si, node, internet):
    s = wait_until("address and DNS servers are known", lambda: (s := si.softwire(name="home")) and s["address4"] and s["dns"] and s, 30)
    wait_ping(node, WEB4)
    return {
        "softwire": s,
        "kernel": kernel4(node, "si-home"),
        "default": [r["dev"] for r in node.routes(4) if r["dst"] == "default"],
        "many": node.ping(WEB4, count=20, interval=0.02),
        "full": node.ping(WEB4, count=3, size=mtu(node, "si-home") - 28, interval=0.05),
        "back": internet.ping(s["address4"]),
    }


def softwire(si, name):
    return wait_until(f"{name} has an address", lambda: (s := si.softwire(name=name)) and s["address4"] and s, 30)


def main():
    with Guest() as g:
        internet, node, server = network(g)
        for name, text in (("chap-secrets", CHAP_SECRETS), ("pap-secrets", PAP_SECRETS)):
            with open(f"/etc/ppp/{name}", "w") as f:
                f.write(text)
        any_auth = ["require chap = no", "refuse pap = no"]
        asks = {
            "isp": (["name isp", "auth", "require-mschap-v2", "ms-dns 198.18.0.2", "ms-dns 198.18.0.3", "+ipv6"], "10"),
            "talker": (["name talker", "auth", "require-pap"], "20"),
            "asker": (["name asker", "auth", "require-eap"], "30"),
            "greedy": (["name greedy", "auth", "require-pap"], "40"),
        }
        started = {}
        for name, (options, net) in asks.items():
            settings = [f"ip range = 198.51.{net}.10-198.51.{net}.20", f"local ip = 198.51.{net}.1", *any_auth]
            started[name] = Xl2tpd(server[name], "[lns default]", settings, options)
            wait_until("xl2tpd listens", lambda name=name: started[name].process.has("Listening"))
        si = start_si(g, node)
        g.step("home", lambda: home(si, node, internet))
        g.step("loud", lambda: softwire(si, "loud"))
        g.step("loud at the server", lambda: started["talker"].ppp_has("PAP peer authentication succeeded"))
        g.step("eager", lambda: softwire(si, "eager"))
        g.step("eager at the server", lambda: started["asker"].ppp_has("EAP"))
        g.step("shy", lambda: {
            "event": wait_until("it says why", lambda: si.has("event=setup-failed", "initiator=shy"), 30),
            "address": [s["address4"] for s in si.show() if s["name"] == "shy"][0],
        })
        g.step("stopped", lambda: si.stop())
        g.step("after", lambda: {"home": wait_until("pppd has seen the end", lambda: started["isp"].ppp_has("LCP terminated by peer") or started["isp"].ppp_has("TermReq"), 10)})


if __name__ == "__main__":
    main()
