//! From a seed, or a script, to a verdict people can work with.
//! Never changes a run: a failing seed is run again with its lines kept.

use std::env;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::sim::counters::Counters;
use crate::sim::missing::Missing;
use crate::sim::run::run_seed;
use crate::sim::script::{self, Script};
use crate::sim::trace::Detail;
use crate::sim::world::{Broken, World};

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
pub(crate) fn judge(seed: u64, missing: Option<Missing>) -> Verdict {
    verdict_of(|| run_seed(seed, missing, Detail::Silent))
}

fn verdict_of(run: impl FnOnce() -> World) -> Verdict {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(world) => match world.broken {
            Some(broken) => Verdict::Broken(broken),
            None => Verdict::Held(Box::new(world.counters)),
        },
        Err(cause) => Verdict::Panicked(words_of(&*cause)),
    }
}

impl Verdict {
    /// What did not hold, without the details that differ from run to run.
    fn sentence(&self) -> Option<String> {
        match self {
            Self::Held(_) => None,
            Self::Broken(broken) => Some(format!("{} {}", broken.promise, broken.sentence)),
            Self::Panicked(words) => Some(format!("panic: {}", words.lines().next()?)),
        }
    }

    /// The whole verdict in words.
    fn words(&self) -> String {
        match self {
            Self::Held(_) => "every sentence holds".to_owned(),
            Self::Broken(broken) => format!(
                "at {}: {} does not hold: {}: {}",
                broken.at, broken.promise, broken.sentence, broken.detail
            ),
            Self::Panicked(words) => format!("panic: {words}"),
        }
    }
}

pub(crate) fn words_of(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or(cause.downcast_ref::<&str>().copied()).unwrap_or("without a word").to_owned()
}

/// The whole report about a seed that broke a sentence; its script is left in a file.
pub(crate) fn report(seed: u64, missing: Option<Missing>) -> String {
    let mut lines = Vec::new();
    let mut found = None;
    let verdict = verdict_of(|| {
        let world = run_seed(seed, missing, Detail::Kept);
        lines.extend(world.trace.last().cloned());
        found = Some(Script::of(seed, &world));
        world
    });
    let mut report = String::new();
    let write = |report: &mut String| -> std::fmt::Result {
        for line in &lines {
            writeln!(report, "  {line}")?;
        }
        writeln!(report, "seed {seed}, {}", verdict.words())?;
        let mutant = missing.map(|missing| format!("SIM_MUTANT={missing} ")).unwrap_or_default();
        writeln!(report, "again: SIM_SEED={seed} {mutant}cargo test sim::replay -- --nocapture")?;
        if let Some(script) = &found {
            let file = script_file(&format!("seed-{seed}.sim"));
            keep(&file, &script::with_verdict(script, &verdict.words()));
            writeln!(report, "or: SIM_FILE={} SIM_REDUCE=1 with the same", file.display())?;
        }
        Ok(())
    };
    write(&mut report).expect("strings take everything");
    report
}

fn script_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn keep(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Runs the script in `file`, and makes a smaller one if that is asked for.
fn replay_file(file: &str, detail: Detail) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let script = Script::parse(&text).unwrap_or_else(|why| panic!("{file}: {why}"));
    let verdict = verdict_of(|| script.run(detail));
    let Some(sentence) = verdict.sentence() else {
        println!("{file}: every sentence holds");
        return;
    };
    if env::var_os("SIM_REDUCE").is_some() {
        let judge = |script: &Script| verdict_of(|| script.run(Detail::Silent));
        let small = script.reduced(|script| judge(script).sentence().as_ref() == Some(&sentence));
        let to = format!("{file}.small");
        keep(Path::new(&to), &script::with_verdict(&small, &judge(&small).words()));
        println!("{} strikes of {} are enough: {to}", small.strikes.len(), script.strikes.len());
    }
    panic!("{file}: {}", verdict.words());
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// What is named in `SIM_MUTANT`.
pub(crate) fn missing_as_asked() -> Option<Missing> {
    let name = env::var("SIM_MUTANT").ok()?;
    let missing = Missing::named(&name);
    let names = || Missing::all().map(|missing| missing.to_string()).collect::<Vec<_>>();
    Some(missing.unwrap_or_else(|| panic!("SIM_MUTANT={name} is none of {:?}", names())))
}

/// The seeds named in `SIM_SEEDS=from..to`, or these.
pub(crate) fn seeds_or(default: core::ops::Range<u64>) -> core::ops::Range<u64> {
    let Ok(text) = env::var("SIM_SEEDS") else { return default };
    let parsed =
        text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("SIM_SEEDS={text} is not of the form 1..1000"))
}

/// `SIM_SEED=N cargo test sim::replay -- --nocapture`, also with `SIM_MUTANT=Rule` and
/// `SIM_VERBOSE=1`; or `SIM_FILE=F`, also with `SIM_REDUCE=1`.
#[test]
fn one_seed_can_be_replayed() {
    let is_verbose = env::var_os("SIM_VERBOSE").is_some();
    if let Ok(file) = env::var("SIM_FILE") {
        return replay_file(&file, if is_verbose { Detail::Printed } else { Detail::Silent });
    }
    let seed = number("SIM_SEED").unwrap_or(1);
    let missing = missing_as_asked();
    if is_verbose {
        let world = run_seed(seed, missing, Detail::Printed);
        assert_eq!(world.broken, None, "seed {seed}");
        return;
    }
    match judge(seed, missing) {
        Verdict::Held(counters) => println!("seed {seed} holds:\n{counters}"),
        Verdict::Broken(_) | Verdict::Panicked(_) => panic!("\n{}", report(seed, missing)),
    }
}
