# SPDX-License-Identifier: GPL-2.0-or-later
"""What --help says, the man pages and the completion of bash say, too, and no more. (Settings: tests/unit/control/manual.c.)"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOFTWIRE_BUILD", ROOT / "build"))
PAGES = sorted((ROOT / "doc/man").iterdir())


def run(*cmd, **kw):
    return subprocess.run([str(c) for c in cmd], capture_output=True, text=True, check=True, **kw).stdout


def long_options(text):
    return set(re.findall(r"--([a-z][a-z0-9-]*)", text))


def commands():
    """{name: arguments} of softwire --help."""
    text = re.sub(r"\n {6}\| ", " | ", run(BUILD / "src/softwire", "--help"))
    found = dict(re.findall(r"^  ([a-z][a-z-]*)(?: (.*))?$", text, re.M))
    assert len(found) > 5
    return found


def options_of_softwire():
    """Its own and those of its commands."""
    text = run(BUILD / "src/softwire", "--help")
    own = [run(BUILD / "src/softwire", name, "--help") for name, arguments in commands().items() if "[OPTION" in arguments]
    return long_options(text).union(*map(long_options, own))


def items(page):
    """The heads of lists: what a page explains. A dash is an option's first one."""
    text = (ROOT / "doc/man" / page).read_text()
    return re.findall(r"^\.It (?=Cm|Fl)(.*)$", text, re.M)


def documented_options(page):
    return {name for item in items(page) for name in re.findall(r"Fl -([a-z][a-z0-9-]*)", item)}


def first_words(arguments):
    """The literal words that a command's first argument can be."""
    return {word for alternative in arguments.split(" | ") for word in alternative.split(" ")[0].split("|") if re.fullmatch("[a-z-]+", word)}


def test_page_of_softwire_has_every_command_and_option_and_no_other():
    explained = [item.replace("Cm ", "").split() for item in items("softwire.1") if item.startswith("Cm ")]
    assert {words[0] for words in explained} == set(commands())
    for name, arguments in commands().items():
        for word in first_words(arguments):
            assert [name, word] in [words[:2] for words in explained], f"softwire.1 lacks an item on {name} {word}"
    assert documented_options("softwire.1") == options_of_softwire()


def test_page_of_softwired_has_every_option_and_no_other():
    text = run(BUILD / "src/softwired", "--help")
    assert documented_options("softwired.8") == long_options(text)
    for short, long in re.findall(r"^  -(\w), --([a-z-]+)", text, re.M):
        assert any(re.match(rf"Fl {short}( Ar \w+)? , Fl -{long}\b", item) for item in items("softwired.8")), f"softwired.8 lacks an item on -{short}, --{long}"


@pytest.mark.skipif(not shutil.which("mandoc"), reason="package mandoc is not installed")
@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_mandoc_finds_nothing_wrong(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def complete(line, cwd="/"):
    """What bash offers at the end of LINE."""
    script = f'source {ROOT}/packaging/bash-completion/softwire; COMP_LINE=$1 COMP_POINT=${{#1}}; _softwire; printf "%s\\n" "${{COMPREPLY[@]}}"'
    path = f"{BUILD}/src:{os.environ['PATH']}"
    return set(run("bash", "--norc", "-c", script, "bash", line, cwd=cwd, env={"PATH": path}).split("\n")) - {""}


def test_bash_completes_every_command_option_and_word():
    assert complete("softwire ") == set(commands())
    assert complete("softwire --") == {f"--{name}" for name in long_options(run(BUILD / "src/softwire", "--help"))}
    for name, arguments in commands().items():
        assert complete(f"softwire --json {name[:-1]}") >= {name}
        assert complete(f"softwire {name} ") >= first_words(arguments)


def test_bash_completes_files_and_stays_silent_where_no_daemon_runs(tmp_path):
    (tmp_path / "a file.conf").touch()
    assert complete(f"softwire check {tmp_path}/a") == {f"{tmp_path}/a file.conf"}
    assert complete("softwire check a", cwd=tmp_path) == {"a file.conf"}
    assert complete(f"softwire --socket={tmp_path}/a") == {f"{tmp_path}/a file.conf"}
    assert complete(f"softwire --socket {tmp_path}/none clear user ") == set()
