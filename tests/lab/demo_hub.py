# SPDX-License-Identifier: GPL-2.0-or-later
"""./demo: what a newcomer sees. The topology is drawn in home.py."""
import sys

from home import WEB, Home
from lab import LabError, wait_until

PICTURE = """
   internet6 ------- concentrator ------- access ------- NAT ------- home router ------- host
   web server        softwired            IPv4 only      NAPT        softwired           plain
   2001:db8:1::2     192.0.2.1                           203.0.113.7 192.168.1.2         SLAAC
                          |====================== softwire ===============|
                            IPv6 in PPP in L2TPv2 in UDP in IPv4 (RFC 5571)
"""


def say(text):
    print(f"\n\033[1m# {text}\033[0m" if sys.stdout.isatty() else f"\n# {text}")


def show(command, text):
    print(f"$ {command}")
    print(text.rstrip())


def story(home):
    print(PICTURE)
    home.start_web("hello from the IPv6 side\n")
    say("The host at home has no IPv6 yet")
    show(f"ping {WEB}", "ok" if home.host.ping(WEB) else "no route, no answer")

    say("The concentrator starts; then the home router's initiator, behind the NAT")
    home.start_sc()
    home.start_si()
    softwire = home.si.wait_up()
    prefix = home.wait_delegated()
    address = home.wait_host_address()
    for line in home.sc.has("event=up") + home.sc.has("event=delegated"):
        print(f"concentrator: {line}")
    for line in home.si.has("event=up") + home.si.has("event=prefix"):
        print(f"initiator:    {line}")
    print(f"\nset up in {softwire['setup_ms']} ms; the home's prefix is {prefix}; the host configured {address}")

    say("From the host to the IPv6 side")
    wait_until("the host reaches the web server", lambda: home.host.ping(WEB), 10)
    show(f"ping -c 3 {WEB}", "\n".join(home.host.sh("ping", "-n", "-c", 3, "-i", 0.2, WEB).stdout.splitlines()[1:4]))
    show(f"curl http://[{WEB}]/", home.host.sh("curl", "-s", "-m", 10, f"http://[{WEB}]/").stdout)

    say("What the operator sees, at the concentrator")
    for what in ("softwires", "tunnels", "leases"):
        show(f"softwire show {what}", home.sc.table("show", what))
        print()
    say("And at home")
    show("softwire show softwires", home.si.table("show", "softwires"))
    print()
    show("softwire show leases", home.si.table("show", "leases"))
    say("Done. Everything that was started is ended and removed again.")


def main():
    try:
        with Home(name="demo") as home:
            story(home)
    except KeyboardInterrupt:
        print("interrupted: cleaned up", file=sys.stderr)
        return 130
    except LabError as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
