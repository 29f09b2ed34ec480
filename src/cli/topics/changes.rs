//! The part of the table about the commands that change one thing in cluster.yaml: nodes, standby,
//! maintenance. Never says how a page is laid out.

use super::{ASKING, Flag, JSON, Operand, Shelf, Topic, WAIT, option, switch, topic};

const CHANGING: &[(u8, &str)] = &[
    (1, "not taken; the reason is printed, `quorate explain` knows more"),
    (65, "the document would be wrong; what and where is said"),
    (69, "the daemon is not reachable"),
    (75, "nobody could decide in time, or the outcome is unknown: see the message"),
    (77, "not allowed to ask the daemon, or not to be believed"),
    (107, "too few of the voters that would remain are heard: see --force"),
];
const DRY_RUN: Flag = switch("dry-run", "only show what would change");
const TRANSFER: Flag = switch("transfer", "if it is the master, hand mastership over first");
const FORCE: Flag = switch("force", "ask for it though too few of the others are heard");
const FOR: Flag = option("for", "TIME", "how long; without it until it is taken back");

pub(super) const LIST: Topic = Topic {
    flags: &[JSON],
    about: "Prints the nodes of the committed cluster.yaml: what each is for, where it\n\
            listens, and whether the node that is asked hears it.",
    exits: ASKING,
    ..topic("node list", Shelf::Nodes, "the nodes, and what each is for")
};

pub(super) const ADD: Topic = Topic {
    operand: Operand::OneThenMany("NODE", "KEY=VALUE"),
    flags: &[DRY_RUN, FORCE, WAIT, JSON],
    about: "KEY is address, key, storage (these must be there), role or priority. `-`\n\
            instead takes the line that `quorate init` printed on that machine from\n\
            standard input: `ssh delta quorate init | quorate node add -`. It enters as an\n\
            observer; with role=voter or role=witness it gets its vote as soon as it is up\n\
            to date, in a second step that waits no longer than --wait.",
    exits: CHANGING,
    ..topic("node add", Shelf::Nodes, "add a node, as an observer first")
};

pub(super) const REMOVE: Topic = Topic {
    operand: Operand::One("NODE"),
    flags: &[DRY_RUN, TRANSFER, FORCE, WAIT, JSON],
    about: "Shows first what that means for the quorum. Comments on the node's own lines\n\
            go with them. The acting master is not removed: transfer mastership first, or\n\
            let --transfer do it.",
    exits: CHANGING,
    ..topic("node remove", Shelf::Nodes, "remove a node")
};

pub(super) const PROMOTE: Topic = Topic {
    operand: Operand::One("NODE"),
    flags: &[DRY_RUN, TRANSFER, FORCE, WAIT, JSON],
    about: "An observer gets its vote once it was connected and up to date for twice\n\
            dead_after; a witness may lead from now on.",
    exits: CHANGING,
    ..topic("node promote", Shelf::Nodes, "make a node a voter")
};

pub(super) const DEMOTE: Topic = Topic {
    operand: Operand::One("NODE"),
    flags: &[DRY_RUN, TRANSFER, FORCE, WAIT, JSON],
    about: "It sees everything from then on and counts for nothing. For a witness, which\n\
            votes and never leads: `quorate node set NODE role=witness`.",
    exits: CHANGING,
    ..topic("node demote", Shelf::Nodes, "make a node an observer")
};

pub(super) const SET: Topic = Topic {
    operand: Operand::OneThenMany("NODE", "KEY=VALUE"),
    flags: &[DRY_RUN, TRANSFER, FORCE, WAIT, JSON],
    about: "KEY is address, role (voter, witness, observer) or priority. Comments and\n\
            order of cluster.yaml stay as they are.",
    exits: CHANGING,
    ..topic("node set", Shelf::Nodes, "change what cluster.yaml says about a node")
};

pub(super) const STANDBY: Topic = Topic {
    operand: Operand::One("NODE"),
    flags: &[FOR, DRY_RUN, WAIT, JSON],
    about: "A node on standby hands mastership over and does not stand, unless nobody else\n\
            is there; it keeps its vote. cluster.yaml says who set it, since when and\n\
            until when, and `quorate status` shows it; with --for the master removes it\n\
            when it is over.",
    exits: CHANGING,
    ..topic("standby", Shelf::Steer, "take a node out of the field for a while")
};

pub(super) const ONLINE: Topic = Topic {
    operand: Operand::One("NODE"),
    flags: &[DRY_RUN, WAIT, JSON],
    exits: CHANGING,
    ..topic("online", Shelf::Steer, "end a node's standby")
};

pub(super) const MAINTENANCE: Topic = Topic {
    operand: Operand::One("on|off"),
    flags: &[FOR, DRY_RUN, WAIT, JSON],
    about: "While it is on, mastership moves only when people move it: nobody else takes\n\
            over by itself, not even from a master that is gone. cluster.yaml says who set\n\
            it, since when and until when; with --for the master removes it when it is\n\
            over.",
    exits: CHANGING,
    ..topic("maintenance", Shelf::Steer, "keep mastership where it is, whatever happens")
};
