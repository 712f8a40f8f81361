# SPDX-License-Identifier: GPL-2.0-or-later
"""
18: addresses and subnets of IPv4: whose they are, for how long, and that nobody uses those of others.

    internet ---- sc ---- access ---- home ---- lan

What this exercises: a user keeps address and subnet over everything that may happen; fixed and pooled ones; pools that run out; spoofed sources; hosts
outside the pools; reverse zones.
"""
import ipaddress

import pytest

from lab import Node, Softwired, wait_until
from scenario import PASSWORD, POOL4, SC, SUBNETS4, WEB, Scenario


def kept(s):
    return s.assert_host4(), s.assert_router4()


# proves: HS-PROV-1, HS-PROV-8, PS-13, PS-14 partial, PS-18 partial
@pytest.mark.parametrize("event", ["reconnect", "other-address", "concentrator-restart", "initiator-without-memory", "killed-concentrator"])
def test_address_and_subnet_stay_the_same_over(event):
    with Scenario(payload=[4], transport=6, router=True) as s:
        s.set_up()
        first = kept(s)
        was = s.sc.wait_up()["id"]
        if event == "reconnect":
            s.sc.ask("clear", "user", "alice")
        elif event == "other-address":
            s.home.ip("-6", "addr", "del", "2001:db8:ce::7/64", "dev", "wan0")
            s.home.ip("-6", "addr", "add", "2001:db8:ce::99/64", "dev", "wan0", "nodad")
            s.home.ip("-6", "route", "replace", "default", "via", "2001:db8:ce::fe")
        elif event == "initiator-without-memory":
            s.si.stop()
            for file in (s.si.dir / "state").glob("*"):
                file.unlink()
            s.si.begin_again()
        else:
            if event == "killed-concentrator":
                for child in s.sc.children():
                    s.sh("kill", "-9", child)
                s.sc.popen.kill()
                s.sc.popen.wait()
            else:
                s.sc.stop()
            s.sc.begin_again()
            was = 0
        # traffic that is not answered is what makes the initiator look
        wait_until("there is another softwire", lambda: s.home.ping(WEB[4]) and (w := s.sc.softwire()) and w["id"] != was and s.si.softwire(), 60)
        assert kept(s) == first
        s.wait_ping(s.home, 4)


# proves: HS-PROV-6, HS-PROV-13, HS-DHCP-5, HS-DHCP-8
@pytest.mark.parametrize("address, subnet", [("198.51.100.7", "198.18.64.128/28"), ("203.0.113.200", "198.18.200.0/29")], ids=["inside", "outside"])
def test_fixed_address_and_subnet(address, subnet):
    """What lies outside the pools has routes of its own at the concentrator, as long as it is in use."""
    with Scenario(payload=[4], transport=6, router=True) as s:
        s.set_up(users=f'alice = {{ secret = "{PASSWORD}"; ipv4 = "{address}"; delegate4 = "{subnet}"; }};')
        wait_until("that address is used", lambda: [a["local"] for a in s.home.addresses("si-home", 4)] == [address])
        shown = s.shown("that subnet is used", lambda w: w["subnets"] == [subnet])
        assert shown["address4"] == address
        first = str(ipaddress.ip_network(subnet)[1])
        wait_until("the LAN's end is reached from the internet", lambda: s.internet.ping(first) and s.internet.ping(address))
        outside = not ipaddress.ip_address(address) in ipaddress.ip_network(POOL4)
        mine = {r["dst"] for r in s.sc_node.routes(4) if r.get("dev") == "sc0"}
        assert ({address, subnet} <= mine) == outside, mine
        s.si.stop()
        wait_until("no route is left", lambda: not {address, subnet} & {r["dst"] for r in s.sc_node.routes(4) if r.get("dev") == "sc0"})


# proves: SEC-HS-20, SEC-HS-21
def test_source_that_was_not_given_is_dropped():
    with Scenario(payload=[4, 6], transport=4) as s:
        s.set_up()
        s.assert_host4()
        s.wait_ping(s.home, 4)
        before = s.sc.wait_up()["drop_spoofed"]
        s.home.ip("addr", "add", "198.51.100.250/32", "dev", "si-home")
        s.home.sh("ping", "-n", "-c", "5", "-i", "0.2", "-W", "1", "-I", "198.51.100.250", WEB[4], check=False)
        assert s.sc.wait_up()["drop_spoofed"] - before == 5
        assert s.home.ping(WEB[4]), "the right one still works"


def test_used_up_pool_is_said_at_both_ends():
    """A /30 has two addresses, one of which is ours."""
    with Scenario(payload=[4], transport=6) as s:
        s.set_up(pools='default = { ipv4 = "198.51.100.0/30"; };', users=f'alice = {{ secret = "{PASSWORD}"; }}; bob = {{ secret = "{PASSWORD}"; }};')
        assert str(wait_until("the only address is given", lambda: s.si.softwire()["address4"])) == "198.51.100.2"
        other = Node(s, "second")
        s.wan(other, "wan0", s.access, "second0", "2001:db8:ce:9::fe/64", "2001:db8:ce:9::7/64")
        second = Softwired(other, "second", s.si.conf.read_text().split("\n", 3)[3].replace('user = "alice"', 'user = "bob"'))
        wait_until("the second is told", lambda: second.has("event=setup-failed", "no address is free"))
        wait_until("the log says which pool", lambda: s.sc.has("event=no-address", "pool=default"))
        assert s.sc.softwire()["user"] == "alice" and s.home.ping(WEB[4])


def test_unassigned_addresses_of_the_pools_lead_nowhere():
    with Scenario(payload=[4], transport=6) as s:
        s.set_up()
        mine = s.assert_host4()
        free = next(str(a) for a in ipaddress.ip_network(POOL4).hosts() if str(a) not in ("198.51.100.1", str(mine)))
        out = s.internet.sh("ping", "-n", "-c", "1", "-W", "1", free, check=False).stdout
        assert "Unreachable" in out or "unreachable" in out, out
        out = s.internet.sh("ping", "-n", "-c", "1", "-W", "1", str(ipaddress.ip_network(SUBNETS4)[77]), check=False).stdout
        assert "nreachable" in out, out


# proves: HS-PROV-12
def test_reverse_zones_of_users():
    with Scenario(payload=[4, 6], transport=4, router=True) as s:
        pools = (f'default = {{ link6 = "2001:db8:100::/48"; delegate = {{ from = "2001:db8:8000::/36"; length = 61; }}; ipv4 = "{POOL4}"; '
                 f'delegate4 = {{ from = "{SUBNETS4}"; length = 25; }}; nameservers = [ "ns1.example.net", "ns2.example.net" ]; }};')
        s.set_up(pools=pools)
        s.shown("everything is there", lambda w: w["delegated"] and w["subnets"])
        text = s.sc.table("show", "reverse-zone", "alice")
        records = [line for line in text.splitlines() if " IN NS " in line]
        six = {line.split()[0] for line in records if line.split()[0].endswith("ip6.arpa.")}
        four = {line.split()[0] for line in records if line.split()[0].endswith("in-addr.arpa.")}
        assert (len(six), len(four)) == (8, 128), "a /61 takes 8 nibbles of a /64, a /25 takes 128 addresses"
        assert len(records) == 2 * (8 + 128), "for each name server"
        assert all(len(line.split()) == 4 for line in records)
        rows = s.sc.ask("show", "reverse-zone")["reverse_zones"]
        assert {r["prefix"] for r in rows} == {s.si.softwire()["delegated"][0], s.si.softwire()["subnets"][0]}


# proves: HS-PROV-2
def test_temporary_pool_gives_other_addresses_each_time():
    with Scenario(payload=[4], transport=6) as s:
        s.set_up(pools='default = { ipv4 = "198.51.0.0/16"; temporary = true; };')
        seen = set()
        for _ in range(3):
            before = s.sc.wait_up()["id"]
            seen.add(wait_until("an address", lambda: s.si.softwire() and s.si.softwire()["address4"]))
            s.wait_ping(s.home, 4)  # the kernel drops the route with the old address: it is set again
            s.sc.ask("clear", "user", "alice")
            wait_until("there is another softwire", lambda: (w := s.sc.softwire()) and w["id"] != before, 20)
        assert len(seen) == 3
        assert len(s.sc.ask("show", "leases")["leases"]) == 1


# proves: PS-6 partial, HS-SCEN-9 partial
def test_route_to_the_concentrator_never_leads_through_the_softwire():
    """IPv4 in IPv4, with the default route in the softwire: its own packets go the native way."""
    with Scenario(payload=[4], transport=4) as s:
        s.set_up(si="metric = 1;")
        s.home.ip("route", "add", "default", "via", "203.0.113.254", "metric", "100")
        s.assert_host4()
        s.wait_ping(s.home, 4)
        assert s.home.ping(WEB[4], count=5)
        before = s.sc.wait_up()["id"]
        s.sc.ask("clear", "user", "alice")
        wait_until("it can connect again", lambda: (w := s.sc.softwire()) and w["id"] != before, 20)
        s.wait_ping(s.home, 4)
        assert SC[4] not in {r["dst"] for r in s.home.routes(4)}
