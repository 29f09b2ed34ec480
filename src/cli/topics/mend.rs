//! The commands for after a disaster, for the table.
//! Never shown elsewhere; the table has them in its order.

use super::{Flag, Operand, Shelf, Topic, option, switch, topic};

const STATES: &[(u8, &str)] = &[
    (65, "the file is damaged, or none of quorate's"),
    (66, "it is not there"),
    (73, "something is there already and would be lost"),
    (74, "the disk failed"),
    (75, "a daemon uses the state directory: stop it first"),
    (77, "not allowed"),
    (78, "node.yaml is wrong, or this disk is not to be relied on"),
];

pub(super) const BACKUP: Topic = Topic {
    operand: Operand::One("FILE"),
    about: "Writes the committed cluster.yaml, where it stands, and what a recovery has to\n\
            know into FILE, 0600, with a checksum: nothing of this node's own identity, no\n\
            key. It reads the state file, whether or not a daemon runs.",
    exits: STATES,
    ..topic("backup", Shelf::Mend, "keep what the cluster agreed on in a file")
};

pub(super) const RESTORE: Topic = Topic {
    operand: Operand::One("FILE"),
    about: "Makes a state for this node, which must have none, from a backup: never as the\n\
            disk it was, always under a new storage id, which counts for nothing before\n\
            it is entered in cluster.yaml. Says how that is done.",
    exits: STATES,
    ..topic("restore", Shelf::Mend, "make this node's state from a backup, as a new disk")
};

pub(super) const CONFIRM_MOVED: Topic = Topic {
    about: "For a state directory that was moved as a whole, to another machine or disk, and\n\
            whose old place is gone for good. Never for a backup, a snapshot or a clone:\n\
            those forget votes, and two masters may be the end of it. Stop the daemon first.",
    exits: STATES,
    ..topic("confirm-moved", Shelf::Mend, "say that this state was moved, not copied")
};

pub(super) const RECOVER: Topic = Topic {
    operand: Operand::Many("FILE"),
    flags: &[
        Flag { required: true, ..switch("generation", "begin a new one: needed") },
        option("cluster", "NAME", "the cluster's name, which is asked for otherwise"),
    ],
    about: "The last resort when the majority is lost for good. FILEs are state files and\n\
            backups of the other survivors; this node's own state counts too. Shows what\n\
            each has, takes the newest, and makes this node the only voter of a new\n\
            generation with a new cluster id. Refuses while any voter of the old one\n\
            answers. What only the lost nodes had is lost. Stop the daemon first; see\n\
            contrib/doc/disaster.md.",
    exits: &[
        (1, "refused: a voter answers, the name is wrong, or the files do not fit"),
        (65, "a file is no state and no backup, or damaged"),
        (66, "there is no state, here or in a FILE"),
        (73, "something is there already and would be lost"),
        (74, "the disk failed"),
        (75, "a daemon uses the state directory: stop it first"),
        (77, "not allowed"),
        (78, "node.yaml is wrong"),
    ],
    ..topic("recover", Shelf::Mend, "go on without the majority that is lost")
};
