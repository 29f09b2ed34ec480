//! Reports to show and to answer with. Never a test itself.

use std::collections::BTreeMap;

use quorate::wire::control::{
    EventReport, MasterReport, PeerReport, PositionReport, QuorumReport, SCHEMA, SaidReport,
    StatusReport,
};

const AT: PositionReport = PositionReport { term: 12, version: 9 };

/// bravo, a follower of alpha in a sound cluster of three.
pub(super) fn follower() -> StatusReport {
    StatusReport {
        schema: SCHEMA,
        node: "bravo".into(),
        storage: "00".repeat(16),
        version: "0.1.0".into(),
        cluster: "shop".into(),
        cluster_id: "7d".repeat(16),
        generation: 1,
        role: "follower".into(),
        term: 12,
        master: Some(MasterReport {
            id: "alpha".into(),
            address: "10.0.0.1:9901".into(),
            term: 12,
            known: "direct".into(),
        }),
        since_ms: 11_520_000,
        reason: "it announced itself".into(),
        changes: 3,
        acting_left_ms: None,
        lease_left_ms: None,
        promised_to: Some("alpha".into()),
        promise_left_ms: Some(3_600),
        quiet_left_ms: None,
        hold_off_left_ms: None,
        storage_failed: false,
        quorum: QuorumReport { ok: true, have: 3, need: 2 },
        accepted: AT,
        committed: AT,
        revision: 7,
        dead_after_ms: 4_000,
        heartbeat_ms: 500,
        peers: vec![peer("alpha"), peer("charlie")],
        blockers: vec![],
        ranking: quorate::wire::ranking::RankingReport::default(),
        objections: vec![],
        health: None,
        freshness: None,
        watchdog: None,
        overrides: vec![],
        newcomers: Vec::new(),
        doubts: Vec::new(),
        forced: None,
        core_age_ms: 3,
        pid: 4711,
        uptime_ms: 12_000_000,
    }
}

/// The same node as the master.
pub(super) fn master() -> StatusReport {
    StatusReport {
        role: "master".into(),
        master: Some(MasterReport {
            id: "bravo".into(),
            address: "10.0.0.2:9901".into(),
            term: 12,
            known: "own".into(),
        }),
        reason: "elected here".into(),
        acting_left_ms: Some(2_700),
        lease_left_ms: Some(3_550),
        promised_to: None,
        promise_left_ms: None,
        peers: vec![peer("alpha"), peer("charlie")]
            .into_iter()
            .map(|peer| PeerReport { follows: Some("bravo".into()), ..peer })
            .collect(),
        ..follower()
    }
}

/// The same node, alone.
pub(super) fn alone() -> StatusReport {
    let silent = |id| PeerReport {
        heard: false,
        hears_us: None,
        last_heard_ms: Some(12_345),
        streak_ms: None,
        round_trip_us: None,
        follows: None,
        link: "connection refused".into(),
        ..peer(id)
    };
    StatusReport {
        role: "candidate".into(),
        master: None,
        since_ms: 8_100,
        reason: "it fell silent".into(),
        promised_to: None,
        promise_left_ms: None,
        quorum: QuorumReport { ok: false, have: 1, need: 2 },
        peers: vec![silent("alpha"), silent("charlie")],
        blockers: vec!["only 1 voter would remain in sight, 2 are needed".into()],
        ..follower()
    }
}

/// A voter heard both ways that follows alpha.
pub(super) fn peer(id: &str) -> PeerReport {
    PeerReport {
        id: id.into(),
        address: format!("{id}.example.net:9901"),
        role: "voter".into(),
        heard: true,
        hears_us: Some(true),
        last_heard_ms: Some(85),
        streak_ms: Some(100_000),
        round_trip_us: Some(310),
        position: Some(AT),
        term: Some(12),
        vote_ready: Some(true),
        follows: (id != "alpha").then(|| "alpha".into()),
        hears: vec!["bravo".into()],
        clock_deviant: false,
        clock: None,
        healthy: Some(true),
        freshness: None,
        link: "connected".into(),
        said: SaidReport::default(),
    }
}

/// An election, as an event.
pub(super) fn elected() -> EventReport {
    EventReport {
        schema: SCHEMA,
        seq: 4,
        time: "2026-01-02T03:04:05.678Z".into(),
        uptime_ms: 5_000,
        node: "bravo".into(),
        term: 12,
        code: "elected".into(),
        level: "info".into(),
        reason: None,
        change: None,
        refusals: BTreeMap::new(),
        lost: 0,
        message: "MASTER of term 12".into(),
    }
}
