# SPDX-License-Identifier: GPL-2.0-or-later
"""
07: whose prefix it is, for how long, and what happens when it changes. Topology of home.py; where two homes are needed the second
one is behind the same NAT:

    internet6 ---- sc ---- access ---- nat ---- home ---- lan
                                         \\---- home2 ---- lan2

What this exercises: prefixes that stay over every kind of reconnect, fixed prefixes inside and outside the pools, renumbering of a
LAN that goes on working, two users, one user twice, a pool that is used up, and the operator who takes a lease away.
"""
import ipaddress

import pytest

from capture import complaints, count
from home import CONCENTRATOR, INITIATOR, USERS, WEB, second_home
from lab import secret_file, wait_until

BOB = ("bob", "tr0ub4dor and 3")


def works(home, host=None):
    host = host or home.host
    wait_until(f"{host.name} has an address", lambda: host.addresses("eth0"))
    wait_until(f"{host.name} can ping", lambda: host.ping(WEB))


def wait_new_softwire(home, old_id):
    return wait_until("a new softwire is up", lambda: (home.si.softwire() or {"id": 0})["id"] > old_id and home.si.softwire(), 15)


# ---- it stays ----

def reconnect_by_operator(home):
    up = home.si.wait_up()
    home.sc.ask("clear", "user", "alice")
    wait_new_softwire(home, up["id"])


def restart_initiator(home):
    home.si.stop()
    home.si.begin_again()


def new_home_router(home):
    """Nothing is known of the time before: another DUID."""
    home.si.stop()
    for file in (home.si.dir / "state").iterdir():
        file.unlink()
    home.si.begin_again()


def restart_concentrator(home):
    home.sc.stop()
    home.sc.begin_again()


# proves: HS-PROV-1
@pytest.mark.parametrize("event", [reconnect_by_operator, restart_initiator, new_home_router, restart_concentrator])
def test_prefix_stays_the_same_over(connected, event):
    works(connected)
    prefix, link = connected.delegated(), connected.si.wait_up()["link6"]
    event(connected)
    connected.si.wait_up()
    assert connected.wait_delegated() == prefix and connected.si.wait_up()["link6"] == link
    works(connected)
    assert len(connected.sc.show("leases")) == 1


# ---- it is fixed, and changes ----

def fixed(prefix):
    return USERS.replace('"correct horse battery staple";', f'"correct horse battery staple"; delegate = [ "{prefix}" ];')


def reload_users(home, users):
    secret_file(home.dir / "concentrator" / "users.conf", users)
    before = len(home.sc.has("event=reloaded"))
    home.sc.ask("reload")
    wait_until("the users are read", lambda: len(home.sc.has("event=reloaded")) > before)


def test_fixed_prefix_inside_the_pool(home):
    home.start_sc(users=fixed("2001:db8:8000:100::/56"))
    home.start_si()
    assert home.wait_delegated() == "2001:db8:8000:100::/56"
    works(home)


# proves: HS-DHCP-5, HS-PROV-9 partial
@pytest.mark.parametrize("prefix", ["2001:db8:f00::/48", "2001:db8:f00:1234::/64"])
def test_fixed_prefix_outside_the_pools_is_routed_while_in_use(home, prefix):
    home.start_sc(users=fixed(prefix))
    assert prefix not in [r["dst"] for r in home.sc_node.routes(6)]
    home.start_si()
    assert home.wait_delegated() == prefix
    works(home)
    assert home.internet.ping(home.wait_host_address())
    assert [r for r in home.sc_node.routes(6) if r["dst"] == prefix and r["dev"] == "sc0"]
    home.si.stop()
    wait_until("the route is gone", lambda: prefix not in [r["dst"] for r in home.sc_node.routes(6)])


def host_address_in(home, prefix):
    for a in home.host.addresses("eth0"):
        if ipaddress.ip_address(a["local"]) in ipaddress.ip_network(prefix):
            return a
    return None


# proves: HS-PROV-1 partial, HS-DHCP-5 partial
def test_changed_prefix_deprecates_the_old_one_on_the_lan(home):
    old, new = "2001:db8:8000:100::/56", "2001:db8:8000:200::/56"
    home.start_sc(users=fixed(old))
    home.start_si()
    home.wait_delegated()
    works(home)
    before = host_address_in(home, old)
    assert before["preferred_life_time"] > 0
    ra = home.capture(home.host, "eth0", "icmp6")
    up = home.si.wait_up()
    reload_users(home, fixed(new))
    assert home.si.wait_up()["id"] == up["id"], "a reload does not end softwires"
    home.sc.ask("clear", "user", "alice")
    wait_new_softwire(home, up["id"])
    wait_until("the new prefix is there", lambda: home.si.wait_up()["delegated"] == [new])
    wait_until("the host's old address is deprecated", lambda: host_address_in(home, old)["preferred_life_time"] == 0)
    after = wait_until("the host has a new address", lambda: host_address_in(home, new))
    assert after["preferred_life_time"] > 0
    routers = {a["local"]: a["preferred_life_time"] for a in home.home.addresses("lan0")}
    assert routers["2001:db8:8000:100::1"] == 0 and routers["2001:db8:8000:200::1"] > 0
    ra.stop()
    gone = "icmpv6.opt.prefix == 2001:db8:8000:100:: && icmpv6.opt.prefix.preferred_lifetime == 0"
    assert count(ra.path, f"icmpv6.type == 134 && {gone}") >= 1 and complaints(ra.path) == []
    assert {p["prefix"]: p["preferred"] == 0 for p in home.si.show("leases") if p["kind"] == "delegated"} == {old: True, new: False}

    works(home)
    source = home.host.sh("ip", "-j", "route", "get", WEB).stdout
    assert f'"prefsrc":"{after["local"]}"' in source, "the host now speaks from its new address"
    assert home.internet.ping(after["local"]) and not home.internet.ping(before["local"])
    types = [r["dst"] for r in home.home.routes(6) if r.get("type") == "unreachable"]
    assert new in types and old not in types


# ---- two users ----

# proves: HS-PROV-5, HS-PROV-1 partial
def test_two_users_never_share_a_prefix(connected):
    other = second_home(connected, *BOB)
    other.wait_up()
    bob = wait_until("bob has a prefix", lambda: other.wait_up()["delegated"])
    alice = connected.si.wait_up()
    assert not ipaddress.ip_network(bob[0]).overlaps(ipaddress.ip_network(alice["delegated"][0]))
    links = [alice["link6"], other.wait_up()["link6"]]
    assert len(set(links)) == 2 and all(ipaddress.ip_network(n).prefixlen == 64 for n in links)
    works(connected)
    works(connected, connected.host2)
    assert connected.host.ping(connected.host2.addresses("eth0")[0]["local"]), "and one home reaches the other"


@pytest.mark.parametrize("what, pool, only_one", [("delegated", "2001:db8:8000::/36", "2001:db8:8000::/56"),
                                                  ("link6", "2001:db8:100::/48", "2001:db8:100::/64")])
def test_used_up_pool_is_said_at_both_ends_and_harms_nobody(home, what, pool, only_one):
    home.start_sc(config=CONCENTRATOR.replace(pool, only_one))
    home.start_si()
    home.wait_delegated()
    works(home)
    alice, pings = home.si.wait_up(), home.host.start("ping", "-n", "-i", "0.05", WEB, log=home.dir / "ping.log")
    other = second_home(home, *BOB, config=INITIATOR.replace("server =", "backoff-max = 1; server ="))
    wait_until("bob is told why", lambda: other.has("event=setup-failed", "no address is free"))
    assert "no address is free" in other.show()[0]["last_error"]
    assert home.sc.has("event=no-address", "user=bob", "pool=default")
    assert home.sc.has("user=bob", 'reason="no address is free"')
    sequence = len(pings.text().splitlines())
    wait_until("alice still pings", lambda: len(pings.text().splitlines()) > sequence + 10)
    pings.stop()
    numbers = [int(line.split("icmp_seq=")[1].split()[0]) for line in pings.text().splitlines() if "icmp_seq=" in line]
    assert numbers == list(range(1, len(numbers) + 1)), "not one of alice's packets was lost"
    assert home.si.wait_up()["id"] == alice["id"]
    assert [x["user"] for x in home.sc.show("leases")] == ["alice"]

    home.si.stop()
    wait_until("bob gets what alice left", lambda: (other.softwire() or {}).get("delegated"), 15)
    assert other.softwire()[what] == alice[what]
    works(home, home.host2)


# ---- one user twice ----

# proves: HS-L2TP-4 partial
def test_second_softwire_of_a_user_replaces_the_first(home):
    home.start_sc()
    home.start_si(config=INITIATOR.replace("server =", "backoff-first = 60; server ="))
    prefix = home.wait_delegated()
    other = second_home(home, "alice", "correct horse battery staple")
    other.wait_up()
    wait_until("the first one is told why", lambda: home.si.has("event=down", "replaced by a new softwire of the same user"))
    assert home.si.show()[0]["state"] == "waiting" and "replaced" in home.si.show()[0]["last_error"]
    assert wait_until("the second one has the prefix", lambda: other.wait_up()["delegated"]) == [prefix]
    wait_until("one softwire is left", lambda: [s["state"] for s in home.sc.show()] == ["up"])
    works(home, home.host2)
    assert home.sc.ask("show", "counters")["counters"]["concentrator"]["concentrator"]["replaced"] == 1


def test_second_softwire_of_a_user_is_refused_where_the_operator_wants_that(home):
    home.start_sc(config=CONCENTRATOR.replace("listen =", "replace-softwires = false; listen ="))
    home.start_si()
    home.wait_delegated()
    up = home.si.wait_up()
    other = second_home(home, "alice", "correct horse battery staple")
    wait_until("the second one is told why", lambda: other.has("event=setup-failed", "as many softwires as it may"))
    assert home.si.wait_up()["id"] == up["id"]
    works(home)


def test_user_with_two_softwires_has_a_prefix_on_each(home):
    home.start_sc(users=USERS.replace('"correct horse battery staple";', '"correct horse battery staple"; softwires = 2;'))
    home.start_si()
    first = home.wait_delegated()
    other = second_home(home, "alice", "correct horse battery staple")
    second = wait_until("the other has a prefix", lambda: other.wait_up()["delegated"])[0]
    assert first != second and home.si.wait_up()["delegated"] == [first]
    works(home)
    works(home, home.host2)
    assert sorted((x["user"], x["slot"]) for x in home.sc.show("leases")) == [("alice", 0), ("alice", 1)]


# ---- the operator takes it away ----

def test_forgotten_lease_is_free_again(connected):
    works(connected)
    up, prefix = connected.si.wait_up(), connected.delegated()
    assert connected.sc.ask("forget", "alice")["forgotten"] == 1
    wait_until("the softwire ended", lambda: connected.si.has("event=down"))
    connected.si.stop()
    wait_until("nobody is connected", lambda: not connected.sc.show())
    for _ in connected.sc.show("leases"):  # it may have come back before it was stopped
        connected.sc.ask("forget", "alice")
    assert connected.sc.show("leases") == [] and up["id"] == 1
    again = connected.sc.ask("forget", "alice", check=False)
    assert again.get("forgotten") == 0 or not again["ok"]
    out = connected.internet.sh("ping", "-n", "-c1", "-W2", prefix.replace("::/56", "::1"), check=False).stdout
    assert "unreachable" in out.lower()
    connected.sc.stop()
    connected.sc.begin_again()
    assert connected.sc.show("leases") == [], "also on disk"
