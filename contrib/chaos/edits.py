"""Programs that edit the document on all nodes at the same time, and the record of what they saw.

The record is judged by the test binary, with a checker that is not ours: see `judge`. Between two
heals all edits are one line of it; each line ends with an edit that was alone, and was committed, so
that what comes after it needs nothing from before.
"""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import lab

# How every edit marks its content, as the last line.
MARK = re.compile(r"(?ms)^# edit [^\n]*\n\Z")
# A program that is not answered for so long does not know, and goes on.
ANSWER_LIMIT = 2.0
EDITORS = 2
PAUSE = 0.02


class Desk:
    """Editors at every node, until `stop`; they rest while `closed` does its work."""

    def __init__(self, nodes, place):
        self.file, self.nodes = Path(place) / "edits.jsonl", nodes
        self.lock, self.gate, self.is_over = threading.Lock(), threading.Event(), threading.Event()
        self.edits, self.working, self.counts = [], 0, {}
        self.shown, self.wrong, self.lines = {}, [], 0
        self.outcomes = {}
        self.before = self.settled_text()
        self.gate.set()
        self.threads = [
            threading.Thread(target=self.work, args=[node, f"{node.name} {number}"], daemon=True)
            for node in nodes
            for number in range(EDITORS)
        ]
        for thread in self.threads:
            thread.start()

    def settled_text(self):
        """What all nodes show: asked before anybody edits."""
        seen = lab.until("every node shows the document", self.same)
        return [seen["revision"], split(seen["body"])[1]]

    def same(self):
        seen = [self.show(node) for node in self.nodes]
        if not all(seen) or any(one["body"] != seen[0]["body"] for one in seen):
            return None
        return seen[0]

    def show(self, node):
        seen = ask(node, {"ask": "show"})
        if not seen:
            return None
        tag = split(seen["body"])[1]
        with self.lock:
            if self.shown.setdefault(seen["revision"], tag) != tag:
                self.wrong.append(f"revision {seen['revision']} has two contents at {node.name}")
        return seen

    def work(self, node, name):
        while not self.is_over.is_set():
            self.gate.wait()
            with self.lock:
                # Closed between the two: look again.
                if not self.gate.is_set():
                    continue
                self.working += 1
            told = self.edit(node, name)
            with self.lock:
                self.working -= 1
            if told != "committed":
                self.is_over.wait(PAUSE)

    def edit(self, node, name):
        """Edits once, by what the node has; gives what became of it."""
        seen = self.show(node)
        if not seen:
            return None
        text, base = split(seen["body"])
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1
            tag = f"# edit {self.counts[name]} of {name}\n"
        asked = time.monotonic_ns()
        told = ask(node, {"ask": "edit", "revision": seen["revision"], "body": text + tag})
        answered = time.monotonic_ns()
        outcome = spelled(told)
        over = [seen["revision"], base]
        edit = {"asked": asked, "answered": answered, "over": over, "tag": tag, "outcome": outcome}
        word = outcome if isinstance(outcome, str) else next(iter(outcome))
        with self.lock:
            self.edits.append(edit)
            self.outcomes[word] = self.outcomes.get(word, 0) + 1
        return word

    def end_line(self, master):
        """Everybody rests; one last edit is committed at whom `master()` names; then all go on."""
        self.gate.clear()
        lab.until("all editors rest", lambda: self.working == 0)
        nodes = {node.name: node for node in self.nodes}
        deadline = time.monotonic() + lab.PATIENCE
        # Mastership may move once more, such as to whom it was asked for.
        while not ((name := master()) and self.edit(nodes[name], f"{name} last") == "committed"):
            if time.monotonic() > deadline:
                self.wrong.append(f"no edit was committed for {lab.PATIENCE:.0f} s after a heal")
                self.gate.set()
                return
            time.sleep(PAUSE)
        record = {"before": self.before, "edits": self.edits}
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        last = self.edits[-1]
        self.before = [last["outcome"]["committed"], last["tag"]]
        self.edits, self.lines = [], self.lines + 1
        self.gate.set()

    def stop(self):
        self.is_over.set()
        self.gate.set()
        for thread in self.threads:
            thread.join()

    def figures(self):
        """Stops, and has the record judged."""
        self.stop()
        verdict = judge(self.file) if self.lines else "no line was written"
        if verdict:
            self.wrong.append(f"EDITS HAVE NO ONE ORDER: {verdict}")
        for kind in ("committed", "moved"):
            if not self.outcomes.get(kind):
                self.wrong.append(f"no edit was {kind}: nothing was proved")
        return {"lines": self.lines, "outcomes": self.outcomes, "wrong": self.wrong}


def split(body):
    """The content without its mark, and the mark."""
    found = MARK.search(body)
    at = found.start() if found else len(body)
    return body[:at], body[at:]


def ask(node, request):
    """What the daemon answers; None if it does not, for whatever reason."""
    try:
        return node.converse(request, ANSWER_LIMIT)
    except OSError:
        return None


def spelled(told):
    """An answer as the record spells it."""
    if not told or told.get("answer") != "edit":
        return "unknown"
    if told["outcome"] == "committed":
        return {"committed": told["revision"]}
    if told.get("reason") == "rejected-revision-moved":
        return {"moved": int(re.search(r"at revision (\d+)", told["message"]).group(1))}
    return "refused" if told["outcome"] == "rejected" else "unknown"


def judge(file):
    """What the checker in the test binary has against the record; None if nothing."""
    test = "process::linear::kept_records_of_edits_have_one_order"
    line = ["cargo", "test", "--quiet", "--test", "quorate", test, "--", "--exact"]
    environment = os.environ | {"EDITS_RECORD": str(file)}
    done = subprocess.run(
        line, cwd=lab.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    is_proved = done.returncode == 0 and "1 passed" in done.stdout
    return None if is_proved else (done.stdout + done.stderr)[-2000:]
