# SPDX-License-Identifier: GPL-2.0-or-later
"""
Softwires on the wire: what tshark reads in a capture of a core link, one Packet for each packet, and packets of one's own making to be sent into the core.

tshark does not know what L2TPv3 carries (the session does not say); the inner packet is read here, then.
"""
import dataclasses
import ipaddress
import struct
import subprocess

from lab import LabError, wait_until

# Cookies as ours: 64 bits, and no sublayer.
OPTIONS = ["-o", "l2tp.cookie_size:8 Byte Cookie", "-o", "l2tp.l2_specific:None", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
           "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
FIELDS = ["frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.ttl", "ipv6.hlim", "ip.dsfield.dscp", "ipv6.tclass.dscp", "ip.dsfield.ecn",
          "ipv6.tclass.ecn", "ip.flags.df", "gre.flags_and_version", "gre.key", "l2tp.sid", "l2tp.cookie", "mpls.label", "mpls.ttl", "mpls.bottom", "ipv6.flow", "data.data",
          "ip.len", "ipv6.plen", "_ws.malformed", "_ws.expert.severity", "ip.checksum.status", "tcp.checksum.status", "ip.id", "ip.frag_offset", "ip.flags.mf", "ipv6.fragment"]
NAMES = {4: "ip", 6: "ipv6"}


MARK = "5eed5eed00d1cafe"


class Watch:
    """A capture at NODE's DEVICE, and of echos. stop() waits until all is in its file: a last packet to TARGET, which goes out there, has to be."""

    def __init__(self, node, device, target, expression):
        self.node, self.target = node, target
        self.capture = node.lab.capture(node, device, f"({expression}) or icmp or icmp6")

    def stop(self):
        wait_until("all is in the file", self.has_mark)
        self.capture.stop()
        return self.capture.path

    def has_mark(self):
        self.node.sh("ping", "-n", "-c", 1, "-W", 1, "-p", MARK, self.target, check=False)
        return bytes.fromhex(MARK) in self.capture.path.read_bytes()


@dataclasses.dataclass
class Packet:
    stack: tuple  # what is around the inner packet and in it: ("ipv6", "gre", "ip", "icmp")
    outer: list  # (source, destination) of each header of the core's family, from outside
    inner: tuple  # (source, destination) of the packet inside, or None
    values: dict  # field: all its values

    def first(self, field):
        return self.values[field][0] if self.values[field] else None


def inner_of(packet):
    """(source, destination, what) of an IP packet in bytes."""
    if packet and packet[0] >> 4 == 4:
        return str(ipaddress.ip_address(packet[12:16])), str(ipaddress.ip_address(packet[16:20])), "ip"
    if packet and packet[0] >> 4 == 6:
        return str(ipaddress.ip_address(packet[8:24])), str(ipaddress.ip_address(packet[24:40])), "ipv6"
    return None


def read(path, core, only=None):
    """All packets of the capture; CORE: the family of the core; ONLY: tshark's filter."""
    cmd = ["tshark", "-n", "-r", str(path), *OPTIONS, "-T", "fields", "-E", "separator=|", *sum((["-e", f] for f in FIELDS), [])]
    run = subprocess.run(cmd + (["-Y", only] if only else []), capture_output=True, text=True, timeout=120)
    if run.returncode:
        raise LabError(f"tshark: {run.stderr}")
    return [packet_of(dict(zip(FIELDS, (v.split(",") if v else [] for v in line.split("|")))), core) for line in run.stdout.splitlines()]


def packet_of(v, core):
    a, b = NAMES[core], NAMES[10 - core]
    stack = tuple(p for p in v["frame.protocols"][0].split(":") if p not in ("eth", "ethertype"))
    outer = list(zip(v[f"{a}.src"], v[f"{a}.dst"]))
    inner = (v[f"{b}.src"][0], v[f"{b}.dst"][0]) if v[f"{b}.src"] else None
    if "l2tp" in stack and v["data.data"]:
        payload = bytes.fromhex(v["data.data"][-1])
        found = inner_of(payload) or inner_of(payload[4:])
        label = inner_of(payload) is None
        if found and found[2] == a:
            outer.append(found[:2])
        elif found:
            inner = found[:2]
        stack = stack[:-1] + (("mpls",) if label else ()) + ((found[2],) if found else ())
        if label and len(payload) >= 4:
            entry = int.from_bytes(payload[:4], "big")
            v.update({"mpls.label": [str(entry >> 12)], "mpls.ttl": [str(entry & 255)], "mpls.bottom": [str(entry >> 8 & 1)]})
    return Packet(stack, outer, inner, v)


def wrong(packets):
    """Those that tshark finds malformed, or with a wrong checksum, or an error."""
    bad = lambda v: v["_ws.malformed"] or "0" in v["ip.checksum.status"] + v["tcp.checksum.status"] or any(int(s) >= 8388608 for s in v["_ws.expert.severity"])
    return [p for p in packets if bad(p.values)]


# ---- without tshark: much quicker, for tests that look often ----


@dataclasses.dataclass
class Quick:
    at: float  # seconds
    headers: list  # of IP, from outside: (source, destination)
    how: tuple  # between them: ("gre", key or None), ("l2tpv3", Session ID, cookie), ("ipip",)
    hops: int  # of the outer header
    tos: int
    inner_tos: int
    length: int  # of the whole packet
    more: bytes  # behind the inner IP header


def quick(path):
    """Softwire packets of a capture of an Ethernet device, all of them L2TPv3 with cookies of 64 bits where they are L2TPv3."""
    data, at, found = path.read_bytes(), 24, []
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    while at + 16 <= len(data):
        seconds, micro, size = struct.unpack_from(order + "III", data, at)
        packet = data[at + 30:at + 16 + size]
        at += 16 + size
        row = quick_packet(packet, seconds + micro / 1e6)
        if row:
            found.append(row)
    return found


def ip_header(packet):
    """(source, destination, protocol, TOS, hops, rest); None."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        a, b, rest = packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4:]
        return str(ipaddress.ip_address(a)), str(ipaddress.ip_address(b)), packet[9], packet[1], packet[8], rest
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        tos = int.from_bytes(packet[:2], "big") >> 4 & 255
        return str(ipaddress.ip_address(packet[8:24])), str(ipaddress.ip_address(packet[24:40])), packet[6], tos, packet[7], packet[40:]
    return None


def quick_packet(packet, when):
    headers, how, first = [], [], None
    rest = packet
    while True:
        read_header = ip_header(rest)
        if not read_header:
            return None
        source, destination, protocol, tos, hops, rest = read_header
        first = first or (hops, tos)
        headers.append((source, destination))
        if protocol in (4, 41):
            how.append(("ipip",))
        elif protocol == 47:
            has_key = rest[0] & 0x20
            how.append(("gre", int.from_bytes(rest[4:8], "big") if has_key else None))
            rest = rest[8 if has_key else 4:]
        elif protocol == 115:
            how.append(("l2tpv3", int.from_bytes(rest[:4], "big"), rest[4:12]))
            rest = rest[12:]
        else:
            return Quick(when, headers, tuple(how), *first, tos, len(packet), rest) if how else None


# ---- packets of one's own ----


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(source, destination, protocol, payload, hops=64):
    a, b = (ipaddress.ip_address(x).packed for x in (source, destination))
    if len(a) == 16:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops) + a + b + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, hops, protocol, 0) + a + b
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def echo(source, destination, payload=b"spoofed!", number=7):
    """An echo request."""
    six = ":" in source
    message = struct.pack("!BBHHH", 128 if six else 8, 0, 0, number, 1) + payload
    ends = b"".join(ipaddress.ip_address(x).packed for x in (source, destination)) + struct.pack("!II", len(message), 58) if six else b""
    message = message[:2] + struct.pack("!H", checksum(ends + message)) + message[4:]
    return ip(source, destination, 58 if six else 1, message)


def kind_of(inner):
    return 0x86dd if inner[0] >> 4 == 6 else 0x0800


def ipip(inner):
    return 41 if inner[0] >> 4 == 6 else 4, inner


def gre(inner, key=None, flags=0, kind=None):
    kind = kind or kind_of(inner)
    return 47, struct.pack("!HH", flags | (0x2000 if key is not None else 0), kind) + (struct.pack("!I", key) if key is not None else b"") + inner


def gre_with_checksum(inner, key, error=0):
    """Right, or wrong by ERROR (RFC 2784 section 2.5)."""
    _, packet = gre(struct.pack("!II", 0, key) + inner, None, 0xa000, kind_of(inner))
    return 47, packet[:4] + struct.pack("!H", checksum(packet) ^ error) + packet[6:]


def l2tpv3(inner, session, cookie):
    return 115, struct.pack("!I", session) + cookie + inner


SENDER = """
import ipaddress, socket, sys
for line in sys.stdin:
    packet = bytes.fromhex(line)
    if packet[0] >> 4 == 6:
        s, to = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 255), packet[24:40]
    else:
        s, to = socket.socket(socket.AF_INET, socket.SOCK_RAW, 255), packet[16:20]
    s.sendto(packet, (str(ipaddress.ip_address(to)), 0))
"""


def send(node, *packets):
    """From NODE, as they are: any source."""
    node.sh("/usr/bin/python3", "-S", "-c", SENDER, input="".join(p.hex() + "\n" for p in packets))
