# SPDX-License-Identifier: GPL-2.0-or-later
"""What tshark, an independent decoder, says of a capture."""
import subprocess

from lab import LabError

# L2TP over its well-known port from either side; inner checksums too.
OPTIONS = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]


def decode(path, display_filter=None, fields=()):
    cmd = ["tshark", "-n", "-r", str(path), *OPTIONS, "-d", "udp.port==1701,l2tp"]
    if display_filter:
        cmd += ["-Y", display_filter]
    if fields:
        cmd += ["-T", "fields", *sum((["-e", f] for f in fields), [])]
    run = subprocess.run(cmd, capture_output=True, text=True, timeout=120)
    if run.returncode:
        raise LabError(f"tshark: {run.stderr}")
    return run.stdout.splitlines()


def complaints(path, among="frame"):
    """
    Packets that tshark calls malformed, or whose checksum is wrong, or that carry an expert error. Where Linux completes the checksum of a TCP segment and it comes out as
    0, it writes 0xffff, which is the same number in one's complement: one segment in 65,536.
    """
    return decode(path, f'({among}) && !tcp.checksum.ffff && (_ws.malformed || _ws.expert.severity >= 8388608 || udp.checksum.status == 0 || tcp.checksum.status == 0 || icmpv6.checksum.status == 0)')


def count(path, display_filter):
    return len(decode(path, display_filter))


def inner(path):
    """Protocol stacks that occur, e.g. eth:ethertype:ip:udp:l2tp:ppp:ipv6:icmpv6."""
    return set(decode(path, fields=["frame.protocols"]))


