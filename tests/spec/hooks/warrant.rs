//! Whom a new master has to fence, by what its node saw and kept.

use quorate::daemon::hooks::warrant::{Target, Warrant};
use quorate::protocol::units::NodeId;
use quorate::wire::control::{ChangeReport, EventReport};

/// What `a` tells of a change of master.
fn change(from: Option<&str>, to: Option<&str>, reason: &str) -> EventReport {
    let [from, to] = [from, to].map(|name| name.map(str::to_owned));
    EventReport {
        schema: 1,
        seq: 1,
        time: String::new(),
        uptime_ms: 0,
        node: "a".to_owned(),
        term: 1,
        code: "master-changed".to_owned(),
        level: "info".to_owned(),
        reason: Some(reason.to_owned()),
        change: Some(Box::new(ChangeReport { from, to, term: 1 })),
        refusals: std::collections::BTreeMap::new(),
        lost: 0,
        message: String::new(),
    }
}

fn me() -> NodeId {
    NodeId::new("a").unwrap()
}

fn target(events: &[EventReport]) -> Target {
    let mut warrant = Warrant::default();
    events.iter().for_each(|event| warrant.hear(event));
    warrant.target(&me())
}

#[test]
fn a_master_that_fell_silent_is_fenced_and_one_that_gave_up_is_not() {
    let seen = change(None, Some("b"), "announced");
    let lost = change(Some("b"), None, "promise-expired");
    let won = change(None, Some("a"), "elected-here");
    let left = change(Some("b"), None, "released");
    assert_eq!(target(&[seen.clone(), lost, won.clone()]), Target::Node("b".to_owned()));
    assert_eq!(target(&[seen.clone(), left, won.clone()]), Target::Nobody);
    assert_eq!(target(&[seen, won]), Target::Node("b".to_owned()));
    assert_eq!(target(&[]), Target::Unknown);
}

#[test]
fn who_was_lost_is_not_forgotten_because_this_node_won_and_lost_meanwhile() {
    let mut warrant = Warrant::default();
    for event in [
        change(None, Some("b"), "announced"),
        change(Some("b"), Some("a"), "elected-here"),
        change(Some("a"), None, "ended-operator"),
    ] {
        warrant.hear(&event);
    }
    assert_eq!(warrant.target(&me()), Target::Node("b".to_owned()));
    warrant.settle(&me());
    assert_eq!(warrant.target(&me()), Target::Nobody);
    warrant.hear(&change(None, Some("c"), "announced"));
    assert_eq!(warrant.target(&me()), Target::Node("c".to_owned()));
}

#[test]
fn what_was_kept_through_a_restart_names_the_other_that_was_master_last() {
    let [b, a] = ["b", "a"].map(|name| change(None, Some(name), "announced"));
    assert_eq!(Warrant::of_past([&a, &b]).target(&me()), Target::Node("b".to_owned()));
    assert_eq!(Warrant::of_past([&b, &a]).target(&me()), Target::Unknown);
    assert_eq!(Warrant::of_past([]).target(&me()), Target::Unknown);
}
