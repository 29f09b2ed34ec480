"""Real quorate daemons: one node, and a cluster founded as an operator would."""

import atexit
import json
import queue
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

from .process import PATIENCE, Process, fail, until

# What goes into cluster.yaml, and what follows from it in seconds: heartbeat, dead_after, stagger.
TIMINGS = {
    "default": ("{heartbeat: 500ms, dead_after: 4s, stop: 500ms}", 0.5, 4.0, 0.05),
    "lan": ("{heartbeat: 100ms, dead_after: 600ms, stop: 150ms}", 0.1, 0.6, 0.02),
    "wan": ("{heartbeat: 1s, dead_after: 8s, stop: 2s}", 1.0, 8.0, 0.1),
}
NAMES = ["alpha", "bravo", "charlie", "delta", "echo"]


class Node:
    """One quorate node: a directory, and perhaps a daemon."""

    def __init__(self, program, home, name, address, prefix=()):
        self.program, self.home, self.name, self.address = program, Path(home), name, address
        self.prefix = list(prefix)
        self.listen = address
        self.acting_log = None
        # Where it answers over HTTP: many nodes share this machine.
        self.http = "off"
        # More lines of its node.yaml.
        self.more = ""
        self.daemon = None
        self.home.mkdir(parents=True)

    def settle_in(self):
        """Writes its node.yaml."""
        text = f'id: {self.name}\nlisten: "{self.listen}"\nadvertise: "{self.address}"\n'
        text += f'http: "{self.http}"\n'
        text += f'acting_log: "{self.acting_log}"\n' if self.acting_log else ""
        (self.home / "node.yaml").write_text(text + self.more)

    def line(self, *words):
        places = ["--config", self.home / "node.yaml", "--state-dir", self.home / "state"]
        return [*self.prefix, self.program, *words, *places, "--socket", self.home / "sock"]

    def ask(self, *words):
        line = [str(word) for word in self.line(*words)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            fail(f"{' '.join(words)} on {self.name}: {done.stderr.strip()}")
        return done.stdout

    def start(self):
        with open(self.home / "log", "ab") as log:
            self.daemon = Process(self.line("serve"), log)

    def status(self, limit=1.0):
        """What `quorate status --json` prints, asked at the socket; None if nobody answers."""
        try:
            return self.converse({"ask": "status"}, limit)
        except OSError:
            return None

    def converse(self, request, limit=PATIENCE):
        """What its daemon answers to one request."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(limit)
            door.connect(str(self.home / "sock"))
            send(door, request)
            return receive(door)


def send(door, request):
    body = json.dumps(request).encode()
    door.sendall(struct.pack(">I", len(body)) + body)


def receive(door):
    (length,) = struct.unpack(">I", exactly(door, 4))
    return json.loads(exactly(door, length))


def exactly(door, count):
    data = b""
    while len(data) < count:
        more = door.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


class Quorate:
    """A quorate cluster with a follower on every node's events. `prepare` sees each node before
    anything is in its home."""

    name = "quorate"

    def __init__(
        self,
        program,
        timing,
        count=3,
        addresses=None,
        prefixes=None,
        failback="never",
        prepare=lambda node: None,
        more_members="",
    ):
        self.place = Path(tempfile.mkdtemp(prefix="quorate-bench-"))
        atexit.register(shutil.rmtree, self.place, ignore_errors=True)
        addresses = addresses or [f"127.0.0.{i + 1}:{19901}" for i in range(count)]
        prefixes = prefixes or [[]] * count
        self.nodes = [
            Node(program, self.place / name, name, address, prefix)
            for name, address, prefix in zip(NAMES, addresses, prefixes)
        ]
        for node in self.nodes:
            prepare(node)
        self.events = queue.Queue()
        self.found(timing, failback, more_members)

    def found(self, timing, failback, more_members):
        for node in self.nodes:
            node.settle_in()
        choices = f"timing: {timing}\nelection: {{policy: lowest-id, failback: {failback}}}\nnodes:\n"
        text = self.nodes[0].ask("init", "--cluster", "bench").replace("nodes:\n", choices)
        text += "".join(node.ask("init") for node in self.nodes[1:]) + more_members
        file = self.place / "cluster.yaml"
        file.write_text(text)
        for node in self.nodes:
            node.ask("init", "--from", str(file))

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def start(self):
        for node in self.nodes:
            self.start_node(node)

    def start_node(self, node):
        node.start()
        threading.Thread(target=self.follow, args=[node], daemon=True).start()

    def follow(self, node):
        """Passes every event on with the monotonic time of its arrival, until the daemon ends."""
        daemon = node.daemon
        while daemon.child.poll() is None:
            try:
                with socket.socket(socket.AF_UNIX) as door:
                    door.connect(str(node.home / "sock"))
                    send(door, {"ask": "events", "follow": True})
                    while True:
                        event = receive(door)
                        self.events.put((time.monotonic(), event))
            except OSError:
                time.sleep(0.002)

    def forget(self):
        """Drops the events that came so far."""
        while not self.events.empty():
            self.events.get_nowait()

    def next(self, code, wanted=lambda event: True):
        """The next event of that code: its arrival, and itself."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                arrival, event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                fail(f"no event `{code}` for {PATIENCE:.0f} s")
            if event.get("code") == code and wanted(event):
                return arrival, event

    def settled(self):
        """The master's name, if it acts and all hear and follow it and may vote."""
        seen = [node.status() for node in self.nodes]
        if not all(seen):
            return None
        acting = [s["node"] for s in seen if s["role"] == "master"]
        if len(acting) != 1 or any((s["master"] or {}).get("id") != acting[0] for s in seen):
            return None
        ready = all(
            peer["heard"]
            and peer["hears_us"]
            and (peer["vote_ready"] or peer["role"] == "observer")
            for s in seen
            for peer in s["peers"]
        )
        return acting[0] if ready else None

    def settle(self):
        return until("the quorate cluster settles", self.settled)

    def crash_failover(self, heartbeat):
        """Seconds from kill -9 of the master until another node says that it acts."""
        master = self.settle()
        time.sleep(random.random() * heartbeat)
        self.forget()
        node = self.node(master)
        start = time.monotonic()
        node.daemon.send(signal.SIGKILL)
        arrival, _ = self.next("elected", lambda event: event["node"] != master)
        node.daemon.wait()
        self.start_node(node)
        return arrival - start

    def handover(self):
        """Seconds from SIGTERM until the next one acts, and of them those without a master."""
        master = self.settle()
        self.forget()
        node = self.node(master)
        start = time.monotonic()
        node.daemon.send(signal.SIGTERM)
        _, demoted = self.next("demoted", lambda event: event["node"] == master)
        arrival, elected = self.next("elected", lambda event: event["node"] != master)
        node.daemon.wait()
        self.start_node(node)
        return arrival - start, moment(elected) - moment(demoted)

    def stop(self):
        for node in self.nodes:
            node.daemon.kill()


def moment(event):
    """An event's own time, in seconds; all nodes here share one clock."""
    return datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
