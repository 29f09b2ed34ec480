//! The pages of the manual as roff, laid out from the tables of commands and of keys.
//! Never says what is not in them, and never prints.

use crate::cli::help::{Flag, GLOBAL_FLAGS, IN_SHORT, SHELVES, Shelf, TOPICS, Topic};
use crate::settings::keys::{self, File, Key, Mapping};

/// Every section that has a page.
pub const SECTIONS: [&str; 3] = ["1", "5", "8"];

/// What page 5 is about, in one line.
const FILES_IN_SHORT: &str = "the files node.yaml and cluster.yaml";

/// quorate(1) with every command, quorate(5) with every key of the files, or quorate(8) with the
/// commands that set a node up and run it.
#[must_use]
pub fn page(section: &str) -> String {
    let is_about_files = section == "5";
    let about = if is_about_files { FILES_IN_SHORT } else { IN_SHORT };
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        ".TH QUORATE {section} \"\" \"quorate {version}\"\n.nh\n.ad l\n.SH NAME\nquorate \\- {}\n",
        escape(about)
    );
    if is_about_files {
        files(&mut text);
    } else {
        commands(&mut text, section == "8");
    }
    let others: Vec<String> = SECTIONS
        .iter()
        .filter(|other| **other != section)
        .map(|other| format!(".BR quorate ({other})"))
        .collect();
    text.push_str(&format!(".SH SEE ALSO\n{}\n", others.join(" ,\n")));
    text
}

fn commands(text: &mut String, is_daemon: bool) {
    text.push_str(".SH SYNOPSIS\n.B quorate\n");
    text.push_str(if is_daemon { "serve\n[FLAG...]\n" } else { "COMMAND\n[FLAG...]\n" });
    for (shelf, title) in SHELVES.iter().filter(|(shelf, _)| !is_daemon || *shelf == Shelf::Run) {
        text.push_str(&format!(".SH {}\n", title.to_uppercase()));
        for topic in TOPICS.iter().filter(|topic| topic.shelf == *shelf) {
            command(text, topic);
        }
    }
    text.push_str(".SH EVERYWHERE\n");
    flags(text, GLOBAL_FLAGS);
    text.push_str(".SH EXIT STATUS\n0 is done, or yes; 2 is a command line that makes no sense.\n");
}

fn files(text: &mut String) {
    text.push_str(&format!(".SH DESCRIPTION\n{}\n", escape(keys::VALUES)));
    for File { name, about, example, mappings } in keys::FILES {
        text.push_str(&format!(".SH {}\n{}\n", name.to_uppercase(), escape(about)));
        for mapping in *mappings {
            keys_of(text, mapping);
        }
        let example = escape_lines(example);
        text.push_str(&format!(".SS Example of {name}\n.nf\n{example}\n.fi\n"));
    }
}

fn keys_of(text: &mut String, mapping: &Mapping) {
    if !mapping.place.is_empty() {
        text.push_str(&format!(".SS {}\n", escape(mapping.place)));
    }
    if !mapping.about.is_empty() {
        text.push_str(&format!("{}\n", escape(mapping.about)));
    }
    for Key { name, takes, without, means } in mapping.keys {
        let without = match *without {
            "needed" => "It is needed.".to_owned(),
            without => format!("Without it: {}.", escape(without)),
        };
        text.push_str(&format!(
            ".TP\n\\fB{}\\fR\n{}\n.br\nValue: {}. {without}\n",
            escape(name),
            escape(means),
            escape(takes)
        ));
    }
}

fn command(text: &mut String, topic: &Topic) {
    let usage = topic.usage();
    let usage = escape(usage.strip_prefix("Usage: ").unwrap_or(&usage));
    text.push_str(&format!(
        ".SS {}\n{}\n.PP\n.nf\n{usage}\n.fi\n",
        escape(topic.name),
        escape(topic.summary)
    ));
    if !topic.about.is_empty() {
        text.push_str(&format!(".PP\n{}\n", escape(topic.about)));
    }
    flags(text, topic.flags);
    for (code, meaning) in topic.exits {
        text.push_str(&format!(".TP\nexit {code}\n{}\n", escape(meaning)));
    }
}

fn flags(text: &mut String, flags: &[Flag]) {
    for flag in flags {
        text.push_str(".TP\n");
        if let Some(short) = flag.short {
            text.push_str(&format!("\\fB\\-{short}\\fR, "));
        }
        text.push_str(&format!("\\fB\\-\\-{}\\fR", escape(flag.long)));
        if let Some(value) = flag.value {
            text.push_str(&format!(" \\fI{}\\fR", escape(value)));
        }
        text.push_str(&format!("\n{}\n", escape(flag.about)));
    }
}

/// Text as roff prints it, in paragraphs.
fn escape(words: &str) -> String {
    let lines: Vec<&str> = words.lines().map(str::trim_start).collect();
    escape_lines(&lines.join("\n"))
}

/// Text as roff prints it: nothing in it is a request, and what is between backticks is bold.
fn escape_lines(words: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for (number, line) in words.lines().enumerate() {
        text.push_str(if number > 0 { "\n" } else { "" });
        text.push_str(if line.starts_with(['.', '\'']) { "\\&" } else { "" });
        for c in line.chars() {
            match c {
                '\\' => text.push_str("\\e"),
                '-' => text.push_str("\\-"),
                '\'' => text.push_str("\\(aq"),
                '~' => text.push_str("\\(ti"),
                '^' => text.push_str("\\(ha"),
                '`' => {
                    is_code = !is_code;
                    text.push_str(if is_code { "\\fB" } else { "\\fR" });
                }
                other => text.push(other),
            }
        }
    }
    text
}
