//! Owns how a node comes into being: its identity first, then its first state from a document that
//! lists it. Never makes a second identity or a second state where one is.
//!
//! Three runs make a cluster: `quorate init --cluster shop` on the first host prints a whole
//! cluster.yaml, `quorate init` on each other host prints the line to add to it, and
//! `quorate init --from cluster.yaml` with the same bytes on every host founds it.

use std::io::Write;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use crate::daemon::admin_files;
use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::rescue::WAY_BACK;
use crate::daemon::serve::charter_of;
use crate::daemon::store::{STATE_FILE, Store};
use crate::daemon::{binding, identity, log};
use crate::protocol::durable::{Document, Durable, Identity};
use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::units::{NodeId, Position, StorageId, Term};
use crate::settings::address::Address;
use crate::settings::cluster;
use crate::settings::node::{self, NodeSettings};
use crate::settings::paths::Places;
use crate::wire::marks::Marks;

/// Stands in a printed line for an address that this host cannot tell.
const ADDRESS_UNKNOWN: &str = "ADDRESS:9901";

/// The revision of the document that founds a cluster.
const FIRST_REVISION: u64 = 1;

/// What `quorate init` was told.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Where everything is.
    pub places: Places,
    /// The node's name; the host's first name if none.
    pub name: Option<String>,
    /// Where peers reach it.
    pub advertise: Option<String>,
    /// Print a whole cluster.yaml of that name, with this node as its first.
    pub cluster: Option<String>,
    /// Found the state from this cluster.yaml; `-` is stdin.
    pub from: Option<PathBuf>,
}

/// What to print: data for stdout, messages for stderr.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Printout {
    /// For stdout.
    pub text: String,
    /// For stderr, one message each.
    pub notes: Vec<String>,
}

/// Does it and prints. Gives the exit code.
#[must_use]
pub fn init(options: &InitOptions) -> u8 {
    conclude(prepare(options))
}

/// Prints what came of a command of the daemon's. Gives the exit code.
#[must_use]
pub fn conclude(outcome: Result<Printout, Failure>) -> u8 {
    match outcome.and_then(|printout| print(&printout)) {
        Ok(()) => 0,
        Err(failure) => {
            log::say(&failure.message);
            failure.code
        }
    }
}

/// Does it, and says what to print.
///
/// # Errors
/// Why not; whatever exists already was left as it was.
pub fn prepare(options: &InitOptions) -> Result<Printout, Failure> {
    // Everything that was said is checked before anything is made.
    let plan = plan(options)?;
    let from = options.from.as_deref().map(read_document).transpose()?;
    if let Some(name) = &options.cluster {
        check_name(name, "cluster", "choose another with --cluster")?;
    }
    if from.is_none() {
        plan.address.clone()?;
    }
    let directory = open(options)?;
    let mut notes = Vec::new();
    if let Some(text) = &plan.node_yaml {
        let path = &options.places.config.path;
        admin_files::create(path, text)?;
        notes.push(format!("made {} for node {}", path.display(), plan.settings.id));
    }
    match from {
        Some(from) => found(directory, &plan, from, notes),
        None => introduce(&directory, &plan, options.cluster.as_deref(), notes),
    }
}

/// Who this node will be, with nothing made yet.
pub(super) struct Plan {
    pub(super) settings: NodeSettings,
    /// The node.yaml to make, if there is none.
    pub(super) node_yaml: Option<String>,
    /// Where peers reach it; a host may have no name, and founding does not need one.
    pub(super) address: Result<String, Failure>,
}

/// A cluster.yaml as it came, and the name people know it by.
struct From {
    shown: String,
    document: Document,
    /// The highest term it knows of.
    term: Term,
}

/// The state directory, ours alone; but where a daemon runs, a state and keys are there already,
/// and whoever only wants to see the node's line again need not stop it.
fn open(options: &InitOptions) -> Result<Directory, Failure> {
    let path = &options.places.state_dir.path;
    let only_asks = options.from.is_none() && options.cluster.is_none();
    match Directory::make(path) {
        Err(failure) if failure.code == failure::TRY_AGAIN && only_asks => Directory::look(path)
            .and_then(|found| if found.has(STATE_FILE) { Ok(found) } else { Err(failure) }),
        outcome => outcome,
    }
}

/// Says who this node is: its line, alone or inside a whole document.
pub(super) fn introduce(
    directory: &Directory,
    plan: &Plan,
    cluster_name: Option<&str>,
    mut notes: Vec<String>,
) -> Result<Printout, Failure> {
    let member = member(directory, plan)?;
    let line = format!("{}\n", cluster::node_line(&member));
    let state = state_if_there(directory)?;
    let text = match (cluster_name, &state) {
        (Some(_), Some(state)) => return Err(belongs_already(state)),
        (Some(name), None) => {
            notes.push(
                "this is a whole cluster.yaml: add the line that `quorate init` prints on each \
                 other host, put the same file on all of them, and run `quorate init --from \
                 cluster.yaml` there"
                    .to_owned(),
            );
            format!("{}{line}", cluster::template(name, identity::new_cluster()?))
        }
        (None, Some(state)) => {
            notes.push(format!("this node belongs to cluster {}", state.committed.charter.name));
            line
        }
        (None, None) => {
            notes.push("put this line under `nodes:` in cluster.yaml".to_owned());
            notes.push(WAY_BACK.to_owned());
            line
        }
    };
    Ok(Printout { text, notes })
}

/// Founds this node's state from the document in `from`.
fn found(
    directory: Directory,
    plan: &Plan,
    from: From,
    mut notes: Vec<String>,
) -> Result<Printout, Failure> {
    let From { shown, document, term } = from;
    if let Some(state) = state_if_there(&directory)? {
        return found_already(&directory, &state, &document, notes);
    }
    let ours = member(&directory, plan)?;
    check_listed(&shown, &document, &ours)?;
    let identity = Identity {
        cluster: document.charter.cluster,
        generation: document.charter.generation,
        node: ours.id,
        storage: ours.storage,
    };
    let name = document.charter.name.clone();
    settle(directory, Durable { term, ..Durable::founding(identity, document) })?;
    let id = &plan.settings.id;
    notes.push(format!("node {id} belongs to cluster {name} now: start `quorate serve`"));
    Ok(Printout { text: String::new(), notes })
}

/// Writes a node's first state, which belongs to this machine and directory from then on.
pub(super) fn settle(directory: Directory, first: Durable) -> Result<(), Failure> {
    let binding = binding::here(&directory, first.identity.storage);
    let marks = Marks { binding, ..Marks::default() };
    let store = Store::found(directory, first, marks)?;
    identity::spend_storage(store.directory())
}

fn found_already(
    directory: &Directory,
    state: &Durable,
    document: &Document,
    mut notes: Vec<String>,
) -> Result<Printout, Failure> {
    if state.accepted.hash != document.hash {
        return Err(belongs_already(state));
    }
    identity::spend_storage(directory)?;
    notes.push("this node has exactly this document already: nothing to do".to_owned());
    Ok(Printout { text: String::new(), notes })
}

fn belongs_already(state: &Durable) -> Failure {
    let message = format!(
        "this node belongs to cluster {} ({}) already, with another document; a cluster that \
         runs is changed with quorate apply. This node's state is left as it is, since a second \
         one would forget its votes",
        state.accepted.charter.name, state.identity.cluster
    );
    Failure::new(failure::CANNOT_CREATE, message)
}

/// The document in `file`; `-` is stdin.
fn read_document(file: &Path) -> Result<From, Failure> {
    let is_stdin = file == Path::new("-");
    let shown = if is_stdin { "stdin".to_owned() } else { file.display().to_string() };
    let text = if is_stdin {
        admin_files::read_stdin()?
    } else {
        admin_files::read_if_there(file)?
            .ok_or_else(|| Failure::new(failure::NO_INPUT, format!("{shown} does not exist")))?
    };
    let first = Position { term: Term(0), version: 1 };
    let document = cluster::document(&text, &shown, first, FIRST_REVISION)
        .map_err(|problem| Failure::new(failure::BAD_DATA, problem.to_string()))?;
    let term = cluster::known_term(&text, &shown)
        .map_err(|problem| Failure::new(failure::BAD_DATA, problem.to_string()))?;
    Ok(From { shown, document, term })
}

/// The document must list this node with this key and this disk, or nobody would count it.
fn check_listed(shown: &str, document: &Document, ours: &Member) -> Result<(), Failure> {
    let line = cluster::node_line(ours);
    let refuse = |what: String| {
        let message = format!("{what}. Its line must be:\n{line}");
        Err(Failure::new(failure::CONFIG, message))
    };
    let Some(listed) = document.charter.members.find(&ours.id) else {
        return refuse(format!("{shown} does not list node {}", ours.id));
    };
    if !listed.pins().any(|pin| pin == ours.pin) {
        return refuse(format!("{shown} lists node {} with another `key` than its own", ours.id));
    }
    if listed.storage != ours.storage {
        return refuse(format!(
            "{shown} lists node {} with another `storage` than this disk has. If this node lost \
             its disk, its votes are lost too and it cannot come back as it was: {WAY_BACK}",
            ours.id
        ));
    }
    Ok(())
}

/// This node as a line of a document.
pub(super) fn member(directory: &Directory, plan: &Plan) -> Result<Member, Failure> {
    let id = plan.settings.id.clone();
    let keys = identity::keys_or_new(directory, &id)?;
    let storage = storage(directory)?;
    let address = plan.address.clone().unwrap_or_else(|_| ADDRESS_UNKNOWN.to_owned());
    Ok(Member {
        id,
        address: address.into(),
        role: MemberRole::Voter,
        priority: cluster::PRIORITY_DEFAULT,
        pin: keys.pin(),
        storage,
        next_pin: None,
        is_in_sync: true,
        standby: None,
    })
}

pub(super) fn storage(directory: &Directory) -> Result<StorageId, Failure> {
    if let Some(state) = state_if_there(directory)? {
        return Ok(state.identity.storage);
    }
    match identity::unspent_storage(directory)? {
        Some(storage) => Ok(storage),
        None => identity::new_storage(directory),
    }
}

pub(super) fn state_if_there(directory: &Directory) -> Result<Option<Durable>, Failure> {
    if !directory.has(STATE_FILE) {
        return Ok(None);
    }
    Store::read(directory, charter_of).map(Some)
}

/// This node's settings: those of its node.yaml, or new ones from the options.
pub(super) fn plan(options: &InitOptions) -> Result<Plan, Failure> {
    let path = &options.places.config.path;
    let shown = path.display().to_string();
    if let Some(text) = admin_files::read_if_there(path)? {
        let settings = parse(&text, &shown)?;
        check_same(&shown, "id", options.name.as_deref(), Some(settings.id.as_str()))?;
        let advertise = settings.advertise.as_deref();
        check_same(&shown, "advertise", options.advertise.as_deref(), advertise)?;
        return Ok(Plan { address: address(&settings), settings, node_yaml: None });
    }
    let name = options.name.clone().map_or_else(short_host_name, Ok)?;
    let id = check_name(&name, "node", "choose one with --name")?;
    let mut settings =
        NodeSettings { advertise: options.advertise.clone(), ..NodeSettings::new(id) };
    // Who is reached at another port than the usual one most likely listens there too.
    let reached = options.advertise.as_deref().and_then(|text| Address::parse(text).ok());
    if let Some(address) = reached {
        let is_v6 = address.host.parse::<Ipv6Addr>().is_ok();
        let everywhere = if is_v6 { "[::]" } else { "0.0.0.0" };
        settings.listen = format!("{everywhere}:{}", address.port);
    }
    let text = node::render(&settings);
    // Read back what is about to be written: a bad --advertise is refused before it is a file.
    let settings = parse(&text, &shown)?;
    Ok(Plan { address: address(&settings), settings, node_yaml: Some(text) })
}

/// Where peers reach this node, in words that cluster.yaml takes.
fn address(settings: &NodeSettings) -> Result<String, Failure> {
    let address = settings.advertise_address(host_name)?;
    match Address::parse(&address) {
        Ok(_) => Ok(address),
        Err(error) => {
            let message = format!(
                "peers cannot reach this node at {address:?}, made from this host's name: {error}; \
                 name its address with --advertise"
            );
            Err(Failure::new(failure::CONFIG, message))
        }
    }
}

/// Nodes and clusters are named by one rule.
fn check_name(name: &str, what: &str, advice: &str) -> Result<NodeId, Failure> {
    NodeId::new(name).ok_or_else(|| {
        let rule = "1 to 64 of the characters A-Z a-z 0-9 . _ -";
        let message = format!("{name:?} cannot name a {what} ({rule}): {advice}");
        Failure::new(failure::CONFIG, message)
    })
}

fn parse(text: &str, shown: &str) -> Result<NodeSettings, Failure> {
    node::parse(text, shown).map_err(|problem| Failure::new(failure::CONFIG, problem.to_string()))
}

/// An option must not contradict the file, which is the administrator's.
fn check_same(
    shown: &str,
    key: &str,
    wanted: Option<&str>,
    found: Option<&str>,
) -> Result<(), Failure> {
    if wanted.is_none() || wanted == found {
        return Ok(());
    }
    let message = format!(
        "{shown} is there and has {}: edit `{key}` in it, or leave the option out",
        found.map_or_else(|| format!("no `{key}`"), |found| format!("`{key}: {found}`"))
    );
    Err(Failure::new(failure::CONFIG, message))
}

/// The host's name as the kernel has it.
fn host_name() -> Result<String, Failure> {
    let path = Path::new("/proc/sys/kernel/hostname");
    let name = admin_files::read_if_there(path)?.unwrap_or_default().trim().to_owned();
    if name.is_empty() {
        let message = "this host has no name: give the node one with --name and --advertise";
        return Err(Failure::new(failure::CONFIG, message));
    }
    Ok(name)
}

/// Its part before the first dot.
fn short_host_name() -> Result<String, Failure> {
    let name = host_name()?;
    Ok(name.split('.').next().unwrap_or(&name).to_owned())
}

/// stdout first: a file made by a redirection is whole before anybody is told about it.
pub(super) fn print(printout: &Printout) -> Result<(), Failure> {
    std::io::stdout()
        .write_all(printout.text.as_bytes())
        .map_err(|error| Failure::of_system(failure::IO, "cannot write to stdout", &error))?;
    printout.notes.iter().for_each(|note| log::say(note));
    Ok(())
}
