# SPDX-License-Identifier: GPL-2.0-or-later
"""
One LAN of both families with a BGP speaker on each host, as at an exchange point:

    host N: eth0 192.0.2.N, 2001:db8:ffff::N, router id 10.0.0.N; a switch of its own namespace between them

Hosts run softwired or one of speakers.py. What passes can be captured at each host.
"""
import json
import os

import pytest
from lab import BUILD, Lab, Node, Softwired, secret_file, wait_until
from mesh import neighbor, setting


def skip_without(*kinds):
    """Skips the test where it cannot run, and says why."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for kind in kinds:
        if kind.missing():
            pytest.skip(f"{kind.program} is not installed")


class Exchange(Lab):
    def __enter__(self):
        super().__enter__()
        try:
            self.switch = Node(self, "switch")
            self.switch.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", 0)
            self.switch.ip("link", "set", "br0", "up")
        except BaseException:
            self.close()
            raise
        self.hosts = {}
        return self

    def host(self, name, number):
        node = self.hosts[name] = Node(self, name)
        node.number, node.local = number, (f"192.0.2.{number}", f"2001:db8:ffff::{number}")
        node.sysctl("net.ipv6.conf.default.accept_ra", 0)  # FRR sends router advertisements where it uses IPv6 next hops
        self.link(node, "eth0", self.switch, f"to-{number}", [f"{node.local[0]}/24", f"{node.local[1]}/64"])
        self.switch.ip("link", "set", f"to-{number}", "master", "br0")
        return node

    def listen(self, node):
        """A capture of BGP at NODE. Short packets in a large buffer: of those of tcpdump's own choice only a handful has room, and others are lost."""
        return self.capture(node, "eth0", "tcp port 179", ("-s", 4096, "-B", 16384))

    def speaker(self, kind, node, as_number, peers):
        return kind(node, as_number, f"10.0.0.{node.number}", node.local, peers)

    def configuration(self, node, as_number, neighbors, tunnels=(), classes=(), policies=None, core=None, **bgp):
        """Of softwired: keys of the group bgp with _ for -."""
        group = {"as": as_number, "router-id": f"10.0.0.{node.number}", "check-next-hops": False, "neighbors": neighbors,
                 **{k.replace("_", "-"): v for k, v in bgp.items()}}
        lists = {"all": [{"then": "accept"}], **(policies or {})}
        rules = " ".join(f"{name} = ( {', '.join(setting(r) for r in rows)} );" for name, rows in lists.items())
        text = f'core = {{ address = "{core or node.local[1]}"; }}; bgp = {setting(group)[:-1]} policies = {{ {rules} }}; }};'
        text += f" tunnels = ( {', '.join(setting(t) for t in tunnels)} );" if tunnels else " accept = [ ];"
        if classes:
            text += f" classes = {setting(classes)};"
        return f"afbr = {{ {text} }};\n"

    def softwired(self, node, as_number, neighbors, **kw):
        return Softwired(node, node.name, self.configuration(node, as_number, neighbors, **kw))

    def reconfigure(self, daemon, as_number, neighbors, **kw):
        """Another configuration, and what the reload says about it."""
        paths = daemon.conf.read_text().splitlines()[:3]
        daemon.conf.write_text("\n".join(paths) + "\n" + self.configuration(daemon.node, as_number, neighbors, **kw))
        return daemon.ask("reload")["say"]

    def secret(self, name, text):
        return str(secret_file(self.dir / name, text + "\n"))


def row(daemon, name):
    return daemon.ask("show", "bgp", "neighbors", name)["neighbors"][0]


def wait_up(daemon, *names):
    for name in names:
        wait_until(f"{daemon.name} has a session with {name}", lambda: row(daemon, name)["state"] == "established", 20)


def routes(daemon, *words):
    """All pages; by prefix."""
    run = daemon.node.sh(BUILD / "src" / "softwire", "--json", "--socket", daemon.socket, "show", "bgp", "routes", *words)
    return {r["prefix"]: r for line in run.stdout.splitlines() for r in json.loads(line)["routes"]}
