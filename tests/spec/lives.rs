//! Which processes of one name live: restarts, copies, and a greeting that came late.

use std::time::Duration;

use quorate::daemon::lives::{Greeting, Lives};
use quorate::daemon::waiting::Deadline;
use quorate::protocol::units::NodeId;

const PATIENCE: Duration = Duration::from_secs(6);

struct Story {
    lives: Lives,
    peer: NodeId,
    now: Deadline,
}

impl Story {
    fn new() -> Self {
        let peer = NodeId::new("bravo").unwrap();
        Self { lives: Lives::default(), peer, now: Deadline::now() }
    }

    fn greets(&mut self, instance: u64) -> Greeting {
        let place = format!("place {instance}");
        self.lives.greet(&self.peer, instance, place, self.now, PATIENCE)
    }

    fn later(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    fn is_the_one(&self, instance: u64) -> bool {
        self.lives.is_the_one(&self.peer, instance)
    }
}

/// F65
#[test]
fn a_restart_is_no_second_life() {
    let mut story = Story::new();
    for instance in 1..30 {
        let wanted = if instance == 1 { Greeting::Known } else { Greeting::New };
        assert_eq!(story.greets(instance), wanted);
        assert_eq!(story.greets(instance), Greeting::Known);
        assert!(story.is_the_one(instance) && !story.is_the_one(instance - 1));
    }
}

#[test]
fn one_greeting_that_came_after_its_senders_death_takes_nothing_from_the_next_process() {
    let mut story = Story::new();
    story.greets(1);
    assert_eq!(story.greets(2), Greeting::New);
    assert_eq!(story.greets(1), Greeting::Returned);
    assert_eq!(story.greets(2), Greeting::Returned);
    assert!(story.is_the_one(2));
    assert_eq!(story.greets(2), Greeting::Known);
}

/// F65
#[test]
fn two_that_live_return_again_and_again_and_neither_counts_until_one_is_gone() {
    let mut story = Story::new();
    story.greets(1);
    story.greets(2);
    assert_eq!(story.greets(1), Greeting::Returned);
    assert_eq!(story.greets(2), Greeting::Returned);
    let doubled = |is_news, other: &str| Greeting::Doubled { is_news, other: other.to_owned() };
    assert_eq!(story.greets(1), doubled(true, "place 2"));
    assert!(!story.is_the_one(1) && !story.is_the_one(2));
    for _ in 0..4 {
        story.later(PATIENCE / 2);
        assert_eq!(story.greets(2), doubled(false, "place 1"));
        assert_eq!(story.greets(1), doubled(false, "place 2"));
    }
    // The second one is gone from here on.
    story.later(PATIENCE / 2);
    assert_eq!(story.greets(1), doubled(false, "place 2"));
    story.later(PATIENCE / 2);
    assert_eq!(story.greets(1), Greeting::AloneAgain);
    assert!(story.is_the_one(1) && story.lives.doubled().next().is_none());
}

#[test]
fn accidents_of_different_days_do_not_add_up() {
    let mut story = Story::new();
    story.greets(1);
    story.greets(2);
    for instance in [1, 2, 1, 2, 1, 2] {
        assert_eq!(story.greets(instance), Greeting::Returned);
        story.later(Duration::from_secs(3_600));
    }
}
