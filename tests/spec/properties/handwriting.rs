//! Writes cluster.yaml documents as people do: in blocks or brackets, with odd indentation, every
//! kind of quotes, comments wherever they may stand, either line end, and none at the last line.
//! Never writes one that the reader refuses.

use quorate::protocol::membership::{Member, MemberRole};
use quorate::protocol::units::{Pin, StorageId};
use quorate::settings::words;

use super::any::Any;
use super::sample::id;

/// A document and what it says.
pub(super) struct Paper {
    pub(super) text: String,
    pub(super) members: Vec<Member>,
    /// Whether there are brackets over several lines, in which a comment may be in the way.
    pub(super) is_hard: bool,
}

/// The member of this number.
pub(super) fn member(number: u8, any: &mut Any<'_>) -> Member {
    let roles = [MemberRole::Voter, MemberRole::Witness, MemberRole::Observer];
    Member {
        id: id(&format!("node{number}")),
        address: format!("10.0.0.{number}:9901").into(),
        role: any.choose(&roles).unwrap(),
        priority: [100, 100, 7, 4_000_000_000][any.pick(4) as usize],
        pin: Pin([number; 32]),
        storage: StorageId([number; 16]),
        next_pin: None,
        is_in_sync: true,
        standby: None,
    }
}

/// Any document.
pub(super) fn paper(any: &mut Any<'_>) -> Paper {
    let count = 1 + any.pick(4) as u8;
    let mut members: Vec<Member> = (1..=count).map(|number| member(number, any)).collect();
    members[0].role = MemberRole::Voter;
    let mut hand = Hand { any, text: String::new(), remarks: 0, is_hard: false };
    hand.head();
    hand.nodes(&members);
    hand.tail();
    let is_hard = hand.is_hard;
    let is_crlf = hand.any.is_so();
    let text = if is_crlf { hand.text.replace('\n', "\r\n") } else { hand.text };
    Paper { text, members, is_hard }
}

struct Hand<'a, 'b> {
    any: &'a mut Any<'b>,
    text: String,
    remarks: usize,
    is_hard: bool,
}

impl Hand<'_, '_> {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Perhaps a remark about `whom`; each is different from all others.
    fn remark(&mut self, whom: &str, before: &str) {
        if self.any.pick(3) == 0 {
            self.remarks += 1;
            let words = ["{", "}", "'", "it's \"so\", no: - 1", "- {id: x}", "é", ""];
            let words = self.any.choose(&words).unwrap();
            let number = self.remarks;
            self.put(&format!("{before}# remark {number} on {whom}: {words} ."));
        }
    }

    fn line_end(&mut self, whom: &str) {
        self.remark(whom, "  ");
        self.put("\n");
    }

    /// Lines that say nothing.
    fn pause(&mut self) {
        for _ in 0..self.any.pick(3) {
            let indent = ["", "  ", "        "][self.any.pick(3) as usize];
            self.remark("all", indent);
            self.put("\n");
        }
    }

    fn quoted(&mut self, text: &str) -> String {
        match self.any.pick(3) {
            0 => format!("\"{text}\""),
            1 => format!("'{text}'"),
            _ => text.to_owned(),
        }
    }

    fn head(&mut self) {
        self.pause();
        if self.any.pick(4) == 0 {
            self.put("---\n");
        }
        let name = self.quoted("shop");
        self.put(&format!("cluster: {name}"));
        self.line_end("all");
        self.pause();
        self.put("id: \"7d1c0000000000000000000000000001\"\n");
        if self.any.is_so() {
            self.put("generation:   1");
            self.line_end("all");
        }
        match self.any.pick(4) {
            0 => self.put("timing: wan"),
            1 => self.put("timing: {dead_after: 4s, stop : 500ms }"),
            2 => self.put("timing:\n    dead_after: \"5s\" # why\n    drift: 1%"),
            _ => (),
        }
        self.put("\n");
        match self.any.pick(3) {
            0 => self.put("election: {failback: 2m}"),
            1 => self.put("election:\n  # slowly\n  failback: 7m"),
            _ => (),
        }
        self.put("\n");
        self.pause();
    }

    fn nodes(&mut self, members: &[Member]) {
        self.put("nodes:");
        self.line_end("all");
        let indent = ["", "  ", "    "][self.any.pick(3) as usize];
        for member in members {
            self.pause();
            let dash = ["- ", "-   "][self.any.pick(2) as usize];
            self.put(&format!("{indent}{dash}"));
            let start = self.text.rfind('\n').map_or(0, |at| self.text.len() - at - 1);
            let entries = self.entries(member);
            let whom = member.id.to_string();
            match self.any.pick(3) {
                0 => self.put(&format!("{{{}}}", entries.join(", "))),
                1 => self.brackets(&entries, start, &whom),
                _ => self.block(&entries, start, &whom),
            }
            self.line_end(&whom);
        }
    }

    fn brackets(&mut self, entries: &[String], start: usize, whom: &str) {
        self.is_hard = true;
        self.put("{ ");
        for (at, entry) in entries.iter().enumerate() {
            self.put(entry);
            if at + 1 < entries.len() || self.any.is_so() {
                let comma = [",", " ,"][self.any.pick(2) as usize];
                self.put(comma);
            }
            if self.any.is_so() {
                self.line_end(whom);
                self.put(&" ".repeat(start + 1));
            } else {
                self.put(" ");
            }
        }
        self.put("}");
    }

    fn block(&mut self, entries: &[String], start: usize, whom: &str) {
        for (at, entry) in entries.iter().enumerate() {
            if at > 0 {
                self.line_end(whom);
                self.put(&" ".repeat(start));
            }
            self.put(entry);
        }
    }

    /// The keys of a node, in any order.
    fn entries(&mut self, member: &Member) -> Vec<String> {
        let Member { id, address, role, priority, pin, storage, .. } = member;
        let id = self.quoted(id.as_str());
        let mut entries = vec![
            format!("id: {id}"),
            format!("address: \"{address}\""),
            format!("key: 'SHA256:{pin}'"),
            format!("storage: \"{storage}\""),
        ];
        let role = words::of_role(*role);
        if role != "voter" || self.any.is_so() {
            entries.push(format!("role: {}", self.quoted(role)));
        }
        if *priority != 100 || self.any.is_so() {
            entries.push(format!("priority: {priority}"));
        }
        for last in (1..entries.len()).rev() {
            entries.swap(last, self.any.below(last + 1));
        }
        entries
    }

    fn tail(&mut self) {
        self.pause();
        if self.any.is_so() {
            let end = self.text.trim_end_matches('\n').len();
            self.text.truncate(end);
        }
    }
}
