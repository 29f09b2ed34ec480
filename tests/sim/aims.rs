//! Faults aimed at remarkable moments: right after a win, a commit, a demotion, a first promise.
//! Never strikes by itself: it plans a strike for the very next moment.

use core::time::Duration;

use crate::protocol::effects::Event;
use crate::protocol::message::{Message, Verdict};
use crate::sim::faults::{Kind, Strike};
use crate::sim::world::{Due, World};

/// More strikes than these in one run are not aimed any more: restarts that provoke restarts would
/// never end.
const STRIKES_MAX: usize = 400;
/// What may hit a node that just won or was elected.
const AT_WINNERS: [Kind; 7] = [
    Kind::Deaf,
    Kind::Mute,
    Kind::Isolation,
    Kind::Crash,
    Kind::Pause,
    Kind::PowerLoss,
    Kind::FailingDisk,
];
/// What may hit a master whose document was just committed.
const AT_COMMITS: [Kind; 4] = [Kind::Isolation, Kind::Crash, Kind::Pause, Kind::Suspend];
/// What may hit a node that just gave something away: a vote, a promise, its term.
const AT_GIVERS: [Kind; 5] =
    [Kind::QuickRestart, Kind::Crash, Kind::OneWayCut, Kind::Isolation, Kind::FailingDisk];

impl World {
    /// A node told of something: perhaps it is hit for it.
    pub(crate) fn aim(&mut self, node: usize, event: &Event) {
        match event {
            Event::Won { .. } | Event::Elected { .. } => self.aim_at(node, &AT_WINNERS),
            Event::DocumentCommitted { .. } => self.aim_at(node, &AT_COMMITS),
            Event::HandoverBegun { .. } => self.aim_at(node, &AT_GIVERS),
            Event::Demoted { .. } => self.aim_within(node, &[Kind::Relief], Duration::ZERO),
            _ => {}
        }
    }

    /// A node said something: perhaps it, or whom it told, is hit for it.
    pub(crate) fn aim_at_words(&mut self, from: usize, to: usize, message: &Message) {
        match message {
            Message::VoteReply(ballot) if ballot.verdict == Verdict::Granted => {
                self.aim_at(from, &AT_GIVERS);
            }
            Message::Release(_) | Message::TimeoutNow(_) => {
                let target = if self.storm.one_in(2) { from } else { to };
                self.aim_at(target, &AT_GIVERS);
            }
            Message::HeartbeatAck(_) => {
                let up = self.history.up_since.get(&from);
                let is_new = up.is_some_and(|up| self.now.since(*up) < Duration::from_millis(100));
                if is_new {
                    self.aim_at(from, &AT_GIVERS);
                }
            }
            _ => {}
        }
    }

    fn is_aimed(&mut self) -> bool {
        let is_time = self.is_stormy && !self.is_scripted && self.struck.len() < STRIKES_MAX;
        is_time && self.storm.percent(self.plan.aim)
    }

    fn aim_at(&mut self, node: usize, kinds: &[Kind]) {
        self.aim_within(node, kinds, Duration::from_millis(20));
    }

    fn aim_within(&mut self, node: usize, kinds: &[Kind], limit: Duration) {
        if !self.is_aimed() {
            return;
        }
        let known = kinds.iter().copied().filter(|kind| self.plan.kinds.contains(kind));
        let known: Vec<Kind> = known.collect();
        if known.is_empty() {
            return;
        }
        let kind = self.storm.pick(&known);
        let soon = self.now.after(self.storm.skewed(Duration::ZERO, limit));
        let strike = Strike { kind, at: Some(node), dice: self.storm.bits() };
        self.struck.push((soon, strike));
        self.queue.put(soon, Due::Strike { epoch: self.epoch, strike });
    }
}
