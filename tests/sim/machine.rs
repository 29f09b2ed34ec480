//! One machine: clocks, disk, guard, and the daemon's process with its node.
//! Never touches the network or another machine; the world does.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::protocol::durable::Document;
use crate::protocol::effects::{Effects, Input};
use crate::protocol::node::Node;
use crate::protocol::units::{Moment, NodeId, Position, Term};
use crate::sim::clock::{Clocks, TrueTime};
use crate::sim::disk::Disk;
use crate::sim::draw::Draw;
use crate::sim::guard::Guard;

/// So many inputs wait at most for a stopped process: sockets and queues have limits too.
const BACKLOG_MAX: usize = 256;

/// What keeps a machine from working.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Nap {
    /// It works.
    Awake,
    /// The daemon is stopped; guard and children run on.
    Paused,
    /// The whole machine sleeps, children included; one clock stands still.
    Suspended,
}

/// One machine.
#[derive(Clone)]
pub(crate) struct Machine {
    /// Its node's name.
    pub(crate) id: NodeId,
    /// Its dice: how long its writes take, how late its timers are, how its children die.
    pub(crate) draw: Draw,
    /// Its two clocks.
    pub(crate) clocks: Clocks,
    /// Its disk.
    pub(crate) disk: Disk,
    /// Its guard and children.
    pub(crate) guard: Guard,
    /// The running daemon's node; none while the daemon is down.
    pub(crate) node: Option<Arc<Node>>,
    /// Whether it sleeps.
    pub(crate) nap: Nap,
    /// What came meanwhile.
    pub(crate) backlog: VecDeque<Input>,
    /// Counts daemon starts: what was meant for an earlier one is recognised by it.
    pub(crate) life: u64,
    /// Counts naps, for the same reason.
    pub(crate) naps: u64,
    /// The wake-up time asked for, and its number.
    pub(crate) wake: (Option<Moment>, u64),
    /// Whether the daemon was told that its disk failed.
    pub(crate) knows_disk_failed: bool,
    /// Whether it never comes back.
    pub(crate) is_gone: bool,
    /// Whether it was not set up yet, or not again since its disk was lost: it has no daemon.
    pub(crate) is_away: bool,
    /// Who it could talk to when it last took a document, a bit each.
    pub(crate) known: u16,
}

impl Machine {
    /// A machine whose daemon was not started yet.
    pub(crate) fn new(id: NodeId, clocks: Clocks, disk: Disk, guard: Guard, draw: Draw) -> Self {
        Self {
            id,
            draw,
            clocks,
            disk,
            guard,
            node: None,
            nap: Nap::Awake,
            backlog: VecDeque::new(),
            life: 0,
            naps: 0,
            wake: (None, 0),
            knows_disk_failed: false,
            is_gone: false,
            is_away: false,
            known: u16::MAX,
        }
    }

    /// The term in which something truly acts here now. Nothing acts in a sleeping machine.
    pub(crate) fn acting(&self) -> Option<Term> {
        let children = self.guard.children().filter(|_| self.nap != Nap::Suspended);
        children.map(|children| children.term)
    }

    /// Whether its daemon runs and is neither stopped nor asleep.
    pub(crate) fn is_awake(&self) -> bool {
        self.node.is_some() && self.nap == Nap::Awake
    }

    /// What happens to a daemon that is not awake: kept for later, or lost on one that is down.
    pub(crate) fn miss(&mut self, input: Input) {
        if self.node.is_some() {
            self.keep(input);
        }
    }

    /// The position and the term of the running node.
    pub(crate) fn stands_at(&self) -> (Position, Term) {
        let record = self.node.as_ref().map(|node| node.durable());
        record.map(|record| (record.accepted.position, record.term)).unwrap_or_default()
    }

    /// Steps the running node. Returns what it asks for.
    #[inline]
    pub(crate) fn react(&mut self, now: TrueTime, input: Input) -> Option<Effects> {
        let reading = self.clocks.read(now);
        let node = Arc::make_mut(self.node.as_mut()?);
        Some(node.step(reading, input))
    }

    /// The document that the running node took since it was at `before`, if it did.
    pub(crate) fn taken_since(&self, before: Position) -> Option<Document> {
        let document = &self.node.as_ref()?.durable().accepted;
        (document.position != before).then(|| document.clone())
    }

    /// Keeps an input for later. Beyond the limit the oldest message is lost, as it would be in a
    /// socket; what the machine tells its own daemon never is.
    fn keep(&mut self, input: Input) {
        let is_message = |input: &Input| matches!(input, Input::Received { .. });
        if self.backlog.len() >= BACKLOG_MAX
            && let Some(oldest) = self.backlog.iter().position(is_message)
        {
            self.backlog.remove(oldest);
        }
        self.backlog.push_back(input);
    }
}
