"""What node.yaml lets run: hooks on every node, which write into one file that nothing but
mastership protects, and what is done to the guards that run them."""

import shutil
import signal
import time
from pathlib import Path

from children import HOLDER, signal_quietly
from watch import boot_ns

HOOK = Path(__file__).resolve().parent / "hook"
# Besides the faults of plan.py, in the same weights.
KINDS = {
    "kill-guard": 3,  # kill -9 of the guard of hooks
    "freeze-guard": 3,  # SIGSTOP, SIGCONT
}
# How long after the death of a daemon or its guard the other is spared: until then nobody may be
# there who undoes what the two did.
SPARED_S = 2.0


def file_in(place):
    return Path(place) / "hooked"


def settings(node, place):
    """What goes into that node's node.yaml. The hook is copied to where nobody but root may change
    it, which a checkout need not be."""
    hook = Path(place) / HOOK.name
    if not hook.exists():
        shutil.copy(HOOK, hook)
    words = ", ".join(f'"{word}"' for word in (hook, node.name, file_in(place), HOLDER))
    roles = "".join(f"  {role}: [{words}]\n" for role in ("master", "backup", "no_quorum"))
    return f"hooks:\n{roles}  timeout: 5s\n"


class Guards:
    """The guards of all nodes, and when each or its daemon was killed last."""

    def __init__(self, world):
        self.world, self.frozen = world, {}
        # Each stretch in which one stood still: node, from, to.
        self.stood = []
        # When each kind of them was killed, by node.
        self.killed = {"daemon": {}, "guard": {}}
        world.guards = self
        world.faults = world.faults | FAULTS

    def find(self, node):
        """The processes that guard that node's hooks: one, or none."""
        tasks = Path(f"/proc/{node.daemon.pid}/task")
        found = []
        try:
            for task in tasks.iterdir():
                found += (task / "children").read_text().split()
            return [int(pid) for pid in found if is_guard(pid)]
        except OSError:
            return []

    def note(self, node, who):
        self.killed[who][node.name] = time.monotonic()

    def has_just_lost(self, node, who):
        """Whether it was killed there a moment ago."""
        killed = self.killed[who].get(node.name)
        return killed is not None and time.monotonic() - killed < SPARED_S

    def thaw(self, node):
        if node.name not in self.frozen:
            return
        since, pids = self.frozen.pop(node.name)
        for pid in pids:
            signal_quietly(pid, signal.SIGCONT)
        self.stood.append((node.name, since, boot_ns()))

    def heal(self):
        for node in self.world.nodes:
            self.thaw(node)


def is_guard(pid):
    return b"hooks.lock" in Path(f"/proc/{pid}/cmdline").read_bytes()


def kill(world, _step, _index, node, _peer, _seconds):
    """Never together with the daemon, and never before the last one was followed by another:
    nobody would be left to undo anything."""
    guards = world.guards
    is_spared = any(guards.has_just_lost(node, who) for who in guards.killed)
    if node.name in world.down | world.frozen or is_spared:
        return
    for pid in guards.find(node):
        guards.note(node, "guard")
        signal_quietly(pid, signal.SIGKILL)


def freeze(world, _step, _index, node, _peer, seconds):
    """Never together with the daemon: a machine that stands still as a whole is out of reach."""
    guards = world.guards
    if node.name in world.down | world.frozen | guards.frozen.keys():
        return
    guards.frozen[node.name] = boot_ns(), guards.find(node)
    for pid in guards.frozen[node.name][1]:
        signal_quietly(pid, signal.SIGSTOP)
    world.later(seconds, lambda: world.guards.thaw(node))


FAULTS = {"kill-guard": kill, "freeze-guard": freeze}
