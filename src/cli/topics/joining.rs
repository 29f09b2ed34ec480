//! The part of the table about how nodes come in by a token, and about their keys.
//! Never says how a page is laid out.

use super::{ASKING, EDITING, Flag, JSON, Operand, Shelf, Topic, option, switch, topic};

pub(super) const INVITE: Topic = Topic {
    flags: &[
        option("ttl", "TIME", "how long it is good for (default 1h, at most 30d)"),
        option("role", "ROLE", "voter (default), witness or observer: what it becomes"),
        option("name", "ID", "what the node has to be called"),
        switch("manual", "a person approves the node's key before it may vote"),
        switch("list", "show the open invitations instead"),
        option("revoke", "INVITE", "withdraw the one of that name instead"),
        Flag { about: "with --list: print JSON with a documented schema", ..JSON },
    ],
    about: "Prints one word, a token, with which one node can join this cluster: give it to\n\
            quorate join there, and to nobody else. Any node can be asked, and any member\n\
            takes the token. The cluster keeps only a hash of its secret, in cluster.yaml.\n\
            The node comes in as an observer, and becomes what it was invited as when it is\n\
            up to date; with --manual not before `quorate approve`.",
    exits: EDITING,
    ..topic("invite", Shelf::Run, "print a token with which one node can join")
};

pub(super) const JOIN: Topic = Topic {
    operand: Operand::Optional("TOKEN"),
    flags: &[
        option("token-file", "FILE", "read the token from that file (- stdin)"),
        option("name", "ID", "its name (default: the token's, or the host name)"),
        option("advertise", "HOST:PORT", "where the others reach this node"),
        option("wait", "TIME", "how long to try without a master (default 30s)"),
    ],
    about: "Makes this node's key and identity, lets a member of the cluster take it in, and\n\
            founds its state; then `quorate serve`. TOKEN is what `quorate invite` printed;\n\
            as `-` or in a file other users of this machine do not see it. Without\n\
            --advertise the others reach it where its connection comes from, at the port of\n\
            `listen`. Broken off anywhere, the same command goes on where it was.",
    exits: &[
        (1, "refused: why is said, or is in the log of the node that was asked"),
        (65, "the token is not whole, or a file is not what it should be"),
        (66, "the file given by --token-file is not there"),
        (69, "no member of the cluster can be reached"),
        (73, "this node belongs to another cluster"),
        (74, "the disk failed"),
        (75, "no master could decide in time: try again"),
        (77, "not allowed"),
        (78, "node.yaml is wrong, or contradicts a flag or the token"),
    ],
    ..topic("join", Shelf::Run, "join a cluster that runs")
};

pub(super) const APPROVE: Topic = Topic {
    operand: Operand::One("KEY"),
    about: "KEY is the fingerprint that `quorate join` printed on the node that was invited\n\
            with --manual, SHA256: and 64 digits. The node that has exactly this key becomes\n\
            what it was invited as, when it is up to date.",
    exits: EDITING,
    ..topic("approve", Shelf::Steer, "let the newcomer that has this key vote")
};

pub(super) const KEY_SHOW: Topic = Topic {
    flags: &[JSON],
    about: "Prints the fingerprint of this node's key, by which the others know it, when\n\
            it was made, and while it changes how far that is.",
    exits: ASKING,
    ..topic("key show", Shelf::Nodes, "the key of the node that is asked")
};

pub(super) const KEY_ROTATE: Topic = Topic {
    flags: &[option("wait", "TIME", "how long to wait for the end (default 30s)"), JSON],
    about: "Makes a new key for the node that is asked and changes to it while the cluster\n\
            runs: cluster.yaml names it as next_key, every other voter takes a session with\n\
            it, this node shows it and no other, and cluster.yaml names it as key; then the\n\
            old one is refused and its file removed. Mastership stays where it is. A voter\n\
            that is down is waited for: remove it, or let it come back. Broken off anywhere,\n\
            the daemon goes on by itself, and the same command goes on waiting.",
    exits: &[
        (1, "the new key cannot be made; why is said"),
        (69, "the daemon is not reachable"),
        (75, "not done yet: what it waits for is said, and the daemon goes on by itself"),
        (77, "not allowed to ask the daemon, or not to be believed"),
    ],
    ..topic("key rotate", Shelf::Nodes, "change this node's key while the cluster runs")
};
