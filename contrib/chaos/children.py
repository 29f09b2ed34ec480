"""What runs under mastership: a `quorate run` on every node, what is done to it, and the checker of
a file that nothing but mastership protects."""

import os
import signal
import sys
from collections import namedtuple
from pathlib import Path

import lab

HOLDER = Path(__file__).resolve().parent / "holder"
# Besides the faults of plan.py, in the same weights.
KINDS = {
    "kill-front": 2,  # kill -9 of `quorate run`
    "kill-keeper": 2,  # kill -9 of its keeper
    "freeze-front": 2,  # SIGSTOP, SIGCONT
    "freeze-keeper": 2,
    "freeze-run": 2,  # both
}

# What hooks say of themselves in the third word; everything else is something that acts.
BEGINS, UNDOES = "hook-master", "hook-backup"

Found = namedtuple("Found", "lines terms wrong gaps undoings")


class Children:
    """A `quorate run` on every node, started again whenever it ends."""

    def __init__(self, world, place):
        self.world, self.file = world, Path(place) / "shared"
        self.file.touch()
        self.fronts, self.ended = {}, 0
        world.faults = FAULTS
        world.children = self
        for node in world.nodes:
            self.start(node)

    def start(self, node):
        line = node.line("run", "--restart")
        line += ["--", sys.executable, HOLDER, node.name, self.file]
        with open(node.home / "run.log", "ab") as log:
            self.fronts[node.name] = lab.Process(line, log)

    def look(self):
        """Starts what ended."""
        for node in self.world.nodes:
            if self.fronts[node.name].child.poll() is not None:
                self.ended += 1
                self.start(node)

    def keepers(self, node):
        """The processes that the front started: one keeper, or none."""
        front = self.fronts[node.name].pid
        try:
            found = Path(f"/proc/{front}/task/{front}/children").read_text().split()
        except OSError:
            return []
        return [int(pid) for pid in found]

    def send(self, node, who, number):
        """To the front, the keeper or both; whoever just ended is no mistake."""
        pids = self.keepers(node) if who != "front" else []
        if who != "keeper" and self.fronts[node.name].child.poll() is None:
            pids.append(self.fronts[node.name].pid)
        for pid in pids:
            signal_quietly(pid, number)

    def heal(self):
        for node in self.world.nodes:
            self.send(node, "both", signal.SIGCONT)

    def stop(self):
        for front in self.fronts.values():
            front.kill()


def signal_quietly(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kill(who):
    def fault(world, _step, _index, node, _peer, _seconds):
        world.children.send(node, who, signal.SIGKILL)

    return fault


def freeze(who):
    """Never together with the daemon: a machine that stands still as a whole is out of reach."""

    def fault(world, _step, _index, node, _peer, seconds):
        if node.name in world.frozen and who == "both":
            return
        world.children.send(node, who, signal.SIGSTOP)
        world.still.add(node.name)

        def thaw():
            world.children.send(node, "both", signal.SIGCONT)
            world.still.discard(node.name)

        world.later(seconds, thaw)

    return fault


FAULTS = {
    "kill-front": kill("front"),
    "kill-keeper": kill("keeper"),
    "freeze-front": freeze("front"),
    "freeze-keeper": freeze("keeper"),
    "freeze-run": freeze("both"),
}


def judge(path, stood=()):
    """Reads a shared file from its beginning: no token may follow a higher one, a token has one
    owner, and what a `master` hook began is undone before another node begins: unless its guard
    `stood` still, (node, from, to), where all that acted is dead by then, and undone later."""
    owners, wrong, gaps, lines, undoings = {}, [], [], 0, 0
    highest, last = 0, None
    # The node, token and beginning of what is not undone yet.
    begun = None
    with open(path, encoding="ascii") as file:
        for raw in file:
            words = raw.split()
            if len(words) != 4:
                wrong.append(f"{path.name}, line {lines + 1}: not a whole line: {raw[:60]!r}")
                continue
            term, node, who, stamp = int(words[0]), words[1], words[2], int(words[3])
            lines += 1
            if who == UNDOES:
                undoings += 1
                if begun and begun[0] == node:
                    begun = None
                continue
            if who == BEGINS:
                if begun and begun[0] != node and not has_stood(begun, stamp, stood):
                    wrong.append(
                        f"NOT UNDONE: {node} began token {term} at {stamp} ns, before {begun[0]} "
                        f"undid token {begun[1]}"
                    )
                begun = node, term, stamp
            if term < highest:
                wrong.append(f"INTERLEAVED: {node} wrote token {term} after {highest}")
            elif term > highest and last is not None:
                gaps.append((stamp - last) / 1e9)
            highest, last = max(term, highest), stamp
            if owners.setdefault(term, node) != node:
                wrong.append(f"TWO OWNERS of token {term}: {owners[term]} and {node}")
    return Found(lines, len(owners), wrong, sorted(gaps), undoings)


def has_stood(begun, end, stood):
    """Whether the guard of that node stood still in between."""
    return any(node == begun[0] and start < end and to > begun[2] for node, start, to in stood)
