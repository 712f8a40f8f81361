# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of a scenario in a kernel of its own, and what it left behind."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

PROGRAMS = {"linux.uml": "user-mode-linux", "xl2tpd": "xl2tpd", "pppd": "ppp", "radvd": "radvd", "dhcpcd": "dhcpcd-base",
            "dhcp6s": "wide-dhcpv6-server", "tcpdump": "tcpdump", "tshark": "tshark", "insmod": "kmod"}
SECONDS = 180  # for one guest, which needs about 15 on a machine of its own
MODULES = "veth l2tp_ppp tun"
EVENTS = 40  # log lines that a failure shows


def missing_package(programs):
    path = os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"
    return next((package for program, package in programs.items() if not shutil.which(program, path=path)), None)


class Run:
    """What a scenario left behind."""

    def __init__(self, scenario, out, programs=PROGRAMS, modules=MODULES):
        """PROGRAMS, with their packages, and kernel MODULES: what the scenario needs."""
        self.modules = modules
        package = missing_package(programs)
        if package:
            pytest.skip(f"package {package} is not installed")
        probe = self.lab("true")
        if probe.returncode:
            pytest.skip(f"the kernel lab does not run here: {(probe.stderr.strip().splitlines() or ['no reason'])[-1]}")
        self.out = out
        # Not our interpreter: in the guest only the system's own paths are sure to work.
        self.lab_run = self.lab("/usr/bin/python3", HERE / scenario, out=out)
        facts = out / "facts.json"
        self.facts = json.loads(facts.read_text()) if facts.exists() else {"found": {}, "failed": {}}

    def lab(self, *command, out=None):
        return subprocess.run(
            [HERE / "kernel-lab", "--timeout", str(SECONDS), "--modules", self.modules, *(["--out", out] if out else []), "--", *command],
            capture_output=True, text=True, timeout=SECONDS + 30, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def __getitem__(self, step):
        """What the step found; a step that failed, or was not reached, fails the test that asks."""
        if step in self.facts["found"]:
            return self.facts["found"][step]
        reason = self.facts["failed"].get(step, f"not reached\n{self.lab_run.stdout}{self.lab_run.stderr}")
        pytest.fail(f"{step}: {reason}\n{self.logs()}", pytrace=False)

    def logs(self):
        return "\n".join(
            f"---- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-EVENTS:]) for path in sorted(self.out.glob("*log")))

    def log(self, name):
        return (self.out / name).read_text(errors="replace")

    def capture(self, name):
        return self.out / f"{name}.pcap"
