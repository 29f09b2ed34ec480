//! Spells the text format of Prometheus, version 0.0.4: families of samples, each with what it is.
//! Never knows what is measured.

use core::time::Duration;

/// What kind of text it is.
pub const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the samples of a family are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It only grows, and begins anew with the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Steps, a sum and a count.
    Histogram,
    /// A sum and a count.
    Summary,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// A text that is being written, whose names all begin alike.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    family: &'static str,
}

impl Exposition {
    /// Begins the next family.
    pub fn family(&mut self, family: &'static str, kind: Kind, help: &str) {
        self.family = family;
        let kind = kind.word();
        self.text.push_str(&format!("# HELP {family} {help}\n# TYPE {family} {kind}\n"));
    }

    /// One sample of it.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: &str) {
        self.part("", labels, value);
    }

    /// One sample of a part of it, such as `_sum`.
    pub fn part(&mut self, part: &str, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(self.family);
        self.text.push_str(part);
        for (index, (name, text)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.text.extend(text.chars().flat_map(escaped).flatten());
            self.text.push('"');
        }
        self.text.push_str(if labels.is_empty() { " " } else { "} " });
        self.text.push_str(value);
        self.text.push('\n');
    }

    /// A family of one sample without labels.
    pub fn one(&mut self, family: &'static str, kind: Kind, help: &str, value: &str) {
        self.family(family, kind, help);
        self.sample(&[], value);
    }

    /// All of it.
    #[must_use]
    pub fn end(self) -> String {
        self.text
    }
}

/// A label's value may be any text; three of its characters have another meaning there.
fn escaped(c: char) -> [Option<char>; 2] {
    match c {
        '\\' | '"' => [Some('\\'), Some(c)],
        '\n' => [Some('\\'), Some('n')],
        _ => [Some(c), None],
    }
}

/// Seconds, to the microsecond.
#[must_use]
pub fn seconds(span: Duration) -> String {
    let text = format!("{}.{:06}", span.as_secs(), span.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A yes or a no.
#[must_use]
pub fn truth(is_so: bool) -> &'static str {
    if is_so { "1" } else { "0" }
}
