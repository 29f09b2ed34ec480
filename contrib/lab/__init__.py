"""The lab of the programs beside it: real quorate daemons, real etcd members, one machine.

Only Python's standard library. Every process it starts ends with it.
"""

from .etcd import Etcd
from .machines import Machine, loopback_bytes, network, own_network
from .process import PATIENCE, ROOT, Process, binary, fail, until
from .quorate import NAMES, TIMINGS, Node, Quorate, moment

__all__ = [
    "NAMES",
    "PATIENCE",
    "ROOT",
    "TIMINGS",
    "Etcd",
    "Machine",
    "Node",
    "Process",
    "Quorate",
    "binary",
    "fail",
    "loopback_bytes",
    "moment",
    "network",
    "own_network",
    "until",
]
