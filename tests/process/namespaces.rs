//! Links are cut between real machines, in both or one direction, and nobody doubles.
//! Never skips silently: a machine without namespaces says so in one line.

use super::cluster::report;
use super::led::Led;

/// F04
#[test]
fn cutting_the_link_between_the_two_lowest_moves_nothing_and_doubles_nobody() {
    let Some(led) = Led::of(3) else { return };
    led.network.cut(0, 1);
    led.notices_silence("bravo", "alpha");
    led.stays_with_alpha();
    led.network.heal();
    led.stays_with_alpha();
}

/// F05
#[test]
fn a_master_that_one_node_cannot_hear_stays_master() {
    let Some(led) = Led::of(3) else { return };
    led.network.cut_one_way(0, 1);
    led.notices_silence("bravo", "alpha");
    led.stays_with_alpha();
    led.network.heal();
    led.stays_with_alpha();
}

#[test]
fn a_master_that_cannot_hear_one_node_stays_master() {
    let Some(led) = Led::of(3) else { return };
    led.network.cut_one_way(1, 0);
    led.notices_silence("alpha", "bravo");
    led.stays_with_alpha();
    led.network.heal();
    led.stays_with_alpha();
}

/// F03
#[test]
fn an_isolated_master_stops_before_the_next_one_acts_and_follows_after_the_heal() {
    let Some(led) = Led::of(3) else { return };
    led.network.isolate(0);
    let (heir, later) = led.is_succeeded_by(&["bravo", "charlie"]);
    led.cluster.until("alpha knows that it is alone", |view| {
        (!report(view, "alpha")?.quorum.ok).then_some(())
    });
    led.network.heal();
    assert_eq!(led.cluster.settles(), (heir, later));
}

#[test]
fn a_follower_that_was_cut_off_disturbs_nobody_when_it_returns() {
    let Some(led) = Led::of(3) else { return };
    led.network.isolate(2);
    led.cluster.until("charlie knows that it is alone", |view| {
        let report = report(view, "charlie")?;
        (!report.quorum.ok && report.master.is_none()).then_some(())
    });
    led.network.heal();
    led.stays_with_alpha();
}

#[test]
fn when_every_link_is_cut_nobody_is_master_until_the_heal() {
    let Some(led) = Led::of(3) else { return };
    led.network.isolate(0);
    led.network.cut(1, 2);
    led.are_idle(&["alpha", "bravo", "charlie"]);
    led.network.heal();
    assert!(led.cluster.settles().1 > led.term);
}

/// F06
#[test]
fn a_master_that_hears_nobody_stops_and_is_replaced_although_all_could_hear_it() {
    let Some(led) = Led::of(3) else { return };
    led.network.cut_one_way(1, 0);
    led.network.cut_one_way(2, 0);
    let (heir, later) = led.is_succeeded_by(&["bravo", "charlie"]);
    led.are_idle(&["alpha"]);
    led.acts_on(&heir, later);
    led.network.heal();
    assert_eq!(led.cluster.settles(), (heir, later));
}
