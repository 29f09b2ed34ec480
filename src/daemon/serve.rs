//! Owns the life of the daemon: starts every part in order, waits for signals, stops in order.
//! Never decides anything about mastership, and never goes on with a part that did not start.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, select};

use crate::daemon::arrival;
use crate::daemon::checkup::Checkup;
use crate::daemon::clock;
use crate::daemon::control::Control;
use crate::daemon::control_socket::Socket;
use crate::daemon::directory::Directory;
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::failure::{self, Failure};
use crate::daemon::fitness::Fitness;
use crate::daemon::hooks::book::Book;
use crate::daemon::hooks::troupe::Troupe;
use crate::daemon::http::Doors;
use crate::daemon::identity;
use crate::daemon::lapse;
use crate::daemon::limits;
use crate::daemon::log as lines;
use crate::daemon::network::{Delivery, Network, NetworkError, NetworkOptions};
use crate::daemon::node_yaml::{is_json, level, read_settings, reload};
use crate::daemon::notify::Supervisor;
use crate::daemon::patience;
use crate::daemon::probe;
use crate::daemon::promotion;
use crate::daemon::records;
use crate::daemon::relocation;
use crate::daemon::report;
use crate::daemon::reset::{Reset, Warden};
use crate::daemon::rotation::Rotation;
use crate::daemon::signals::{self, Signal};
use crate::daemon::spawn::spawn;
use crate::daemon::store::{Store, StoreQueue};
use crate::daemon::tls::Keys;
use crate::daemon::usher::Usher;
use crate::daemon::watchdog;
use crate::protocol::durable::Durable;
use crate::protocol::effects::{Input, StepDownReason, Wish};
use crate::protocol::membership::Charter;
use crate::protocol::node::Node;
use crate::protocol::units::Moment;
use crate::settings::address::Address;
use crate::settings::cluster;
use crate::settings::node::NodeSettings;
use crate::settings::paths::Places;
use crate::wire::codes;

/// How long the last mail may take to leave when the daemon stops.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);
/// How long the last log lines may take when the process ends.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(200);
/// What leaving may take beyond one lease with its drift.
const LEAVE_EXTRA: Duration = Duration::from_secs(2);
/// How long a node whose disk stood still does not stand again, unless nobody else can.
const HOLD_OFF: Duration = Duration::from_secs(60);

/// What `quorate serve` was told.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where everything is.
    pub places: Places,
}

/// Runs the daemon until a signal ends it. Gives the exit code; every failure has been told.
#[must_use]
pub fn serve(options: &ServeOptions) -> u8 {
    let outcome = run(&options.places);
    let code = outcome.as_ref().map_or_else(|failure| failure.code, |()| 0);
    if let Err(failure) = outcome {
        lines::flush(LAST_WORDS_WITHIN);
        lines::say(&failure.message);
    }
    lines::flush(LAST_WORDS_WITHIN);
    code
}

/// The parts that live as long as the daemon.
struct Parts {
    driver: Arc<Driver>,
    network: Arc<Network>,
    control: Arc<Control>,
    socket: Arc<Socket>,
    signals: Receiver<Signal>,
    fitness: Arc<Fitness>,
    hooks: Option<Arc<Book>>,
    reset: Option<Arc<Reset>>,
    supervisor: Supervisor,
}

fn run(places: &Places) -> Result<(), Failure> {
    let started = clock::now();
    // First of all: to most of these signals a process that does not catch them dies.
    let signals = catch_signals()?;
    let config = &places.config.path;
    let settings = read_settings(config)?;
    let troupe = Troupe::gather(&settings, places)?;
    start_log(&settings)?;
    abort_on_panic();
    limits::raise_open_files()?;
    let directory = Directory::open(&places.state_dir.path)?;
    identity::settle_keys(&directory, &settings.id)?;
    let keys = identity::load_keys(&directory)?;
    let store = arrival::load_state(directory, &settings, keys.pin())?;
    let mut parts = start(places, &settings, keys, store, signals, started)?;
    if let Some(troupe) = troupe {
        let conditions = Arc::clone(parts.fitness.conditions());
        parts.hooks = Some(troupe.perform(&parts.driver, conditions)?);
    }
    keep_reset(&settings, &mut parts)?;
    start_ticking(&parts)?;
    log::info!("serving: {}", summary(&parts));
    warn_of_port(&parts);
    tell_supervisor(&parts)?;
    let last = wait(&parts, config, settings);
    stop(&parts, if last.is_ok() { FLUSH_WITHIN } else { Duration::ZERO });
    last
}

/// The parts in their order: nothing is heard before the state is sound on disk, nothing is said
/// to clients before the node runs, and the first tick comes last.
fn start(
    places: &Places,
    settings: &NodeSettings,
    keys: Keys,
    store: Store,
    signals: Receiver<Signal>,
    started: Moment,
) -> Result<Parts, Failure> {
    let durable = store.last().clone();
    let seed = u64::from_ne_bytes(identity::random()?);
    let node = Node::new(durable.clone(), clock::now(), seed);
    let members = node.known_members();
    let (queue, records) = StoreQueue::new();
    let driver = Arc::new(Driver::new(node, queue).map_err(|error| {
        Failure::of_system(failure::IO, "the system gives no timer for the election loop", &error)
    })?);
    records::keep_acting_log(settings, &driver)?;
    records::keep_history(settings, store.directory(), &driver)?;
    records::keep_papers(store.directory(), &driver)?;
    let options = NetworkOptions {
        dead_after: durable.committed.charter.timing.dead_after(),
        identity: durable.identity,
        sequence: durable.sequence,
        annex: Arc::clone(store.annex()),
        keys,
        listen: settings.listen.clone(),
        // Without the host's name: who wants to be reached by it writes it down.
        advertise: settings.advertise_address(|| Err(())).ok(),
        members,
        charter_of,
    };
    let network = start_network(options, &driver)?;
    driver.connect(Arc::clone(&network));
    network.let_in_by(Arc::new(Usher::new(Arc::clone(&driver))));
    let socket = Arc::new(Socket::bind(&places.socket.path)?);
    let doors = Doors::open(settings)?;
    let fitness = judge_fitness(settings, &driver);
    let spare = identity::spare_keys(&places.state_dir.path, driver.name());
    let rotation = Arc::new(Rotation::new(&driver, &network, spare));
    let control = Control::new(
        Arc::clone(&driver),
        Arc::clone(&fitness),
        started,
        places.state_dir.path.clone(),
        Checkup {
            listens: network.local_addr().to_string(),
            writing: Arc::clone(store.writing()),
            has_guard: settings.hooks.is_some(),
        },
    );
    let control = Arc::new(control.with_key(&rotation));
    let parts = Parts {
        driver,
        network,
        control,
        socket,
        signals,
        fitness: Arc::clone(&fitness),
        hooks: None,
        reset: None,
        supervisor: Supervisor::named(|name| std::env::var_os(name)),
    };
    let charter = &durable.committed.charter;
    let environment = probe::surroundings(settings, &charter.name, &places.socket.path);
    parts.driver.say(own(codes::DAEMON_STARTED, Loudness::Info, start_words()));
    let say = Arc::clone(&parts.driver);
    let asking = fitness.start(settings, &environment, move |remark| say.say(remark));
    let asking = asking.and_then(|()| {
        doors.attend(settings, &parts.driver, &parts.control, places.state_dir.path.clone())
    });
    let turning = move || spawn("rotation", move || rotation.run());
    let started =
        asking.and_then(|()| start_threads(&parts, store, records)).and_then(|()| turning());
    started.map_err(|error| {
        Failure::of_system(failure::IO, "the system gives no threads for the daemon", &error)
    })?;
    Ok(parts)
}

/// What the node is told of this one's fitness, from before its first tick.
fn judge_fitness(settings: &NodeSettings, driver: &Arc<Driver>) -> Arc<Fitness> {
    let driver = Arc::clone(driver);
    Arc::new(Fitness::new(settings, move |condition| driver.deliver(Input::Condition(condition))))
}

/// What tells one run of the daemon from the next.
fn start_words() -> String {
    let (version, pid) = (env!("CARGO_PKG_VERSION"), std::process::id());
    format!("daemon of quorate {version} started, process {pid}")
}

fn own(code: &'static str, loudness: Loudness, message: String) -> Remark {
    Remark { code, loudness, reason: None, message }
}

fn start_threads(parts: &Parts, store: Store, records: Receiver<Durable>) -> io::Result<()> {
    let (driver, writing) = (Arc::clone(&parts.driver), Arc::clone(store.writing()));
    spawn("patience", move || {
        let never = crossbeam_channel::never();
        patience::watch(&writing, &never, |taken| leave_stalled_disk(&driver, taken));
    })?;
    let driver = Arc::clone(&parts.driver);
    spawn("store", move || store.run(&records, driver.as_ref(), || is_acting(&driver)))?;
    let (control, socket) = (Arc::clone(&parts.control), Arc::clone(&parts.socket));
    spawn("control", move || control.run(&socket))?;
    let (driver, turned) = (Arc::clone(&parts.driver), parts.driver.tell_of_documents());
    spawn("lapse", move || lapse::watch(&driver, &turned))?;
    let driver = Arc::clone(&parts.driver);
    spawn("newcomers", move || promotion::run(&driver))?;
    let driver = Arc::clone(&parts.driver);
    spawn("moved", move || relocation::run(&driver))?;
    let driver = Arc::clone(&parts.driver);
    spawn("watchdog", move || {
        let never = crossbeam_channel::never();
        watchdog::watch(driver.pulse(), &never, || die("the core made no progress for 2 s"));
    })?;
    Ok(())
}

/// The hardware watchdog, if there is one, from before this node can win.
fn keep_reset(settings: &NodeSettings, parts: &mut Parts) -> Result<(), Failure> {
    let Some(path) = settings.watchdog.clone() else { return Ok(()) };
    let reset = Arc::new(Reset::new(path));
    let (driver, conditions) = (Arc::clone(&parts.driver), parts.fitness.conditions());
    Warden::new(Arc::clone(&reset), driver, Arc::clone(conditions))
        .and_then(|warden| spawn("reset", move || warden.run()))
        .map_err(|error| {
            let failed = "the system gives no thread for the hardware watchdog";
            Failure::of_system(failure::IO, failed, &error)
        })?;
    parts.fitness.show(Arc::clone(&reset));
    parts.reset = Some(reset);
    Ok(())
}

/// The election loop: the first tick.
fn start_ticking(parts: &Parts) -> Result<(), Failure> {
    let driver = Arc::clone(&parts.driver);
    let body = move || {
        if let Err(error) = driver.run_alarm() {
            die(&format!("the election loop's timer broke: {error}"));
        }
    };
    spawn("election", body).map(drop).map_err(|error| {
        Failure::of_system(failure::IO, "the system gives no thread for elections", &error)
    })
}

/// Everything stands: whoever waits for this daemon may go on.
fn tell_supervisor(parts: &Parts) -> Result<(), Failure> {
    parts.supervisor.ready(&parts.driver).map_err(|error| {
        Failure::of_system(failure::IO, "the system gives no thread for the supervisor", &error)
    })
}

fn is_acting(driver: &Driver) -> bool {
    driver.acting().term_at(clock::now()).is_some()
}

/// Hands over from a disk that stands still, as an operator would by `step-down`: refused, with
/// nothing stopped, unless somebody else is ready.
fn leave_stalled_disk(driver: &Driver, taken: Duration) {
    let message = format!("the disk has not finished a write for {} s", taken.as_secs());
    driver.say(own(codes::STORAGE_STALLED, Loudness::Warning, message));
    if is_acting(driver) {
        log::warn!("handing over, if another node is ready");
        let reason = StepDownReason::StalledStorage;
        driver.want(Wish::StepDown { hold_off: HOLD_OFF, reason });
    }
}

fn start_network(options: NetworkOptions, driver: &Arc<Driver>) -> Result<Arc<Network>, Failure> {
    let delivery = Arc::clone(driver) as Arc<dyn Delivery>;
    Network::start(options, delivery).map_err(|error| match &error {
        NetworkError::Listen { error: cause, .. } if is_denied(cause) => {
            Failure::new(failure::NO_PERMISSION, error.to_string())
        }
        NetworkError::Listen { .. } => Failure::new(failure::CANNOT_CREATE, error.to_string()),
        NetworkError::Key(_) => Failure::new(failure::BAD_DATA, error.to_string()),
        NetworkError::System(_) => Failure::new(failure::IO, error.to_string()),
    })
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn catch_signals() -> Result<Receiver<Signal>, Failure> {
    signals::catch()
        .map_err(|error| Failure::of_system(failure::IO, "cannot catch signals", &error))
}

/// Serves signals until one ends the daemon. The error is that of a hurried end.
fn wait(parts: &Parts, config: &Path, mut settings: NodeSettings) -> Result<(), Failure> {
    loop {
        match parts.signals.recv().expect("the signal thread never ends") {
            Signal::Reload => {
                parts.supervisor.reloading();
                let tallies = parts.driver.tallies();
                settings = reload(config, settings, parts.hooks.as_deref(), tallies);
                renew_socket(&parts.socket);
                parts.supervisor.reloaded();
            }
            Signal::Report => log_status(parts),
            Signal::Leave(number) => return leave(parts, number),
        }
    }
}

/// Hands over, as far as that is possible in the time the others would need without it.
fn leave(parts: &Parts, number: i32) -> Result<(), Failure> {
    let dead_after = parts.driver.committed().charter.timing.dead_after();
    let patience = dead_after + dead_after / 4 + LEAVE_EXTRA;
    log::info!("signal {number}: leaving; a second one ends the daemon at once");
    parts.driver.deliver(Input::Leave);
    parts.supervisor.leaving(patience + FLUSH_WITHIN + LEAVE_EXTRA);
    let too_late = crossbeam_channel::after(patience);
    loop {
        select! {
            recv(parts.driver.left()) -> _ => return Ok(()),
            recv(too_late) -> _ => {
                let waited = patience.as_millis();
                log::warn!("not released after {waited} ms: leaving as after a crash");
                return Ok(());
            }
            recv(parts.signals) -> signal => match signal {
                Ok(Signal::Leave(number)) => return Err(hurried(number)),
                Ok(Signal::Report) => log_status(parts),
                Ok(Signal::Reload) | Err(_) => {}
            }
        }
    }
}

fn hurried(number: i32) -> Failure {
    let code = u8::try_from(number).map_or(failure::IO, |number| number.saturating_add(128));
    Failure::new(code, format!("signal {number} again: ended without waiting for a successor"))
}

fn stop(parts: &Parts, flush: Duration) {
    if parts.reset.as_ref().is_some_and(|reset| !reset.rest(flush)) {
        log::warn!("the hardware watchdog stays armed: it resets this machine unless it is petted");
    }
    parts.network.stop(flush);
    let message = format!("daemon stopped, process {}", std::process::id());
    parts.driver.say(own(codes::DAEMON_STOPPED, Loudness::Info, message));
    parts.driver.flush_acting_log(LAST_WORDS_WITHIN);
    parts.driver.flush_history(LAST_WORDS_WITHIN);
    parts.socket.remove();
    log::info!("stopped");
}

fn log_status(parts: &Parts) {
    report::lines(&parts.control.status()).iter().for_each(|line| log::info!("{line}"));
}

fn renew_socket(socket: &Socket) {
    match socket.renew() {
        Ok(false) => {}
        Ok(true) => log::warn!("{} was gone and is there again", socket.path().display()),
        Err(failure) => log::error!("the control socket is gone and stays so: {failure}"),
    }
}

/// How the state file's and the peers' documents become charters.
pub(crate) fn charter_of(body: &str) -> Result<Charter, String> {
    cluster::parse_agreed(body, "cluster.yaml").map_err(|problem| problem.to_string())
}

fn start_log(settings: &NodeSettings) -> Result<(), Failure> {
    let writer = lines::start(&settings.id, level(settings), is_json(settings));
    writer.map_or(Ok(()), |writer| spawn("log", move || writer.run()).map(drop)).map_err(|error| {
        Failure::of_system(failure::IO, "the system gives no thread for the log", &error)
    })
}

fn summary(parts: &Parts) -> String {
    let status = parts.driver.status();
    format!(
        "node {} of cluster {} ({}), {} voters needed, listening on {}, socket {}, quorate {}",
        status.node,
        status.cluster_name,
        status.cluster,
        status.quorum_need,
        parts.network.local_addr(),
        parts.socket.path().display(),
        env!("CARGO_PKG_VERSION"),
    )
}

/// Peers dial what the document says; a relay in between may be meant, a slip is more likely.
fn warn_of_port(parts: &Parts) {
    let ours = parts.driver.status().node;
    let listening = parts.network.local_addr().port();
    let document = parts.driver.committed();
    let Some(member) = document.charter.members.find(&ours) else { return };
    let listed = &member.address;
    if Address::parse(listed).is_ok_and(|address| address.port != listening) {
        log::warn!(
            "peers reach {ours} at {listed}, and it listens on port {listening}: unless something \
             forwards that port, correct `listen` in node.yaml"
        );
    }
}

/// A panic anywhere ends the process: half a daemon must not go on leading (F107).
fn abort_on_panic() {
    std::panic::set_hook(Box::new(|panic| die(&panic.to_string())));
}

fn die(why: &str) {
    log::error!("{why}: this daemon aborts, since half of one must not go on");
    lines::flush(LAST_WORDS_WITHIN);
    std::process::abort();
}
