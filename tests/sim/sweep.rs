//! Many seeds, and what they must show together.
//! Never stops at the first broken seed: the report names them all, the first one at length.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, thread};

use crate::sim::counters::Counters;
use crate::sim::replay::{Verdict, judge, report, seeds_or};
use crate::sim::run::run_seed;
use crate::sim::trace::Detail;

/// Seeds that every `cargo test` runs.
const EVERY_TIME: Range<u64> = 1..3_001;
/// A word of progress after so many seeds.
const PROGRESS: u64 = 10_000;
/// In fewer seeds than this not everything need happen.
const ENOUGH: u64 = 1_000;

/// Broken sentences and the seeds that broke them.
type Breaks = BTreeMap<String, BTreeSet<u64>>;

/// Runs all seeds on all cores; returns what happened and which seeds broke a sentence.
fn sweep(seeds: Range<u64>) -> (Counters, Breaks) {
    let next = AtomicU64::new(seeds.start);
    let totals = Mutex::new((Counters::default(), Breaks::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let verdict = judge(seed, None);
            let mut totals = totals.lock().expect("no worker panics");
            match verdict {
                Verdict::Held(counters) => totals.0.merge(&counters),
                Verdict::Broken(broken) => {
                    let sentence = format!("{} {}", broken.promise, broken.sentence);
                    totals.1.entry(sentence).or_default().insert(seed);
                }
                Verdict::Panicked(words) => {
                    totals.1.entry(format!("panic: {words}")).or_default().insert(seed);
                }
            }
            if seed.is_multiple_of(PROGRESS) && env::var_os("SIM_SEEDS").is_some() {
                println!("at seed {seed}, {} sentences broken", totals.1.len());
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    totals.into_inner().expect("no worker panics")
}

#[test]
fn a_thousand_seeds_keep_every_promise() {
    let seeds = seeds_or(EVERY_TIME);
    let (counters, broken) = sweep(seeds.clone());
    println!("{counters}");
    let count = seeds.end.saturating_sub(seeds.start);
    let failed: BTreeSet<u64> = broken.values().flatten().copied().collect();
    let hours = counters.lived.as_secs_f64() / 3600.0;
    println!("sweep {seeds:?}: {count} seeds, {} broken, {hours:.3} cluster-hours", failed.len());
    if let Some(first) = broken.values().flatten().min() {
        for (sentence, seeds) in &broken {
            println!(
                "{sentence}: {} seeds, {:?}",
                seeds.len(),
                seeds.iter().take(12).collect::<Vec<_>>()
            );
        }
        panic!("some seeds broke a sentence; the first:\n{}", report(*first, None));
    }
    let missing = if count < ENOUGH { Vec::new() } else { counters.missing() };
    assert!(missing.is_empty(), "nothing was proved about what never happened: {missing:?}");
}

/// One line per seed: how many lines its run had, and the hash over all of them.
fn hashes(seeds: impl Iterator<Item = u64>) -> String {
    let line = |seed| {
        let (lines, hash) = run_seed(seed, None, Detail::Kept).trace.digest();
        format!("{seed} {lines} {hash:016x}\n")
    };
    seeds.map(line).collect()
}

/// With `SIM_HASHES=F` and `SIM_SEEDS=1..3001` also across builds: the first run leaves the hashes
/// in that file, later ones compare theirs with it.
#[test]
fn the_same_seed_is_the_same_run_line_by_line() {
    let some = || hashes([3, 5, 8].into_iter());
    assert_eq!(some(), some());
    assert_ne!(hashes(3..4).split_once(' ').unwrap().1, hashes(5..6).split_once(' ').unwrap().1);
    let Ok(file) = env::var("SIM_HASHES") else { return };
    let made = hashes(seeds_or(EVERY_TIME));
    match fs::read_to_string(&file) {
        Ok(kept) => {
            let other = kept.lines().zip(made.lines()).find(|(was, is)| was != is);
            assert_eq!(other, None, "{file}: runs have changed");
            assert_eq!(kept.len(), made.len(), "{file}: these are other seeds");
        }
        Err(_) => fs::write(&file, made).unwrap(),
    }
}
