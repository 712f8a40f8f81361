# SPDX-License-Identifier: GPL-2.0-or-later
"""All four encapsulations, and dual-stack softwires over either transport. See README.md."""
import pytest

from capture import count
from lab import wait_until
from scenario import WEB, Scenario


# proves: HS-L2TP-8, HS-L2TP-9, HS-L2TP-10, HS-L2TP-11, PS-29 partial, PS-1 partial
@pytest.mark.parametrize("transport", [4, 6])
@pytest.mark.parametrize("payload", [4, 6])
def test_encapsulation(payload, transport):
    with Scenario(payload=[payload], transport=transport, router=True) as s:
        s.set_up(si=s.dnsmasq())
        s.assert_router6() if payload == 6 else s.assert_router4()
        if payload == 4:
            s.dhcp_on_lan()
        s.wait_ping(s.host, payload)
        s.assert_fetches(s.host, payload)
        s.assert_encapsulation(s.captured())
        shown = s.sc.wait_up()
        assert shown["families"] == [{"afi": 1 if payload == 4 else 2, "safi": 1, "name": f"ipv{payload}"}]
        assert shown["mtu"] == (1460 if transport == 4 else 1440)


# proves: HS-PPP-15, PS-29 partial, HS-SCEN-10
@pytest.mark.parametrize("transport", [4, 6])
def test_both_families_share_one_softwire(transport):
    with Scenario(payload=[4, 6], transport=transport, router=True) as s:
        s.set_up(si=s.dnsmasq())
        prefix, subnet = s.assert_router6(), s.assert_router4()
        s.dhcp_on_lan()
        for family in (4, 6):
            s.wait_ping(s.host, family)
            s.assert_fetches(s.host, family)
        shown = s.shown("DNS servers of both families", lambda w: set(w["dns"]) == {WEB[4], WEB[6]})
        assert (shown["delegated"], shown["subnets"]) == ([str(prefix)], [str(subnet)])
        assert sorted(f["name"] for f in s.sc.wait_up()["families"]) == ["ipv4", "ipv6"]
        path = s.captured()
        s.assert_encapsulation(path)
        assert count(path, "ipcp") and count(path, "ipv6cp")
        assert count(path, "l2tp.avp.message_type == 1") == 1, "one tunnel"


# proves: HS-PPP-15 partial, HS-PPP-20 partial
@pytest.mark.parametrize("missing", [4, 6])
def test_family_that_the_concentrator_does_not_have_is_done_without(missing):
    """The initiator wants both; the concentrator rejects one NCP; the other family works."""
    have = 10 - missing
    with Scenario(payload=[4, 6], transport=4, router=False) as s:
        pool = {6: 'link6 = "2001:db8:100::/48";', 4: 'ipv4 = "198.51.100.0/24";'}[have]
        s.set_up(pools="default = { " + pool + " };")
        s.wait_ping(s.home, have)
        wait_until("it is said what is missing", lambda: s.si.has("event=family-refused", f"family=ipv{missing}"), 25)
        assert [f["name"] for f in s.si.wait_up()["families"]] == [f"ipv{have}"]
        assert not s.home.ping(WEB[missing])
