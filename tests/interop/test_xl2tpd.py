# SPDX-License-Identifier: GPL-2.0-or-later
"""
Other people's software as the far end: xl2tpd and pppd, Linux's L2TP, PPP and SLAAC, dhcpcd, radvd, KAME's dhcp6s.

The scenarios, with their topologies, are guest_concentrator.py (we are the concentrator) and guest_initiator.py (we are the initiator).
"""
import ipaddress

import pytest
from capture import complaints, count, decode

SC = "192.0.2.1"
ADDRESS_OF = {"home": "192.0.2.2", "office": "198.51.100.2", "stranger": "203.0.113.2"}
CAPTURE_OF = {"home": "isp", "office": "secretive", "stranger": "strict"}
LINK_POOL, DELEGATED_POOL = ipaddress.ip_network("2001:db8:100::/48"), ipaddress.ip_network("2001:db8:8000::/36")


def network(address):
    return ipaddress.ip_network(f"{address}/64", strict=False)


# ---- we are the concentrator ----


# proves: PS-5, HS-L2TP-3 partial, HS-L2TP-5 partial, HS-PPP-10, HS-PPP-13, HS-PPP-17, HS-ND-2
@pytest.mark.parametrize("user", ["alice", "bob"])
def test_xl2tpd_and_pppd_get_ipv6_from_our_concentrator(concentrator, user):
    up, got = concentrator[f"{user} is up"], concentrator[user]
    assert got["in the kernel"], "it was Linux that carried the data at the far end"
    assert network(got["address"]) == ipaddress.ip_network(up["link6"]) and network(got["address"]).subnet_of(LINK_POOL)
    assert [r["gateway"] for r in got["default"]] == ["fe80::1"] and got["default"][0]["protocol"] == "ra"
    assert got["many"] and got["back"]


# proves: HS-PPP-1 partial
@pytest.mark.parametrize("user", ["alice", "bob"])
def test_pppd_takes_our_mru_and_a_full_packet_passes(concentrator, user):
    assert concentrator[user]["mtu"] == concentrator[f"{user} is up"]["mtu"] == 1460
    assert concentrator[user]["full"]


# proves: HS-L2TP-24, HS-PPP-12
def test_tunnel_secret_random_vectors_and_mutual_chap(concentrator):
    assert concentrator["bob is up"]["user"] == "bob"
    path = concentrator.capture("bob")
    assert count(path, "l2tp.avp.type == 11") >= 2 and count(path, "l2tp.avp.type == 13") >= 2, "a challenge in each direction, and its answer"
    assert count(path, f"ip.src != {SC} && l2tp.avp.type == 36") > 0, "xl2tpd sends Random Vectors, although it hides nothing after them"
    assert count(path, f"ip.src == {SC} && l2tp.avp.hidden == 1") == 0, "we don't"
    assert count(path, f"ip.src == {SC} && chap.code == 1") == 1 and count(path, f"ip.src != {SC} && chap.code == 1") == 1
    assert count(path, "chap.code == 3") == 2


def test_no_challenge_where_no_tunnel_secret_is_shared(concentrator):
    assert concentrator["alice is up"]
    assert count(concentrator.capture("alice"), "l2tp.avp.type == 11 || l2tp.avp.type == 13") == 0


# proves: HS-PPP-15
def test_ipcp_of_pppd_is_rejected_and_the_link_lives_on(concentrator):
    assert concentrator["bob's IPCP"], "pppd got our Protocol-Reject"
    path = concentrator.capture("bob")
    assert count(path, f"ip.src == {SC} && lcp && ppp.code == 8") >= 1
    asked = set(decode(path, f"ip.src == {SC} && ppp.code == 1 && !chap", ["ppp.protocol"]))
    assert {int(p, 16) for p in asked} == {0xc021, 0x8057}, f"we negotiate LCP and IPV6CP only: {asked}"
    assert concentrator["bob"]["many"]


# proves: HS-DHCP-3, HS-DHCP-5 partial, HS-AAA-9 partial
def test_dhcpcd_is_delegated_a_prefix(concentrator):
    got = concentrator["delegation"]
    lease = got["lease"]
    prefix = ipaddress.ip_network(lease["delegated"][0])
    assert prefix.prefixlen == 56 and prefix.subnet_of(DELEGATED_POOL)
    assert ipaddress.ip_address(got["address"]) in prefix and got["back"], "dhcpcd has numbered lan0 from it, and it is reachable"
    assert lease["duid"] == "00030001020000000001"
    assert concentrator.log("concentrator-log").count("event=released") == 1


# proves: HS-PPP-13, HS-OAM-4 partial
def test_wrong_password_is_refused(concentrator):
    got = concentrator["carol"]
    assert "wrong user name or password" in got["pppd"][0] and "wrong password" in got["event"][0]
    assert sorted(got["leases"]) == ["alice", "bob"] and got["addresses"] == []
    assert count(concentrator.capture("carol"), "ipv6cp && ip.src == 192.0.2.1") == 0


# proves: HS-L2TP-25
def test_wrong_tunnel_secret_is_refused_before_ppp(concentrator):
    got = concentrator["dave"]
    assert "the Challenge Response is wrong" in got["xl2tpd"][0], "xl2tpd shows our reason"
    assert got["ppp"] == []
    assert count(concentrator.capture("dave"), "l2tp.avp.message_type == 11 || ppp") == 0, "neither ICRP nor PPP"


# proves: HS-L2TP-30 partial
def test_hellos_are_answered_in_both_scenarios(concentrator, initiator):
    assert concentrator["hello"] and initiator["hello"]
    assert count(concentrator.capture("bob"), f"ip.src == {SC} && l2tp.avp.message_type == 6") >= 1
    assert count(initiator.capture("isp"), "ip.src == 192.0.2.2 && l2tp.avp.message_type == 6") >= 1


# proves: HS-PROV-1 partial, HS-L2TP-32 partial
def test_client_that_was_thrown_out_is_told_and_comes_back_to_its_prefix(concentrator):
    got = concentrator["thrown out"]
    assert any("cleared by the operator" in line for line in got["xl2tpd"])
    assert got["before"]["link6"] == got["after"]["link6"] and got["before"]["id"] != got["after"]["id"]


# proves: HS-L2TP-33 partial
def test_xl2tpd_hangs_up(concentrator):
    assert "cause=peer" in concentrator["bob hangs up"] and "StopCCN" in concentrator["bob hangs up"]
    assert concentrator["bob's device is gone"]
    assert concentrator["stopped"] == 0


# ---- we are the initiator ----


# proves: PS-5, HS-L2TP-1 partial, HS-L2TP-3 partial, HS-ND-1, HS-ND-3, HS-DHCP-2, HS-DHCP-4
def test_initiator_gets_ipv6_for_its_lan_from_xl2tpd(initiator):
    got = initiator["home"]
    s = got["softwire"]
    assert s["state"] == "up" and s["user"] == "alice"
    assert s["link6"] == "2001:db8:9::/64" and network(s["address6"]) == ipaddress.ip_network(s["link6"]), "radvd's prefix"
    assert s["delegated"] == ["2001:db8:100::/56"], "dhcp6s's prefix"
    assert ipaddress.ip_address(got["lan"]) in ipaddress.ip_network(s["delegated"][0])
    assert s["dns"] == ["2001:db8:1::2"]
    assert [r["dev"] for r in got["default"]] == ["si-home"]
    assert got["many"] and got["back"]


def test_initiator_obeys_the_mtu_that_radvd_announces(initiator):
    assert initiator["home"]["mtu"] == 1400 and initiator["home"]["full"]


# proves: HS-L2TP-24, HS-PPP-12, HS-PPP-15, HS-PPP-16
def test_initiator_with_tunnel_secret_mutual_chap_and_ipcp_rejected(initiator):
    got = initiator["office"]
    assert got["softwire"]["state"] == "up" and got["rejected"]
    assert got["tunnel"][0]["state"] == "established"
    path, us = initiator.capture("secretive"), ADDRESS_OF["office"]
    assert count(path, "l2tp.avp.type == 11") >= 2 and count(path, "l2tp.avp.type == 13") >= 2
    assert count(path, f"ip.src != {us} && l2tp.avp.type == 36") > 0 and count(path, f"ip.src == {us} && l2tp.avp.hidden == 1") == 0
    assert count(path, "chap.code == 3") == 2
    asked = {int(p, 16) for p in decode(path, f"ip.src == {us} && ppp.code == 1 && !chap", ["ppp.protocol"])}
    assert asked == {0xc021, 0x8057}, asked


def test_initiator_says_that_pppd_refused_its_password(initiator):
    got = initiator["stranger"]
    assert "cause=user-auth" in got["event"][0] and "step=auth" in got["event"][0]
    assert "Access denied" in got["softwire"]["last_error"]


# proves: HS-L2TP-33 partial
def test_initiator_comes_back_when_pppd_ends(initiator):
    got = initiator["thrown out"]
    assert got["softwire"]["reconnects"] == 1 and "event=down" in got["event"]
    assert got["seconds"] < 10


# proves: HS-L2TP-33 partial
def test_initiator_ends_in_good_order(initiator):
    assert initiator["stopped"] == 0
    got = initiator["after"]
    assert got["lan0"] == [] and got["ppp"] and any("shuts down" in line for line in got["isp"])


# ---- both ----


# proves: HS-L2TP-12 partial
@pytest.mark.parametrize("softwire", ["alice", "bob"])
def test_order_of_the_set_up_with_xl2tpd(concentrator, softwire):
    path = concentrator.capture(softwire)
    types = [t for t in decode(path, "l2tp.type == 1 && l2tp.avp.message_type", ["l2tp.avp.message_type"]) if t and t != "6"]
    assert types[:6] == ["1", "2", "3", "10", "11", "12"], types


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dave"])
def test_tshark_has_no_complaint_about_our_concentrator(concentrator, who):
    path = concentrator.capture(who)
    assert count(path, f"ip.src == {SC}") > 0
    assert complaints(path, f"ip.src == {SC}") == []


@pytest.mark.parametrize("name", ["home", "office", "stranger"])
def test_tshark_has_no_complaint_about_our_initiator(initiator, name):
    path, us = initiator.capture(CAPTURE_OF[name]), f"ip.src == {ADDRESS_OF[name]}"
    assert count(path, us) > 0
    assert complaints(path, us) == []


# pppd takes some tenths of a second from ICCN until it listens; our first Configure-Request is lost then (ppp/automaton.h).
def test_set_up_does_not_wait_for_the_restart_timer(concentrator, initiator):
    times = [concentrator["alice is up"]["setup_ms"], concentrator["bob is up"]["setup_ms"], initiator["home"]["softwire"]["setup_ms"],
             initiator["office"]["softwire"]["setup_ms"]]
    assert max(times) < 2500, times


def test_no_secret_is_in_any_log_of_ours(concentrator, initiator):
    assert concentrator["stopped"] == initiator["stopped"] == 0
    text = concentrator.log("concentrator-log") + initiator.log("initiator-log")
    for secret in ("alice and the queen", "bob the builder", "what the server knows", "dug by both of us", "something else", "carol in winter"):
        assert secret not in text
