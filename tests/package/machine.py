# SPDX-License-Identifier: GPL-2.0-or-later
"""
machine: this system once more, thrown away afterwards: its files with a layer of memory on top (overlayfs), in namespaces of its own, with
systemd as process 1. Packages are installed in it, services run, and nothing of it reaches the machine that runs the test.

What it is not: another kernel. Modules and what sysctl changes outside of network namespaces are the machine's own, so the services that
touch those are masked.
"""
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from lab import LabError, wait_until  # noqa: E402

HERE = Path(__file__).resolve().parent
BOOT_SECONDS = 30


def cgroup2():
    """Where cgroup v2 is mounted here; None."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        if right.split()[0] == "cgroup2":
            return Path(left.split()[4])
    return None


class Machine:
    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="softwire-machine."))
        self.shared = self.dir / "shared"  # /mnt there
        self.shared.mkdir()
        self.cgroup = cgroup2() / f"softwire-machine-{os.getpid()}"
        self.console, self.process = [], None

    def __enter__(self):
        self.cgroup.mkdir()
        master, slave = pty.openpty()
        # The group is joined before the namespace of groups is made: it is that one's root.
        self.process = subprocess.Popen(
            ["sh", "-c", 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"', "sh", self.cgroup, "unshare", "--mount", "--pid", "--uts", "--ipc",
             "--net", "--cgroup", "--fork", "--kill-child", HERE / "boot", self.dir, os.ttyname(slave)],
            stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        threading.Thread(target=self.read_console, args=[master], daemon=True).start()
        try:
            wait_until("systemd runs in the machine", self.is_up, timeout=BOOT_SECONDS)
        except LabError as e:
            self.__exit__()
            raise LabError(f"{e}\n{''.join(self.console)}") from None
        return self

    def __exit__(self, *_):
        self.process.kill()  # and with it, by --kill-child, process 1 and all others there
        self.process.wait()
        wait_until("the machine is gone", lambda: "populated 0" in (self.cgroup / "cgroup.events").read_text())
        for group in sorted(self.cgroup.rglob("*/"), reverse=True):
            group.rmdir()
        self.cgroup.rmdir()
        shutil.rmtree(self.dir)

    def read_console(self, master):
        while select.select([master], [], []):
            try:
                self.console.append(os.read(master, 65536).decode(errors="replace"))
            except OSError:
                return

    def init(self):
        """The machine's process 1, as it is called here."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def is_up(self):
        if self.process.poll() is not None:
            raise LabError(f"the machine ended:\n{''.join(self.console)}")
        if not self.init() or Path(f"/proc/{self.init()}/comm").read_text() != "systemd\n":
            return False
        return self.sh("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def sh(self, *cmd, check=True, timeout=60, stdin=""):
        done = subprocess.run(
            ["nsenter", "--target", str(self.init()), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--", *map(str, cmd)],
            capture_output=True, text=True, timeout=timeout, input=stdin, cwd="/",
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})
        if check and done.returncode:
            raise LabError(f"{' '.join(map(str, cmd))}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def out(self, *cmd, **kw):
        return self.sh(*cmd, **kw).stdout.strip()

    def write(self, path, text, mode="644"):
        self.sh("sh", "-c", 'cat > "$1" && chmod "$2" "$1"', "sh", path, mode, stdin=text)

    def changed(self):
        """Paths of files and folders that are there and were not when it started, or are not the same."""
        return self.out("find", "/.upper", "-mindepth", "1", "!", "-type", "c", "-printf", "/%P\n").splitlines()
