//! `quorate hook test NAME`: shows exactly what would run, then runs it once in the foreground.
//! Never runs what the daemon would refuse, and what would contradict this node's role only by
//! force.

use std::ffi::OsString;
use std::path::Path;

use crate::cli::client::{self, ANSWER_LIMIT, Trouble};
use crate::cli::command::Trial;
use crate::cli::commands::Outcome;
use crate::cli::config;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::daemon::hooks::occasion::{Occasion, Role};
use crate::daemon::hooks::sound;
use crate::keep;
use crate::keep::once::{self, End, Output, Task};
use crate::settings::duration;
use crate::settings::hooks::{HookName, Hooks};
use crate::settings::node::{self, NodeSettings};
use crate::settings::paths::Places;
use crate::wire::control::StatusReport;

/// The event an `event` hook is tried with.
const EXAMPLE_EVENT: &str = "elected";

/// Shows what would run for `name`, and runs it if `trial` says so.
///
/// # Errors
/// That there is no such hook, that it would be refused, or that it failed.
pub(super) fn test(
    name: HookName,
    trial: Trial,
    places: &Places,
    console: &mut Console<'_>,
) -> Outcome {
    let config = &places.config.path;
    let (settings, hooks) = read(config)?;
    let Some(own) = hooks.command(name) else {
        let message = format!("{} names no program for hooks.{}", config.display(), name.word());
        return Err(Failure::new(Exit::Config, message));
    };
    let known = client::status(&places.socket, ANSWER_LIMIT);
    let occasion = occasion(name, known.as_ref().ok(), &settings, &places.socket.path);
    let words = occasion.words(own, hooks.argv);
    let soundness = sound::check(Path::new(&own[0]));
    let shown = Shown { name, config, hooks: &hooks, known: &known, occasion: &occasion };
    console.print(&shown.text(&words, soundness.as_ref().err()))?;
    if let Err(why) = soundness {
        return Err(Failure::new(Exit::No, format!("it would not be run: {why}")));
    }
    match trial {
        Trial::Show => return Ok(Exit::Done),
        Trial::Run => allow(name, &known)?,
        Trial::Force => {}
    }
    run(&words, &occasion, &hooks, console)
}

fn read(config: &Path) -> Result<(NodeSettings, Hooks), Failure> {
    let text = config::read(config)?;
    let settings = node::parse(&text, &config.display().to_string())
        .map_err(|problem| Failure::new(Exit::Config, problem.to_string()))?;
    let hooks = settings.hooks.clone().unwrap_or_default();
    Ok((settings, hooks))
}

/// What the hook is told: of this node as its daemon says, or an example.
fn occasion(
    name: HookName,
    known: Option<&StatusReport>,
    settings: &NodeSettings,
    socket: &Path,
) -> Occasion {
    let role = match name {
        HookName::Master => Role::Master,
        HookName::Backup => Role::Backup,
        HookName::NoQuorum => Role::NoQuorum,
        HookName::Fence => Role::Backup,
        HookName::Event => known.map_or(Role::Master, role_of),
    };
    let event = if name == HookName::Event { EXAMPLE_EVENT } else { name.word() };
    let master = known.and_then(|report| report.master.as_ref());
    let is_master = role == Role::Master;
    Occasion {
        event: event.to_owned(),
        role,
        prev_role: None,
        node: settings.id.to_string(),
        cluster: known.map_or_else(|| "example".to_owned(), |report| report.cluster.clone()),
        cluster_id: known.map(|report| report.cluster_id.clone()).unwrap_or_default(),
        master: if is_master {
            Some(settings.id.to_string())
        } else {
            master.map(|master| master.id.clone())
        },
        master_address: master.map(|master| master.address.clone()),
        prev_master: None,
        term: known.map_or(1, |report| report.term),
        seq: 0,
        reason: None,
        lease_ms: known.and_then(|report| report.lease_left_ms),
        timestamp: keep::wall_text(),
        socket: std::path::absolute(socket).unwrap_or_else(|_| socket.to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn role_of(report: &StatusReport) -> Role {
    match report.role.as_str() {
        "master" => Role::Master,
        _ if !report.quorum.ok => Role::NoQuorum,
        _ => Role::Backup,
    }
}

/// A hook does what it does also when it is only tried: none may contradict the role.
fn allow(name: HookName, known: &Result<StatusReport, Trouble>) -> Result<(), Failure> {
    let is_master = known.as_ref().ok().map(|report| report.role == "master");
    let why = match (name, is_master) {
        (HookName::Event, _)
        | (HookName::Master, Some(true))
        | (HookName::Backup | HookName::NoQuorum, Some(false)) => return Ok(()),
        (HookName::Master, Some(false)) => "this node is not master",
        (HookName::Master, None) => "nobody knows whether this node is master",
        (HookName::Backup | HookName::NoQuorum, Some(true)) => "this node is master",
        (HookName::Fence, _) => "it would fence a node",
        (HookName::Backup | HookName::NoQuorum, None) => "nobody knows whether this node is master",
    };
    let message = format!(
        "{why}, and the hook would do for real what it does: --force runs it all the same, \
         --dry-run only shows it"
    );
    Err(Failure::new(Exit::NeedsForce, message))
}

/// What is shown before anything runs.
struct Shown<'a> {
    name: HookName,
    config: &'a Path,
    hooks: &'a Hooks,
    known: &'a Result<StatusReport, Trouble>,
    occasion: &'a Occasion,
}

impl Shown<'_> {
    fn text(&self, words: &[OsString], unsound: Option<&sound::Unsound>) -> String {
        let Self { name, config, hooks, known, occasion } = self;
        let facts = match known {
            Ok(report) => format!("of {}, as its daemon says", report.node),
            Err(trouble) => format!("an example: {trouble}"),
        };
        let file = unsound.map_or_else(|| "sound".to_owned(), |why| format!("REFUSED: {why}"));
        let argv: Vec<_> =
            words.iter().map(|word| format!("{:?}", word.to_string_lossy())).collect();
        let stdin = occasion.stdin();
        let mut text = format!(
            "hook {} of {}\n  facts    {facts}\n  file     {file}\n  argv     {}\n  \
             timeout  {}; {} more tries if it fails\n  cwd      /\n  stdin    {}  environment\n",
            name.word(),
            config.display(),
            argv.join(" "),
            duration::show(hooks.timeout),
            hooks.retries,
            String::from_utf8_lossy(&stdin),
        );
        for (name, value) in occasion.environment() {
            text += &format!("    {name}={value}\n");
        }
        text
    }
}

fn run(
    words: &[OsString],
    occasion: &Occasion,
    hooks: &Hooks,
    console: &mut Console<'_>,
) -> Outcome {
    console.tell("it runs now; what it says follows");
    let (environment, stdin) = (occasion.environment(), occasion.stdin());
    let output = Output::Shown;
    let task =
        Task { words, environment: &environment, stdin: &stdin, timeout: hooks.timeout, output };
    let (ran, _) = once::run(&task);
    let took = ran.took.as_millis();
    let (exit, how) = match ran.end {
        End::Code(0) => (Exit::Done, "succeeded, with exit code 0".to_owned()),
        End::Code(code) => (Exit::No, format!("failed, with exit code {code}")),
        End::Signal(number) => (Exit::No, format!("failed, ended by signal {number}")),
        End::TimedOut => {
            let timeout = duration::show(hooks.timeout);
            (Exit::TimedOut, format!("was killed, not over within {timeout}"))
        }
        End::NotStarted(why) => (Exit::No, format!("did not start: {why}")),
    };
    console.print(&format!("it {how}, after {took} ms\n"))?;
    if exit == Exit::Done { Ok(exit) } else { Err(Failure::new(exit, "")) }
}
