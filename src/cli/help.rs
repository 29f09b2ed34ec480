//! The pages of help, laid out from the table of commands.
//! Never says what is not in the table, and never prints.

use crate::protocol::order;

pub use crate::cli::topics::{Flag, GLOBAL_FLAGS, GROUPS, Group, Operand, Shelf, TOPICS, Topic};

impl Group {
    /// Its commands: first word, second word, and what the command is.
    pub fn commands(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static Topic)> {
        let split = |topic: &'static Topic| {
            topic.name.split_once(' ').map(|(first, second)| (first, second, topic))
        };
        TOPICS.iter().filter_map(split).filter(|(first, ..)| *first == self.name)
    }
}

/// The group called `name`.
#[must_use]
pub fn find_group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// What a person may ask about: every command but the internal ones, and every group.
pub fn shown_names() -> impl Iterator<Item = &'static str> {
    let shown = TOPICS.iter().filter(|topic| topic.shelf != Shelf::Internal);
    shown.map(|topic| topic.name).chain(GROUPS.iter().map(|group| group.name))
}

/// The page about the command or group called `name`.
#[must_use]
pub fn explain(name: &str) -> Option<String> {
    find(name).map(page).or_else(|| find_group(name).map(group_page))
}

/// The command called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

impl Topic {
    /// Its own flag of that name, or the global one.
    #[must_use]
    pub fn flag(&self, long: &str) -> Option<&'static Flag> {
        self.every_flag().find(|flag| flag.long == long)
    }

    /// Its own flags, then the global ones.
    pub fn every_flag(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().chain(GLOBAL_FLAGS)
    }

    /// How to type it, `quorate wait --for GOAL [--timeout TIME]`, broken before 80 columns.
    #[must_use]
    pub fn usage(&self) -> String {
        let flag = |flag: &Flag| match (flag.required, spelled(flag)) {
            (true, spelled) => spelled,
            (false, spelled) => format!("[{spelled}]"),
        };
        let operand = match self.operand {
            Operand::None => None,
            Operand::One(name) => Some(name.to_owned()),
            Operand::Optional(name) => Some(format!("[{name}]")),
            Operand::OneOrTwo(first, second) => Some(format!("{first} [{second}]")),
            Operand::OneThenMany(first, rest) => Some(format!("{first} [{rest}...]")),
            Operand::Many(name) => Some(format!("[{name}...]")),
            Operand::Rest(name) => Some(format!("-- {name} [ARGUMENT...]")),
        };
        let start = format!("Usage: quorate {}", self.name);
        let mut lines = vec![start.clone()];
        for part in self.flags.iter().map(flag).chain(operand) {
            let line = lines.last_mut().expect("there is a first line");
            if line.len() + 1 + part.len() > 78 {
                lines.push(format!("{}{part}", " ".repeat(start.len() + 1)));
            } else {
                line.push_str(&format!(" {part}"));
            }
        }
        lines.join("\n")
    }
}

/// `--timeout TIME`.
fn spelled(flag: &Flag) -> String {
    match flag.value {
        Some(value) => format!("--{} {value}", flag.long),
        None => format!("--{}", flag.long),
    }
}

/// What this is, in one line.
pub const IN_SHORT: &str = "exactly one master among a handful of machines, and never two";

/// Every shelf that is shown, and its title.
pub const SHELVES: &[(Shelf, &str)] = &[
    (Shelf::Try, "Try it"),
    (Shelf::Run, "Run a node"),
    (Shelf::Ask, "Ask a node"),
    (Shelf::Fence, "Keep a former master out"),
    (Shelf::Nodes, "The nodes"),
    (Shelf::Steer, "Move mastership"),
    (Shelf::Mend, "After a disaster"),
    (Shelf::Configure, "Configuration"),
    (Shelf::Program, "This program"),
];

/// The overview: every command with one line each.
#[must_use]
pub fn overview() -> String {
    let mut text = format!("quorate: {IN_SHORT}.\n\nUsage: quorate COMMAND [FLAG...]\n");
    for (shelf, title) in SHELVES {
        text.push_str(&format!("\n{title}\n"));
        for topic in TOPICS.iter().filter(|topic| topic.shelf == *shelf) {
            text.push_str(&format!("  {:<15} {}\n", topic.name, topic.summary));
        }
    }
    text.push_str("\nEverywhere\n");
    text.push_str(&flag_lines(GLOBAL_FLAGS));
    text.push_str(
        "\nEach command explains itself: quorate COMMAND --help. Times are 250ms 5s 2m 1h.\n",
    );
    text
}

/// Everything about one command.
#[must_use]
pub fn page(topic: &Topic) -> String {
    let mut text = format!("{}: {}\n\n{}\n", topic.name, topic.summary, topic.usage());
    if !topic.about.is_empty() {
        text.push_str(&format!("\n{}\n", topic.about));
    }
    if !topic.flags.is_empty() {
        text.push_str(&format!("\nFlags\n{}", flag_lines(topic.flags)));
    }
    text.push_str(&format!("\nEverywhere\n{}", flag_lines(GLOBAL_FLAGS)));
    text.push_str("\nExit codes\n");
    if topic.name == "run" {
        text.push_str("  N    CMD's own, or 128 and the number of the signal that ended it\n");
    }
    text.push_str("  0    done, or yes\n  2    the command line makes no sense\n");
    for (code, meaning) in order::sorted(topic.exits.to_vec(), Ord::cmp) {
        text.push_str(&format!("  {code:<4} {meaning}\n"));
    }
    text
}

/// What commands begin with one word.
fn group_page(group: &Group) -> String {
    let mut text = format!("{}: {}\n\nCommands\n", group.name, group.summary);
    for (_, _, topic) in group.commands() {
        text.push_str(&format!("  {:<15} {}\n", topic.name, topic.summary));
    }
    text.push_str(&format!("\nEach explains itself: quorate {} COMMAND --help.\n", group.name));
    text
}

fn flag_lines(flags: &[Flag]) -> String {
    let line = |flag: &Flag| {
        let short = flag.short.map_or(String::new(), |short| format!("-{short}, "));
        format!("  {:<24} {}\n", format!("{short}{}", spelled(flag)), flag.about)
    };
    flags.iter().map(line).collect()
}
