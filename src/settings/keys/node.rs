//! Every key of node.yaml, for the table.
//! Never a key that `node` and its parts do not read.

use super::{File, Key, Mapping, key};

pub(super) static FILE: File = File {
    name: "node.yaml",
    about: "What is true of one node only. It is at /etc/quorate/node.yaml, or where --config or \
            QUORATE_CONFIG says. `quorate init` and `quorate join` write it once with comments; \
            after that it is the administrator's. SIGHUP has the daemon read it again: `log` and \
            `hooks` change at once, all else needs a restart, and a file that is wrong changes \
            nothing.",
    example: "id: alpha\n\
              listen: 0.0.0.0:9901\n\
              advertise: alpha.example.net:9901\n\
              log: {level: info}\n\
              hooks:\n  \
                master: [/etc/quorate/hooks/vip, 192.0.2.10, dev, eth0]\n  \
                backup: [/etc/quorate/hooks/vip, 192.0.2.10, dev, eth0]\n\
              health: {command: [/usr/local/bin/db-ok], interval: 5s}\n",
    mappings: &[&NODE, &LOG, &HOOKS, &HEALTH, &POSITION],
};

const ADDRESS_OR_OFF: &str = "an address, or `off`";
const COMMAND: &str = "a list of words, the first an absolute path";
const NOTHING: &str = "nothing is run";
const MAPPING: &str = "a mapping";

/// node.yaml itself.
pub static NODE: Mapping = Mapping {
    place: "",
    about: "",
    keys: &[
        key(
            "id",
            "a name of at most 64 of the characters A-Z a-z 0-9 . _ -",
            "needed",
            "This node's name. cluster.yaml lists it, and gives it its key.",
        ),
        key(
            "listen",
            "an address, such as `0.0.0.0:9901` or `\"[::]:9901\"`",
            "`0.0.0.0:9901`",
            "Where it listens for the other nodes. 0.0.0.0 and [::] are every address of the \
             machine.",
        ),
        key(
            "advertise",
            "an address, but neither 0.0.0.0 nor [::]",
            "what `listen` says; if that is every address, the host's name with that port",
            "Where the other nodes reach it, if that is not where it listens.",
        ),
        key("log", MAPPING, "as its keys say", "What is logged, to standard error."),
        key(
            "acting_log",
            "an absolute path",
            "nothing is written",
            "A file to which every begin, extension and end of acting as master is appended, for \
             audits.",
        ),
        key(
            "http",
            ADDRESS_OR_OFF,
            "127.0.0.1:9902, unless that is taken",
            "Where it answers over HTTP: who is master, status, metrics, the page. It only \
             answers questions, to anybody who reaches that address.",
        ),
        key(
            "http_hosts",
            "a list of names without ports, such as `[shop.example.net]`",
            "`[]`",
            "By what names whoever asks over HTTP may call it, besides its own and any address.",
        ),
        key(
            "agent",
            ADDRESS_OR_OFF,
            "`off`",
            "Where it tells HAProxy's agent-check whether it is master.",
        ),
        key(
            "watchdog",
            "an absolute path, such as `/dev/watchdog`, or `off`",
            "`off`",
            "A device that resets the machine when the node can no longer end what it runs.",
        ),
        key("hooks", MAPPING, NOTHING, "The programs that are told of this node's role."),
        key(
            "health",
            MAPPING,
            "nothing speaks against this node",
            "The program that says whether this node is fit to be master.",
        ),
        key(
            "position",
            MAPPING,
            "not known, unless `quorate set-position` says it",
            "The program that says how fresh this node's data is.",
        ),
        key(
            "may_move",
            "`true` or `false`",
            "`false`",
            "With `true` the state directory may move between machines, such as a volume of a \
             container; whoever moves it must never have it in two places. Else a node whose \
             machine changed does not start.",
        ),
    ],
};

/// `log` of node.yaml.
pub static LOG: Mapping = Mapping {
    place: "log",
    about: "",
    keys: &[
        key(
            "level",
            "`error`, `warn`, `info`, `debug` or `trace`",
            "`info`",
            "The least important line that is written.",
        ),
        key(
            "format",
            "`text` or `json`",
            "`text`",
            "How a line looks: for people, or one JSON object.",
        ),
    ],
};

/// `hooks` of node.yaml.
pub static HOOKS: Mapping = Mapping {
    place: "hooks",
    about: "Each is run without a shell, and must be safe to run twice; contrib/doc/hooks.md says \
            what it is told and what is promised. `quorate hook test` tries one.",
    keys: &[
        key("master", COMMAND, NOTHING, "Run when this node became master."),
        key(
            "backup",
            COMMAND,
            NOTHING,
            "Run when it stopped being master, within the time that `stop` of cluster.yaml gives, \
             and once at start.",
        ),
        key("no_quorum", COMMAND, NOTHING, "Run when it is not master and hears no majority."),
        key("event", COMMAND, NOTHING, "Run for every event, in order, beside the others."),
        key(
            "fence",
            COMMAND,
            NOTHING,
            "Run before this node acts as master in the place of one that was lost: it makes sure \
             that the lost one is out, and nothing acts until it succeeds.",
        ),
        key("timeout", "a duration, 1s to 10m", "`30s`", "How long one run of one hook may take."),
        key("retries", "0 to 10", "`2`", "How often a hook that failed is run again."),
        key(
            "on_fail",
            "`retry`, `step-down` or `ignore`",
            "`step-down`",
            "What happens when `master` failed for good: it is tried for ever, another node \
             becomes master, or this node goes on as if it had succeeded.",
        ),
        key(
            "argv",
            "`quorate` or `keepalived`",
            "`quorate`",
            "What a hook gets after its own words: EVENT ROLE CLUSTER, or what keepalived gives \
             its notify scripts.",
        ),
    ],
};

const INTERVAL: Key = key(
    "interval",
    "a duration, 100ms to 1h",
    "`5s`",
    "From the start of one run to the start of the next.",
);
const TIMEOUT: Key = key(
    "timeout",
    "a duration of at least 50ms, and not longer than the interval",
    "`2s`, or the interval if that is shorter",
    "How long one run may take.",
);

/// `health` of node.yaml.
pub static HEALTH: Mapping = Mapping {
    place: "health",
    about: "",
    keys: &[
        key(
            "command",
            COMMAND,
            "needed",
            "Exit code 0 says yes, anything else no, and so does a run that takes too long. A \
             node that is not healthy is master only where nobody else can be.",
        ),
        INTERVAL,
        TIMEOUT,
        key("rise", "1 to 100", "`2`", "So many good runs in a row make the node healthy."),
        key("fall", "1 to 100", "`3`", "So many bad runs in a row make it unhealthy."),
    ],
};

/// `position` of node.yaml.
pub static POSITION: Mapping = Mapping {
    place: "position",
    about: "",
    keys: &[
        key(
            "command",
            COMMAND,
            "needed",
            "It prints one whole number; larger is fresher. Policies of cluster.yaml order nodes \
             by it.",
        ),
        INTERVAL,
        TIMEOUT,
    ],
};
