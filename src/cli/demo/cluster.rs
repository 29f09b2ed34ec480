//! Owns the demo's cluster: its directory, its files, its nodes and the network between them, and
//! the verbs one can do to them. Never decides when to do them.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::time::Duration;

use crate::cli::args::{DemoOptions, Preset, Traces};
use crate::cli::console::Failure;
use crate::cli::demo::processes::{NodeProcess, Program};
use crate::cli::demo::relay::{self, Relay};
use crate::cli::exit::Exit;
use crate::settings::paths::Place;

/// How long the preferred node must be back before it leads again: short, to be watched.
pub(super) const COOLDOWN: Duration = Duration::from_secs(3);

/// The nodes' names, in order of preference.
const NAMES: [&str; 9] =
    ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india"];

/// How long a node may take to end after SIGTERM when the demo is over.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// The longest path a unix socket may have, its end included.
const SOCKET_PATH_MAX: usize = 107;

/// How many lines of a log are worth showing.
const LAST_LINES: usize = 12;

/// What a node's process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    /// It runs.
    Running,
    /// It is stopped by SIGSTOP.
    Paused,
    /// It has ended.
    Ended,
}

/// One node.
#[derive(Debug)]
struct Node {
    directory: PathBuf,
    door: Place,
    process: Option<NodeProcess>,
    life: Life,
    is_cut: bool,
    page: SocketAddr,
}

/// The whole cluster; dropping ends and removes it.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Processes before the directory: they are gone before it is removed.
    nodes: Vec<Node>,
    relay: Relay,
    program: Program,
    directory: TemporaryDirectory,
    timing: Preset,
}

/// A directory that goes away with its value, unless it is kept.
#[derive(Debug)]
struct TemporaryDirectory {
    path: PathBuf,
    traces: Traces,
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if self.traces == Traces::Kept {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

impl Cluster {
    /// Makes identities, the one cluster.yaml and every node's first state; starts nothing yet.
    ///
    /// # Errors
    /// What could not be made, and why.
    pub(super) fn build(options: &DemoOptions) -> Result<Self, Failure> {
        let directory = TemporaryDirectory { path: make_directory()?, traces: options.traces };
        let mut listen =
            free_addresses(options.nodes).map_err(|error| cannot("find a port", &error))?;
        let pages = listen.split_off(options.nodes);
        let relay = Relay::open(&listen).map_err(|error| cannot("open the relay", &error))?;
        let program = Program::this().map_err(|error| cannot("find this program", &error))?;
        let node = |(name, page): (&&str, SocketAddr)| {
            let home = directory.path.join(name);
            let path = home.join("quorate.sock");
            Node {
                directory: home,
                door: Place { path, origin: "the demo".to_owned() },
                process: None,
                life: Life::Ended,
                is_cut: false,
                page,
            }
        };
        let nodes = NAMES[..options.nodes].iter().zip(pages).map(node).collect();
        let cluster = Self { nodes, relay, program, directory, timing: options.timing };
        cluster.found(&listen)?;
        Ok(cluster)
    }

    fn found(&self, listen: &[SocketAddr]) -> Result<(), Failure> {
        let mut document = String::new();
        for (index, address) in listen.iter().enumerate() {
            let node = &self.nodes[index];
            fs::create_dir(&node.directory).map_err(|error| cannot("make a directory", &error))?;
            let settings = format!(
                "id: \"{}\"\nlisten: \"{address}\"\nadvertise: \"{}\"\nhttp: \"{}\"\n",
                NAMES[index],
                self.relay.door(index),
                node.page
            );
            write(&node.directory.join("node.yaml"), &settings)?;
            if index == 0 {
                document = self.run_init(index, &["--cluster".into(), "demo".into()])?;
            } else {
                document.push_str(&self.run_init(index, &[])?);
            }
        }
        let lines = format!(
            "\ntiming: {}\nelection: {{policy: lowest-id, failback: {}ms}}\nnodes:\n",
            self.timing.name(),
            COOLDOWN.as_millis()
        );
        let document = document.replacen("\nnodes:\n", &lines, 1);
        let path = self.directory.path.join("cluster.yaml");
        write(&path, &document)?;
        for index in 0..self.nodes.len() {
            self.run_init(index, &["--from".into(), path.clone().into()])?;
        }
        Ok(())
    }

    /// Runs `quorate init` for one node and returns what it printed.
    fn run_init(&self, index: usize, more: &[OsString]) -> Result<String, Failure> {
        let mut words = vec![OsString::from("init")];
        words.extend(self.place_flags(index));
        words.extend_from_slice(more);
        let Output { status, stdout, stderr } =
            self.program.run(&words).map_err(|error| cannot("run quorate init", &error))?;
        if !status.success() {
            let said = String::from_utf8_lossy(&stderr);
            let message = format!("quorate init for {} failed: {}", NAMES[index], said.trim());
            return Err(Failure::new(Exit::No, message));
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }

    fn place_flags(&self, index: usize) -> [OsString; 6] {
        let node = &self.nodes[index];
        [
            "--config".into(),
            node.directory.join("node.yaml").into(),
            "--state-dir".into(),
            node.directory.join("state").into(),
            "--socket".into(),
            node.door.path.clone().into(),
        ]
    }

    /// How many nodes there are.
    pub(super) fn size(&self) -> usize {
        self.nodes.len()
    }

    /// How many of them must agree.
    pub(super) fn majority(&self) -> usize {
        self.size() / 2 + 1
    }

    /// The preset the cluster runs with.
    pub(super) fn timing(&self) -> Preset {
        self.timing
    }

    /// A node's name.
    pub(super) fn name(&self, index: usize) -> &'static str {
        NAMES[index]
    }

    /// Where a node's daemon answers.
    pub(super) fn door(&self, index: usize) -> &Place {
        &self.nodes[index].door
    }

    /// Where a browser sees the cluster: at the node that is preferred last, which is asked to be
    /// master last too.
    pub(super) fn page(&self) -> String {
        let page = self.nodes.last().map(|node| node.page.to_string());
        format!("http://{}/", page.unwrap_or_default())
    }

    /// What a node's process does.
    pub(super) fn life(&self, index: usize) -> Life {
        self.nodes[index].life
    }

    /// Whether a node is cut off from the others.
    pub(super) fn is_cut(&self, index: usize) -> bool {
        self.nodes[index].is_cut
    }

    /// Starts a node's daemon, if it does not run.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start(&mut self, index: usize) -> Result<(), Failure> {
        if self.nodes[index].life != Life::Ended {
            return Ok(());
        }
        let log = OpenOptions::new().create(true).append(true).open(self.log_path(index));
        let log: File = log.map_err(|error| cannot("open a log", &error))?;
        let mut words = vec![OsString::from("serve")];
        words.extend(self.place_flags(index));
        let process = self.program.start(&words, log);
        let node = &mut self.nodes[index];
        node.process = Some(process.map_err(|error| cannot("start a node", &error))?);
        node.life = Life::Running;
        Ok(())
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, index: usize) {
        self.nodes[index].process = None;
        self.nodes[index].life = Life::Ended;
    }

    /// SIGTERM; it ends when it has handed over.
    pub(super) fn terminate(&mut self, index: usize) {
        if let Some(process) = &self.nodes[index].process {
            process.terminate();
        }
    }

    /// SIGSTOP.
    pub(super) fn pause(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if let (Some(process), Life::Running) = (&node.process, node.life) {
            process.pause();
            node.life = Life::Paused;
        }
    }

    /// SIGCONT.
    pub(super) fn resume(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if let (Some(process), Life::Paused) = (&node.process, node.life) {
            process.resume();
            node.life = Life::Running;
        }
    }

    /// From now on nothing passes between this node and the others.
    pub(super) fn cut(&mut self, index: usize) {
        self.nodes[index].is_cut = true;
        for other in (0..self.size()).filter(|other| *other != index) {
            self.relay.cut(index, other);
            self.relay.cut(other, index);
        }
    }

    /// Joins this node with every other that is not cut off itself.
    pub(super) fn heal(&mut self, index: usize) {
        self.nodes[index].is_cut = false;
        for other in (0..self.size()).filter(|other| *other != index) {
            if !self.is_cut(other) {
                self.relay.heal(index, other);
                self.relay.heal(other, index);
            }
        }
    }

    /// The nodes whose process ended since the last look, and how.
    pub(super) fn reap(&mut self) -> Vec<(usize, ExitStatus)> {
        let mut ended = Vec::new();
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if let Some(status) = node.process.as_mut().and_then(NodeProcess::ended) {
                node.process = None;
                node.life = Life::Ended;
                ended.push((index, status));
            }
        }
        ended
    }

    /// Ends every node, politely first.
    pub(super) fn stop(&mut self) {
        for index in 0..self.size() {
            self.resume(index);
            self.terminate(index);
        }
        for node in &mut self.nodes {
            if let Some(mut process) = node.process.take() {
                // One that does not leave is killed by being dropped.
                process.ended_within(LEAVE_LIMIT);
            }
            node.life = Life::Ended;
        }
    }

    /// The last lines of every node's log.
    pub(super) fn last_words(&self) -> String {
        let mut text = String::new();
        for (index, name) in NAMES[..self.size()].iter().enumerate() {
            let log = fs::read_to_string(self.log_path(index)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(LAST_LINES);
            text.push_str(&format!("--- the end of {name}'s log\n"));
            lines[from..].iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        text
    }

    /// Where state and logs are.
    pub(super) fn directory(&self) -> &Path {
        &self.directory.path
    }

    /// The directory, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        (self.directory.traces == Traces::Kept).then_some(self.directory.path.as_path())
    }

    fn log_path(&self, index: usize) -> PathBuf {
        self.nodes[index].directory.join("log")
    }
}

/// A fresh directory only this user can enter.
fn make_directory() -> Result<PathBuf, Failure> {
    let path = std::env::temp_dir().join(format!("quorate-demo-{}", std::process::id()));
    let longest = path.join("charlie/quorate.sock");
    if longest.as_os_str().len() > SOCKET_PATH_MAX {
        let message = format!(
            "{} is too long a path for sockets: set TMPDIR to a shorter one",
            path.display()
        );
        return Err(Failure::new(Exit::CannotCreate, message));
    }
    DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
        Failure::new(Exit::CannotCreate, format!("cannot make {}: {error}", path.display()))
    })?;
    Ok(path)
}

/// A port for each node on its own loopback address, and then another for each node's page. All
/// are held until all are found, so that no port is found twice.
fn free_addresses(nodes: usize) -> io::Result<Vec<SocketAddr>> {
    let bind = |index| TcpListener::bind((relay::home(index), 0));
    let held = (0..nodes).chain(0..nodes).map(bind).collect::<io::Result<Vec<TcpListener>>>()?;
    held.iter().map(TcpListener::local_addr).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| {
        Failure::new(Exit::CannotCreate, format!("cannot write {}: {error}", path.display()))
    })
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::CannotCreate, format!("the demo cannot {what}: {error}"))
}
