# SPDX-License-Identifier: GPL-2.0-or-later
"""
15: the operator's hooks, at both ends (softwired-hooks(7)).

    internet ---- sc ---- access ---- home ---- lan
                  hooks               hooks

What this exercises: which events are told in which order, with which environment, as root, and that a hook which fails, hangs or could be
changed by others harms nobody.
"""
import pytest

from lab import wait_until
from scenario import WEB, Scenario

SCRIPT = """#!/bin/sh
exec >> {log}
echo "event $1 $SOFTWIRE_EVENT uid=$(id -u) cwd=$(pwd)"
env | grep ^SOFTWIRE_ | sort
echo end
"""


def hook(lab, name, text=SCRIPT):
    """An executable hook that notes what it is told; the settings that call it, and where it notes that."""
    script, log = lab.dir / f"{name}-hook", lab.dir / f"{name}-hook.log"
    script.write_text(text.replace("{log}", str(log)))
    script.chmod(0o755)
    log.touch()
    return f'hooks = {{ up = "{script}"; down = "{script}"; change = "{script}"; renew = "{script}"; }};', log


def events(log):
    """Each event that is written completely: its name and its variables."""
    found, now = [], None
    for line in log.read_text().splitlines():
        if line.startswith("event "):
            now = {"argument": line.split()[1], "uid": line.split("uid=")[1].split()[0], "cwd": line.split("cwd=")[1]}
        elif line == "end":
            found.append(now)
        elif now is not None and "=" in line:
            now[line.split("=", 1)[0].removeprefix("SOFTWIRE_")] = line.split("=", 1)[1]
    return found


def names(log):
    return [e["argument"] for e in events(log)]


def told(log, name, **variables):
    return wait_until(f"the hook is told: {name} {variables}", lambda: next(
        (e for e in events(log) if e["argument"] == name and all(v in e.get(k, "") for k, v in variables.items())), None), 15)


def last(log):
    return events(log)[-1]


# proves: HS-DHCP-14 partial, HS-OAM-4 partial
def test_hooks_of_both_ends_are_told_everything():
    with Scenario(payload=[4, 6], transport=4, router=True) as s:
        (sc, sc_log), (si, si_log) = hook(s, "sc"), hook(s, "si")
        s.set_up(si=si, extra=sc)
        prefix, subnet = str(s.assert_router6()), str(s.assert_router4())
        shown = s.shown("it is complete", lambda w: w["address6"] and w["address4"])
        for log, role, name in ((sc_log, "concentrator", ""), (si_log, "initiator", "home")):
            up = told(log, "up")
            assert (up["EVENT"], up["ROLE"], up["NAME"], up["USER"], up["uid"], up["cwd"]) == ("up", role, name, "alice", "0", "/")
            wait_until("the last word has everything", lambda log=log: prefix in last(log)["DELEGATED6"] and subnet in last(log)["DELEGATED4"], 15)
            now = last(log)
            assert now["ADDRESS6"] == shown["address6"] and now["ADDRESS4"] == shown["address4"]
            assert set(now["FAMILIES"].split()) == {"ipv4", "ipv6"} and now["MTU"] == "1460" and set(now["DNS"].split()) == {WEB[4], WEB[6]}
        assert last(sc_log)["PEER"].startswith("203.0.113.7:") and last(sc_log)["DEVICE"] == "sc0"
        assert last(si_log)["DEVICE"] == "si-home" and "lan0" in last(si_log)["LAN"]
        s.si.stop()
        for log in (sc_log, si_log):
            down = told(log, "down")
            assert down["REASON"] and not down["FAMILIES"]
            assert names(log)[0] == "up" and names(log)[-1] == "down" and names(log).count("up") == 1


# proves: HS-PROV-1 partial
def test_renewals_and_changes_are_told():
    with Scenario(payload=[6], transport=4, router=True) as s:
        (sc, sc_log), (si, si_log) = hook(s, "sc"), hook(s, "si")
        pools = 'default = { link6 = "2001:db8:100::/48"; delegate = { from = "2001:db8:8000::/36"; length = 56; }; preferred-lifetime = 60; valid-lifetime = 120; };'
        s.set_up(si=si, extra=sc, pools=pools)
        first = str(s.assert_router6())
        for log in (sc_log, si_log):
            wait_until("a renewal is told", lambda log=log: "renew" in names(log), 45)
        assert next(e for e in events(si_log) if e["argument"] == "renew")["DELEGATED6"].split() == [first]
        s.file("concentrator", "users.conf", 'users = { alice = { secret = "correct horse battery staple"; delegate = [ "2001:db8:9000::/56" ]; }; };\n')
        s.sc.ask("reload")
        s.sc.ask("clear", "user", "alice")
        change = told(si_log, "change", DELEGATED6="2001:db8:9000::/56") if "change" in names(si_log) else told(si_log, "up", DELEGATED6="2001:db8:9000::/56")
        assert change["DELEGATED6"].split()[0] == "2001:db8:9000::/56"


@pytest.mark.parametrize("what, text, says", [
    ("fails", "#!/bin/sh\necho this goes to the log\nexit 3\n", "this goes to the log"),
    ("is no program", "no magic at all\n", "hook"),
])
def test_hook_that_goes_wrong_harms_nobody(what, text, says):
    with Scenario(payload=[6], transport=4) as s:
        settings, _ = hook(s, "si", text)
        s.set_up(si=settings)
        wait_until(f"the log says that the hook {what}", lambda: s.si.has("hook"), 10)
        assert s.si.has(says)
        s.wait_ping(s.home, 6)


def test_hook_that_others_could_change_is_refused_before_anything_starts():
    with Scenario(payload=[6], transport=4) as s:
        settings, _ = hook(s, "si")
        (s.dir / "si-hook").chmod(0o777)
        s.start_sc()
        s.start_si(extra=settings, wait=False)
        wait_until("it is said", lambda: s.si.has("which others than root can change"))
        assert s.si.popen.wait(10) != 0
