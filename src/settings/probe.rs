//! Reads and writes `health` and `position` of node.yaml: the programs a node asks, again and
//! again, whether it is fit to be master and how fresh its data is. Never runs one.

use std::time::Duration;

use super::command::{self, command};
use super::duration;
use super::field::{Field, Table};
use super::keys;
use super::problem::Problem;

/// From the start of one run to the start of the next, where nothing else is said.
pub const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
/// How long a run may take where nothing else is said, unless the interval is shorter.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);
/// So many good runs in a row make a node healthy, where nothing else is said.
pub const RISE_DEFAULT: u32 = 2;
/// So many bad runs in a row make it unhealthy, where nothing else is said.
pub const FALL_DEFAULT: u32 = 3;

const INTERVAL_LEAST: Duration = Duration::from_millis(100);
const INTERVAL_MOST: Duration = Duration::from_secs(3600);
const TIMEOUT_LEAST: Duration = Duration::from_millis(50);
const IN_A_ROW_MOST: u64 = 100;

/// The program that says whether this node is fit to be master.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthProbe {
    /// A whole path and arguments.
    pub command: Vec<String>,
    /// From the start of one run to the start of the next: 100 ms to 1 h.
    pub interval: Duration,
    /// How long a run may take: 50 ms to `interval`.
    pub timeout: Duration,
    /// So many good runs in a row make an unhealthy node healthy: 1 to 100.
    pub rise: u32,
    /// So many bad runs in a row make a healthy node unhealthy: 1 to 100.
    pub fall: u32,
}

/// The program that says how fresh this node's data is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PositionProbe {
    /// A whole path and arguments.
    pub command: Vec<String>,
    /// From the start of one run to the start of the next: 100 ms to 1 h.
    pub interval: Duration,
    /// How long a run may take: 50 ms to `interval`.
    pub timeout: Duration,
}

/// Reads `health`.
pub(super) fn read_health(field: &Field<'_>) -> Result<HealthProbe, Problem> {
    let table = field.table(&keys::HEALTH)?;
    let [rise, fall] = [("rise", RISE_DEFAULT), ("fall", FALL_DEFAULT)].map(|(key, default)| {
        table.find(key).map_or(Ok(default), |field| {
            let number = field.whole(1, IN_A_ROW_MOST)?;
            Ok(u32::try_from(number).expect("no more than IN_A_ROW_MOST was accepted"))
        })
    });
    let PositionProbe { command, interval, timeout } = read_common(&table)?;
    Ok(HealthProbe { command, interval, timeout, rise: rise?, fall: fall? })
}

/// Reads `position`.
pub(super) fn read_position(field: &Field<'_>) -> Result<PositionProbe, Problem> {
    read_common(&field.table(&keys::POSITION)?)
}

fn read_common(table: &Table<'_>) -> Result<PositionProbe, Problem> {
    let words = table.need("command", "name the program: `command: [/usr/local/bin/program]`")?;
    let command = command(&words)?;
    let interval = match table.find("interval") {
        Some(field) => field.duration_within(INTERVAL_LEAST, INTERVAL_MOST)?,
        None => INTERVAL_DEFAULT,
    };
    let Some(field) = table.find("timeout") else {
        return Ok(PositionProbe { command, interval, timeout: TIMEOUT_DEFAULT.min(interval) });
    };
    let timeout = field.duration_within(TIMEOUT_LEAST, INTERVAL_MOST)?;
    if timeout > interval {
        let [timeout, interval] = [timeout, interval].map(duration::show);
        let message = format!("`timeout` is {timeout}, longer than `interval`, {interval}");
        let hint =
            "a run has to be over when the next one is due: shorten one or lengthen the other";
        return Err(field.problem(message).hint(hint));
    }
    Ok(PositionProbe { command, interval, timeout })
}

/// `health` as node.yaml has it; [`read_health`] reads it back.
pub(super) fn render_health(probe: &HealthProbe) -> String {
    let HealthProbe { command, interval, timeout, rise, fall } = probe;
    let common = render_common(command, *interval, *timeout);
    format!("health: {{{common}, rise: {rise}, fall: {fall}}}")
}

/// `position` as node.yaml has it; [`read_position`] reads it back.
pub(super) fn render_position(probe: &PositionProbe) -> String {
    let PositionProbe { command, interval, timeout } = probe;
    format!("position: {{{}}}", render_common(command, *interval, *timeout))
}

fn render_common(words: &[String], interval: Duration, timeout: Duration) -> String {
    let [interval, timeout] = [interval, timeout].map(duration::show);
    format!("command: {}, interval: {interval}, timeout: {timeout}", command::render(words))
}
