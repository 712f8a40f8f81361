# SPDX-License-Identifier: GPL-2.0-or-later
"""
29: everybody comes back at once, and somebody floods us meanwhile. Topology of home.py; the crowd and the flood sit on the access router:

    web ---- sc ---- access 192.0.2.254, 198.18.0.1, 198.18.1.1, ... ---- nat ---- home ---- lan
                     bench/load: 300 initiators, a third of them behind one address
                     bench/flood: 3000 forged requests per second, from anywhere in 100.64.0.0/16

What this exercises: requests wait in queues that are fair between sources, the window of set-ups, what is forged leaves by itself; a softwire
that is up does not notice, and forged teardowns and LCP in the middle of it do not end it; the log stays short, and afterwards nothing is left.
"""
import json
import re
import subprocess
from statistics import median

import pytest
from home import CONCENTRATOR, USERS, WEB
from lab import BUILD, wait_until
from test_03_hints import forge

COUNT, SOURCES, NAT = 300, 20, 100
LIMITED = CONCENTRATOR.replace('network = "trusted";', 'network = "trusted"; retransmit = 0.3; setup-window = 40; half-open = 400; waiting = 4000;')
CROWD = "".join(f'    user{i:05} = {{ secret = "secret of user{i:05}"; }};\n' for i in range(COUNT))


def role_counters(home):
    counters = home.sc.ask("show", "counters")["counters"]["concentrator"]
    return {**counters["concentrator"], **counters["now"]}


@pytest.fixture
def crowded(home):
    """Alice is at home already, and the crowd has its addresses."""
    home.start_sc(config=LIMITED, users=USERS.replace("users = {\n", "users = {\n" + CROWD))
    home.start_si()
    home.wait_delegated()
    home.wait_host_address()
    wait_until("the host reaches the web", lambda: home.host.ping(WEB))
    home.access.ip("-batch", "-", input="".join(f"addr add 198.18.{n}.1/32 dev sc0\n" for n in range(SOURCES + 1)))
    for net in ("198.18.0.0/16", "100.64.0.0/16"):
        home.sc_node.ip("route", "add", net, "via", "192.0.2.254")
    return home


class Program:
    """A program of bench/ on the access router, which ends with its standard input."""

    def __init__(self, home, name, *args):
        argv = home.access.argv(BUILD / "bench" / name, "--server", "192.0.2.1", *args)
        self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.stdin.close()
        self.popen.wait(10)

    def line(self):
        return json.loads(self.popen.stdout.readline() or "null")


# proves: SEC-HS-22, HS-L2TP-25 partial
def test_everybody_comes_back_under_a_flood_and_who_is_there_notices_nothing(crowded):
    home = crowded
    before, log = home.sc.wait_up(user="alice"), home.dir / "pings"
    pings = home.host.start("ping", "-n", "-i", "0.02", WEB, log=log)
    with Program(home, "flood", "--local", "100.64.0.0", "--count", "65000", "--rate", "3000"):
        wait_until("the flood is felt", lambda: role_counters(home)["waiting"] > 200)
        forge(home)
        with Program(home, "load", "--local", "198.18.0.1", "--count", COUNT, "--storm", "500", "--sources", SOURCES, "--nat", NAT,
                     "--limit", "15", "--hold") as load:
            result = load.line()
            assert result["done"] == COUNT, f"all get in: {result}, {role_counters(home)}"
            now = role_counters(home)
            assert now["half_open"] <= 400 and now["storm"] == 1, now
            assert now["expired"] + now["abandoned"] > 500, "what is forged leaves by itself"
            pings.kill()
            pings.popen.wait(5)
            after = home.sc.wait_up(user="alice")
            assert after["id"] == before["id"] and home.si.wait_up()["reconnects"] == 0
    times = [float(t) for t in re.findall(r"time=([\d.]+) ms", log.read_text())]
    answered = {int(n) for n in re.findall(r"icmp_seq=(\d+) ", log.read_text())}
    lost = max(answered) - len(answered)
    assert len(times) > 20 and not lost, f"{lost} of {max(answered)} pings were lost"
    assert median(times) < 100, f"pings took {median(times)} ms"
    wait_until("nothing is left of the flood", lambda: role_counters(home)["waiting"] + role_counters(home)["unanswered"] == 0, 15)
    assert len(home.sc.has("event=storm-begin")) == 1
    assert len(home.sc.has("event=setup-failed")) + len(home.sc.has("event=stray")) < 150, "a flood does not fill the log"
