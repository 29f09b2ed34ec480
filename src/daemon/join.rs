//! Owns how a node joins a cluster that runs: it shows a token to any of the members that the
//! token names, and founds its first state from the document that lets it in.
//! Never founds anything before the cluster has committed that, and never a second state; broken
//! off anywhere, the same command goes on where it was.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use crate::daemon::admin_files;
use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::init::{self, InitOptions, Plan, Printout};
use crate::daemon::outbox::Outbox;
use crate::daemon::serve::charter_of;
use crate::daemon::session::{Ending, HANDSHAKE_LIMIT, Session};
use crate::daemon::tls::Keys;
use crate::daemon::waiting::{Deadline, pause};
use crate::daemon::{identity, log, socket, tls};
use crate::protocol::durable::{Document, Durable, Identity};
use crate::protocol::units::StorageId;
use crate::settings::address::Address;
use crate::settings::arrivals::arrivals;
use crate::settings::node;
use crate::settings::paths::Places;
use crate::settings::words;
use crate::wire::join::{JoinAnswer, JoinRequest};
use crate::wire::proof::Proof;
use crate::wire::token::{Seed, Token, TokenFrom, wipe};

/// The command was refused; nothing was founded.
const REFUSED: u8 = 1;
/// No member of the cluster answers.
const UNREACHABLE: u8 = 69;
/// Between two rounds through the members that the token names.
const ROUND_EVERY: Duration = Duration::from_millis(500);
/// Bytes without an answer end the connection.
const USER_TIMEOUT: Duration = Duration::from_secs(10);
/// A member answers in that time, or its answer is lost.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// What `quorate join` was told.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// Where everything is.
    pub places: Places,
    /// The token.
    pub token: TokenFrom,
    /// The node's name; what the token says if none, or the host's first name.
    pub name: Option<String>,
    /// Where peers reach it; the address from which it reaches them if none.
    pub advertise: Option<String>,
    /// How long to try while nobody can decide or answers.
    pub patience: Duration,
}

/// Does it and prints. Gives the exit code.
#[must_use]
pub fn join(options: &JoinOptions) -> u8 {
    match joined(options).and_then(|printout| init::print(&printout)) {
        Ok(()) => 0,
        Err(failure) => {
            log::say(&failure.message);
            failure.code
        }
    }
}

fn joined(options: &JoinOptions) -> Result<Printout, Failure> {
    let token = read_token(&options.token)?;
    let plan = plan(options, &token)?;
    let directory = Directory::make(&options.places.state_dir.path)?;
    if let Some(state) = init::state_if_there(&directory)? {
        return belongs(&state, &token);
    }
    let id = plan.settings.id.clone();
    let keys = identity::keys_or_new(&directory, &id)?;
    let storage = init::storage(&directory)?;
    let guest = Guest::new(&token, &plan, keys, storage)?;
    let (document, address) = guest.knock(options.patience)?;
    check(&document, &guest)?;
    let mut notes = Vec::new();
    if let Some(text) = &plan.node_yaml {
        let path = &options.places.config.path;
        admin_files::create(path, &with_address(text, path, &plan, &address)?)?;
        notes.push(format!("made {} for node {id}", path.display()));
    }
    notes.push(told(&document, &guest)?);
    let identity = Identity {
        cluster: document.charter.cluster,
        generation: document.charter.generation,
        node: id,
        storage,
    };
    init::settle(directory, Durable::founding(identity, document))?;
    Ok(Printout { text: String::new(), notes })
}

fn read_token(from: &TokenFrom) -> Result<Token, Failure> {
    let text = match from {
        TokenFrom::Word(word) => word.clone(),
        TokenFrom::File(file) if file == Path::new("-") => admin_files::read_stdin()?,
        TokenFrom::File(file) => admin_files::read_if_there(file)?.ok_or_else(|| {
            Failure::new(failure::NO_INPUT, format!("{} does not exist", file.display()))
        })?,
    };
    let token = Token::parse(&text);
    wipe(&mut text.into_bytes());
    token.map_err(|error| Failure::new(failure::BAD_DATA, error.to_string()))
}

/// Who this node will be: as for `quorate init`, but that the token may say its name.
fn plan(options: &JoinOptions, token: &Token) -> Result<Plan, Failure> {
    let invited = token.name.as_ref().map(ToString::to_string);
    let has_file = admin_files::read_if_there(&options.places.config.path)?.is_some();
    let name = options.name.clone().or_else(|| invited.clone().filter(|_| !has_file));
    let plan = init::plan(&InitOptions {
        places: options.places.clone(),
        name,
        advertise: options.advertise.clone(),
        cluster: None,
        from: None,
    })?;
    match invited {
        Some(invited) if invited != plan.settings.id.as_str() => {
            let message = format!(
                "the token is for a node called {invited}, and this one is {}: ask for a token of \
                 its own",
                plan.settings.id
            );
            Err(Failure::new(failure::CONFIG, message))
        }
        _ => Ok(plan),
    }
}

/// A node that has a state is done, if it is of that cluster.
fn belongs(state: &Durable, token: &Token) -> Result<Printout, Failure> {
    let name = &state.committed.charter.name;
    if state.identity.cluster == token.cluster {
        let note =
            format!("this node belongs to cluster {name} already: start it with `quorate serve`");
        return Ok(Printout { text: String::new(), notes: vec![note] });
    }
    let message = format!(
        "this node belongs to cluster {name} ({}) already, and the token is of another one ({}): \
         give the node that joins a state directory of its own",
        state.identity.cluster, token.cluster
    );
    Err(Failure::new(failure::CANNOT_CREATE, message))
}

/// This node, as it asks to be let in.
struct Guest<'a> {
    token: &'a Token,
    plan: &'a Plan,
    keys: Keys,
    storage: StorageId,
    config: Arc<ClientConfig>,
    /// Where it calls from, if it listens on one address only.
    source: Option<SocketAddr>,
    /// Nothing is ever in it; whoever waits for a connection also waits for one.
    outbox: Outbox,
}

/// What one member made of the request.
enum Heard {
    Welcome(Document, String),
    Later(String),
    No(String),
    Nothing(String),
}

impl<'a> Guest<'a> {
    fn new(
        token: &'a Token,
        plan: &'a Plan,
        keys: Keys,
        storage: StorageId,
    ) -> Result<Self, Failure> {
        let config = tls::joining(&keys, &token.seeds)
            .map_err(|error| Failure::new(failure::BAD_DATA, error.to_string()))?;
        let outbox = Outbox::new(Duration::ZERO)
            .map_err(|error| Failure::of_system(failure::IO, "cannot wait", &error))?;
        let listen: Option<SocketAddr> = plan.settings.listen.parse().ok();
        let source = listen.filter(|address| !address.ip().is_unspecified());
        let source = source.map(|address| SocketAddr::new(address.ip(), 0));
        Ok(Self { token, plan, keys, storage, config, source, outbox })
    }

    /// Asks every member that the token names, again and again; gives the document that lets this
    /// node in, and the address by which it is in it.
    fn knock(&self, patience: Duration) -> Result<(Document, String), Failure> {
        let deadline = Deadline::after(patience);
        loop {
            let mut heard = Vec::new();
            for seed in &self.token.seeds {
                match self.ask(seed) {
                    Heard::Welcome(document, address) => return Ok((document, address)),
                    Heard::No(why) if !why.is_empty() => {
                        let message = format!("{} refuses: {why}", seed.address);
                        return Err(Failure::new(REFUSED, message));
                    }
                    other @ (Heard::Later(_) | Heard::No(_) | Heard::Nothing(_)) => {
                        heard.push((seed, other));
                    }
                }
            }
            let failure = failure(&heard);
            if failure.code == REFUSED || deadline.has_passed() {
                return Err(failure);
            }
            pause(ROUND_EVERY.min(deadline.left()));
        }
    }

    fn ask(&self, seed: &Seed) -> Heard {
        let reached = socket::reach(&seed.address, self.source, USER_TIMEOUT, &self.outbox, &[]);
        let socket = match reached {
            Ok((socket, _)) => socket,
            Err(why) => return Heard::Nothing(why.to_string()),
        };
        let address = match self.address(&socket) {
            Ok(address) => address,
            Err(why) => return Heard::Nothing(why),
        };
        match self.converse(socket, &address) {
            Ok(JoinAnswer::Welcome(document)) => Heard::Welcome(document, address),
            Ok(JoinAnswer::Later(why)) => Heard::Later(why),
            Ok(JoinAnswer::No(why)) => Heard::No(why),
            Err(ending) => Heard::Nothing(ending.to_string()),
        }
    }

    /// Where the others will reach this node: what was said, or where this connection begins.
    fn address(&self, socket: &TcpStream) -> Result<String, String> {
        let settings = &self.plan.settings;
        if settings.advertise.is_some() || self.source.is_some() {
            return self.plan.address.clone().map_err(|failure| failure.message);
        }
        let port = Address::parse(&settings.listen).map_err(|error| error.to_string())?.port;
        let local = socket.local_addr().map_err(|error| socket::in_words(&error))?;
        Ok(SocketAddr::new(local.ip().to_canonical(), port).to_string())
    }

    fn converse(&self, socket: TcpStream, address: &str) -> Result<JoinAnswer, Ending> {
        let Self { token, plan, .. } = self;
        let mut session = Session::calling(Arc::new(socket), Arc::clone(&self.config))?;
        session.handshake(Deadline::after(HANDSHAKE_LIMIT))?;
        let request = JoinRequest::new(
            (token.cluster, token.invite),
            plan.settings.id.clone(),
            address.to_owned(),
            self.storage,
            Proof::of(token, &session.number()?),
        );
        session.ask_to_join(&request, Deadline::after(ANSWERED_WITHIN), charter_of)
    }
}

/// What a round without a welcome amounts to.
fn failure(heard: &[(&Seed, Heard)]) -> Failure {
    let words = |(seed, heard): &(&Seed, Heard)| match heard {
        Heard::Later(why) | Heard::Nothing(why) => Some(format!("{}: {why}", seed.address)),
        Heard::Welcome(..) | Heard::No(_) => None,
    };
    let reasons: Vec<String> = heard.iter().filter_map(words).collect();
    let reasons = reasons.join("; ");
    let has = |is: fn(&Heard) -> bool| heard.iter().any(|(_, heard)| is(heard));
    if has(|heard| matches!(heard, Heard::Later(_))) {
        let message = format!("not let in yet, try again: {reasons}");
        return Failure::new(failure::TRY_AGAIN, message);
    }
    if has(|heard| matches!(heard, Heard::No(_))) {
        let message = "the token is refused: it was used already, is over, was revoked, or is not \
                       this cluster's any more; the log of the node that was asked says which. \
                       `quorate invite` makes a new one";
        return Failure::new(REFUSED, message);
    }
    Failure::new(UNREACHABLE, format!("no member that the token names can be reached: {reasons}"))
}

/// What a member sent must be what was asked for.
fn check(document: &Document, guest: &Guest<'_>) -> Result<(), Failure> {
    let charter = &document.charter;
    let listed = charter.members.find(&guest.plan.settings.id);
    let is_ours = listed.is_some_and(|member| {
        member.pin == guest.keys.pin() && member.storage == guest.storage && !member.votes()
    });
    if charter.cluster == guest.token.cluster && is_ours {
        return Ok(());
    }
    let message = "the document that came back does not list this node as a newcomer: nothing was \
                   founded; look at the log of that member";
    Err(Failure::new(failure::BAD_DATA, message))
}

/// The node.yaml to make; it says where the others reach this node, if nothing else does.
fn with_address(text: &str, path: &Path, plan: &Plan, address: &str) -> Result<String, Failure> {
    if plan.settings.advertise.is_some() {
        return Ok(text.to_owned());
    }
    let advertise = Some(address.to_owned());
    let text = node::render(&node::NodeSettings { advertise, ..plan.settings.clone() });
    let read = node::parse(&text, &path.display().to_string());
    read.map(|_| text).map_err(|problem| Failure::new(failure::CONFIG, problem.to_string()))
}

/// What the person who joined it needs to know.
fn told(document: &Document, guest: &Guest<'_>) -> Result<String, Failure> {
    let id = &guest.plan.settings.id;
    let name = &document.charter.name;
    let pin = guest.keys.pin();
    let newcomers = arrivals(&document.body)
        .map_err(|problem| Failure::new(failure::BAD_DATA, problem.to_string()))?
        .newcomers;
    let next = match newcomers.iter().find(|newcomer| newcomer.id == *id) {
        None => String::new(),
        Some(newcomer) if newcomer.is_approved => {
            format!(" It becomes a {} when it is up to date.", words::of_role(newcomer.becomes))
        }
        Some(newcomer) => format!(
            " It becomes a {} after somebody approved its key on any other node: quorate approve \
             SHA256:{pin}",
            words::of_role(newcomer.becomes)
        ),
    };
    Ok(format!("node {id} is an observer of cluster {name} now: start `quorate serve`.{next}"))
}
