# SPDX-License-Identifier: GPL-2.0-or-later
"""
14: strangers at port 1701: many requests, bad requests, restarted peers. Topology of home.py; the stranger sits on the access router.

What this exercises: half-open tunnels are counted until their memory is free again, per source and in all; refusals and hints are limited,
so that the concentrator is no mirror for forged addresses; a home that wants in gets in all the while.
"""
import json

from capture import decode
from home import CONCENTRATOR
from lab import wait_until

# Sends N SCCRQs from one port, each with a tunnel id of its own, and prints how many answers of how many bytes came within a second of silence.
STRANGER = r"""
import json, socket, struct, sys
kind, count = sys.argv[1], int(sys.argv[2])
def avp(t, value, flags=0x8000):
    return struct.pack("!HHH", flags | 6 + len(value), 0, t) + value
def sccrq(tunnel):
    body = avp(0, struct.pack("!H", 1)) + avp(2, b"\x01\x00") + avp(3, struct.pack("!I", 3)) + avp(7, b"stranger")
    body += avp(9, struct.pack("!H", tunnel))
    if kind == "challenge":
        body += avp(11, b"0123456789abcdef")
    elif kind == "bad":
        body += avp(4095, b"what?")
    return struct.pack("!HHHHHH", 0xc802, 12 + len(body), 0, 0, 0, 0) + body
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
s.connect(("192.0.2.1", 1701))
sent = answers = got = 0
def drain(timeout):
    global answers, got
    s.settimeout(timeout)
    try:
        while True:
            got += len(s.recv(2048))
            answers += 1
    except (TimeoutError, BlockingIOError):
        pass
for n in range(1, count + 1):
    packet = sccrq(n)
    s.send(packet)
    sent += len(packet)
    if n % 100 == 0:
        drain(0.001)
drain(1)
print(json.dumps({"sent": sent, "answers": answers, "got": got}))
"""


def stranger(home, kind, count):
    script = home.dir / "stranger.py"
    script.write_text(STRANGER)
    return json.loads(home.access.sh("/usr/bin/python3", script, kind, count).stdout)


def role_counters(home):
    counters = home.sc.ask("show", "counters")["counters"]["concentrator"]
    return {**counters["concentrator"], **counters["now"]}


LIMITED = CONCENTRATOR.replace('network = "trusted";', 'network = "trusted"; half-open-per-source = 50; waiting-per-source = 100; max-softwires = 500;')


# proves: SEC-HS-22 partial, HS-L2TP-25 partial
def test_half_open_tunnels_of_a_source_are_limited_until_they_are_gone(home):
    home.start_sc(config=LIMITED)
    for kind in ("plain", "challenge"):
        stranger(home, kind, 1000)
        now = role_counters(home)
        assert now["refused_source"] > 0 and now["softwires"] <= 60, f"{kind}: {now}"
        home.sc.ask("clear", "all")
        wait_until("nothing is kept of them", lambda: role_counters(home)["softwires"] == 0, 20)
    stranger(home, "challenge", 1000)
    home.start_si()
    home.si.wait_up()


# proves: SEC-HS-22 partial
def test_bad_requests_are_answered_with_a_reason_but_not_all_of_them(home):
    home.start_sc()
    capture = home.capture(home.access, "sc0", "udp src port 1701")
    result = stranger(home, "bad", 2000)
    capture.stop()
    assert 1 <= result["answers"] <= 100 and result["got"] < result["sent"] / 10, result
    reasons = decode(capture.path, "l2tp.avp.message_type == 4", ["l2tp.avp.error_code", "l2tp.avp.error_message"])
    assert reasons[0].startswith("8\t") and "4095" in reasons[0], reasons[:3]
    assert home.sc.has("event=stray", "4095"), "the log says what was wrong"
    assert len(home.sc.has("event=stray")) < 200 and role_counters(home)["softwires"] == 0
    home.start_si()
    home.si.wait_up()


RESTARTING = r"""
import socket, struct, sys
def avp(t, value):
    return struct.pack("!HHH", 0x8000 | 6 + len(value), 0, t) + value
body = avp(0, struct.pack("!H", 1)) + avp(2, b"\x01\x00") + avp(3, struct.pack("!I", 3)) + avp(7, b"fixed") + avp(9, struct.pack("!H", 1))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 1701))
s.connect(("192.0.2.1", 1701))
s.settimeout(1)
def ask():
    # An SCCRQ until an SCCRP comes; returns the concentrator's tunnel id.
    for _ in range(30):
        s.send(struct.pack("!HHHHHH", 0xc802, 12 + len(body), 0, 0, 0, 0) + body)
        try:
            while True:
                p = s.recv(2048)
                if len(p) > 20 and p[18:20] == b"\x00\x02":
                    at = p.find(struct.pack("!HH", 0, 9))
                    return struct.unpack("!H", p[at + 4:at + 6])[0]
        except TimeoutError:
            pass
    sys.exit("no SCCRP")
first = ask()
stop = avp(0, struct.pack("!H", 4)) + avp(9, struct.pack("!H", 1)) + avp(1, struct.pack("!H", 6))
s.send(struct.pack("!HHHHHH", 0xc802, 12 + len(stop), first, 0, 1, 1) + stop)
second = ask()
print(first != second)
"""


def test_peer_that_starts_again_with_the_same_port_and_id_is_let_in(home):
    """Clients with fixed ids on port 1701 exist: after their StopCCN a new SCCRQ makes a new tunnel."""
    home.start_sc()
    script = home.dir / "restarting.py"
    script.write_text(RESTARTING)
    assert home.access.sh("/usr/bin/python3", script).stdout.strip() == "True"
