"""The cluster under fault: what is broken now, and how each fault begins, ends and is healed."""

import heapq
import itertools
import re
import signal
import subprocess
import time
from collections import Counter

import lab
from watch import boot_ns

# A daemon may end in two ways without being killed: told to, or since its disk is full at a start.
DISK_FAILED = 74
ABORT_WORDS = re.compile(r"panicked|this daemon aborts")
FLAPS = 12
LOOPS = 8


class World:
    """Nodes on machines, what is broken, and what is due to be undone."""

    def __init__(self, cluster, machines, dead_after, tell):
        self.nodes, self.machines, self.dead_after = cluster.nodes, machines, dead_after
        self.tell_line, self.wrong = tell, []
        # Not told to run, told to end, standing still: names of nodes.
        self.down, self.leaving, self.frozen, self.full = set(), {}, set(), set()
        # What runs under mastership, if anything does: its faults, and where it stands still.
        self.children, self.faults, self.still = None, {}, set()
        # What guards the hooks of every node, if there are any.
        self.guards = None
        # Whose daemons may have met a full disk while they started.
        self.starved = set()
        self.cuts, self.losses, self.applied = {}, {}, {}
        self.due, self.order = [], itertools.count()
        self.asking, self.done, self.log = [], Counter(), []
        self.master = lambda: None

    # Time

    def later(self, seconds, act):
        heapq.heappush(self.due, (time.monotonic() + seconds, next(self.order), act))

    def wait(self, seconds):
        """Undoes what is due, and looks after the daemons, for that long."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                heapq.heappop(self.due)[2]()
            self.look()
            if now >= end:
                return
            time.sleep(min(0.02, max(0.0, end - now)))

    def tell(self, what, node=None):
        stamp = boot_ns()
        self.log.append((stamp, what, node))
        self.tell_line(f"{stamp / 1e9:.6f} {what}{' ' + node if node else ''}")

    # Daemons

    def look(self):
        """Takes note of daemons that ended."""
        if self.children:
            self.children.look()
        for node in self.nodes:
            ended = node.daemon.child.poll() if node.name not in self.down else None
            if ended is None:
                continue
            self.down.add(node.name)
            self.frozen.discard(node.name)
            told = self.leaving.pop(node.name, None)
            # One that was only just starting does not catch signals yet.
            if told and ended in (0, -signal.SIGTERM):
                if told == "again":
                    self.start(node)
            elif node.name in self.starved and ended == DISK_FAILED:
                self.tell("ended for its full disk:", node.name)
            else:
                self.wrong.append(f"{node.name} ended by itself with {ended} at {boot_ns()} ns")
                self.tell(f"ENDED BY ITSELF with {ended}:", node.name)

    def start(self, node):
        if node.name in self.down:
            self.down.discard(node.name)
            self.starved = self.starved - {node.name} | (self.full & {node.name})
            node.start()

    def crash(self, node):
        """Kills it, unless that would leave nobody to undo what its hooks did."""
        if self.has_guard(node):
            self.kill(node)

    def has_guard(self, node):
        """Whether somebody undoes what its hooks did, if it has any and its daemon ends."""
        return not (self.guards and self.guards.has_just_lost(node, "guard"))

    def kill(self, node):
        if node.name in self.down:
            return
        if self.guards:
            self.guards.note(node, "daemon")
        self.look()
        self.down.add(node.name)
        self.leaving.pop(node.name, None)
        self.frozen.discard(node.name)
        node.daemon.kill()

    def terminate(self, node, then):
        if node.name not in self.down and node.name not in self.leaving:
            self.leaving[node.name] = then
            node.daemon.send(signal.SIGTERM)

    def freeze(self, node):
        is_alone = self.guards and node.name in self.guards.frozen or not self.has_guard(node)
        if node.name not in self.down | self.still and not is_alone:
            self.frozen.add(node.name)
            node.daemon.send(signal.SIGSTOP)

    def thaw(self, node):
        if node.name in self.frozen:
            self.frozen.discard(node.name)
            node.daemon.send(signal.SIGCONT)

    def command(self, node, *words):
        """An operator's command, not waited for."""
        line = [str(word) for word in node.line(*words)]
        quiet = subprocess.DEVNULL
        self.asking.append(subprocess.Popen(line, stdin=quiet, stdout=quiet, stderr=quiet))

    # Disks

    def fill(self, node):
        self.full.add(node.name)
        self.starved.add(node.name)
        try:
            with open(filler(node), "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        except OSError:
            return

    def free(self, node):
        self.full.discard(node.name)
        filler(node).unlink(missing_ok=True)

    # Links

    def cut(self, links):
        """Nothing passes over these (from, to) links any more; gives what heals them."""
        key = next(self.order)
        self.cuts[key] = set(links)
        self.apply()
        return lambda: self.mend(key)

    def mend(self, key):
        if self.cuts.pop(key, None) is not None:
            self.apply()

    def lose(self, index, percent):
        self.losses[index] = percent
        self.apply()

    def apply(self):
        """Tells every machine whose links changed."""
        broken = set().union(*self.cuts.values())
        for index, machine in enumerate(self.machines):
            refused = sorted(one for one, other in broken if other == index)
            wanted = refused, self.losses.get(index, 0)
            if self.applied.get(index, ([], 0)) != wanted:
                self.applied[index] = wanted
                machine.refuse_only([self.machines[one] for one in refused], wanted[1])

    # Faults

    def do(self, step):
        """Begins one step of the plan, and sees to its end."""
        index = step.node
        if step.aim == "master":
            names = [node.name for node in self.nodes]
            master = self.master()
            index = names.index(master) if master else step.node
        node, peer = self.nodes[index], step.peer if step.peer != index else step.node
        seconds = step.span * self.dead_after
        self.done[step.kind] += 1
        self.tell(f"{step.kind} for {seconds:.3f} s,", node.name)
        (FAULTS | self.faults)[step.kind](self, step, index, node, peer, seconds)

    def heal(self):
        """Everything at once; gives when all was well again. What told daemons to leave is waited
        for, since until then they are not there to vote."""
        self.due.clear()
        self.still.clear()
        if self.children:
            self.children.heal()
        if self.guards:
            self.guards.heal()
        self.cuts.clear()
        self.losses.clear()
        self.apply()
        sick = {node.name for node in self.nodes if node.name in self.full}
        for node in self.nodes:
            self.free(node)
            self.thaw(node)
        lab.until("told daemons end", lambda: self.look() or not self.leaving)
        for node in self.nodes:
            status = node.status() if node.name not in self.down else None
            if node.name in sick or (status and status["storage_failed"]):
                lab.until("what its hooks did is undone", lambda: self.has_guard(node))
                self.kill(node)
            self.start(node)
        for asking in self.asking:
            asking.kill()
            asking.wait()
        self.asking.clear()
        self.tell("all is healed")
        return boot_ns()

    def last_words(self):
        """What daemons said of their own death."""
        for node in self.nodes:
            for line in (node.home / "log").read_text(errors="replace").splitlines():
                if ABORT_WORDS.search(line):
                    self.wrong.append(f"{node.name} said: {line}")
        return self.wrong


def filler(node):
    return node.home / "state" / "filler"


def pairs(count):
    return [(one, other) for one in range(count) for other in range(count) if one != other]


def cut_for(chosen):
    """A fault that cuts the links `chosen(step, index, peer, (from, to))` for its span."""

    def fault(world, step, index, _node, peer, seconds):
        links = pairs(len(world.nodes))
        mend = world.cut(link for link in links if chosen(step, index, peer, link))
        world.later(seconds, mend)

    return fault


def flap_for(chosen):
    """The same, but the links come and go within the span."""

    def fault(world, step, index, _node, peer, seconds):
        links = [link for link in pairs(len(world.nodes)) if chosen(step, index, peer, link)]

        def blink(left):
            if left:
                world.later(seconds / FLAPS / 2, world.cut(links))
                world.later(seconds / FLAPS, lambda: blink(left - 1))

        blink(FLAPS)

    return fault


def group(step, index):
    return step.group >> index & 1


def kill(world, _step, _index, node, _peer, seconds):
    world.crash(node)
    world.later(seconds, lambda: world.start(node))


def crash(world, _step, _index, node, _peer, _seconds):
    world.crash(node)
    world.start(node)


def crash_loop(world, _step, _index, node, _peer, seconds):
    def again(left):
        world.crash(node)
        world.start(node)
        if left:
            world.later(seconds / LOOPS, lambda: again(left - 1))

    again(LOOPS)


def terminate(world, _step, _index, node, _peer, seconds):
    world.terminate(node, "down")

    def start():
        if node.name in world.leaving:
            world.leaving[node.name] = "again"
        else:
            world.start(node)

    world.later(seconds, start)


def freeze(world, _step, _index, node, _peer, seconds):
    world.freeze(node)
    world.later(seconds, lambda: world.thaw(node))


def loss(world, step, index, _node, _peer, seconds):
    world.lose(index, round(step.share * 100))
    world.later(seconds, lambda: world.lose(index, 0))


def fill_disk(world, _step, _index, node, _peer, seconds):
    world.fill(node)

    def sound():
        world.free(node)
        world.crash(node)
        world.start(node)

    world.later(seconds, sound)


def transfer(world, step, _index, node, peer, _seconds):
    world.command(node, "transfer", *([world.nodes[peer].name] if step.share > 0.25 else []))


def step_down(world, _step, _index, node, _peer, _seconds):
    world.command(node, "step-down", "--for", f"{round(world.dead_after * 500)}ms")


def reload(world, _step, _index, node, _peer, _seconds):
    # One that does not answer yet may not catch signals yet.
    if node.name not in world.down | world.frozen and node.status():
        node.daemon.send(signal.SIGHUP)
        node.daemon.send(signal.SIGUSR1)


def crash_all(world, *_):
    for node in world.nodes:
        world.crash(node)
    for node in world.nodes:
        world.start(node)


def terminate_all(world, *_):
    for node in world.nodes:
        world.terminate(node, "again")


def freeze_all(world, _step, _index, _node, _peer, seconds):
    for node in world.nodes:
        world.freeze(node)
    world.later(seconds, lambda: [world.thaw(node) for node in world.nodes])


FAULTS = {
    "kill": kill,
    "crash": crash,
    "crash-loop": crash_loop,
    "terminate": terminate,
    "freeze": freeze,
    "isolate": cut_for(lambda step, index, peer, link: index in link),
    "deaf": cut_for(lambda step, index, peer, link: link[1] == index),
    "mute": cut_for(lambda step, index, peer, link: link[0] == index),
    "cut": cut_for(lambda step, index, peer, link: set(link) == {index, peer}),
    "cut-one-way": cut_for(
        lambda step, index, peer, link: link == ((index, peer) if step.group % 2 else (peer, index))
    ),
    "split": cut_for(lambda step, index, peer, link: group(step, link[0]) != group(step, link[1])),
    "bridge": cut_for(
        lambda step, index, peer, link: index not in link
        and group(step, link[0]) != group(step, link[1])
    ),
    "chain": cut_for(lambda step, index, peer, link: abs(link[0] - link[1]) > 1),
    "flap": flap_for(lambda step, index, peer, link: set(link) == {index, peer}),
    "isolate-flap": flap_for(lambda step, index, peer, link: index in link),
    "loss": loss,
    "fill-disk": fill_disk,
    "transfer": transfer,
    "step-down": step_down,
    "reload": reload,
    "crash-all": crash_all,
    "terminate-all": terminate_all,
    "freeze-all": freeze_all,
}
