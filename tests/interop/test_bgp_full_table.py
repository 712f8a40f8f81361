# SPDX-License-Identifier: GPL-2.0-or-later
"""
A million prefixes, as many as the whole Internet has, go through a reflector of ours, and go again:

    feeder ------ reflector ------ receiver        bench/bgp is both, with a codec of its own
"""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SOFTWIRE_BUILD", str(ROOT / "build"))
sys.path.append(str(ROOT / "bench"))

import reflector  # noqa: E402


# proves: MESH-BGP-19 partial
def test_a_full_table_comes_in_goes_out_and_goes_away_again():
    with reflector.Bench() as bench:
        pids = bench.reflector("ours")
        bench.connect(reflector.COUNT)
        assert bench.tell("announce")["loaded"] == reflector.COUNT
        bytes_per_route = reflector.memory_bytes(pids()) / reflector.COUNT
        assert bytes_per_route < 150, bytes_per_route
        assert bench.tell("withdraw")["loaded"] == 0
        assert [n["state"] for n in bench.daemon.ask("show", "bgp", "neighbors")["neighbors"]] == ["established"] * 2
