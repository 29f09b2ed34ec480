//! The pages of the manual as roff, laid out from the table of commands.
//! Never says what is not in the table, and never prints.

use crate::cli::help::{Flag, GLOBAL_FLAGS, IN_SHORT, SHELVES, Shelf, TOPICS, Topic};

/// quorate(1) with every command, or quorate(8) with those that set a node up and run it.
#[must_use]
pub fn page(section: &str) -> String {
    let is_daemon = section == "8";
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        ".TH QUORATE {section} \"\" \"quorate {version}\"\n.nh\n.ad l\n.SH NAME\nquorate \\- {}\n\
         .SH SYNOPSIS\n.B quorate\n",
        escape(IN_SHORT)
    );
    text.push_str(if is_daemon { "serve\n[FLAG...]\n" } else { "COMMAND\n[FLAG...]\n" });
    for (shelf, title) in SHELVES.iter().filter(|(shelf, _)| !is_daemon || *shelf == Shelf::Run) {
        text.push_str(&format!(".SH {}\n", title.to_uppercase()));
        for topic in TOPICS.iter().filter(|topic| topic.shelf == *shelf) {
            command(&mut text, topic);
        }
    }
    text.push_str(".SH EVERYWHERE\n");
    flags(&mut text, GLOBAL_FLAGS);
    text.push_str(".SH EXIT STATUS\n0 is done, or yes; 2 is a command line that makes no sense.\n");
    let other = if is_daemon { 1 } else { 8 };
    text.push_str(&format!(".SH SEE ALSO\n.BR quorate ({other})\n"));
    text
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

/// Text as roff prints it: nothing in it is a request, and what is between backticks is bold.
fn escape(words: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for (number, line) in words.lines().map(str::trim_start).enumerate() {
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
