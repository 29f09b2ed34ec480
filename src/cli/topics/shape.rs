//! Owns what the table of commands can say of a command, its flags and its words.
//! Never says it of any.

/// One flag.
#[derive(Debug)]
pub struct Flag {
    /// Its name after `--`.
    pub long: &'static str,
    /// Its short form after `-`.
    pub short: Option<char>,
    /// What stands for its value in help; `None` for a flag without one.
    pub value: Option<&'static str>,
    /// Whether the command makes no sense without it.
    pub required: bool,
    /// What it does, in one line.
    pub about: &'static str,
}

/// What may follow a command besides flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// Nothing.
    None,
    /// One word of this name.
    One(&'static str),
    /// At most one word of this name.
    Optional(&'static str),
    /// One word of the first name, then at most one of the second.
    OneOrTwo(&'static str, &'static str),
    /// One word of the first name, then any number of the second.
    OneThenMany(&'static str, &'static str),
    /// Any number of words of this name.
    Many(&'static str),
    /// Another program and its arguments: from its first word on nothing is ours.
    Rest(&'static str),
}

/// Where a command stands in the overview.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shelf {
    /// To see what this is.
    Try,
    /// To set a node up and run it.
    Run,
    /// To ask a node.
    Ask,
    /// To keep a former master out.
    Fence,
    /// To change who belongs.
    Nodes,
    /// To move mastership.
    Steer,
    /// After a disaster.
    Mend,
    /// About the files.
    Configure,
    /// About this program.
    Program,
    /// Not for people: not shown.
    Internal,
}

/// One command.
#[derive(Debug)]
pub struct Topic {
    /// Its name as typed, such as `config check`.
    pub name: &'static str,
    /// Its place in the overview.
    pub shelf: Shelf,
    /// What may follow it.
    pub operand: Operand,
    /// Its own flags.
    pub flags: &'static [Flag],
    /// What it does, in one line.
    pub summary: &'static str,
    /// What a person needs to know beyond that; lines of at most 78 columns.
    pub about: &'static str,
    /// What its exit codes mean beyond 0 and 2.
    pub exits: &'static [(u8, &'static str)],
}

pub(super) const fn switch(long: &'static str, about: &'static str) -> Flag {
    Flag { long, short: None, value: None, required: false, about }
}

pub(super) const fn option(long: &'static str, value: &'static str, about: &'static str) -> Flag {
    Flag { long, short: None, value: Some(value), required: false, about }
}

pub(super) const fn topic(name: &'static str, shelf: Shelf, summary: &'static str) -> Topic {
    Topic { name, shelf, operand: Operand::None, flags: &[], summary, about: "", exits: &[] }
}
