"""Draws what is to be broken, when and for how long. The same seed gives the same plan.

A plan names roles and numbers, never processes: who is "the master" is seen when the fault comes.
All times are in units of `dead_after`.
"""

import random
from collections import namedtuple

# pause: before it; span: until it is undone; aim: at the master, or at node number `node`.
Step = namedtuple("Step", "kind pause span aim node peer group share")

# How often each kind comes, relative to the others.
KINDS = {
    "kill": 4,  # kill -9, started again after the span
    "crash": 3,  # kill -9, started again at once
    "crash-loop": 1,  # kill -9 and start, again and again
    "terminate": 3,  # SIGTERM, started again after the span
    "freeze": 6,  # SIGSTOP, SIGCONT
    "isolate": 4,  # hears nobody, is heard by nobody
    "deaf": 2,  # hears nobody
    "mute": 2,  # is heard by nobody
    "cut": 3,  # a link, both ways
    "cut-one-way": 3,  # a link, one direction
    "split": 3,  # two groups
    "bridge": 2,  # two groups that both reach one node
    "chain": 1,  # each reaches its neighbours only
    "flap": 2,  # a link that comes and goes
    "isolate-flap": 1,  # a node that comes and goes
    "loss": 2,  # packets are lost by chance
    "fill-disk": 2,  # the state directory's volume is full
    "transfer": 3,  # planned, to anybody or to one node
    "step-down": 2,  # planned
    "reload": 1,  # SIGHUP, SIGUSR1
    "crash-all": 1,  # kill -9 of all, all started at once
    "terminate-all": 1,  # SIGTERM to all, each started when it has ended
    "freeze-all": 1,  # SIGSTOP to all, thawed together
}


def steps(seed, count, more=None):
    """Steps without end, for a cluster of `count` nodes, with `more` kinds if there are any."""
    # The size is part of the seed, since the draws depend on it.
    draw = random.Random(f"{seed} {count}")
    kinds, weights = zip(*(KINDS | (more or {})).items())
    while True:
        node = draw.randrange(count)
        peer = (node + draw.randrange(1, count)) % count
        group = draw.randrange(1, 2**count - 1)
        kind = draw.choices(kinds, weights)[0]
        pause = draw.choice([0.0, draw.uniform(0.0, 0.3), draw.uniform(0.0, 1.5)])
        aim = draw.choice(["master", "node"])
        yield Step(kind, pause, span(draw), aim, node, peer, group, draw.uniform(0.1, 0.4))


def span(draw):
    """Mostly short, often around dead_after, where promises and leases end."""
    low, high = draw.choice([(0.02, 0.5), (0.5, 0.9), (0.9, 1.1), (0.9, 1.1), (1.1, 3.0)])
    return draw.uniform(low, high)
