# SPDX-License-Identifier: GPL-2.0-or-later
"""
A RADIUS server (RFC 2865) for one user with CHAP, as l2tpns needs one: radius.py ADDRESS SHARED-SECRET USER PASSWORD DELEGATED-PREFIX.
"""
import hashlib
import hmac
import ipaddress
import socket
import struct
import sys

REQUEST, ACCEPT, REJECT = 1, 2, 3
USER_NAME, CHAP_PASSWORD, FRAMED_PROTOCOL, CHAP_CHALLENGE, DELEGATED_IPV6_PREFIX = 1, 3, 7, 60, 123


def attributes(data):
    found = {}
    while len(data) > 2 and data[1] >= 2:
        found[data[0]] = data[2:data[1]]
        data = data[data[1]:]
    return found


def right(found, authenticator, user, password):
    """RFC 2865 section 5.3: the CHAP identifier and the response; the authenticator is the challenge where no attribute holds it."""
    proof, challenge = found.get(CHAP_PASSWORD, b"\0"), found.get(CHAP_CHALLENGE, authenticator)
    want = hashlib.md5(proof[:1] + password + challenge).digest()
    return found.get(USER_NAME) == user and hmac.compare_digest(proof[1:], want)


def answer(packet, secret, user, password, prefix):
    code, number, length = struct.unpack("!BBH", packet[:4])
    if code != REQUEST:
        return None
    authenticator, found = packet[4:20], attributes(packet[20:length])
    body = b""
    if right(found, authenticator, user, password):
        code = ACCEPT
        body += struct.pack("!BBI", FRAMED_PROTOCOL, 6, 1)
        body += struct.pack("!BBBB", DELEGATED_IPV6_PREFIX, 20, 0, prefix.prefixlen) + prefix.network_address.packed
    else:
        code = REJECT
    head = struct.pack("!BBH", code, number, 20 + len(body))
    return head + hashlib.md5(head + authenticator + body + secret).digest() + body


def main(address, secret, user, password, prefix):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 1812))
    print("listening", flush=True)
    while True:
        packet, client = server.recvfrom(4096)
        reply = answer(packet, secret.encode(), user.encode(), password.encode(), ipaddress.ip_network(prefix))
        if reply:
            print("accepted" if reply[0] == ACCEPT else "rejected", flush=True)
            server.sendto(reply, client)


if __name__ == "__main__":
    main(*sys.argv[1:])
