# SPDX-License-Identifier: GPL-2.0-or-later
"""
The storm: after an outage 20,000 initiators reconnect within a second, while somebody uses a softwire that is up:

    load 192.0.2.2, 198.18.0.1, 198.18.1.1, ... ------ 192.0.2.1 sc ------ 198.51.100.2 home
    bench/load on the last processor           softwired on the first      softwired, ping

2,000 of the initiators are behind the one address 198.18.0.1, as behind a carrier's NAT; the others have 200 addresses, 90 each. --forged N
adds N forged SCCRQs per second, from random addresses of 100.64.0.0/16. home and ping run with real-time priority: what is measured is the
concentrator, not how they share their processor with the generator.
"""
import json
import re
import subprocess
from statistics import quantiles

from hub import CPUS, HOME, Bench, Pinned, cpu_seconds, size_of
from lab import BUILD, LabError, Softwired, secret_file, wait_until

COUNT, SOURCES, NAT = 20000, 200, 2000
WITHIN_MS = 1000
PING_INTERVAL = 0.005
QUIET_PINGS = 1000
REPLY = re.compile(r"icmp_seq=(\d+) .*time=([\d.]+) ms")


class Urgent(Pinned):
    def argv(self, *cmd):
        return super().argv("chrt", "--fifo", 10, *cmd)


class Pings:
    """ping through the softwire of home, until it is stopped."""

    def __init__(self, bench):
        self.log = bench.dir / "pings"
        self.process = bench.home.start("ping", "-n", "-i", PING_INTERVAL, "2001:db8:ffff::1", log=self.log)

    def times(self):
        return {int(seq): float(ms) for seq, ms in REPLY.findall(self.log.read_text(errors="replace"))}

    def last(self):
        return max(self.times(), default=0)


def spread(times):
    cuts = quantiles(times, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "max": max(times)}


class Storm(Bench):
    def __enter__(self):
        super().__enter__()
        try:
            self.home = Urgent(self, "home")
            self.home.cpu = CPUS[-1]
            self.link(self.sc, "home0", self.home, "wan0", ["198.51.100.1/24"], ["198.51.100.2/24"])
            self.home.ip("route", "add", "192.0.2.1", "via", "198.51.100.1")
            self.sc.ip("route", "add", "default", "via", "192.0.2.2")
            batch = "".join(f"addr add 198.18.{n}.1/32 dev wan0\n" for n in range(SOURCES + 1))
            self.load.ip("-batch", "-", input=batch)
        except BaseException:
            self.close()
            raise
        return self

    def start_home(self):
        directory = self.dir / "home"
        directory.mkdir()
        secret_file(directory / "password", "secret of home\n")
        self.initiator = Softwired(self.home, "home", HOME.format(dir=directory))
        self.initiator.wait_up()
        wait_until("home can ping", lambda: self.home.ping("2001:db8:ffff::1"))

    def socket_drops(self):
        """What the kernel had no room for in the concentrator's socket."""
        return sum(int(line.split()[-1]) for line in self.sc.sh("cat", "/proc/net/udp").stdout.splitlines()[1:])

    def flood(self, rate):
        argv = self.load.argv(BUILD / "bench" / "flood", "--server", "192.0.2.1", "--local", "100.64.0.0", "--count", 65000, "--rate", rate)
        popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.generators.append(popen)

    def generate_storm(self, options):
        count = size_of(options, COUNT)
        argv = self.load.argv(
            BUILD / "bench" / "load", "--server", "192.0.2.1", "--local", "198.18.0.1", "--count", count, "--storm", WITHIN_MS, "--sources",
            min(SOURCES, count), "--nat", size_of(options, NAT), "--hold")
        popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.generators.append(popen)
        line = popen.stdout.readline()
        result = json.loads(line) if line else {}
        if result.get("done") != count:
            raise LabError(f"of {count} initiators these got in: {line or 'none'}")
        return result


def storm(side, options):
    with Storm() as bench:
        pids = bench.start_ours(size_of(options, COUNT), more="")
        bench.start_home()
        pings = Pings(bench)
        wait_until("pings of a quiet time are there", lambda: pings.last() >= size_of(options, QUIET_PINGS), 60)
        if options.forged:
            bench.flood(options.forged)
        first, before = pings.last() + 1, cpu_seconds(pids())
        result = bench.generate_storm(options)
        used = cpu_seconds(pids()) - before
        last = pings.last()
        wait_until("later pings are answered", lambda: pings.last() > last + 50)
        pings.process.kill()
        times = pings.times()
        quiet = spread([ms for seq, ms in times.items() if seq < first])
        during = spread([ms for seq, ms in times.items() if first <= seq <= last])
        counters = bench.concentrator.ask("show", "counters")["counters"]["concentrator"]
        if options.verbose:
            print(json.dumps(counters), *bench.concentrator.has("event=storm"))
        return {
            "value": result["seconds"],
            "p50_ms": result["p50_ms"],
            "p99_ms": result["p99_ms"],
            "cpu_us_per_setup": used * 1e6 / result["done"],
            "generator_cpu_share": result["cpu_seconds"] / result["seconds"],
            "requests": counters["concentrator"]["sccrq"],
            "lost_in_socket": bench.socket_drops(),
            "lost_waiting": counters["dataplane"]["drop_late"],
            "ping_lost": last - len([seq for seq in times if seq <= last]),
            "pings": last - first + 1,
            "ping_p50_ms": during["p50"],
            "ping_p99_ms": during["p99"],
            "ping_max_ms": during["max"],
            "quiet_ping_p50_ms": quiet["p50"],
            "quiet_ping_p99_ms": quiet["p99"],
            "ping_p99_ratio": during["p99"] / quiet["p99"],
        }
