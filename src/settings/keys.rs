//! The table of every key of node.yaml and cluster.yaml: what it takes, what holds without it and
//! what it means. The readers know no other keys; `quorate man 5` and contrib/doc/configuration.md
//! are laid out from it.
//! Never reads a document; tests hold what it says against what the readers do.
//!
//! | column | how it is spelled |
//! |---|---|
//! | takes | what is between backticks may be written as it is; `1s to 10m` are ends of a range |
//! | without | `needed`; or the value that holds then, between backticks at the start; or words |
//! | means | sentences; what stands between backticks is a key, a value or a command |

mod cluster;
mod node;

pub use cluster::{CLUSTER, ELECTION, INVITES, MEMBERS, OVERRIDE, TIMING};
pub use node::{HEALTH, HOOKS, LOG, NODE, POSITION};

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Which values it may have.
    pub takes: &'static str,
    /// What holds where it is not written.
    pub without: &'static str,
    /// What it is for.
    pub means: &'static str,
}

/// The keys that stand beside each other.
#[derive(Debug)]
pub struct Mapping {
    /// The key that it is the value of; empty for the whole file.
    pub place: &'static str,
    /// What it is for, where its key does not say so already.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

impl Mapping {
    /// The names of its keys.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// Whether it has a key of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }
}

/// One of the two files.
#[derive(Debug)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// One that is valid.
    pub example: &'static str,
    /// Its parts, the whole first.
    pub mappings: &'static [&'static Mapping],
}

/// Both files.
pub static FILES: [&File; 2] = [&node::FILE, &cluster::FILE];

/// What holds for values of both.
pub const VALUES: &str = "\
    Both files are YAML, and plain: no anchors, tags or second document. An unknown key is an \
    error. A duration is written with its unit, such as 250ms, 5s, 2m, 1h or 1m30s. An address is \
    HOST:PORT, where HOST is a name, an IPv4 address or an IPv6 address in brackets, which YAML \
    wants in quotes: \"[2001:db8::1]:9901\". A time is UTC like \"2026-03-01T22:00:00Z\", in \
    quotes. `quorate config check` reads a file as the daemon does, and says what is wrong \
    with it.";

const fn key(
    name: &'static str,
    takes: &'static str,
    without: &'static str,
    means: &'static str,
) -> Key {
    Key { name, takes, without, means }
}
