# SPDX-License-Identifier: GPL-2.0-or-later
"""
tshark, an independent decoder, reads the messages that our BGP engine writes: nothing in them is malformed, and prefixes, next hops, labels and AS numbers are what
was meant. No kernel of its own is needed: bgp_messages writes them, and here they are put into packets.

The Color sub-TLV of attribute 23 is not among them: tshark 4.0 misreads it.
"""
import shutil
import subprocess

import pytest
from capture import complaints, decode
from lab import BUILD
from wire import write_capture

FIELDS = ["bgp.type", "bgp.nlri_prefix", "bgp.withdrawn_prefix", "bgp.mp_reach_nlri_ipv4_prefix", "bgp.mp_reach_nlri_ipv6_prefix",
          "bgp.mp_unreach_nlri_ipv4_prefix", "bgp.mp_unreach_nlri_ipv6_prefix", "bgp.update.path_attribute.next_hop",
          "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv4", "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6",
          "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6.link_local", "bgp.update.path_attribute.as_path_segment.as2",
          "bgp.update.path_attribute.as_path_segment.as4", "bgp.label_stack"]


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """What each message is, and a capture of all."""
    if not shutil.which("tshark"):
        pytest.skip("package tshark is not installed")
    lines = subprocess.run([BUILD / "tests/interop/bgp_messages"], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    path = tmp_path_factory.mktemp("bgp") / "messages.pcap"
    write_capture(path, [bytes.fromhex(line.split()[1]) for line in lines])
    return [line.split()[0] for line in lines], path


@pytest.fixture(scope="module")
def read(sent):
    names, path = sent
    rows = [dict(zip(FIELDS, line.split("\t"))) for line in decode(path, fields=FIELDS)]
    assert len(rows) == len(names)
    return list(zip(names, rows))


def test_tshark_finds_nothing_malformed(sent):
    assert complaints(sent[1], "bgp") == []


def test_every_packet_is_one_message_of_bgp(read):
    kinds = {"open": "1", "keepalive": "4", "refresh": "5", "cease": "3"}
    assert [row["bgp.type"] for _, row in read] == [kinds.get(name, "2") for name, _ in read]


IPV4 = "198.51.100.0,203.0.113.128"
IPV6 = "2001:db8:1::,2001:db8:2::"
# Prefixes and next hops, by fields; those that tshark shows as it shows SAFI 7 are left to the check above.
EXPECTED = {
    "ipv4": {"bgp.nlri_prefix": IPV4, "bgp.update.path_attribute.next_hop": "192.0.2.1"},
    "ipv4-over-ipv6": {"bgp.mp_reach_nlri_ipv4_prefix": IPV4, "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6": "2001:db8::1"},
    "ipv4-over-ipv6-local": {"bgp.mp_reach_nlri_ipv4_prefix": IPV4, "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6": "2001:db8::1",
                             "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6.link_local": "fe80::1"},
    "ipv6": {"bgp.mp_reach_nlri_ipv6_prefix": IPV6, "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6": "2001:db8::1"},
    "ipv6-local": {"bgp.mp_reach_nlri_ipv6_prefix": IPV6, "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6": "2001:db8::1",
                   "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6.link_local": "fe80::1"},
    "ipv4-labeled": {"bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv4": "192.0.2.1", "bgp.label_stack": "1000 (bottom),1000 (bottom)"},
    "6pe": {"bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6": "::ffff:192.0.2.1", "bgp.label_stack": "1001 (bottom),1001 (bottom)"},
}


# proves: MESH-BGP-11, MESH-BGP-12, MESH-BGP-16 partial
@pytest.mark.parametrize("way", EXPECTED)
def test_prefixes_and_next_hops_are_what_was_meant(read, way):
    rows = [row for name, row in read if name.startswith(f"announce/{way}/")]
    assert len(rows) == 4
    for row in rows:
        assert {field: row[field] for field in EXPECTED[way]} == EXPECTED[way]


@pytest.mark.parametrize("way,field,wanted", [
    ("ipv4", "bgp.withdrawn_prefix", IPV4), ("ipv4-over-ipv6", "bgp.mp_unreach_nlri_ipv4_prefix", IPV4), ("ipv6", "bgp.mp_unreach_nlri_ipv6_prefix", IPV6)])
def test_what_is_withdrawn_is_what_was_announced(read, way, field, wanted):
    rows = [row for name, row in read if name == f"withdraw/{way}"]
    assert len(rows) == 4 and all(row[field] == wanted for row in rows)


# RFC 6793: of two octets AS_PATH has AS_TRANS, and AS4_PATH what was meant.
def test_as_numbers_of_either_width_are_what_was_meant(read):
    four, two = "4200000000,65001,65002,4200000001", "23456,65001,65002,23456"
    for name, row in read:
        if name.startswith("announce/"):
            assert row["bgp.update.path_attribute.as_path_segment.as4"] == four, name
            assert row["bgp.update.path_attribute.as_path_segment.as2"] == (two if name.endswith("as2") else ""), name
