//! What the word being typed may become, by the table of commands, and by the daemon for the names
//! of nodes; and the few lines with which each shell asks for it.
//! Never complains: what cannot be known is not offered.

use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::client;
use crate::cli::help::{self, Flag, GLOBAL_FLAGS, GROUPS, Group, Operand, Shelf, TOPICS, Topic};
use crate::settings::hooks::HookName;
use crate::settings::paths::{Place, Places};
use crate::settings::timing::PRESETS;
use crate::settings::words;
use crate::wire::codes;

/// How long a person at the keyboard waits for the names of nodes.
const PATIENCE: Duration = Duration::from_secs(1);

/// The lines for the shell of that name.
#[must_use]
pub fn script(shell: &str) -> Option<&'static str> {
    match shell {
        "bash" => Some(include_str!("../../contrib/completions/quorate.bash")),
        "zsh" => Some(include_str!("../../contrib/completions/quorate.zsh")),
        "fish" => Some(include_str!("../../contrib/completions/quorate.fish")),
        _ => None,
    }
}

/// The words before the one being typed, as far as they matter to it.
#[derive(Default)]
struct Before {
    group: Option<&'static Group>,
    topic: Option<&'static Topic>,
    /// The flag whose value is being typed.
    flag: Option<&'static Flag>,
    operands: usize,
    given: Vec<String>,
    socket: Option<PathBuf>,
    /// What follows is another program's, or makes no sense.
    is_over: bool,
}

impl Before {
    fn flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.topic.map_or(&[][..], |topic| topic.flags).iter().chain(GLOBAL_FLAGS)
    }

    fn take(&mut self, word: &str) {
        if let Some(flag) = self.flag.take() {
            if flag.long == "socket" {
                self.socket = Some(PathBuf::from(word));
            }
        } else if let Some(long) = word.strip_prefix("--") {
            let (long, value) = long.split_once('=').map_or((long, None), |(l, v)| (l, Some(v)));
            self.is_over |= long.is_empty();
            self.flag = self.flags().find(|flag| flag.long == long && flag.value.is_some());
            self.given.push(long.to_owned());
            if let Some(value) = value {
                self.take(value);
            }
        } else if word.len() > 1 && word.starts_with('-') {
            let short = word.chars().nth(1).filter(|_| word.len() == 2);
            self.flag = self.flags().find(|flag| flag.short == short && flag.value.is_some());
        } else if self.topic.is_some() {
            self.operands += 1;
            let is_rest = |topic: &Topic| matches!(topic.operand, Operand::Rest(_));
            self.is_over |= self.topic.is_some_and(is_rest);
        } else {
            let first = self.group.take();
            let name = first.map_or(word.to_owned(), |group| format!("{} {word}", group.name));
            self.topic = help::find(&name);
            self.group = help::find_group(&name);
            self.is_over = self.topic.is_none() && self.group.is_none();
        }
    }

    /// The name of the operand that is being typed.
    fn operand(&self) -> &'static str {
        let operand = self.topic.map_or(Operand::None, |topic| topic.operand);
        match (operand, self.operands) {
            (
                Operand::One(name)
                | Operand::Optional(name)
                | Operand::OneOrTwo(name, _)
                | Operand::OneThenMany(name, _),
                0,
            )
            | (Operand::Many(name), _) => name,
            _ => "",
        }
    }
}

/// What may be there instead of the last word, and what it is, one a line with a tab between.
#[must_use]
pub fn complete(words: &[OsString], places: &Places) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let (last, earlier) = match words.split_last() {
        Some((last, earlier)) => (last.as_ref(), earlier),
        None => ("", &[][..]),
    };
    let mut before = Before::default();
    for word in earlier {
        before.take(word);
    }
    let mut offers = Offers { typed: last, prefix: "", text: String::new() };
    if before.is_over {
        return offers.text;
    }
    let joined = last.split_once('=').filter(|_| last.starts_with("--"));
    if let Some((flag, _)) = joined.filter(|_| before.flag.is_none()) {
        before.take(flag);
        offers.prefix = &last[..=flag.len()];
    }
    if let Some(flag) = before.flag {
        offers.values(&before, flag, places);
    } else if last.starts_with('-') {
        for flag in before.flags().filter(|flag| !before.given.iter().any(|g| g == flag.long)) {
            offers.add(&format!("--{}", flag.long), flag.about);
        }
    } else if let Some(group) = before.group {
        for (_, second, topic) in group.commands() {
            offers.add(second, topic.summary);
        }
    } else if before.topic.is_none() {
        offers.commands();
    } else {
        offers.operands(&before, places);
    }
    offers.text
}

/// What was found so far.
struct Offers<'a> {
    typed: &'a str,
    /// What is before every word, such as `--for=`.
    prefix: &'a str,
    text: String,
}

impl Offers<'_> {
    fn add(&mut self, word: &str, about: &str) {
        let word = format!("{}{word}", self.prefix);
        if word.starts_with(self.typed) {
            self.text.push_str(&format!("{word}\t{about}\n"));
        }
    }

    /// The commands of one word, and the first words of the others.
    fn commands(&mut self) {
        let shown = |topic: &&Topic| topic.shelf != Shelf::Internal && !topic.name.contains(' ');
        for topic in TOPICS.iter().filter(shown) {
            self.add(topic.name, topic.summary);
        }
        for group in GROUPS {
            self.add(group.name, group.summary);
        }
    }

    fn values(&mut self, before: &Before, flag: &Flag, places: &Places) {
        let roles = words::ROLES.map(words::of_role);
        let words: &[&str] = match (flag.value, before.topic.map(|topic| topic.name)) {
            (Some("PRESET"), _) => &PRESETS,
            (Some("ROLE"), Some("run")) => &["master", "backup"],
            (Some("ROLE"), _) => &roles,
            (Some("GOAL"), _) => {
                for node in nodes(before, places) {
                    self.add(&format!("master={node}"), "it is master");
                    self.add(&format!("node={node}"), "it is heard");
                }
                &["master", "quorum", "master=", "node=", "revision=", "role="]
            }
            _ => &[],
        };
        for word in words {
            self.add(word, flag.about);
        }
    }

    fn operands(&mut self, before: &Before, places: &Places) {
        match before.operand() {
            "NODE" => {
                for node in nodes(before, places) {
                    self.add(&node, "a node");
                }
            }
            "COMMAND" => self.commands(),
            "NAME" => {
                for name in HookName::ALL {
                    self.add(name.word(), "a hook");
                }
            }
            operand => {
                let is_word = |word: &&str| word.starts_with(|c: char| !c.is_ascii_uppercase());
                for word in operand.split('|').filter(is_word) {
                    self.add(word, "");
                }
                if operand.contains("CODE") {
                    for name in codes::names() {
                        self.add(name, codes::find(name).map_or("", |(_, code)| code.means));
                    }
                }
                if operand.contains("PRESET") {
                    for name in PRESETS {
                        self.add(name, "");
                    }
                }
            }
        }
    }
}

/// The names of the nodes, if a daemon tells them.
fn nodes(before: &Before, places: &Places) -> Vec<String> {
    let typed = before.socket.clone().map(|path| Place { path, origin: "--socket".to_owned() });
    match client::status(typed.as_ref().unwrap_or(&places.socket), PATIENCE) {
        Ok(report) => {
            let peers = report.peers.into_iter().map(|peer| peer.id);
            core::iter::once(report.node).chain(peers).collect()
        }
        // Nobody to ask: there is no name to offer, and the line being typed is no place to say so.
        Err(_) => Vec::new(),
    }
}
