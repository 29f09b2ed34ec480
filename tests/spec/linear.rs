//! What the document is to those who edit it at the same time: one register, whose edits take
//! effect one after the other, each between its question and its answer (R43).
//! Never looks for that order itself: `todc-utils` does, a checker that is not ours.
//!
//! | what became of an edit over revision `r` of content `b` | what that claims |
//! |---|---|
//! | committed as revision `n` | at one moment the document was `b` at `r`, and then this at `n` |
//! | refused, since the document is at `n` | at one moment it was at `n`, which is not `r` |
//! | refused for another reason | nothing happened, now or ever |
//! | unknown, or no answer | at one moment after the question, or never, the same as committed |
//!
//! A `show` claims nothing here: it tells what its node has, which may be older than what the
//! master has. It is checked all the same, as what a committed edit was made from.

use serde::{Deserialize, Serialize};
use todc_utils::specifications::Specification;
use todc_utils::{Action, History, WGLChecker};

/// Which content, in a word.
pub(crate) type Tag = String;

/// A revision of the document and its content.
pub(crate) type Text = (u64, Tag);

/// What whoever asked was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It is the document, at this revision.
    Committed(u64),
    /// It is not: the document is at this revision already.
    Moved(u64),
    /// It is not, for another reason.
    Refused,
    /// Nobody knows, or nobody answered.
    Unknown,
}

/// One edit as whoever asked for it saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// When it was asked for: any count that rises.
    pub(crate) asked: u64,
    /// When it was answered, by the same count; an unknown one may still happen later.
    pub(crate) answered: u64,
    /// What it was made from; without the content, if that was not that revision's.
    pub(crate) over: (u64, Option<Tag>),
    /// The content it would bring, which no other edit brings.
    pub(crate) tag: Tag,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// A look at the document where it cannot be outdated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Look {
    /// When.
    pub(crate) at: u64,
    /// What was seen.
    pub(crate) seen: Text,
}

/// Edits that some programs asked for at the same time, and looks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What the document was before.
    pub(crate) before: Text,
    /// In any order.
    pub(crate) edits: Vec<Edit>,
    /// In any order.
    #[serde(default)]
    pub(crate) looks: Vec<Look>,
}

/// One step of the register.
#[derive(Clone, Debug)]
enum Step {
    Begin(Text),
    Edit(Edit),
    Look(Text),
    End,
}

/// The register: nothing yet, a text, or nothing any more.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum State {
    Unborn,
    At(Text),
    Over,
}

struct Register;

impl Specification for Register {
    type State = State;
    type Operation = Step;

    fn init() -> State {
        State::Unborn
    }

    /// Whether the step may happen now, and what is then.
    fn apply(step: &Step, state: &State) -> (bool, State) {
        let next = match (step, state) {
            (Step::Begin(text), State::Unborn) => Some(State::At(text.clone())),
            (Step::Edit(edit), State::At(text)) => happens(edit, text).map(State::At),
            (Step::Look(seen), State::At(text)) => (seen == text).then(|| state.clone()),
            (Step::End, State::At(_)) => Some(State::Over),
            // Whatever has not happened by now never does.
            (Step::Edit(edit), State::Over) if edit.outcome == Outcome::Unknown => {
                Some(State::Over)
            }
            _ => None,
        };
        let is_valid = next.is_some();
        (is_valid, next.unwrap_or_else(|| state.clone()))
    }
}

/// The document after this edit took effect, if it may do so now.
fn happens(edit: &Edit, (revision, content): &Text) -> Option<Text> {
    let (over, base) = &edit.over;
    let is_over_this = over == revision && base.as_ref().is_none_or(|base| base == content);
    match edit.outcome {
        Outcome::Committed(number) => {
            (is_over_this && number == revision + 1).then(|| (number, edit.tag.clone()))
        }
        Outcome::Unknown => is_over_this.then(|| (revision + 1, edit.tag.clone())),
        Outcome::Moved(number) => {
            (number == *revision && over != revision).then(|| (*revision, content.clone()))
        }
        Outcome::Refused => None,
    }
}

impl Record {
    /// Whether the edits took effect one after the other, each while it was asked for.
    pub(crate) fn is_linearizable(&self) -> bool {
        WGLChecker::<Register>::is_linearizable(History::from_actions(self.actions()))
    }

    /// Each step's question and answer in order of time, as a process of its own.
    fn actions(&self) -> Vec<(usize, Action<Step>)> {
        // What happened at one time may have happened in either order: questions go first. What
        // nobody knows of is not answered before the end.
        let far = u64::MAX;
        let mut steps = vec![(0, 0, Step::Begin(self.before.clone()))];
        let looks = self.looks.iter().map(|look| (look.at, look.at, Step::Look(look.seen.clone())));
        steps.extend(looks.map(|(asked, answered, step)| (asked + 1, answered + 1, step)));
        // Nothing is claimed by what was refused for another reason, so it is left out; had it
        // taken effect, nothing would explain what the next edit was made from.
        for edit in self.edits.iter().filter(|edit| edit.outcome != Outcome::Refused) {
            let is_open = edit.outcome == Outcome::Unknown;
            let answered = if is_open { far } else { edit.answered + 1 };
            steps.push((edit.asked + 1, answered, Step::Edit(edit.clone())));
        }
        steps.push((far - 2, far - 1, Step::End));
        let mut moments = Vec::new();
        for (process, (asked, answered, step)) in steps.into_iter().enumerate() {
            moments.push((asked, 0, process, Action::Call(step.clone())));
            moments.push((answered, 1, process, Action::Response(step)));
        }
        moments.sort_by_key(|(at, is_answer, process, _)| (*at, *is_answer, *process));
        moments.into_iter().map(|(_, _, process, action)| (process, action)).collect()
    }

    /// How many of its edits are known to be committed.
    pub(crate) fn commits(&self) -> usize {
        let is_committed = |edit: &&Edit| matches!(edit.outcome, Outcome::Committed(_));
        self.edits.iter().filter(is_committed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(span: (u64, u64), over: u64, outcome: Outcome) -> Edit {
        let base = Some(if over == 1 { "founded".to_owned() } else { format!("edit-{over}") });
        let tag = match outcome {
            Outcome::Committed(number) => format!("edit-{number}"),
            _ => format!("edit of {}", span.0),
        };
        Edit { asked: span.0, answered: span.1, over: (over, base), tag, outcome }
    }

    fn record(edits: &[Edit]) -> Record {
        Record { before: (1, "founded".to_owned()), edits: edits.to_vec(), looks: Vec::new() }
    }

    fn look(at: u64, number: u64, tag: &str) -> Look {
        Look { at, seen: (number, tag.to_owned()) }
    }

    #[test]
    fn edits_that_overlap_may_take_effect_in_either_order() {
        let first = edit((5, 30), 1, Outcome::Committed(2));
        let second = edit((1, 40), 2, Outcome::Committed(3));
        let moved = edit((2, 35), 1, Outcome::Moved(2));
        assert!(record(&[second.clone(), first.clone(), moved.clone()]).is_linearizable());
        // The refusal came before the edit that it speaks of was even asked for.
        let early = Edit { asked: 1, answered: 3, ..moved };
        assert!(!record(&[second, first, early]).is_linearizable());
    }

    #[test]
    fn of_two_edits_of_one_revision_only_one_can_be_committed() {
        let one = edit((1, 10), 1, Outcome::Committed(2));
        let other = Edit { tag: "another".to_owned(), ..one.clone() };
        assert!(record(std::slice::from_ref(&one)).is_linearizable());
        assert!(!record(&[one, other]).is_linearizable());
    }

    #[test]
    fn a_committed_edit_that_is_lost_is_noticed() {
        let first = edit((1, 10), 1, Outcome::Committed(2));
        let over_nothing = Edit {
            over: (2, Some("founded".to_owned())),
            ..edit((20, 30), 2, Outcome::Committed(3))
        };
        assert!(!record(&[first.clone(), over_nothing]).is_linearizable());
        let mut seen = record(&[first]);
        seen.looks = vec![look(11, 2, "edit-2")];
        assert!(seen.is_linearizable());
        seen.looks.push(look(12, 1, "founded"));
        assert!(!seen.is_linearizable(), "it was seen, and then it was not");
    }

    #[test]
    fn a_refused_edit_that_takes_effect_is_noticed() {
        let refused = edit((1, 10), 1, Outcome::Refused);
        let mut seen = record(std::slice::from_ref(&refused));
        assert!(seen.is_linearizable());
        seen.looks = vec![look(20, 2, &refused.tag)];
        assert!(!seen.is_linearizable());
        seen.edits[0].outcome = Outcome::Unknown;
        assert!(seen.is_linearizable(), "an unknown one may take effect");
    }

    #[test]
    fn an_unknown_edit_takes_effect_late_or_never_and_not_before_it_was_asked_for() {
        let unknown = edit((10, 12), 1, Outcome::Unknown);
        let mut seen = record(std::slice::from_ref(&unknown));
        seen.looks = vec![look(99, 1, "founded")];
        assert!(seen.is_linearizable(), "never");
        seen.looks.push(look(100, 2, &unknown.tag));
        assert!(seen.is_linearizable(), "late");
        seen.looks = vec![look(9, 2, &unknown.tag)];
        assert!(!seen.is_linearizable(), "early");
    }

    #[test]
    fn a_revision_that_no_edit_made_is_noticed() {
        assert!(!record(&[edit((1, 10), 1, Outcome::Committed(3))]).is_linearizable());
        assert!(!record(&[edit((1, 10), 1, Outcome::Moved(2))]).is_linearizable());
        assert!(!record(&[edit((1, 10), 1, Outcome::Moved(1))]).is_linearizable());
    }
}
