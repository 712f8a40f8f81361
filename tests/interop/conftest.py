# SPDX-License-Identifier: GPL-2.0-or-later
"""Each scenario runs once, in a kernel of its own; the tests judge what it found and what was on the wire."""
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lab")]

from guest import Run  # noqa: E402


@pytest.fixture(scope="session")
def concentrator(tmp_path_factory):
    return Run("guest_concentrator.py", tmp_path_factory.mktemp("concentrator"))


@pytest.fixture(scope="session")
def initiator(tmp_path_factory):
    return Run("guest_initiator.py", tmp_path_factory.mktemp("initiator"))
