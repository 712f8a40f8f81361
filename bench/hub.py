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
from pathlib import Path

from lab import BUILD, Lab, LabError, Node, Softwired, secret_file, wait_until

ABOUT = {
    "hub-setup-10k": {"unit": "softwires/s", "limit": None, "better": "higher"},
    "hub-memory": {"unit": "bytes/softwire", "limit": 1024, "better": "lower"},
    "hub-storm": {"unit": "s", "limit": 30, "better": "lower", "alone": True},
}
COUNT = 10000
WINDOW = 500  # more of them only wait longer
PEER_WINDOW = 75  # with 125 its socket buffer overflows, and it gets slower
PEER_TUNNELS = 400  # l2tpns has at most 498
CPUS = sorted(os.sched_getaffinity(0))

CONCENTRATOR = """
concentrator = {{
    listen = [ "192.0.2.1" ];
    network = "trusted";
    local6 = "2001:db8:ffff::1";
    users = "{dir}/users.conf";
{more}    pools = {{
        default = {{
            link6 = "2001:db8:100::/40";
            delegate = {{ from = "2001:db8:8000::/36"; length = 56; }};
            dns = [ "2001:db8:1::2" ];
        }};
    }};
}};
"""

ONE_SOURCE = "    half-open-per-source = 10000; waiting-per-source = 20000; request-rate = 1000000;   # the generator is one source\n"

HOME = """
initiator = {{
    home = {{
        server = [ "192.0.2.1" ];
        network = "trusted";
        user = "home";
        password-file = "{dir}/password";
        dns = "none";
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

    def start_ours(self, count, more=ONE_SOURCE):
        directory = self.dir / "concentrator"
        directory.mkdir()
        users = "".join(f'user{i:05} = {{ secret = "secret of user{i:05}"; }};\n' for i in range(count))
        secret_file(directory / "users.conf", f'users = {{\n{users}home = {{ secret = "secret of home"; }};\n}};\n')
        self.concentrator = daemon = Softwired(self.sc, "concentrator", CONCENTRATOR.format(dir=directory, more=more))
        return lambda: [daemon.pid, *daemon.children()]

    def start_peer(self, options):
        """l2tpns finds its pool of addresses in /etc/l2tpns only: it gets one of its own, seen by nobody else."""
        directory = self.dir / "l2tpns"
        (directory / "etc").mkdir(parents=True)
        (directory / "var").mkdir()
        (directory / "etc" / "ip_pool").write_text("10.64.0.0/16\n")
        (directory / "etc" / "users").write_text("")
        text = L2TPNS.format(dir=directory) + ("set allow_duplicate_users yes\n" if options.peer_duplicates else "")
        (directory / "etc" / "startup-config").write_text(text)
        script = ('mount --bind "$0/etc" /etc/l2tpns && mount --bind "$0/var" /var/lib/l2tpns && '
                  'exec l2tpns -c /etc/l2tpns/startup-config')
        daemon = self.sc.start("unshare", "-m", "sh", "-c", script, directory, log=directory / "output",
                               start_new_session=True)  # when it ends, it ends its process group
        # It waits for a cluster first, and serves when it has found that it is alone.
        wait_until("l2tpns is its own master", lambda: "declaring myself the master" in read(directory / "log"), 30)
        return lambda: [daemon.pid]

    def generate(self, side, options, hold=False):
        """Runs the generator, and gives its result; with HOLD it keeps the softwires until its standard input is closed."""
        count = size(options)
        program = "load" if side == "ours" else "load_l2tpns"
        argv = self.load.argv(BUILD / "bench" / program, "--server", "192.0.2.1", "--local", "192.0.2.2", "--count", count,
                              "--window", window(side, options), "--tunnels", min(PEER_TUNNELS, count), *(["--hold"] if hold else []))
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
    """What the threads of the processes have used of the processor, in seconds."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def memory_bytes(pids):
    """Their proportional share of resident memory, without pages of files: code that was run once is no softwire's."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:"))) * 1024


def steady_memory_bytes(pids):
    """The same, as soon as it does not change any more."""
    samples = [0]

    def steady():
        samples.append(memory_bytes(pids))
        return abs(samples[-1] - samples[-2]) <= samples[-1] // 1000
    wait_until("memory is steady", steady, 30, interval=0.5)
    return samples[-1]


def size_of(options, count):
    return count // 100 if options.small else count


def size(options):
    return size_of(options, COUNT)


def window(side, options):
    """How many set-ups are under way at a time."""
    return min(options.window if side == "ours" else options.peer_window, size(options) // 4)


def start(bench, side, options):
    return bench.start_ours(size(options)) if side == "ours" else bench.start_peer(options)


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
            "cpu_us_per_setup": used * 1e6 / result["done"],
            "cpu_share": used / result["seconds"],
            "generator_cpu_share": result["cpu_seconds"] / result["seconds"],
            "window": window(side, options),
        }


def memory(side, options):
    with Bench() as bench:
        pids = start(bench, side, options)
        before = steady_memory_bytes(pids())
        result = bench.generate(side, options, hold=True)
        after = steady_memory_bytes(pids())
        return {
            "value": (after - before) / result["done"],
            "before_bytes": before,
            "after_bytes": after,
        }
