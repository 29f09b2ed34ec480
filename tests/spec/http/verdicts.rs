//! Yes or no, for everything that a node may be at the moment of the question.

use std::sync::Arc;
use std::time::Duration;

use quorate::daemon::clock;
use quorate::daemon::http::verdict::{Question, Sight};
use quorate::daemon::network::Delivery;
use quorate::daemon::notice::{Notice, Place};
use quorate::protocol::effects::Input;
use quorate::protocol::membership::MemberRole;
use quorate::protocol::status::{Duty, Glance};
use quorate::protocol::units::Term;

use crate::spec::driver::{PATIENCE, running, wait_for};
use crate::spec::workshop::{Workshop, node};

const HEARTBEAT: Duration = Duration::from_millis(100);
const ALL: [Question; 6] = [
    Question::Master,
    Question::Backup,
    Question::ReadOnly,
    Question::Health,
    Question::Liveness,
    Question::Readiness,
];

/// A voter that follows bravo.
fn follower() -> Notice {
    let glance = Glance {
        duty: Duty::Follower,
        term: Term(7),
        master: Some(node("bravo")),
        has_quorum: true,
        is_storage_failed: false,
        is_healthy: true,
    };
    let role = Some(MemberRole::Voter);
    Notice { glance, place: Place { role, is_standby: false, heartbeat: HEARTBEAT } }
}

fn seen(notice: Notice) -> Sight {
    let (core_age, core_late) = (Duration::from_millis(3), Duration::ZERO);
    Sight { notice: Arc::new(notice), acting: None, core_age, core_late }
}

/// The questions that are answered with yes.
fn yes(sight: &Sight) -> Vec<Question> {
    ALL.into_iter().filter(|question| sight.judge(*question).is_yes).collect()
}

fn acting() -> Option<(Term, Duration)> {
    Some((Term(8), Duration::from_millis(1)))
}

#[test]
fn a_follower_serves_readers_and_a_master_everybody() {
    use Question::{Backup, Health, Liveness, Master, ReadOnly, Readiness};
    assert_eq!(yes(&seen(follower())), [Backup, ReadOnly, Health, Liveness, Readiness]);
    let mut notice = follower();
    notice.glance.duty = Duty::Master;
    let master = Sight { acting: acting(), ..seen(notice) };
    assert_eq!(yes(&master), [Master, ReadOnly, Health, Liveness, Readiness]);
    assert_eq!((master.role(), master.term()), ("master", Term(8)));
}

/// H57
#[test]
fn a_lease_past_its_end_is_no_mastership_whatever_the_node_last_believed() {
    let mut notice = follower();
    notice.glance.duty = Duty::Master;
    notice.glance.master = Some(node("alpha"));
    let sight = seen(notice);
    let verdict = sight.judge(Question::Master);
    assert!(!verdict.is_yes && verdict.reason.contains("is over"), "{verdict:?}");
    assert_eq!(sight.role(), "stopping");
    assert!(!sight.judge(Question::ReadOnly).is_yes);
    // And a lease that holds is one, although the node has not said so yet.
    let early = Sight { acting: acting(), ..seen(follower()) };
    assert!(early.judge(Question::Master).is_yes && !early.judge(Question::Backup).is_yes);
}

/// H57
#[test]
fn a_core_that_stands_still_answers_no_to_everything() {
    let late = |late| Sight { core_late: late, acting: acting(), ..seen(follower()) };
    assert!(yes(&late(HEARTBEAT * 2)).contains(&Question::Master));
    let sight = late(HEARTBEAT * 2 + Duration::from_millis(1));
    assert_eq!(yes(&sight), []);
    assert!(sight.judge(Question::Liveness).reason.contains("201 ms late"));
}

#[test]
fn without_a_majority_a_node_lives_and_is_not_ready() {
    let mut notice = follower();
    (notice.glance.has_quorum, notice.glance.master) = (false, None);
    assert_eq!(yes(&seen(notice.clone())), [Question::Liveness]);
    for duty in [Duty::Candidate, Duty::Winner, Duty::Stopping] {
        notice.glance.duty = duty;
        notice.glance.has_quorum = true;
        assert_eq!(yes(&seen(notice.clone())), [Question::Health, Question::Liveness], "{duty:?}");
    }
}

#[test]
fn who_is_of_no_use_to_readers_says_why() {
    let reason = |change: &dyn Fn(&mut Notice)| {
        let mut notice = follower();
        change(&mut notice);
        let verdict = seen(notice).judge(Question::Backup);
        assert!(!verdict.is_yes, "{verdict:?}");
        verdict.reason.into_owned()
    };
    assert!(reason(&|n| n.place.is_standby = true).contains("standby"));
    assert!(reason(&|n| n.place.role = Some(MemberRole::Witness)).contains("witness"));
    assert!(reason(&|n| n.place.role = None).contains("does not name it"));
    assert!(reason(&|n| n.glance.is_healthy = false).contains("health"));
    assert!(reason(&|n| n.glance.is_storage_failed = true).contains("storage failed"));
    let mut observer = follower();
    observer.place.role = Some(MemberRole::Observer);
    assert!(seen(observer).judge(Question::Backup).is_yes);
}

#[test]
fn what_the_driver_shows_is_what_the_node_does() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    let sight = Sight::of(&driver);
    assert_eq!((sight.role(), sight.term()), ("master", Term(1)));
    assert!(sight.judge(Question::Master).is_yes);
    assert!(sight.core_age < PATIENCE && sight.notice.glance.has_quorum);
    driver.deliver(Input::Leave);
    driver.left().recv_timeout(PATIENCE).unwrap();
    let sight = Sight::of(&driver);
    assert!(!sight.judge(Question::Master).is_yes, "{sight:?}");
    assert_eq!(driver.acting().left_at(clock::now()), None);
}

#[test]
fn a_failed_disk_shows_at_once() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    driver.deliver(Input::PersistFailed { error: "no space left".to_owned() });
    let sight = Sight::of(&driver);
    assert!(sight.notice.glance.is_storage_failed);
    assert!(!sight.judge(Question::Health).is_yes && sight.judge(Question::Liveness).is_yes);
}
