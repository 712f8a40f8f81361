# SPDX-License-Identifier: GPL-2.0-or-later
"""
The hub benchmarks: a concentrator and a generator of initiators, in two network namespaces with a veth pair between them:

    sc 192.0.2.1 -------- 192.0.2.2 load
    softwired or l2tpns             bench/load or bench/load_l2tpns
    on the first processor          on the last one

The peer is l2tpns. Its sessions do CHAP and IPCP, ours CHAP, IPV6CP, Router Advertisement and DHCPv6 prefix delegation.
"""
import json
import os
import subprocess

from lab import BUILD, Lab, LabError, Node, Softwired, secret_file, wait_until

ABOUT = {
    "hub-setup-10k": {"unit": "softwires/s", "limit": None, "better": "higher"},
    "hub-memory": {"unit": "bytes/softwire", "limit": 1024, "better": "lower"},
}
COUNT = 10000
WINDOW = 200
PEER_WINDOW = 100
PEER_TUNNELS = 400  # l2tpns has at most 498
CPUS = sorted(os.sched_getaffinity(0))

CONCENTRATOR = """
concentrator = {{
    listen = [ "192.0.2.1" ];
    network = "trusted";
    local6 = "2001:db8:ffff::1";
    users = "{dir}/users.conf";
    half-open-per-source = 10000;           # the generator is one source
    pools = {{
        default = {{
            link6 = "2001:db8:100::/40";
            delegate = {{ from = "2001:db8:8000::/36"; length = 56; }};
            dns = [ "2001:db8:1::2" ];
        }};
    }};
}};
"""

L2TPNS = """\
set debug 1
set log_file "{dir}/log"
set pid_file "{dir}/pid"
set hostname "lns"
set l2tp_secret "secret"
set primary_radius 192.0.2.2
set radius_secret "secret"
set radius_authtypes "chap"
set bind_address 192.0.2.1
set peer_address 192.0.2.1
set primary_dns 192.0.2.53
set cluster_interface access0
set cluster_hb_timeout 31
set send_garp no
"""


class Pinned(Node):
    """A namespace whose programs run on one processor."""

    cpu = 0

    def argv(self, *cmd):
        return super().argv("taskset", "-c", self.cpu, *cmd)


class Bench(Lab):
    def __init__(self):
        super().__init__(name="bench")
        self.generators = []

    def __enter__(self):
        super().__enter__()
        try:
            self.sc = Pinned(self, "sc", forward=True)
            self.load = Pinned(self, "load")
            self.sc.cpu, self.load.cpu = CPUS[0], CPUS[-1]
            self.link(self.sc, "access0", self.load, "wan0", ["192.0.2.1/24"], ["192.0.2.2/24"])
        except BaseException:
            self.close()
            raise
        return self

    def start_ours(self, count):
        directory = self.dir / "concentrator"
        directory.mkdir()
        users = "".join(f'user{i:05} = {{ secret = "secret of user{i:05}"; }};\n' for i in range(count))
        secret_file(directory / "users.conf", f"users = {{\n{users}}};\n")
        daemon = Softwired(self.sc, "concentrator", CONCENTRATOR.format(dir=directory))
        return lambda: [daemon.pid, *daemon.children()]

    def start_peer(self, count):
        """l2tpns finds its pool of addresses in /etc/l2tpns only: it gets one of its own, seen by nobody else."""
        directory = self.dir / "l2tpns"
        (directory / "etc").mkdir(parents=True)
        (directory / "var").mkdir()
        (directory / "etc" / "ip_pool").write_text("10.64.0.0/16\n")
        (directory / "etc" / "users").write_text("")
        (directory / "etc" / "startup-config").write_text(L2TPNS.format(dir=directory))
        script = ('mount --bind "$0/etc" /etc/l2tpns && mount --bind "$0/var" /var/lib/l2tpns && '
                  'exec l2tpns -c /etc/l2tpns/startup-config')
        daemon = self.sc.start("unshare", "-m", "sh", "-c", script, directory, log=directory / "output",
                               start_new_session=True)  # when it ends, it ends its process group
        # It waits for a cluster first, and serves when it has found that it is alone.
        wait_until("l2tpns is its own master", lambda: "declaring myself the master" in read(directory / "log"), 30)
        return lambda: [daemon.pid]

    def generate(self, side, options, hold=False):
        """Runs the generator, and gives its result; with HOLD it keeps the softwires until its standard input is closed."""
        count = COUNT // 100 if options.small else COUNT
        program, window = ("load", options.window) if side == "ours" else ("load_l2tpns", options.peer_window)
        argv = self.load.argv(BUILD / "bench" / program, "--server", "192.0.2.1", "--local", "192.0.2.2", "--count", count,
                              "--window", window, "--tunnels", min(PEER_TUNNELS, count), *(["--hold"] if hold else []))
        popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.generators.append(popen)
        line = popen.stdout.readline()
        result = json.loads(line) if line else {}
        if result.get("done") != count:
            raise LabError(f"{side}: of {count} set-ups these succeeded: {line or 'none'}")
        return result

    def close(self):
        for popen in self.generators:
            popen.stdin.close()
            popen.kill()
            popen.wait()
        super().close()


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def cpu_seconds(pids):
    """What the processes have used of the processor, in seconds."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_bytes(pids):
    """Their proportional share of resident memory."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total * 1024


def start(bench, side, options):
    count = COUNT // 100 if options.small else COUNT
    return bench.start_ours(count) if side == "ours" else bench.start_peer(count)


def setup(side, options):
    with Bench() as bench:
        pids = start(bench, side, options)
        before = cpu_seconds(pids())
        result = bench.generate(side, options)
        used = cpu_seconds(pids()) - before
        return {
            "value": result["rate"],
            "p50_ms": result["p50_ms"],
            "p99_ms": result["p99_ms"],
            "cpu_us_per_setup": round(used * 1e6 / result["done"], 1),
            "cpu_share": round(used / result["seconds"], 2),
            "window": options.window if side == "ours" else options.peer_window,
        }


def memory(side, options):
    with Bench() as bench:
        pids = start(bench, side, options)
        before = memory_bytes(pids())
        result = bench.generate(side, options, hold=True)
        after = memory_bytes(pids())
        return {
            "value": round((after - before) / result["done"], 1),
            "before_bytes": before,
            "after_bytes": after,
        }
