//! Scenes for what no drawing of lots shows, or only a very long one: each goes wrong when a
//! certain rule is missing, and only then.
//! Never replaces a search that finds it: `mutants` searches for everything not named here.

use core::time::Duration;
use std::panic::catch_unwind;

use crate::protocol::effects::Wish;
use crate::protocol::membership::Failback;
use crate::protocol::membership::MemberRole;
use crate::protocol::message::{
    Append, Candidacy, Heartbeat, HeartbeatAck, Message, Offer, Presence, Refusal, Release,
    Released, Verdict,
};
use crate::protocol::mutant::Rule;
use crate::protocol::status::Duty;
use crate::protocol::timing::Timing;
use crate::protocol::units::{Nonce, Position, Term};
use crate::sim::charters::{self, Settings};
use crate::sim::missing::Missing;
use crate::sim::replay::words_of;
use crate::spec::stage::{A, B, C, Stage};

const D: usize = 3;
const E: usize = 4;

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(50);

/// Who plays: a, b and c, of which a leads.
#[derive(Clone, Copy)]
enum Cast {
    /// All vote and may lead, in one room.
    Lan,
    /// The same with the default timing.
    Default,
    /// c is a witness.
    Witness,
    /// d votes too, and e is an observer.
    Five,
    /// d votes too.
    Four,
    /// d and e are observers.
    Two,
    /// d and e vote too; the default timing.
    All,
}

impl Cast {
    fn settings(self) -> Settings {
        let timing = match self {
            Self::Lan | Self::Witness | Self::Four | Self::Five | Self::Two => Timing::LAN,
            Self::Default | Self::All => Timing::DEFAULT,
        };
        Settings::plain(timing, Failback::Never)
    }

    fn roles(self) -> Vec<MemberRole> {
        const V: MemberRole = MemberRole::Voter;
        match self {
            Self::Lan | Self::Default => vec![V; 3],
            Self::Witness => vec![V, V, MemberRole::Witness],
            Self::Four => vec![V; 4],
            Self::Five => vec![V, V, V, V, MemberRole::Observer],
            Self::Two => vec![V, V, V, MemberRole::Observer, MemberRole::Observer],
            Self::All => vec![V; 5],
        }
    }
}

/// A scene that shows one mutant.
pub(crate) struct Script {
    /// The rule that it is about.
    pub(crate) rule: Rule,
    /// What it shows.
    pub(crate) name: &'static str,
    /// Plays it; panics when something goes wrong.
    scene: fn(Stage),
    cast: Cast,
}

impl Script {
    /// Plays the scene, perhaps with something missing. What went wrong, if anything.
    pub(crate) fn play(&self, missing: Option<Missing>) -> Result<(), String> {
        let play = || {
            let mut stage = Stage::lacking(missing, &self.cast.roles(), self.cast.settings());
            stage.run_for(SECOND);
            (self.scene)(stage);
        };
        catch_unwind(play).map_err(|cause| words_of(&*cause))
    }
}

const fn script(rule: Rule, cast: Cast, name: &'static str, scene: fn(Stage)) -> Script {
    Script { rule, name, scene, cast }
}

/// All of them.
pub(crate) const SCRIPTS: [Script; 15] = [
    script(Rule::OneMasterPerTerm, Cast::Lan, "second_master", a_second_master_speaks),
    script(Rule::HighWater, Cast::Default, "shorter_promise", promises_become_shorter),
    script(Rule::HighWaterStays, Cast::Default, "shorter_promise", promises_become_shorter),
    script(Rule::FetchWhenBehind, Cast::Witness, "witness_knows", only_a_witness_knows),
    script(Rule::DisruptionLimit, Cast::Lan, "higher_terms", a_voter_claims_higher_terms),
    script(Rule::LeaseOfOwnTerm, Cast::Lan, "old_acks", old_acknowledgements_come_late),
    script(Rule::PromiseOutlivesTerm, Cast::Lan, "term_bump", a_term_is_learnt_elsewhere),
    script(Rule::ClockRateWatch, Cast::Default, "fast_clocks", the_others_have_fast_clocks),
    script(Rule::HandoverBound, Cast::Lan, "forced_vote", a_release_forces_a_vote),
    script(Rule::TimeoutNowTerm, Cast::Lan, "old_call", an_old_timeout_now_comes_late),
    script(Rule::EditAfterOwnCommit, Cast::Five, "ongaro", two_masters_change_the_voters),
    script(Rule::OneVoterAtATime, Cast::Two, "two_at_once", two_voters_come_at_once),
    script(Rule::LeaseOfPresentVoters, Cast::All, "sticky_lease", long_promises_leave),
    script(Rule::PromiseBySlowerClock, Cast::Default, "slewed_voter", a_slewed_voter_is_asked),
    script(Rule::CandidacyOfOneDocument, Cast::Four, "late_append", a_late_append_takes_the_vote),
];

/// The end of a first term is told once more when nobody leads a later one any more.
fn an_old_timeout_now_comes_late(mut stage: Stage) {
    let term = stage.term(A);
    stage.ask(A, Wish::Transfer { to: Some(charters::name(B)) });
    stage.await_master(B);
    stage.run_for(SECOND);
    stage.crash(B);
    stage.await_that("c is free", |stage| stage.status(C).promise.is_none());
    let release = Release { term, successor: Some(charters::name(C)) };
    stage.tell(C, A, Message::TimeoutNow(release));
    stage.run_for(SECOND);
}

/// What `node` might truly say of itself.
fn presence(stage: &Stage, node: usize) -> Presence {
    let record = stage.disk(node);
    Presence {
        term: record.term,
        position: record.accepted.position,
        storage: record.identity.storage,
        is_vote_ready: true,
        is_electable: true,
        is_healthy: true,
        freshness: None,
        age: Duration::ZERO,
        follows: None,
        hears: [].into(),
        reading: stage.status(node).at,
        echo: None,
    }
}

fn candidacy(stage: &Stage, node: usize, term: Term, release: Option<Released>) -> Message {
    let record = stage.disk(node);
    let storage = record.identity.storage;
    let position = record.accepted.position;
    Message::Vote(Candidacy { term, position, storage, nonce: Nonce(1), release })
}

fn after(term: Term, count: u64) -> Term {
    Term(term.0 + count)
}

/// R10: b follows a; c claims the same term.
fn a_second_master_speaks(mut stage: Stage) {
    let accepted = stage.disk(C).accepted;
    let heartbeat = Heartbeat {
        term: stage.term(A),
        sequence: 1,
        promise: SECOND,
        position: accepted.position,
        hash: accepted.hash,
        committed: accepted.position,
        is_acting: true,
        presence: presence(&stage, C),
    };
    stage.tell(B, C, Message::Heartbeat(heartbeat));
    let (holder, _) = stage.status(B).promise.expect("b follows a master");
    assert!(holder == charters::name(A), "P2 a second master of one term is not followed");
}

/// R17, L4: c says every second that it is in a later term.
fn a_voter_claims_higher_terms(mut stage: Stage) {
    let first = stage.term(A);
    for sequence in 1..30 {
        let accepted = stage.disk(C).accepted;
        let mine = after(stage.term(A), 1);
        let ack = HeartbeatAck {
            term: stage.term(A),
            sequence,
            position: accepted.position,
            hash: accepted.hash,
            verdict: Verdict::Refused(Refusal::StaleTerm { mine }),
            presence: presence(&stage, C),
        };
        stage.tell(A, C, Message::HeartbeatAck(ack));
        stage.run_for(SECOND);
        assert_eq!(stage.acting(), Some(A));
    }
    let last = stage.term(A);
    assert!(last <= after(first, 2), "P7 one voter interrupts a master once a minute at most");
}

/// R27: both others run fast, far beyond the bound, for a long time; then a is cut off.
fn the_others_have_fast_clocks(mut stage: Stage) {
    let slow = Timing::new(SECOND, SECOND * 20, SECOND / 2, 10_000, TICK);
    stage.edit_timing(A, slow.expect("fits"));
    stage.run_clocks_off(B, 150_000);
    stage.run_clocks_off(C, 150_000);
    stage.run_for(SECOND * 100);
    stage.isolate(A);
    stage.run_for(SECOND * 40);
}

/// R12: the promise in force is long, then short; all who gave it forget it.
fn promises_become_shorter(mut stage: Stage) {
    stage.run_for(SECOND * 5);
    stage.edit_timing(A, Timing::LAN);
    stage.run_for(Duration::from_millis(300));
    stage.isolate(A);
    stage.crash(B);
    stage.crash(C);
    stage.restart(B);
    stage.restart(C);
    stage.run_for(SECOND * 6);
}

/// R14: b misses an edit that a and the witness have; a dies, and b alone may lead.
fn only_a_witness_knows(mut stage: Stage) {
    stage.cut(A, B);
    stage.edit_timing(A, Timing::LAN);
    stage.crash(A);
    stage.heal();
    stage.run_for(SECOND * 10);
    assert!(stage.acting() == Some(B), "P7 there is a master soon after a majority can talk");
}

/// R25: acknowledgements of a's earlier term come when nobody hears a any more.
fn old_acknowledgements_come_late(mut stage: Stage) {
    let old = stage.term(A);
    stage.crash(A);
    stage.restart(A);
    stage.await_no_master();
    stage.await_that("it acts again", |stage| stage.acting() == Some(A));
    let accepted = stage.disk(B).accepted;
    stage.isolate(A);
    for tick in 0..60 {
        let sequence = 1 + tick / 2;
        let ack = HeartbeatAck {
            term: old,
            sequence,
            position: accepted.position,
            hash: accepted.hash,
            verdict: Verdict::Granted,
            presence: presence(&stage, B),
        };
        stage.tell(A, B, Message::HeartbeatAck(ack));
        stage.run_for(TICK);
    }
}

/// R26: b follows a, learns of a later term from c, and is asked for its vote in the next one.
fn a_term_is_learnt_elsewhere(mut stage: Stage) {
    let term = after(stage.term(A), 1);
    let accepted = stage.disk(C).accepted;
    let version = accepted.position.version + 1;
    let document = accepted.restamped(Position { term, version });
    stage.tell(B, C, Message::Offer(Offer { document: document.clone() }));
    stage.tell(C, B, Message::Offer(Offer { document }));
    stage.run_for(Duration::from_millis(5));
    let vote = candidacy(&stage, C, after(term, 1), None);
    stage.tell(B, C, vote);
    stage.run_for(TICK);
}

/// R37: b follows a; c asks for b's vote with a release of somebody else.
fn a_release_forces_a_vote(mut stage: Stage) {
    let term = stage.term(A);
    let release = Released { holder: charters::name(C), term: Term(term.0 - 1) };
    let vote = candidacy(&stage, C, after(term, 1), Some(release));
    stage.tell(B, C, vote);
    stage.run_for(TICK);
}

#[test]
fn every_scene_holds_when_nothing_is_missing() {
    for script in &SCRIPTS {
        assert_eq!(script.play(None), Ok(()), "{}", script.name);
    }
}

/// R19 (Ongaro): a adds e in one term and b removes d in the next, neither with a majority of the
/// voters before the change; a third majority then knows nothing of what b committed.
fn two_masters_change_the_voters(mut stage: Stage) {
    const V: MemberRole = MemberRole::Voter;
    const O: MemberRole = MemberRole::Observer;
    let nodes = [A, B, C, D, E];
    for node in nodes {
        stage.crash(node);
    }
    for node in nodes {
        stage.restart(node);
    }
    await_votes(&mut stage, A, [B, C]);
    for other in [B, C, D] {
        stage.cut_one_way(A, other);
    }
    stage.await_that("a wins", |stage| leads(stage, A));
    let before = stage.disk(E).accepted.revision;
    stage.propose_roles(A, &[V, V, V, V, V]);
    stage.run_for(TICK);
    if stage.disk(E).accepted.revision == before {
        return; // a is not believed before its own document is committed.
    }
    for other in [B, C, D] {
        stage.cut(A, other);
        stage.cut(E, other);
    }
    await_votes(&mut stage, B, [C, D]);
    stage.cut_one_way(B, D);
    stage.await_that("b wins", |stage| leads(stage, B));
    stage.propose_roles(B, &[V, V, V, O, O]);
    stage.await_that("b acts", |stage| stage.acting() == Some(B));
    stage.crash(B);
    stage.crash(C);
    stage.heal();
    stage.await_that("a acts", |stage| stage.acting() == Some(A));
}

/// Waits until these have their vote for `candidate` on disk, in a term none has heard of.
fn await_votes(stage: &mut Stage, candidate: usize, voters: [usize; 2]) {
    let name = charters::name(candidate);
    let has_vote = |stage: &Stage, voter: usize| {
        let record = stage.disk(voter);
        record.vote.as_ref() == Some(&name) && record.accepted.position.term < record.term
    };
    stage.await_that("it has their votes", |stage| voters.iter().all(|v| has_vote(stage, *v)));
}

/// Whether `node` won its term and stamped its document with it.
fn leads(stage: &Stage, node: usize) -> bool {
    let record = stage.disk(node);
    record.accepted.position.term == record.term && record.vote == Some(charters::name(node))
}

/// R45: a adds d and e at once, and is with them when the network parts: a majority of five here,
/// a majority of three there.
fn two_voters_come_at_once(mut stage: Stage) {
    stage.run_for(SECOND * 3);
    for here in [A, D, E] {
        stage.cut(here, B);
        stage.cut(here, C);
    }
    stage.propose_roles(A, &[MemberRole::Voter; 5]);
    stage.run_for(SECOND * 5);
}

/// R25 (D1): promises become longer, and only d and e have given long ones when a removes both.
/// Then a's daemon stops, and b and c are free long before the lease that d and e gave is over.
fn long_promises_leave(mut stage: Stage) {
    const V: MemberRole = MemberRole::Voter;
    const O: MemberRole = MemberRole::Observer;
    stage.run_for(SECOND);
    // b and c make the majority that commits it; nobody hears of the longer promise before.
    for node in [D, E] {
        stage.slow_disk(node, TICK);
    }
    stage.propose_timing(A, long_promises());
    stage.await_that("b and c have it", |stage| {
        let has_it = |node: &usize| stage.disk(*node).accepted.revision == 2;
        [B, C].iter().all(has_it)
    });
    stage.cut_one_way(A, B);
    stage.cut_one_way(A, C);
    stage.run_for(TICK * 4);
    for roles in [[V, V, V, V, O], [V, V, V, O, O]] {
        let before = stage.disk(A).committed.revision;
        stage.propose_roles(A, &roles);
        stage.run_for(Duration::from_millis(5));
        let document = stage.disk(A).accepted;
        assert_ne!(document.revision, before, "the lease that b and c give is long enough");
        for node in [B, C] {
            let append = Append { term: stage.term(A), document: document.clone() };
            stage.tell(node, A, Message::Append(append));
        }
        stage.run_for(TICK);
    }
    stage.pause(A);
    stage.run_for(SECOND * 8);
}

/// The default timing, with promises twice as long.
fn long_promises() -> Timing {
    let short = Timing::DEFAULT;
    let [beat, long] = [short.heartbeat(), short.dead_after() * 2];
    let timing = Timing::new(beat, long, short.stop(), short.drift_ppm(), short.stagger());
    timing.expect("longer promises are legal")
}

/// R21: one of b's clocks is fast; c asks b for its vote all the time after a's death.
fn a_slewed_voter_is_asked(mut stage: Stage) {
    stage.slew_clock(B, 83_000);
    stage.run_for(SECOND * 2);
    let vote = candidacy(&stage, C, after(stage.term(A), 1), None);
    stage.crash(A);
    for _ in 0..80 {
        stage.tell(B, C, vote.clone());
        stage.run_for(TICK);
    }
}

/// R13, R15: c asks for votes when a late word of a takes its own vote and leaves three voters, of
/// whom d alone has promised c anything.
fn a_late_append_takes_the_vote(mut stage: Stage) {
    const V: MemberRole = MemberRole::Voter;
    let ms = Duration::from_millis;
    stage.set_delay(ms(20));
    stage.run_for(SECOND * 2);
    let term = stage.term(A);
    for other in [B, C, D] {
        stage.cut_one_way(A, other);
    }
    stage.propose_roles(A, &[V, V, MemberRole::Observer, V]);
    stage.await_that("a has it on disk", |stage| stage.disk(A).accepted.revision == 2);
    let document = stage.disk(A).accepted;
    stage.crash(A);
    stage.run_for(ms(450));
    stage.crash(B);
    stage.await_that("c asks", |stage| stage.status(C).duty == Duty::Candidate);
    stage.tell(C, A, Message::Append(Append { term, document }));
    for there in [A, B] {
        stage.cut(C, there);
        stage.cut(D, there);
        stage.restart(there);
    }
    stage.run_for(SECOND * 5);
}
