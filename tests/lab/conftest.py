# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab tests need root and network namespaces; where they cannot run they say why and count as skipped."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from home import Home  # noqa: E402


def reason_not_to_run():
    if os.geteuid() != 0:
        return "needs root"
    name = f"probe{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "network namespaces cannot be made here"
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    return None


REASON = reason_not_to_run()


def pytest_collection_modifyitems(items):
    if REASON:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    setattr(item, f"report_{outcome.get_result().when}", outcome.get_result())


@pytest.fixture
def home(request):
    """The network of home.py without any daemon; everything is gone after the test. A failed test shows the daemons' logs."""
    with Home(name="lab") as lab:
        yield lab
        if getattr(request.node, "report_call", None) and request.node.report_call.failed:
            lab.show_logs()


@pytest.fixture
def connected(home):
    """The same with a concentrator, and an initiator that has its prefix."""
    home.start_sc()
    home.start_si()
    home.si.wait_up()
    home.wait_delegated()
    return home
