# SPDX-License-Identifier: GPL-2.0-or-later
"""
28: `softwire connect --probe`, a report on a server. Topology of home.py, or Direct6 where both families lead to the concentrator:

    internet6 ---- sc ---- access ---- nat ---- home
                   |       203.0.113.254        |
                   softwired    | 1400 bytes,   softwire connect --probe alice@192.0.2.1
                   concentrator   or a hole     (as a user without privileges)

What this exercises: every step of a report with its verdict: a name that does not exist, a port where nobody listens, a hole where packets vanish, a
wrong password, a server without addresses to give, one that wants a tunnel secret, paths that are narrow and say so, or do not; and that this host
stays as it is.
"""
import json
import signal

import pytest

from home import CONCENTRATOR, SC_ADDRESS6, USERS, Direct6, Home, with_names
from lab import BUILD, secret_file, wait_until

PASSWORD = "correct horse battery staple"


def probe(lab, server="alice@192.0.2.1", *words, password=PASSWORD, wrap=(), wait=5):
    """What the report says, as data; and its exit status."""
    secret = lab.dir / "probe-password"
    secret_file(secret, password + "\n")
    argv = [BUILD / "src" / "softwire", "connect", "--probe", "--json", "--wait", str(wait), *words, "--password-file", secret, server]
    run = lab.home.sh(*wrap, *argv, check=False, timeout=30)
    assert "Sanitizer" not in run.stderr and password not in run.stdout + run.stderr, run
    report = json.loads(run.stdout)
    assert run.returncode == (0 if report["ok"] else 1), run
    return report


def results(report, address="192.0.2.1"):
    return {s["step"]: s["result"] for s in report["steps"] if s["address"] in (None, address)}


def detail(report, step):
    return next(s["detail"] for s in report["steps"] if s["step"] == step)


ALL = ["name", "reach", "tunnel", "auth", "address", "prefix", "mtu"]


# proves: PS-21 partial, MGMT-7 partial
def test_a_good_server_is_reported_over_both_families():
    with Direct6(name="prob") as lab:
        lab.start_sc(config=CONCENTRATOR.replace('"192.0.2.1" ]', f'"192.0.2.1", "{SC_ADDRESS6}" ]'))
        before = [lab.home.ip(*w.split()).stdout for w in ("-br addr", "-4 route", "-6 route")]
        names = with_names(lab, f"192.0.2.1 sc.example.net\n{SC_ADDRESS6} sc.example.net\n")
        report = probe(lab, "alice@sc.example.net", "--ipv6", wrap=names)
        for address in ("192.0.2.1", SC_ADDRESS6):
            assert results(report, address) == dict.fromkeys(ALL, "ok"), report
        assert detail(report, "auth") == "CHAP, as alice" and "by softwired; no tunnel authentication" in detail(report, "tunnel")
        assert detail(report, "prefix").endswith("/56") and {s["detail"] for s in report["steps"] if s["step"] == "mtu"} == {
            "1460 inside 1500: the largest packet comes back", "1440 inside 1500: the largest packet comes back"}
        assert report["verdict"] == "All is well." and report["version"]
        missing = probe(lab, "alice@cs.example.net", wrap=names)
        assert results(missing) == {"name": "failed"}
        assert missing["verdict"] == 'It fails at the step "name": cs.example.net does not exist, or has no address: is the name right?'
        # IPv6 leads nowhere from here: that is told, and IPv4 counts.
        lab.home.ip("-6", "route", "del", "2001:db8:acc::/64")
        report = probe(lab, "alice@sc.example.net", "--ipv6", wrap=names)
        assert report["ok"] and results(report, SC_ADDRESS6)["reach"] == "none", report
        lab.home.ip("-6", "route", "add", "2001:db8:acc::/64", "via", "2001:db8:ce::254")
        assert [lab.home.ip(*w.split()).stdout for w in ("-br addr", "-4 route", "-6 route")] == before
        assert len(lab.sc.has("event=down", "the test is over")) == 3 and lab.sc.show("softwires") == []


@pytest.fixture
def lab(request):
    with Home(name="prob") as lab:
        yield lab
        if getattr(request.node, "report_call", None) and request.node.report_call.failed:
            lab.show_logs()


def test_nobody_there_and_a_hole(lab):
    report = probe(lab, "alice@203.0.113.254")
    assert results(report, "203.0.113.254") == {"name": "ok", "reach": "failed"}
    assert "no concentrator listens at 203.0.113.254:1701 (port unreachable, says 203.0.113.254)" in report["verdict"]
    lab.access.nft("table ip f { chain in { type filter hook input priority 0; udp dport 1701 drop\n}\nchain through { type filter hook forward priority 0; "
                   "ip daddr 192.0.2.7 reject with icmp type admin-prohibited\n}\n}\n")
    assert "nobody answers at 203.0.113.254:1701, not even to say no" in probe(lab, "alice@203.0.113.254", wait=1)["verdict"]
    assert "do not get to 192.0.2.7:1701 (administratively prohibited, says 203.0.113.254)" in probe(lab, "alice@192.0.2.7")["verdict"]
    lab.home.ip("route", "del", "default")
    assert "this host has no way to 192.0.2.1:1701" in probe(lab)["verdict"]


def test_an_interruption_ends_it_at_the_address_where_it_is(lab):
    lab.access.nft("table ip f { chain through { type filter hook forward priority 0; ip daddr 192.0.2.8/30 drop\n}\n}\n")
    names = with_names(lab, "192.0.2.8 two.example.net\n192.0.2.9 two.example.net\n")
    run = lab.home.start(*names, BUILD / "src" / "softwire", "connect", "--probe", "two.example.net", log=lab.dir / "probe.log")
    wait_until("it tests the first one", lambda: len(run.text().splitlines()) == 3)
    run.kill(signal.SIGINT)
    assert run.popen.wait(5) == 1
    lines = run.text().splitlines()
    assert len(lines) == 5 and "reach    failed" in lines[3] and lines[4].endswith("it was interrupted."), lines


def test_refusals(lab):
    """Of the password; of addresses; and nobody is asked who they are without a user name."""
    lab.start_sc(users=USERS.replace("bob =", 'dave = { secret = "nothing for you"; pool = "four"; }; bob ='),
                 config=CONCENTRATOR.replace("local6", 'local4 = "198.51.100.1"; local6').replace("default =", 'four = {{ ipv4 = "198.51.100.0/30"; }}; default ='))
    report = probe(lab, password="not the password")
    assert results(report) == {"name": "ok", "reach": "ok", "tunnel": "ok", "auth": "failed"}
    assert report["verdict"] == 'It fails at the step "auth" over IPv4 (192.0.2.1): wrong user name or password: ' \
        "type both again, and if it stays so ask the server's operator."
    report = probe(lab, "dave@192.0.2.1", "--ipv6", password="nothing for you")
    assert results(report) == {"name": "ok", "reach": "ok", "tunnel": "ok", "auth": "ok", "address": "failed"}
    assert "signed in, but the server gives no address" in report["verdict"]
    report = probe(lab, "dave@192.0.2.1", "--ipv4", password="nothing for you")
    assert results(report) == dict.fromkeys(ALL, "ok") | {"prefix": "none"} and report["ok"], report
    report = probe(lab, "192.0.2.1")
    assert results(report) == {"name": "ok", "reach": "ok", "tunnel": "ok"} and report["verdict"].startswith("All is well, up to the tunnel. Authentication was not tested")


def test_a_server_that_takes_nobody(lab):
    """Drained, or full: what to do, without the server's sentence once more."""
    lab.start_sc()
    lab.sc.ask("drain", "--no-wait")
    for server in ("alice@192.0.2.1", "192.0.2.1"):
        report = probe(lab, server)
        assert results(report) == {"name": "ok", "reach": "ok", "tunnel": "failed"}
        assert "StopCCN result 2" in detail(report, "tunnel")
        assert report["verdict"] == 'It fails at the step "tunnel" over IPv4 (192.0.2.1): the server takes no new softwires now: try later, or another server.'


def test_a_server_that_wants_a_tunnel_secret(lab):
    lab.start_sc(config=CONCENTRATOR.replace("listen", "require-tunnel-secret = true; listen"))
    report = probe(lab)
    assert results(report) == {"name": "ok", "reach": "ok", "tunnel": "failed"}
    assert "wants a tunnel secret" in report["verdict"] and "tunnel-secret-file" in report["verdict"]


# proves: PS-21 partial
def test_narrow_paths(lab):
    lab.start_sc()
    for node, device in ((lab.access, "home0"), (lab.nat, "wan0")):
        node.ip("link", "set", device, "mtu", "1400")
    report = probe(lab, "alice@192.0.2.1", "--ipv6")
    assert report["ok"] and detail(report, "mtu") == "1360 inside 1400: narrower than it looks (1460), and the network says so", report
    for node, device in ((lab.access, "home0"), (lab.nat, "wan0")):
        node.ip("link", "set", device, "mtu", "1500")
    for node in (lab.home, lab.sc_node):
        node.ip("route", "flush", "cache")
    lab.access.nft("table ip f { chain through { type filter hook forward priority 0; meta length > 1400 drop\n}\n}\n")
    report = probe(lab, "alice@192.0.2.1", "--ipv6")
    assert results(report)["mtu"] == "failed" and "packets of more than 1360 bytes get lost without a word" in report["verdict"], report
    assert "connect with --mtu 1360" in report["verdict"]
    report = probe(lab, "alice@192.0.2.1", "--ipv6", "--mtu", "1360")
    assert report["ok"] and detail(report, "mtu").startswith("1360 inside 1500")


def test_people_get_lines_and_need_no_root(lab):
    lab.start_sc()
    secret = secret_file(lab.dir / "probe-password", PASSWORD + "\n")
    as_user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    run = lab.home.sh("sh", "-c", f"exec 3<{secret}; exec \"$@\"", "sh", *as_user, BUILD / "src" / "softwire", "connect", "--probe", "--ipv6", "--password-fd", "3",
                      "alice@192.0.2.1", check=False)
    lines = run.stdout.splitlines()
    assert run.returncode == 0 and lines[0].startswith("softwire ") and lines[0].endswith("probing alice@192.0.2.1:1701"), run
    assert [line.split()[0] for line in lines[1:]] == ["name", "192.0.2.1", *ALL[1:], "All"]
    assert all(" ok " in line and " ms " in line for line in lines[3:-1]) and lines[-1] == "All is well."
