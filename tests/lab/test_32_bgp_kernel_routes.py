# SPDX-License-Identifier: GPL-2.0-or-later
"""
BGP and the kernel's routing tables: routes that the kernel has are told, best routes are put there, and packets follow them, without any softwire: the
clients are of the core's own family. What was put there outlives the process that speaks BGP, and goes when it ends.

    ce1 ------------- afbr1 ============= core ============= afbr2 ------------- ce2
    2001:db8:1::2     2001:db8:1::1                          2001:db8:2::1       2001:db8:2::2
    2001:db8:100::1   2001:db8:fffe::1     IPv6 only         2001:db8:fffe::2    2001:db8:200::1

The AFBRs are known by addresses of their own, to which static routes lead across the core; CE routers of a test without BGP have default routes.
"""
import json
import os
import re
import shutil
import signal
import time

from lab import BUILD, Lab, Node, Softwired, wait_until
from mesh import AS, is_up, neighbor, routes, speaker, wait_up
from service import Service, replace_program

CORE = {1: "2001:db8:fffe::1", 2: "2001:db8:fffe::2"}
LINK = {1: "2001:db8:ffff::1", 2: "2001:db8:ffff::2"}
NETWORK = {1: "2001:db8:100::/48", 2: "2001:db8:200::/48"}
HOST = {1: "2001:db8:100::1", 2: "2001:db8:200::1"}


class Native(Lab):
    def __enter__(self):
        super().__enter__()
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def build(self):
        self.afbr = {n: Node(self, f"afbr{n}", forward=True) for n in (1, 2)}
        self.ce = {n: Node(self, f"ce{n}", forward=True) for n in (1, 2)}
        self.link(self.afbr[1], "core0", self.afbr[2], "core0", [f"{LINK[1]}/64"], [f"{LINK[2]}/64"])
        for n in (1, 2):
            self.afbr[n].ip("addr", "add", f"{CORE[n]}/128", "dev", "lo")
            self.afbr[n].ip("route", "add", f"{CORE[3 - n]}/128", "via", LINK[3 - n])
            self.link(self.afbr[n], "ce0", self.ce[n], "up0", [f"2001:db8:{n}::1/64"], [f"2001:db8:{n}::2/64"])
            self.ce[n].ip("addr", "add", f"{HOST[n]}/128", "dev", "lo")
            self.ce[n].ip("route", "add", "default", "via", f"2001:db8:{n}::1")

    def client_route(self, n, protocol, do="add"):
        self.afbr[n].ip("route", do, NETWORK[n], "via", f"2001:db8:{n}::2", "proto", protocol)

    def configuration(self, n, **kw):
        peer = neighbor(CORE[3 - n], local_address=CORE[n], families=["ipv6"], advertisement_interval=0)
        kernel = {"import": {"protocols": ["static", "bird"]}, "export": {}}
        return speaker(n, AS, {f"afbr{3 - n}": peer}, core=CORE[n], kernel=kernel, **kw)

    def start_afbr(self, n, kind=Softwired, program=None, **kw):
        return kind(self.afbr[n], f"afbr{n}", self.configuration(n, **kw), program=program)

    def start_both(self):
        daemons = {n: self.start_afbr(n) for n in (1, 2)}
        wait_up(daemons[1], "afbr2")
        wait_up(daemons[2], "afbr1")
        return daemons


def bgp_routes(node, family=6):
    """What BGP has put into NODE's kernel: prefix -> route."""
    return {r["dst"]: r for r in node.routes(family) if r.get("protocol") == "172"}


def gone_within(node, prefix, seconds):
    """How long it takes until PREFIX is not in the kernel any more."""
    began = time.monotonic()
    wait_until(f"{prefix} is gone from {node.name}", lambda: prefix not in bgp_routes(node), seconds, 0.02)
    return time.monotonic() - began


# proves: MESH-BGP-5 partial, MESH-BGP-18
def test_static_routes_and_those_of_other_daemons_reach_the_kernel_at_the_other_end():
    with Native() as m:
        m.client_route(1, "static")
        daemon = m.start_both()
        m.client_route(2, "bird")  # while we are there
        wait_until("each has the other's network", lambda: NETWORK[2] in bgp_routes(m.afbr[1]) and NETWORK[1] in bgp_routes(m.afbr[2]))
        route = bgp_routes(m.afbr[1])[NETWORK[2]]
        assert (route["gateway"], route["dev"], route["metric"]) == (LINK[2], "core0", 20), route
        assert m.ce[1].sh("ping", "-n", "-c", 3, "-i", 0.05, "-W", 1, "-I", HOST[1], HOST[2]).returncode == 0
        assert routes(daemon[2])[NETWORK[1]]["next_hop"] == CORE[1]
        # A protocol that the configuration does not name, and our own routes, are not told.
        m.afbr[2].ip("route", "add", "2001:db8:300::/48", "via", "2001:db8:2::2", "proto", "boot")
        m.afbr[2].ip("route", "add", "2001:db8:400::/48", "via", "2001:db8:2::2", "proto", "static")
        wait_until("another one has come", lambda: "2001:db8:400::/48" in bgp_routes(m.afbr[1]))
        assert set(bgp_routes(m.afbr[1])) == {NETWORK[2], "2001:db8:400::/48"}, bgp_routes(m.afbr[1])
        assert set(bgp_routes(m.afbr[2])) == {NETWORK[1]}, bgp_routes(m.afbr[2])
        # What goes is withdrawn.
        m.client_route(2, "bird", "del")
        gone_within(m.afbr[1], NETWORK[2], 1)
        assert not m.ce[1].ping(HOST[2])
        # Another program's route has the place: it stays.
        m.afbr[1].ip("route", "add", NETWORK[2], "via", "2001:db8:1::2", "proto", "bgp", "metric", "20")
        m.client_route(2, "static")
        wait_until("the log tells", lambda: daemon[1].has("event=kernel-route-failed", NETWORK[2], "somebody else"))
        assert NETWORK[2] not in bgp_routes(m.afbr[1])


# proves: MESH-BGP-5 partial
def test_a_network_of_the_configuration_stands_before_the_kernels_route_and_leaves_it_the_place():
    with Native() as m:
        m.client_route(2, "static")
        daemon = {1: m.start_afbr(1), 2: m.start_afbr(2, networks=[NETWORK[2]])}
        wait_up(daemon[1], "afbr2")
        wait_until("the network is there", lambda: routes(daemon[1]).get(NETWORK[2], {}).get("origin") == "igp")
        start = daemon[2].conf.read_text().splitlines()[:3]
        daemon[2].conf.write_text("\n".join(start) + "\n" + m.configuration(2))
        daemon[2].ask("reload")
        wait_until("the kernel's route is there", lambda: routes(daemon[1]).get(NETWORK[2], {}).get("origin") == "incomplete")


# proves: MESH-BGP-5 partial
def test_a_ce_router_without_an_ipv4_address_on_the_link_is_reached_by_its_link_local_one():
    """RFC 8950 as a CE router uses it: the session, and the gateway, are fe80::/64; IPv4 is nowhere on the link."""
    with Lab() as m:
        afbr, ce = Node(m, "afbr", forward=True), Node(m, "ce", forward=True)
        m.link(afbr, "ce0", ce, "up0")
        afbr.ip("addr", "add", "203.0.113.1/32", "dev", "lo")
        ce.ip("addr", "add", "198.51.100.1/32", "dev", "lo")
        at = {node: f"fe80::{i}" for i, node in enumerate((afbr, ce), 1)}
        for node, device in ((afbr, "ce0"), (ce, "up0")):
            node.ip("addr", "add", f"{at[node]}/64", "dev", device)
        common = {"import": "all", "export": "all", "advertisement_interval": 0, "families": ["ipv4"]}
        pe = Softwired(afbr, "pe", speaker(1, AS, {"ce": neighbor(at[ce], interface="ce0", **{"as": 64512}, **common)},
                                           networks=["203.0.113.0/24"], kernel={"export": {}}))
        cpe = Softwired(ce, "cpe", speaker(2, 64512, {"pe": neighbor(at[afbr], interface="up0", **{"as": AS}, **common)},
                                           networks=["198.51.100.0/24"], kernel={"export": {}}))
        wait_up(pe, "ce")
        wait_up(cpe, "pe")
        wait_until("both kernels have the other's network",
                   lambda: "198.51.100.0/24" in bgp_routes(afbr, 4) and "203.0.113.0/24" in bgp_routes(ce, 4))
        route = bgp_routes(afbr, 4)["198.51.100.0/24"]
        assert route["via"] == {"family": "inet6", "host": at[ce]} and route["dev"] == "ce0", route
        assert afbr.sh("ping", "-n", "-c", 3, "-i", 0.05, "-W", 1, "-I", "203.0.113.1", "198.51.100.1").returncode == 0
        # The kernel takes routes away with their link, and BGP brings them back when it has not even noticed.
        afbr.ip("link", "set", "ce0", "down")
        assert not bgp_routes(afbr, 4)
        afbr.ip("link", "set", "ce0", "up")
        afbr.ip("addr", "replace", f"{at[afbr]}/64", "dev", "ce0")
        wait_until("the route is back", lambda: "198.51.100.0/24" in bgp_routes(afbr, 4))
        wait_until("and leads there", lambda: afbr.sh("ping", "-n", "-c1", "-W1", "-I", "203.0.113.1", "198.51.100.1", check=False).returncode == 0)


def test_a_lost_next_hop_takes_its_routes_out_of_the_kernel_at_once():
    with Native() as m:
        m.client_route(2, "static")
        daemon = m.start_both()
        wait_until("the network is known", lambda: NETWORK[2] in bgp_routes(m.afbr[1]))
        m.afbr[1].ip("route", "del", f"{CORE[2]}/128")
        gone_within(m.afbr[1], NETWORK[2], 1)
        assert is_up(daemon[1], "afbr2"), "it is not the session's end that took it away"
        why = daemon[1].table("show", "route", NETWORK[2])
        assert "there is no route to it" in why, why
        m.afbr[1].ip("route", "add", f"{CORE[2]}/128", "via", LINK[2])
        wait_until("it is back", lambda: NETWORK[2] in bgp_routes(m.afbr[1]), 2)
        # Another way of the same cost: the routes follow, though the engine has nothing to decide.
        m.link(m.afbr[1], "core1", m.afbr[2], "core1", ["2001:db8:fffd::1/64"], ["2001:db8:fffd::2/64"])
        m.afbr[1].ip("route", "replace", f"{CORE[2]}/128", "via", "2001:db8:fffd::2")
        wait_until("the route follows", lambda: bgp_routes(m.afbr[1])[NETWORK[2]]["gateway"] == "2001:db8:fffd::2", 2)


def losses(ping):
    found = re.search(r"(\d+) packets transmitted, (\d+) received", ping.text())
    assert found, ping.text()
    return int(found[1]) - int(found[2])


# proves: MESH-BGP-18 partial
def test_the_death_of_the_process_that_speaks_bgp_loses_no_packet_and_its_end_leaves_no_route():
    with Native() as m:
        m.client_route(1, "static")
        m.client_route(2, "static")
        m.afbr[2].ip("route", "add", "2001:db8:201::/48", "via", "2001:db8:2::2", "proto", "static")
        daemon = m.start_both()
        wait_until("networks are known", lambda: len(bgp_routes(m.afbr[1])) == 2 and NETWORK[1] in bgp_routes(m.afbr[2]))
        ping = m.ce[1].start("ping", "-n", "-i", 0.02, "-W", 1, "-I", HOST[1], HOST[2], log=m.dir / "ping")
        monitor = m.afbr[1].start("ip", "-6", "monitor", "route", log=m.dir / "monitor")
        wait_until("ping runs", lambda: len(ping.has("bytes from")) > 5)
        # What is withdrawn while nobody listens is swept out when all has been told again.
        for child in daemon[1].children():
            os.kill(child, signal.SIGKILL)
        m.afbr[2].ip("route", "del", "2001:db8:201::/48")
        wait_until("the next process has its session", lambda: len(daemon[1].has("event=engine-started")) == 2 and is_up(daemon[1], "afbr2"), 15)
        wait_until("what nobody told again is gone", lambda: list(bgp_routes(m.afbr[1])) == [NETWORK[2]], 15)
        wait_until("the log tells", lambda: daemon[1].has("event=kernel-stale-removed", "routes=1"))
        assert NETWORK[1] in bgp_routes(m.afbr[2]), "the other end has kept it"
        time_of_life = len(ping.has("bytes from"))
        wait_until("ping goes on", lambda: len(ping.has("bytes from")) > time_of_life + 5)
        ping.kill(signal.SIGINT)
        ping.popen.wait(5)
        assert losses(ping) == 0, ping.text()[-400:]
        monitor.stop()
        assert not monitor.has("Deleted", NETWORK[2]), monitor.text()
        daemon[1].stop()
        assert bgp_routes(m.afbr[1]) == {}
        wait_until("the other end has heard of the end", lambda: bgp_routes(m.afbr[2]) == {}, 5)


# proves: MESH-BGP-18 partial, PS-2 partial
def test_an_upgrade_and_the_death_of_the_keeper_lose_no_packet_and_no_descriptor():
    with Native() as m:
        program = m.dir / "softwired"
        shutil.copy(BUILD / "src" / "softwired", program)
        program.chmod(0o755)
        for n in (1, 2):
            m.client_route(n, "static")
        daemon = {1: m.start_afbr(1, kind=Service, program=program), 2: m.start_afbr(2)}
        wait_until("networks are known", lambda: NETWORK[2] in bgp_routes(m.afbr[1]) and NETWORK[1] in bgp_routes(m.afbr[2]))
        ping = m.ce[1].start("ping", "-n", "-i", 0.02, "-W", 1, "-I", HOST[1], HOST[2], log=m.dir / "ping")
        monitor = {n: m.afbr[n].start("ip", "-6", "monitor", "route", log=m.dir / f"monitor{n}") for n in (1, 2)}
        wait_until("ping runs", lambda: len(ping.has("bytes from")) > 5)

        def descriptors():
            return [len(os.listdir(f"/proc/{pid}/fd")) for pid in (daemon[1].pid, *daemon[1].children())]

        def goes_on(what):
            wait_until(f"the session is back after {what}", lambda: is_up(daemon[1], "afbr2") and NETWORK[2] in routes(daemon[1]), 15)
            wait_until("the other end has heard all again", lambda: not routes(daemon[2])[NETWORK[1]]["stale"])
            replies = len(ping.has("bytes from"))
            wait_until("ping goes on", lambda: len(ping.has("bytes from")) > replies + 5)

        before = descriptors()
        replace_program(program, "9.9.9")
        assert "softwired 9.9.9 has taken over" in daemon[1].table("upgrade")
        goes_on("the upgrade")
        wait_until("as many descriptors as before", lambda: descriptors() <= before)
        daemon[1].popen.kill()
        daemon[1].popen.wait()
        daemon[1].begin_again()
        goes_on("the keeper's death")
        ping.kill(signal.SIGINT)
        ping.popen.wait(5)
        assert losses(ping) == 0, ping.text()[-400:]
        for n in (1, 2):
            monitor[n].stop()
            assert not monitor[n].has("Deleted", NETWORK[3 - n]), monitor[n].text()
        daemon[1].stop()
        assert bgp_routes(m.afbr[1]) == {}, "what the keepers before have put there, too"
