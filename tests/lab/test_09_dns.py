# SPDX-License-Identifier: GPL-2.0-or-later
"""
09: the DNS servers of a softwire reach the home router's own resolver. Topology of home.py.

What this exercises: `dns` of an initiator, with a program that stands in for resolvconf(8) and is seen by the daemon alone: it runs
in a mount namespace of its own, where the directory that the real one would be in is covered. (systemd-resolved: the unit tests.)
"""
import os
import signal
import time
from pathlib import Path

import pytest

from home import INITIATOR, SC_ADDRESS
from lab import BUILD, Softwired, wait_until

AUTO = INITIATOR.replace('dns = "none"', 'dns = "auto"')

RESOLVCONF = """#!/bin/sh
text=$([ "$1" = -a ] && tr '\\n' ';')
echo "$@" "$text" >> {told}
"""


class Alone(Softwired):
    """A daemon for which /sbin holds nothing but what is in `fake`, and /run/systemd nothing but what is in `run`."""

    def __init__(self, node, name, config, fake, run):
        self.covers = [(fake, os.path.realpath("/sbin"))]
        if os.path.exists("/run/systemd"):
            self.covers.append((run, "/run/systemd"))
        super().__init__(node, name, config)

    def begin(self):
        mounts = " && ".join(f"mount --bind {source} {target}" for source, target in self.covers)
        command = f"{mounts} && exec {BUILD}/src/softwired -c {self.conf}"
        process = self.node.start("unshare", "-m", "sh", "-c", command, log=self.dir / "log")
        super(Softwired, self).__init__(process.popen, process.log)


@pytest.fixture
def alone(home):
    """Starts the initiator with these programs in its /sbin; home.told() is what they were told."""
    fake, run, told = home.dir / "fake", home.dir / "run-systemd", home.dir / "told"
    fake.mkdir()
    run.mkdir()
    home.told = lambda: told.read_text().splitlines() if told.exists() else []

    def start(config=AUTO, **programs):
        for name, text in programs.items():
            (fake / name).write_text(text.format(told=told))
            (fake / name).chmod(0o755)
        home.start_sc()
        home.write("initiator", "password", "correct horse battery staple\n")
        text = config.format(dir=home.dir / "initiator", user="alice", server=SC_ADDRESS)
        home.si = Alone(home.home, "initiator", text, fake, run)
        home.si.wait_up()
        home.wait_delegated()
        return home

    return start


SET = "-a si-home.softwired nameserver 2001:db8:1::2;"
WITHDRAWN = "-d si-home.softwired "


def test_resolvconf_learns_the_servers_and_is_told_when_the_daemon_ends(alone):
    home = alone(resolvconf=RESOLVCONF)
    wait_until("resolvconf was told", lambda: home.told() == [SET])
    assert home.si.has("event=dns ", "servers=2001:db8:1::2")
    home.si.stop()
    assert home.told() == [SET, WITHDRAWN]
    assert not home.si.has("level=error") and not home.si.has("event=resolver-failed")


def test_servers_go_with_the_default_route_and_come_back(alone):
    home = alone(resolvconf=RESOLVCONF)
    wait_until("resolvconf was told", lambda: home.told() == [SET])
    home.sc.stop()
    wait_until("the servers are withdrawn", lambda: home.told() == [SET, WITHDRAWN], 60)
    wait_until("the default route, too", lambda: not [r for r in home.home.routes() if r["dst"] == "default"])
    home.sc.begin_again()
    wait_until("and told again", lambda: home.told() == [SET, WITHDRAWN, SET], 60)


def test_a_short_interruption_does_not_touch_the_resolver(alone):
    home = alone(resolvconf=RESOLVCONF)
    wait_until("resolvconf was told", lambda: home.told() == [SET])
    home.sc.ask("clear", "user", "alice")
    wait_until("the softwire has gone", lambda: home.si.has("event=down"))
    home.si.wait_up()
    wait_until("the address is there again", lambda: len(home.si.has("event=up")) == 2)
    home.wait_delegated()
    assert home.told() == [SET]


def test_none_means_nobody_and_can_be_changed_while_running(alone):
    home = alone(config=INITIATOR, resolvconf=RESOLVCONF)
    assert home.told() == [], "nobody is told"
    text = home.si.conf.read_text()
    home.si.conf.write_text(text.replace('dns = "none"', 'dns = "auto"'))
    home.si.kill(signal.SIGHUP)
    wait_until("resolvconf was told", lambda: home.told() == [SET])
    home.si.conf.write_text(text)
    home.si.kill(signal.SIGHUP)
    wait_until("and that it is over", lambda: home.told() == [SET, WITHDRAWN])
    assert home.si.softwire(), "the softwire stayed up"


def test_without_a_resolver_the_log_says_so_once(alone):
    home = alone()
    wait_until("it is logged", lambda: home.si.has("event=dns-unmanaged", "servers=2001:db8:1::2"))
    home.sc.ask("clear", "user", "alice")
    wait_until("the softwire has gone", lambda: home.si.has("event=down"))
    home.si.wait_up()
    home.wait_delegated()
    assert len(home.si.has("event=dns-unmanaged")) == 1
    assert not home.si.has("event=keeper-failed")


def test_a_resolver_that_hangs_holds_up_neither_traffic_nor_the_end(alone):
    home = alone(resolvconf="#!/bin/sh\necho $$ >> {told}\nsleep 1000\n")
    wait_until("it was started", home.told)
    home.si.ask("show", "softwires")
    began = time.monotonic()
    home.si.kill()
    home.si.popen.wait(12)
    assert time.monotonic() - began < 10
    for pid in home.told():
        assert not Path(f"/proc/{pid}").exists(), "its programs have gone"


@pytest.mark.parametrize("victims", ["keeper", "keeper and engine"])
def test_a_killed_daemon_starts_again_and_tells_again(alone, victims):
    """Without a word: what it leaves (socket file, routes, LAN addresses, the resolver's record) is taken over at once."""
    home = alone(resolvconf=RESOLVCONF)
    prefix = home.wait_delegated()
    wait_until("resolvconf was told", lambda: home.told() == [SET])
    for pid in [*(home.si.children() if "engine" in victims else []), home.si.pid]:
        os.kill(pid, signal.SIGKILL)
    home.si.popen.wait()
    assert home.told() == [SET] and home.si.socket.exists()
    home.si.begin_again()
    home.si.wait_up()
    assert home.wait_delegated() == prefix
    wait_until("resolvconf was told again", lambda: home.told() == [SET, SET])
    for request in ("route", "address", "dns"):  # for socket and device it may wait until the old engine has let go of them
        assert not home.si.has("event=keeper-failed", f"request={request}")
    home.si.stop()
    assert home.told() == [SET, SET, WITHDRAWN]
    assert not [r for r in home.home.routes() if r.get("type") == "unreachable" and r["dst"].startswith("2001")]
    assert not home.home.addresses("lan0") and not home.si.socket.exists()
