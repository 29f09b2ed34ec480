//! From a seed to a verdict people can work with.
//! Never changes a run: a failing seed is run again with its lines kept.

use std::env;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::protocol::mutant::Rule;
use crate::sim::counters::Counters;
use crate::sim::run::run_seed;
use crate::sim::trace::Detail;
use crate::sim::world::Broken;

/// What came of one seed.
pub(crate) enum Verdict {
    /// Every sentence held.
    Held(Box<Counters>),
    /// One did not.
    Broken(Broken),
    /// The protocol's own assertions stopped it.
    Panicked(String),
}

/// Runs one seed, quietly.
pub(crate) fn judge(seed: u64, rule: Option<Rule>) -> Verdict {
    match catch_unwind(|| run_seed(seed, rule, Detail::Silent)) {
        Ok(world) => match world.broken {
            Some(broken) => Verdict::Broken(broken),
            None => Verdict::Held(Box::new(world.counters)),
        },
        Err(cause) => Verdict::Panicked(words_of(&*cause)),
    }
}

fn words_of(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or(cause.downcast_ref::<&str>().copied()).unwrap_or("without a word").to_owned()
}

/// The whole report about a seed that broke a sentence.
pub(crate) fn report(seed: u64, rule: Option<Rule>) -> String {
    let mut report = String::new();
    let mut lines = Vec::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let world = run_seed(seed, rule, Detail::Kept);
        lines.extend(world.trace.last().cloned());
        world.broken
    }));
    for line in &lines {
        writeln!(report, "  {line}").expect("strings take everything");
    }
    match panicked {
        Ok(Some(broken)) => writeln!(
            report,
            "seed {seed}, at {}: {} does not hold: {}: {}",
            broken.at, broken.promise, broken.sentence, broken.detail
        ),
        Ok(None) => writeln!(report, "seed {seed}: every sentence holds"),
        Err(cause) => writeln!(report, "seed {seed}: panic: {}", words_of(&*cause)),
    }
    .expect("strings take everything");
    let mutant = rule.map(|rule| format!("SIM_MUTANT={rule:?} ")).unwrap_or_default();
    writeln!(report, "again: SIM_SEED={seed} {mutant}cargo test sim::replay -- --nocapture")
        .expect("strings take everything");
    report
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// The rule named in `SIM_MUTANT`.
fn rule_asked_for() -> Option<Rule> {
    let text = env::var("SIM_MUTANT").ok()?;
    let rule = Rule::ALL.into_iter().find(|rule| format!("{rule:?}") == text);
    Some(rule.unwrap_or_else(|| panic!("SIM_MUTANT={text} is none of {:?}", Rule::ALL)))
}

/// The seeds named in `SIM_SEEDS=from..to`, or these.
pub(crate) fn seeds_or(default: core::ops::Range<u64>) -> core::ops::Range<u64> {
    let Ok(text) = env::var("SIM_SEEDS") else { return default };
    let parsed =
        text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("SIM_SEEDS={text} is not of the form 1..1000"))
}

/// `SIM_SEED=N cargo test sim::replay -- --nocapture`, also with `SIM_MUTANT=Rule` and
/// `SIM_VERBOSE=1`.
#[test]
fn one_seed_can_be_replayed() {
    let seed = number("SIM_SEED").unwrap_or(1);
    let rule = rule_asked_for();
    if env::var_os("SIM_VERBOSE").is_some() {
        let world = run_seed(seed, rule, Detail::Printed);
        assert_eq!(world.broken, None, "seed {seed}");
        return;
    }
    match judge(seed, rule) {
        Verdict::Held(counters) => println!("seed {seed} holds:\n{counters}"),
        Verdict::Broken(_) | Verdict::Panicked(_) => panic!("\n{}", report(seed, rule)),
    }
}
