//! What says how fit a node is to be master: health counted in rows, objections from every source,
//! and how fresh the data is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate::daemon::condition::{Conditions, Source};
use quorate::daemon::fitness::Fitness;
use quorate::daemon::freshness::{self, Freshness};
use quorate::daemon::health::HealthWatch;
use quorate::daemon::health::tally::{Health, Tally};
use quorate::daemon::probe;
use quorate::protocol::effects::Condition;
use quorate::protocol::units::Moment;
use quorate::settings::node;

/// What a node was told, in order.
type Told = Arc<Mutex<Vec<Condition>>>;

fn conditions() -> (Arc<Conditions>, Told) {
    let told = Told::default();
    let teller = Arc::clone(&told);
    let tell = move |condition| teller.lock().unwrap().push(condition);
    (Arc::new(Conditions::new(tell)), told)
}

fn told(told: &Told) -> Vec<(bool, Option<u64>)> {
    told.lock().unwrap().iter().map(|one| (one.is_healthy, one.freshness)).collect()
}

/// `+` is a good run and `-` a bad one; gives the health after each: `h`, `u` or `?`.
fn after(rise: u32, fall: u32, runs: &str) -> String {
    let mut tally = Tally::new(rise, fall);
    let letter = |run| {
        let before = tally.health();
        let turned = tally.count(run == '+');
        assert_eq!(turned.is_some(), before != tally.health());
        match tally.health() {
            Health::Healthy => 'h',
            Health::Unhealthy => 'u',
            Health::Unknown => '?',
        }
    };
    runs.chars().map(letter).collect()
}

#[test]
fn the_first_run_decides_alone() {
    assert_eq!(Tally::new(9, 9).health(), Health::Unknown);
    assert_eq!(after(9, 9, "+"), "h");
    assert_eq!(after(9, 9, "-"), "u");
}

#[test]
fn health_turns_after_so_many_runs_in_a_row_and_not_before() {
    assert_eq!(after(2, 3, "+--+---"), "hhhhhhu");
    assert_eq!(after(2, 3, "-+-++-"), "uuuuhh");
    assert_eq!(after(1, 1, "+-+-"), "huhu");
    assert_eq!(after(100, 100, &"+-".repeat(50)), "h".repeat(100));
}

#[test]
fn a_tally_says_how_far_it_is_from_turning() {
    let mut tally = Tally::new(2, 3);
    assert_eq!(tally.against(), (0, 1));
    tally.count(true);
    assert_eq!(tally.against(), (0, 3));
    tally.count(false);
    tally.count(false);
    assert_eq!(tally.against(), (2, 3));
    tally.count(false);
    assert_eq!(tally.against(), (0, 2));
}

#[test]
fn one_objection_is_enough_and_the_node_hears_of_changes_only() {
    let (conditions, heard) = conditions();
    conditions.withdraw(Source::Hooks);
    assert_eq!(told(&heard), []);
    conditions.object(Source::Hooks, "not undone");
    conditions.object(Source::Health, "exit code 1");
    conditions.object(Source::Health, "exit code 2");
    assert_eq!(conditions.objections(), ["health: exit code 2", "hooks: not undone"]);
    conditions.withdraw(Source::Hooks);
    assert_eq!(told(&heard), [(false, None)]);
    conditions.set_freshness(Some(0));
    conditions.withdraw(Source::Health);
    conditions.set_freshness(None);
    let wanted = [(false, None), (false, Some(0)), (true, Some(0)), (true, None)];
    assert_eq!(told(&heard), wanted);
}

#[test]
fn a_node_with_a_health_command_is_not_healthy_until_that_said_so() {
    let (conditions, heard) = conditions();
    let watch = HealthWatch::new("/ok".into(), Tally::new(2, 2), Arc::clone(&conditions));
    assert_eq!(conditions.objections(), ["health: not asked yet"]);
    let remark = watch.judge(None).expect("the first run decides");
    assert_eq!((remark.code, remark.message.as_str()), ("health-changed", "healthy: /ok says so"));
    assert_eq!(told(&heard), [(false, None), (true, None)]);
    assert_eq!(watch.judge(Some("exit code 1".into())), None);
    assert!(conditions.objections().is_empty());
    let remark = watch.judge(Some("exit code 2".into())).expect("it fell");
    assert_eq!(remark.message, "unhealthy: /ok: exit code 2");
    assert_eq!(watch.judge(None), None);
    assert_eq!(conditions.objections(), ["health: exit code 2"]);
    let report = watch.report(Moment { boot_ns: u64::MAX, raw_ns: u64::MAX });
    assert_eq!((report.state.as_str(), report.against, report.need), ("unhealthy", 1, 2));
}

#[test]
fn a_position_is_one_whole_number_and_nothing_else() {
    for (printed, number) in [("42", 42), (" 0\n", 0), ("18446744073709551615\n", u64::MAX)] {
        assert_eq!(freshness::value(printed.as_bytes()), Ok(number), "{printed}");
    }
    let cases = [
        ("", "it printed nothing"),
        ("\n \n", "it printed nothing"),
        ("-1", "it printed `-1`, which is no whole number"),
        ("+1", "it printed `+1`, which is no whole number"),
        ("1 2", "no whole number"),
        ("1\n2", "no whole number"),
        ("0/16B3748\n", "it printed `0/16B3748`"),
        ("18446744073709551616", "larger than 18446744073709551615"),
    ];
    for (printed, words) in cases {
        let refusal = freshness::value(printed.as_bytes()).unwrap_err();
        assert!(refusal.contains(words), "{printed}: {refusal}");
    }
    assert!(freshness::value(b"\xff\xfe").unwrap_err().contains("no whole number"));
}

#[test]
fn what_programs_push_counts_unless_a_command_says_it() {
    let (conditions, heard) = conditions();
    let pushed = Freshness::new(None, Arc::clone(&conditions));
    let at = Moment::default();
    assert_eq!(pushed.report(at), None);
    pushed.push(7).unwrap();
    pushed.push(7).unwrap();
    assert_eq!(told(&heard), [(true, Some(7))]);
    let report = pushed.report(at).unwrap();
    assert_eq!((report.value, report.from.as_str()), (Some(7), "set-position"));

    let asked = Freshness::new(Some("/lsn".into()), Arc::clone(&conditions));
    assert!(asked.push(8).unwrap_err().contains("names a `position` command, /lsn"));
    asked.judge(Ok(9));
    asked.judge(Err("exit code 1".into()));
    assert_eq!(told(&heard)[1..], [(true, Some(9)), (true, None)]);
    let report = asked.report(at).unwrap();
    assert_eq!((report.value, report.reason.as_deref()), (None, Some("exit code 1")));
}

#[test]
fn a_node_without_commands_is_healthy_and_says_nothing() {
    let settings = node::parse("id: alpha\n", "node.yaml").unwrap();
    let told = Told::default();
    let teller = Arc::clone(&told);
    let fitness = Fitness::new(&settings, move |said| teller.lock().unwrap().push(said));
    let report = fitness.report(Moment::default());
    assert!(report.objections.is_empty() && report.health.is_none() && report.freshness.is_none());
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn the_runs_of_a_probe_do_not_drift_and_what_was_missed_is_not_made_up_for() {
    let at = |ms: u64| Moment { boot_ns: ms * 1_000_000, raw_ns: ms * 1_000_000 };
    let interval = Duration::from_millis(100);
    assert_eq!(probe::next(at(1_000), at(1_030), interval), at(1_100));
    assert_eq!(probe::next(at(1_000), at(1_100), interval), at(1_100));
    assert_eq!(probe::next(at(1_000), at(9_000), interval), at(9_000));
}
