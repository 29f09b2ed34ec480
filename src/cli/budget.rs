//! Decides what a timing means in numbers, with the arithmetic that leads to them, so that somebody
//! can choose `dead_after` knowingly. Never reads a clock or a file.

use core::time::Duration;

use serde::Serialize;

use crate::protocol::timing::Timing;

/// What follows from one timing; milliseconds, rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Budget {
    /// How often the master renews its lease.
    pub heartbeat_ms: u64,
    /// How long a voter promises, and how long silence lasts before a node counts as gone.
    pub dead_after_ms: u64,
    /// The bound on each clock's rate error, in parts per million.
    pub drift_ppm: u64,
    /// What a promise is worth to the master.
    pub lease_ms: u64,
    /// What hooks and programs get to end by themselves.
    pub stop_ms: u64,
    /// What killing may take.
    pub kill_ms: u64,
    /// The end of each lease in which nothing runs.
    pub margin_ms: u64,
    /// How long after the newest heartbeat that a majority answered stopping begins.
    pub acts_for_ms: u64,
    /// How many heartbeats in a row may be lost, or their answers, and the master goes on.
    pub may_be_lost: u64,
    /// What must be left of a lease for a winner to begin.
    pub begins_with_ms: u64,
    /// The longest round trip with which a node can win, take office and keep it.
    pub round_trip_max_ms: u64,
    /// How long a less preferred node waits for each one before it.
    pub stagger_ms: u64,
    /// How long a candidate waits for votes, each of which a disk must keep first.
    pub vote_limit_ms: u64,
    /// After a crash nobody leads for about that long, and a stagger for each more preferred voter
    /// that is away too, and a few round trips.
    pub failover_ms: u64,
}

impl Budget {
    /// What follows from `timing`.
    #[must_use]
    pub fn of(timing: &Timing) -> Self {
        let dead_after = timing.dead_after();
        let lease = timing.lease_length(dead_after);
        let acts_for = lease.saturating_sub(timing.stop_budget());
        let beats = acts_for.as_nanos() / timing.heartbeat().as_nanos().max(1);
        let drift = u128::from(timing.drift_ppm());
        let failover = dead_after.as_micros() * (1_000_000 + drift) / 1_000_000_000;
        Self {
            heartbeat_ms: whole(timing.heartbeat()),
            dead_after_ms: whole(dead_after),
            drift_ppm: timing.drift_ppm(),
            lease_ms: whole(lease),
            stop_ms: whole(timing.stop()),
            kill_ms: whole(timing.kill()),
            margin_ms: whole(timing.margin()),
            acts_for_ms: whole(acts_for),
            // The next one must arrive, and its answer, too.
            may_be_lost: u64::try_from(beats).unwrap_or(u64::MAX).saturating_sub(1),
            begins_with_ms: whole(timing.activation_reserve()),
            round_trip_max_ms: whole(timing.slack()),
            stagger_ms: whole(timing.stagger()),
            vote_limit_ms: whole(timing.vote_limit()),
            failover_ms: u64::try_from(failover).unwrap_or(u64::MAX),
        }
    }

    /// What the percentage is, such as `1%`.
    fn drift(&self) -> String {
        let text = format!("{}.{:04}", self.drift_ppm / 10_000, self.drift_ppm % 10_000);
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }

    /// The arithmetic, one result a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Self { heartbeat_ms, dead_after_ms, lease_ms, stop_ms, .. } = *self;
        let Self { kill_ms, margin_ms, acts_for_ms, may_be_lost, .. } = *self;
        let Self { begins_with_ms, round_trip_max_ms, stagger_ms, .. } = *self;
        let Self { vote_limit_ms, failover_ms, .. } = *self;
        let drift = self.drift();
        vec![
            format!("heartbeat {heartbeat_ms} ms, dead_after {dead_after_ms} ms, drift {drift}"),
            format!(
                "lease       {lease_ms} ms = dead_after x (1 - drift) / (1 + drift) - 2 ms, from a \
                 heartbeat's sending"
            ),
            format!(
                "stopping    begins after {acts_for_ms} ms = lease - stop {stop_ms} - kill \
                 {kill_ms} - margin {margin_ms}"
            ),
            format!(
                "heartbeats  {may_be_lost} in a row may be lost: {acts_for_ms} ms / \
                 {heartbeat_ms} ms, rounded down, less the one that must arrive"
            ),
            format!(
                "a winner    begins with {begins_with_ms} ms of lease = stop + kill + margin + 2 \
                 heartbeats"
            ),
            format!("round trips up to {round_trip_max_ms} ms between nodes are borne"),
            format!(
                "elections   wait {vote_limit_ms} ms for votes; each preferred voter before a \
                 node is waited for {stagger_ms} ms"
            ),
            format!(
                "failover    at most {failover_ms} ms = dead_after x (1 + drift), and {stagger_ms} \
                 ms for each preferred"
            ),
            "            voter that is away, and about 5 round trips and writes".to_owned(),
        ]
    }
}

/// The presets, by name.
#[must_use]
pub fn presets() -> [(&'static str, Timing); 3] {
    [("lan", Timing::LAN), ("default", Timing::DEFAULT), ("wan", Timing::WAN)]
}

/// The presets side by side, one quantity a row; the same rows as in contrib/doc/timing.md.
#[must_use]
pub fn table() -> Vec<[String; 4]> {
    let budgets = presets().map(|(_, timing)| Budget::of(&timing));
    let row = |name: &str, of: fn(&Budget) -> String| {
        let [lan, default, wan] = &budgets;
        [name.to_owned(), of(lan), of(default), of(wan)]
    };
    vec![
        row("heartbeat", |b| milliseconds(b.heartbeat_ms)),
        row("dead_after", |b| milliseconds(b.dead_after_ms)),
        row("stop", |b| milliseconds(b.stop_ms)),
        row("stagger", |b| milliseconds(b.stagger_ms)),
        row("drift", Budget::drift),
        row("lease", |b| milliseconds(b.lease_ms)),
        row("kill", |b| milliseconds(b.kill_ms)),
        row("margin", |b| milliseconds(b.margin_ms)),
        row("stopping begins after", |b| milliseconds(b.acts_for_ms)),
        row("heartbeats that may be lost", |b| b.may_be_lost.to_string()),
        row("a winner begins with", |b| milliseconds(b.begins_with_ms)),
        row("longest round trip", |b| milliseconds(b.round_trip_max_ms)),
        row("failover at most", |b| milliseconds(b.failover_ms)),
    ]
}

fn milliseconds(count: u64) -> String {
    format!("{count} ms")
}

fn whole(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
