//! Every key of cluster.yaml, for the table.
//! Never a key that `cluster` and its parts do not read.

use super::{File, Mapping, key};

pub(super) static FILE: File = File {
    name: "cluster.yaml",
    about: "The one document that all nodes share. `quorate init --cluster NAME` prints the first \
            one; after that the cluster keeps it, `quorate show` prints it, and `quorate edit` and \
            `quorate apply` change it on all nodes at once. What a majority committed holds.",
    example: "cluster: shop\n\
              id: \"6f1e8c0d2b3a49587766554433221100\"\n\
              timing: {preset: default, dead_after: 6s}\n\
              election: {policy: priority, failback: 10m}\n\
              nodes:\n  \
                - {id: alpha, address: \"10.0.0.1:9901\", priority: 200,\n     \
                   key: \"SHA256:00112233445566778899aabbccddeeff\
                                00112233445566778899aabbccddeeff\",\n     \
                   storage: \"00112233445566778899aabbccddeeff\"}\n",
    mappings: &[&CLUSTER, &TIMING, &ELECTION, &MEMBERS, &INVITES, &OVERRIDE],
};

const SWITCH: &str = "`true` or `false`";
const OVERRIDDEN: &str = "`true`, `false`, or a mapping";
const NAME: &str = "a name of at most 64 of the characters A-Z a-z 0-9 . _ -";
const DIGITS: &str = "32 digits of 0-9 a-f";
const FINGERPRINT: &str = "SHA256: and 64 digits of 0-9 a-f";
const TIME: &str = "a time";
const NOTHING: &str = "nothing";
const PASSED_OVER: &str = "It may stand there for people; it decides nothing.";

/// cluster.yaml itself.
pub static CLUSTER: Mapping = Mapping {
    place: "",
    about: "",
    keys: &[
        key("cluster", NAME, "needed", "The cluster's name."),
        key(
            "id",
            DIGITS,
            "needed",
            "What tells this cluster from every other; it is kept for ever.",
        ),
        key(
            "generation",
            "a whole number from 1",
            "`1`",
            "How often the cluster was begun anew by force, by `quorate recover`.",
        ),
        key(
            "forced",
            "text",
            NOTHING,
            "What `quorate recover` says it did; remove it once everybody knows.",
        ),
        key(
            "timing",
            "`lan`, `default`, `wan`, or a mapping",
            "`default`",
            "How fast a lost master is replaced, and what stopping may take.",
        ),
        key("election", "a mapping", "as its keys say", "Who should be master of those who can."),
        key(
            "maintenance",
            OVERRIDDEN,
            "`false`",
            "Mastership moves only by hand. `quorate maintenance` sets it.",
        ),
        key("nodes", "a list of mappings", "needed", "Every node, one entry each."),
        key(
            "invites",
            "a list of mappings, at most 32",
            "`[]`",
            "Open invitations. `quorate invite` writes them, and joining removes them.",
        ),
        key("version", "anything", NOTHING, PASSED_OVER),
        key(
            "term",
            "a whole number",
            NOTHING,
            "The term that a recovery began with; who is founded from this text begins above it.",
        ),
        key("updated_at", "anything", NOTHING, PASSED_OVER),
        key("updated_by", "anything", NOTHING, PASSED_OVER),
    ],
};

/// `timing` of cluster.yaml.
pub static TIMING: Mapping = Mapping {
    place: "timing",
    about: "Times that do not fit together are refused. `quorate config timing` shows what they \
            amount to; contrib/doc/timing.md says how to choose.",
    keys: &[
        key(
            "preset",
            "`lan`, `default` or `wan`",
            "`default`",
            "Times that fit together; the other keys change single ones.",
        ),
        key(
            "heartbeat",
            "a duration of at least 10ms, between a two-hundredth and a quarter of dead_after",
            "`500ms`, or the preset's",
            "How often the master renews its lease.",
        ),
        key(
            "dead_after",
            "a duration, 200ms to 300s",
            "`4s`, or the preset's",
            "How long silence lasts before a node counts as gone, and how long a voter keeps its \
             promise to the master: so long nobody leads after a crash.",
        ),
        key(
            "stop",
            "a duration that leaves three heartbeats of a lease to act",
            "`500ms`, or the preset's",
            "How long hooks and programs get to end by themselves before they are killed.",
        ),
        key(
            "drift",
            "a percentage above 0%, at most 5%, such as `0.5%`",
            "`1%`",
            "By how much the clock of a node may run too fast or too slow.",
        ),
        key(
            "stagger",
            "a duration of at least 20ms, and at most dead_after",
            "a tenth of the heartbeat, at least 20ms",
            "How long a node waits at an election for each one that is preferred to it.",
        ),
    ],
};

/// `election` of cluster.yaml.
pub static ELECTION: Mapping = Mapping {
    place: "election",
    about: "contrib/doc/policies.md says more.",
    keys: &[
        key(
            "policy",
            "`lowest-id`, `priority`, `seniority`, `freshest` or `sticky`",
            "`lowest-id`",
            "Who goes first of those who could be master.",
        ),
        key(
            "failback",
            "a duration, `never`, or `0`",
            "`2m` under `lowest-id`, else `never`",
            "How long a better node must have been up before the master hands over to it.",
        ),
        key(
            "auto_failover",
            SWITCH,
            "`true`",
            "With `false` mastership stays where it is until somebody moves it.",
        ),
        key(
            "require_freshest",
            SWITCH,
            "`false`",
            "With `true` only nodes whose entry says `in_sync: true` may lead.",
        ),
    ],
};

/// One entry of `nodes` of cluster.yaml.
pub static MEMBERS: Mapping = Mapping {
    place: "nodes",
    about: "`quorate init` prints the entry of the node it is run on; `quorate node` changes \
            entries. At most nine nodes vote.",
    keys: &[
        key("id", NAME, "needed", "The node's name."),
        key(
            "address",
            "an address, but neither 0.0.0.0 nor [::]",
            "needed",
            "Where the other nodes reach it.",
        ),
        key(
            "role",
            "`voter`, `witness` or `observer`",
            "`voter`",
            "A voter votes and may lead, a witness votes and never leads, an observer only \
             watches.",
        ),
        key(
            "becomes",
            "`voter` or `witness`",
            "it stays what it is",
            "What an observer that was invited becomes once it is up to date.",
        ),
        key(
            "approval",
            "`manual`",
            "none is needed",
            "With `becomes`: only after `quorate approve` of its key.",
        ),
        key(
            "priority",
            "0 to 4294967295",
            "`100`",
            "Under the policies that look at it, the highest goes first.",
        ),
        key("key", FINGERPRINT, "needed", "The fingerprint of the node's key."),
        key(
            "next_key",
            FINGERPRINT,
            NOTHING,
            "The key that is to follow, while the key changes. `quorate key rotate` writes it.",
        ),
        key("storage", DIGITS, "needed", "What its disk is told from every other by."),
        key(
            "in_sync",
            SWITCH,
            "`false`",
            "With `require_freshest`: whether its data count as complete.",
        ),
        key(
            "standby",
            OVERRIDDEN,
            "`false`",
            "It leaves the field to others, and is master only where nobody else can be. \
             `quorate standby` and `quorate online` set it.",
        ),
    ],
};

/// One entry of `invites` of cluster.yaml.
pub static INVITES: Mapping = Mapping {
    place: "invites",
    about: "",
    keys: &[
        key("id", "8 digits of 0-9 a-f", "needed", "The public name of the invitation."),
        key(
            "role",
            "`voter`, `witness` or `observer`",
            "`voter`",
            "What the node becomes that comes with it.",
        ),
        key("until", TIME, "needed", "When it ends."),
        key("secret", FINGERPRINT, "needed", "The hash of what proves it."),
        key("name", NAME, "any name", "What the node must be called."),
        key(
            "approval",
            "`manual`",
            "none is needed",
            "The node's key is approved by a person before it becomes more than an observer.",
        ),
    ],
};

/// What `maintenance`, and `standby` of a node, may say besides `true`.
pub static OVERRIDE: Mapping = Mapping {
    place: "maintenance and standby",
    about: "",
    keys: &[
        key("by", "text", NOTHING, "Who set it, for whoever finds it there."),
        key("since", TIME, NOTHING, "Since when."),
        key("until", TIME, "until it is taken back", "When the cluster ends it by itself."),
    ],
};
