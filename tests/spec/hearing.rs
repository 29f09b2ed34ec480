//! A link that works one way only is told of, and so is its mending.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::protocol::effects::Event;
use crate::protocol::membership::{Failback, MemberRole};
use crate::sim::charters;
use crate::sim::history::Fact;

use super::stage::{A, B, C, Stage};

/// Who told that whom does not hear it, or hears it again.
type Tales = Arc<Mutex<Vec<(usize, usize, bool)>>>;

fn overheard() -> (Stage, Tales) {
    overheard_by(&[MemberRole::Voter; 3])
}

fn overheard_by(roles: &[MemberRole]) -> (Stage, Tales) {
    let tales = Tales::default();
    let heard = Arc::clone(&tales);
    let listener = Box::new(move |fact: &Fact<'_>| {
        if let Fact::Told { node, event: Event::HearingChanged { peer, hears_us } } = fact {
            let peer = [A, B, C].into_iter().find(|index| charters::name(*index) == *peer);
            heard.lock().unwrap().push((*node, peer.unwrap(), *hears_us));
        }
    });
    let mut stage = Stage::overheard_by(roles, Failback::Never, 1, listener);
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    stage.run_for(Duration::from_secs(5));
    (stage, tales)
}

/// F05
#[test]
fn a_node_that_a_peer_does_not_hear_says_so_once_and_again_when_it_does() {
    let (mut stage, tales) = overheard();
    assert!(tales.lock().unwrap().is_empty(), "while links come up and nothing is cut");
    stage.cut_one_way(A, C);
    stage.run_for(Duration::from_secs(10));
    assert_eq!(*tales.lock().unwrap(), [(A, C, false)]);
    stage.heal();
    stage.run_for(Duration::from_secs(5));
    assert_eq!(*tales.lock().unwrap(), [(A, C, false), (A, C, true)]);
}

#[test]
fn a_peer_that_is_silent_is_not_called_deaf() {
    let (mut stage, tales) = overheard();
    stage.crash(C);
    stage.run_for(Duration::from_secs(5));
    stage.restart(C);
    stage.cut(A, B);
    stage.run_for(Duration::from_secs(5));
    assert!(tales.lock().unwrap().is_empty(), "{tales:?}");
}

/// Peers say which voters they hear, and an observer is none.
#[test]
fn an_observer_does_not_say_that_it_is_not_heard() {
    let [voter, observer] = [MemberRole::Voter, MemberRole::Observer];
    let (mut stage, tales) = overheard_by(&[voter, voter, observer]);
    stage.run_for(Duration::from_secs(20));
    assert!(tales.lock().unwrap().is_empty(), "{tales:?}");
    let seen: Vec<_> = stage.status(C).peers.iter().map(|it| (it.is_heard, it.hears_us)).collect();
    assert_eq!(seen, [(true, None); 2]);
    let back: Vec<_> = stage.status(A).peers.iter().map(|it| it.hears_us).collect();
    assert_eq!(back, [Some(true); 2]);
}
