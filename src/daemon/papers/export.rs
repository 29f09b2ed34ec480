//! Owns the exported cluster.yaml: the committed document byte for byte, the note of what was
//! exported last, and the texts of people that were moved aside.
//! Never destroys what a person wrote: what is found in the file's place is looked at after it was
//! exchanged for the new one, so that nothing is saved into the gap.

use std::fmt::Write;
use std::io;

use rustix::fs::Mode;

use super::files::{Folder, Page};
use super::verdict::Mark;
use crate::protocol::durable::Document;
use crate::protocol::units::{Hash, Position, Term};
use crate::wire::codec::{BODY_MAX, hash_of};

/// The exported document, in the state directory.
pub const FILE: &str = "cluster.yaml";
/// A text that was proposed and not taken.
pub const REJECTED: &str = "cluster.yaml.rejected";
/// A text that was not proposed, since others had changed the document before.
pub const MINE: &str = "cluster.yaml.mine";
/// So many texts of either kind are kept.
const ASIDES_MAX: usize = 10;

/// What the next export is called until it is whole, and then the last one.
const OTHER: &str = ".cluster.yaml.new";
const NOTE: &str = "exported";
const NOTE_UNFINISHED: &str = ".exported.new";
const NOTE_BYTES_MAX: u64 = 400;

/// The export in one state directory.
#[derive(Debug)]
pub(super) struct Export {
    folder: Folder,
    /// What is in the file unless somebody edited it; two while one takes the other's place.
    noted: Vec<Mark>,
}

impl Export {
    /// The one in `folder`, as an earlier process left it.
    pub(super) fn of(folder: Folder) -> Self {
        let note = folder.read(NOTE, NOTE_BYTES_MAX).ok().flatten();
        let noted = note.map(|note| marks(&note.bytes)).unwrap_or_default();
        Self { folder, noted }
    }

    /// Keeps a text that an earlier process had taken out of the file's place when it ended, and
    /// had not put away yet; gives the name it has now.
    pub(super) fn take_up(&mut self) -> io::Result<Option<&'static str>> {
        if self.noted.len() < 2 {
            return Ok(None);
        }
        self.folder.finish_exchange(OTHER)?;
        let Some(page) = self.folder.read(OTHER, BODY_MAX as u64)? else { return Ok(None) };
        let hash = hash_of(&page.bytes);
        let is_ours = self.noted.iter().any(|mark| mark.hash == hash);
        self.put_away(is_ours.then_some(hash), MINE)
    }

    /// What is in the file now.
    pub(super) fn read(&self) -> io::Result<Option<Page>> {
        self.folder.read(FILE, BODY_MAX as u64)
    }

    /// What was exported before the file became `hash`; none if nobody knows.
    pub(super) fn noted(&self, hash: Option<Hash>) -> Option<Mark> {
        match self.noted[..] {
            [only] => Some(only),
            _ => self.noted.iter().find(|mark| Some(mark.hash) == hash).copied(),
        }
    }

    /// The file is this.
    pub(super) fn note(&mut self, mark: Mark) -> io::Result<()> {
        self.set_noted(vec![mark])
    }

    /// Writes `document`. What was there is removed if it is still what was `seen`, else kept as
    /// `aside`; gives the name it has now.
    pub(super) fn write(
        &mut self,
        document: &Document,
        seen: Option<Hash>,
        aside: &'static str,
    ) -> io::Result<Option<&'static str>> {
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        self.folder.make(OTHER, document.body.as_bytes(), mode)?;
        let next = Mark::of(document);
        let before = self.noted.first().copied().unwrap_or(next);
        self.set_noted(vec![before, next])?;
        let had_one = self.folder.exchange(OTHER, FILE)?;
        let kept = if had_one { self.put_away(seen, aside)? } else { None };
        self.set_noted(vec![next])?;
        Ok(kept)
    }

    fn put_away(
        &self,
        seen: Option<Hash>,
        aside: &'static str,
    ) -> io::Result<Option<&'static str>> {
        let found = self.folder.read(OTHER, BODY_MAX as u64);
        let is_seen = found.ok().flatten().is_some_and(|page| Some(hash_of(&page.bytes)) == seen);
        if is_seen {
            return self.folder.remove(OTHER).map(|()| None);
        }
        let name = |number: usize| match number {
            0 => aside.to_owned(),
            number => format!("{aside}.{number}"),
        };
        for number in (1..ASIDES_MAX).rev().filter(|number| self.folder.has(&name(number - 1))) {
            self.folder.rename(&name(number - 1), &name(number))?;
        }
        self.folder.rename(OTHER, aside).map(|()| Some(aside))
    }

    fn set_noted(&mut self, noted: Vec<Mark>) -> io::Result<()> {
        let mut text = String::new();
        for Mark { position, revision, hash } in &noted {
            let Position { term, version } = position;
            writeln!(text, "{term} {version} {revision} {hash}").expect("a text has room");
        }
        self.noted = noted;
        self.folder.replace(NOTE, NOTE_UNFINISHED, text.as_bytes())
    }
}

/// What a note says; nothing if it is damaged.
fn marks(note: &[u8]) -> Vec<Mark> {
    let mark = |line: &str| {
        let mut words = line.split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let position = Position { term: Term(number()?), version: number()? };
        let revision = number()?;
        let hash = Hash::from_hex(words.next()?)?;
        words.next().is_none().then_some(Mark { position, revision, hash })
    };
    let lines = std::str::from_utf8(note).unwrap_or_default().lines().map(mark);
    lines.collect::<Option<Vec<Mark>>>().unwrap_or_default()
}
