# SPDX-License-Identifier: GPL-2.0-or-later
"""
A service manager for the lab, as far as sd_notify(3) and sd_listen_fds(3) go: it keeps the descriptors that a daemon stores (FDSTORE=1), and
starts it again with them (LISTEN_FDS) when it was killed.
"""
import array
import os
import socket
import subprocess
import threading

from lab import Softwired, wait_until

STARTER = 'export LISTEN_PID=$$; exec "$@"'  # the daemon's own number, which nobody else knows before


class Service(Softwired):
    """A softwired under such a manager; begin() is also its restart."""

    def __init__(self, node, name, config, **kw):
        self.address = str(node.lab.dir / f"{name}.notify")
        self.stored, self.states, self.thread = {}, [], None
        self.socket_notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket_notify.bind(self.address)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        super().__init__(node, name, config, **kw)

    def listen(self):
        while True:
            data, ancillary, _, _ = self.socket_notify.recvmsg(4096, socket.CMSG_SPACE(4))
            fds = [fd for level, kind, raw in ancillary for fd in array.array("i", raw)]
            words = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
            self.told(words, fds)

    def told(self, words, fds):
        name = words.get("FDNAME", "stored")
        if "FDSTOREREMOVE" in words:
            for fd in self.stored.pop(name, []):
                os.close(fd)
        elif "FDSTORE" in words:
            assert words.get("FDPOLL") == "0", "systemd would drop a socket with an ICMP error"
            same = [old for old in self.stored.get(name, []) if os.fstat(old).st_ino == os.fstat(fds[0]).st_ino]
            if same:  # as systemd does: kept once
                os.close(fds[0])
            else:
                self.stored.setdefault(name, []).append(fds[0])
        self.states += [word for word in ("READY", "STOPPING", "RELOADING") if word in words]

    def begin(self):
        names = [name for name, fds in self.stored.items() for _ in fds]
        fds = [fd for list_ in self.stored.values() for fd in list_]
        env = dict(os.environ, NOTIFY_SOCKET=self.address, LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(names))

        def place():  # in the child: from 3 on, in this order
            high = [os.dup2(fd, 500 + n) for n, fd in enumerate(fds)]
            for n, fd in enumerate(high):
                os.dup2(fd, 3 + n, inheritable=True)

        argv = self.node.argv("/bin/sh", "-c", STARTER, "sh", self.program, "-c", self.conf)
        log = self.dir / "log"
        with open(log, "ab") as out:
            popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, preexec_fn=place,
                                     pass_fds=range(3, 3 + len(fds)) if fds else ())
        self.popen, self.log = popen, log
        self.node.lab.processes.append(self)

    def begin_again(self):
        self.states.clear()
        self.begin()
        wait_until(f"{self.name} says that it is ready again", lambda: "READY" in self.states, 15)


def replace_program(path, version):
    """Another program at the same place, with another version number of the same length."""
    data = path.read_bytes()
    old = subprocess.run([path, "-V"], capture_output=True, text=True).stdout.split()[1].encode()
    assert len(version) == len(old) and data.count(old + b"\0") >= 1
    new = path.with_suffix(".new")
    new.write_bytes(data.replace(old + b"\0", version.encode() + b"\0"))
    new.chmod(0o755)
    new.rename(path)
