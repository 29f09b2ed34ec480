//! Larger networks fall apart in ways three nodes cannot, and mastership stays where a majority is.
//! Never asks for more than the shape allows: an even split has no master at all.

use super::cluster::report;
use super::led::Led;

/// How often the network changes its shape in the flapping test.
const FLIPS: u64 = 8;

/// What a node of a debug build may hold on to over all flips but the first.
const GROWTH_KIB_MAX: u64 = 1_024;

/// How much memory of bravo's daemon is there.
fn resident_kib(led: &mut Led) -> u64 {
    let pid = led.cluster.node("bravo").pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.and_then(|line| line.split_whitespace().next());
    size.expect("the system says it").parse().expect("it is a number")
}

/// Cuts every link between the one group and the other.
fn part(led: &Led, one: &[usize], other: &[usize]) {
    for from in one {
        other.iter().for_each(|to| led.network.cut(*from, *to));
    }
}

/// F07
#[test]
fn two_groups_that_share_one_node_have_one_stable_master() {
    let Some(mut led) = Led::of(5) else { return };
    part(&led, &[0, 1], &[3, 4]);
    led.notices_silence("delta", "alpha");
    led.notices_silence("bravo", "echo");
    led.acts_on("alpha", led.term);
    // Without alpha only charlie's group still has a majority.
    led.cluster.crash("alpha");
    let (heir, later) = led.is_succeeded_by(&["charlie", "delta", "echo"]);
    led.acts_on(&heir, later);
    led.network.heal();
    led.cluster.node("alpha").start();
    assert_eq!(led.cluster.settles(), (heir, later));
}

/// F11
#[test]
fn an_even_split_has_no_master_on_either_side_until_it_heals() {
    let Some(led) = Led::of(4) else { return };
    part(&led, &[0, 1], &[2, 3]);
    led.are_idle(&["alpha", "bravo", "charlie", "delta"]);
    led.network.heal();
    assert!(led.cluster.settles().1 > led.term);
}

/// F17
#[test]
fn a_partition_that_flips_again_and_again_costs_at_most_one_term_a_flip() {
    let Some(mut led) = Led::of(5) else { return };
    let mut sizes = Vec::new();
    for flip in 0..FLIPS {
        sizes.push(resident_kib(&mut led));
        led.network.heal();
        match flip % 2 {
            0 => part(&led, &[0, 1], &[2, 3, 4]),
            _ => part(&led, &[0, 1, 2], &[3, 4]),
        }
        // Half of dead_after, by the clock of a daemon.
        let seen =
            led.cluster.until("bravo answers", |view| Some(report(view, "bravo")?.uptime_ms));
        led.cluster.until("bravo answers a second later", |view| {
            (report(view, "bravo")?.uptime_ms > seen + 1_000).then_some(())
        });
    }
    led.network.heal();
    let (_, term) = led.cluster.settles();
    assert!(term <= led.term + FLIPS + 1, "{FLIPS} flips: from term {} to {term}", led.term);
    // The first flip shows what it needs at most; the others reuse that.
    let growth = resident_kib(&mut led).saturating_sub(sizes[1]);
    assert!(growth < GROWTH_KIB_MAX, "{growth} KiB more, after {sizes:?}");
}
