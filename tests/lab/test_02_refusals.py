# SPDX-License-Identifier: GPL-2.0-or-later
"""
02: who does not get in, and what does not get through. Topology of home.py.

What this exercises: wrong passwords and secrets (a clear reason at both ends, no address leaked), mutual authentication against a
rogue concentrator, spoofed inner sources, a public network without protection.
"""
import subprocess

from home import CONCENTRATOR, INITIATOR, SC_ADDRESS, USERS, WEB
from lab import BUILD, secret_file, wait_until

SPOOF = """
import socket, sys
from scapy.all import IPv6, UDP, Raw
fd = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0x86dd)
fd.bind((sys.argv[1], 0x86dd))
for n in range(20):
    fd.send(bytes(IPv6(src=sys.argv[2], dst=sys.argv[3]) / UDP(sport=1, dport=9) / Raw(b"spoofed")))
"""


def fail_to_connect(home, *reason):
    """The initiator tries, fails, says why, and goes on trying; nothing of an address is anywhere."""
    wait_until("the initiator says why", lambda: home.si.has("event=setup-failed", *reason), 20)
    s = home.si.show("softwires")[0]
    assert s["state"] != "up" and s["address6"] is None and s["delegated"] == []
    assert not home.home.addresses("si-home") and not home.home.addresses("lan0")
    assert home.sc.show("leases") == [], "no lease for somebody who did not prove anything"
    assert home.sc.softwire() is None
    return s


# proves: HS-PPP-10, HS-PPP-13, SEC-HS-14 partial, HS-OAM-4
def test_wrong_password_has_a_clear_reason_at_both_ends(home):
    home.start_sc()
    home.start_si(password="not the password")
    s = fail_to_connect(home, "step=auth", "wrong user name or password")
    assert "wrong user name or password" in s["last_error"]
    assert home.sc.has("event=auth-failed", "user=alice", "wrong password")
    assert home.sc.show("softwires") == [] or home.sc.show("softwires")[0]["link6"] is None
    assert "not the password" not in home.sc.text() + home.si.text()


def test_unknown_user_is_told_the_same_as_a_wrong_password(home):
    home.start_sc()
    home.start_si(user="mallory")
    s = fail_to_connect(home, "step=auth")
    assert "wrong user name or password" in s["last_error"]
    assert home.sc.has("event=auth-failed", "unknown user")


SECRET_USERS = USERS + 'peers = ( { address = "203.0.113.0/24"; tunnel-secret = "between the two of us"; } );\n'


def with_tunnel_secret(home, text):
    path = home.write("initiator", "tunnel-secret", text + "\n")
    return INITIATOR.replace('user = "{user}";', f'user = "{{user}}"; tunnel-secret-file = "{path}";')


# proves: HS-L2TP-24 partial
def test_tunnel_secret_is_checked_in_both_directions(home):
    home.start_sc(users=SECRET_USERS)
    home.start_si(config=with_tunnel_secret(home, "between the two of us"))
    home.si.wait_up()


# The initiator, who sees the wrong response first, refuses: what the concentrator does by itself comes next.
# proves: HS-L2TP-24 partial, HS-L2TP-25 partial
def test_wrong_tunnel_secret_is_refused_before_ppp(home):
    home.start_sc(users=SECRET_USERS)
    capture = home.capture(home.home, "wan0", "udp port 1701")
    home.start_si(config=with_tunnel_secret(home, "something else"))
    fail_to_connect(home, "step=tunnel", "cause=tunnel-auth")
    capture.stop()
    from capture import complaints, count
    assert count(capture.path, "l2tp.avp.message_type == 10 || ppp") == 0, "neither a session nor PPP"
    assert complaints(capture.path) == []


# An initiator that does not care who the concentrator is: it answers the Challenge as it can, and asks for a session whatever comes back.
CARELESS = """
import hashlib, socket, struct, sys
def avp(kind, value):
    return struct.pack("!HHH", 0x8000 | len(value) + 6, 0, kind) + value
def send(tunnel, ns, nr, *avps):
    body = b"".join(avps)
    s.send(struct.pack("!HHHHHH", 0xc802, len(body) + 12, tunnel, 0, ns, nr) + body)
def receive():
    while True:
        packet = s.recv(2000)
        got, at = {}, 12
        while at < len(packet):
            head, vendor, kind = struct.unpack_from("!HHH", packet, at)
            got[kind] = packet[at + 6:at + (head & 0x3ff)]
            at += head & 0x3ff
        if 0 in got:
            return got
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.connect((sys.argv[1], 1701))
send(0, 0, 0, avp(0, b"\\0\\1"), avp(2, b"\\1\\0"), avp(3, b"\\0\\0\\0\\3"), avp(7, b"careless"), avp(9, b"\\0\\7"), avp(11, b"c" * 16))
sccrp = receive()
tunnel = struct.unpack("!H", sccrp[9])[0]
response = hashlib.md5(b"\\3" + sys.argv[2].encode() + sccrp[11]).digest()
send(tunnel, 1, 1, avp(0, b"\\0\\3"), avp(13, response))
send(tunnel, 2, 1, avp(0, b"\\0\\12"), avp(14, b"\\0\\7"), avp(15, b"\\0\\0\\0\\1"))
got = receive()
print(struct.unpack("!H", got[0])[0], got[1][:2].hex() if 1 in got else "")
"""


# proves: HS-L2TP-24, HS-L2TP-25
def test_concentrator_refuses_a_wrong_tunnel_secret_itself(home):
    home.start_sc(users=SECRET_USERS)
    script = home.dir / "careless.py"
    script.write_text(CARELESS)
    capture = home.capture(home.home, "wan0", "udp port 1701")
    out = home.home.sh("/usr/bin/python3", script, SC_ADDRESS, "something else").stdout
    assert out.split() == ["4", "0004"], f"StopCCN, not authorized: {out}"
    assert home.sc.has("cause=tunnel-auth", "the Challenge Response is wrong")
    capture.stop()
    from capture import count
    assert count(capture.path, "l2tp.avp.message_type == 11 || ppp") == 0, "neither a session nor PPP"
    out = home.home.sh("/usr/bin/python3", script, SC_ADDRESS, "between the two of us").stdout
    assert out.split() == ["11"], f"ICRP for who knows the secret: {out}"


MUTUAL_USERS = USERS.replace('"correct horse battery staple";', '"correct horse battery staple"; server-secret = "I am really the one";')


def with_server_password(home, text):
    path = home.write("initiator", "server-password", text + "\n")
    return INITIATOR.replace('user = "{user}";', f'user = "{{user}}"; server-password-file = "{path}";')


# proves: SEC-HS-16, HS-PPP-12
def test_mutual_authentication_lets_the_real_concentrator_pass(home):
    home.start_sc(users=MUTUAL_USERS)
    home.start_si(config=with_server_password(home, "I am really the one"))
    assert home.si.wait_up()["setup_ms"] < 2500, "whoever proves itself last does not wait for a retransmission"
    home.wait_delegated()


# proves: SEC-HS-16
def test_rogue_concentrator_is_found_out(home):
    home.start_sc(users=MUTUAL_USERS)
    home.start_si(config=with_server_password(home, "what the real one knows"))
    wait_until("the initiator says why", lambda: home.si.has("event=setup-failed", "step=auth"), 20)
    s = home.si.show("softwires")[0]
    assert s["state"] != "up" and s["address6"] is None and not home.home.addresses("si-home")
    assert "prove" in s["last_error"]


# proves: SEC-HS-20
def test_spoofed_inner_source_is_dropped_and_counted(connected):
    connected.start_web()
    connected.wait_host_address()
    wait_until("the host can ping", lambda: connected.host.ping(WEB))
    watch = connected.capture(connected.internet, "up0", "ip6 and udp port 9")
    # From the initiator's own device: a compromised home router that sends what is not its.
    script = connected.dir / "spoof.py"
    script.write_text(SPOOF)
    connected.home.sh("ip", "-6", "route", "replace", WEB, "dev", "si-home")
    connected.home.sh("/usr/bin/python3", script, "si-home", "2001:db8:bad::1", WEB, check=False)
    connected.home.sh("ip", "-6", "addr", "add", "2001:db8:bad::1/128", "dev", "lo")
    connected.home.sh("ping", "-n", "-c", 5, "-i", "0.1", "-W1", "-I", "2001:db8:bad::1", WEB, check=False)
    dropped = wait_until("the drops are counted", lambda: connected.sc.wait_up()["drop_spoofed"], 10)
    assert dropped >= 5
    assert connected.sc.ask("show", "counters")["counters"]["concentrator"]["dataplane"]["drop_spoofed"] == dropped
    watch.stop()
    out = subprocess.run(["tcpdump", "-n", "-r", watch.path, "ip6 src 2001:db8:bad::1"], capture_output=True, text=True).stdout
    assert out == "", "nothing spoofed reached the internet"
    assert connected.host.ping(WEB), "honest traffic goes on"


# proves: SEC-HS-18 partial
def test_chap_on_a_public_network_needs_an_explicit_word(home):
    path = home.dir / "public.conf"
    home.write("concentrator", "users.conf", USERS)
    text = CONCENTRATOR.format(dir=home.dir / "concentrator")
    path.write_text(text.replace('network = "trusted"; ', 'network = "public"; '))
    run = subprocess.run([BUILD / "src/softwired", "-t", "-c", path], capture_output=True, text=True)
    assert run.returncode == 1 and "unprotected-chap" in run.stderr and "public.conf:4:" in run.stderr, run.stderr
    path.write_text(text.replace('network = "trusted"; ', 'network = "public"; unprotected-chap = true; '))
    run = subprocess.run([BUILD / "src/softwired", "-t", "-c", path], capture_output=True, text=True)
    assert run.returncode == 0 and "warning" in run.stderr, run.stderr


def test_users_file_that_others_can_read_is_refused(home):
    users = home.write("concentrator", "users.conf", USERS)
    users.chmod(0o644)
    path = home.dir / "open.conf"
    path.write_text(CONCENTRATOR.format(dir=home.dir / "concentrator"))
    run = subprocess.run([BUILD / "src/softwire", "check", path], capture_output=True, text=True)
    assert run.returncode == 1 and "0644" in run.stdout + run.stderr, run.stdout + run.stderr
    secret_file(users, USERS)
    run = subprocess.run([BUILD / "src/softwire", "check", path], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
