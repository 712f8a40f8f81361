# SPDX-License-Identifier: GPL-2.0-or-later
"""
16: how users prove who they are, and what happens to those who do not.

    internet ---- sc ---- access ---- home

What this exercises: CHAP, MS-CHAPv2, PAP, EAP with MD5 and with certificates on both ends; that the initiator gives nothing to a concentrator that
cannot prove itself; the anonymous service, which takes an explicit word; limits of a user.
"""
import ipaddress

import pytest

from capture import count
from lab import wait_until
from scenario import LINKS6, PASSWORD, SC, WEB, Scenario

USERS = f'alice = {{ secret = "{PASSWORD}"; }};'
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def authority(lab, name):
    lab.sh("openssl", "req", "-x509", *EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "3650", cwd=lab.dir)


def certificate(lab, name, subject, ca):
    (lab.dir / "ext").write_text(f"subjectAltName=DNS:{subject}\n")
    lab.sh("openssl", "req", *EC, "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=lab.dir)
    lab.sh("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial", "-extfile", "ext", "-out", f"{name}.crt", "-days", "3650", cwd=lab.dir)
    (lab.dir / f"{name}.key").chmod(0o600)


def tls(lab, sc="sc", si="alice", sc_ca="ca", si_ca="ca", name="sc.example.net"):
    """Settings of both ends."""
    d = lab.dir
    return (f'auth = [ "eap-tls" ]; eap = {{ certificate = "{d}/{sc}.crt"; key = "{d}/{sc}.key"; ca = "{d}/{sc_ca}.crt"; }};',
            f'auth = [ "eap-tls" ]; eap = {{ certificate = "{d}/{si}.crt"; key = "{d}/{si}.key"; ca = "{d}/{si_ca}.crt"; server-name = "{name}"; }};')


def make_certificates(lab):
    for ca in ("ca", "strangers"):
        authority(lab, ca)
    certificate(lab, "sc", "sc.example.net", "ca")
    certificate(lab, "alice", "alice", "ca")
    certificate(lab, "bob", "bob", "ca")
    certificate(lab, "rogue", "sc.example.net", "strangers")
    certificate(lab, "fake", "alice", "strangers")


# proves: HS-PPP-11, HS-PPP-13, SEC-HS-14
@pytest.mark.parametrize("method, packets", [("chap", "chap"), ("ms-chap-v2", "chap"), ("eap-md5", "eap"), ("pap", "pap")])
def test_user_proves_a_password(method, packets):
    with Scenario(payload=[6], transport=4) as s:
        s.set_up(si=f'auth = [ "{method}" ];', extra=f'auth = [ "{method}" ];', users=USERS)
        s.wait_ping(s.home, 6)
        path = s.captured()
        assert count(path, packets) >= 2
        s.in_order(path, [packets, "ipv6cp"])
        assert s.sc.wait_up()["user"] == "alice" and s.sc.wait_up()["auth"]
        assert PASSWORD not in s.sc.text() + s.si.text()


@pytest.mark.parametrize("method", ["chap", "ms-chap-v2", "eap-md5", "pap"])
def test_wrong_password_is_refused_and_said_at_both_ends(method):
    with Scenario(payload=[6], transport=4) as s:
        s.start_sc(extra=f'auth = [ "{method}" ];', users='alice = { secret = "something else"; };')
        s.start_si(extra=f'auth = [ "{method}" ];')
        wait_until("the concentrator says whose password it was", lambda: s.sc.has("event=auth-failed", "alice", "wrong password"))
        wait_until("the initiator says it, too", lambda: s.si.has("event=setup-failed", "cause=user-auth"))
        assert not s.sc.softwire() and s.sc.ask("show", "leases")["leases"] == []


# proves: HS-PPP-11
def test_first_method_that_both_like_is_taken():
    with Scenario(payload=[6], transport=4) as s:
        s.set_up(si='auth = [ "ms-chap-v2" ];', extra='auth = [ "chap", "eap-md5", "ms-chap-v2" ];', users=USERS)
        path = s.captured()
        assert count(path, "lcp && ppp.code == 3") >= 1, "a Configure-Nak names the other one"
        assert count(path, "eap") == 0 and s.sc.wait_up()["user"] == "alice"


def test_password_is_never_given_by_pap_unless_that_was_said():
    with Scenario(payload=[6], transport=4) as s:
        s.start_sc(extra='auth = [ "pap" ];', users=USERS)
        s.wire = s.capture(s.home, "wan0", "udp port 1701")
        s.start_si()
        wait_until("the initiator says what it was asked for", lambda: s.si.has("event=setup-failed", "PAP"))
        assert count(s.captured(), "pap") == 0


# proves: HS-PPP-11, HS-PPP-12, SEC-HS-4 partial, SEC-HS-16
def test_certificates_prove_both_ends():
    with Scenario(payload=[6], transport=4) as s:
        make_certificates(s)
        sc, si = tls(s)
        s.set_up(si=si, extra=sc, users="alice = { };")
        s.wait_ping(s.home, 6)
        assert s.sc.wait_up()["user"] == "alice"
        assert count(s.captured(), "eap.type == 13") >= 6


# proves: SEC-HS-16
@pytest.mark.parametrize("settings, at_sc, word", [
    ({"sc": "rogue"}, False, "certificate"),
    ({"name": "other.example.net"}, False, "certificate"),
    ({"si": "fake"}, True, "certificate"),
    ({"si": "bob"}, True, "bob"),
], ids=["concentrator-of-another-authority", "concentrator-of-another-name", "user-of-another-authority", "certificate-of-another-user"])
def test_certificate_that_proves_nothing_is_refused(settings, at_sc, word):
    with Scenario(payload=[6], transport=4) as s:
        make_certificates(s)
        sc, si = tls(s, **settings)
        s.start_sc(extra=sc, users="alice = { };")
        s.start_si(extra=si)
        who = s.sc if at_sc else s.si
        wait_until("it is said who was not believed", lambda: [line for line in who.text().splitlines() if word in line and ("auth-failed" in line or "setup-failed" in line)], 15)
        assert not s.sc.softwire()


# ---- nobody in particular ----

GUESTS = 'default = { link6 = "2001:db8:100::/48"; }; guests = { link6 = "2001:db8:200::/48"; temporary = true; };'
NOBODY = 'anonymous = { pool = "guests"; limit = 1; };'


def start_nobody(s, name="initiator"):
    """An initiator that has no user at all."""
    from lab import Softwired
    s.si = Softwired(s.home, name, f"""
initiator = {{ home = {{ server = [ "{SC[4]}" ]; network = "trusted"; dns = "none"; }}; }};
""")


# proves: HS-PPP-4, HS-PPP-5, HS-PPP-14, SEC-HS-15 partial, SEC-HS-17, HS-PROV-2
@pytest.mark.parametrize("asked", [True, False], ids=["asked-and-refused", "not-asked"])
def test_anonymous_service(asked):
    with Scenario(payload=[6], transport=4) as s:
        s.start_sc(pools=GUESTS, users=USERS, extra=NOBODY + ("" if asked else " auth = [ ];") + " ingress-filter = false;")
        s.wire = s.capture(s.home, "wan0", "udp port 1701")
        start_nobody(s)
        s.si.wait_up()
        shown = s.sc.wait_up()
        assert shown["user"] == f"anonymous/{shown['id']}"
        assert ipaddress.ip_network(shown["link6"]).subnet_of(ipaddress.ip_network("2001:db8:200::/48")), "their own pool"
        s.wait_ping(s.home, 6)
        logged = wait_until("it is logged with peer and addresses", lambda: [line for line in s.sc.has("anonymous/", "203.0.113.7") if shown["link6"].split("::")[0] in line])
        assert logged
        # who nobody is must not send as somebody else, whatever the operator said about others
        s.home.ip("addr", "add", "2001:db8:100:1::1/128", "dev", "si-home")
        s.home.sh("ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-I", "2001:db8:100:1::1", WEB[6], check=False)
        assert s.sc.wait_up()["drop_spoofed"] >= 3
        path = s.captured()
        assert count(path, "chap || pap || eap") == 0
        assert (count(path, f"ip.src == {SC[4]} && lcp && ppp.code == 1 && lcp.opt.auth_protocol") > 0) == asked
        first = shown["link6"]
        s.si.stop()
        wait_until("the lease went with the softwire", lambda: s.sc.ask("show", "leases")["leases"] == [])
        start_nobody(s, "again")
        s.si.wait_up()
        assert s.sc.wait_up()["link6"] != first, "temporary addresses"


# proves: HS-PPP-14, SEC-HS-14, SEC-HS-15
def test_nobody_is_served_where_the_administrator_did_not_say_so():
    with Scenario(payload=[6], transport=4) as s:
        s.start_sc(users=USERS)
        start_nobody(s)
        wait_until("the initiator says that it would have to prove something", lambda: s.si.has("event=setup-failed"))
        assert not s.sc.softwire()


# ---- how many a user may have ----

@pytest.mark.parametrize("rule", ["replace", "refuse"])
def test_user_at_the_limit_by_the_users_own_rule(rule):
    """The operator's default is the other rule."""
    with Scenario(payload=[6], transport=4) as s:
        default = "false" if rule == "replace" else "true"
        s.set_up(users=f'alice = {{ secret = "{PASSWORD}"; at-limit = "{rule}"; }};', extra=f"replace-softwires = {default};")
        first = s.sc.wait_up()["id"]
        other, s.home = s.home, None
        from lab import Node
        s.home = Node(s, "second")
        s.wan(s.home, "wan0", s.access, "second0", "203.0.113.129/25", "203.0.113.130/25")
        before, s.si = s.si, None
        s.file("initiator", "password", PASSWORD + "\n")
        from lab import Softwired
        second = Softwired(s.home, "second", before.conf.read_text().split("\n", 3)[3])
        if rule == "replace":
            wait_until("the second has taken its place", lambda: (w := s.sc.softwire()) and w["id"] != first)
            assert before.has("replaced by a new softwire") or s.sc.has("cause=replaced")
        else:
            wait_until("the second is refused", lambda: second.has("event=setup-failed"))
            assert s.sc.softwire()["id"] == first
        s.home = other


# proves: HS-PROV-5 partial
def test_link_prefixes_of_users_are_from_their_pool():
    with Scenario(payload=[6], transport=4) as s:
        s.set_up(users=USERS)
        assert ipaddress.ip_network(s.sc.wait_up()["link6"]).subnet_of(ipaddress.ip_network(LINKS6))
