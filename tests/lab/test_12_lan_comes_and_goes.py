# SPDX-License-Identifier: GPL-2.0-or-later
"""
12: LAN interfaces that go down, come late, or are made anew. Topology of home.py.

What this exercises: what the daemon gave to an interface is put back when the kernel has dropped it; an interface that does not exist at
start (a bridge, Wi-Fi) is served as soon as it is there. No reconnect is needed for either.
"""
from home import INITIATOR, WEB
from lab import wait_until


def test_lan_that_went_down_and_up_is_served_again(connected):
    connected.wait_host_address()
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    connected.home.ip("link", "set", "lan0", "down")
    wait_until("the kernel has dropped the address", lambda: not connected.home.addresses("lan0"))
    connected.home.ip("link", "set", "lan0", "up")
    wait_until("the address is back", lambda: connected.home.addresses("lan0"), 10)
    wait_until("the host can ping again", lambda: connected.host.ping(WEB), 15)
    assert connected.si.has("event=lan-restored", "device=lan0")
    assert connected.si.wait_up()["reconnects"] == 0


def test_flushed_address_is_put_back(connected):
    connected.wait_host_address()
    connected.home.ip("-6", "addr", "flush", "dev", "lan0", "scope", "global")
    wait_until("the address is back", lambda: connected.home.addresses("lan0"), 10)


def test_lan_that_comes_late_is_served(home):
    home.start_sc()
    home.start_si(config=INITIATOR.replace('"lan0"', '"br0"'))
    home.wait_delegated()
    assert wait_until("it is said", lambda: home.si.has("event=lan-missing", "device=br0"))
    for _ in range(2):  # made, and made anew
        home.host.ip("-6", "addr", "flush", "dev", "eth0", "scope", "global")
        home.home.ip("link", "add", "br0", "type", "bridge")
        home.home.ip("link", "set", "lan0", "master", "br0")
        home.home.ip("link", "set", "br0", "up")
        wait_until("the bridge has its address", lambda: home.home.addresses("br0"), 10)
        home.wait_host_address()
        wait_until("the host can ping", lambda: home.host.ping(WEB), 15)
        home.home.ip("link", "del", "br0")
    assert home.si.wait_up()["reconnects"] == 0
