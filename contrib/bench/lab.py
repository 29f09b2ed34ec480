"""A lab for the two programs here: real quorate daemons, real etcd members, one machine.

Only Python's standard library. Every process it starts ends with it.
"""

import atexit
import http.client
import json
import os
import queue
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["alpha", "bravo", "charlie", "delta", "echo"]
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


class Node:
    """One quorate node: a directory, and perhaps a daemon."""

    def __init__(self, program, home, name, address, prefix=()):
        self.program, self.home, self.name, self.address = program, Path(home), name, address
        self.prefix = list(prefix)
        self.daemon = None
        self.home.mkdir(parents=True)

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
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(limit)
                door.connect(str(self.home / "sock"))
                send(door, {"ask": "status"})
                return receive(door)
        except OSError:
            return None


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
    """A quorate cluster with a follower on every node's events."""

    name = "quorate"

    def __init__(self, program, timing, count=3, addresses=None, prefixes=None, failback="never"):
        self.place = Path(tempfile.mkdtemp(prefix="quorate-bench-"))
        atexit.register(shutil.rmtree, self.place, ignore_errors=True)
        addresses = addresses or [f"127.0.0.{i + 1}:{19901}" for i in range(count)]
        prefixes = prefixes or [[]] * count
        self.nodes = [
            Node(program, self.place / name, name, address, prefix)
            for name, address, prefix in zip(NAMES, addresses, prefixes)
        ]
        self.events = queue.Queue()
        self.found(timing, failback)

    def found(self, timing, failback):
        for node in self.nodes:
            text = f'id: {node.name}\nlisten: "{node.address}"\nadvertise: "{node.address}"\n'
            (node.home / "node.yaml").write_text(text)
        choices = f"timing: {timing}\nelection: {{policy: lowest-id, failback: {failback}}}\nnodes:\n"
        text = self.nodes[0].ask("init", "--cluster", "bench").replace("nodes:\n", choices)
        text += "".join(node.ask("init") for node in self.nodes[1:])
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
            peer["heard"] and peer["vote_ready"] and peer["hears_us"]
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


class Etcd:
    """Three etcd members at their defaults: heartbeat 100 ms, election time-out 1 s."""

    name = "etcd"
    election_timeout = 1.0

    def __init__(self, count=3):
        if not shutil.which("etcd"):
            fail("--etcd needs etcd (Debian: apt-get install etcd-server)")
        self.place = Path(tempfile.mkdtemp(prefix="etcd-bench-"))
        atexit.register(shutil.rmtree, self.place, ignore_errors=True)
        self.hosts = [f"127.0.1.{i + 1}" for i in range(count)]
        self.members = [None] * count
        for index in range(count):
            self.start_member(index)

    def start_member(self, index):
        hosts = [f"m{i}=http://{host}:2380" for i, host in enumerate(self.hosts)]
        peer, client = f"http://{self.hosts[index]}:2380", f"http://{self.hosts[index]}:2379"
        line = ["etcd", "--name", f"m{index}", "--data-dir", self.place / f"m{index}"]
        line += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        line += ["--listen-client-urls", client, "--advertise-client-urls", client]
        line += ["--initial-cluster", ",".join(hosts), "--initial-cluster-state", "new"]
        with open(self.place / f"m{index}.log", "ab") as log:
            self.members[index] = Process(line, log)

    def is_leader(self, index):
        """Whether the member says of itself that it leads; None if it does not answer."""
        try:
            door = http.client.HTTPConnection(self.hosts[index], 2379, timeout=0.5)
            door.request("POST", "/v3/maintenance/status", body="{}")
            answer = json.loads(door.getresponse().read())
            door.close()
        except (OSError, ValueError, http.client.HTTPException):
            return None
        return answer.get("leader") == answer.get("header", {}).get("member_id")

    def settled(self):
        says = [self.is_leader(index) for index in range(len(self.members))]
        return says.index(True) + 1 if says.count(True) == 1 and None not in says else None

    def settle(self):
        return until("the etcd cluster settles", self.settled) - 1

    def failover(self, number, heartbeat=0.1):
        """Seconds from that signal to the leader until another member says that it leads."""
        leader = self.settle()
        time.sleep(1.0 + random.random() * heartbeat)
        others = [index for index in range(len(self.members)) if index != leader]
        start = time.monotonic()
        self.members[leader].send(number)
        until(
            "another member leads",
            lambda: any(self.is_leader(index) for index in others),
            pause=0.0005,
        )
        took = time.monotonic() - start
        self.members[leader].wait()
        self.start_member(leader)
        return took

    def stop(self):
        for member in self.members:
            member.kill()


def own_network():
    """Runs this program again inside a network namespace of its own, if that is possible: its
    loopback then carries nothing but the lab's traffic. Says whether it is inside."""
    if os.environ.get("QUORATE_BENCH_INSIDE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return True
    kinds = ["-n"] if os.geteuid() == 0 else ["-Urn"]
    if subprocess.run(["unshare", *kinds, "true"], stderr=subprocess.DEVNULL).returncode:
        return False
    os.environ["QUORATE_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", *kinds, sys.executable, *sys.argv])


def loopback_bytes():
    """Bytes that this network's loopback carried so far, headers included."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == "lo":
            return int(counters.split()[0])
    return 0
