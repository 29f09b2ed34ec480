//! Everything that may be missing is missed by some oracle, within a stated number of seeds.
//! Never proves a rule right: it proves the generators strong enough to notice.
//!
//! The seed that ended each mutant is kept in `killers.txt`, so that `cargo test` need not search.
//! `MUTANTS_SEARCH=1 cargo test sim::mutants -- --nocapture` searches from seed 1 on, prints how
//! many seeds each one truly takes, and writes the table anew; with `SIM_MUTANT=Name` only one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::{env, fs, thread};

use crate::protocol::mutant::Rule;
use crate::sim::missing::Missing;
use crate::sim::replay::{Verdict, judge, missing_as_asked};
use crate::sim::scripts::{SCRIPTS, Script};

/// The table of the last search.
const KILLERS: &str = include_str!("killers.txt");
const KILLERS_PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sim/killers.txt");

/// So many seeds a mutant gets before the generators count as too weak.
const SEEDS_MAX: u64 = 500;
/// So many get those that only a rare meeting of faults shows.
const RARE_SEEDS_MAX: u64 = 5_000;

/// How many seeds may be needed to notice that this is missing.
fn seeds_max(missing: Missing) -> u64 {
    match missing {
        Missing::Rule(
            Rule::NewerDocument
            | Rule::AnswerToQuestion
            | Rule::DriftMargin
            | Rule::LeaseNamedByHeartbeat
            | Rule::VoteWhileStopping
            | Rule::ActivationReserve
            | Rule::TimeoutNowTerm
            | Rule::ExactCopy
            | Rule::EditOnce,
        )
        | Missing::BootClock => RARE_SEEDS_MAX,
        Missing::Rule(_) | Missing::Guard => SEEDS_MAX,
    }
}

/// What ended a mutant.
#[derive(Clone, Debug)]
struct Kill {
    /// The seed's number, or the script's name.
    by: String,
    /// The oracle.
    oracle: String,
}

/// Whether each seed holds when nothing is missing, as far as anybody asked.
#[derive(Default)]
struct Soundness(Mutex<BTreeMap<u64, bool>>);

impl Soundness {
    fn of(&self, seed: u64) -> bool {
        let known = self.0.lock().expect("no hunter panics").get(&seed).copied();
        known.unwrap_or_else(|| {
            let is_sound = matches!(judge(seed, None), Verdict::Held(_));
            self.0.lock().expect("no hunter panics").insert(seed, is_sound);
            is_sound
        })
    }
}

/// How `seed` ends if something is `missing`, and not otherwise.
fn try_seed(missing: Missing, seed: u64, soundness: &Soundness) -> Option<Kill> {
    let oracle = match judge(seed, Some(missing)) {
        Verdict::Held(_) => return None,
        Verdict::Broken(broken) => format!("{} {}", broken.promise, broken.sentence),
        Verdict::Panicked(words) => format!("panic: {words}"),
    };
    soundness.of(seed).then(|| Kill { by: seed.to_string(), oracle })
}

/// The first kill from seed 1 on, or by a script.
fn search(missing: Missing, soundness: &Soundness) -> Option<Kill> {
    let about = |script: &&Script| missing == Missing::Rule(script.rule);
    if let Some(script) = SCRIPTS.iter().find(about) {
        let words = script.play(Some(missing)).err()?;
        script.play(None).ok()?;
        let oracle = words.split(['\n', ':']).next().unwrap_or_default().to_owned();
        return Some(Kill { by: format!("script {}", script.name), oracle });
    }
    (1..=seeds_max(missing)).find_map(|seed| try_seed(missing, seed, soundness))
}

/// The kill that the table promises, if it still is one.
fn recall(missing: Missing, soundness: &Soundness) -> Option<Kill> {
    let row = KILLERS.lines().find_map(|line| {
        let (name, rest) = line.split_once(char::is_whitespace)?;
        (name == missing.to_string()).then(|| rest.trim_start())
    })?;
    let seed = row.split_whitespace().next()?.parse().ok()?;
    try_seed(missing, seed, soundness).filter(|_| seed <= seeds_max(missing))
}

/// Ends every mutant, on all cores; `None` for those that survive.
fn hunt(is_search: bool) -> Vec<(Missing, Option<Kill>)> {
    let asked = missing_as_asked();
    let all: Vec<Missing> = Missing::all().filter(|m| asked.is_none_or(|it| it == *m)).collect();
    let left = Mutex::new(all.into_iter().enumerate());
    let found = Mutex::new(Vec::new());
    let soundness = Soundness::default();
    let work = || {
        loop {
            let Some((index, missing)) = left.lock().expect("no hunter panics").next() else {
                return;
            };
            let known = if is_search { None } else { recall(missing, &soundness) };
            let kill = known.or_else(|| search(missing, &soundness));
            if is_search {
                println!("{}", row(missing, kill.as_ref()));
            }
            found.lock().expect("no hunter panics").push((index, missing, kill));
        }
    };
    let hunters = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..hunters {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().expect("no hunter panics");
    found.sort_by_key(|(index, ..)| *index);
    found.into_iter().map(|(_, missing, kill)| (missing, kill)).collect()
}

fn row(missing: Missing, kill: Option<&Kill>) -> String {
    let limit = seeds_max(missing);
    match kill {
        Some(kill) => format!("{missing:<22} {:>22}  {limit:>6}  {}", kill.by, kill.oracle),
        None => format!("{missing:<22} {:>22}  {limit:>6}  SURVIVES", "-"),
    }
}

#[test]
fn everything_that_is_missing_is_noticed() {
    let is_search = env::var_os("MUTANTS_SEARCH").is_some();
    let mut table = String::new();
    let mut survivors = Vec::new();
    writeln!(table, "{:<22} {:>22}  {:>6}  noticed by", "missing", "seeds", "limit").unwrap();
    for (missing, kill) in hunt(is_search) {
        writeln!(table, "{}", row(missing, kill.as_ref())).unwrap();
        if kill.is_none() {
            survivors.push(missing.to_string());
        }
    }
    println!("{table}");
    if is_search && missing_as_asked().is_none() {
        fs::write(KILLERS_PATH, &table).expect("the table can be written");
    }
    assert!(survivors.is_empty(), "nothing notices that these are missing: {survivors:?}");
}
