"""Asks every node all the time whether it is master, and remembers each yes with its stamps."""

import threading
import time
from collections import namedtuple

PAUSE = 0.008
ANSWER_LIMIT = 0.4

Yes = namedtuple("Yes", "node term before after")


def boot_ns():
    """The clock of the acting logs."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Watch:
    """A thread for each node, until `stop`."""

    def __init__(self, nodes):
        self.asked, self.yes, self.latest = 0, [], {}
        self.lock, self.is_over = threading.Lock(), threading.Event()
        # How late this program itself woke up at worst, in nanoseconds: what the machine is like.
        self.latest_wake_ns = 0
        self.threads = [threading.Thread(target=self.ask, args=[n], daemon=True) for n in nodes]
        for thread in self.threads:
            thread.start()

    def ask(self, node):
        asleep = boot_ns()
        while not self.is_over.wait(PAUSE):
            before = boot_ns()
            late = before - asleep - round(PAUSE * 1e9)
            seen = node.status(ANSWER_LIMIT)
            after = boot_ns()
            with self.lock:
                self.asked += 1
                self.latest_wake_ns = max(self.latest_wake_ns, late)
                self.latest[node.name] = before, seen
                if seen and seen["role"] == "master":
                    self.yes.append(Yes(node.name, seen["term"], before, after))
            asleep = boot_ns()

    def master(self):
        """The node that said last that it is master; None if none does now."""
        with self.lock:
            said = [
                (before, name)
                for name, (before, seen) in self.latest.items()
                if seen and seen["role"] == "master"
            ]
        return max(said)[1] if said else None

    def view(self, since):
        """Every node's answer, as far as it was asked after `since`."""
        with self.lock:
            return {n: seen for n, (before, seen) in self.latest.items() if before >= since}

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def settled(view, count):
    """The master's name, if it acts and all hear and follow it and may vote."""
    seen = [status for status in view.values() if status]
    if len(seen) < count:
        return None
    acting = [status["node"] for status in seen if status["role"] == "master"]
    if len(acting) != 1 or any((s["master"] or {}).get("id") != acting[0] for s in seen):
        return None
    peers = [peer for status in seen for peer in status["peers"]]
    is_ready = all(p["heard"] and p["vote_ready"] and p["hears_us"] for p in peers)
    return acting[0] if is_ready else None


def unlogged(answers, evidence):
    """Every yes that no acting log knows of: then the logs prove nothing."""
    reigns = evidence.of_reigns()
    return [
        yes
        for yes in answers
        if not any(
            window.start <= yes.after and window.end >= yes.before
            for window in reigns.get((yes.node, yes.term), [])
        )
    ]
