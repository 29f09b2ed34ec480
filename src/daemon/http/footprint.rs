//! Reads what this process costs, from /proc.
//! Never fails: what cannot be read is not told.

use std::fs;
use std::time::Duration;

/// What it costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Footprint {
    /// Time on a processor, its own and the kernel's for it.
    pub(super) cpu: Duration,
    /// From the start of the machine to that of the process.
    pub(super) started: Duration,
    /// In bytes.
    pub(super) memory: u64,
    /// In bytes, used or not.
    pub(super) address_space: u64,
    /// How many.
    pub(super) threads: u64,
    /// How many.
    pub(super) files: u64,
}

/// That of this process.
pub(super) fn read() -> Option<Footprint> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Counted as files: those that are open while they are counted, and this one.
    let files = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    let mut found = of(&stat, rustix::param::clock_ticks_per_second())?;
    found.memory *= u64::try_from(rustix::param::page_size()).ok()?;
    found.files = u64::try_from(files).ok()?;
    Some(found)
}

/// The line of proc_pid_stat(5), with memory in pages. The name before the fields may be anything.
fn of(stat: &str, ticks_per_second: u64) -> Option<Footprint> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first of these is the third of the line.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let time = |ticks: u64| {
        let ns = ticks.saturating_mul(1_000_000_000 / ticks_per_second.max(1));
        Duration::from_nanos(ns)
    };
    Some(Footprint {
        cpu: time(field(14)? + field(15)?),
        threads: field(20)?,
        started: time(field(22)?),
        address_space: field(23)?,
        memory: field(24)?,
        files: 0,
    })
}
