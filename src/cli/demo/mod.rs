//! `quorate demo`: a real cluster on loopback, for people to see and break.
//! Never touches anything outside its temporary directory.
//!
//! ```text
//! processes: N x this program      cluster: directory, files, verbs (start, kill, cut, ...)
//! relay: the network between       watcher: what each node says, as observations
//! board: what is known             story: --once           live, view: the screen and its keys
//! ```

use std::ffi::OsString;

use crate::cli::args::{DemoOptions, Show};
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::signals;

mod board;
mod cluster;
mod live;
mod processes;
mod relay;
mod story;
mod view;
mod watcher;

use cluster::Cluster;

/// Shows a cluster.
///
/// # Errors
/// What went wrong, with the ends of the nodes' logs.
pub(super) fn run(options: DemoOptions, console: &mut Console<'_>) -> Outcome {
    let notices = signals::catch()?;
    let mut cluster = Cluster::build(&options)?;
    let is_live = options.show == Show::Live && console.style.size.is_some();
    let outcome = if is_live {
        live::show(&mut cluster, &notices, console.style)
    } else {
        story::tell(&mut cluster, &notices, console)
    };
    if outcome.as_ref().is_err_and(|failure| failure.exit == Exit::No) {
        console.tell(&cluster.last_words());
    }
    cluster.stop();
    if let Some(kept) = cluster.kept() {
        console.tell(&format!("state and logs are kept in {}", kept.display()));
    }
    outcome
}

/// Becomes one node of a demo; returns only when that fails.
///
/// # Errors
/// Why not.
pub(super) fn become_node(arguments: &[OsString]) -> Outcome {
    let error = processes::become_node(arguments);
    Err(Failure::new(Exit::No, format!("cannot become a node of the demo: {error}")))
}
