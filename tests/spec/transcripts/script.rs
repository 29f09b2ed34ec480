//! The steps of a transcript: one verb a line, in words a newcomer reads.
//! Never does one; `scene` does.
//!
//! | step | what it does |
//! |---|---|
//! | `found 3 voters` | a new cluster, whose daemons start now |
//! | `found 3 voters led by a` | the same a second after the first election |
//! | `found 3 voters led by a, failback after 3 s` | the same, and the preferred node returns |
//! | `run 2 s` | lets time pass |
//! | `run until b acts` | or `somebody acts`, or `nobody acts` |
//! | `run until b: is elected` | until a line of b begins with these words, from now on |
//! | `expect b acts` | or `nobody acts`; `expect only a acts for 5 s` lets time pass |
//! | `expect b is in T2`, `expect b has the document of c` | what else is checked |
//! | `cut a - b`, `cut a -> b`, `isolate a`, `heal` | links: both ways, one way, all of a's |
//! | `let messages take 45 ms` | on every link, from now on |
//! | `crash a`, `start a` | the daemon of a |
//! | `break disk of b`, `mend disk of b` | the next write fails, or none does |
//! | `edit at a` | an operator changes the document there and waits for no answer |
//! | `ask a to hand over to c` | an operator's wish |

use core::time::Duration;

/// The nodes, in order of preference.
const NAMES: &str = "abcdefghi";

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Found { size: usize, failback: Option<Duration>, is_settled: bool },
    Run(Duration),
    RunUntil(Hope),
    Expect(Hope),
    ExpectOnly { node: usize, span: Duration },
    ExpectTerm { node: usize, term: u64 },
    ExpectSameDocument { one: usize, other: usize },
    Cut { one: usize, other: usize },
    CutOneWay { from: usize, to: usize },
    Isolate(usize),
    Heal,
    Delay(Duration),
    Crash(usize),
    Start(usize),
    BreakDisk(usize),
    MendDisk(usize),
    Edit(usize),
    HandOver { from: usize, to: usize },
}

/// What is waited for, or expected to be so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Hope {
    Acts(usize),
    SomebodyActs,
    NobodyActs,
    /// A new line of this node begins so.
    Line {
        node: usize,
        words: String,
    },
}

impl Step {
    /// Reads a line.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        Self::of_words(line).ok_or_else(|| {
            format!("unknown step `{line}`: tests/spec/transcripts/script.rs lists them")
        })
    }

    fn of_words(line: &str) -> Option<Self> {
        if let Some((node, words)) =
            line.strip_prefix("run until ").and_then(|l| l.split_once(": "))
        {
            let words = words.to_owned();
            return Some(Self::RunUntil(Hope::Line { node: self::node(node)?, words }));
        }
        let words: Vec<&str> = line.split(' ').collect();
        Some(match words.as_slice() {
            ["found", size, "voters"] => found(size, None, false)?,
            ["found", size, "voters", "led", "by", "a"] => found(size, None, true)?,
            ["found", size, "voters", "led", "by", "a,", "failback", "after", number, unit] => {
                found(size, Some(span(number, unit)?), true)?
            }
            ["run", number, unit] => Self::Run(span(number, unit)?),
            ["run", "until", who, "acts"] => Self::RunUntil(hope(who)?),
            ["expect", who, "acts"] => Self::Expect(hope(who)?),
            ["expect", "only", who, "acts", "for", number, unit] => {
                Self::ExpectOnly { node: node(who)?, span: span(number, unit)? }
            }
            ["expect", who, "is", "in", term] => {
                Self::ExpectTerm { node: node(who)?, term: term.strip_prefix('T')?.parse().ok()? }
            }
            ["expect", one, "has", "the", "document", "of", other] => {
                Self::ExpectSameDocument { one: node(one)?, other: node(other)? }
            }
            ["cut", one, "-", other] => Self::Cut { one: node(one)?, other: node(other)? },
            ["cut", from, "->", to] => Self::CutOneWay { from: node(from)?, to: node(to)? },
            ["isolate", who] => Self::Isolate(node(who)?),
            ["heal"] => Self::Heal,
            ["let", "messages", "take", number, unit] => Self::Delay(span(number, unit)?),
            ["crash", who] => Self::Crash(node(who)?),
            ["start", who] => Self::Start(node(who)?),
            ["break", "disk", "of", who] => Self::BreakDisk(node(who)?),
            ["mend", "disk", "of", who] => Self::MendDisk(node(who)?),
            ["edit", "at", who] => Self::Edit(node(who)?),
            ["ask", from, "to", "hand", "over", "to", to] => {
                Self::HandOver { from: node(from)?, to: node(to)? }
            }
            _ => return None,
        })
    }
}

/// The name of a node.
pub(super) fn name(node: usize) -> &'static str {
    &NAMES[node..=node]
}

fn node(name: &str) -> Option<usize> {
    NAMES.find(name).filter(|_| name.len() == 1)
}

fn hope(who: &str) -> Option<Hope> {
    Some(match who {
        "somebody" => Hope::SomebodyActs,
        "nobody" => Hope::NobodyActs,
        _ => Hope::Acts(node(who)?),
    })
}

fn found(size: &str, failback: Option<Duration>, is_settled: bool) -> Option<Step> {
    Some(Step::Found { size: count(size)?, failback, is_settled })
}

fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| (1..=NAMES.len()).contains(count))
}

fn span(number: &str, unit: &str) -> Option<Duration> {
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}
