//! Faults to order: a library between a daemon and the kernel that breaks its disk and bends its
//! clocks while it runs. `contrib/chaos/shim/faults.c` says what can be ordered.
//! Never touches a daemon that was not started with it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::cluster::{Cluster, loopback_addresses};
use super::command::run;
use super::network::{Network, skip};

/// What stands between one daemon and the kernel.
#[derive(Debug)]
pub(super) struct Faults {
    place: TempDir,
    library: PathBuf,
    given: AtomicU32,
}

impl Faults {
    /// One for each of `count` daemons, if this machine can build it. Where it cannot, says so in
    /// one visible line and gives nothing.
    pub(super) fn for_each_of(count: usize) -> Option<Vec<Self>> {
        static LIBRARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let library = match LIBRARY.get_or_init(build) {
            Ok(library) => library,
            Err(refusal) => {
                skip(&format!("no faults to order here: {refusal}"));
                return None;
            }
        };
        let one = |_| Self {
            place: tempfile::tempdir().expect("a temporary directory can be made"),
            library: library.clone(),
            given: AtomicU32::new(0),
        };
        Some((0..count).map(one).collect())
    }

    /// What starts a program with these faults in it.
    pub(super) fn prefix(&self) -> Vec<String> {
        let library = format!("LD_PRELOAD={}", self.library.display());
        let orders = format!("FAULTS={}", self.file().display());
        vec!["env".to_owned(), library, orders]
    }

    /// From now on, or from the next start on, exactly these faults; none if there are no lines.
    pub(super) fn give(&self, lines: &str) {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let next = self.place.path().join("next");
        std::fs::write(&next, format!("{lines}\norder {number}\n")).expect("it can be written");
        std::fs::rename(next, self.file()).expect("both are in one place");
    }

    /// Whether the last orders are in force.
    pub(super) fn are_taken(&self) -> bool {
        self.tells(&format!("order {}", self.given.load(Ordering::Relaxed)))
    }

    /// Whether that line was told, such as `hit fsync fail`, by any daemon started with it.
    pub(super) fn tells(&self, line: &str) -> bool {
        self.diary().lines().any(|told| told == line)
    }

    /// What happened, one line each.
    pub(super) fn diary(&self) -> String {
        std::fs::read_to_string(self.place.path().join("orders.log")).unwrap_or_default()
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("orders")
    }
}

/// The library, built anew: the compiler is quicker than any doubt about its age.
fn build() -> Result<PathBuf, String> {
    if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        return Err("only a dynamically linked daemon for x86-64 can have them".to_owned());
    }
    if run(&[], ["sh", "-c", "command -v cc"]).code != 0 {
        return Err("there is no C compiler, `cc`".to_owned());
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/chaos/shim/faults.c");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let built = place.join(format!("faults-{}.so", std::process::id()));
    let library = place.join("faults.so");
    let source = source.to_str().expect("the repository's path is text");
    let target = built.to_str().expect("the repository's path is text");
    let words = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", target, source];
    let outcome = run(&[], words);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    // Others may be using an older one; they keep it.
    std::fs::rename(built, &library).expect("both are in one place");
    Ok(library)
}

/// A cluster on the loopback network, each of whose daemons takes orders.
#[derive(Debug)]
pub(super) struct Frail {
    pub(super) cluster: Cluster,
    pub(super) faults: Vec<Faults>,
}

impl Frail {
    /// Founds `count` nodes; nothing is started yet.
    pub(super) fn founded(count: usize) -> Option<Self> {
        Self::made(count, |prefixes| Cluster::at(&loopback_addresses(count), prefixes, "never"))
    }

    /// The same under another timing.
    pub(super) fn timed(count: usize, timing: &str) -> Option<Self> {
        Self::made(count, |prefixes| {
            let addresses = loopback_addresses(count);
            Cluster::founded_with(&addresses, prefixes, ("never", timing), |_| {})
        })
    }

    fn made(count: usize, found: impl FnOnce(&[Vec<String>]) -> Cluster) -> Option<Self> {
        let faults = Faults::for_each_of(count)?;
        let prefixes: Vec<_> = faults.iter().map(Faults::prefix).collect();
        Some(Self { cluster: found(&prefixes), faults })
    }

    /// The same, started, with what acts and its term.
    pub(super) fn settled(count: usize) -> Option<(Self, String, u64)> {
        let mut frail = Self::founded(count)?;
        frail.cluster.start();
        let (master, term) = frail.cluster.settles();
        Some((frail, master, term))
    }

    /// The same, each on a machine of its own.
    pub(super) fn networked() -> Option<(Self, Network)> {
        let faults = Faults::for_each_of(3)?;
        let network = Network::of(3)?;
        let inside = network.prefixes().into_iter();
        let prefixes: Vec<_> =
            inside.zip(&faults).map(|(enter, faults)| [enter, faults.prefix()].concat()).collect();
        let cluster = Cluster::at(&network.addresses(), &prefixes, "never");
        Some((Self { cluster, faults }, network))
    }

    /// What that daemon said so far.
    pub(super) fn log(&self, name: &str) -> String {
        let node = self.cluster.nodes.iter().find(|node| node.name == name);
        node.expect("the test names a node of its cluster").log()
    }

    /// What the daemon of that name is given.
    pub(super) fn faults(&self, name: &str) -> &Faults {
        let index = self.cluster.nodes.iter().position(|node| node.name == name);
        &self.faults[index.expect("the test names a node of its cluster")]
    }

    /// Gives orders to a running daemon and waits until they are in force.
    pub(super) fn order(&self, name: &str, lines: &str) {
        let faults = self.faults(name);
        faults.give(lines);
        self.cluster.until("its orders are in force", |_| faults.are_taken().then_some(()));
    }

    /// The same for the files of its state directory: `lines` begin with `disk`.
    pub(super) fn order_disk(&self, name: &str, lines: &str) {
        self.order(name, &self.disk_lines(name, lines));
    }

    /// `lines` about the state directory of that node. The history is written there by a thread
    /// of its own, and must not be counted where calls are.
    pub(super) fn disk_lines(&self, name: &str, lines: &str) -> String {
        let node = self.cluster.nodes.iter().find(|node| node.name == name);
        let state = node.expect("the test names a node of its cluster").state();
        let state = state.display();
        format!("under {state}\nexcept {state}/history.log\n{lines}")
    }

    /// The names of all nodes but `name`.
    pub(super) fn others(&self, name: &str) -> Vec<String> {
        let names = self.cluster.nodes.iter().map(|node| node.name.clone());
        names.filter(|other| other != name).collect()
    }

    /// Crashes a daemon and starts it again without faults.
    pub(super) fn restart_sound(&mut self, name: &str) {
        self.cluster.crash(name);
        self.faults(name).give("");
        self.cluster.node(name).start();
    }
}
