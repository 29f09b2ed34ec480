//! Owns what a command line can mean: one [`Call`], with the choices of each command as types.
//! Never reads a word; `args` does.

use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::service::Kit;
use crate::protocol::membership::MemberRole;
use crate::protocol::units::{NodeId, Pin, Term};
use crate::settings::hooks::HookName;
use crate::settings::paths::Flags;
use crate::settings::pen::Ink;
use crate::wire::hold::While;
use crate::wire::token::{InviteId, TokenFrom};

/// A whole command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What to do.
    pub command: Command,
    /// Where things lie, as far as the command line says so.
    pub places: Flags,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Print help: the overview, or the page of one command or group of commands.
    Help(Option<&'static str>),
    /// Print the version.
    Version,
    /// Print this, which makes a shell complete words.
    Completions(&'static str),
    /// Print that section of the manual.
    Man(&'static str),
    /// Print or write the files by which a service manager runs the daemon.
    Service(ServiceOptions),
    /// Print what the last of these words may become.
    Complete(Vec<OsString>),
    /// Show a cluster on loopback.
    Demo(DemoOptions),
    /// Become one node of a demo: these are its arguments.
    DemoNode(Vec<OsString>),
    /// Make an identity.
    Init(InitFlags),
    /// Make an invitation.
    Invite(InviteOptions),
    /// Show the open invitations.
    InviteList(Format),
    /// Withdraw an invitation.
    InviteRevoke(InviteId),
    /// Let a newcomer with that key become what it was invited as.
    Approve(Pin),
    /// Join a cluster that runs.
    Join(JoinFlags),
    /// Run the daemon.
    Serve,
    /// Mend what happened to a disk or to a majority.
    Rescue(Rescue),
    /// Run a program while this node is master.
    Run(RunOptions),
    /// Become the keeper of such a program.
    RunKeeper(Vec<OsString>),
    /// Become the guard of a daemon's hooks.
    Guard(Vec<OsString>),
    /// Become such a program.
    RunLaunch(Vec<OsString>),
    /// Show everything about this node.
    Status(Watch, Format),
    /// Is this node the master?
    IsMaster,
    /// Does this node hear a quorum?
    HasQuorum,
    /// Print the master.
    Master(MasterField),
    /// Wait until something is so.
    Wait(Goal, Duration),
    /// Give mastership up and do not stand for so long.
    StepDown(Duration, Format),
    /// Hand mastership over, to this node if one is named.
    Transfer(Option<NodeId>, Format),
    /// Say how fresh this node's data is.
    SetPosition(u64),
    /// Show what a hook would be run as, and run it.
    HookTest(HookName, Trial),
    /// Print events.
    Events(Stay, Format),
    /// Print what was kept through restarts.
    History {
        /// How many of the newest at most.
        count: usize,
        /// Masterships or events.
        scope: Scope,
        /// For people or for programs.
        format: Format,
    },
    /// Print the committed document, or one that was.
    Show {
        /// Its content revision; the newest if it is not said.
        revision: Option<u64>,
        /// For people or for programs.
        format: Format,
    },
    /// Make a file the document.
    Apply(ApplyOptions),
    /// Edit the document.
    Edit {
        /// How long to try while nobody can decide.
        patience: Duration,
        /// Whether it goes on top of what others changed meanwhile, without being asked.
        rebase: bool,
    },
    /// List the nodes of the document.
    Nodes(Format),
    /// Change one thing in the document.
    Change(Change, ChangeFlags),
    /// Say what a code means, or list all.
    Explain(Option<&'static str>, Format),
    /// `explain who`.
    ExplainWho(Format),
    /// Keep the highest term in a file; stale ones do not pass.
    FenceCheck {
        /// The file.
        file: PathBuf,
        /// The term, unless the environment has it.
        term: Option<Term>,
        /// How long others may hold its lock.
        patience: Duration,
    },
    /// Show this node's key.
    Key(Format),
    /// Give this node a new key, and wait for so long.
    RotateKey(Duration, Format),
    /// Find out what needs attention.
    Doctor(Format),
    /// Show what a timing means.
    ConfigTiming(TimingSource, Format),
    /// Check a file, or this node's own.
    ConfigCheck(Option<PathBuf>),
    /// Say which files are used.
    ConfigOrigin(Format),
}

/// `quorate service`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceOptions {
    /// Whose files.
    pub kit: &'static Kit,
    /// Below which directory they are written; none if they are printed.
    pub root: Option<PathBuf>,
    /// Where the program is, if not where they say.
    pub binary: Option<String>,
}

/// `quorate init`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InitFlags {
    /// `--name`.
    pub name: Option<String>,
    /// `--advertise`.
    pub advertise: Option<String>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--from`.
    pub from: Option<PathBuf>,
    /// `--renew`.
    pub renew: bool,
}

/// What is done offline about lost disks and lost majorities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rescue {
    /// The state was moved here as a whole.
    ConfirmMoved,
    /// Write what the cluster agreed on into a file.
    Backup(PathBuf),
    /// Make this node's state from such a file, as another disk.
    Restore(PathBuf),
    /// Begin a new generation of the cluster from what is left.
    Recover {
        /// The cluster's name, if it is not asked for.
        name: Option<String>,
        /// State files and backups of the others.
        files: Vec<PathBuf>,
    },
}

/// `quorate invite`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InviteOptions {
    /// How long it is good for.
    pub ttl: Duration,
    /// What the node becomes.
    pub role: MemberRole,
    /// What it has to be called.
    pub name: Option<NodeId>,
    /// Whether its key is approved by a person first.
    pub manual: bool,
}

/// `quorate join`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinFlags {
    /// TOKEN or `--token-file`.
    pub token: TokenFrom,
    /// `--name`.
    pub name: Option<String>,
    /// `--advertise`.
    pub advertise: Option<String>,
    /// `--wait`.
    pub patience: Duration,
}

/// `quorate apply`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplyOptions {
    /// What the document becomes.
    pub text: Wanted,
    /// Only show what would change.
    pub dry_run: bool,
    /// Whether it goes on top of what others changed meanwhile.
    pub rebase: bool,
    /// How long to try while nobody can decide.
    pub patience: Duration,
    /// For people or for programs.
    pub format: Format,
}

/// One thing in the document that a command changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// `node add`: this line.
    Add(NewNode),
    /// `node remove`.
    Remove(NodeId),
    /// `node promote`: to a voter.
    Promote(NodeId),
    /// `node demote`: to an observer.
    Demote(NodeId),
    /// `node set`: keys of a node's line.
    Set(NodeId, Vec<(&'static str, Ink)>),
    /// `standby`: it leaves the field to others, perhaps for so long.
    Standby(NodeId, Option<Duration>),
    /// `online`: it no longer does.
    Online(NodeId),
    /// `maintenance on`: mastership stays where it is, perhaps for so long.
    MaintenanceOn(Option<Duration>),
    /// `maintenance off`.
    MaintenanceOff,
}

/// Where a new node's line comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NewNode {
    /// Standard input: the line that `quorate init` printed.
    Printed,
    /// The command line.
    Line(Ink),
}

/// How such a change is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChangeFlags {
    /// Only show what would change.
    pub dry_run: bool,
    /// Hand mastership over first if the master would lose its vote.
    pub transfer: bool,
    /// Ask for it though it looks as if nobody could lead then.
    pub force: bool,
    /// How long to try while nobody can decide.
    pub patience: Duration,
    /// For people or for programs.
    pub format: Format,
}

/// What the document becomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A file.
    File {
        /// It, or `-`.
        path: PathBuf,
        /// The content revision that it was made from; the newest if it is not said.
        made_from: Option<u64>,
    },
    /// What it was at that content revision.
    Revision(u64),
}

/// `quorate run`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunOptions {
    /// What this node has to be.
    pub role: While,
    /// How long to wait for mastership.
    pub patience: Patience,
    /// How long CMD is asked to end before it is killed, if its time does not end earlier.
    pub grace: Option<Duration>,
    /// What happens when CMD ended, or mastership.
    pub ending: Ending,
    /// CMD and its arguments.
    pub cmd: Vec<OsString>,
}

/// How long to wait for mastership.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Not at all.
    None,
    /// That long.
    Limited(Duration),
    /// For ever.
    Endless,
}

/// What happens when CMD ended, or mastership.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// That was it.
    Leave,
    /// CMD starts again as soon as it may.
    Restart,
}

/// `quorate demo`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DemoOptions {
    /// How many nodes, 1 to 9.
    pub nodes: usize,
    /// A live view or one story.
    pub show: Show,
    /// How fast the cluster is.
    pub timing: Preset,
    /// Whether the directory stays.
    pub traces: Traces,
}

/// How a demo shows itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// Live, if there is a terminal.
    Live,
    /// One story, then the end.
    Once,
}

/// What a demo leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Traces {
    /// Nothing.
    Removed,
    /// Its directory.
    Kept,
}

/// The timing presets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// One switch between the nodes.
    Lan,
    /// What a cluster.yaml without timing means.
    Default,
    /// Nodes in different places.
    Wan,
}

impl Preset {
    /// Its name in cluster.yaml.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Default => "default",
            Self::Wan => "wan",
        }
    }
}

/// Whose timing is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TimingSource {
    /// All presets, side by side.
    Presets,
    /// One preset.
    Preset(Preset),
    /// That of a cluster.yaml.
    File(PathBuf),
}

/// For people or for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Show once, or again and again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watch {
    /// Once.
    Once,
    /// Every second and at every event.
    Repeatedly,
}

/// Which events, and whether to stay for more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stay {
    /// Only what is kept.
    Leave,
    /// What is kept, then new ones as they happen.
    Follow,
    /// Only new ones, as they happen.
    News,
}

/// How a hook is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// It is only shown.
    Show,
    /// It is run if that does not contradict this node's role.
    Run,
    /// It is run.
    Force,
}

/// What to print of the history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Who was master from when to when.
    Reigns,
    /// Every event that was kept.
    Events,
    /// The documents that were kept.
    Documents,
    /// They, with all that changed.
    Patches,
}

/// What to print of the master.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MasterField {
    /// Its name.
    Name,
    /// Where it listens.
    Address,
}

/// What to wait for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Goal {
    /// There is a master.
    Master,
    /// This node hears a quorum.
    Quorum,
    /// This node does this.
    Role(&'static str),
    /// That node is the master.
    MasterIs(NodeId),
    /// The committed document has this content revision, or a later one.
    Revision(u64),
    /// That node is heard.
    Node(NodeId),
}

/// The roles `wait --for role=` knows.
pub const ROLES: [&str; 5] = ["master", "winner", "stopping", "candidate", "follower"];
