# SPDX-License-Identifier: GPL-2.0-or-later
"""
The mesh's kernel benchmarks: an AFBR between a client network and an IPv6 core with two ways.

    client ------ edge ======== core0 ======== far     2001:db8:f::a (egress A) behind core0, 2001:db8:f::b (egress B) behind core1
                 AFBR  ======== core1 ========         the feeders 2001:db8::2 and 2001:db8::3 on a link of their own
    one processor: edge; the other one: client, far

bgp-fib-1m: a feeder tells a million IPv4 prefixes with IPv6 next hops; how long until the kernel's table has them all. Ours are routes to softwires; those of
BIRD lead to the next hops natively.
mesh-failover: both feeders tell the same prefixes, with egress A and B as next hops, and a stream of packets goes to all of them in turn. Then that egress
which is in use dies: what is on the way to it is lost from now on, and the IGP withdraws its route. How long are packets not delivered: from the first one lost to the last one, in milliseconds of the stream; with 100,000 routes and with
1,000 (ms_of_few_routes). The peer is BIRD with native routes, which it has to write again.
"""
import json
import subprocess
import time

from hub import CPUS, Pinned, size_of
from lab import BUILD, Lab, LabError, Softwired, wait_until

ABOUT = {
    "bgp-fib-1m": {"unit": "s", "limit": None, "better": "lower", "peer": ("bird", "bird2")},
    "mesh-failover": {"unit": "ms", "limit": None, "better": "lower", "peer": ("bird", "bird2")},
}
ROUTES = 1000000
MANY, FEW = 100000, 1000
RATE = 5000  # packets per second

OURS = """
afbr = {
    core = { address = "2001:db8::1"; };
    bgp = {
        as = 65000;
        router-id = "10.0.0.1";
        listen = [ "2001:db8::1" ];
        neighbors = {
            a = { address = "2001:db8::2"; families = [ "ipv4" ]; passive = true; };
            b = { address = "2001:db8::3"; families = [ "ipv4" ]; passive = true; };
        };
        kernel = { export = { families = [ "ipv4" ]; scan-interval = 0; }; };
    };
};
"""

BIRD = """
log stderr { warning, error, fatal, bug };
router id 10.0.0.1;
protocol device { }
protocol kernel { learn; netlink rx buffer 16777216; ipv6 { import all; export none; }; }
protocol kernel { ipv4 { import none; export all; }; }
template bgp spoke {
    local 2001:db8::1 as 65000;
    passive;
    ipv4 { import all; export none; extended next hop; igp table master6; };
}
protocol bgp a from spoke { neighbor 2001:db8::2 as 65000; }
protocol bgp b from spoke { neighbor 2001:db8::3 as 65000; }
"""


class Told:
    """A program that is told lines, and answers with lines of JSON."""

    def __init__(self, node, *argv):
        self.popen = subprocess.Popen([str(a) for a in node.argv(BUILD / "bench" / argv[0], *argv[1:])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True)

    def line(self):
        line = self.popen.stdout.readline()
        if not line:
            raise LabError("a program of the benchmark has ended")
        return json.loads(line)

    def say(self, what):
        self.popen.stdin.write(what + "\n")
        self.popen.stdin.flush()

    def end(self):
        """Its last words."""
        self.popen.stdin.close()
        return self.line()

    def kill(self):
        self.popen.kill()
        self.popen.wait()


class Bench(Lab):
    def __init__(self):
        super().__init__(name="bench")
        self.programs = []

    def __enter__(self):
        super().__enter__()
        try:
            self.edge = Pinned(self, "edge", forward=True)
            self.client, self.far = Pinned(self, "client"), Pinned(self, "far")
            self.edge.cpu, self.client.cpu, self.far.cpu = CPUS[0], CPUS[-1], CPUS[-1]
            self.link(self.edge, "ce0", self.client, "eth0", ["203.0.113.1/28"], ["203.0.113.2/28"])
            self.link(self.edge, "control0", self.far, "control0", ["2001:db8::1/64"], ["2001:db8::2/64", "2001:db8::3/64"])
            self.client.ip("route", "add", "default", "via", "203.0.113.1")
            for i, egress in enumerate("ab"):
                self.link(self.edge, f"core{i}", self.far, f"core{i}", [f"2001:db8:{egress}::1/64"], [f"2001:db8:{egress}::2/64"])
                self.edge.ip("-6", "route", "add", f"2001:db8:f::{egress}", "via", f"2001:db8:{egress}::2")
            self.edge.ip("-6", "route", "add", "2001:db8:ff::/48", "via", "2001:db8:a::2")
            self.far.ip("-6", "route", "add", "blackhole", "2001:db8:f::/64")
        except BaseException:
            self.close()
            raise
        return self

    def router(self, side):
        if side == "ours":
            self.daemon = Softwired(self.edge, "edge", OURS)
            return
        config = self.dir / "bird.conf"
        config.write_text(BIRD)
        self.edge.start("bird", "-f", "-c", config, "-s", self.dir / "bird.ctl", log=self.dir / "bird.log")
        wait_until("BIRD listens", lambda: "1" in self.edge.sh("birdc", "-s", self.dir / "bird.ctl", "show", "status", check=False).stdout, 10)

    def program(self, node, *argv):
        self.programs.append(Told(node, *argv))
        return self.programs[-1]

    def feeder(self, address, count, *options):
        feeder = self.program(self.far, "bgp", "--server", "[2001:db8::1]:179", "--feeder", address, "--count", count, *options)
        feeder.line()
        return feeder

    def kernel_routes(self):
        """How many IPv4 routes the edge's kernel has, without reading them one by one."""
        for line in self.far.lab.sh("ip", "netns", "exec", self.edge.ns, "cat", "/proc/net/fib_triestat").stdout.splitlines():
            if "Prefixes:" in line:
                return int(line.split()[1])
        return 0

    def igp(self):
        """Who changes the edge's routes, and is there already when it has to be quick."""
        return subprocess.Popen([str(a) for a in self.edge.argv("ip", "-6", "-batch", "-")], stdin=subprocess.PIPE, text=True)

    def passed(self):
        """How many packets the edge has sent to each egress."""
        return [json.loads(self.edge.ip("-j", "-s", "link", "show", f"core{i}").stdout)[0]["stats64"]["tx"]["packets"] for i in range(2)]

    def let_pass(self, count, to=(0, 1)):
        """COUNT packets more have gone TO these; gives how many to each."""
        before = self.passed()
        wait_until("the stream goes on", lambda: sum(self.passed()[i] - before[i] for i in to) >= count, 60)
        return [now - then for now, then in zip(self.passed(), before)]

    def wait_routes(self, count, limit):
        """To be called when it has COUNT more than now."""
        readings = [0]

        def steady():
            readings.append(self.kernel_routes())
            return readings[-1] == readings[-2] and readings[-1]

        before = wait_until("the kernel's own routes are there", steady, interval=0.2)
        return lambda: wait_until(f"the kernel has {count} routes more", lambda: self.kernel_routes() >= before + count, limit)

    def close(self):
        for program in self.programs:
            program.kill()
        super().close()


def fib(side, options):
    count = size_of(options, ROUTES)
    with Bench() as bench:
        bench.router(side)
        feeder = bench.feeder("2001:db8::2", count)
        wait = bench.wait_routes(count, 120)
        began = time.monotonic()
        feeder.say("announce")
        wait()
        return {"value": time.monotonic() - began}


def outage(side, count):
    """Milliseconds between the first packet that is lost and the last one."""
    with Bench() as bench:
        bench.router(side)
        feeders = [bench.feeder(f"2001:db8::{i + 2}", count, "--next-hop", f"2001:db8:f::{egress}") for i, egress in enumerate("ab")]
        wait = bench.wait_routes(count, 60)
        for feeder in feeders:
            feeder.say("announce")
            feeder.line()
        wait()
        receiver = bench.program(bench.far, "stream", "--receive")
        receiver.line()
        igp = bench.igp()
        sender = bench.program(bench.client, "stream", "--send", "--networks", count, "--rate", RATE)
        used = 0 if bench.let_pass(RATE)[0] > RATE / 2 else 1
        receiver.say(f"core{used}")
        igp.stdin.write(f"route del 2001:db8:f::{'ab'[used]}\n")
        igp.stdin.flush()
        bench.let_pass(RATE, (1 - used,))
        sent = sender.end()
        igp.stdin.close()
        result = receiver.end()
        first, last = (result[k] for k in ("first_lost", "last_lost"))
        return {"ms": (last - first + 1) * 1000 / RATE if result["lost"] else 0.0, "lost": result["lost"], "sent": sent["sent"]}


def failover(side, options):
    many, few = (outage(side, size_of(options, count)) for count in (MANY, FEW))
    return {"value": many["ms"], "lost": many["lost"], "ms_of_few_routes": few["ms"], "lost_of_few_routes": few["lost"]}
