//! Per peer: heard or silent, since when without a break, in which direction, how far away,
//! and whether its clock can be leant on.
//! Never decides who leads; silence alone takes nothing from anybody.

use alloc::sync::Arc;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::protocol::message::{Echo, Presence};
use crate::protocol::roll::Roll;
use crate::protocol::status::ClockRate;
use crate::protocol::timing::Timing;
use crate::protocol::units::{Moment, NodeId};

/// The shortest span over which a clock's rate is judged (R27).
const RATE_WINDOW: Duration = Duration::from_secs(30);

/// What this node knows about one peer.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Peer {
    pub(crate) last_heard: Moment,
    pub(crate) streak_start: Moment,
    /// Since when it could lead without a break: heard, on one disk, nothing held it off, and it
    /// did not fail to.
    pub(crate) fit_since: Moment,
    pub(crate) presence: Presence,
    /// Whether it hears this node, as its presence says.
    pub(crate) hears_us: bool,
    pub(crate) round_trip: Option<Duration>,
    rate: RateWatch,
}

impl Peer {
    /// Whether it was heard within `dead_after`.
    pub(crate) fn is_heard(&self, now: Moment, dead_after: Duration) -> bool {
        !now.has_surely_reached(self.last_heard.after(dead_after))
    }

    pub(crate) fn is_clock_deviant(&self) -> bool {
        self.rate.is_deviant
    }

    pub(crate) fn clock_rate(&self) -> Option<ClockRate> {
        self.rate.measured.0
    }
}

/// Whom this node last said it hears: kept so that the same need not be listed again. What a node
/// does never depends on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SaidToHear(pub(crate) Arc<[NodeId]>);

impl Hash for SaidToHear {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Everybody ever heard.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Peers(Roll<Peer>);

impl Peers {
    /// Takes note of a sign of life that says nothing about the sender's state.
    pub(crate) fn touch(&mut self, from: &NodeId, now: Moment, dead_after: Duration) {
        if let Some(peer) = self.0.get_mut(from) {
            if !peer.is_heard(now, dead_after) {
                peer.streak_start = now;
                peer.fit_since = now;
            }
            peer.last_heard = now;
        }
    }

    /// Takes note of what `from` says about itself, to `me`. Returns whether its clock was just
    /// found to run off by more than half the bound (R27).
    pub(crate) fn hear(
        &mut self,
        from: &NodeId,
        me: &NodeId,
        presence: Presence,
        now: Moment,
        timing: &Timing,
    ) -> bool {
        self.touch(from, now, timing.dead_after());
        let peer = self.0.get_or_insert_with(from, || Peer {
            last_heard: now,
            streak_start: now,
            fit_since: now,
            presence: presence.clone(),
            hears_us: false,
            round_trip: None,
            rate: RateWatch::default(),
        });
        if peer.presence.storage != presence.storage {
            // Another disk: what the earlier one lived through is not its own (R52).
            peer.streak_start = now;
            peer.fit_since = now;
        }
        if !presence.is_electable {
            peer.fit_since = now;
        }
        peer.hears_us = presence.hears.contains(me);
        peer.presence = presence;
        // A reading from before this machine was started again says nothing.
        let Presence { echo, reading, .. } = peer.presence;
        let echo = echo.filter(|echo| now.has_surely_reached(echo.reading));
        let Some(echo) = echo else { return false };
        let round_trip = now.held_since(echo.reading).saturating_sub(echo.held);
        peer.round_trip = Some(round_trip);
        let asked = now.before(round_trip);
        peer.rate.note(Sample { asked, answered: now, reading }, timing)
    }

    /// It could not lead after all: how long it could counts from now.
    pub(crate) fn begin_anew(&mut self, id: &NodeId, now: Moment) {
        if let Some(peer) = self.0.get_mut(id) {
            peer.fit_since = now;
        }
    }

    pub(crate) fn get(&self, id: &NodeId) -> Option<&Peer> {
        self.0.get(id)
    }

    /// The peer, if it was heard within `dead_after`.
    pub(crate) fn heard(&self, id: &NodeId, now: Moment, dead_after: Duration) -> Option<&Peer> {
        self.0.get(id).filter(|peer| peer.is_heard(now, dead_after))
    }

    /// Everybody heard within `dead_after`, ordered by name.
    pub(crate) fn all_heard(
        &self,
        now: Moment,
        dead_after: Duration,
    ) -> impl Iterator<Item = (&NodeId, &Peer)> {
        self.0.iter().filter(move |(_, peer)| peer.is_heard(now, dead_after))
    }

    /// What to give back to `to` so that it can measure the round trip.
    pub(crate) fn echo_for(&self, to: &NodeId, now: Moment) -> Option<Echo> {
        let peer = self.0.get(to)?;
        Some(Echo { reading: peer.presence.reading, held: now.held_since(peer.last_heard) })
    }

    /// When the next peer falls silent, for the agenda.
    pub(crate) fn silences(
        &self,
        now: Moment,
        dead_after: Duration,
    ) -> impl Iterator<Item = Moment> {
        self.all_heard(now, dead_after).map(move |(_, peer)| peer.last_heard.after(dead_after))
    }
}

/// A peer's clock reading, taken somewhere between two readings of our own.
#[derive(Clone, Copy, Hash, Debug)]
struct Sample {
    asked: Moment,
    answered: Moment,
    reading: Moment,
}

/// Compares a peer's clocks with ours over windows of 30 s or more (R27).
///
/// The master's lease on its clock must end before the voter's promise on the voter's. Only the
/// ratio of both rates matters, and only one way: a slow voter promises for longer, a fast one
/// for less. Two clocks that each keep within ρ stay within 2ρ of each other, which R22 covers;
/// beyond that a voter is not leant on. People hear of it at a quarter of that already. Of the
/// peer's two clocks the one that ran less counts, as for the promise itself.
///
/// The peer read its clocks at an unknown moment between `asked` and `answered`. Only a rate
/// that no moment in there explains counts, and only two windows in a row: a reading that a
/// restart left behind spoils one.
#[derive(Clone, Hash, Debug, Default)]
struct RateWatch {
    anchor: Option<Sample>,
    was_off: bool,
    was_beyond: bool,
    is_deviant: bool,
    measured: Measured,
}

/// What people are told of a peer's clock. What a node does never depends on it.
#[derive(Clone, Copy, Debug, Default)]
struct Measured(Option<ClockRate>);

impl Hash for Measured {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Measured {
    /// The peer's clock went on by `theirs` while ours did by `least` at least and `most` at most.
    fn of(theirs: Duration, least: Duration, most: Duration) -> Self {
        let [theirs, least, most] = [theirs, least, most].map(|span| span.as_nanos());
        let ours = (least + most) / 2;
        let parts = |part: u128| part.saturating_mul(1_000_000).checked_div(ours);
        let off = parts(theirs.abs_diff(ours)).and_then(|off| i64::try_from(off).ok());
        let within = parts(most.saturating_sub(least) / 2);
        let rate = off.zip(within).map(|(off, within)| ClockRate {
            off_ppm: if theirs < ours { -off } else { off },
            within_ppm: u64::try_from(within).unwrap_or(u64::MAX),
        });
        Self(rate)
    }
}

impl RateWatch {
    /// Returns true when the peer has just been found to run off.
    fn note(&mut self, sample: Sample, timing: &Timing) -> bool {
        let Some(anchor) = self.anchor else {
            self.anchor = Some(sample);
            return false;
        };
        let rebooted = sample.reading.boot_ns < anchor.reading.boot_ns
            || sample.reading.raw_ns < anchor.reading.raw_ns;
        if rebooted {
            *self = Self { anchor: Some(sample), ..Self::default() };
            return false;
        }
        let least = sample.asked.waited_since(anchor.answered);
        if least < RATE_WINDOW {
            return false;
        }
        let most = sample.answered.held_since(anchor.asked);
        let theirs = sample.reading.waited_since(anchor.reading);
        let measured = Measured::of(theirs, least, most);
        let theirs = theirs.as_nanos();
        let drift = most.as_nanos() * u128::from(timing.drift_ppm()) / 1_000_000;
        let is_off = theirs > most.as_nanos() + drift / 2;
        let is_beyond = theirs > most.as_nanos() + drift * 2;
        let is_news = is_off && !self.was_off;
        *self = Self {
            anchor: Some(sample),
            was_off: is_off,
            was_beyond: is_beyond,
            is_deviant: is_beyond && self.was_beyond,
            measured,
        };
        is_news
    }
}
