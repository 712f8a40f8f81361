# SPDX-License-Identifier: GPL-2.0-or-later
"""
27: `softwire connect`, a softwire without any configuration. Topology Direct of home.py; what is at home has no daemon:

    internet6 ---- sc ---- access ---- home ---- lan
                   |                   |
                   softwired           softwire connect alice@192.0.2.1
                   concentrator        203.0.113.7

What this exercises: events as JSON and as lines, the password from a file, a descriptor and a terminal, whose default routes are taken and whose are
not, sharing with a LAN, life beside a daemon, losses and refusals, and that nothing at all is left behind by ^C, SIGTERM and a closed terminal.
"""
import json
import os
import pty
import signal
import subprocess
import termios

import pytest

from home import CONCENTRATOR, USERS, WEB, Direct, with_names, without_lan
from lab import BUILD, secret_file, wait_until

PASSWORD = "correct horse battery staple"
WEB4, BOTH = "198.18.0.2", CONCENTRATOR.replace('local6 =', 'local4 = "198.51.100.1"; local6 =').replace('link6 =', 'ipv4 = "198.51.100.0/24"; link6 =')


class Home(Direct):
    """Direct, and what a host looks like to its owner."""

    def looks(self):
        """Addresses, routes, links and forwarding; lifetimes go by."""
        words = [self.home.ip(*w.split()).stdout for w in ("-br link", "-br addr", "-4 route", "-6 route", "-6 rule", "-4 rule")]
        return words + [self.home.sh("sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding").stdout]

    def argv(self, *words, password=PASSWORD, server="alice@192.0.2.1"):
        file = secret_file(self.dir / f"connect-{server.split('@')[0]}", password + "\n")
        return [BUILD / "src" / "softwire", "connect", "--stateless", "--no-dns", "--password-file", file, *words, server]

    def connect(self, *words, name="connect", wrap=(), **kw):
        """A running one, with its events."""
        log = self.dir / f"{name}.log"
        log.unlink(missing_ok=True)
        process = self.home.start(*wrap, *self.argv("--json", *words, **kw), log=log)
        process.events = lambda kind: [e for line in process.text().splitlines() if line.startswith("{") and line.endswith("}") and (e := json.loads(line))["event"] == kind]
        return process

    def wait_event(self, process, kind, count=1):
        return wait_until(f"the event {kind}", lambda: len(process.events(kind)) >= count and process.events(kind)[-1], 15)

    def run(self, *words, **kw):
        """To its end."""
        return self.home.sh(*self.argv(*words, **kw), check=False, timeout=30)


@pytest.fixture
def lab(request):
    with Home(name="conn") as lab:
        yield lab
        if getattr(request.node, "report_call", None) and request.node.report_call.failed:
            lab.show_logs()


def end(lab, process, number, status=0):
    """By a signal; the last event says so."""
    process.kill(number)
    assert process.popen.wait(8) == status
    last = json.loads(process.text().splitlines()[-1])
    assert last["event"] == "end" and last["ok"] is (status == 0), last
    return last


# proves: PS-2 partial, PS-3 partial, PS-21 partial, MGMT-7 partial
def test_one_command_brings_ipv6_and_leaves_nothing_behind(lab):
    lab.start_sc()
    before = lab.looks()
    client = lab.connect()
    network = lab.wait_event(client, "network")
    up = client.events("up")[0]
    assert client.events("tunnel")[0]["peer"] == "192.0.2.1:1701" and client.events("auth")[0]["method"] == "chap"
    assert 0 < up["setup_ms"] < 2000 and up["device"].startswith("si-c-")
    assert network["mtu"] == 1460 and network["dns"] == [WEB] and network["delegated"] == []
    assert [f["name"] for f in network["families"]] == ["ipv6"], "IPv4 is there natively"
    assert [r["dev"] for r in lab.home.routes(6) if r["dst"] == "default"] == [up["device"]]
    wait_until("the web server is reached", lambda: lab.home.ping(WEB))
    assert lab.home.ping(WEB, count=5, interval=0.01, size=1000)
    last = end(lab, client, signal.SIGINT)
    assert last["rx_bytes"] >= 5 * 1000 and last["tx_bytes"] >= 5 * 1000 and last["reason"] == "ended by the user"
    assert lab.looks() == before
    wait_until("the server was told", lambda: lab.sc.has("event=down", "user=alice", "shuts down"))


def test_a_lan_is_shared_and_given_back(lab):
    lab.start_sc()
    before = lab.looks()
    client = lab.connect("--lan", "lan0")
    assert wait_until("a prefix", lambda: [e for e in client.events("network") if e["delegated"]])[-1]["delegated"][0].endswith("/56")
    lab.wait_host_address()
    wait_until("the LAN host reaches the web server", lambda: lab.host.ping(WEB))
    end(lab, client, signal.SIGTERM)
    assert lab.looks() == before


# ---- default routes ----

# proves: HS-SCEN-9 partial
def test_the_hosts_own_default_route_stays_unless_told(lab):
    lab.internet.ip("addr", "add", f"{WEB4}/30", "dev", "up0")
    lab.sc_node.ip("addr", "add", "198.18.0.1/30", "dev", "core0")
    lab.internet.ip("route", "add", "default", "via", "198.18.0.1")
    lab.start_sc(config=BOTH)
    client = lab.connect("--ipv6", "--ipv4")
    wait_until("both families", lambda: [e for e in client.events("network") if e["address4"] and e["address6"]])
    assert "IPv4 stays with wan0" in client.events("note")[0]["text"]
    assert [r["dev"] for r in lab.home.routes(4) if r["dst"] == "default"] == ["wan0"]
    assert wait_until("IPv6 goes there", lambda: [r["dev"] for r in lab.home.routes(6) if r["dst"] == "default"])[0].startswith("si-c-")
    end(lab, client, signal.SIGINT)
    refused = lab.run("--ipv4", "--route")
    assert refused.returncode == 2 and "by wan0 has metric 0" in refused.stderr
    lab.home.ip("route", "del", "default")
    lab.home.ip("route", "add", "default", "via", "203.0.113.254", "metric", "100")
    before = lab.looks()
    client = lab.connect("--ipv4", "--route")
    wait_until("the softwire's is the best one", lambda: lab.home.routes(4)[0]["dev"].startswith("si-c-"))
    wait_until("IPv4 goes through it, over IPv4", lambda: lab.home.ping(WEB4))
    end(lab, client, signal.SIGINT)
    assert lab.looks() == before


# ---- refusals and losses ----

def test_a_wrong_password_ends_it_at_once(lab):
    lab.start_sc()
    before = lab.looks()
    run = lab.run(password="not the password")
    assert run.returncode == 1 and run.stderr.splitlines()[-1] == "softwire: wrong user name or password", run
    assert "not the password" not in run.stdout + run.stderr and "without IPsec" in run.stdout
    assert len(lab.sc.has("event=auth-failed")) == 1
    assert lab.looks() == before


def test_who_gives_no_name_is_told_to(lab):
    lab.start_sc()
    run = lab.home.sh(BUILD / "src" / "softwire", "connect", "--stateless", "192.0.2.1", check=False, stdin=subprocess.DEVNULL, timeout=20)
    assert run.returncode == 1, run
    assert run.stderr.splitlines()[-1] == "softwire: this server wants to know who you are: softwire connect USER@192.0.2.1", run


def test_losses_are_repaired_unless_once(lab):
    lab.start_sc()
    clients = lab.connect(), lab.connect("--once", name="once", server="bob@192.0.2.1", password="tr0ub4dor and 3")
    for client in clients:
        lab.wait_event(client, "up")
    lab.sc.ask("clear", "all")
    lab.wait_event(clients[0], "up", 2)
    lost = clients[0].events("down")[0]
    assert "cleared by the operator" in lost["reason"] and lost["again_seconds"] >= 0
    assert clients[1].popen.wait(8) == 1 and "cleared by the operator" in clients[1].events("end")[0]["reason"]
    assert len(clients[1].events("up")) == 1
    end(lab, clients[0], signal.SIGINT)


def test_nobody_there_is_told_and_tried_again(lab):
    client = lab.connect(server="alice@203.0.113.254")
    failed = lab.wait_event(client, "failed", 2)
    assert failed["reason"].startswith("nobody answers at 203.0.113.254:1701") and failed["cause"] == "no-answer"
    end(lab, client, signal.SIGINT, status=1)


# proves: PS-21 partial
def test_names_are_looked_up(lab):
    """With a file of names instead of DNS."""
    lab.start_sc()
    names = with_names(lab, "192.0.2.1 sc.example.net\n")
    good = lab.connect(wrap=names, server="alice@sc.example.net")
    lab.wait_event(good, "up")
    assert [(e["name"], e["address"]) for e in good.events("lookup")] == [("sc.example.net", "192.0.2.1")]
    end(lab, good, signal.SIGINT)
    bad = lab.home.sh(*names, *lab.argv(server="alice@cs.example.net"), check=False, timeout=30)
    assert bad.returncode == 1 and bad.stderr.splitlines()[-1] == "softwire: cs.example.net does not exist, or has no address: is the name right?", bad


# ---- neighbours ----

def test_beside_a_daemon_and_another_one(lab):
    """The daemon has IPv6's default route, so that one stays. SIGHUP ends one, and not the other, which nohup(1) protects."""
    lab.start_sc(users=USERS.replace("bob =", 'carol = { secret = "tr0ub4dor and 3"; }; bob ='))
    lab.start_si(config=without_lan())
    up = lab.si.wait_up()
    wait_until("the daemon's default route", lambda: [r for r in lab.home.routes(6) if r["dst"] == "default"])
    clients = [lab.connect(name=user, server=f"{user}@192.0.2.1", password="tr0ub4dor and 3", wrap=wrap) for user, wrap in (("bob", ()), ("carol", ("nohup",)))]
    devices = {lab.wait_event(client, "up")["device"] for client in clients}
    assert len(devices) == 2 and "stays with si-home" in clients[0].events("note")[0]["text"]
    for client in reversed(clients):
        client.kill(signal.SIGHUP)
    end(lab, clients[0], signal.SIGHUP)
    assert not clients[1].events("end") and len(lab.sc.show("softwires")) == 2
    end(lab, clients[1], signal.SIGTERM)
    assert lab.si.wait_up()["id"] == up["id"]
    wait_until("the web server is reached", lambda: lab.home.ping(WEB))


def test_the_same_identity_comes_again(lab):
    """The DUID is kept for user and server, in a directory that belongs to the test alone."""
    lab.start_sc()
    argv = [w for w in lab.argv("--json", "--lan", "lan0") if w != "--stateless"]
    mount = f"mkdir -p {lab.dir}/state && chmod 777 {lab.dir}/state && mount --bind {lab.dir}/state /var/lib && exec \"$@\""
    duids = []
    for _ in range(2):
        client = lab.home.start("sh", "-c", mount, "sh", *argv, log=lab.dir / "connect.log")
        wait_until("a prefix", lambda: (s := lab.sc.softwire()) and s["delegated"])
        duids.append(lab.sc.show("leases")[0]["duid"])
        client.kill(signal.SIGINT)
        assert client.popen.wait(8) == 0, client.text()
    assert duids[0] and duids[0] == duids[1]


# ---- people ----

class Terminal:
    """A pseudo-terminal with a client on it, in a session of its own."""

    def __init__(self, node, *argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp("ip", [str(w) for w in node.argv(*argv)])
        self.seen = b""
        os.set_blocking(self.fd, False)

    def text(self):
        try:
            while got := os.read(self.fd, 4096):
                self.seen += got
        except (BlockingIOError, OSError):
            pass
        return self.seen.decode()

    def wait(self, words):
        return wait_until(f"the terminal shows {words!r}", lambda: words in self.text() and self.text(), 15)

    def echo(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def wait_end(self):
        return os.waitstatus_to_exitcode(wait_until("it ends", lambda: (r := os.waitpid(self.pid, os.WNOHANG))[0] and r, 8)[1])


def on_terminal(lab, *words):
    program, connect, *rest = [w for w in lab.argv(*words) if w != "--password-file" and w != lab.dir / "connect-alice"]
    return Terminal(lab.home, program, connect, *rest)


# proves: MGMT-7 partial
def test_on_a_terminal_the_password_is_not_shown_and_a_line_lives(lab):
    lab.start_sc()
    before = lab.looks()
    terminal = on_terminal(lab)
    terminal.wait("Password of alice at 192.0.2.1: ")
    wait_until("the echo is off", lambda: not terminal.echo())
    os.write(terminal.fd, f"{PASSWORD}\n".encode())
    terminal.wait("signed in as alice (chap)")
    assert terminal.echo() and PASSWORD not in terminal.text()
    wait_until("the web server is reached", lambda: lab.home.ping(WEB, size=500))
    text = terminal.wait(" s ago")
    assert "up 00:00:0" in text and "bit/s (" in text and "IPv6 2001:db8:100:" in text
    wait_until("the line lives", lambda: terminal.text().count("\r\x1b[Kup 00:00:0") >= 2)
    os.write(terminal.fd, b"\x03")
    assert terminal.wait_end() == 0
    assert "\r\x1b[Kended after 00:00:0" in terminal.text().rstrip().split("\n")[-1]
    os.close(terminal.fd)
    assert lab.looks() == before


def test_a_closed_terminal_ends_it_in_good_order(lab):
    lab.start_sc()
    before = lab.looks()
    terminal = on_terminal(lab)
    terminal.wait("Password")
    os.write(terminal.fd, f"{PASSWORD}\n".encode())
    terminal.wait("connected in")
    os.close(terminal.fd)
    terminal.wait_end()
    assert lab.looks() == before
    wait_until("the server was told", lambda: lab.sc.has("event=down", "user=alice", "shuts down"))


def test_an_interrupted_question_leaves_the_terminal_as_it_was(lab):
    terminal = on_terminal(lab)
    terminal.wait("Password")
    wait_until("the echo is off", lambda: not terminal.echo())
    os.write(terminal.fd, b"\x03")
    assert terminal.wait_end() == 1
    assert terminal.echo() and terminal.text().splitlines()[-1] == "softwire: interrupted"
    os.close(terminal.fd)


def test_passwords_by_descriptor_and_time_limits(lab):
    lab.start_sc()
    argv = [w for w in lab.argv("--for", "2", "--password-fd", "0") if w != "--password-file" and w != lab.dir / "connect-alice"]
    run = lab.home.sh(*argv, input=f"{PASSWORD}\n", check=False)
    assert run.returncode == 0 and "signed in as alice (chap)" in run.stdout and "ended after 00:00:0" in run.stdout.splitlines()[-1], run
    run = lab.home.sh(*argv, check=False, stdin=subprocess.DEVNULL)
    assert run.returncode == 1 and run.stderr == "softwire: there is no password\n"


def test_wrong_usage_is_told_before_anything_is_asked(lab):
    for words, says in ((("--wait", "3"), "--wait is for --probe"), (("--mtu", "10"), "--mtu 10: it must be 576 to 9216"),
                        (("--mtu", "1000", "--ipv6"), "--mtu 1000: IPv6 needs 1280")):
        run = lab.home.sh(BUILD / "src" / "softwire", "connect", *words, "alice@192.0.2.1", check=False, stdin=subprocess.DEVNULL)
        assert run.returncode == 2 and says in run.stderr and "password" not in run.stderr, run


def test_who_is_not_root_is_told_kindly(lab):
    run = lab.sh("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BUILD / "src" / "softwire", "connect", "alice@192.0.2.1", check=False)
    assert run.returncode == 1 and "sudo softwire connect" in run.stderr, run
