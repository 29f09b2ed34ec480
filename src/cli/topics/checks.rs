//! Owns the words of help about commands that look for trouble before it comes.
//! Never looks for any.

use super::{JSON, Operand, Shelf, Topic, topic};

/// `doctor`.
pub(super) const DOCTOR: Topic = Topic {
    flags: &[JSON],
    about: "One page: who hears whom in each direction, round trips, clocks, disk, room,\n\
            keys and permissions, releases, what the timing leaves, what each single\n\
            failure would do, and what keeps this node back. What needs attention comes\n\
            first, with where to look. It changes nothing and writes nothing. Without a\n\
            daemon it looks at the files, the key and the address to listen at. Run it as\n\
            root or as the daemon's user. `quorate explain` knows what its findings mean.",
    exits: &[
        (1, "something needs attention; notices alone do not"),
        (74, "the answer cannot be printed"),
    ],
    ..topic("doctor", Shelf::Ask, "find out what needs attention, on one page")
};

/// `config check`.
pub(super) const CONFIG_CHECK: Topic = Topic {
    operand: Operand::Optional("FILE"),
    about: "Checks FILE as a cluster.yaml, or as a node.yaml if it is called so; `-` is\n\
            standard input. Without FILE, this node's node.yaml, and cluster.yaml if there\n\
            is one in its state directory. Programs that node.yaml names are looked at too.",
    exits: &[
        (65, "it is larger than 1 MiB"),
        (66, "it is not there, no plain file, or cannot be read"),
        (77, "not allowed to read it"),
        (78, "the file is wrong; what and where is said"),
    ],
    ..topic("config check", Shelf::Configure, "check a file before it is used")
};

/// `config timing`.
pub(super) const CONFIG_TIMING: Topic = Topic {
    operand: Operand::Optional("PRESET|FILE"),
    flags: &[JSON],
    about: "What follows from dead_after and the other times, with the arithmetic: how long\n\
            a lease is, when stopping begins, how many heartbeats may be lost, how long a\n\
            failover takes. PRESET is lan, default or wan, FILE a cluster.yaml (- is\n\
            standard input). Without either, the presets side by side.",
    exits: &[
        (65, "it is larger than 1 MiB"),
        (66, "it is not there, no plain file, or cannot be read"),
        (77, "not allowed to read it"),
        (78, "the file is wrong; what and where is said"),
    ],
    ..topic("config timing", Shelf::Configure, "show what a timing means, in numbers")
};
