//! What a timing means in numbers, and the page that shows the presets side by side.

use std::path::Path;

use quorate::cli::budget::{Budget, presets, table};
use quorate::protocol::timing::Timing;

const PAGE: &str = "contrib/doc/timing.md";

#[test]
fn the_default_leaves_the_numbers_of_its_design() {
    let budget = Budget::of(&Timing::DEFAULT);
    assert_eq!((budget.lease_ms, budget.acts_for_ms), (3_918, 3_068));
    assert_eq!((budget.stop_ms, budget.kill_ms, budget.margin_ms), (500, 250, 100));
    assert_eq!((budget.may_be_lost, budget.failover_ms), (5, 4_040));
}

#[test]
fn what_is_left_is_what_the_arithmetic_says() {
    for (name, timing) in presets() {
        let budget = Budget::of(&timing);
        let after = budget.lease_ms - budget.stop_ms - budget.kill_ms - budget.margin_ms;
        assert_eq!(budget.acts_for_ms, after, "{name}");
        let beats = (budget.may_be_lost + 1) * budget.heartbeat_ms;
        assert!(beats <= budget.acts_for_ms, "{name}");
        assert!(beats + budget.heartbeat_ms > budget.acts_for_ms, "{name}");
        assert!(budget.lines().iter().all(|line| line.len() <= 100), "{:?}", budget.lines());
    }
}

#[test]
fn the_page_about_timing_has_the_numbers_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<String>> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .filter(|cells: &Vec<String>| cells.len() == 4 && cells[0] != "preset")
        .collect();
    assert_eq!(
        rows,
        table().into_iter().map(Vec::from).collect::<Vec<_>>(),
        "{PAGE}: quorate config timing prints it"
    );
}
