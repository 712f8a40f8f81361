# SPDX-License-Identifier: GPL-2.0-or-later
"""
The Debian package: built, looked at, installed on a machine of its own with systemd (machine.py), run, upgraded, removed, purged.

    the machine, systemd         namespace home
    softwired@concentrator ===== softwired@initiator ----- lan0
    192.0.2.1                    192.0.2.2
"""
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lab import wait_until

ROOT = Path(__file__).resolve().parents[2]
EXPOSURE = 40  # systemd-analyze's tenths, of 100; higher is worse
KEEPER_CAPABILITIES = {"chown", "dac_override", "kill", "net_admin", "net_bind_service", "net_raw", "setgid", "setpcap", "setuid"}

CONCENTRATOR = """
concentrator = {
    listen = [ "192.0.2.1" ]; network = "trusted"; local6 = "2001:db8::1"; local4 = "198.51.100.1"; users = "/etc/softwire/users.conf";
    pools = { default = { link6 = "2001:db8:100::/48"; delegate = { from = "2001:db8:8000::/36"; length = 56; };
        ipv4 = "198.51.100.0/24"; delegate4 = { from = "203.0.113.0/24"; length = 29; }; dns = "198.51.100.53"; }; };
};
"""
INITIATOR = """
initiator = { home = {
    server = [ "192.0.2.1" ]; network = "trusted"; user = "alice"; password-file = "/etc/softwire/alice.secret";
    ipv6 = true; ipv4 = true; lan = [ "lan0" ];
    hooks = { up = "/etc/softwire/dnsmasq-lan"; change = "/etc/softwire/dnsmasq-lan"; down = "/etc/softwire/dnsmasq-lan"; };
}; };
"""


AFBR = """
afbr = {
    core = { address = "2001:db8:ffff::%(own)d"; interfaces = [ "core%(own)d" ]; endpoints = [ "2001:db8:ffff::/64" ]; };
    client = { };
    accept = [ "l2tpv3", "gre", "ipip" ];
    bgp = {
        as = 65000; router-id = "10.0.0.%(own)d"; networks = [ "198.51.100.%(own)d/32" ];
        neighbors = { other = { address = "2001:db8:ffff::%(other)d"; families = [ "ipv4" ]; next-hop-self = true; connect-retry = 1; idle-hold = 0.2; }; };
    };
};
"""


def install(machine, deb):
    shutil.copy(deb, machine.shared / "softwired.deb")
    return machine.sh("dpkg", "-i", "/mnt/softwired.deb")


def show(machine, what, *options):
    return json.loads(machine.out("softwire", *options, "--json", "show", what))[what]


def state(machine, unit, *keys):
    """Properties of a unit."""
    lines = dict(line.split("=", 1) for line in machine.out("systemctl", "show", unit).splitlines())
    return [lines[key] for key in keys]


def status(machine, pid, key):
    return re.search(rf"^{key}:\s*(.*)$", machine.out("cat", f"/proc/{pid}/status"), re.M)[1]


def processes(machine, unit):
    """(keeper, engine): process ids in the machine."""
    keeper = state(machine, unit, "MainPID")[0]
    return keeper, machine.out("pgrep", "--parent", keeper, "--exact", "softwired", check=False)


def capabilities(mask):
    names = subprocess.run(["capsh", f"--decode={mask}"], capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
    return {name.removeprefix("cap_") for name in names.split(",") if name}


def test_package_is_whole_and_lintian_finds_no_error(deb):
    files = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True).stdout
    names = subprocess.run(["tar", "-t"], input=files, capture_output=True, check=True).stdout.decode().split()
    for page in (ROOT / "doc/man").iterdir():
        assert f"./usr/share/man/man{page.suffix[1:]}/{page.name}.gz" in names
    for name in ("./usr/sbin/softwired", "./usr/bin/softwire", "./lib/systemd/system/softwired.service", "./lib/systemd/system/softwired@.service",
                 "./usr/share/bash-completion/completions/softwire", "./usr/lib/sysusers.d/softwire.conf"):
        assert name in names
    if shutil.which("lintian"):
        found = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", deb], capture_output=True, text=True)
        assert found.returncode == 0, found.stdout + found.stderr


def test_units_are_well_formed_and_hardened(deb, machine):
    install(machine, deb)
    for unit in ("softwired.service", "softwired@concentrator.service"):
        said = machine.sh("systemd-analyze", "verify", "--recursive-errors=no", unit)
        assert not said.stdout + said.stderr
        machine.sh("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE}", unit)


def test_installed_it_waits_for_a_configuration_and_purged_it_leaves_nothing(deb, machine):
    before = set(machine.changed())
    install(machine, deb)
    assert state(machine, "softwired.service", "ActiveState", "ConditionResult", "UnitFileState") == ["inactive", "no", "enabled"]
    assert machine.out("stat", "-c", "%a %U:%G", "/etc/softwire") == "750 root:root"
    assert machine.out("stat", "-c", "%a", "/etc/softwire/users.conf.example") == "600"
    for name in ("concentrator", "initiator", "mesh", "reflector"):
        assert machine.out("stat", "-c", "%a", f"/etc/softwire/{name}.conf.example") == "640"
    user = machine.out("getent", "passwd", "softwire").split(":")
    assert 0 < int(user[2]) < 1000 and user[6] == "/usr/sbin/nologin"

    # The examples are good ones: by the three lines of README.Debian, and only addresses to change, it runs.
    machine.sh("sh", "-c", "cd /etc/softwire && cp users.conf.example users.conf && sed 's/\"192.0.2.1\"/\"127.0.0.1\"/' "
               "concentrator.conf.example > softwired.conf && systemctl start softwired")
    assert state(machine, "softwired.service", "ActiveState") == ["active"]
    wait_until("it answers", lambda: machine.sh("softwire", "show", "softwires", check=False).returncode == 0)
    assert machine.out("stat", "-c", "%a %U", "/etc/softwire/users.conf", "/var/lib/softwired") == "600 root\n750 softwire"

    machine.sh("dpkg", "--remove", "softwired")
    assert not machine.sh("pgrep", "--exact", "softwired", check=False).stdout
    assert machine.out("find", "/var/lib/softwired", "-name", "leases.db")
    machine.sh("dpkg", "--purge", "softwired")
    left = set(machine.changed()) - before
    # What the administrator wrote; and the user, whose number may be on files elsewhere.
    written = {"/etc/softwire", "/etc/softwire/softwired.conf", "/etc/softwire/users.conf"}
    assert {path for path in left if "softwire" in path} == written
    users = {f"/etc/{name}{end}" for name in ("passwd", "shadow", "group", "gshadow", ".pwd.lock") for end in ("", "-")}
    others = ("/var/cache/", "/var/log/", "/var/lib/dpkg/", "/var/lib/systemd/")  # files of those who installed it, and ran it
    assert not {path for path in left - written - users if not path.startswith(others) and not Path(path).is_dir()}
    assert machine.out("getent", "passwd", "softwire")


def test_the_example_of_a_border_router_runs_as_installed(deb, machine):
    """By the lines of README.Debian, with the interfaces that it names."""
    install(machine, deb)
    for name in ("core0", "core1", "ce0", "ce1"):
        machine.sh("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
        machine.sh("ip", "link", "set", name, "up")
    machine.sh("ip", "addr", "add", "2001:db8:ffff::1/128", "dev", "lo")
    machine.sh("ip", "addr", "add", "203.0.113.1/30", "dev", "ce0")
    for name in ("rr1", "rr2"):
        machine.write(f"/etc/softwire/{name}.secret", "a good one\n", "600")
    machine.sh("cp", "/etc/softwire/mesh.conf.example", "/etc/softwire/softwired.conf")
    machine.sh("softwire", "check", "/etc/softwire/softwired.conf")
    machine.sh("systemctl", "start", "softwired")
    assert {row["accept"] for row in show(machine, "acceptance")["accept"]} == {"l2tpv3", "gre", "ipip"}
    assert "171:" in machine.out("ip", "-6", "rule") and machine.out("ip", "link", "show", "softwire0")
    machine.sh("softwire", "mesh", "roll")
    machine.sh("systemctl", "reload", "softwired")
    assert state(machine, "softwired.service", "ActiveState") == ["active"]
    assert "level=error" not in machine.out("journalctl", "--no-pager", "--unit", "softwired")


def test_packets_pass_a_border_router_under_the_hardening(deb, machine):
    """Two units; the other end is a namespace of its own, as at home."""
    install(machine, deb)
    machine.sh("ip", "netns", "add", "far")
    machine.sh("ip", "link", "add", "core1", "type", "veth", "peer", "name", "core2", "netns", "far")
    for own, other, where in ((1, 2, []), (2, 1, ["-n", "far"])):
        for command in ("link set lo up", f"link set core{own} up", f"addr add 2001:db8::{own}/64 dev core{own} nodad",
                        f"addr add 2001:db8:ffff::{own}/128 dev lo", f"addr add 198.51.100.{own}/32 dev lo",
                        f"-6 route add 2001:db8:ffff::{other}/128 via 2001:db8::{other}"):
            machine.sh("ip", *where, *command.split())
        machine.write(f"/etc/softwire/afbr{own}.conf", AFBR % {"own": own, "other": other})
    machine.sh("mkdir", "-p", "/etc/systemd/system/softwired@afbr2.service.d")
    machine.write("/etc/systemd/system/softwired@afbr2.service.d/namespace.conf", "[Service]\nNetworkNamespacePath=/run/netns/far\n")
    machine.sh("systemctl", "daemon-reload")
    machine.sh("systemctl", "start", "softwired@afbr1", "softwired@afbr2")
    ping = lambda: machine.sh("ping", "-c", 1, "-W", 1, "-I", "198.51.100.1", "198.51.100.2", check=False).returncode == 0
    wait_until("it answers through the softwire", ping)
    (endpoint,) = show(machine, "endpoints", "--instance", "afbr1")
    assert endpoint["encapsulation"].startswith("l2tpv3") and endpoint["tx4_packets"]
    # Raw sockets, routes and the device are there again after the engine process, and after the keeper.
    for which in (1, 0):
        machine.sh("kill", "-KILL", processes(machine, "softwired@afbr1.service")[which])
        wait_until("it answers again", ping)


@pytest.fixture
def instances(deb, machine):
    """A concentrator and an initiator, each a unit of its own, with a softwire between them and a hook that serves the LAN."""
    install(machine, deb)
    etc = "/etc/softwire"
    machine.write(f"{etc}/concentrator.conf", CONCENTRATOR)
    machine.write(f"{etc}/users.conf", 'users = { alice = { secret = "a good one"; }; };', "600")
    machine.write(f"{etc}/initiator.conf", INITIATOR)
    machine.write(f"{etc}/alice.secret", "a good one\n", "600")
    machine.sh("install", "-m", "755", "/usr/share/doc/softwired/examples/hooks/dnsmasq-lan", etc)
    machine.sh("sh", "-ec", """
        ip netns add home
        ip link add name access type veth peer name access netns home
        ip address add 192.0.2.1/24 dev access; ip link set access up
        ip -n home address add 192.0.2.2/24 dev access; ip -n home link set access up; ip -n home link set lo up
        ip -n home link add name lan0 type veth peer name host0
        ip -n home link set lan0 up; ip -n home link set host0 up
        mkdir /etc/systemd/system/softwired@initiator.service.d""")
    machine.write("/etc/systemd/system/softwired@initiator.service.d/home.conf", "[Service]\nNetworkNamespacePath=/run/netns/home\n")
    machine.sh("systemctl", "daemon-reload")
    machine.sh("systemctl", "start", "softwired@concentrator", "softwired@initiator")
    wait_until("the softwire is up", lambda: is_up(machine), timeout=20)
    return machine


def is_up(machine):
    done = machine.sh("softwire", "--instance", "initiator", "--json", "show", "softwires", check=False)
    return done.returncode == 0 and any(row["state"] == "up" for row in json.loads(done.stdout)["softwires"])


def ping(machine):
    return machine.sh("ip", "netns", "exec", "home", "ping", "-n", "-c", "1", "-W", "1", "2001:db8::1", check=False).returncode == 0


def test_instances_work_side_by_side_under_the_hardening(instances):
    machine = instances
    assert ping(machine)
    assert [row["user"] for row in show(machine, "softwires", "--instance", "concentrator")] == ["alice"]
    for name in ("concentrator", "initiator"):
        keeper, engine = processes(machine, f"softwired@{name}")
        assert capabilities(status(machine, keeper, "CapEff")) == KEEPER_CAPABILITIES
        assert (status(machine, keeper, "NoNewPrivs"), status(machine, keeper, "Seccomp")) == ("1", "2")  # 2: a filter
        assert int(status(machine, engine, "CapBnd"), 16) == 0 and status(machine, engine, "Uid").split()[0] != "0"
        assert machine.out("stat", "-c", "%U", f"/var/lib/softwired-{name}") == "softwire"
    # A hook, which starts a server that binds a port of the system's and becomes another user.
    wait_until("dnsmasq serves the LAN", lambda: machine.sh("sh", "-c", "read pid < /run/softwired/dnsmasq-home.pid && grep dnsmasq /proc/$pid/comm",
                                                            check=False).returncode == 0)
    # Completion knows who is there.
    script = 'source /usr/share/bash-completion/completions/softwire; COMP_LINE=$1 COMP_POINT=${#1}; _softwire; echo "${COMPREPLY[@]}"'
    assert machine.out("bash", "-c", script, "bash", "softwire --instance concentrator clear user a") == "alice"
    assert machine.out("bash", "-c", script, "bash", "softwire --instance initiator clear initiator ") == "home"
    assert machine.out("bash", "-c", script, "bash", "softwire --instance ") == "concentrator initiator"
    # Reload: errors are told and change nothing.
    machine.sh("sed", "-i", "s/lan = /lam = /", "/etc/softwire/initiator.conf")
    assert machine.sh("systemctl", "reload", "softwired@initiator", check=False).returncode != 0
    assert "initiator.conf:4: " in machine.out("journalctl", "-u", "softwired@initiator", "-o", "cat")
    machine.sh("sed", "-i", "s/lam = /log = /; s/log = /lan = /", "/etc/softwire/initiator.conf")
    machine.sh("systemctl", "reload", "softwired@initiator")
    assert is_up(machine) and ping(machine)
    # An engine process that dies is replaced by one that is the same instance, after a reload, too.
    engine = processes(machine, "softwired@initiator")[1]
    machine.sh("kill", "-KILL", engine)
    wait_until("another engine process brings the softwire up", lambda: processes(machine, "softwired@initiator")[1] != engine and is_up(machine))


# proves: PS-2 partial
def test_upgrade_keeps_softwires_and_removal_stops_daemons(instances, next_deb):
    machine = instances
    units = ("softwired@concentrator", "softwired@initiator")
    before = {unit: processes(machine, unit) for unit in units}
    softwires = show(machine, "softwires", "--instance", "concentrator")
    machine.sh("sh", "-c", "ip netns exec home ping -n -D -i 0.1 2001:db8::1 > /run/pings 2>&1 &")
    wait_until("pings are answered", lambda: "time=" in machine.out("cat", "/run/pings"))
    install(machine, next_deb)
    assert machine.out("dpkg-query", "-W", "-f", "${Version}", "softwired").startswith("1:")
    for unit in units:
        keeper, engine = processes(machine, unit)
        assert keeper == before[unit][0] and engine != before[unit][1]
        for pid in (keeper, engine):
            assert machine.out("readlink", f"/proc/{pid}/exe") == "/usr/sbin/softwired"  # not "(deleted)"
    wait_until("pings are answered after it", lambda: ping(machine) and is_up(machine))
    machine.sh("pkill", "-INT", "--exact", "ping")
    times = [float(t) for t in re.findall(r"^\[([0-9.]+)\].* time=", machine.out("cat", "/run/pings"), re.M)]
    assert max(after - at for at, after in zip(times, times[1:])) < 2
    assert [row["id"] for row in show(machine, "softwires", "--instance", "concentrator")] == [row["id"] for row in softwires]
    # One whose configuration the new program does not take is left alone, and that is said.
    before = processes(machine, "softwired@initiator")
    machine.sh("sed", "-i", "s/lan = /lam = /", "/etc/softwire/initiator.conf")
    said = install(machine, next_deb)
    assert "initiator.conf:4: " in said.stderr and "When that is mended: softwire --instance initiator upgrade" in said.stderr, said
    assert processes(machine, "softwired@initiator") == before and is_up(machine) and ping(machine)
    assert state(machine, "softwired.service", "ActiveState") == ["inactive"]
    machine.sh("dpkg", "--purge", "softwired")
    assert not machine.sh("pgrep", "--exact", "softwired", check=False).stdout
    assert machine.sh("sh", "-c", "ls -d /var/lib/softwired*", check=False).stdout == ""
    assert "sc0" not in machine.out("ip", "link")
