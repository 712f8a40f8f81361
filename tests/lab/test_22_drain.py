# SPDX-License-Identifier: GPL-2.0-or-later
"""
22: a concentrator is emptied into another one. Topology of pair.py:

                   .---- sc  ----.
    internet ------|             |---- access ---- home ---- lan
                   `---- sc2 ----'

What this exercises: `softwire drain --to` with a home that has traffic, what the command shows, what is on the wire (RFC 3193 section 4); without --to
they go where `redirect` says, which both concentrators may say alike; without another one they stay; interrupting the command, and --stop; the
engine process is killed meanwhile.
"""
import json
import os
import signal

from capture import complaints, decode
from lab import BUILD, wait_until
from pair import FIXED, SECOND, Pair
from scenario import PASSWORD, SC, WEB

ALICE = f'alice = {{ secret = "{PASSWORD}"; delegate = "{FIXED["delegated"]}"; }};'


def drain(end, *words, **kw):
    return end.node.start(BUILD / "src" / "softwire", "--socket", end.socket, "drain", *words, log=end.dir / f"drain{len(words)}.log", **kw)


def softwire(end, *words):
    return end.node.sh(BUILD / "src" / "softwire", "--socket", end.socket, *words, check=False)


def at(s, address):
    return (w := s.si.softwire()) and w["peer"] == f"{address}:1701" and w["delegated"] and w


def goodbyes(path):
    """Results, error codes and messages of StopCCNs from the first concentrator."""
    return set(decode(path, f"ip.src == {SC[4]} && l2tp.avp.message_type == 4", ["l2tp.result_code", "l2tp.avp.error_code", "l2tp.avp.error_message"]))


# proves: PS-7 partial, SEC-IPSEC-14 partial, SEC-IPSEC-13 partial, MGMT-7 partial
def test_a_drained_concentrator_hands_a_home_over():
    with Pair(payload=[6], transport=4, router=True) as s:
        s.start_both(ALICE, server=SC[4])
        wait_until("at the first one", lambda: at(s, SC[4]), 15)
        s.wait_host_address6()
        s.wait_ping(s.host, 6)
        ping = s.host.start("ping", "-n", "-i", "0.1", WEB[6], log=s.dir / "ping.log")
        wire = s.capture(s.access, "sc0", "udp port 1701")
        routes = s.sc.node.routes(6)
        command = drain(s.sc, "--to", SECOND)
        s.internet.ip("-6", "route", "replace", FIXED["delegated"], "via", "2001:db8:2::1")  # what a routing protocol would do
        wait_until("at the second one", lambda: at(s, SECOND), 10)
        s.wait_ping(s.host, 6)
        wait_until("the command ends", lambda: not command.running(), 10)
        assert command.popen.returncode == 0 and command.text().splitlines()[-1] == "Drained: 0 left, 1 moved."
        assert "0 left, 1 moved." not in command.text().splitlines(), "that is said once"
        heard = ping.text().count("time=")
        wait_until("the ping goes on", lambda: ping.text().count("time=") > heard + 5)
        wire.stop()
        assert goodbyes(wire.path) == {f"2\t7\t{SECOND}"} and complaints(wire.path) == []
        assert len(s.sc.has("event=released")) == 1 and s.sc.has("event=down", "cause=moved", f"moved to {SECOND}")
        assert FIXED["delegated"] in [r["dst"] for r in routes] and FIXED["delegated"] not in [r["dst"] for r in s.sc.node.routes(6)]
        assert [lease["active"] for lease in s.sc.show("leases")] == [False]
        assert s.sc.has("event=drain ", f"to={SECOND}") and s.sc.has("event=drained", "moved=1")
        assert "drained since" in softwire(s.sc, "show", "drain").stdout
        assert softwire(s.sc, "show", "softwires").stdout.startswith("This concentrator is drained: 0 left, 1 moved.")
        assert softwire(s.sc, "drain", "--stop").stdout == "Not draining: new softwires are taken.\n"
        assert s.sc.has("event=drain-stopped")


# proves: SEC-IPSEC-14 partial
def test_where_to_is_known_from_the_configuration():
    with Pair(payload=[6], transport=4) as s:
        s.start_sc(extra=f'redirect = [ "2001:db8:acc::9", "{SECOND}" ];')
        s.start_second()
        wire = s.capture(s.access, "sc0", "udp port 1701")
        s.start_si(server=SC[4])
        wait_until("at the first one", lambda: s.si.softwire(peer=f"{SC[4]}:1701"), 15)
        run = softwire(s.sc, "drain", "--no-wait", "--json")
        answer = json.loads(run.stdout)
        assert run.returncode == 0 and answer["state"] == "draining" and answer["to"] == ["2001:db8:acc::9", SECOND]
        wait_until("the only one of its family is where it goes", lambda: s.si.softwire(peer=f"{SECOND}:1701"), 10)
        wire.stop()
        assert goodbyes(wire.path) == {f"2\t7\t{SECOND}"}


def test_without_a_target_they_stay_and_the_command_can_be_left():
    with Pair(payload=[6], transport=4) as s:
        s.start_sc()
        s.start_si()
        up = s.si.wait_up()
        command = drain(s.sc)
        wait_until("it says how it is", lambda: "1 left (1 stays until it ends by itself), 0 moved." in command.text())
        command.kill(signal.SIGINT)
        wait_until("it ends", lambda: not command.running())
        assert command.popen.returncode == 1 and "the drain goes on" in command.text()
        assert s.sc.ask("show", "drain")["drain"]["state"] == "draining" and s.si.wait_up()["id"] == up["id"]
        s.si.ask("clear", "initiator", "home")
        wait_until("nobody new gets in", lambda: "no new softwires: this concentrator is being drained" in (s.si.show()[0]["last_error"] or ""), 15)
        lines = drain(s.sc, "--json", "--grace", "0")
        wait_until("it is over", lambda: not lines.running(), 15)
        last = json.loads(lines.text().splitlines()[-1])
        assert last["state"] == "drained" and last["left"] == 0 and last["refused"] > 0
        assert softwire(s.sc, "drain", "--stop", "--rate", "7").returncode == 2
        assert softwire(s.sc, "drain", "--to", "nowhere.example").returncode == 1
        assert softwire(s.si, "drain").returncode == 1, "an initiator cannot be drained"
        s.sc.ask("drain", "--stop")
        s.si.wait_up(timeout=30)


def kill_engine(process):
    engine = wait_until("an engine process", lambda: process.children())[0]
    os.kill(engine, signal.SIGKILL)
    wait_until("another engine process", lambda: process.children() not in ([], [engine]), 10)
    wait_until("it answers", lambda: softwire(process, "show", "drain").returncode == 0, 10)


# proves: PS-7 partial, HS-PROV-1 partial
def test_a_drain_survives_the_engine_process():
    with Pair(payload=[6], transport=4) as s:
        s.start_sc()
        s.start_si(server=SC[4])
        up = s.si.wait_up()
        own = softwire(s.sc, "drain", "--to", SC[4])
        assert own.returncode == 1 and f"{SC[4]} is this concentrator" in own.stderr
        assert s.sc.ask("show", "drain")["drain"]["state"] == "off"
        before = json.loads(softwire(s.sc, "drain", "--no-wait", "--json", "--to", SECOND, "--grace", "3000", "--rate", "7").stdout)
        kill_engine(s.sc)
        after = s.sc.ask("show", "drain")["drain"]
        assert {**after, "since_seconds": 0} == {**before, "since_seconds": 0} and after["state"] == "draining" and after["left"] == 1
        assert s.sc.has("event=drain-resumed", "left=1", f"to={SECOND}", "grace_seconds=3000") and not s.sc.has("event=drain-lost")
        assert "grace 3000 s" in softwire(s.sc, "show", "drain").stdout
        assert s.si.wait_up()["id"] == up["id"], "grace has not begun anew, nor is it over"
        s.si.ask("clear", "initiator", "home")
        wait_until("nobody new gets in", lambda: s.sc.ask("show", "drain")["drain"]["refused"], 15)
        s.sc.ask("drain", "--stop")
        kill_engine(s.sc)
        assert s.sc.ask("show", "drain")["drain"]["state"] == "off", "what was ended does not come back"
