# SPDX-License-Identifier: GPL-2.0-or-later
"""The work of ./check: runs the steps one after the other, counts single tests, and prints one closing line."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
FUZZ_TOTAL_SECONDS = 120  # over all targets and processors
SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dc_args=-g1"]  # lines for traces are all that is looked at
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
}


class Count:
    passed = failed = skipped = 0

    @classmethod
    def add(cls, passed=0, failed=0, skipped=0):
        cls.passed += passed
        cls.failed += failed
        cls.skipped += skipped


def title(text):
    print(f"\n== {text}", flush=True)


def run(cmd, **kw):
    return subprocess.run([str(c) for c in cmd], cwd=ROOT, **kw)


# Folders that later steps need: how to build them.
LATER = {"asan": ("build-asan", SANITIZE, {}), "fuzz": ("build-fuzz", ["-Dfuzzer=true", *SANITIZE], {"CC": "clang"})}

# Only processor time that nobody else wants, within its session and (a session is a group of its own for Linux) beside others.
LEFTOVERS = ["sh", "-c", 'if [ -w /proc/self/autogroup ]; then echo 19 > /proc/self/autogroup; fi; exec nice -n 19 "$@"', "sh"]


class Ahead(threading.Thread):
    """Builds for later steps, while tests run that mostly wait. What goes wrong is said when the step builds again."""

    def __init__(self, steps):
        super().__init__(daemon=True)
        self.wanted = [LATER[step] for step in LATER if step in steps]
        self.process = None

    def run(self):
        while self.wanted:
            folder, options, env = self.wanted.pop(0)
            self.process = subprocess.Popen([*LEFTOVERS, "tests/tools/build", folder, *options], cwd=ROOT, env={**os.environ, **env},
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            self.process.wait()

    def end(self):
        self.wanted.clear()
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)


def build(folder, *options, env=None):
    if run(["tests/tools/build", folder, *options], env={**os.environ, **(env or {})}).returncode:
        Count.add(failed=1)
        return False
    return True


def count_cmocka(text):
    """(passed, failed, skipped) of a cmocka program, or None for another kind of program."""
    found = [re.findall(rf"\[  {word}  \] (\d+) test", text) for word in ("PASSED", "FAILED", "SKIPPED")]
    if not found[0] and not found[1]:
        return None
    return tuple(sum(map(int, f)) for f in found)


@contextmanager
def quick_disk():
    """Databases of tests are in memory where there is enough: the disk is not what is tested, and waiting for it takes minutes."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shutil.disk_usage(shm).free < 2**30:
        yield {}
        return
    with TemporaryDirectory(prefix="sw.", dir=shm) as folder:
        os.chmod(folder, 0o755)
        yield {"TMPDIR": folder}


def meson_tests(folder, suite):
    title(f"{suite} ({folder})")
    log = ROOT / folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    with quick_disk() as place:
        done = run(["meson", "test", "-C", folder, "--no-rebuild", "--suite", suite, "--timeout-multiplier", "4"],
                   env={**os.environ, **SANITIZER_OPTIONS, **place}, capture_output=True, text=True)
    if not log.exists():
        print(done.stdout, done.stderr)
        Count.add(failed=1)
        return
    passed = failed = skipped = 0
    for line in log.read_text().splitlines():
        test = json.loads(line)
        counts = count_cmocka(test.get("stdout", "") + test.get("stderr", ""))
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        if not good:
            print(f"FAILED: {test['name']}\n{test.get('stdout', '')[-4000:]}{test.get('stderr', '')[-6000:]}")
        if counts and good:
            passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
        else:
            passed, failed = passed + good, failed + (not good)
        for reason in re.findall(r"^skipped: .*$", test.get("stdout", ""), re.M):
            print(f"{test['name']}: {reason}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped in {suite}")
    Count.add(passed, failed, skipped)


# Lab tests mostly wait; each has namespaces of its own, but for groups (pytest.mark.xdist_group) that share what took long to make.
LAB = ["-n", "6", "--dist", "loadgroup"]
GUESTS = ["-n", "3", "--dist", "loadfile"]  # tests of a file share what took long to make: a guest's run, the package


def python_tests(folder, where, what, *options, sanitized=False, place=None):
    title(f"{what} ({folder})")
    report = ROOT / folder / f"{what}.xml"
    report.unlink(missing_ok=True)
    env = {**os.environ, "SOFTWIRE_BUILD": str(ROOT / folder), "PYTHONDONTWRITEBYTECODE": "1", **(place or {})}
    if sanitized:
        env.update(SANITIZER_OPTIONS, SOFTWIRE_SANITIZED="1")
    run(["/usr/bin/python3", "-m", "pytest", "-q", "-rsfE", "-p", "no:cacheprovider", f"--junitxml={report}", *options, *where], env=env)
    if not report.exists():
        Count.add(failed=1)
        return
    suite = ElementTree.parse(report).getroot().find("testsuite")
    total, failures, errors, skipped = (int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped"))
    Count.add(total - failures - errors - skipped, failures + errors, skipped)


# Lab tests run with the sanitizers, and these without them, too: they judge times and memory. (Without the step "asan" all of them do.)
MEASURED = ["tests/lab/" + name for name in ("test_03_hints.py", "test_24_failover.py", "test_25_adoption.py", "test_29_storm.py", "test_37_mesh_islands.py",
                                             "test_40_mesh_restart.py")]


def lab(folder, where=("tests/lab",), **kw):
    with quick_disk() as place:
        python_tests(folder, where, "lab", *LAB, place=place, **kw)


def fuzz():
    title("fuzz")
    folder, options, env = LATER["fuzz"]
    if not build(folder, *options, env=env):
        return
    targets = sorted(p.name[5:] for p in (ROOT / "build-fuzz/fuzz").glob("fuzz_*") if p.is_file() and os.access(p, os.X_OK))
    seconds = max(2, FUZZ_TOTAL_SECONDS * (os.cpu_count() or 1) // max(1, len(targets)) // 2)
    done = run(["tests/tools/fuzz", seconds, *targets], capture_output=True, text=True)
    print(done.stdout, done.stderr, end="")
    Count.add(passed=len(re.findall(r"^ok:", done.stdout, re.M)), failed=len(re.findall(r"^FAILED:", done.stdout, re.M)))
    if not targets or (done.returncode and "FAILED:" not in done.stdout):
        Count.add(failed=1)


def trace():
    title("trace")
    done = run(["tests/tools/trace"], capture_output=True, text=True)
    ids = {line.split("\t")[0].split()[0] for line in done.stdout.splitlines()}
    print(f"{len(ids)} requirements have a test (make trace lists them)", done.stderr)
    Count.add(passed=done.returncode == 0, failed=done.returncode != 0)
    done = run(["tests/tools/floors"], capture_output=True, text=True)
    print(done.stdout or "every folder uses only floors below it")
    Count.add(passed=done.returncode == 0, failed=done.returncode != 0)


def bench():
    title("bench, at a hundredth of its size")
    for name in run(["bench/run", "--list"], capture_output=True, text=True).stdout.split():
        done = run(["bench/run", "--small", name], capture_output=True, text=True)
        try:
            result = json.loads(done.stdout.splitlines()[-1])
            ok = done.returncode == 0 and result["bench"] == name and result["ours"] is not None
        except (IndexError, ValueError, KeyError):
            ok = False
        print(f"{'ok' if ok else 'FAILED'}: {name}" + ("" if ok else f"\n{done.stdout[-2000:]}{done.stderr[-2000:]}"))
        Count.add(passed=ok, failed=not ok)


def work(steps, ahead):
    if build("build"):
        if "unit" in steps:
            meson_tests("build", "unit")
            meson_tests("build", "fuzz")
        if "sim" in steps:
            meson_tests("build", "sim")
        ahead.start()
        if "lab" in steps:
            lab("build", MEASURED if "asan" in steps else ["tests/lab"])
        guests = [step for step in ("interop", "package") if step in steps]
        if guests:
            python_tests("build", [f"tests/{step}" for step in guests], " and ".join(guests), *GUESTS)
        if "bench" in steps:
            bench()
        ahead.join()
    if "asan" in steps and build("build-asan", *SANITIZE):
        meson_tests("build-asan", "unit")
        meson_tests("build-asan", "fuzz")
        meson_tests("build-asan", "sim")
        lab("build-asan", sanitized=True)
    if "fuzz" in steps:
        fuzz()
    if "trace" in steps:
        trace()


STEPS = ["unit", "sim", "fuzz", "lab", "interop", "package", "bench", "asan", "trace"]


def main():
    steps = sys.argv[1:] or STEPS
    unknown = set(steps) - set(STEPS)
    if unknown:
        print(f"check: no such step: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    began = time.monotonic()
    ahead = Ahead(steps)
    try:
        work(steps, ahead)
    finally:
        ahead.end()
    print(f"\n{(time.monotonic() - began) / 60:.1f} minutes")
    print(f"{Count.passed} passed, {Count.failed} failed, {Count.skipped} skipped", flush=True)
    return 1 if Count.failed or not Count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
