# SPDX-License-Identifier: GPL-2.0-or-later
"""
MRT files (RFC 6396): bgpdump reads what the engine's encoder writes; a reading of our own, straight from the RFC, takes on what bgpdump does not know.

The file is written by the encoder's unit test: messages and states of three sessions, then tables with IPv4 and IPv6 next hops, labels and tunnel endpoints.
"""
import ipaddress
import struct
import subprocess

import pytest
from lab import BUILD

FIRST, SECOND, OURSELVES = "192.0.2.1|65001", "2001:db8::3|4200000003", "0.0.0.0|65000"
PATH = "65001 4200000000"
DUMPED, LEARNT = 1700000000, 1700000000 - 1000


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    path = tmp_path_factory.mktemp("mrt") / "sample.mrt"
    subprocess.run([BUILD / "tests/unit/bgp/unit_bgp_mrt", path], check=True)
    return path


def bgpdump(path):
    """Its lines without the attributes that are not there, and what it complains about."""
    r = subprocess.run(["bgpdump", "-v", "-m", path], capture_output=True, text=True, check=True, timeout=30)
    return [line.removesuffix("|0|0||NAG||") for line in r.stdout.splitlines()], r.stderr


def test_bgpdump_reads_messages_states_and_unicast_tables(dump):
    lines, complaints = bgpdump(dump)
    assert complaints == ""
    assert lines == [
        f"BGP4MP|{DUMPED}|STATE|{FIRST}|5|6",
        f"BGP4MP|{DUMPED}|A|{FIRST}|198.51.100.0/24|{PATH}|IGP|192.0.2.1",
        f"BGP4MP_LOCAL|{DUMPED}|A|{SECOND}|198.51.100.0/24|{PATH}|IGP|192.0.2.1",
        f"BGP4MP|{DUMPED}|A|{FIRST}|198.51.100.0/24|65001|IGP|192.0.2.1",
        f"TABLE_DUMP2|{DUMPED}|B|{FIRST}|198.51.100.0/22|{PATH}|IGP|192.0.2.1",
        f"TABLE_DUMP2|{DUMPED}|B|{SECOND}|198.51.100.0/22|{PATH}|IGP|192.0.2.3",
        f"TABLE_DUMP2|{DUMPED}|B|{SECOND}|203.0.113.0/24|{PATH}|IGP|2001:db8::3",
        f"TABLE_DUMP2|{DUMPED}|B|{OURSELVES}|0.0.0.0/0|{PATH}|IGP|0.0.0.0",
        f"TABLE_DUMP2|{DUMPED}|B|{SECOND}|2001:db8:100::/40|{PATH}|IGP|2001:db8::3",
        f"TABLE_DUMP2|{DUMPED}|B|{FIRST}|2001:db8:200::/40|{PATH}|IGP|::ffff:192.0.2.1",
    ]


def records(path):
    """(type, subtype, body) of each record (section 2)."""
    data = path.read_bytes()
    while data:
        _, kind, subtype, length = struct.unpack_from("!IHHI", data)
        assert len(data) >= 12 + length
        yield kind, subtype, data[12:12 + length]
        data = data[12 + length:]


def attributes(data):
    """{type: value} of path attributes (RFC 4271 section 4.3)."""
    found = {}
    while data:
        wide = data[0] & 0x10
        length = int.from_bytes(data[2:4 if wide else 3], "big")
        start = 4 if wide else 3
        found[data[1]] = data[start:start + length]
        data = data[start + length:]
    return found


def generic(body):
    """{(afi, safi, bits, NLRI behind them): [(peer, attributes)]} of one RIB_GENERIC record (sections 4.3.3 and 4.3.4)."""
    _, afi, safi, bits = struct.unpack_from("!IHBB", body)
    size = (bits + 7) // 8
    nlri, body = body[8:8 + size], body[8 + size:]
    count, body, entries = int.from_bytes(body[:2], "big"), body[2:], []
    for _ in range(count):
        peer, learnt, length = struct.unpack_from("!HIH", body)
        assert learnt == LEARNT
        entries.append((peer, attributes(body[8:8 + length])))
        body = body[8 + length:]
    assert body == b""
    return (afi, safi, bits, nlri), entries


def test_labels_and_tunnel_endpoints_are_generic_records(dump):
    found = dict(generic(body) for kind, subtype, body in records(dump) if (kind, subtype) == (13, 6))
    mapped = ipaddress.ip_address("::ffff:192.0.2.1").packed
    label = (1000 << 4 | 1).to_bytes(3, "big")
    assert set(found) == {(2, 4, 24 + 40, label + bytes.fromhex("20010db803")), (1, 7, 32, ipaddress.ip_address("192.0.2.7").packed)}
    (labeled,), (endpoint,) = found.values()
    assert (labeled[0], labeled[1][14]) == (1, bytes([16]) + mapped)
    assert (endpoint[0], endpoint[1][14]) == (1, bytes([4, 192, 0, 2, 1]))


def test_the_index_comes_first_and_sequences_count_from_0(dump):
    tables = [(subtype, body) for kind, subtype, body in records(dump) if kind == 13]
    assert tables[0][0] == 1 and all(subtype != 1 for subtype, _ in tables[1:])
    assert [int.from_bytes(body[:4], "big") for _, body in tables[1:]] == list(range(len(tables) - 1))
