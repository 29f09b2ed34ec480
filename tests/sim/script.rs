//! A run written down: its seed, and every fault that struck it, a line each. From the file the
//! run can be made again, and made smaller until only what matters is left.
//! Never draws a fault: a scripted run has those of its script and no others.
//!
//! ```text
//! # P6 does not hold: no vote breaks a running promise: b votes for c ...
//! seed 102377
//! without StopBeforeExpiry
//! strike 1234567890 Crash b 88172645463325252
//! quiet network
//! ```
//!
//! A strike names its true time in nanoseconds, its kind, the node it is aimed at or `-`, and the
//! seed of all chance in it. `quiet` takes the noise of the network, the disks, the timers or the
//! children out of the run.

use std::fmt::{self, Write as _};

use crate::sim::charters;
use crate::sim::clock::TrueTime;
use crate::sim::draw::Draw;
use crate::sim::faults::{Kind, Strike};
use crate::sim::guard::Temper;
use crate::sim::missing::Missing;
use crate::sim::network::Weather;
use crate::sim::plan::Plan;
use crate::sim::run::CALM_DISK;
use crate::sim::trace::Detail;
use crate::sim::world::{Due, World};

/// Noise that can be taken out of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Noise {
    Network,
    Disks,
    Timers,
    Children,
}

impl Noise {
    const ALL: [Self; 4] = [Self::Network, Self::Disks, Self::Timers, Self::Children];

    fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Disks => "disks",
            Self::Timers => "timers",
            Self::Children => "children",
        }
    }
}

/// A run that can be made again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    pub(crate) missing: Option<Missing>,
    pub(crate) strikes: Vec<(TrueTime, Strike)>,
    pub(crate) quiet: Vec<Noise>,
}

impl Script {
    /// The script of a run that was drawn from its seed.
    pub(crate) fn of(seed: u64, world: &World) -> Self {
        let strikes = world.struck.iter().filter(|(at, _)| *at <= world.now).copied().collect();
        Self { seed, missing: world.missing, strikes, quiet: Vec::new() }
    }

    /// Makes the run.
    pub(crate) fn run(&self, detail: Detail) -> World {
        let mut draw = Draw::new(self.seed);
        let mut plan = Plan::draw(&mut draw);
        for noise in &self.quiet {
            match noise {
                Noise::Network => plan.weather = Weather::FAIR,
                Noise::Disks => plan.disk = CALM_DISK,
                Noise::Timers => plan.oversleep = core::time::Duration::from_nanos(1),
                Noise::Children => plan.temper = Temper::Stubborn,
            }
        }
        let mut world = World::new(plan, draw, self.missing, detail);
        world.is_scripted = true;
        for (at, strike) in &self.strikes {
            world.queue.put(*at, Due::Strike { epoch: world.epoch, strike: *strike });
        }
        world.live();
        world
    }

    /// The smallest script found that breaks what this one breaks.
    pub(crate) fn reduced(&self, breaks: impl Fn(&Self) -> bool) -> Self {
        let mut best = self.clone();
        let mut chunk = best.strikes.len().div_ceil(2);
        while chunk > 0 {
            let mut start = 0;
            while start < best.strikes.len() {
                let mut smaller = best.clone();
                smaller.strikes.drain(start..(start + chunk).min(best.strikes.len()));
                if breaks(&smaller) {
                    best = smaller;
                } else {
                    start += chunk;
                }
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
        for noise in Noise::ALL {
            let mut quieter = best.clone();
            quieter.quiet.push(noise);
            if !best.quiet.contains(&noise) && breaks(&quieter) {
                best = quieter;
            }
        }
        best
    }

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// The first line that cannot be read, and why.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut seed = None;
        let mut script = Self { seed: 0, missing: None, strikes: Vec::new(), quiet: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let read = match words.as_slice() {
                [] => Some(()),
                ["seed", number] => number.parse().ok().map(|number| seed = Some(number)),
                ["without", name] => Missing::named(name).map(|it| script.missing = Some(it)),
                ["quiet", word] => {
                    let noise = Noise::ALL.into_iter().find(|noise| noise.word() == *word);
                    noise.map(|noise| script.quiet.push(noise))
                }
                ["strike", words @ ..] => strike(words).map(|strike| script.strikes.push(strike)),
                _ => None,
            };
            read.ok_or_else(|| format!("line {}: cannot read `{line}`", number + 1))?;
        }
        script.seed = seed.ok_or("no line `seed NUMBER`")?;
        Ok(script)
    }
}

fn strike(words: &[&str]) -> Option<(TrueTime, Strike)> {
    let [at, kind, node, dice] = words else { return None };
    let kind = Kind::ALL.into_iter().find(|known| format!("{known:?}") == **kind)?;
    let node = match *node {
        "-" => None,
        name => Some((0..charters::NAMES.len()).find(|index| charters::NAMES[*index] == name)?),
    };
    Some((TrueTime(at.parse().ok()?), Strike { kind, at: node, dice: dice.parse().ok()? }))
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        if let Some(missing) = self.missing {
            writeln!(f, "without {missing}")?;
        }
        for noise in &self.quiet {
            writeln!(f, "quiet {}", noise.word())?;
        }
        for (at, Strike { kind, at: node, dice }) in &self.strikes {
            let node = node.map_or("-", |node| charters::NAMES[node]);
            writeln!(f, "strike {} {kind:?} {node} {dice}", at.0)?;
        }
        Ok(())
    }
}

/// The text of a script with what it breaks above it.
pub(crate) fn with_verdict(script: &Script, verdict: &str) -> String {
    let mut text = String::new();
    for line in verdict.lines() {
        writeln!(text, "# {line}").expect("strings take everything");
    }
    write!(text, "{script}").expect("strings take everything");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::mutant::Rule;
    use crate::sim::run::run_seed;

    #[test]
    fn a_run_made_again_from_its_script_is_the_same_run_line_by_line() {
        for seed in [2, 4, 9] {
            let world = run_seed(seed, None, Detail::Kept);
            let text = Script::of(seed, &world).to_string();
            let script = Script::parse(&text).expect("it was just written");
            assert_eq!(script.to_string(), text);
            assert_eq!(script.run(Detail::Kept).trace.digest(), world.trace.digest(), "{seed}");
        }
    }

    #[test]
    fn a_script_that_breaks_a_sentence_is_cut_down_to_what_breaks_it() {
        let missing = Some(Missing::Rule(Rule::StopBeforeExpiry));
        let broken = |script: &Script| script.run(Detail::Silent).broken.map(|b| b.sentence);
        let (seed, world) = (1..200)
            .map(|seed| (seed, run_seed(seed, missing, Detail::Silent)))
            .find(|(_, world)| world.broken.is_some() && world.struck.len() > 4)
            .expect("some seed notices");
        let script = Script::of(seed, &world);
        let sentence = broken(&script);
        let small = script.reduced(|script| broken(script) == sentence);
        assert_eq!(broken(&small), sentence);
        assert!(small.strikes.len() < script.strikes.len(), "{small} is all of {script}");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let strange = "seed 4\nstrike soon Crash b 3\n";
        assert_eq!(
            Script::parse(strange),
            Err("line 2: cannot read `strike soon Crash b 3`".into())
        );
        assert_eq!(Script::parse("quiet disks"), Err("no line `seed NUMBER`".into()));
    }
}
