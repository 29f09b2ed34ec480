"""Machines of network namespaces on one bridge, cut by direction; and a loopback of one's own."""

import os
import subprocess
import sys
from pathlib import Path

from .process import fail


class Machine:
    """A network namespace on the bridge of the hub's."""

    def __init__(self, index, hub=None):
        enter = ["nsenter", f"--net=/proc/{hub.pid}/ns/net"] if hub else []
        self.holder = subprocess.Popen(
            [*enter, "unshare", "--net", "sh", "-c", "echo inside; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self.holder.stdout.readline() != b"inside\n":
            fail("this machine forbids network namespaces: run as root")
        self.index, self.pid = index, self.holder.pid
        self.prefix = ["nsenter", f"--net=/proc/{self.pid}/ns/net"]
        self.address = f"10.99.1.{index + 1}"

    def do(self, *words):
        subprocess.run([*self.prefix, *words], check=True)

    def join(self, hub):
        port = f"port{self.index}"
        hub.do(*f"ip link add {port} type veth peer name wire netns {self.pid}".split())
        hub.do(*f"ip link set {port} master bridge up".split())
        self.do("ip", "link", "set", "lo", "up")
        self.do("ip", "address", "add", f"{self.address}/24", "dev", "wire")
        self.do("ip", "link", "set", "wire", "up")
        self.do("nft", "add", "table", "inet", "cut")
        chain = "{ type filter hook input priority 0; }"
        self.do("nft", "add", "chain", "inet", "cut", "input", chain)

    def refuse(self, other):
        self.do(*f"nft add rule inet cut input ip saddr {other.address} drop".split())

    def refuse_only(self, others, loss=0):
        """From now on these are refused and nobody else, and of what is left that many percent
        are lost by chance. One transaction: no packet meets half of it."""
        rules = [f"ip saddr {other.address} drop" for other in others]
        rules += [f"iifname wire numgen random mod 100 < {loss} drop"] if loss else []
        lines = ["flush chain inet cut input"]
        lines += [f"add rule inet cut input {rule}" for rule in rules]
        program = [*self.prefix, "nft", "-f", "-"]
        subprocess.run(program, input="\n".join(lines) + "\n", text=True, check=True)

    def heal(self):
        self.do(*"nft flush chain inet cut input".split())


def network(count):
    """That many machines on one bridge."""
    hub = Machine(9)
    hub.do("ip", "link", "add", "bridge", "type", "bridge")
    hub.do("ip", "link", "set", "bridge", "up")
    machines = [Machine(index, hub) for index in range(count)]
    for machine in machines:
        machine.join(hub)
    return machines


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
