# SPDX-License-Identifier: GPL-2.0-or-later
"""
BGP sessions between our daemons: over both families, with passwords and without, with GTSM; what an operator does to them; what a death does.

    ce1 ---- IPv4, AS 64512 ---- afbr1 ==== IPv6 only ==== afbr2
"""
import os
import signal

import capture
from lab import Lab, Node, Softwired, wait_until
from mesh import AS, CE, CE_AS, CORE, EDGE, NETWORK, Mesh, edge, is_up, neighbor, other, routes, row, speaker, wait_up


# proves: MESH-BGP-7, MESH-BGP-12 partial, SEC-CTRL-1 partial, SEC-CTRL-4 partial
def test_sessions_over_both_families_are_native_and_carry_routes():
    with Mesh() as m:
        secret = m.secret("secret", "correct horse")
        core = m.capture(m.afbr[2], "core0", "tcp port 179")
        access = m.capture(m.afbr[1], "ce0", "tcp port 179")
        afbr1 = m.start_afbr(1, {"afbr2": other(2, next_hop_self=True, ttl_security=1),
                                 "ce1": edge(1, password_file=secret)})
        afbr2 = m.start_afbr(2, {"afbr1": other(1, ttl_security=1)})
        ce1 = m.start_ce(1, password_file=secret)
        wait_up(afbr1, "afbr2", "ce1")
        wait_up(ce1, "pe")
        wait_until("the CE's network is known across the core", lambda: NETWORK[1] in routes(afbr2))
        told = routes(afbr2)[NETWORK[1]]
        assert told["next_hop"] == CORE[1] and told["as_path"] == str(CE_AS[1]) and told["from"] == "afbr1", told
        assert routes(afbr1, "received", "ce1")[NETWORK[1]]["next_hop"] == CE[1]
        assert routes(afbr1, "advertised", "afbr2")[NETWORK[1]]["next_hop"] == CORE[1]
        session = row(afbr2, "afbr1")
        assert session["local"].startswith(f"[{CORE[2]}]:") and session["remote"].startswith(f"[{CORE[1]}]:"), session
        why = afbr1.table("show", "route", NETWORK[1].split("/")[0])
        assert "it is the only path" in why and "afbr2 is told" in why and "ce1 is not told: " in why, why
        assert afbr1.table("show", "bgp", "attributes").count(CE[1]) == 1
        dump = afbr1.table("bgp", "dump").strip()
        assert dump.startswith(str(afbr1.dir)) and os.path.getsize(dump) > 100, dump
        whole = afbr1.table("show", "bgp")
        assert whole.startswith(f"AS {AS}, router ID 10.0.0.1") and "ipv4: 1 prefixes, 1 paths" in whole and "ce1" in whole, whole
        one = afbr1.table("show", "bgp", "neighbors", CE[1])
        assert one.startswith("ce1\n") and "protection  TCP MD5" in one and "ipv4: 1 received, 1 accepted" in one, one
        table = afbr1.table("show", "bgp", "neighbors")
        assert "established" in table and "ce1" in table and CE[1] in table, table
        assert NETWORK[1] in afbr2.table("show", "bgp", "routes", "ipv4")

        core.stop()
        access.stop()
        # Nothing around TCP, all of it from as near as GTSM says, and marked as network control.
        assert capture.inner(core.path) <= {"eth:ethertype:ipv6:tcp", "eth:ethertype:ipv6:tcp:bgp"}
        # (The kernel's own answer of a host that does not listen yet is no part of a session.)
        assert capture.count(core.path, "tcp && !tcp.flags.reset && !(ipv6.hlim == 255)") == 0
        assert capture.count(core.path, "tcp && !(ipv6.tclass.dscp == 48)") == 0
        # Every segment to the CE is signed, and leaves this link with no hop left.
        assert capture.count(access.path, "tcp && !(tcp.option_kind == 19)") == 0
        assert capture.count(access.path, "bgp && ip.ttl != 1") == 0
        for path in (core.path, access.path):
            assert capture.complaints(path, "bgp") == []


# proves: SEC-CTRL-1 partial, SEC-CTRL-2 partial, SEC-CTRL-3 partial, SEC-CTRL-4 partial
def test_a_wrong_password_is_refused_and_the_log_says_what_can_be_known():
    with Mesh() as m:
        ours, theirs = m.secret("ours", "correct horse"), m.secret("theirs", "incorrect horse")
        afbr1 = m.start_afbr(1, {"ce1": edge(1, password_file=ours)})
        ce1 = m.start_ce(1, password_file=theirs)
        told = wait_until("the log tells of wrong signatures", lambda: afbr1.has("event=bgp-md5"))
        assert "ce1" in told[0] and "password" in told[0], told
        assert not is_up(afbr1, "ce1")
        assert afbr1.ask("show", "counters")["counters"]["afbr"]["afbr"]["signatures_wrong"] > 0
        # Both have the same one now, for the next connection: that takes no reload here.
        m.secret("theirs", "correct horse")
        ce1.ask("reload")
        wait_up(afbr1, "ce1")
        for daemon in (afbr1, ce1):
            assert not daemon.has("horse"), "a password is in the log"
        # One of them has none any more: nothing gets through. Then none has one: it is the operator's choice.
        m.change(ce1, 11, CE_AS[1], {"pe": neighbor(EDGE[1], **{"as": AS})}, networks=[NETWORK[1]])
        wait_until("the session has ended", lambda: not is_up(afbr1, "ce1"))
        before = len(afbr1.has("event=bgp-up"))
        wait_until("connections without a signature are thrown away", lambda: afbr1.ask("show", "counters")["counters"]["afbr"]["afbr"]["signatures_wrong"] > 0)
        assert len(afbr1.has("event=bgp-up")) == before
        m.change(afbr1, 1, AS, {"ce1": edge(1)}, core=CORE[1])
        wait_up(afbr1, "ce1")


# proves: SEC-CTRL-3 partial
def test_a_neighbour_that_may_be_far_away_is_refused_by_gtsm():
    with Mesh() as m:
        # The CE's packets leave with one hop, ours must arrive with 255: neither end hears the other.
        afbr1 = m.start_afbr(1, {"ce1": edge(1, ttl_security=1)})
        ce1 = m.start_ce(1)
        wait_until("it is refused", lambda: afbr1.has("event=bgp-refused", "neighbor=ce1", "ttl-security"))
        assert not is_up(afbr1, "ce1")
        m.change(ce1, 11, CE_AS[1], {"pe": neighbor(EDGE[1], **{"as": AS, "ttl-security": 1})}, networks=[NETWORK[1]])
        wait_up(afbr1, "ce1")


def test_strangers_are_closed_and_the_log_says_who_would_be_right():
    with Mesh() as m:
        afbr1 = m.start_afbr(1, {"ce1": edge(1, passive=True)})
        m.afbr[1].ip("addr", "add", "203.0.113.10/30", "dev", "ce0")
        m.ce[1].ip("addr", "add", "203.0.113.9/30", "dev", "up0")
        m.start_ce(1, local_address="203.0.113.9")
        told = wait_until("the stranger is told", lambda: afbr1.has("event=bgp-stranger"))
        assert "address=203.0.113.9" in told[0] and f"{CE[1]} (ce1)" in told[0], told


def test_a_reload_adds_changes_and_removes_neighbours_and_touches_no_other():
    with Mesh() as m:
        core = other(2, next_hop_self=True)
        afbr1 = m.start_afbr(1, {"afbr2": core})
        afbr2 = m.start_afbr(2, {"afbr1": other(1)})
        m.start_ce(1)
        wait_up(afbr2, "afbr1")
        say = m.change(afbr1, 1, AS, {"afbr2": core, "ce1": edge(1)}, core=CORE[1])
        assert any("ce1" in s and "new" in s for s in say), say
        wait_up(afbr1, "ce1")
        wait_until("its network is told", lambda: NETWORK[1] in routes(afbr2))
        # Another policy for it: without a reset its routes are judged again.
        m.change(afbr1, 1, AS, {"afbr2": core, "ce1": {k: v for k, v in edge(1).items() if k != "import"}}, core=CORE[1])
        wait_until("its network is withdrawn", lambda: NETWORK[1] not in routes(afbr2))
        barred = wait_until("it is kept and barred", lambda: routes(afbr1, "received", "ce1").get(NETWORK[1]))
        assert barred["barred"], barred
        assert row(afbr1, "ce1")["counters"]["established"] == 1
        m.change(afbr1, 1, AS, {"afbr2": core}, core=CORE[1])
        assert [n["name"] for n in afbr1.ask("show", "bgp", "neighbors")["neighbors"]] == ["afbr2"]
        assert row(afbr2, "afbr1")["counters"]["established"] == 1 and row(afbr1, "afbr2")["counters"]["established"] == 1
        # One that is configured to be down says why.
        m.change(afbr1, 1, AS, {"afbr2": {**core, "shutdown": True, "shutdown-text": "fibre works until noon"}}, core=CORE[1])
        wait_until("its words arrive", lambda: afbr2.has("event=bgp-down", "fibre works until noon"))


def test_clear_and_refresh_act_on_one_neighbour_and_the_words_arrive():
    with Mesh() as m:
        afbr1 = m.start_afbr(1, {"afbr2": other(2, next_hop_self=True), "ce1": edge(1)})
        afbr2 = m.start_afbr(2, {"afbr1": other(1)})
        m.start_ce(1)
        wait_up(afbr1, "afbr2", "ce1")
        assert "1 neighbor refreshed" in afbr1.table("bgp", "refresh", "afbr2", "--out")
        assert "1 neighbor refreshed" in afbr1.table("bgp", "refresh", "afbr2", "--in")
        wait_until("the other end has heard it", lambda: afbr2.has("event=bgp-refresh"))
        assert row(afbr1, "afbr2")["counters"]["established"] == 1
        assert "1 neighbor cleared" in afbr1.table("bgp", "clear", "afbr2", "--words", "grüße aus dem Keller")
        down = wait_until("the words arrive", lambda: afbr2.has("event=bgp-down"))
        assert "Administrative Reset" in down[0] and "dem Keller" in down[0] and "notification=received" in down[0], down
        wait_until("it is up again", lambda: row(afbr1, "afbr2")["counters"]["established"] == 2)
        assert row(afbr1, "ce1")["counters"]["established"] == 1
        assert "nobody: there is no such neighbor" in afbr1.node.sh("true").stdout + str(afbr1.ask("bgp", "clear", "nobody", check=False))
        afbr1.stop()
        wait_until("it has said goodbye", lambda: afbr2.has("event=bgp-down", "Administrative Shutdown"))


def kill_all(daemon):
    for pid in [*daemon.children(), daemon.pid]:
        os.kill(pid, signal.SIGKILL)
    daemon.popen.wait()


def test_a_killed_daemon_is_waited_for_and_comes_back_with_its_routes():
    with Mesh() as m:
        neighbors = {"afbr2": other(2, next_hop_self=True), "ce1": edge(1)}
        afbr1 = m.start_afbr(1, neighbors, kernel={"export": {"families": ["ipv4"]}})
        afbr2 = m.start_afbr(2, {"afbr1": other(1)})
        m.start_ce(1)
        wait_up(afbr1, "afbr2", "ce1")
        wait_until("the CE's network is known across the core", lambda: NETWORK[1] in routes(afbr2))
        wait_until("packets find it", lambda: any(r["dst"] == NETWORK[1] for r in m.afbr[1].routes(4)))
        # The engine process alone: the keeper starts another one, with the softwires' device and memory, and says that packets went on (RFC 4724).
        before = row(afbr2, "afbr1")["counters"]["established"]
        os.kill(afbr1.children()[0], signal.SIGKILL)
        wait_until("it has come back", lambda: row(afbr2, "afbr1")["counters"]["established"] > before and not routes(afbr2)[NETWORK[1]]["stale"])
        assert not afbr2.has("event=bgp-stale", "gone")
        # With the keeper, and nobody who keeps its descriptors, the softwires are gone, which it says, too.
        kill_all(afbr1)
        wait_until("its routes are kept", lambda: routes(afbr2).get(NETWORK[1], {}).get("stale"))
        assert any(r["dst"] == NETWORK[1] for r in m.afbr[1].routes(4)), "packets go on meanwhile"
        afbr1.begin_again()
        wait_up(afbr2, "afbr1")
        wait_until("they are told again", lambda: NETWORK[1] in routes(afbr2) and not routes(afbr2)[NETWORK[1]]["stale"])
        assert afbr2.has("event=bgp-stale", "gone")


def test_the_same_link_local_address_on_two_links_one_of_which_comes_late_and_goes():
    """RFC 2545, RFC 4007: who fe80::2 is depends on the interface, and an interface that is made again is another one."""
    with Lab() as m:
        afbr, ce = Node(m, "afbr", forward=True), {n: Node(m, f"ce{n}") for n in (1, 2)}
        keys = {"import": "all", "export": "all", "advertisement_interval": 0, "families": ["ipv6"]}

        def join(n):
            m.link(afbr, f"ce-{n}", ce[n], "up0")
            for node, device, address in ((afbr, f"ce-{n}", "fe80::1/64"), (ce[n], "up0", "fe80::2/64")):
                node.ip("addr", "flush", "dev", device)
                node.ip("addr", "add", address, "dev", device)

        def descriptors():
            return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pe.children())

        join(1)
        pe = Softwired(afbr, "pe", speaker(1, AS, {f"ce{n}": neighbor("fe80::2", interface=f"ce-{n}", **{"as": CE_AS[n]}, **keys) for n in (1, 2)},
                                           kernel={"export": {}}))
        wait_until("the log tells what is missing", lambda: pe.has("neighbor=ce2", "there is no interface ce-2"))
        join(2)
        for n in (1, 2):
            Softwired(ce[n], f"ce{n}", speaker(10 + n, CE_AS[n], {"pe": neighbor("fe80::1", interface="up0", **{"as": AS}, **keys)},
                                               networks=[f"2001:db8:{n}::/48"]))
        wait_up(pe, "ce1", "ce2")

        def in_kernel():
            return {r["dst"]: (r["gateway"], r["dev"]) for r in afbr.routes() if r.get("protocol") == "172"}

        both = {f"2001:db8:{n}::/48": ("fe80::2", f"ce-{n}") for n in (1, 2)}
        wait_until("each route has its link", lambda: in_kernel() == both)
        open_before = wait_until("nothing is closing", lambda: descriptors() if row(pe, "ce2")["state"] == "established" else 0)
        afbr.ip("link", "del", "ce-2")
        wait_until("the session ends with its link", lambda: pe.has("event=bgp-down", "neighbor=ce2", "interface to the neighbor is gone"), 3)
        assert is_up(pe, "ce1") and list(in_kernel()) == ["2001:db8:1::/48"]
        join(2)
        wait_up(pe, "ce2")
        wait_until("each route has its link again", lambda: in_kernel() == both)
        wait_until("no descriptor is left over", lambda: descriptors() <= open_before, 5)
