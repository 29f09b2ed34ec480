"""Starts programs that end with this one, and finds the one under test."""

import atexit
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


def fail(message):
    sys.exit(f"error: {message}")


def binary(given):
    """The quorate to measure: the given one, or the newest release build of this checkout."""
    static = ROOT / "target/static/x86_64-unknown-linux-musl/release/quorate"
    built = [p for p in (static, ROOT / "target/release/quorate") if p.exists()]
    if given:
        return str(Path(given).resolve())
    if not built:
        fail("no release build: run `cargo build --release`, or name a program with --binary")
    return str(max(built, key=lambda p: p.stat().st_mtime))


def until(what, found, patience=PATIENCE, pause=0.005):
    """Waits until `found()` gives something true; gives that."""
    deadline = time.monotonic() + patience
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > deadline:
            fail(f"in vain for {patience:.0f} s: {what}")
        time.sleep(pause)


class Process:
    """A program that ends with this one."""

    def __init__(self, line, log):
        self.child = subprocess.Popen(
            [str(word) for word in line],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        atexit.register(self.kill)

    @property
    def pid(self):
        return self.child.pid

    def send(self, number):
        self.child.send_signal(number)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.send_signal(signal.SIGCONT)
            self.child.wait()

    def wait(self):
        return self.child.wait(timeout=PATIENCE)

    def cpu_ns(self):
        """Time on a processor so far, over all threads, in nanoseconds."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total

    def rss_kib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        fail(f"process {self.pid} has no memory")
