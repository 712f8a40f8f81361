# SPDX-License-Identifier: GPL-2.0-or-later
"""
11: what the privileged keeper allows while the configuration changes, and files that are not where they are by default. Topology of home.py:

    internet6 ---- sc ---- access ---- nat ---- home ---- lan

What this exercises: what needs a restart goes on under its old name until then; a reload of a file that only the keeper can find fault with;
state outside the state directory; questions on the control socket while the daemon ends.
"""
import os
import signal
import socket
import threading

from home import CONCENTRATOR, INITIATOR, USERS, WEB
from lab import BUILD, secret_file, wait_until


def edit(end, old, new):
    text = end.conf.read_text()
    assert old in text
    end.conf.write_text(text.replace(old, new))


def refused(end):
    return end.has("event=keeper-refused")


def test_a_reload_takes_nothing_from_what_runs(connected):
    connected.wait_host_address()
    edit(connected.si, '"lan0"', '"lan9"')
    edit(connected.sc, 'listen = [ "192.0.2.1" ];', 'listen = [ "192.0.2.1" ]; device = "sc7";')
    for _ in range(2):  # what waits for a restart is said each time
        assert connected.si.ask("reload")["say"] == ["initiator home: lan lan0 -> lan9: this needs a restart"]
    assert connected.sc.ask("reload")["say"] == ["concentrator: device sc0 -> sc7: this needs a restart"]
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    before = connected.si.wait_up()
    connected.sc.ask("clear", "user", "alice")  # everything is set up again under the old names
    wait_until("another softwire is up", lambda: (connected.si.softwire() or before)["id"] != before["id"])
    connected.wait_delegated()
    wait_until("the host can ping again", lambda: connected.host.ping(WEB))
    assert not refused(connected.si) and not refused(connected.sc)

    os.kill(connected.sc.children()[0], signal.SIGKILL)
    wait_until("the next engine has the new name", lambda: connected.sc_node.ip("link", "show", "sc7", check=False).returncode == 0, 15)
    wait_until("and no other", lambda: connected.sc_node.ip("link", "show", "sc0", check=False).returncode != 0)
    assert not refused(connected.sc)


EAP = 'auth = [ "eap-tls" ]; eap = { certificate = "%s/c.crt"; key = "%s/c.key"; ca = "%s/ca.crt"; }; listen ='


def test_a_reload_that_the_keeper_refuses_changes_nothing(connected):
    """Certificates that are not there, then garbage: by the control socket and by SIGHUP. Everybody gets in by CHAP as before."""
    sc, up = connected.sc, connected.sc.wait_up()
    good, d = sc.conf.read_text(), connected.dir
    edit(sc, "listen =", EAP % (d, d, d))
    for name in ("", "c.crt", "c.key", "ca.crt"):
        if name:
            secret_file(d / name, "garbage\n")
        logged = len(sc.has("event=config"))
        run = sc.node.sh(BUILD / "src" / "softwire", "--socket", sc.socket, "reload", check=False)
        lines = [line.split(" ", 1)[1] for line in sc.has("event=config")[logged:]]
        assert lines and len(lines) == len(set(lines)), "each is logged once"
        assert run.returncode == 1 and "the log says why" in run.stdout + run.stderr, run
        assert "the log says why" in sc.ask("reload", check=False)["errors"][0]
    refused_before, applied = len(sc.has("event=reload", "nothing was changed")), len(sc.has("event=reload", "applied"))
    os.kill(sc.pid, signal.SIGHUP)
    wait_until("SIGHUP is refused, too", lambda: len(sc.has("event=reload", "nothing was changed")) > refused_before)
    assert sc.has("event=config", f"{sc.conf}:", "c.crt") and len(sc.has("event=reload", "applied")) == applied == 0
    assert sc.wait_up()["id"] == up["id"]
    sc.ask("clear", "user", "alice")
    wait_until("alice gets in as before", lambda: (sc.softwire(user="alice") or up)["id"] != up["id"], 15)
    assert sc.softwire()["auth"] == "chap"
    sc.conf.write_text(good)
    assert sc.ask("reload")["ok"]
    os.kill(sc.pid, signal.SIGHUP)
    wait_until("SIGHUP is fine, too", lambda: len(sc.has("event=reload", "nothing has changed")) == 2)


def test_state_may_lie_anywhere(home):
    leases, state = home.dir / "leases" / "all.db", home.dir / "duid" / "home.json"
    home.start_sc(config=CONCENTRATOR.replace("listen =", f'leases = "{leases}"; listen ='))
    home.start_si(config=INITIATOR.replace("ipv6 =", f'state-file = "{state}"; ipv6 ='))
    home.wait_delegated()
    wait_until("both are written", lambda: leases.exists() and state.exists())
    assert not refused(home.si) and not refused(home.sc)


QUESTIONS = ["show softwires", "show counters", "show tunnels", "show leases", "clear all", "forget alice", "reload"]


def pester(end, over):
    """Asks everything again and again until the daemon has gone."""
    while not over.is_set():
        for words in QUESTIONS:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(0.5)
                try:
                    s.connect(str(end.socket))
                    for _ in range(20):
                        s.sendall(b'{"v":1,"do":"%s"}\n' % words.encode())
                        s.recv(65536)
                except OSError:
                    pass


def test_questions_do_no_harm_while_the_daemon_ends(home):
    """The daemon has both roles: its concentrator has no clients and ends at once, its initiator waits for a server that has gone."""
    home.start_sc()
    home.write("initiator", "users.conf", USERS)
    si = home.start_si(config=INITIATOR + CONCENTRATOR.replace("192.0.2.1", "127.0.0.1"))
    si.wait_up()
    home.nat.ip("link", "set", "wan0", "down")
    over = threading.Event()
    threads = [threading.Thread(target=pester, args=(si, over)) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        status = si.stop()
    finally:
        over.set()
        for t in threads:
            t.join()
    assert status == 0 and "status=0" in si.has("event=engine-ended")[-1]
