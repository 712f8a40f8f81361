# SPDX-License-Identifier: GPL-2.0-or-later
"""Package tests need root, namespaces, overlayfs, systemd and the tools that build Debian packages; what is missing is said, and counts as skipped."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import Machine, cgroup2  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOFTWIRE_BUILD", ROOT / "build"))
PROGRAMS = {"dpkg-buildpackage": "dpkg-dev", "dh": "debhelper", "systemctl": "systemd", "unshare": "util-linux"}
NAMESPACES = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork"]
LAYERS = 'mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /mnt/r'


def reason_not_to_run():
    if os.geteuid() != 0:
        return "needs root"
    for program, package in PROGRAMS.items():
        if not shutil.which(program):
            return f"package {package} is not installed"
    if not cgroup2() or not os.access(cgroup2(), os.W_OK):
        return "there is no cgroup v2 to write to"
    if subprocess.run([*NAMESPACES, "sh", "-c", LAYERS], capture_output=True).returncode:
        return "namespaces or overlayfs cannot be had here"
    return None


REASON = reason_not_to_run()


def pytest_collection_modifyitems(items):
    for item in items if REASON else []:
        if {"deb", "machine"} & set(item.fixturenames):
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="session")
def deb():
    """The package, built from the tree as `make deb` does."""
    options = f"nocheck noautodbgsym parallel={os.cpu_count()}"
    done = subprocess.run([ROOT / "packaging/make-deb", BUILD / "package"], capture_output=True, text=True,
                          env={**os.environ, "DEB_BUILD_OPTIONS": options})
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def next_deb(deb, tmp_path_factory):
    """The same with a higher version."""
    tree, path = tmp_path_factory.mktemp("next") / "tree", deb.with_name("next.deb")
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 1:"))
    subprocess.run(["dpkg-deb", "-Znone", "-b", tree, path], check=True, capture_output=True)
    return path


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    item.failed = getattr(item, "failed", False) or outcome.get_result().failed


@pytest.fixture
def machine(request):
    """A failed test shows its journal."""
    with Machine() as m:
        yield m
        if request.node.failed:
            print(m.sh("journalctl", "--no-pager", "--boot", "--output=short-monotonic", check=False).stdout[-20000:])
