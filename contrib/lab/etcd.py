"""Real etcd members beside the quorate nodes, for comparison."""

import atexit
import http.client
import json
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

from .process import Process, fail, until


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
