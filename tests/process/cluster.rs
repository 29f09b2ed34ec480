//! A cluster of real daemons, founded as the README says, with verbs for what happens to it.
//! Never two at one address: each cluster has its own corner of the loopback network, or of its
//! own namespaces.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use tempfile::TempDir;

use quorate::wire::control::StatusReport;

use super::checker::check;
use super::node::Node;
use super::watch::{View, Watch};

const NAMES: [&str; 5] = ["alpha", "bravo", "charlie", "delta", "echo"];

/// Shorter than the default, longer than a busy test machine ever stands still.
const TIMING: &str = "{heartbeat: 200ms, dead_after: 2s, stop: 200ms}";

/// Clusters made by this process so far: each listens at ports of its own.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Some nodes that share one cluster.yaml.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    watch: Option<Watch>,
    place: TempDir,
}

impl Cluster {
    /// Founds `count` nodes on the loopback network and starts them all.
    pub(super) fn of(count: usize) -> Self {
        Self::with(count, "never")
    }

    /// The same with that failback.
    pub(super) fn with(count: usize, failback: &str) -> Self {
        let mut cluster = Self::founded(count, failback);
        cluster.start();
        cluster
    }

    /// The same, but nothing is started yet.
    pub(super) fn founded(count: usize, failback: &str) -> Self {
        let addresses = loopback_addresses(count);
        let prefixes = vec![Vec::new(); count];
        Self::at(&addresses, &prefixes, failback)
    }

    /// Founds `count` nodes on the loopback network under another timing, which answer over HTTP;
    /// nothing is started yet.
    pub(super) fn timed(count: usize, timing: &str) -> Self {
        let addresses = loopback_addresses(count);
        let prefixes = vec![Vec::new(); count];
        Self::founded_with(&addresses, &prefixes, ("never", timing), answer_over_http)
    }

    /// `count` machines on which nothing was done yet but to say where a node listens.
    pub(super) fn unfounded(count: usize) -> Self {
        let (place, mut nodes) = machines(&loopback_addresses(count), &vec![Vec::new(); count]);
        answer_over_http(&mut nodes);
        nodes.iter().for_each(Node::settle);
        Self { nodes, watch: None, place }
    }

    /// One more such machine, of that name.
    pub(super) fn add_unfounded(&mut self, name: &str) {
        let home = self.place().join(name);
        std::fs::create_dir(&home).expect("no machine has this name yet");
        let mut nodes = [Node::new(name, &loopback_addresses(1)[0], &home, &[])];
        answer_over_http(&mut nodes);
        nodes.iter().for_each(Node::settle);
        self.nodes.extend(nodes);
    }

    /// Founds a node at each address, started through its prefix; nothing is started yet.
    pub(super) fn at(addresses: &[String], prefixes: &[Vec<String>], failback: &str) -> Self {
        Self::prepared(addresses, prefixes, failback, |_| {})
    }

    /// The same; `prepare` sees the nodes, whose homes are empty, before anything is in them.
    pub(super) fn prepared(
        addresses: &[String],
        prefixes: &[Vec<String>],
        failback: &str,
        prepare: impl FnOnce(&mut [Node]),
    ) -> Self {
        Self::founded_with(addresses, prefixes, (failback, TIMING), prepare)
    }

    /// The same with that failback and timing.
    pub(super) fn founded_with(
        addresses: &[String],
        prefixes: &[Vec<String>],
        choices: (&str, &str),
        prepare: impl FnOnce(&mut [Node]),
    ) -> Self {
        let (place, mut nodes) = machines(addresses, prefixes);
        prepare(&mut nodes);
        let file = cluster_yaml(place.path(), &nodes, choices);
        nodes.iter().for_each(|node| node.found(&file));
        Self { nodes, watch: None, place }
    }

    /// Starts every daemon and the watch over them.
    pub(super) fn start(&mut self) {
        self.start_without(&[]);
    }

    /// The same, but those nodes stay down, and nobody watches them.
    pub(super) fn start_without(&mut self, absent: &[&str]) {
        let is_absent = |node: &Node| absent.contains(&node.name.as_str());
        self.nodes.iter_mut().filter(|node| !is_absent(node)).for_each(Node::start);
        let watched = self.nodes.iter().filter(|node| !is_absent(node));
        self.watch = Some(Watch::over(watched.map(|node| (node.name.clone(), node.socket()))));
    }

    /// The node of that name.
    pub(super) fn node(&mut self, name: &str) -> &mut Node {
        let found = self.nodes.iter_mut().find(|node| node.name == name);
        found.expect("the test names a node of its cluster")
    }

    /// Waits until answers that are all younger than this call show what is wanted.
    pub(super) fn until<T>(&self, what: &str, found: impl Fn(&View) -> Option<T>) -> T {
        self.watch.as_ref().expect("the cluster was started").until(what, found)
    }

    /// Waits until `master` acts and all of `followers` know it; gives its term.
    pub(super) fn settles_on(&self, master: &str, followers: &[&str]) -> u64 {
        let what = format!("{master} acts and {followers:?} know");
        self.until(&what, |view| {
            let acting = acting(view, master)?;
            let knows = |name: &&str| report(view, name).is_some_and(|r| follows(r, acting));
            followers.iter().all(knows).then_some(acting.term)
        })
    }

    /// Waits until some node acts and all others know it; gives its name and term.
    pub(super) fn settles(&self) -> (String, u64) {
        self.until("somebody acts and all others know", |view| {
            let acting = view.values().flatten().find(|report| report.role == "master")?;
            let others = view
                .values()
                .filter(|report| report.as_ref().is_some_and(|report| follows(report, acting)));
            (others.count() + 1 == view.len()).then(|| (acting.node.clone(), acting.term))
        })
    }

    /// Waits until that daemon has run on for so long.
    pub(super) fn outlives(&self, name: &str, span_ms: u64) {
        let start = self.until("it answers", |view| Some(report(view, name)?.uptime_ms));
        self.until("it has run on", |view| {
            (report(view, name)?.uptime_ms > start + span_ms).then_some(())
        });
    }

    /// Kills a daemon as a crash would.
    pub(super) fn crash(&mut self, name: &str) {
        let code = self.node(name).end(Signal::KILL);
        assert_eq!(code, 128 + 9, "{name} ended before it was killed");
    }

    /// Ends a daemon as a service manager would; it must end well.
    pub(super) fn stop(&mut self, name: &str) {
        let code = self.node(name).end(Signal::TERM);
        assert_eq!(code, 0, "{name} did not end well");
    }

    /// Asserts by the nodes' own acting logs, to the nanosecond, what the watch saw by asking.
    fn acted_one_at_a_time(&self) {
        let logs: Vec<PathBuf> = self.nodes.iter().map(Node::acting_log).collect();
        let kept: Vec<&Path> =
            logs.iter().map(PathBuf::as_path).filter(|log| log.exists()).collect();
        if let Some(verdict) = check(&kept) {
            assert_eq!(verdict.code, 0, "{}", verdict.words);
        }
    }

    /// Where this cluster's files are.
    pub(super) fn place(&self) -> &Path {
        self.place.path()
    }
}

/// A machine at each address, with an empty home.
fn machines(addresses: &[String], prefixes: &[Vec<String>]) -> (TempDir, Vec<Node>) {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    let nodes = addresses.iter().zip(prefixes).zip(NAMES).map(|((address, prefix), name)| {
        let home = place.path().join(name);
        std::fs::create_dir(&home).expect("the place is new");
        Node::new(name, address, &home, prefix)
    });
    let nodes = nodes.collect();
    (place, nodes)
}

/// Each at its own address, where nobody else listens.
fn answer_over_http(nodes: &mut [Node]) {
    for node in nodes {
        let (host, port) = node.address.split_once(':').expect("loopback addresses are so");
        let port: u16 = port.parse().expect("it was made from a number");
        node.http = format!("{host}:{}", port + 10_000);
    }
}

/// The node's answer, if it is up.
pub(super) fn report<'a>(view: &'a View, name: &str) -> Option<&'a StatusReport> {
    view.get(name)?.as_ref()
}

/// The node's answer, if it acts as master.
pub(super) fn acting<'a>(view: &'a View, name: &str) -> Option<&'a StatusReport> {
    report(view, name).filter(|report| report.role == "master")
}

/// Whether `report` names `acting` as the master of the same term.
fn follows(report: &StatusReport, acting: &StatusReport) -> bool {
    let known = |master: &quorate::wire::control::MasterReport| {
        master.id == acting.node && master.term == acting.term
    };
    report.role == "follower" && report.master.as_ref().is_some_and(known)
}

/// Addresses nobody else on this machine listens at.
pub(super) fn loopback_addresses(count: usize) -> Vec<String> {
    let [high, low] = [(std::process::id() >> 8) % 254 + 1, std::process::id() % 256];
    let port = 20_000 + MADE.fetch_add(1, Ordering::Relaxed);
    (1..=count).map(|host| format!("127.{high}.{low}.{host}:{port}")).collect()
}

/// Puts cluster.yaml together as an operator would: the first node prints it whole, and each
/// other node prints its line.
fn cluster_yaml(place: &Path, nodes: &[Node], choices: (&str, &str)) -> PathBuf {
    let (failback, timing) = choices;
    let (first, others) = nodes.split_first().expect("a cluster has a node");
    let choices = format!(
        "timing: {timing}\nelection: {{policy: lowest-id, failback: {failback}}}\nnodes:\n"
    );
    let mut text = first.identify(&["--cluster", "shop"]).replace("nodes:\n", &choices);
    others.iter().for_each(|node| text.push_str(&node.identify(&[])));
    let path = place.join("cluster.yaml");
    std::fs::write(&path, text).expect("the place can be written");
    path
}

impl Drop for Cluster {
    #[expect(clippy::print_stderr, reason = "a failed test shows what its daemons said")]
    fn drop(&mut self) {
        let watch = self.watch.as_mut().map(Watch::end);
        if std::thread::panicking() {
            for node in &self.nodes {
                eprintln!("---- log of {}\n{}", node.name, node.log());
            }
            return;
        }
        if let Some(wrong) = watch {
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            // A short test may be over before the watch sees a master; the logs tell of each.
            self.acted_one_at_a_time();
        }
    }
}
