//! Asks: what a command line means, what the daemon is asked, how its answer reads, and the demo.
//! Never decides who is master and never touches a node's files; the daemon does.
//!
//! ```text
//! words --args (by the table in help)--> Call --commands, watch--> client --socket--> daemon
//!                                         |                          |
//!                                         demo: real nodes           render, style --> console
//! ```

use std::io;
use std::os::fd::AsFd;

mod apply;
pub mod budget;
pub mod args;
mod change;
pub mod client;
pub mod command;
pub mod complete;
pub mod commands;
mod config;
pub mod console;
mod demo;
pub mod doctor;
pub mod exit;
pub mod difference;
pub mod merge;
mod documents;
mod editor;
mod explain;
mod hook;
pub mod fence;
pub mod help;
mod invite;
mod key;
pub mod man;
pub mod history;
mod nodes;
pub mod plan;
mod rebase;
pub mod reigns;
pub mod topics;
pub mod render;
mod run;
pub mod service;
mod signals;
mod steps;
mod stopwatch;
pub mod style;
pub mod columns;
mod peers;
mod terminal;
mod threads;
mod token_file;
pub mod trust;
mod waiting;
mod watch;
mod who;

use args::{Command, Scope, UsageError, Watch};
use commands::Outcome;
use console::{Console, Failure};
use exit::Exit;

use crate::keep::{guard, keeper, launch};
use crate::settings::paths::Places;
use crate::wire::environment;

/// Runs one command on the real terminal and says what code the process exits with.
/// `Serve`, `Init`, `Join` and `Rescue` are the daemon's and none of ours.
#[must_use]
pub fn run(command: &Command, places: &Places) -> u8 {
    if let Command::RunKeeper(cmd) = command {
        return keeper::run(cmd);
    }
    if let Command::Guard(words) = command {
        return guard::run(words);
    }
    if let Command::RunLaunch(words) = command {
        return launch::run(words);
    }
    if let Command::Run(options) = command {
        return run::run(options, &places.socket);
    }
    let outlet = io::stdout();
    let mut console = Console {
        out: &mut io::stdout(),
        err: &mut io::stderr(),
        style: console::style_of_stdout(),
        outlet: Some(outlet.as_fd()),
    };
    let outcome = perform(command, places, &mut console);
    conclude(outcome, &mut console)
}

/// Tells what is wrong with a command line and says the exit code.
#[must_use]
pub fn refuse(error: &UsageError) -> u8 {
    let mut console = Console {
        out: &mut io::stdout(),
        err: &mut io::stderr(),
        style: style::Style::PLAIN,
        outlet: None,
    };
    if error.is_silence() {
        console.tell(help::overview().trim_end());
        return Exit::Usage.code();
    }
    conclude(Err(Failure::new(Exit::Usage, error.to_string())), &mut console)
}

/// Tells a failure, and gives the exit code either way.
fn conclude(outcome: Outcome, console: &mut Console<'_>) -> u8 {
    match outcome {
        Ok(exit) => exit.code(),
        Err(failure) => {
            if !failure.message.is_empty() {
                console.tell(&format!("quorate: {}", failure.message));
            }
            failure.exit.code()
        }
    }
}

/// Runs one command.
///
/// # Errors
/// Whatever kept it from succeeding, with its exit code and words.
pub fn perform(command: &Command, places: &Places, console: &mut Console<'_>) -> Outcome {
    let door = &places.socket;
    match command {
        Command::Help(None) => print(&help::overview(), console),
        Command::Help(Some(name)) => {
            print(&help::explain(name).expect("args names what help knows"), console)
        }
        Command::Version => print(&format!("quorate {}\n", env!("CARGO_PKG_VERSION")), console),
        Command::Completions(script) => print(script, console),
        Command::Man(section) => print(&man::page(section), console),
        Command::Service(options) => service::service(options, console),
        Command::Complete(words) => print(&complete::complete(words, places), console),
        Command::Demo(options) => demo::run(*options, console),
        Command::DemoNode(arguments) => demo::become_node(arguments),
        Command::Status(Watch::Once, format) => commands::status(door, *format, console),
        Command::Status(Watch::Repeatedly, format) => watch::watch(door, *format, console),
        Command::IsMaster => commands::is_master(door),
        Command::HasQuorum => commands::has_quorum(door),
        Command::Master(field) => commands::master(door, *field, console),
        Command::Wait(goal, timeout) => waiting::wait(door, goal, *timeout),
        Command::StepDown(hold_off, format) => {
            commands::step_down(door, *hold_off, *format, console)
        }
        Command::Transfer(to, format) => commands::transfer(door, to.as_ref(), *format, console),
        Command::SetPosition(position) => commands::set_position(door, *position),
        Command::HookTest(name, trial) => hook::test(*name, *trial, places, console),
        Command::Events(stay, format) => commands::events(door, *stay, *format, console),
        Command::History { count, scope: scope @ (Scope::Documents | Scope::Patches), format } => {
            documents::history(places, *count, *scope, *format, console)
        }
        Command::History { count, scope, format } => {
            history::history(places, *count, *scope, *format, console)
        }
        Command::Show { revision, format } => commands::show(door, *revision, *format, console),
        Command::Apply(options) => apply::apply(door, options, console),
        Command::Nodes(format) => nodes::list(door, *format, console),
        Command::Change(change, flags) => change::change(door, change, *flags, console),
        Command::Edit { patience, rebase } => editor::edit(door, *patience, *rebase, console),
        Command::ConfigCheck(Some(file)) => config::check_file(file, console),
        Command::ConfigCheck(None) => config::check_own(places, console),
        Command::ConfigTiming(source, format) => config::timing(source, *format, console),
        Command::Key(format) => key::show(door, *format, console),
        Command::RotateKey(patience, format) => key::rotate(door, *patience, *format, console),
        Command::Doctor(format) => doctor::doctor(places, *format, console),
        Command::ConfigOrigin(format) => config::origin(places, *format, console),
        Command::ExplainWho(format) => who::explain(door, *format, console),
        Command::Explain(code, format) => explain::explain(*code, *format, console),
        Command::FenceCheck { file, term, patience } => {
            fence::check(file, *term, std::env::var_os(environment::TERM), *patience)
        }
        Command::Invite(options) => invite::invite(door, options, console),
        Command::InviteList(format) => invite::list(door, *format, console),
        Command::InviteRevoke(id) => invite::revoke(door, *id, console),
        Command::Approve(pin) => invite::approve(door, *pin, console),
        Command::Serve | Command::Init(_) | Command::Join(_) | Command::Rescue(_) => {
            unreachable!("main gives what touches a node's files to the daemon")
        }
        Command::Run(_) | Command::RunKeeper(_) | Command::Guard(_) | Command::RunLaunch(_) => {
            unreachable!("these have exit codes of their own")
        }
    }
}

fn print(text: &str, console: &mut Console<'_>) -> Outcome {
    console.print(text).map(|()| Exit::Done)
}
