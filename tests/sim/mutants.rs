//! Every rule with a switch is missed by some oracle when it is off.
//! Never proves a rule right: it proves the generators strong enough to notice.

use crate::protocol::mutant::Rule;
use crate::sim::replay::{Verdict, judge};

/// So many seeds each mutant gets before the generators count as too weak.
const SEEDS_MAX: u64 = 3_000;

/// The seed that ends a mutant, and how. With all rules on, the same seed must hold.
fn killer(rule: Rule) -> Option<(u64, String)> {
    let is_sound = |seed| matches!(judge(seed, None), Verdict::Held(_));
    (1..=SEEDS_MAX).find_map(|seed| {
        let how = match judge(seed, Some(rule)) {
            Verdict::Held(_) => return None,
            Verdict::Broken(broken) => format!("{} {}", broken.promise, broken.sentence),
            Verdict::Panicked(words) => format!("panic: {words}"),
        };
        is_sound(seed).then_some((seed, how))
    })
}

#[test]
fn every_missing_rule_is_noticed() {
    let mut survivors = Vec::new();
    for rule in Rule::ALL {
        match killer(rule) {
            Some((seed, oracle)) => println!("{:<22} {seed:>5}  {oracle}", format!("{rule:?}")),
            None => survivors.push(rule),
        }
    }
    assert!(survivors.is_empty(), "nothing notices that these are missing: {survivors:?}");
}
