//! Makes what the guard is to run out of what node.yaml says and what this node knows.
//! Never runs it, and never makes one of a program that others could have written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::hooks::conductor::State;
use crate::daemon::hooks::occasion::{Occasion, Role};
use crate::daemon::hooks::sound;
use crate::keep::guard::orders::Charge;
use crate::protocol::status::{Duty, Status};
use crate::protocol::units::Term;
use crate::settings::hooks::{HookName, Hooks};
use crate::wire::codes;

/// Why a hook runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cue<'a> {
    /// Which one.
    pub(crate) hook: HookName,
    /// The role of that name, or the code of an event.
    pub(crate) event: &'a str,
    /// What this node is now.
    pub(crate) role: Role,
    /// The fencing token.
    pub(crate) term: Term,
    /// Counts occasions.
    pub(crate) seq: u64,
    /// Why it happened; a change of role happens for the reason that `status` names.
    pub(crate) reason: Option<&'a str>,
}

/// What hooks were told so far.
#[derive(Debug)]
pub(crate) struct Cues {
    socket: PathBuf,
    prev_role: Option<Role>,
    master: Option<String>,
    prev_master: Option<String>,
}

impl Cues {
    /// Hooks reach the daemon there; the last one before this daemon was for `prev_role`.
    pub(crate) fn new(socket: &Path, prev_role: Option<Role>) -> Self {
        Self { socket: socket.to_owned(), prev_role, master: None, prev_master: None }
    }

    /// Notes whom this node believes to be master.
    pub(crate) fn look(&mut self, status: &Status) {
        let master = status.master.as_ref().map(|master| master.id.to_string());
        if master != self.master {
            let before = std::mem::replace(&mut self.master, master);
            self.prev_master = before.or(self.prev_master.take());
        }
    }

    /// Who was master before, whatever was seen.
    pub(crate) fn is_after(&mut self, prev_master: Option<String>) {
        self.prev_master = prev_master;
    }

    /// A hook made this node that.
    pub(crate) fn is_now(&mut self, role: Option<Role>) {
        self.prev_role = role.or(self.prev_role);
    }

    /// The run `id` of the hook that `cue` is for; nothing if there is none.
    ///
    /// # Errors
    /// Why that program may not be started.
    pub(crate) fn charge(
        &self,
        id: u64,
        cue: Cue<'_>,
        hooks: &Hooks,
        status: &Status,
    ) -> Result<Option<Charge>, String> {
        let Some(own) = hooks.command(cue.hook) else { return Ok(None) };
        sound::check(Path::new(&own[0])).map_err(|unsound| unsound.to_string())?;
        let occasion = self.occasion(cue, status);
        let words = occasion.words(own, hooks.argv);
        Ok(Some(Charge {
            id,
            cmd: words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            environment: occasion.environment(),
            stdin: String::from_utf8_lossy(&occasion.stdin()).into_owned(),
            timeout_ms: milliseconds(hooks.timeout),
        }))
    }

    fn occasion(&self, cue: Cue<'_>, status: &Status) -> Occasion {
        let is_master = cue.role == Role::Master;
        let is_event = cue.hook == HookName::Event;
        let reason = status.reason.as_ref().filter(|_| !is_event).map(codes::of_change);
        let known = status.master.as_ref();
        Occasion {
            event: cue.event.to_owned(),
            role: cue.role,
            prev_role: self.prev_role,
            node: status.node.to_string(),
            cluster: status.cluster_name.to_string(),
            cluster_id: status.cluster.to_string(),
            master: known.map(|master| master.id.to_string()),
            master_address: known.map(|master| master.address.to_string()),
            prev_master: self.prev_master.clone(),
            term: cue.term.0,
            seq: cue.seq,
            reason: cue.reason.or(reason).map(str::to_owned),
            lease_ms: status.lease_left.filter(|_| is_master).map(milliseconds),
            timestamp: clock::wall_text(),
            socket: self.socket.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// What this node is, for the `event` hook.
pub(crate) fn role_of(status: &Status) -> Role {
    if status.duty == Duty::Master {
        Role::Master
    } else if status.quorum_have >= status.quorum_need {
        Role::Backup
    } else {
        Role::NoQuorum
    }
}

/// The hook for a state, its name and role.
pub(crate) fn hook_of(state: State) -> (HookName, Role) {
    match state {
        State::Master(_) => (HookName::Master, Role::Master),
        State::Backup => (HookName::Backup, Role::Backup),
        State::NoQuorum => (HookName::NoQuorum, Role::NoQuorum),
    }
}

pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
