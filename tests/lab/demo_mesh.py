# SPDX-License-Identifier: GPL-2.0-or-later
"""./demo mesh: networks of one address family around a core of the other. The topology is core.py's."""
import os
import signal
import sys
import time

from core import Core, FrrIgp, mesh_routes
from demo_hub import say
from lab import LabError, wait_until
from mesh import wait_up

PICTURE = """
    host1 --- ce1 --- afbr1 === p1 ======= p3 === afbr3 --- ce3 --- host3
              BIRD            \\\\      //        \\         GoBGP
                                \\\\    //          \\
                          rr ===== p2 === afbr2 --- ce2 --- host2
                                                    FRR

    ===  the core: {core} only; OSPF by BIRD (p3: FRR) is its IGP
    ---  client networks: {client}; an AS of its own each, BGP by BIRD, FRR and GoBGP
    afbr1, afbr2, afbr3, and the route reflector rr: softwired
    softwires: {client} packets in {core} ones, from border router to border router (RFC 5565); none of them is configured anywhere
"""


def show(command, text):
    print(command)
    print(text.rstrip())


class Demo:
    def __init__(self, net):
        self.net, self.at = net, net.at
        self.client, self.core = f"IPv{self.at.client}", f"IPv{self.at.core}"

    def run(self):
        print(PICTURE.format(core=self.core, client=self.client))
        self.start()
        self.core_knows_nothing()
        self.operator()
        self.cross()
        self.failover()
        say("Done. Everything that was started is ended and removed again.")

    def start(self):
        net, at = self.net, self.at
        say("The core's IGP, border routers, route reflector and clients' routers start")
        net.start_igp(wait=False)
        classes = {1: "65000:1", 2: "65000:2", 3: "65000:3"}
        rules = [{"class": "65000:3", "use": ["gre"]}, {"use": ["l2tpv3", "ipip"]}]
        self.afbr = {n: net.start_afbr(n, accept=["l2tpv3", "gre", "ipip"], classes=[classes[n]], encapsulate=rules) for n in net.afbrs}
        net.start_reflector()
        net.start_ces()
        for n in (1, 2, 3):
            net.start_web(n, f"hello from host{n}, {at.host(n)}\n")
        net.wait_igp()
        wait_up(net.rr, "afbr1", "afbr2", "afbr3")
        wanted = {at.network(n) for n in (2, 3)}
        wait_until("afbr1 has softwire routes", lambda: wanted <= set(mesh_routes(net.afbr[1], at.client)), 20)
        net.wait_ping(1, 2)
        print("""the same in the configuration of each: softwires to border routers of class 65000:3 by GRE, to others by L2TPv3, or else IP-in-IP

    accept = [ "l2tpv3", "gre", "ipip" ];
    encapsulate = ( { class = "65000:3"; use = [ "gre" ]; }, { use = [ "l2tpv3", "ipip" ]; } );""")

    def core_knows_nothing(self):
        at, p1 = self.at, self.net.p[1]
        say(f"A router of the core has {self.core} routes, and none of {self.client}")
        show(f"p1# ip -{at.core} route | grep -c proto", str(len([r for r in p1.routes(at.core) if r.get("protocol") == "bird"])))
        show(f"p1# ip -{at.client} route", p1.ip(f"-{at.client}", "route", check=False).stdout or "(nothing)")

    def operator(self):
        afbr1 = self.afbr[1]
        say("What the operator of afbr1 sees: where softwires lead, and why so")
        for words in (("show", "endpoints"), ("show", "paths"), ("show", "route", self.at.host(2))):
            show(f"afbr1# softwire {' '.join(words)}", afbr1.table(*words))
            print()
        show(f"afbr1# ip -{self.at.client} route show proto 172", self.net.afbr[1].ip(f"-{self.at.client}", "route", "show", "proto", "172").stdout)

    def cross(self):
        net, at = self.net, self.at
        say(f"host1 reaches host2 and host3: {self.client} across a core of {self.core}")
        captures = [(device, net.one_packet(net.p[1], device)) for device in ("to-p2", "to-p3")]
        show(f"host1$ traceroute {at.host(2)}", net.traceroute(1, 2))
        for n in (2, 3):
            show(f"host1$ curl {net.url(n)}", net.fetch(1, n))
        print("\nand what a router of the core sees of it: L2TPv3 (protocol 115) to afbr2, GRE to afbr3")
        for device, words in captures:
            show(f"p1# tcpdump -i {device} -c 1 -v", words())

    def failover(self):
        net, at = self.net, self.at
        say("afbr2 dies: power off. ce2 has another border router, afbr3")
        ping = net.host[1].start("ping", "-n", "-D", "-i", 0.02, at.host(2), log=net.dir / "ping")
        monitor = net.afbr[1].start("ip", f"-{at.core}", "-o", "monitor", "route", log=net.dir / "monitor")
        wait_until("ping runs", lambda: len(ping.has("bytes from")) > 10)
        began = time.time()
        self.power_off(2)
        wait_until("the IGP has told afbr1", lambda: monitor.has("Deleted", at.afbr[2]), 30, 0.005)
        told = time.time()
        first = wait_until("traffic moves", lambda: next((t for t in answers(ping) if t > told), None), 30, 0.005)
        ping.kill(signal.SIGINT)
        print(f"OSPF needs {told - began:.1f} s to tell afbr1 that there is no way to afbr2 any more; {1000 * (first - told):.0f} ms later host1 gets answers again")
        show(f"host1$ traceroute {at.host(2)}", net.traceroute(1, 2))
        show(f"host1$ curl {net.url(2)}", net.fetch(1, 2))
        show("afbr1# softwire show endpoints", self.afbr[1].table("show", "endpoints"))

    def power_off(self, n):
        daemon, node = self.afbr[n], self.net.afbr[n]
        pids = [*daemon.children(), daemon.pid]
        for link in ("core0", "ce2"):
            node.ip("link", "set", link, "down")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def answers(ping):
    """When they came."""
    return [float(line[1:].split("]")[0]) for line in ping.has("bytes from")]


def main():
    core = 4 if "--over-ipv4" in sys.argv[1:] else 6
    began = time.monotonic()
    try:
        with Core(core, igp={3: FrrIgp} if core == 6 else {}, name="demo") as net:
            Demo(net).run()
    except KeyboardInterrupt:
        print("interrupted: cleaned up", file=sys.stderr)
        return 130
    except LabError as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - began:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
