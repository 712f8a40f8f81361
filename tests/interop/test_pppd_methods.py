# SPDX-License-Identifier: GPL-2.0-or-later
"""
xl2tpd and pppd with IPv4 payload and with every way to authenticate, at either end.

The scenarios, with their topologies, are guest_methods.py (we are the concentrator) and guest_servers.py (we are the initiator).
"""
import ipaddress

import pytest
from capture import complaints, count, decode
from guest import Run

SC = "192.0.2.1"
POOL = ipaddress.ip_network("198.51.100.0/24")
METHOD = {"erin": (0xc223, 0x81), "frank": (0xc223, 5), "grace": (0xc023, None), "heidi": (0xc227, None), "judy": (0xc227, None)}


@pytest.fixture(scope="session")
def methods(tmp_path_factory):
    return Run("guest_methods.py", tmp_path_factory.mktemp("methods"))


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    return Run("guest_servers.py", tmp_path_factory.mktemp("servers"))


# ---- we are the concentrator ----

# proves: PS-5, HS-PPP-15, HS-PPP-18, HS-PROV-8, HS-L2TP-10
@pytest.mark.parametrize("user", ["erin", "frank", "grace", "judy"])
def test_pppd_gets_ipv4_from_our_concentrator(methods, user):
    got = methods[f"{user} has IPv4"]
    assert ipaddress.ip_address(got["address"]) in POOL and got["peer"] == "198.51.100.1"
    assert got["many"] and got["full"] and got["back"]


# proves: HS-PPP-21
def test_pppd_is_told_dns_servers_by_ipcp(methods):
    assert methods["erin's DNS"]
    assert count(methods.capture("erin"), f"ip.src == {SC} && ipcp.opt.pri_dns_address == 198.18.0.2") >= 1


def test_pppd_has_both_families_on_one_link(methods):
    assert methods["erin has IPv6"] and methods["erin has IPv4"]["address"] == "198.51.100.77", "the users file's address"
    assert sorted(f["name"] for f in methods["erin is up"]["families"])[:1] in (["ipv4"], ["ipv6"])


# proves: HS-PPP-10, HS-PPP-11, HS-PPP-13, SEC-HS-14
@pytest.mark.parametrize("user", list(METHOD))
def test_user_is_authenticated_the_way_that_pppd_wants(methods, user):
    assert methods[f"{user} is up"]["user"] == user
    path = methods.capture(user)
    protocol, algorithm = METHOD[user]
    agreed = decode(path, f"ip.src != {SC} && lcp && ppp.code == 2 && lcp.opt.auth_protocol", ["lcp.opt.auth_protocol", "lcp.opt.algorithm"])
    protocols = {int(line.split("\t")[0], 0) for line in agreed}
    assert protocols == {protocol}, agreed
    if algorithm:
        assert {int(line.split("\t")[1], 0) for line in agreed} == {algorithm}, agreed
    other = {0xc223: "pap || eap", 0xc023: "chap || eap", 0xc227: "pap || chap"}[protocol]
    assert count(path, other) == 0, "no other way is even tried"


# proves: SEC-HS-16, HS-PPP-12 partial
def test_certificates_prove_both_ends(methods):
    """pppd checks our certificate against its CA, we check judy's; judy has no password at all."""
    assert methods["judy is up"]["user"] == "judy" and methods["judy has IPv4"]["many"]
    assert count(methods.capture("judy"), "eap.type == 13") >= 6


# proves: HS-PPP-4 partial, HS-PPP-14, SEC-HS-17 partial
def test_who_refuses_to_authenticate_is_served_from_the_pool_for_guests(methods):
    got = methods["ivan has IPv4"]
    assert ipaddress.ip_address(got["address"]) in ipaddress.ip_network("198.18.99.0/24") and got["many"]
    assert [s["user"].startswith("anonymous/") for s in methods["ivan is nobody"]] == [True]
    assert count(methods.capture("ivan"), "chap || pap || eap") == 0


# proves: HS-PPP-13
def test_wrong_password_is_refused_by_ms_chap(methods):
    got = methods["mallory"]
    assert got["devices"] == [] and "mallory" in got["event"][0]
    assert "mallory" not in [lease["user"] for lease in methods["leases"]]


@pytest.mark.parametrize("who", ["erin", "frank", "grace", "heidi", "judy", "ivan", "mallory"])
def test_tshark_has_no_complaint_about_our_concentrator(methods, who):
    path = methods.capture(who)
    assert count(path, f"ip.src == {SC}") > 0
    assert complaints(path, f"ip.src == {SC}") == []


# ---- we are the initiator ----

# proves: PS-5, HS-PPP-15, HS-PPP-18, HS-PPP-21
def test_initiator_gets_ipv4_and_dns_servers_from_pppd(servers):
    got = servers["home"]
    s = got["softwire"]
    assert s["address4"].startswith("198.51.10.") and got["kernel"] == [f'{s["address4"]}/32'] and s["peer4"] == "198.51.10.1"
    assert set(s["dns"]) >= {"198.18.0.2", "198.18.0.3"}
    assert got["default"] == ["si-home"] and got["many"] and got["full"] and got["back"]


# proves: HS-PPP-11
@pytest.mark.parametrize("name, capture, protocol", [("home", "isp", 0xc223), ("loud", "talker", 0xc023), ("eager", "asker", 0xc227)])
def test_initiator_proves_itself_the_way_that_pppd_wants(servers, name, capture, protocol):
    s = servers[name]["softwire"] if name == "home" else servers[name]
    assert s["state"] == "up" and s["address4"]
    agreed = decode(servers.capture(capture), "lcp && ppp.code == 2 && lcp.opt.auth_protocol", ["lcp.opt.auth_protocol"])
    assert {int(line, 0) for line in agreed} == {protocol}


def test_initiator_gives_its_password_to_nobody_by_pap_unless_that_was_said(servers):
    got = servers["shy"]
    assert not got["address"], got
    assert count(servers.capture("greedy"), "pap") == 0


@pytest.mark.parametrize("name, number", [("isp", 0), ("talker", 1), ("asker", 2), ("greedy", 3)])
def test_tshark_has_no_complaint_about_our_initiator(servers, name, number):
    path, us = servers.capture(name), f"ip.src == 10.0.{number}.2"
    assert count(path, us) > 0
    assert complaints(path, us) == []


def test_no_secret_is_in_any_log_of_ours(methods, servers):
    assert methods["stopped"] == servers["stopped"] == 0
    text = methods.log("concentrator-log") + servers.log("initiator-log")
    for secret in ("erin's own", "frank speaks", "grace says", "heidi in", "what mallory", "alice and", "bob the", "carol in", "dave the", "PRIVATE KEY"):
        assert secret not in text
