# SPDX-License-Identifier: GPL-2.0-or-later
"""
08: what the operator sees and does with softwire(1), at both ends of a softwire. Topology of home.py:

    internet6 ---- sc ---- access ---- nat ---- home ---- lan
                   |                            |
                   softwire show, trace, clear, forget, reload, check

What this exercises: tables and JSON that say the same, a live trace of the whole set-up without a secret in it, clearing by every
name, reloads that apply or change nothing, who may do what, and `softwire check` on files full of mistakes.
"""
import json
import os
import shutil
import subprocess

import pytest

from capture import decode
from home import CONCENTRATOR, INITIATOR, USERS, WEB
from lab import BUILD, secret_file, wait_until


def columns(text):
    """Rows of a table by the words of its head; every column begins or ends where its word does."""
    head, *rows = [line for line in text.splitlines() if line.strip()]
    return head, rows


# ---- looking ----

# proves: MGMT-7 partial, HS-OAM-4 partial
def test_table_and_json_of_softwires_say_the_same(connected):
    for end, peer in ((connected.sc, "203.0.113.7:"), (connected.si, "192.0.2.1:1701")):
        s = end.wait_up()
        head, rows = columns(end.table("show", "softwires"))
        assert len(rows) == 1 and head.split()[0] == "ID" and "DELEGATED" in head
        for value in ("alice", "up", s["peer"], s["link6"], s["delegated"][0], "1460"):
            assert value in rows[0].split()
        assert s["peer"].startswith(peer) and s["state"] == "up"
    assert columns(connected.si.table("show", "softwires", "home"))[1]

def softwire(end, *words):
    return end.node.sh(BUILD / "src" / "softwire", "--socket", end.socket, *words, check=False)


# proves: MGMT-7 partial
def test_who_is_not_there_is_a_failure_with_a_name(connected):
    for thing, one in (("softwires", "softwire"), ("tunnels", "tunnel"), ("leases", "lease"), ("reverse-zone", "zone")):
        run = softwire(connected.sc, "show", thing, "bob")
        assert (run.returncode, run.stdout) == (1, "") and f"no {one} of bob" in run.stderr, run
    assert softwire(connected.si, "show", "softwires", "office").returncode == 1
    assert connected.sc.ask("show", "softwires", "bob", check=False) == {"ok": True, "softwires": []}
    for words, said in ((("user", "bob"), "no softwire of bob"), (("id", "99"), "no softwire with the id 99"), (("initiator", "x"), 'no initiator "x"')):
        run = softwire(connected.sc, "clear", *words)
        assert run.returncode == 1 and said in run.stderr, run
    assert softwire(connected.sc, "show", "softwires", "alice").returncode == 0


def test_table_and_json_of_tunnels_say_the_same(connected):
    for end in (connected.sc, connected.si):
        t = end.show("tunnels")[0]
        rows = columns(end.table("show", "tunnels"))[1]
        assert t["state"] == "established" and t["in_flight"] == 0
        for value in ("alice", "established", f'{t["local_tunnel"]}/{t["local_session"]}', f'{t["peer_tunnel"]}/{t["peer_session"]}'):
            assert value in rows[0].split()


def test_table_and_json_of_leases_say_the_same(connected):
    lease = connected.sc.show("leases")[0]
    row = columns(connected.sc.table("show", "leases"))[1][0].split()
    for value in ("alice", "default", lease["link6"], lease["delegated"][0], "yes"):
        assert value in row
    held = {x["kind"]: x for x in connected.si.show("leases")}
    rows = columns(connected.si.table("show", "leases"))[1]
    assert held["delegated"]["prefix"] in rows[0].split() and held["link"]["prefix"] in rows[1].split()
    assert 0 < held["delegated"]["preferred"] <= 86400 < held["delegated"]["valid"] <= 172800


# proves: MGMT-7 partial
def test_counters_count_what_went_through(connected):
    connected.wait_host_address()
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    before, counters = connected.sc.wait_up(), connected.sc.ask("show", "counters")["counters"]["concentrator"]["dataplane"]
    assert connected.host.ping(WEB, count=10, interval=0.01, size=1000)
    after, later = connected.sc.wait_up(), connected.sc.ask("show", "counters")["counters"]["concentrator"]["dataplane"]
    assert after["rx6_packets"] - before["rx6_packets"] == after["tx6_packets"] - before["tx6_packets"] == 10
    assert after["rx6_bytes"] - before["rx6_bytes"] == 10 * 1048
    assert later["rx_packets"] - counters["rx_packets"] >= 10
    text = connected.sc.table("show", "counters", "dataplane")
    assert "rx_packets" in text and "l2tp" not in text


# ---- trace ----

def trace(end, *options, name="alice"):
    log = end.dir / f"trace{''.join(options)}.log"
    log.unlink(missing_ok=True)
    return end.node.start(BUILD / "src" / "softwire", *options, "--socket", end.socket, "trace", name, log=log)


def events(process):
    return [json.loads(line) for line in process.text().splitlines() if line.endswith("}")][1:]


IN_ORDER = ["SCCRQ", "SCCRP", "SCCCN", "ICRQ", "ICRP", "ICCN", "LCP Configure-Request", "LCP Configure-Ack", "CHAP Challenge", "CHAP Response",
            "CHAP Success", "IPV6CP Configure-Request", "IPV6CP Configure-Ack", "RS ", "RA ", "Solicit", "Reply"]

TUNNEL_SECRET = "between the two of us"
SECRET_USERS = USERS + f'peers = ( {{ address = "203.0.113.0/24"; tunnel-secret = "{TUNNEL_SECRET}"; }} );\n'


def secrets_in(path):
    """Challenges and responses of L2TP and CHAP as tshark sees them, in hexadecimal."""
    fields = ["l2tp.avp.chap_challenge", "l2tp.avp.chap_challenge_response", "chap.value"]
    found = {v.replace(":", "").lower() for line in decode(path, "l2tp.type == 1 || chap", fields) for v in line.replace(",", "\t").split("\t") if v}
    assert len(found) >= 6, f"two challenges and two responses of L2TP, one of each of CHAP: {found}"
    return found


# proves: HS-OAM-4 partial, HS-L2TP-12 partial
@pytest.mark.parametrize("who", ["concentrator", "initiator"])
def test_trace_shows_the_whole_exchange_and_no_secret(home, who):
    tunnel_secret = home.write("initiator", "tunnel-secret", TUNNEL_SECRET + "\n")
    config = INITIATOR.replace('user = "{user}";', f'user = "{{user}}"; tunnel-secret-file = "{tunnel_secret}";')
    home.start_sc(config=CONCENTRATOR, users=SECRET_USERS)
    home.start_si(config=config)
    home.wait_delegated()
    end = home.sc if who == "concentrator" else home.si
    live = trace(end, "--json", name="alice" if who == "concentrator" else "home")
    wait_until("the trace has begun", lambda: '"ok"' in live.text())
    capture = home.capture(home.home, "wan0", "udp port 1701")
    up = end.wait_up()
    home.sc.ask("clear", "user", "alice")
    wait_until("the trace shows a set-up to its end", lambda: [e for e in events(live) if e.get("softwire", 0) > up["id"] and e["text"].startswith("Reply")], 15)
    capture.stop()
    seen = [e for e in events(live) if e["softwire"] > up["id"]]
    assert not [e for e in events(live) if e["event"] == "lost"]
    text = [e["text"] for e in seen]
    first = [next(n for n, t in enumerate(text) if t.startswith(what)) for what in IN_ORDER]
    assert first[:6] == sorted(first[:6]) and first[6] < first[8] < first[9] < first[10] < first[11] < first[13] < first[14] < first[15] < first[16]
    assert {e["dir"] for e in seen} >= {"rx", "tx"} and {e["layer"] for e in seen} >= {"l2tp", "ppp", "ip6"}
    assert [e["t_ms"] for e in seen] == sorted(e["t_ms"] for e in seen)
    assert all(e["user"] == "alice" for e in seen if e["text"].startswith("CHAP Success"))
    assert [e for e in events(live) if e["text"].startswith("CDN") or e["text"].startswith("StopCCN")], "the end of the old one, too"
    everything = live.text().lower().replace(":", "").replace(" ", "")
    for secret in [*secrets_in(capture.path), "correcthorse", TUNNEL_SECRET.replace(" ", "")]:
        assert secret not in everything


# proves: HS-OAM-4 partial
def test_trace_says_why_somebody_does_not_get_in(home):
    home.start_sc()
    live = trace(home.sc, "--json")
    wait_until("the trace has begun", lambda: '"ok"' in live.text())
    home.start_si(password="not the password")
    wait_until("the trace shows the failure", lambda: [e for e in events(live) if e["text"].startswith("CHAP Failure")])
    assert "not the password" not in live.text() and "correct horse" not in live.text()


def test_trace_for_people_has_a_line_for_each_event(connected):
    live = trace(connected.si, name="home")
    for n in range(2):  # the first goodbye shows that the trace has begun
        connected.si.ask("clear", "initiator", "home")
        if n == 0:
            wait_until("something is traced", live.text)
        up = connected.si.wait_up()
        wait_until("it is up again", lambda: connected.si.wait_up()["id"] > up["id"] or connected.si.wait_up()["up_seconds"] is not None)
    lines = wait_until("the second set-up is traced", lambda: "Reply" in live.text() and "SCCRQ" in live.text() and live.text().splitlines())
    assert all(len(line.split()) >= 4 for line in lines)
    assert [line for line in lines if "SCCRQ" in line] and [line for line in lines if "IPV6CP" in line]


# ---- clearing ----

# proves: HS-L2TP-32 partial, MGMT-7 partial
@pytest.mark.parametrize("words", [("user", "alice"), ("id", "1"), ("all",)])
def test_concentrator_clears_by(connected, words):
    before = len(connected.si.has("event=down"))
    assert connected.sc.ask("clear", *words)["cleared"] == 1
    wait_until("the initiator says why", lambda: len(connected.si.has("event=down", "cleared by the operator")) > before)
    wait_until("it comes again by itself", lambda: (connected.sc.softwire() or {"id": 0})["id"] == 2)


# proves: HS-L2TP-32 partial
def test_initiator_is_cleared_by_name(connected):
    assert connected.si.ask("clear", "initiator", "home")["cleared"] == 1
    wait_until("the concentrator says why", lambda: connected.sc.has("event=down", "user=alice"))
    wait_until("it comes again by itself", lambda: (connected.sc.softwire() or {"id": 0})["id"] == 2)


def test_clearing_what_is_not_there_clears_nothing(connected):
    up = connected.sc.wait_up()
    for words in (("user", "bob"), ("id", "99"), ("initiator", "home")):
        answer = connected.sc.ask("clear", *words, check=False)
        assert answer.get("cleared", 0) == 0
    assert connected.sc.wait_up()["id"] == up["id"]


# ---- reload ----

def test_reload_applies_new_users(connected):
    secret_file(connected.dir / "concentrator" / "users.conf", 'users = { bob = { secret = "tr0ub4dor and 3"; }; };\n')
    connected.sc.ask("reload")
    wait_until("alice is told that she is gone", lambda: connected.si.has("event=down", "not allowed any more"))
    wait_until("and does not get in again", lambda: connected.si.has("event=setup-failed", "step=auth"))


def reload_fails(connected, *words):
    """Nothing changes, and the answer names file and line."""
    up = connected.sc.wait_up()
    run = connected.sc_node.sh(BUILD / "src" / "softwire", "--socket", connected.sc.socket, "reload", check=False)
    answer = connected.sc.ask("reload", check=False)
    assert run.returncode == 1 and answer["ok"] is False, (run, answer)
    for word in words:
        assert word in run.stdout + run.stderr and word in "\n".join(answer["errors"]), (word, run, answer)
    assert connected.sc.has("event=config", words[0]) and not connected.sc.has("event=keeper-failed"), "it is no fault of the daemon's"
    assert connected.sc.wait_up()["id"] == up["id"]
    reconnects = connected.si.wait_up()["reconnects"]
    connected.si.ask("clear", "initiator", "home")
    wait_until("alice gets in as before", lambda: (connected.si.softwire() or {"reconnects": -1})["reconnects"] > reconnects, 15)


def test_reload_of_a_bad_file_changes_nothing(connected):
    good = connected.sc.conf.read_text()
    line = 1 + good[:good.index("network =")].count("\n")
    connected.sc.conf.write_text(good.replace("network =", "netwrok =").replace("length = 56", "length = 200"))
    reload_fails(connected, f"{connected.sc.conf}:{line}:", "netwrok", "length")
    connected.sc.conf.write_text(good)
    assert connected.sc.ask("reload")["ok"]


def test_reload_of_a_bad_users_file_changes_nothing(connected):
    users = connected.dir / "concentrator" / "users.conf"
    secret_file(users, "users = {\n    alice = { secert = \"typing error\"; };\n};\n")
    reload_fails(connected, f"{users}:2:", "secert")
    secret_file(users, USERS)
    assert connected.sc.ask("reload")["ok"]


# ---- who may ----

def as_somebody(lab, end, gid, *words):
    """softwire(1) as user daemon with one group; a copy of the program, where everybody can reach it."""
    program = lab.dir / "softwire"
    if not program.exists():
        shutil.copy(BUILD / "src" / "softwire", program)
    return end.node.sh("setpriv", f"--reuid=1", f"--regid={gid}", "--clear-groups", program, "--json", "--socket", end.socket, *words, check=False)


def test_members_of_the_group_may_look_and_nothing_else(home):
    home.start_sc(config=CONCENTRATOR + 'control-group = "nogroup";\n')
    home.start_si()
    up = home.sc.wait_up()
    look = as_somebody(home, home.sc, 65534, "show", "softwires")
    assert look.returncode == 0 and json.loads(look.stdout)["softwires"][0]["user"] == "alice", look
    for words in (("clear", "user", "alice"), ("clear", "all"), ("forget", "alice"), ("reload",), ("trace", "alice")):
        run = as_somebody(home, home.sc, 65534, *words)
        assert run.returncode == 1 and "root" in run.stdout + run.stderr, run
    assert home.sc.wait_up()["id"] == up["id"] and len(home.sc.show("leases")) == 1
    assert os.stat(home.sc.socket).st_mode & 0o777 == 0o660


def test_others_may_not_even_look(connected):
    run = as_somebody(connected, connected.sc, 65534, "show", "softwires")
    assert run.returncode == 1 and run.stdout == "" and "you may not use" in run.stderr, run


# ---- check ----

BROKEN = """concentrator = {{
    listen = [ "192.0.2.1", "192.0.2.1x" ];
    netwrok = "trusted";
    local6 = "192.0.2.1";
    users = "{dir}/users.conf";
    hello = -3;
    pools = {{
        default = {{
            link6 = "2001:db8:100::/65";
            delegate = {{ from = "2001:db8:8000::/36"; length = 33; }};
        }};
        other = {{ link6 = "2001:db8:100::/48"; dns = 7; }};
    }};
}};
initiator = {{
    home = {{
        server = [ ];
        password-file = "{dir}/password";
    }};
}};
"""

BROKEN_USERS = """users = {
    alice = { secert = "typing error"; };
    bob = { secret = "good"; delegate = [ "2001:db8::/20" ]; };
    carol = { secret = "good"; server-secret = "good"; };
};
"""


def check(path, *options):
    return subprocess.run([BUILD / "src" / "softwire", *options, "check", path], capture_output=True, text=True)


def test_check_tells_all_mistakes_in_one_run(home):
    path = home.dir / "broken.conf"
    path.write_text(BROKEN.format(dir=home.dir))
    users = secret_file(home.dir / "users.conf", BROKEN_USERS)
    password = home.dir / "password"
    password.write_text("for everybody to read\n")
    password.chmod(0o644)
    run = check(path)
    assert run.returncode == 1
    told = run.stdout + run.stderr
    for line in (2, 3, 4, 6, 9, 10, 12, 18):
        assert f"{path}:{line}:" in told, f"line {line} of\n{told}"
    for line in (2, 3, 4):
        assert f"{users}:{line}:" in told, f"line {line} of the users file:\n{told}"
    assert "0644" in told and "netwrok" in told and "network" in told
    report = json.loads(check(path, "--json").stdout)
    assert report["ok"] is False and len([p for p in report["problems"] if p["fatal"]]) >= 11


def test_check_likes_what_runs(connected):
    for daemon in (connected.sc, connected.si):
        run = check(daemon.conf)
        assert run.returncode == 0, run.stdout + run.stderr


def test_check_says_where_the_syntax_is_wrong(home):
    path = home.dir / "syntax.conf"
    path.write_text('concentrator = {\n    listen = [ "192.0.2.1";\n};\n')
    run = check(path)
    assert run.returncode == 1 and f"{path}:3:" in run.stdout and "opened on line 2" in run.stdout, run
