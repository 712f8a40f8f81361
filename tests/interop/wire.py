# SPDX-License-Identifier: GPL-2.0-or-later
"""
BGP as it was on the wire, read from a capture by a decoder of the tests' own: what each end of each session has sent, byte by byte.

Segments of a link between two namespaces come in order and once; what was lost or came twice is put right by sequence number.
"""
import dataclasses
import ipaddress
import struct

from capture import complaints, decode
from lab import wait_until

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, REFRESH = 1, 2, 3, 4, 5


@dataclasses.dataclass
class Message:
    source: str
    destination: str
    stream: int
    kind: int
    body: bytes


def segments(path):
    """(source, destination, ports, sequence number, is a SYN, payload) of TCP segments in a capture of an Ethernet device."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at = 24
    while at + 16 <= len(data):
        length, = struct.unpack_from(order + "I", data, at + 8)
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        kind, packet = frame[12:14], frame[14:]
        if kind == b"\x08\x00" and packet[9] == 6:
            source, destination, tcp = packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4:int.from_bytes(packet[2:4], "big")]
        elif kind == b"\x86\xdd" and packet[6] == 6:
            source, destination, tcp = packet[8:24], packet[24:40], packet[40:40 + int.from_bytes(packet[4:6], "big")]
        else:
            continue
        yield (str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination)), tcp[:4], int.from_bytes(tcp[4:8], "big"), bool(tcp[13] & 2),
               tcp[(tcp[12] >> 4) * 4:])


def streams(path):
    """((number, source, destination), bytes) of each direction of each connection, in the order of their SYNs."""
    start, parts, number = [], {}, {}
    for source, destination, ports, seq, syn, payload in segments(path):
        key = (source, destination, ports)
        if syn and (key not in number or start[number[key]][0] != seq + 1):  # not one that is sent again
            number[key] = len(start)
            start.append((seq + 1, source, destination))
        if payload and key in number:
            parts.setdefault(number[key], {})[(seq - start[number[key]][0]) % 2**32] = payload
    for n, found in sorted(parts.items()):
        data = b""
        for at, payload in sorted(found.items()):
            if at <= len(data) < at + len(payload):
                data += payload[len(data) - at:]
        yield (n, *start[n][1:]), data


def messages(path, source=None, destination=None, kind=None):
    """Of each stream in order, those from SOURCE to DESTINATION and of KIND."""
    found = []
    for (stream, src, dst), data in streams(path):
        while len(data) >= 19:
            length = int.from_bytes(data[16:18], "big")
            if length < 19 or len(data) < length:
                break
            if source in (None, src) and destination in (None, dst) and kind in (None, data[18]):
                found.append(Message(src, dst, stream, data[18], data[19:length]))
            data = data[length:]
    return found


def capabilities(body):
    """{code: [values]} of an OPEN (RFC 5492)."""
    found, options = {}, body[10:]
    while options:
        kind, value = options[0], options[2:2 + options[1]]
        options = options[2 + len(value):]
        while kind == 2 and value:
            found.setdefault(value[0], []).append(value[2:2 + value[1]])
            value = value[2 + value[1]:]
    return found


def prefixes(data, bits):
    """Of unicast NLRI."""
    found = []
    while data:
        size = (data[0] + 7) // 8
        packed = data[1:1 + size].ljust(bits // 8, b"\0")
        found.append(f"{ipaddress.ip_address(packed)}/{data[0]}")
        data = data[1 + size:]
    return found


@dataclasses.dataclass
class Update:
    prefixes: list  # announced: IPv4 and IPv6 unicast, and endpoints of the Encapsulation SAFI as /32 or /128
    withdrawn: list
    attributes: dict  # number: (flags, bytes)
    next_hop: bytes  # of either kind


def update(body):
    size = int.from_bytes(body[:2], "big")
    gone, body = prefixes(body[2:2 + size], 32), body[2 + size:]
    size = int.from_bytes(body[:2], "big")
    data, told = body[2:2 + size], prefixes(body[2 + size:], 32)
    found = {}
    while data:
        wide = data[0] & 0x10
        length, start = (int.from_bytes(data[2:4], "big"), 4) if wide else (data[2], 3)
        found[data[1]] = (data[0] & ~0x10, data[start:start + length])
        data = data[start + length:]
    hop = found[3][1] if 3 in found else b""
    if 14 in found:
        afi, safi, length = struct.unpack_from("!HBB", found[14][1])
        hop = found[14][1][4:4 + length]
        if safi in (1, 7):
            told = told + prefixes(found[14][1][5 + length:], 32 if afi == 1 else 128)
    if 15 in found and found[15][1][2] in (1, 7):
        gone = gone + prefixes(found[15][1][3:], 32 if found[15][1][1] == 1 else 128)
    return Update(told, gone, found, hop)


def updates(path, source=None, destination=None):
    return [update(m.body) for m in messages(path, source, destination, UPDATE)]


def last_told(path, prefix, source=None, destination=None):
    """The newest UPDATE that announces PREFIX; None."""
    found = [u for u in updates(path, source, destination) if prefix in u.prefixes]
    return found[-1] if found else None


def told(path, prefix, source=None, destination=None):
    """The same, which has to be there, or come: a capture is written somewhat later than it is made."""
    return wait_until(f"{source or 'somebody'} tells {destination or 'somebody'} {prefix}", lambda: last_told(path, prefix, source, destination))


# ---- captures of messages ----


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(payload, seq):
    """One segment of a TCP connection to port 179, as raw IPv4."""
    ends = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    tcp = struct.pack("!HHIIBBHHH", 40000, 179, seq, 1, 5 << 4, 0x18, 65535, 0, 0) + payload
    tcp = tcp[:16] + struct.pack("!H", checksum(ends + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def write_capture(path, messages):
    seq = 1
    with path.open("wb") as f:
        f.write(struct.pack("!IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i, m in enumerate(messages):
            p = packet(m, seq)
            f.write(struct.pack("!IIII", i, 0, len(p), len(p)) + p)
            seq += len(m)


def malformed(path, without=None, longest=65535):
    """
    What tshark finds wrong; messages with the bytes WITHOUT and those that are too long are not shown to it. Messages have a packet each, since tshark 4.0 stumbles over some that follow
    others in a packet, and over none of them alone.
    """
    alone = path.with_suffix(".alone.pcap")
    found = {b"\xff" * 16 + (len(m.body) + 19).to_bytes(2, "big") + bytes([m.kind]) + m.body
             for m in messages(path) if len(m.body) + 19 <= longest and not (without and without in m.body)}
    write_capture(alone, sorted(found))
    return decode(path, "tcp.checksum.status == 0") + complaints(alone, "bgp")
