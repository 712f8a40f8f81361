# SPDX-License-Identifier: GPL-2.0-or-later
"""
lab: network namespaces, daemons and captures for the lab tests and for ./demo. Standard library only.

A Lab owns everything it makes: namespaces, processes, a temporary directory. Leaving it (also by an exception, SIGINT
or SIGTERM) ends the processes by their ids, deletes the namespaces and the directory. Nothing sleeps: wait_until() polls
a condition, and what fails says what it waited for and shows the daemons' logs.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOFTWIRE_BUILD", ROOT / "build"))


class LabError(AssertionError):
    pass


def wait_until(what, condition, timeout=10.0, interval=0.05):
    """Polls condition() until it is true; its value is returned. WHAT says what is waited for."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(interval)


class Node:
    """A host: one network namespace."""

    def __init__(self, lab, name, forward=False, ipv6=True):
        self.lab, self.name, self.ns = lab, name, f"{lab.prefix}-{name}"
        lab.sh("ip", "netns", "add", self.ns)
        lab.nodes.append(self)
        self.ip("link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 0 if ipv6 else 1)
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 0 if ipv6 else 1)
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)
        self.sysctl("net.ipv6.conf.all.accept_dad", 0)
        if forward:
            self.sysctl("net.ipv4.ip_forward", 1)
            if ipv6:
                self.sysctl("net.ipv6.conf.all.forwarding", 1)

    def argv(self, *cmd):
        return ["ip", "netns", "exec", self.ns, *map(str, cmd)]

    def sh(self, *cmd, check=True, timeout=60, **kw):
        return self.lab.sh(*self.argv(*cmd), check=check, timeout=timeout, **kw)

    def ip(self, *cmd, **kw):
        return self.lab.sh("ip", "-n", self.ns, *map(str, cmd), **kw)

    def sysctl(self, key, value):
        self.sh("sysctl", "-qw", f"{key}={value}")

    def start(self, *cmd, log=None, **kw):
        return self.lab.start(self.argv(*cmd), log=log, **kw)

    def ping(self, dst, count=1, wait=1, size=None, check=False, interval=0.2):
        cmd = ["ping", "-n", "-c", count, "-W", wait, "-i", interval]
        if size:
            cmd += ["-s", size, "-M", "do"]
        return self.sh(*cmd, dst, check=check, timeout=count * (wait + 1) + 10).returncode == 0

    def addresses(self, device, family=6, scope="global"):
        out = self.ip("-j", f"-{family}", "addr", "show", "dev", device, check=False).stdout
        return [a for d in json.loads(out or "[]") for a in d.get("addr_info", []) if a.get("scope") == scope]

    def routes(self, family=6):
        return json.loads(self.ip("-j", f"-{family}", "route", "show").stdout or "[]")

    def nft(self, ruleset):
        self.sh("nft", "-f", "-", input=ruleset)


class Process:
    def __init__(self, popen, log):
        self.popen, self.log = popen, log

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def text(self):
        return Path(self.log).read_text(errors="replace") if self.log else ""

    def has(self, *words):
        """The log lines that contain all words."""
        return [line for line in self.text().splitlines() if all(w in line for w in words)]

    def kill(self, sig=signal.SIGTERM):
        if self.running():
            self.popen.send_signal(sig)

    def stop(self, timeout=8):
        self.kill()
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        return self.popen.returncode


class Softwired(Process):
    """A running softwired and its control socket."""

    def __init__(self, node, name, config, wait=True, program=None):
        self.node, self.name = node, name
        self.program = program or BUILD / "src" / "softwired"
        self.dir = node.lab.dir / name
        self.dir.mkdir(exist_ok=True)
        self.socket = self.dir / "run" / "control.sock"
        self.conf = self.dir / "softwired.conf"
        self.conf.write_text(
            f'runtime-directory = "{self.dir}/run";\nstate-directory = "{self.dir}/state";\n'
            f'control-socket = "{self.socket}";\n' + config)
        self.begin()
        if wait:
            wait_until(f"{name} is ready", lambda: self.has("event=ready"), 15)

    def begin(self):
        process = self.node.start(self.program, "-c", self.conf, log=self.dir / "log")
        super().__init__(process.popen, process.log)

    def begin_again(self):
        """After a kill: waits until it is ready once more."""
        before = len(self.has("event=ready"))
        self.begin()
        wait_until(f"{self.name} is ready again", lambda: len(self.has("event=ready")) > before, 15)

    def children(self):
        out = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True).stdout.split()
        return [int(p) for p in out]

    def ask(self, *words, check=True):
        run = self.node.sh(BUILD / "src" / "softwire", "--json", "--socket", self.socket, *words, check=False)
        if check and run.returncode:
            raise LabError(f"softwire {' '.join(map(str, words))}: {run.stdout}{run.stderr}")
        return json.loads(run.stdout)

    def show(self, what="softwires"):
        return self.ask("show", what)[what]

    def table(self, *words):
        return self.node.sh(BUILD / "src" / "softwire", "--socket", self.socket, *words, check=False).stdout

    def softwire(self, **match):
        """The first softwire that is up and has these values, or None."""
        for s in self.show("softwires"):
            if s["state"] == "up" and all(s.get(k) == v for k, v in match.items()):
                return s
        return None

    def wait_up(self, timeout=15, **match):
        return wait_until(f"a softwire of {self.name} is up", lambda: self.running() and self.softwire(**match), timeout)


class Lab:
    def __init__(self, name="sw", quiet=True):
        self.prefix = f"{name}{os.getpid() % 100000}"
        self.dir = Path(tempfile.mkdtemp(prefix="softwire-lab-"))
        os.chmod(self.dir, 0o755)
        self.nodes, self.processes, self.quiet, self.failed = [], [], quiet, False

    def __enter__(self):
        self.old = {s: signal.signal(s, self.interrupted) for s in (signal.SIGTERM, signal.SIGHUP)}
        return self

    def interrupted(self, number, frame):
        raise KeyboardInterrupt

    def __exit__(self, kind, value, trace):
        if kind and kind is not KeyboardInterrupt:
            self.show_logs()
        self.old[signal.SIGINT] = signal.getsignal(signal.SIGINT)
        for number in self.old:  # cleaning up is not interrupted; it is bounded
            signal.signal(number, signal.SIG_IGN)
        self.stop_all()
        found = self.sanitizer_finds()
        self.close()
        for number, handler in self.old.items():
            signal.signal(number, handler)
        if found and not kind:
            raise LabError("a sanitizer has found something:\n" + "\n".join(found))

    def stop_all(self):
        for process in reversed(self.processes):
            process.kill()
        for process in reversed(self.processes):
            process.stop()

    def sanitizer_finds(self):
        """What AddressSanitizer and its kin said, with some lines of where."""
        found = []
        for log in {process.log for process in self.processes if process.log and Path(process.log).exists()}:
            lines = Path(log).read_text(errors="replace").splitlines()
            found += [text for n, line in enumerate(lines) if "Sanitizer:" in line or "runtime error:" in line for text in lines[n:n + 12]]
        return found

    def close(self):
        self.stop_all()
        for node in self.nodes:
            subprocess.run(["ip", "netns", "del", node.ns], capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def show_logs(self):
        for process in self.processes:
            if process.log and Path(process.log).exists():
                print(f"---- {process.log}", file=sys.stderr)
                print("\n".join(process.text().splitlines()[-40:]), file=sys.stderr)

    def sh(self, *cmd, check=True, timeout=60, **kw):
        run = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, timeout=timeout, **kw)
        if check and run.returncode:
            raise LabError(f"{' '.join(map(str, cmd))}: exit {run.returncode}\n{run.stdout}{run.stderr}")
        return run

    def start(self, argv, log=None, **kw):
        out = open(log, "ab") if log else subprocess.DEVNULL
        popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, **kw)
        process = Process(popen, log)
        self.processes.append(process)
        return process

    def link(self, a, a_device, b, b_device, a_addr=(), b_addr=()):
        """A veth pair between two nodes, both ends up."""
        self.sh("ip", "link", "add", a_device, "netns", a.ns, "type", "veth", "peer", "name", b_device, "netns", b.ns)
        for node, device, addresses in ((a, a_device, a_addr), (b, b_device, b_addr)):
            for address in addresses:
                node.ip("addr", "add", address, "dev", device)
            if shutil.which("ethtool"):  # real checksums on the wire, so that a capture shows what a real network would carry
                node.sh("ethtool", "-K", device, "tx", "off", check=False)
            node.ip("link", "set", device, "up")

    def capture(self, node, device, expression="udp", options=()):
        """
        Starts a capture; the file can be read as soon as capture.stop() returns. OPTIONS of tcpdump. (Its own buffer has room for some eight packets in immediate mode,
        which a busy machine loses.)
        """
        path, log = self.dir / f"{node.name}-{device}.pcap", self.dir / f"{node.name}-{device}.tcpdump"
        log.unlink(missing_ok=True)  # of the capture before
        process = node.start("tcpdump", "-n", "-U", "--immediate-mode", "-B", 16384, "-Z", "root", "-i", device, "-w", path, *options, expression, log=log)
        wait_until("tcpdump listens", lambda: process.has("listening on"), 10)
        process.path = path
        return process


def secret_file(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path
