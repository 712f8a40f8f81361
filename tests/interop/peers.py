# SPDX-License-Identifier: GPL-2.0-or-later
"""
Inside the kernel lab: other people's daemons, and a notebook of what happened.

A scenario is a program that runs as root in the guest of kernel-lab. It builds its network with tests/lab/lab.py, takes
steps, and leaves in $LAB_OUT: facts.json (what each step found, or why it failed), captures, and everybody's logs. The tests judge
that on the host. A step that fails does not keep the next ones from being tried.
"""
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from lab import Lab, LabError, secret_file, wait_until  # noqa: E402

OUT = Path(os.environ.get("LAB_OUT", "/nonexistent"))


class Guest(Lab):
    def __init__(self):
        super().__init__(name="g")
        self.found, self.failed, self.captures = {}, {}, []
        self.began = time.monotonic()

    def step(self, name, action):
        """Takes a step and notes what it returns; returns it, or None if it failed."""
        try:
            self.found[name] = action()
        except Exception as e:  # whatever it is, the test that asks for this step shows it
            self.failed[name] = str(e) if isinstance(e, LabError) else traceback.format_exc()
        print(f"{time.monotonic() - self.began:6.2f} {'ok' if name in self.found else 'FAILED'}: {name}", flush=True)
        return self.found.get(name)

    def watch(self, node, device, name, expression="udp port 1701", options=()):
        """Captures L2TP, or what else is asked for, on a device until the end, into NAME.pcap."""
        process = self.capture(node, device, expression, options)
        self.captures.append((process, name))

    def close(self):
        for process, name in self.captures:
            process.stop()
            if Path(process.path).exists():
                shutil.copy(process.path, OUT / f"{name}.pcap")
        for log in [*self.dir.rglob("*.log"), *self.dir.rglob("log")]:
            shutil.copy(log, OUT / f"{log.relative_to(self.dir)}".replace("/", "-"))
        (OUT / "facts.json").write_text(json.dumps({"found": self.found, "failed": self.failed}, indent=1))
        super().close()

    def file(self, name, text):
        return secret_file(self.dir / name, text)


class Xl2tpd:
    """xl2tpd of one node, which runs pppd with the given options for each session."""

    def __init__(self, node, section, settings, options, secret=None):
        g, self.node, name = node.lab, node, node.name
        self.ppp_log = g.dir / f"{name}-pppd.log"
        self.control = g.dir / f"{name}.control"
        ppp = g.file(f"{name}.ppp", "\n".join([*options, f"logfile {self.ppp_log}", "debug", ""]))
        auth = g.file(f"{name}.secrets", f"* * {secret}\n" if secret else "")
        conf = g.file(f"{name}.conf", "\n".join(
            ["[global]", "port = 1701", f"auth file = {auth}", section, f"pppoptfile = {ppp}", *settings, ""]))
        self.process = node.start(
            "xl2tpd", "-D", "-c", conf, "-p", g.dir / f"{name}.pid", "-C", self.control, log=g.dir / f"{name}-xl2tpd.log")

    def ppp_has(self, *words):
        """The lines of pppd's log that contain all words."""
        if not self.ppp_log.exists():
            return []
        return [line for line in self.ppp_log.read_text(errors="replace").splitlines() if all(w in line for w in words)]


def lac(node, server, options, settings=(), secret=None):
    """A client that connects at once, and again one second after it was thrown out."""
    return Xl2tpd(node, "[lac softwire]",
                  [f"lns = {server}", "autodial = yes", "redial = yes", "redial timeout = 1", "max redials = 20", *settings],
                  ["noauth", "+ipv6", "ipcp-accept-local", "ipcp-accept-remote", *options], secret)


def lns(node, options, settings=(), secret=None):
    """A server that asks for CHAP."""
    return Xl2tpd(node, "[lns default]", ["assign ip = no", "require chap = yes", "refuse pap = yes", *settings],
                  ["auth", "require-chap", "+ipv6", *options], secret)


def ppp_devices(node):
    return [link["ifname"] for link in json.loads(node.ip("-j", "link", "show").stdout) if link["ifname"].startswith("ppp")]


def mtu(node, device):
    return json.loads(node.ip("-j", "link", "show", "dev", device).stdout)[0]["mtu"]


def wait_address(node, device, timeout=15):
    """The global address that the kernel made of a Router Advertisement."""
    return wait_until(f"{node.name} has an address on {device}", lambda: node.addresses(device), timeout)[0]["local"]


def wait_ping(node, destination, *words, timeout=15):
    wait_until(f"{node.name} can ping {destination}", lambda: node.sh(
        "ping", "-n", "-c1", "-W1", *words, destination, check=False).returncode == 0, timeout)
    return True


def wait_hello(softwired, **match):
    """Until a HELLO is sent, the only message of a tunnel that is up, and acknowledged."""
    def tunnel():
        return [t for t in softwired.show("tunnels") if all(t[k] == v for k, v in match.items())][0]
    before = tunnel()["ns"]
    return wait_until("a HELLO is answered", lambda: tunnel()["ns"] > before and not tunnel()["in_flight"], 15)
