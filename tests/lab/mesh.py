# SPDX-License-Identifier: GPL-2.0-or-later
"""
The topology of a small mesh (RFC 5565 section 3), for the lab tests:

    ce1 ------------ afbr1 ============ core ============ afbr2 ------------ ce2
    203.0.113.2      203.0.113.1        IPv6 only         203.0.113.5        203.0.113.6
    AS 64512         2001:db8:ffff::1                     2001:db8:ffff::2   AS 64513
                          AS 65000                AS 65000

The core is one link without IPv4. Who speaks BGP runs our softwired; a test starts the daemons that it needs.
"""
import json

from lab import BUILD, Lab, Node, Softwired, secret_file, wait_until

CORE = {1: "2001:db8:ffff::1", 2: "2001:db8:ffff::2"}
CE = {1: "203.0.113.2", 2: "203.0.113.6"}
EDGE = {1: "203.0.113.1", 2: "203.0.113.5"}
CE_AS = {1: 64512, 2: 64513}
AS = 65000
NETWORK = {1: "198.51.100.0/25", 2: "198.51.100.128/25"}

POLICIES = 'policies = { all = ( { then = "accept"; } ); };'


def setting(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], dict):
            return "( " + ", ".join(setting(v) for v in value) + " )"
        return "[ " + ", ".join(setting(v) for v in value) + " ]"
    if isinstance(value, dict):
        return "{ " + " ".join(f"{k} = {setting(v)};" for k, v in value.items()) + " }"
    return f'"{value}"'


def neighbor(address, **keys):
    """A neighbour; names of keys have _ for -. Times are short, so that tests are."""
    return {"address": address, "connect-retry": 1, "idle-hold": 0.2, **{k.replace("_", "-"): v for k, v in keys.items()}}


def speaker(number, as_number, neighbors, networks=(), core=None, afbr=None, **bgp):
    """The configuration of a daemon that is an AFBR, or a CE router, and nothing else. CORE: its address, or the keys of `core`; AFBR: other keys of `afbr`."""
    group = {"as": as_number, "router-id": f"10.0.0.{number}", "neighbors": neighbors, **{k.replace("_", "-"): v for k, v in bgp.items()}}
    if networks:
        group["networks"] = list(networks)
    text = setting(group)[:-1] + POLICIES + " }"
    groups = {"core": core if isinstance(core, dict) else {"address": core}} if core else {}
    more = setting({k.replace("_", "-"): v for k, v in {**groups, **(afbr or {})}.items()})[1:-1]
    return f"afbr = {{ {more} bgp = {text}; }};\n"


class Mesh(Lab):
    def __enter__(self):
        super().__enter__()
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def build(self):
        self.afbr = {n: Node(self, f"afbr{n}", forward=True) for n in (1, 2)}
        self.ce = {n: Node(self, f"ce{n}") for n in (1, 2)}
        self.link(self.afbr[1], "core0", self.afbr[2], "core0", [f"{CORE[1]}/64"], [f"{CORE[2]}/64"])
        for n in (1, 2):
            self.link(self.afbr[n], "ce0", self.ce[n], "up0", [f"{EDGE[n]}/30"], [f"{CE[n]}/30"])

    def secret(self, name, text):
        """A password file; its path."""
        return str(secret_file(self.dir / name, text + "\n"))

    def start_afbr(self, n, neighbors, **kw):
        wait = kw.pop("wait", True)
        return Softwired(self.afbr[n], f"afbr{n}", speaker(n, AS, neighbors, core=CORE[n], **kw), wait=wait)

    def start_ce(self, n, **keys):
        """The CE router N, which tells its network to its AFBR."""
        peer = neighbor(EDGE[n], **{"as": AS, "import": "all", "export": "all", "advertisement-interval": 0, **keys})
        return Softwired(self.ce[n], f"ce{n}", speaker(10 + n, CE_AS[n], {"pe": peer}, networks=[NETWORK[n]]))

    def change(self, daemon, number, as_number, neighbors, **kw):
        """Another configuration, and what the reload says about it."""
        lines = daemon.conf.read_text().splitlines()[:3]
        daemon.conf.write_text("\n".join(lines) + "\n" + speaker(number, as_number, neighbors, **kw))
        return daemon.ask("reload")["say"]


def other(n, **keys):
    """AFBR N as neighbour of the other one."""
    return neighbor(CORE[n], families=["ipv4", "ipv6"], **keys)


def edge(n, **keys):
    """CE router N as neighbour of its AFBR."""
    return neighbor(CE[n], **{"as": CE_AS[n], "import": "all", "export": "all", "advertisement-interval": 0, **keys})


def row(daemon, name):
    return daemon.ask("show", "bgp", "neighbors", name)["neighbors"][0]


def is_up(daemon, name):
    """Not while it does not run, or has not begun."""
    answer = daemon.ask("show", "bgp", "neighbors", name, check=False)
    return bool(answer.get("ok")) and answer["neighbors"][0]["state"] == "established"


def wait_up(daemon, *names):
    for name in names:
        wait_until(f"{daemon.name} has a session with {name}", lambda: is_up(daemon, name))


def routes(daemon, *words):
    """All pages; by prefix."""
    run = daemon.node.sh(BUILD / "src" / "softwire", "--json", "--socket", daemon.socket, "show", "bgp", "routes", *words)
    return {r["prefix"]: r for line in run.stdout.splitlines() for r in json.loads(line)["routes"]}
