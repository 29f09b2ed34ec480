//! What may happen next in a state of the small world: what is scheduled, what was put off
//! before, and every deviation that costs.
//! Never judges and never remembers; it lists and does.

use std::sync::Arc;

use crate::protocol::message::Message;
use crate::sim::charters;
use crate::sim::disk::Health;
use crate::sim::machine::Nap;
use crate::sim::small_world::state::{Due, SIZE, Small};

/// One thing that may happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    // ---- as scheduled
    /// What became due first happens.
    Next,
    /// Nothing is due any more: time passes to the next instant.
    Pass,
    // ---- free: the deviation before it was paid for
    /// The held message at this index arrives.
    Arrive(usize),
    /// A daemon starts again.
    Restart(usize),
    /// A stopped daemon goes on.
    Resume(usize),
    /// All links work again.
    Heal,
    /// A slow write ends.
    Finish(usize),
    // ---- deviations
    /// The message that is due comes later, or never.
    Hold,
    /// It comes now and once more later.
    Repeat,
    /// The tick that is due comes after all that is due now.
    Late,
    /// The write that is due takes longer.
    Stall,
    /// The write that is due fails.
    Fail,
    /// A daemon is killed before it does what is due; what it was writing is lost.
    Crash(usize),
    /// The same, but what it was writing is on disk.
    CrashWritten(usize),
    /// A machine loses power: children end with the daemon.
    PowerLoss(usize),
    /// A daemon is stopped before it does what is due.
    Pause(usize),
    /// A node loses all links.
    Isolate(usize),
    /// Two nodes lose their link.
    Part(usize, usize),
    /// What the first says to the second is lost.
    Deafen(usize, usize),
    /// An operator edits the document at the acting master.
    Edit(usize),
    /// An operator has mastership handed from the first to the second.
    Transfer(usize, usize),
}

/// The kinds of deviations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Messages are held, lost or repeated.
    Mail,
    /// Ticks are late, daemons stand still.
    Delay,
    /// Writes are slow or fail.
    Disk,
    /// Daemons and machines die.
    Death,
    /// Links fail.
    Link,
    /// Operators want something.
    Wish,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Mail, Self::Delay, Self::Disk, Self::Death, Self::Link, Self::Wish];
}

impl Move {
    /// What kind of deviation it is, if it is one.
    pub(crate) fn kind(self) -> Option<Kind> {
        match self {
            Self::Next
            | Self::Pass
            | Self::Arrive(_)
            | Self::Restart(_)
            | Self::Resume(_)
            | Self::Heal
            | Self::Finish(_) => None,
            Self::Hold | Self::Repeat => Some(Kind::Mail),
            Self::Late | Self::Pause(_) => Some(Kind::Delay),
            Self::Stall | Self::Fail => Some(Kind::Disk),
            Self::Crash(_) | Self::CrashWritten(_) | Self::PowerLoss(_) => Some(Kind::Death),
            Self::Isolate(_) | Self::Part(..) | Self::Deafen(..) => Some(Kind::Link),
            Self::Edit(_) | Self::Transfer(..) => Some(Kind::Wish),
        }
    }
}

impl Small {
    /// All that may happen next. A fault of one node commutes with what others do: it is listed
    /// only right before that node does something.
    pub(crate) fn moves(&self) -> Vec<Move> {
        match self.queue.front() {
            Some(due) => self.moves_before(due),
            None => self.moves_between_instants(),
        }
    }

    fn is_awake(&self, node: usize) -> bool {
        self.machines[node].is_awake()
    }

    fn moves_before(&self, due: &Due) -> Vec<Move> {
        let node = due.node();
        let mut moves = vec![Move::Next];
        if !self.is_awake(node) {
            return moves;
        }
        let held = self.held.iter().enumerate().filter(|(_, (_, to, _))| *to == node);
        moves.extend(held.map(|(index, _)| Move::Arrive(index)));
        match due {
            // Beats carry no promise, vote or document.
            Due::Deliver { message, .. } if !matches!(**message, Message::Beat(_)) => {
                moves.extend([Move::Hold, Move::Repeat]);
            }
            Due::Tick { .. } => {
                moves.extend([Move::Late, Move::Isolate(node)]);
                let peers = (0..SIZE).filter(|peer| *peer != node);
                moves.extend(peers.clone().map(|peer| Move::Part(node, peer)));
                moves.extend(peers.map(|peer| Move::Deafen(node, peer)));
            }
            Due::Written { .. } => moves.extend([Move::Stall, Move::Fail]),
            Due::Deliver { .. } | Due::Stopped { .. } | Due::Open { .. } => {}
        }
        moves.extend([Move::Pause(node), Move::Crash(node)]);
        if self.machines[node].disk.is_writing() {
            moves.push(Move::CrashWritten(node));
        }
        if self.machines[node].guard.children().is_some() {
            moves.push(Move::PowerLoss(node));
        }
        moves
    }

    fn moves_between_instants(&self) -> Vec<Move> {
        let mut moves = vec![Move::Pass];
        let held = self.held.iter().enumerate().filter(|(_, (_, to, _))| self.is_awake(*to));
        moves.extend(held.map(|(index, _)| Move::Arrive(index)));
        for node in 0..SIZE {
            let machine = &self.machines[node];
            if machine.node.is_none() && machine.guard.children().is_none() {
                moves.push(Move::Restart(node));
            }
            if machine.nap != Nap::Awake {
                moves.push(Move::Resume(node));
            }
            if self.stalled[node] {
                moves.push(Move::Finish(node));
            }
        }
        if self.cut.iter().flatten().any(|is_cut| *is_cut) {
            moves.push(Move::Heal);
        }
        if let Some(master) = self.acting().filter(|master| self.is_awake(*master)) {
            if self.edits == 0 {
                moves.push(Move::Edit(master));
            }
            if self.transfers == 0 {
                let others = (0..SIZE).filter(|node| *node != master);
                moves.extend(others.map(|to| Move::Transfer(master, to)));
            }
        }
        moves
    }

    /// Does it.
    pub(crate) fn make(&mut self, to_do: Move) {
        if !matches!(to_do, Move::Next | Move::Pass) {
            let words = self.lines.as_ref().map(|_| self.describe(to_do));
            self.tell(|| format!("** {}", words.unwrap_or_default()));
        }
        match to_do {
            Move::Next => {
                if let Some(due) = self.queue.pop_front() {
                    self.happen(due);
                }
            }
            Move::Pass => {
                if let Some(at) = self.next_instant() {
                    self.pass_to(at);
                }
            }
            Move::Arrive(index) => {
                let (from, to, message) = self.held.remove(index);
                self.happen(Due::Deliver { from, to, message });
            }
            Move::Restart(node) => self.start(node),
            Move::Resume(node) => self.resume(node),
            Move::Heal => self.cut = Default::default(),
            Move::Finish(node) => {
                self.stalled[node] = false;
                self.written(node);
            }
            Move::Hold | Move::Repeat | Move::Late | Move::Stall | Move::Fail => {
                self.deviate(to_do);
            }
            Move::Crash(node) => self.crash(node, false),
            Move::CrashWritten(node) => self.crash(node, true),
            Move::PowerLoss(node) => self.lose_power(node),
            Move::Pause(node) => self.machines[node].nap = Nap::Paused,
            Move::Isolate(node) => (0..SIZE).for_each(|peer| self.part(node, peer)),
            Move::Part(node, peer) => self.part(node, peer),
            Move::Deafen(from, to) => self.cut[from][to] = true,
            Move::Edit(master) => self.edit(master),
            Move::Transfer(master, to) => self.transfer(master, to),
        }
    }

    /// What is due goes another way.
    fn deviate(&mut self, how: Move) {
        let Some(due) = self.queue.pop_front() else { return };
        match (how, due) {
            (Move::Hold, Due::Deliver { from, to, message }) => {
                self.held.push((from, to, message));
            }
            (Move::Repeat, Due::Deliver { from, to, message }) => {
                self.held.push((from, to, Arc::clone(&message)));
                self.happen(Due::Deliver { from, to, message });
            }
            (Move::Stall, Due::Written { node }) => self.stalled[node] = true,
            (Move::Fail, Due::Written { node }) => {
                self.machines[node].disk.health = Health::Failing;
                self.written(node);
            }
            (_, due) => self.queue.push_back(due),
        }
    }

    fn part(&mut self, node: usize, peer: usize) {
        if node != peer {
            self.cut[node][peer] = true;
            self.cut[peer][node] = true;
        }
    }

    /// A move in words.
    fn describe(&self, what: Move) -> String {
        let name = charters::name;
        match what {
            Move::Arrive(index) => {
                let (from, to, _) = &self.held[index];
                format!("what {} said to {} arrives late", name(*from), name(*to))
            }
            Move::Restart(node) => format!("{} starts again", name(node)),
            Move::Resume(node) => format!("{} goes on", name(node)),
            Move::Finish(node) => format!("the slow write of {} ends", name(node)),
            Move::Crash(node) => format!("{} is killed", name(node)),
            Move::CrashWritten(node) => format!("{} is killed right after its write", name(node)),
            Move::PowerLoss(node) => format!("{} loses power", name(node)),
            Move::Pause(node) => format!("{} is stopped", name(node)),
            Move::Isolate(node) => format!("{} loses all links", name(node)),
            Move::Part(node, peer) => format!("no link between {} and {}", name(node), name(peer)),
            Move::Deafen(from, to) => format!("{} does not hear {}", name(to), name(from)),
            Move::Edit(node) => format!("{} is asked for an edit", name(node)),
            Move::Transfer(from, to) => {
                format!("{} is asked to hand over to {}", name(from), name(to))
            }
            Move::Heal => "all links work".to_owned(),
            Move::Next
            | Move::Pass
            | Move::Hold
            | Move::Repeat
            | Move::Late
            | Move::Stall
            | Move::Fail => {
                let subject = self.queue.front().map(|due| match due {
                    Due::Deliver { from, to, .. } => {
                        format!("{} to {}", name(*from), name(*to))
                    }
                    due => name(due.node()).to_string(),
                });
                format!("{what:?} {}", subject.unwrap_or_default())
            }
        }
    }
}
