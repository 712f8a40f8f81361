# SPDX-License-Identifier: GPL-2.0-or-later
"""
44: what an operator sees of softwires, and does to them.

    192.0.2.1 on lo                                  198.51.100.1 on lo
        afbr1 ============== core (IPv6 only) ============== afbr2
    2001:db8:ffff::1                                 2001:db8:ffff::2

What this exercises: show paths, endpoints, acceptance, fib, route and counters, each agreeing with the kernel and with the others; a roll of sessions and
cookies under traffic; an endpoint that is shut down and started again.
"""
import re

import pytest

from lab import BUILD, wait_until
from mesh import CORE, Mesh, neighbor, wait_up

NETWORK = {1: "192.0.2.0/24", 2: "198.51.100.0/24"}
HOST = {1: "192.0.2.1", 2: "198.51.100.1"}


@pytest.fixture
def net():
    with Mesh() as net:
        for n in (1, 2):
            net.afbr[n].ip("addr", "add", f"{HOST[n]}/32", "dev", "lo")
        net.daemon = {n: net.start_afbr(n, {"peer": neighbor(CORE[3 - n], families=["ipv4"])}, networks=[NETWORK[n]],
                                        afbr={"accept": ["l2tpv3", "gre-key", "ipip"], "roll-overlap": 1, "client": {"local4": HOST[n]}},
                                        kernel={"export": {"families": ["ipv4"]}}) for n in (1, 2)}
        for daemon in net.daemon.values():
            wait_up(daemon, "peer")
        yield net


def ping(net, count=1):
    return net.afbr[1].sh("ping", "-n", "-c", count, "-i", "0.02", "-W", "1", "-I", HOST[1], HOST[2], check=False)


def people(daemon, *words):
    """What people read."""
    return daemon.node.sh(BUILD / "src" / "softwire", "--socket", daemon.socket, *words).stdout


def acceptance(daemon):
    return daemon.ask("show", "acceptance")["acceptance"]


def endpoint_of(daemon, address):
    """Of several (those before and after a roll), the one that is used."""
    return max(daemon.ask("show", "endpoints", address)["endpoints"], key=lambda e: e["endpoint"])


# proves: MGMT-7, MESH-SIG-7, MESH-ENC-6 partial, MESH-ENC-7 partial, SEC-MESH-4 partial
def test_the_operator_sees_a_softwire_from_route_to_header_and_controls_it(net):
    one, two = net.daemon[1], net.daemon[2]
    wait_until("they reach each other", lambda: ping(net).returncode == 0)

    # From the kernel's route to the path, the endpoint, and what the other end takes.
    route = next(r for r in net.afbr[1].routes(4) if r["dst"] == NETWORK[2])
    fib = one.ask("show", "fib", NETWORK[2])["fib"][0]
    path = one.ask("show", "paths")["paths"][0]
    endpoint = endpoint_of(one, CORE[2])
    taken = acceptance(two)["accept"]
    assert (fib["told"], fib["path"], fib["device"]) == (True, path["path"], "softwire0")
    assert route["via"]["host"] == fib["gateway"] == path["gateway"]
    assert path["slots"][0]["primary"]["endpoint"] == endpoint["endpoint"] and path["routes"] == 1
    assert endpoint["encapsulation"] == taken[0]["encapsulation"] and endpoint["state"] == "up"
    assert [a["accept"] for a in taken] == ["l2tpv3", "gre-key", "ipip"]
    assert taken[0]["rx4_packets"] > 0 and endpoint["tx4_packets"] > 0
    assert [(t["address"], t["because"]) for t in acceptance(two)["transmitters"]] == [(CORE[1], ["next-hop"])]
    assert one.ask("show", "counters")["counters"]["afbr"]["mesh"]["tx_packets"] > 0
    session = endpoint["encapsulation"].split()[2]
    words = people(one, "show", "route", NETWORK[2])
    assert f"{NETWORK[2]} -> path {path['path']} -> endpoint {CORE[2]} by l2tpv3 (" in words, words
    assert f"IPv6 header {CORE[1]} -> {CORE[2]}, protocol 115, session {session}, cookie of 8 octets" in words, words
    for what in (["paths"], ["endpoints"], ["endpoints", CORE[2]], ["acceptance"], ["fib"]):
        words = people(one, "show", *what)
        assert CORE[2] in words, words

    # Others from now on, and nothing is lost.
    stream = net.afbr[1].start("ping", "-n", "-c", "100", "-i", "0.02", "-W", "1", "-I", HOST[1], HOST[2], log=net.dir / "stream")
    wait_until("packets go", lambda: stream.has("icmp_seq=5"))
    assert two.ask("mesh", "roll")["rolled"] == 2
    wait_until("the other end sends by the new session", lambda: session not in endpoint_of(one, CORE[2])["encapsulation"])
    wait_until("the old ones are not taken any more", lambda: not any(a["old"] for a in acceptance(two)["accept"]))
    wait_until("all were sent", lambda: stream.has("received"))
    assert re.search(r"100 packets transmitted, 100 received", stream.text()), stream.text()

    # Down, and up again.
    assert one.ask("mesh", "shutdown", CORE[2])["endpoints"] >= 1
    assert endpoint_of(one, CORE[2])["state"] == "shut"
    assert ping(net).returncode != 0
    assert "the operator has shut it down" in people(one, "show", "route", NETWORK[2])
    one.ask("mesh", "start", CORE[2])
    assert ping(net).returncode == 0
    assert "no such endpoint" in one.ask("mesh", "shutdown", "2001:db8:ffff::77", check=False)["error"]
