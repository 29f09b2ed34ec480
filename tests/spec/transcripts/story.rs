//! What happened, line by line: what is said to many at once is one line, and so are heartbeats
//! that fare alike while nothing else happens.
//! Never forgets a refusal or a lost answer; only what repeats itself is folded.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::protocol::units::Term;

use super::script::name;

/// Names one heartbeat: its master, term and number.
pub(super) type BeatId = (usize, Term, u64);

/// How young a heartbeat may be at the end of a block to be still on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(3);

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fate {
    /// It arrives.
    Arrives,
    /// The link is cut.
    Cut,
    /// Nobody is there.
    Down,
}

/// How one voter takes a heartbeat.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reply {
    Promises,
    PromisesUnheard,
    Refuses(String),
    Silent,
    Pending,
    Unreached,
    Down,
}

/// One heartbeat.
struct Beat {
    id: BeatId,
    at: Duration,
    replies: BTreeMap<usize, Reply>,
}

/// Something that happened.
enum Entry {
    Deed {
        at: Duration,
        who: String,
        words: String,
    },
    Speech {
        at: Duration,
        from: usize,
        to: Vec<(usize, Fate)>,
        words: String,
    },
    /// Heartbeats of one master, and until when it may act by the last answer to them.
    Beats {
        beats: Vec<Beat>,
        until: Option<Duration>,
    },
}

/// All that happened in a block.
#[derive(Default)]
pub(super) struct Story {
    entries: Vec<Entry>,
}

impl Story {
    /// Something is done by `who`, or to the cluster.
    pub(super) fn deed(&mut self, at: Duration, who: &str, words: &str) {
        let (who, words) = (who.to_owned(), words.to_owned());
        self.entries.push(Entry::Deed { at, who, words });
    }

    /// Something is said; the same to another in the same moment is the same line.
    pub(super) fn speech(
        &mut self,
        at: Duration,
        from: usize,
        to: usize,
        fate: Fate,
        words: String,
    ) {
        let same = self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Speech { at: then, from: by, to, words: said }
                if (*then, *by) == (at, from) && *said == words =>
            {
                Some(to)
            }
            _ => None,
        });
        match same {
            Some(all) => all.push((to, fate)),
            None => self.entries.push(Entry::Speech { at, from, to: vec![(to, fate)], words }),
        }
    }

    /// A heartbeat is sent to one voter.
    pub(super) fn heartbeat(&mut self, at: Duration, id: BeatId, to: usize, fate: Fate) {
        let reply = match fate {
            Fate::Arrives => Reply::Pending,
            Fate::Cut => Reply::Unreached,
            Fate::Down => Reply::Down,
        };
        if let Some(beat) = self.beat(id) {
            beat.replies.insert(to, reply);
            return;
        }
        let beat = Beat { id, at, replies: BTreeMap::from([(to, reply)]) };
        match self.entries.last_mut() {
            Some(Entry::Beats { beats, .. }) if beats[0].id.0 == id.0 => beats.push(beat),
            _ => self.entries.push(Entry::Beats { beats: vec![beat], until: None }),
        }
    }

    /// A voter answers a heartbeat. An answer to one of an earlier block changes no line.
    pub(super) fn answer(&mut self, id: BeatId, voter: usize, fate: Fate, no: Option<String>) {
        let reply = match (no, fate) {
            (None, Fate::Arrives) => Reply::Promises,
            (None, Fate::Cut | Fate::Down) => Reply::PromisesUnheard,
            (Some(why), _) => Reply::Refuses(why),
        };
        if let Some(beat) = self.beat(id) {
            beat.replies.insert(voter, reply);
        }
    }

    /// The master `node` may act until then.
    pub(super) fn extend(&mut self, node: usize, end: Duration) {
        let last = self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Beats { beats, until } if beats[0].id.0 == node => Some(until),
            _ => None,
        });
        if let Some(until) = last {
            *until = Some(end);
        }
    }

    fn beat(&mut self, id: BeatId) -> Option<&mut Beat> {
        let beats = self.entries.iter_mut().rev().filter_map(|entry| match entry {
            Entry::Beats { beats, .. } => Some(beats),
            Entry::Deed { .. } | Entry::Speech { .. } => None,
        });
        beats.flat_map(|beats| beats.iter_mut()).find(|beat| beat.id == id)
    }

    /// How much happened so far.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether after the first `heard` entries one of `who` begins with these words.
    pub(super) fn has_line(&self, heard: usize, who: &str, wanted: &str) -> bool {
        self.entries[heard..].iter().any(|entry| match entry {
            Entry::Deed { who: by, words, .. } => by == who && words.starts_with(wanted),
            Entry::Speech { from, words, .. } => name(*from) == who && words.starts_with(wanted),
            Entry::Beats { .. } => false,
        })
    }

    /// The lines, as they stand at `now`.
    pub(super) fn lines(&self, now: Duration) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Deed { at, who, words } if who.is_empty() => {
                    lines.push(line(*at, "--", words));
                }
                Entry::Deed { at, who, words } => lines.push(line(*at, who, words)),
                Entry::Speech { at, from, to, words } => {
                    let (to, lost) = listeners(to);
                    let who = format!("{} -> {to}", name(*from));
                    lines.push(line(*at, &who, &format!("{words}{lost}")));
                }
                Entry::Beats { beats, until } => lines.extend(folded(beats, *until, now)),
            }
        }
        lines
    }
}

fn line(at: Duration, who: &str, words: &str) -> String {
    format!("{:>6} ms  {who:<9}  {words}", at.as_millis())
}

/// To whom something is said, and whom of them it cannot reach.
fn listeners(to: &[(usize, Fate)]) -> (String, String) {
    let names = |wanted: &dyn Fn(Fate) -> bool| {
        let some = to.iter().filter(|(_, fate)| wanted(*fate)).map(|(to, _)| name(*to));
        some.collect::<Vec<_>>().join(", ")
    };
    let lost = [(Fate::Cut, "cut off"), (Fate::Down, "down")].map(|(fate, word)| {
        let names = names(&|other| other == fate);
        if names.is_empty() { String::new() } else { format!(" ({word}: {names})") }
    });
    (names(&|_| true), lost.concat())
}

/// One line for each stretch of heartbeats that fare alike.
fn folded(beats: &[Beat], until: Option<Duration>, now: Duration) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = beats;
    while let Some(first) = rest.first() {
        let fare = fare(first, now);
        let alike = rest.iter().take_while(|beat| self::fare(beat, now) == fare).count();
        let (these, others) = rest.split_at(alike);
        let (master, term, number) = first.id;
        let count = match these.last().map(|last| last.id.2).filter(|last| *last != number) {
            Some(last) => format!("heartbeats #{number} to #{last}"),
            None => format!("heartbeat #{number}"),
        };
        let end = until.filter(|_| others.is_empty());
        let end = end.map(|end| format!("; {} may act until {} ms", name(master), end.as_millis()));
        let to: Vec<&str> = first.replies.keys().map(|to| name(*to)).collect();
        let who = format!("{} => {}", name(master), to.join(", "));
        let words = format!("{count} of {term:?}: {fare}{}", end.unwrap_or_default());
        lines.push(line(first.at, &who, &words));
        rest = others;
    }
    lines
}

/// How a heartbeat fares with whom.
fn fare(beat: &Beat, now: Duration) -> String {
    let is_young = now.saturating_sub(beat.at) < ON_ITS_WAY;
    let mut by_reply: BTreeMap<Reply, Vec<&str>> = BTreeMap::new();
    for (voter, reply) in &beat.replies {
        let reply = match reply {
            Reply::Pending if !is_young => Reply::Silent,
            other => other.clone(),
        };
        by_reply.entry(reply).or_default().push(name(*voter));
    }
    let parts = by_reply.iter().map(|(reply, voters)| {
        let (one, many) = match reply {
            Reply::Promises => ("promises".to_owned(), "promise".to_owned()),
            Reply::PromisesUnheard => {
                ("promises, unheard".to_owned(), "promise, unheard".to_owned())
            }
            Reply::Refuses(why) => (format!("refuses: {why}"), format!("refuse: {why}")),
            Reply::Silent => ("does not answer".to_owned(), "do not answer".to_owned()),
            Reply::Pending => ("is yet to answer".to_owned(), "are yet to answer".to_owned()),
            Reply::Unreached => ("is cut off".to_owned(), "are cut off".to_owned()),
            Reply::Down => ("is down".to_owned(), "are down".to_owned()),
        };
        format!("{} {}", voters.join(", "), if voters.len() == 1 { one } else { many })
    });
    parts.collect::<Vec<_>>().join("; ")
}
