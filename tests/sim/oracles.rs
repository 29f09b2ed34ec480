//! The promises as sentences about facts, and which facts each of them is about.
//! Never says how a sentence is broken; `verdicts` does. A broken sentence ends the run.

use crate::sim::history::Fact;
use crate::sim::topics::TOPICS;
use crate::sim::topics::Topic::{
    self, Accepted, Answered, Append, AppendAck, Began, Heartbeat, HeartbeatAck, PreVote,
    PreVoteReply, Release, Started, Time, Told, Vote, VoteReply, Wrote,
};
use crate::sim::verdicts::{
    View, acting_is_promised, acts_under_own_document, answers_name_their_edit, at_most_one_acts,
    begins_with_a_lease, commits_are_on_a_majority, commits_are_one_line, disks_never_go_back,
    failed_disks_are_silent, handovers_lead_to_the_next, living_children_bind,
    masters_know_what_was_committed, masters_may_lead, one_content_per_position, one_vote_per_term,
    one_winner_per_term, refusals_move_no_term, refused_edits_stay_out, released_for_ever,
    released_when_dead, said_after_written, terms_of_acting_rise, votes_go_to_newer_documents,
    votes_keep_promises, winners_have_votes_on_disk,
};

/// A sentence that must hold after every event.
pub(crate) struct Oracle {
    /// What it judges; of everything else it has nothing to say.
    topics: &'static [Topic],
    /// The promise it belongs to.
    pub(crate) promise: &'static str,
    /// What must hold.
    pub(crate) sentence: &'static str,
    /// How it is broken by this fact, if it is.
    pub(crate) check: Check,
}

type Check = fn(&View<'_>, &Fact<'_>) -> Option<String>;

const fn oracle(
    topics: &'static [Topic],
    promise: &'static str,
    sentence: &'static str,
    check: Check,
) -> Oracle {
    Oracle { topics, promise, sentence, check }
}

/// How many oracles there are.
const COUNT: usize = 25;

/// All of them.
static ORACLES: [Oracle; COUNT] = [
    oracle(&[Time, Began], "P1", "at most one node acts at any true time", at_most_one_acts),
    oracle(
        &[Began],
        "P2",
        "each activation has a higher term than all before it",
        terms_of_acting_rise,
    ),
    oracle(&[Told], "P2", "two winners never share a term", one_winner_per_term),
    oracle(
        &[Told],
        "P2",
        "a winner has the votes of a majority on disk",
        winners_have_votes_on_disk,
    ),
    oracle(&[Wrote, VoteReply], "P3", "one disk votes for one node per term", one_vote_per_term),
    oracle(&[Wrote], "P3", "nothing on a disk goes back", disks_never_go_back),
    oracle(
        &[Accepted, Wrote, Append],
        "P4",
        "one position has one content",
        one_content_per_position,
    ),
    oracle(
        &[Began],
        "P4",
        "a master starts from all that was committed",
        masters_know_what_was_committed,
    ),
    oracle(&[Began], "P8", "nobody leads whom its document keeps from it", masters_may_lead),
    oracle(&[VoteReply], "P4", "no vote goes to an older document", votes_go_to_newer_documents),
    oracle(
        &[Answered, Told, Wrote],
        "P4",
        "what is committed is one line of descent",
        commits_are_one_line,
    ),
    oracle(
        &[Accepted, Answered],
        "P4",
        "an edit that was refused is never taken",
        refused_edits_stay_out,
    ),
    oracle(
        &[Answered],
        "P4",
        "an edit is committed where its answer says",
        answers_name_their_edit,
    ),
    oracle(
        &[Vote, VoteReply, AppendAck, Heartbeat, HeartbeatAck],
        "P5",
        "nothing is said before it is on disk",
        said_after_written,
    ),
    oracle(
        &[Answered, Told, Wrote],
        "P5",
        "a commit is on a majority of disks",
        commits_are_on_a_majority,
    ),
    oracle(
        &[Began],
        "P5",
        "a master acts under a document of its own term",
        acts_under_own_document,
    ),
    oracle(
        &[Time, Began],
        "P6",
        "what acts is covered by the promises of a majority",
        acting_is_promised,
    ),
    oracle(&[Vote, VoteReply], "P6", "no vote breaks a running promise", votes_keep_promises),
    oracle(
        &[Started, Vote, VoteReply],
        "P6",
        "a node with living children neither votes nor starts",
        living_children_bind,
    ),
    oracle(
        &[Started],
        "P6",
        "whoever begins to act has two heartbeats left to act",
        begins_with_a_lease,
    ),
    oracle(
        &[VoteReply],
        "P7",
        "a vote refused by what binds the voter moves no term",
        refusals_move_no_term,
    ),
    oracle(&[Vote], "P9", "a handover leads from one term to the next", handovers_lead_to_the_next),
    oracle(&[Release], "P9", "a term is released after its children are dead", released_when_dead),
    oracle(
        &[Began, Heartbeat, HeartbeatAck],
        "P9",
        "a released term is never used again",
        released_for_ever,
    ),
    oracle(
        &[PreVote, PreVoteReply, Vote, VoteReply, AppendAck, HeartbeatAck],
        "P11",
        "a node with a failed disk is silent",
        failed_disks_are_silent,
    ),
];

/// For each topic the oracles that judge it, a bit each.
static JUDGES: [u32; TOPICS] = judges();

const fn judges() -> [u32; TOPICS] {
    let mut judges = [0; TOPICS];
    let mut which = 0;
    while which < COUNT {
        let mut rest = ORACLES[which].topics;
        while let [topic, others @ ..] = rest {
            judges[*topic as usize] |= 1 << which;
            rest = others;
        }
        which += 1;
    }
    judges
}

/// The first sentence that this fact breaks, and how.
pub(crate) fn first_broken(view: &View<'_>, fact: &Fact<'_>) -> Option<(&'static Oracle, String)> {
    let mut judges = JUDGES[Topic::of(fact) as usize];
    while judges != 0 {
        let oracle = &ORACLES[judges.trailing_zeros() as usize];
        if let Some(detail) = (oracle.check)(view, fact) {
            return Some((oracle, detail));
        }
        judges &= judges - 1;
    }
    None
}

/// The same by asking all of them, whatever they say they judge.
pub(crate) fn first_broken_of_all(
    view: &View<'_>,
    fact: &Fact<'_>,
) -> Option<(&'static Oracle, String)> {
    ORACLES.iter().find_map(|oracle| Some((oracle, (oracle.check)(view, fact)?)))
}
