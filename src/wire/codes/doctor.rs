//! The table's section about what a check-up finds.
//! Never judges; the doctor does.

use super::{Code, code};

const READ: &str = "Read the finding: it says where to look.";

/// No daemon answers.
pub const DAEMON_DOWN: &str = "daemon-down";
/// Something answers, and not as it should.
pub const DAEMON_ODD: &str = "daemon-odd";
/// A daemon could not start as things are.
pub const CANNOT_START: &str = "cannot-start";
/// Nobody hears a node.
pub const NODE_SILENT: &str = "node-silent";
/// One direction between two nodes is dead.
pub const LINK_DEAD: &str = "link-dead";
/// A member says another address than the document.
pub const OTHER_ADDRESS: &str = "other-address";
/// There is no quorum.
pub const NO_QUORUM: &str = "no-quorum";
/// There is no master.
pub const NO_MASTER: &str = "no-master";
/// One failure more, and nobody could be master.
pub const ONE_FAILURE: &str = "one-failure";
/// A clock runs off.
pub const CLOCK_OFF: &str = "clock-off";
/// Nodes are too far apart for the timing.
pub const FAR_APART: &str = "far-apart";
/// The disk is slow for the timing.
pub const DISK_SLOW: &str = "disk-slow";
/// The disk failed or stands still.
pub const DISK_BAD: &str = "disk-bad";
/// There is little room.
pub const SPACE_LOW: &str = "space-low";
/// Files are missing, of the wrong kind, or open to others.
pub const FILE_WRONG: &str = "file-wrong";
/// node.yaml is wrong, or names what would not be run.
pub const CONFIG_WRONG: &str = "config-wrong";
/// Members run different releases.
pub const RELEASES_DIFFER: &str = "releases-differ";
/// The document or a peer says what only a later release knows.
pub const NEWER_WORDS: &str = "newer-words";
/// Somebody's disk or key is not to be relied on.
pub const IDENTITY_DOUBTED: &str = "identity-doubted";
/// The cluster was made from another one by force.
pub const RECOVERED: &str = "recovered";
/// Something speaks against this node as master, or holds it off.
pub const HELD_BACK: &str = "held-back";
/// There were alarms lately.
pub const ALARMS: &str = "alarms-lately";
/// The system allows this daemon little.
pub const LIMITS: &str = "limits-low";

/// All of them.
pub const FINDINGS: &[Code] = &[
    code(
        DAEMON_DOWN,
        "No daemon answers at this node's socket.",
        "Start it; the other findings say what would keep it from starting.",
    ),
    code(
        DAEMON_ODD,
        "Something answers at the socket and not as a daemon should, or may not be asked.",
        "Ask as root or as the daemon's user; look at its log.",
    ),
    code(CANNOT_START, "A daemon that is started now would end at once.", READ),
    code(
        NODE_SILENT,
        "Nobody hears that node: it is down, or cut off from all.",
        "Look at the machine first, then at its daemon, then at the network.",
    ),
    code(
        LINK_DEAD,
        "Of two nodes one does not hear the other: one direction of a link is dead.",
        "The call of the unheard one fails: look at firewall, address and key of the other.",
    ),
    code(
        OTHER_ADDRESS,
        "A member says that it listens elsewhere than cluster.yaml says.",
        "As for address-differs.",
    ),
    code(
        NO_QUORUM,
        "This node hears fewer voters than must agree.",
        "Bring back the nodes and links that other findings name.",
    ),
    code(NO_MASTER, "This node knows of no master.", "Look at quorate status on several nodes."),
    code(
        ONE_FAILURE,
        "As things are now, one more failure leaves the cluster without a master.",
        "Bring back what is missing; with three voters that all hear each other none is fatal.",
    ),
    code(
        CLOCK_OFF,
        "Two clocks run at rates that differ by more than half of `drift`.",
        "Look at the time daemon and the hypervisor of that machine.",
    ),
    code(
        FAR_APART,
        "A round trip takes a large part of what the timing bears.",
        "Take a longer dead_after: quorate config timing shows what each one bears.",
    ),
    code(
        DISK_SLOW,
        "Writes of the state take long for the timing: elections and edits take as long.",
        "Use a faster disk for the state directory, or a longer dead_after.",
    ),
    code(DISK_BAD, "The disk failed, or a write does not end.", "Repair it, restart the daemon."),
    code(SPACE_LOW, "There is little room left where the state is.", "Make room."),
    code(
        FILE_WRONG,
        "A file or directory of this node is missing, of a wrong kind, or open to others.",
        READ,
    ),
    code(CONFIG_WRONG, "node.yaml is wrong, or names what would not be run.", READ),
    code(
        RELEASES_DIFFER,
        "Not all members run the same release.",
        "Finish the upgrade: contrib/doc/upgrade.md.",
    ),
    code(
        NEWER_WORDS,
        "The document, or a message of a peer, says what only a later release knows.",
        "Upgrade this node: it does not lead under such a document.",
    ),
    code(
        IDENTITY_DOUBTED,
        "A disk was rolled back, two processes use one key, or the cluster goes on elsewhere.",
        "Read the finding: it says whose. contrib/doc/disaster.md has every case.",
    ),
    code(
        RECOVERED,
        "Somebody went on without a lost majority by quorate recover, and nobody has said since \
         that all is well again.",
        "See that every old node joined anew or is gone, then take `forced` out of cluster.yaml.",
    ),
    code(
        HELD_BACK,
        "Something speaks against this node as master, or keeps it from standing for a while.",
        "Nothing, if it was asked for; else read what it says.",
    ),
    code(
        ALARMS,
        "There were alarms within the last hour.",
        "Explain each one: quorate explain knows them.",
    ),
    code(
        LIMITS,
        "The system lets this daemon open few files, or lock little memory.",
        "Raise LimitNOFILE or LimitMEMLOCK, or `ulimit -n` and `ulimit -l`, for its service.",
    ),
];
