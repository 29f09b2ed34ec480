//! Decides what a command line means: words in, one [`Call`] out, by the table in `help`.
//! Never does anything it reads: no file, no socket, no environment.

mod changes;
mod joining;
mod mend;
mod operands;
mod printing;
mod programs;

use core::fmt;
use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

pub use crate::cli::command::{
    ApplyOptions, Call, Change, ChangeFlags, Command, DemoOptions, Ending, Format, Goal, InitFlags,
    InviteOptions, JoinFlags, MasterField, NewNode, Patience, Preset, ROLES, Rescue, RunOptions,
    Scope, ServiceOptions, Show, Stay, TimingSource, Traces, Trial, Wanted, Watch,
};
use crate::cli::fence::token;
use crate::cli::help::{self, Group, Operand, Shelf, Topic};
use crate::protocol::map::Map;
use crate::protocol::units::NodeId;
use crate::settings::duration;
use crate::settings::paths::Flags;
use crate::settings::suggest::nearest;

/// How much of the history is shown if nobody says.
const HISTORY_ROWS: usize = 20;

/// Why a command line makes no sense, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageError {
    /// The command in question, if it got that far.
    topic: Option<&'static str>,
    /// What is wrong.
    wrong: String,
    /// What was probably meant.
    meant: Option<String>,
}

impl UsageError {
    /// Whether nothing at all was typed: then the overview is the best answer.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.topic.is_none() && self.wrong == NO_COMMAND
    }
}

/// The longest path the system takes for a socket.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// What is wrong with an empty command line.
const NO_COMMAND: &str = "a command is missing";

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrong)?;
        if let Some(meant) = &self.meant {
            write!(f, "; did you mean {meant}?")?;
        }
        match self.topic {
            Some(topic) => write!(f, "\nSee: quorate {topic} --help"),
            None => f.write_str("\nSee: quorate --help"),
        }
    }
}

impl core::error::Error for UsageError {}

/// What was typed, sorted into names but not yet understood.
struct Typed {
    topic: Option<&'static Topic>,
    /// The first word of a two-word command whose second word has not come.
    group: Option<&'static Group>,
    flags: Map<&'static str, OsString>,
    operands: Vec<OsString>,
}

/// Understands the words after the program's name.
///
/// # Errors
/// The first word that makes no sense, with the nearest one that would.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Call, UsageError> {
    let mut typed = sort(words)?;
    let places = Flags {
        config: typed.place("config")?,
        state_dir: typed.place("state-dir")?,
        socket: typed.socket()?,
    };
    Ok(Call { command: understand(typed)?, places })
}

/// Sorts words into the command, its flags and the rest, by the table.
fn sort(words: impl IntoIterator<Item = OsString>) -> Result<Typed, UsageError> {
    let mut typed = Typed { topic: None, group: None, flags: Map::default(), operands: Vec::new() };
    let mut parser = lexopt::Parser::from_args(words);
    loop {
        if typed.leaves_the_rest() {
            let rest = parser.raw_args().map_err(|error| typed.wrong(error.to_string()))?;
            typed.operands.extend(rest);
            return Ok(typed);
        }
        match parser.next().map_err(|error| typed.wrong(error.to_string()))? {
            None => break,
            Some(lexopt::Arg::Short(short)) => {
                let long = typed.long_of(short)?;
                typed.take_flag(long, &mut parser)?;
            }
            Some(lexopt::Arg::Long(long)) => {
                let long = long.to_owned();
                typed.take_flag(&long, &mut parser)?;
            }
            Some(lexopt::Arg::Value(word)) if typed.topic.is_none() => {
                typed.take_command(&word.to_string_lossy())?;
            }
            Some(lexopt::Arg::Value(word)) => typed.take_operand(word)?,
        }
    }
    match typed.group {
        Some(group) if !typed.has("help") => {
            let seconds: Vec<_> = group.commands().map(|(_, second, _)| second).collect();
            let wrong = format!("{} needs one more word: {}", group.name, seconds.join(" or "));
            Err(typed.wrong(wrong))
        }
        Some(_) | None => Ok(typed),
    }
}

impl Typed {
    fn wrong(&self, wrong: String) -> UsageError {
        UsageError { topic: self.topic.map(|topic| topic.name), wrong, meant: None }
    }

    /// Whether all that follows is for another program: after the first word of a CMD, or at once.
    fn leaves_the_rest(&self) -> bool {
        self.topic.is_some_and(|topic| match topic.operand {
            Operand::Rest(_) => topic.shelf == Shelf::Internal || !self.operands.is_empty(),
            Operand::None
            | Operand::One(_)
            | Operand::Optional(_)
            | Operand::OneOrTwo(..)
            | Operand::OneThenMany(..)
            | Operand::Many(_) => false,
        })
    }

    fn flags_here(&self) -> impl Iterator<Item = &'static help::Flag> {
        self.topic.map_or(&[][..], |topic| topic.flags).iter().chain(help::GLOBAL_FLAGS)
    }

    fn long_of(&self, short: char) -> Result<&'static str, UsageError> {
        let flag = self.flags_here().find(|flag| flag.short == Some(short));
        flag.map(|flag| flag.long).ok_or_else(|| self.wrong(format!("unknown flag -{short}")))
    }

    fn take_flag(&mut self, long: &str, parser: &mut lexopt::Parser) -> Result<(), UsageError> {
        let Some(flag) = self.flags_here().find(|flag| flag.long == long) else {
            let meant = nearest(long, self.flags_here().map(|flag| flag.long));
            let meant = meant.map(|meant| format!("--{meant}"));
            return Err(UsageError { meant, ..self.wrong(format!("unknown flag --{long}")) });
        };
        let value = match flag.value {
            Some(_) => parser.value().map_err(|error| self.wrong(error.to_string()))?,
            None => OsString::new(),
        };
        match self.flags.insert(flag.long, value) {
            None => Ok(()),
            Some(_) => Err(self.wrong(format!("--{long} is given twice"))),
        }
    }

    /// Takes a word of the command's name: its only one, or one of two.
    fn take_command(&mut self, word: &str) -> Result<(), UsageError> {
        let first = self.group.take();
        let name = first.map_or(word.to_owned(), |group| format!("{} {word}", group.name));
        self.topic = help::find(&name);
        if self.topic.is_some() {
            return Ok(());
        }
        self.group = help::find_group(&name);
        if self.group.is_some() {
            return Ok(());
        }
        let meant = nearest(&name, help::shown_names()).map(str::to_owned);
        Err(UsageError { meant, ..self.wrong(format!("unknown command {name}")) })
    }

    fn take_operand(&mut self, word: OsString) -> Result<(), UsageError> {
        let room = match self.topic.map_or(Operand::None, |topic| topic.operand) {
            Operand::None => 0,
            Operand::One(_) | Operand::Optional(_) => 1,
            Operand::OneOrTwo(..) => 2,
            Operand::OneThenMany(..) | Operand::Many(_) | Operand::Rest(_) => usize::MAX,
        };
        if self.operands.len() == room {
            return Err(self.wrong(format!("unexpected word {}", word.to_string_lossy())));
        }
        self.operands.push(word);
        Ok(())
    }

    fn has(&self, long: &str) -> bool {
        self.flags.contains_key(long)
    }

    fn text(&mut self, long: &str) -> Result<Option<String>, UsageError> {
        let Some(value) = self.flags.remove(long) else { return Ok(None) };
        let text = value.into_string();
        text.map(Some).map_err(|_| self.wrong(format!("--{long} is not valid UTF-8")))
    }

    /// A file or directory: an empty name names nothing.
    fn place(&mut self, long: &str) -> Result<Option<PathBuf>, UsageError> {
        let Some(value) = self.flags.remove(long) else { return Ok(None) };
        if value.is_empty() {
            return Err(self.wrong(format!("--{long} is empty: name a path")));
        }
        Ok(Some(PathBuf::from(value)))
    }

    fn socket(&mut self) -> Result<Option<PathBuf>, UsageError> {
        let place = self.place("socket")?;
        let bytes = place.as_ref().map_or(0, |path| path.as_os_str().len());
        if bytes > SOCKET_PATH_BYTES_MAX {
            return Err(self.wrong(format!(
                "--socket is {bytes} bytes long, and a socket's path has at most \
                 {SOCKET_PATH_BYTES_MAX}: name a shorter one"
            )));
        }
        Ok(place)
    }

    fn time(&mut self, long: &str, default: Duration) -> Result<Duration, UsageError> {
        let Some(text) = self.text(long)? else { return Ok(default) };
        duration::parse(&text).map_err(|error| self.wrong(format!("--{long} {text}: {error}")))
    }

    fn format(&self) -> Format {
        if self.has("json") { Format::Json } else { Format::Text }
    }
}

/// Turns sorted words into a command.
fn understand(mut typed: Typed) -> Result<Command, UsageError> {
    if typed.has("help") {
        let group = typed.group.map(|group| group.name);
        return Ok(Command::Help(typed.topic.map(|topic| topic.name).or(group)));
    }
    if typed.has("version") {
        return Ok(Command::Version);
    }
    let Some(topic) = typed.topic else {
        return Err(typed.wrong(NO_COMMAND.to_owned()));
    };
    Ok(match topic.name {
        "help" => Command::Help(explained(&typed)?),
        "version" => Command::Version,
        "completions" | "man" | "service" => printing::printing(topic.name, &mut typed)?,
        "complete" => Command::Complete(typed.operands),
        "demo" => Command::Demo(programs::demo(&mut typed)?),
        "demo-node" => Command::DemoNode(typed.operands),
        "run" => Command::Run(programs::run(&mut typed)?),
        "run-keeper" => Command::RunKeeper(typed.operands),
        "guard" => Command::Guard(typed.operands),
        "run-launch" => Command::RunLaunch(typed.operands),
        "init" => Command::Init(mend::init(&mut typed)?),
        "invite" => joining::invite(&mut typed)?,
        "join" => Command::Join(joining::join(&mut typed)?),
        "approve" => Command::Approve(joining::fingerprint(&mut typed)?),
        "serve" => Command::Serve,
        "confirm-moved" | "backup" | "restore" | "recover" => {
            Command::Rescue(mend::rescue(topic.name, &mut typed)?)
        }
        "status" if typed.has("watch") => Command::Status(Watch::Repeatedly, typed.format()),
        "status" => Command::Status(Watch::Once, typed.format()),
        "is-master" => Command::IsMaster,
        "has-quorum" => Command::HasQuorum,
        "master" if typed.has("address") => Command::Master(MasterField::Address),
        "master" => Command::Master(MasterField::Name),
        "wait" => operands::wait(&mut typed)?,
        "step-down" => operands::step_down(&mut typed)?,
        "transfer" => Command::Transfer(node(&mut typed)?, typed.format()),
        "set-position" => Command::SetPosition(operands::position(&mut typed)?),
        "hook test" => operands::hook_test(&mut typed)?,
        "events" => Command::Events(stay(&typed)?, typed.format()),
        "history" => history(&mut typed)?,
        "show" => {
            Command::Show { revision: operands::revision(&mut typed)?, format: typed.format() }
        }
        "apply" => Command::Apply(operands::apply(&mut typed)?),
        "edit" => Command::Edit {
            patience: typed.time("wait", operands::DECIDED_WITHIN)?,
            rebase: typed.has("rebase"),
        },
        "explain" => operands::explain(&mut typed)?,
        "node list" => Command::Nodes(typed.format()),
        "node add" => changes::add(&mut typed)?,
        "node remove" => changes::about_node(&mut typed, Change::Remove)?,
        "node promote" => changes::about_node(&mut typed, Change::Promote)?,
        "node demote" => changes::about_node(&mut typed, Change::Demote)?,
        "node set" => changes::set(&mut typed)?,
        "standby" => changes::standby(&mut typed)?,
        "online" => changes::about_node(&mut typed, Change::Online)?,
        "maintenance" => changes::maintenance(&mut typed)?,
        "key show" => Command::Key(typed.format()),
        "key rotate" => operands::rotate(&mut typed)?,
        "fence-check" => fence_check(&mut typed)?,
        "doctor" => Command::Doctor(typed.format()),
        "config timing" => Command::ConfigTiming(operands::timing(&mut typed), typed.format()),
        "config check" => Command::ConfigCheck(typed.operands.pop().map(PathBuf::from)),
        "config origin" => Command::ConfigOrigin(typed.format()),
        unknown => unreachable!("the table has a command {unknown} that nothing understands"),
    })
}

fn history(typed: &mut Typed) -> Result<Command, UsageError> {
    let count = match typed.text("newest")? {
        None => HISTORY_ROWS,
        Some(text) => match text.parse() {
            Ok(count) if count > 0 => count,
            Ok(_) | Err(_) => {
                return Err(typed.wrong(format!("--newest {text}: must be a number above 0")));
            }
        },
    };
    let scope = match ["all", "documents", "patch"].map(|flag| typed.has(flag)) {
        [false, false, false] => Scope::Reigns,
        [true, false, false] => Scope::Events,
        [false, true, false] => Scope::Documents,
        [false, true, true] => Scope::Patches,
        [_, false, true] => {
            return Err(typed.wrong("--patch needs --documents: it shows their changes".to_owned()));
        }
        [true, true, _] => {
            let both = "--all prints events, --documents prints documents: give one of them";
            return Err(typed.wrong(both.to_owned()));
        }
    };
    Ok(Command::History { count, scope, format: typed.format() })
}

/// What `quorate help …` is asked to explain.
fn explained(typed: &Typed) -> Result<Option<&'static str>, UsageError> {
    let words: Vec<_> = typed.operands.iter().map(|word| word.to_string_lossy()).collect();
    if words.is_empty() {
        return Ok(None);
    }
    let name = words.join(" ");
    let Some(known) = help::shown_names().find(|known| *known == name) else {
        let meant = nearest(&name, help::shown_names()).map(|name| format!("quorate help {name}"));
        return Err(UsageError { meant, ..typed.wrong(format!("unknown command {name}")) });
    };
    Ok(Some(known))
}

fn stay(typed: &Typed) -> Result<Stay, UsageError> {
    match (typed.has("follow"), typed.has("new")) {
        (true, true) => Ok(Stay::News),
        (true, false) => Ok(Stay::Follow),
        (false, false) => Ok(Stay::Leave),
        (false, true) => Err(typed.wrong("--new needs --follow: it waits for events".to_owned())),
    }
}

fn fence_check(typed: &mut Typed) -> Result<Command, UsageError> {
    let term = match typed.operands.get(1).map(|word| word.to_string_lossy()) {
        None => None,
        Some(word) => Some(token(&word).ok_or_else(|| {
            let word = word.escape_debug();
            typed.wrong(format!("`{word}` is no term: a number from 1 on, without anything else"))
        })?),
    };
    let patience = typed.time("timeout", Duration::from_secs(30))?;
    match typed.operands.first() {
        Some(file) if !file.is_empty() => {
            Ok(Command::FenceCheck { file: file.into(), term, patience })
        }
        Some(_) => Err(typed.wrong("FILE is empty: name the file to keep the term in".to_owned())),
        None => Err(typed.wrong("FILE is missing: where the highest term is kept".to_owned())),
    }
}

fn node(typed: &mut Typed) -> Result<Option<NodeId>, UsageError> {
    let Some(word) = typed.operands.pop() else { return Ok(None) };
    let word = word.to_string_lossy();
    match NodeId::new(&word) {
        Some(node) => Ok(Some(node)),
        None => Err(typed
            .wrong(format!("{word} is no node's name: 1 to 64 characters of A-Z a-z 0-9 . _ -"))),
    }
}
