//! Reads and writes `hooks` of node.yaml: the programs that are told of a new role, how often
//! they are tried, and what their failure means. Never runs one.

use std::time::Duration;

use super::command::{self, command};
use super::duration;
use super::field::Field;
use super::keys;
use super::problem::Problem;

/// How long one run of a hook may take that says nothing else.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// How often a failed hook is tried again that says nothing else.
pub const RETRIES_DEFAULT: u32 = 2;

const TIMEOUT_LEAST: Duration = Duration::from_secs(1);
const TIMEOUT_MOST: Duration = Duration::from_secs(600);
const RETRIES_MOST: u64 = 10;

/// The programs that are told of a new role; each is a whole path and arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hooks {
    /// Run when this node became master.
    pub master: Option<Vec<String>>,
    /// Run when it stopped being master, and once at start.
    pub backup: Option<Vec<String>>,
    /// Run when it is not master and hears no majority.
    pub no_quorum: Option<Vec<String>>,
    /// Run for every event.
    pub event: Option<Vec<String>>,
    /// Run before this node acts as master, for a former master that was lost.
    pub fence: Option<Vec<String>>,
    /// How long one run of one of them may take: 1 s to 10 min.
    pub timeout: Duration,
    /// How often a failed one is tried again: 0 to 10 times.
    pub retries: u32,
    /// What happens when `master` failed for good.
    pub on_fail: OnFail,
    /// What is put after a command's own words.
    pub argv: ArgvStyle,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            master: None,
            backup: None,
            no_quorum: None,
            event: None,
            fence: None,
            timeout: TIMEOUT_DEFAULT,
            retries: RETRIES_DEFAULT,
            on_fail: OnFail::StepDown,
            argv: ArgvStyle::Quorate,
        }
    }
}

/// What a node does when its `master` hook failed for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFail {
    /// Tries for ever.
    Retry,
    /// Gives mastership to another node.
    StepDown,
    /// Stays master as if it had succeeded.
    Ignore,
}

impl OnFail {
    /// The word of node.yaml.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::StepDown => "step-down",
            Self::Ignore => "ignore",
        }
    }
}

/// What is put after a command's own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgvStyle {
    /// `EVENT ROLE CLUSTER`.
    Quorate,
    /// `INSTANCE CLUSTER MASTER|BACKUP|FAULT PRIORITY`, as keepalived's notify scripts expect.
    Keepalived,
}

impl ArgvStyle {
    /// The word of node.yaml.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Quorate => "quorate",
            Self::Keepalived => "keepalived",
        }
    }
}

/// A hook by its place in node.yaml.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HookName {
    /// `hooks.master`.
    Master,
    /// `hooks.backup`.
    Backup,
    /// `hooks.no_quorum`.
    NoQuorum,
    /// `hooks.event`.
    Event,
    /// `hooks.fence`.
    Fence,
}

impl HookName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Master, Self::Backup, Self::NoQuorum, Self::Event, Self::Fence];

    /// The key of node.yaml.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Backup => "backup",
            Self::NoQuorum => "no_quorum",
            Self::Event => "event",
            Self::Fence => "fence",
        }
    }

    /// The one `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }
}

impl Hooks {
    /// The command of one hook, if it has one.
    #[must_use]
    pub fn command(&self, name: HookName) -> Option<&[String]> {
        match name {
            HookName::Master => self.master.as_deref(),
            HookName::Backup => self.backup.as_deref(),
            HookName::NoQuorum => self.no_quorum.as_deref(),
            HookName::Event => self.event.as_deref(),
            HookName::Fence => self.fence.as_deref(),
        }
    }
}

/// Reads `hooks`.
pub(super) fn read(field: &Field<'_>) -> Result<Hooks, Problem> {
    let table = field.table(&keys::HOOKS)?;
    let commands = HookName::ALL.map(|name| table.find(name.word()));
    let [master, backup, no_quorum, event, fence] =
        commands.map(|field| field.as_ref().map(command));
    let mut hooks = Hooks {
        master: master.transpose()?,
        backup: backup.transpose()?,
        no_quorum: no_quorum.transpose()?,
        event: event.transpose()?,
        fence: fence.transpose()?,
        ..Hooks::default()
    };
    if let Some(timeout) = table.find("timeout") {
        hooks.timeout = timeout.duration_within(TIMEOUT_LEAST, TIMEOUT_MOST)?;
    }
    if let Some(retries) = table.find("retries") {
        hooks.retries = u32::try_from(retries.whole(0, RETRIES_MOST)?)
            .expect("no more than RETRIES_MOST was accepted");
    }
    if let Some(word) = table.find("on_fail") {
        hooks.on_fail = match word.word(&["retry", "step-down", "ignore"])? {
            "retry" => OnFail::Retry,
            "ignore" => OnFail::Ignore,
            _ => OnFail::StepDown,
        };
    }
    if let Some(style) = table.find("argv") {
        hooks.argv = match style.word(&["quorate", "keepalived"])? {
            "keepalived" => ArgvStyle::Keepalived,
            _ => ArgvStyle::Quorate,
        };
    }
    Ok(hooks)
}

/// `hooks` as node.yaml has it; [`read`] reads it back.
pub(super) fn render(hooks: &Hooks) -> String {
    let mut text = String::from("hooks:\n");
    for name in HookName::ALL {
        if let Some(words) = hooks.command(name) {
            text += &format!("  {}: {}\n", name.word(), command::render(words));
        }
    }
    let Hooks { timeout, retries, on_fail, argv, .. } = hooks;
    text += &format!(
        "  timeout: {}\n  retries: {retries}\n  on_fail: {}\n  argv: {}",
        duration::show(*timeout),
        on_fail.word(),
        argv.word()
    );
    text
}

/// What is allowed and unwise.
pub(super) fn warnings(hooks: &Hooks) -> Vec<String> {
    let mut warnings = Vec::new();
    if HookName::ALL.iter().all(|name| hooks.command(*name).is_none()) {
        warnings.push("`hooks` names no program: nothing is run".to_owned());
    }
    if hooks.master.is_some() && hooks.backup.is_none() {
        warnings.push(
            "`hooks` has `master` and no `backup`: nothing undoes what `master` did when \
             mastership ends; fine if it only tells somebody"
                .to_owned(),
        );
    }
    warnings
}
