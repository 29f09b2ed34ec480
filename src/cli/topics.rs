//! Owns the one table of commands, flags and words of help; the parser, `help` and whatever else
//! describes the command line are made from it.
//! Never parses, never prints and never lays out a page.

mod changes;
mod checks;
mod joining;
mod mend;
mod program;
mod shape;

pub use shape::{Flag, Operand, Shelf, Topic};
use shape::{option, switch, topic};

/// Flags every command takes.
pub static GLOBAL_FLAGS: &[Flag] = &[
    option("config", "FILE", "this node's node.yaml"),
    option("state-dir", "DIR", "where this node keeps its state"),
    option("socket", "PATH", "where this node's daemon answers"),
    Flag { short: Some('h'), ..switch("help", "explain the command") },
    Flag { short: Some('V'), ..switch("version", "print the version") },
];

const JSON: Flag = switch("json", "print JSON with a documented schema");
const ASKING: &[(u8, &str)] = &[
    (69, "the daemon is not reachable"),
    (74, "the answer cannot be printed"),
    (75, "the daemon does not answer now: try again"),
    (77, "not allowed to ask the daemon, or not to be believed"),
];
const EDITING: &[(u8, &str)] = &[
    (1, "not taken; the reason is printed, `quorate explain` knows more"),
    (65, "the text is no valid cluster.yaml; what and where is said"),
    (66, "FILE is not there, or no plain file"),
    (69, "the daemon is not reachable"),
    (75, "nobody could decide in time, or the outcome is unknown: see the message"),
    (77, "not allowed to ask the daemon, or not to be believed"),
];
const REBASE: Flag = switch("rebase", "put it on top of what others changed meanwhile");
const WAIT: Flag = option("wait", "TIME", "how long to try without a master (default 10s)");
const HANDOVER: &[(u8, &str)] = &[
    (1, "refused, or another node took over; the reason is printed"),
    (69, "the daemon is not reachable"),
    (75, "no room for the request, or the outcome is unknown: look at status"),
    (77, "not allowed to ask the daemon, or not to be believed"),
];

/// Every command, in the order of the overview.
pub static TOPICS: &[Topic] = &[
    Topic {
        flags: &[
            option("nodes", "N", "how many nodes, 1 to 9 (default 3)"),
            switch("once", "elect, kill, fail over, fail back, then end"),
            option("timing", "PRESET", "lan, default or wan (default lan)"),
            switch("keep", "leave the directory with state and logs behind"),
        ],
        about: "Starts real nodes on this machine's loopback, in a temporary directory, with TLS\n\
                and all, and shows who is master. Kill, pause, cut and restart nodes by key.\n\
                With --once, or without a terminal, it tells one story with measured times.",
        exits: &[(1, "something did not happen as it should; logs are shown")],
        ..topic("demo", Shelf::Try, "watch a cluster elect, lose a node, fail over")
    },
    Topic {
        flags: &[
            option("name", "ID", "this node's name (default: the host name)"),
            option("advertise", "HOST:PORT", "where the others reach this node"),
            option("cluster", "NAME", "print a whole new cluster.yaml of that name"),
            option("from", "FILE", "found the state from that cluster.yaml (- stdin)"),
            switch("renew", "set a state aside that is lost, copied or doubted"),
        ],
        about: "Makes this node's key and identity once and prints its line for cluster.yaml.\n\
                Run it with --cluster on the first machine and without on the others, put all\n\
                lines into the one cluster.yaml, copy that file to every machine, and run there\n\
                `quorate init --from cluster.yaml`, then `quorate serve`. With --renew this disk\n\
                gets a new storage id, which counts once it is entered in cluster.yaml; the old\n\
                state is kept under another name. See contrib/doc/disaster.md.",
        exits: &[
            (65, "cluster.yaml is not valid; what and where is said"),
            (66, "the file given by --from is not there"),
            (73, "something is there already and would be lost"),
            (74, "the disk failed"),
            (75, "a daemon uses the state directory: stop it first"),
            (77, "not allowed"),
            (78, "node.yaml or the line in cluster.yaml is wrong"),
        ],
        ..topic("init", Shelf::Run, "make this node's identity, then found its state")
    },
    joining::INVITE,
    joining::JOIN,
    joining::APPROVE,
    joining::KEY_SHOW,
    joining::KEY_ROTATE,
    Topic {
        about: "Runs in the foreground and logs to standard error. SIGTERM hands mastership over\n\
                and ends, a second one hurries; SIGHUP re-reads node.yaml; SIGUSR1 logs the\n\
                state. With `acting_log: FILE` in node.yaml it appends a line to FILE whenever\n\
                it begins, extends or ends acting as master, for audits. Over HTTP it answers\n\
                at 127.0.0.1:9902, or where `http` in node.yaml says: /master is 200 on the\n\
                master and 503 elsewhere, / says what else there is.",
        exits: &[
            (65, "the state file is damaged or foreign"),
            (66, "there is no state yet: `quorate init --from cluster.yaml` makes it"),
            (73, "the port is in use, or the socket cannot be made"),
            (74, "the disk failed"),
            (75, "another quorate serves this directory or this socket"),
            (77, "not allowed"),
            (78, "the configuration is wrong"),
        ],
        ..topic("serve", Shelf::Run, "run this node's daemon")
    },
    program::SERVICE,
    mend::BACKUP,
    mend::RESTORE,
    mend::CONFIRM_MOVED,
    mend::RECOVER,
    Topic {
        operand: Operand::Rest("CMD"),
        flags: &[
            option("wait", "TIME", "how long to wait for mastership (default: for ever)"),
            switch("no-wait", "end with 75 at once if this node is not master"),
            option("grace", "TIME", "kill CMD that long after SIGTERM, if not before"),
            switch("restart", "start CMD again when it ends or mastership returns"),
            option("while", "ROLE", "run while this node is that: master (default), backup"),
        ],
        about: "Starts CMD as soon as this node is master. When mastership ends, however it\n\
                ends, CMD gets SIGTERM, and all that it started is dead before another node\n\
                can be master, also if this daemon is killed or stands still. The time between\n\
                is `stop` of cluster.yaml. CMD has to stay in the foreground: what it leaves\n\
                behind when it ends is ended too. It finds QUORATE_TERM (the fencing token),\n\
                QUORATE_NODE, _CLUSTER, _CLUSTER_ID, _MASTER, _ROLE, _LEASE_MS, _SOCKET and\n\
                _VERSION in its environment, and open what you left open, as with env(1).\n\
                Signals are passed on to it; a second SIGTERM kills it. No key puts it to sleep,\n\
                and what nohup(1) has it ignore stays ignored. Containers and services that\n\
                others start for it are out of reach.\n\
                With --restart the pauses grow from 0.1 s to 30 s; after five failures in a\n\
                row within 10 s each, mastership is given away and this node does not stand\n\
                for a minute, later for up to ten. With --while backup CMD runs while this\n\
                node follows a master in a majority, and ends when that changes; no lease\n\
                waits for it, and it is killed 2 s after SIGTERM unless --grace (1 m at most)\n\
                says otherwise.",
        exits: &[
            (69, "the daemon is not reachable"),
            (75, "mastership was lost, or was not here with --no-wait, or there is no room"),
            (77, "not allowed to ask the daemon, or not to be believed"),
            (124, "this node did not become master in time"),
            (125, "quorate itself failed"),
            (126, "CMD cannot be started"),
            (127, "CMD was not found"),
        ],
        ..topic("run", Shelf::Run, "run a program only while this node is master")
    },
    Topic {
        flags: &[switch("watch", "show it again every second and at every event"), JSON],
        about: "Any node can be asked. Shows the master, since when and why, the lease, the\n\
                quorum, every peer in both directions, and what would block a failover now.",
        exits: ASKING,
        ..topic("status", Shelf::Ask, "who is master, since when and why; the peers")
    },
    Topic {
        about: "Says yes only while this node holds a running lease. Use it before every act\n\
                that only the master may do.",
        exits: &[
            (1, "no"),
            (69, "the daemon is not reachable"),
            (75, "it cannot be known now"),
            (77, "not allowed to ask the daemon, or not to be believed"),
        ],
        ..topic("is-master", Shelf::Ask, "exit 0 if this node is master, 1 if not")
    },
    Topic {
        about: "Says yes when this node has heard from more than half of the voters within\n\
                dead_after, itself included. It does not say that there is a master, nor that\n\
                the others hear this node.",
        exits: &[
            (1, "no"),
            (69, "the daemon is not reachable"),
            (75, "it cannot be known now"),
            (77, "not allowed to ask the daemon, or not to be believed"),
        ],
        ..topic("has-quorum", Shelf::Ask, "exit 0 if this node hears a quorum, 1 if not")
    },
    Topic {
        flags: &[switch("address", "print where it listens instead of its name")],
        exits: &[
            (69, "the daemon is not reachable"),
            (75, "there is no master as far as this node knows"),
            (77, "not allowed to ask the daemon, or not to be believed"),
        ],
        ..topic("master", Shelf::Ask, "print the master's name")
    },
    Topic {
        flags: &[
            Flag { required: true, ..option("for", "GOAL", "such as master; see above") },
            option("timeout", "TIME", "how long at most (default 30s)"),
        ],
        about: "`master`: there is one; `master=ID`: it is that node; `quorum`: this node hears\n\
                one; `node=ID`: it hears that node; `revision=N`: the committed document is at\n\
                that content revision or a later one; `role=ROLE`: this node is master, winner,\n\
                stopping, candidate or follower. A daemon that is not up yet counts as not yet.",
        exits: &[
            (77, "not allowed to ask the daemon, or not to be believed"),
            (124, "it did not come in time"),
        ],
        ..topic("wait", Shelf::Ask, "wait until there is a master, a quorum, a node, a role")
    },
    checks::DOCTOR,
    Topic {
        flags: &[
            switch("follow", "stay, and print each new event as it happens"),
            switch("new", "with --follow: leave out what happened before"),
            JSON,
        ],
        about: "Prints the newest events the daemon keeps, 256 at most. In JSON, `seq` counts\n\
                the events of one run of the daemon; it starts again at 1 with the daemon.",
        exits: ASKING,
        ..topic("events", Shelf::Ask, "what happened on this node lately")
    },
    Topic {
        flags: &[
            Flag {
                short: Some('n'),
                ..option("newest", "N", "how many lines at most (default 20)")
            },
            switch("all", "every event that was kept, not only who was master"),
            switch("documents", "the documents this node saw: who, when, what"),
            Flag {
                short: Some('p'),
                ..switch("patch", "with --documents: all that changed, as diffs")
            },
            JSON,
        ],
        about: "Prints who was master from when to when, as this node saw it, the newest last:\n\
                why each mastership ended, and when there was no master or this daemon did not\n\
                run. `quorate explain` knows the reasons; ~ means at most that long. It is kept\n\
                in history.log and history.log.1 in the state directory, 256 KiB each, and is\n\
                read from there if no daemon answers.\n\
                With --documents, the revisions of cluster.yaml that this node saw: 100 and\n\
                8 MiB at most; one that joined late, or was away, says what it lacks.",
        exits: ASKING,
        ..topic("history", Shelf::Ask, "who was master when, through restarts")
    },
    Topic {
        flags: &[option("revision", "N", "as it was at that content revision"), JSON],
        about: "JSON says who asked for it on which node, and when, by that node's clock.",
        exits: &[
            (1, "this node has no such revision"),
            (69, "the daemon is not reachable"),
            (74, "the answer cannot be printed"),
            (75, "the daemon does not answer now: try again"),
            (77, "not allowed to ask the daemon, or not to be believed"),
        ],
        ..topic("show", Shelf::Ask, "print the committed cluster.yaml")
    },
    Topic {
        operand: Operand::Optional("FILE"),
        flags: &[
            switch("dry-run", "only show what would change"),
            option("revision", "N", "with FILE: made from that; alone: go back to it"),
            REBASE,
            WAIT,
            JSON,
        ],
        about: "Makes FILE, a whole cluster.yaml, the cluster's document; `-` is standard\n\
                input. Any node can be asked; the master decides, and it is done when a\n\
                majority of the voters has it on disk. One voter may come or go in one edit:\n\
                what changes more is done in steps, newcomers as observers first, each shown.\n\
                Prints what changes as a diff. Of two who edit at once the second is refused,\n\
                and shown both changes; --rebase puts its own on top where no line was changed\n\
                by both, and checks the result like any other.\n\
                FILE with --revision N is taken only if the cluster is still at N. --revision N\n\
                without FILE makes what N was the document again, as a new revision, if this\n\
                node kept it: see quorate history --documents.",
        exits: EDITING,
        ..topic("apply", Shelf::Steer, "make a file the cluster's document")
    },
    Topic {
        flags: &[REBASE, WAIT],
        about: "Opens the committed cluster.yaml in $VISUAL, $EDITOR or vi, and asks for what\n\
                you saved. A mistake is shown above its line, in the editor again; leave it\n\
                unchanged to give up. What was not taken is kept in a file that is named. If\n\
                others came first you see both changes; where no line was changed by both you\n\
                are asked whether yours goes on top, and --rebase says yes beforehand.",
        exits: EDITING,
        ..topic("edit", Shelf::Steer, "edit the cluster's document")
    },
    changes::LIST,
    changes::ADD,
    changes::REMOVE,
    changes::PROMOTE,
    changes::DEMOTE,
    changes::SET,
    changes::STANDBY,
    changes::ONLINE,
    changes::MAINTENANCE,
    Topic {
        operand: Operand::OneOrTwo("FILE", "TERM"),
        flags: &[option("timeout", "TIME", "how long others may hold the lock (default 30s)")],
        about: "Keeps the highest term seen in FILE; every lower one is stale from then on. TERM\n\
                is that of the mastership that wants to write, by default $QUORATE_TERM. It\n\
                needs no daemon and no configuration. Write after 0 only, whatever else it\n\
                says. FILE.lock beside FILE belongs to it: keep both. What it protects from,\n\
                and what not: contrib/doc/fencing.md.",
        exits: &[
            (1, "stale: a higher term was seen"),
            (65, "what FILE holds is no term, or FILE is no plain file"),
            (73, "FILE or its lock cannot be made"),
            (74, "reading, writing or flushing failed"),
            (75, "another process holds the lock for too long"),
            (77, "not allowed"),
        ],
        ..topic("fence-check", Shelf::Fence, "exit 0 if no higher term wrote before, 1 if stale")
    },
    Topic {
        operand: Operand::Optional("NODE"),
        flags: &[JSON],
        about: "Without NODE the best other node is taken. Nothing is stopped unless the other\n\
                node can take over at once.",
        exits: HANDOVER,
        ..topic("transfer", Shelf::Steer, "hand mastership to another node")
    },
    Topic {
        flags: &[option("for", "TIME", "how long not to stand again (default 60s)"), JSON],
        exits: HANDOVER,
        ..topic("step-down", Shelf::Steer, "give this node's mastership up")
    },
    Topic {
        operand: Operand::One("N"),
        about: "N is a whole number from 0 on; more is fresher. For programs that know it: it\n\
                counts until the daemon ends or another one is set. Where node.yaml names a\n\
                `position` command, that one says it and this is refused.",
        exits: &[
            (1, "refused: node.yaml names a `position` command"),
            (69, "the daemon is not reachable"),
            (75, "the daemon does not answer now: try again"),
            (77, "not allowed to ask the daemon, or not to be believed"),
        ],
        ..topic("set-position", Shelf::Steer, "say how fresh this node's data is")
    },
    Topic {
        operand: Operand::One("NAME"),
        flags: &[
            switch("dry-run", "only show what would run"),
            switch("force", "run it though this node's role is another"),
        ],
        about: "NAME is master, backup, no_quorum or event. Shows the program, its checks, argv,\n\
                environment, standard input and time as the daemon would give them, then runs\n\
                it once in the foreground, for real. Facts are those of the daemon, if one\n\
                answers. `master` is run on the master only and the others elsewhere only,\n\
                unless by --force.",
        exits: &[
            (1, "the hook failed, or would be refused; why is said"),
            (66, "node.yaml is not there"),
            (74, "the answer cannot be printed"),
            (78, "node.yaml is wrong, or names no such hook"),
            (107, "this node's role is another, or not known: see --force"),
            (124, "the hook was not over in its time, and killed"),
        ],
        ..topic("hook test", Shelf::Configure, "show what a hook is run as, and run it")
    },
    checks::CONFIG_CHECK,
    checks::CONFIG_TIMING,
    Topic {
        flags: &[JSON],
        ..topic("config origin", Shelf::Configure, "which files are used and who said so")
    },
    Topic {
        operand: Operand::Optional("CODE|who"),
        flags: &[JSON],
        about: "CODE is what events, refusals and reasons carry in JSON, or an exit code such as\n\
                75. Without CODE it lists all. It asks no daemon. In JSON: one object a line.\n\
                `explain who` asks the daemon, and shows who would lead in whose place and why.",
        ..topic("explain", Shelf::Ask, "what a code means; who would lead, and why")
    },
    Topic {
        operand: Operand::Many("COMMAND"),
        ..topic("help", Shelf::Program, "explain a command")
    },
    topic("version", Shelf::Program, "print the version"),
    program::COMPLETIONS,
    program::MAN,
    program::COMPLETE,
    Topic {
        operand: Operand::Rest("ARGUMENT"),
        ..topic("demo-node", Shelf::Internal, "become a node that ends with the demo")
    },
    Topic {
        operand: Operand::Rest("CMD"),
        ..topic("run-keeper", Shelf::Internal, "keep a program that runs under mastership")
    },
    Topic {
        operand: Operand::Rest("LOCK"),
        ..topic("guard", Shelf::Internal, "keep the hooks of a daemon")
    },
    Topic {
        operand: Operand::Rest("CMD"),
        ..topic("run-launch", Shelf::Internal, "become a program that runs under mastership")
    },
];

/// The first word of several two-word commands.
#[derive(Debug)]
pub struct Group {
    /// The word.
    pub name: &'static str,
    /// What these commands do, in one line.
    pub summary: &'static str,
}

/// Every such word.
pub static GROUPS: &[Group] = &[
    Group { name: "config", summary: "check files, and find them" },
    Group { name: "node", summary: "see and change which nodes there are" },
    Group { name: "key", summary: "see and change this node's key" },
    Group { name: "hook", summary: "try the programs that node.yaml names" },
];
