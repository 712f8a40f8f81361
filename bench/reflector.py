# SPDX-License-Identifier: GPL-2.0-or-later
"""
The mesh benchmarks: a route reflector, and two speakers around it in another namespace:

    rr 2001:db8::1 -------- 2001:db8::2 feeder, 2001:db8::3 receiver
    softwired or BIRD       bench/bgp, one process
    on the first processor  on the last one

Both are clients. The feeder tells a million IPv4 prefixes with IPv6 next hops, the receiver counts what arrives.
"""
import json
import subprocess
from pathlib import Path

from hub import CPUS, Pinned, memory_bytes, steady_memory_bytes, size_of
from lab import BUILD, Lab, LabError, Softwired, wait_until

ABOUT = {
    "bgp-reflect-1m": {"unit": "s", "limit": None, "better": "lower", "peer": ("bird", "bird2")},
    "bgp-memory": {"unit": "bytes/route", "limit": None, "better": "lower", "peer": ("bird", "bird2")},
    "bgp-withdraw-1m": {"unit": "s", "limit": None, "better": "lower", "peer": ("bird", "bird2")},
}
COUNT = 1000000

OURS = """
afbr = {
    bgp = {
        as = 65000;
        router-id = "10.0.0.1";
        listen = [ "2001:db8::1" ];
        neighbors = {
            feeder = { address = "2001:db8::2"; families = [ "ipv4" ]; client = true; passive = true; };
            receiver = { address = "2001:db8::3"; families = [ "ipv4" ]; client = true; passive = true; };
        };
    };
};
"""

BIRD = """
log stderr {{ warning, error, fatal, bug }};
router id 10.0.0.1;
protocol device {{ }}
protocol static {{ ipv6; route 2001:db8::/32 via 2001:db8::2; }}
template bgp spoke {{
    local 2001:db8::1 as 65000;
    rr client;
    rr cluster id 10.0.0.1;
    passive;
    ipv4 {{ import all; export all; extended next hop; igp table master6; }};
}}
protocol bgp feeder from spoke {{ neighbor 2001:db8::2 as 65000; }}
protocol bgp receiver from spoke {{ neighbor 2001:db8::3 as 65000; }}
"""


class Bench(Lab):
    def __init__(self):
        super().__init__(name="bench")
        self.speakers = self.daemon = None

    def __enter__(self):
        super().__enter__()
        try:
            self.rr = Pinned(self, "rr")
            self.load = Pinned(self, "load")
            self.rr.cpu, self.load.cpu = CPUS[0], CPUS[-1]
            self.link(self.rr, "core0", self.load, "rr0", ["2001:db8::1/64"], ["2001:db8::2/64", "2001:db8::3/64"])
            self.rr.ip("-6", "route", "add", "2001:db8:ff::/48", "via", "2001:db8::2")
        except BaseException:
            self.close()
            raise
        return self

    def reflector(self, side):
        """The reflector; gives a function that tells its processes."""
        if side == "ours":
            self.daemon = daemon = Softwired(self.rr, "reflector", OURS)
            return lambda: [daemon.pid, *daemon.children()]
        config = self.dir / "bird.conf"
        config.write_text(BIRD.format())
        daemon = self.rr.start("bird", "-f", "-c", config, "-s", self.dir / "bird.ctl", log=self.dir / "bird.log")
        wait_until("BIRD listens", lambda: "1" in self.rr.sh("birdc", "-s", self.dir / "bird.ctl", "show", "status", check=False).stdout, 10)
        return lambda: [daemon.pid]

    def connect(self, count):
        argv = self.load.argv(BUILD / "bench" / "bgp", "--server", "[2001:db8::1]:179", "--feeder", "2001:db8::2", "--receiver", "2001:db8::3",
                              "--count", count)
        self.speakers = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.line()

    def line(self):
        line = self.speakers.stdout.readline()
        if not line:
            raise LabError("the speakers have ended")
        return json.loads(line)

    def tell(self, what):
        self.speakers.stdin.write(what + "\n")
        self.speakers.stdin.flush()
        return self.line()

    def close(self):
        if self.speakers:
            self.speakers.stdin.close()
            self.speakers.kill()
            self.speakers.wait()
        super().close()


def scheduled(pids):
    """What the threads of the processes have used of the processor, and waited for it, in seconds."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    lines = [[int(n) / 1e9 for n in (task / "schedstat").read_text().split()[:2]] for task in tasks]
    return [sum(column) for column in zip(*lines)]


def run(side, options, what):
    count = size_of(options, COUNT)
    with Bench() as bench:
        pids = bench.reflector(side)
        bench.connect(count)
        before, began = steady_memory_bytes(pids()), scheduled(pids())
        load = bench.tell("announce")
        used, waited = (end - begin for end, begin in zip(scheduled(pids()), began))
        after = memory_bytes(pids()) if what == "load" else steady_memory_bytes(pids())
        if what == "load":
            return {"value": load["seconds"], "cpu_s": used, "waited_s": waited, "bytes_per_route": (after - before) / count,
                    "messages_in": load["messages_in"], "messages_out": load["messages_out"]}
        if what == "memory":
            return {"value": (after - before) / count, "before_bytes": before, "after_bytes": after}
        began = scheduled(pids())
        gone = bench.tell("withdraw")
        used, waited = (end - begin for end, begin in zip(scheduled(pids()), began))
        return {"value": gone["seconds"], "cpu_s": used, "waited_s": waited, "messages_out": gone["messages_out"],
                "bytes_left": steady_memory_bytes(pids()) - before}


def reflect(side, options):
    return run(side, options, "load")


def memory(side, options):
    return run(side, options, "memory")


def withdraw(side, options):
    return run(side, options, "withdraw")
