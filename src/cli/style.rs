//! Decides how text looks: colours, glyphs, width. Everything is asked from the environment once
//! and carried along. Never prints.

use crate::cli::columns;

/// What a colour means; there are no others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
    /// What matters most on the line.
    Strong,
    /// Labels and other quiet things.
    Quiet,
}

/// How text may look where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether colours are written.
    pub is_coloured: bool,
    /// Whether glyphs beyond ASCII are written.
    pub is_unicode: bool,
    /// Columns and rows of the terminal; `None` where there is none: then nothing is cut off and
    /// nothing is drawn twice.
    pub size: Option<(usize, usize)>,
}

impl Style {
    /// No colour, no glyphs, no limits.
    pub const PLAIN: Self = Self { is_coloured: false, is_unicode: false, size: None };

    /// Decides by the environment and by what standard output is.
    #[must_use]
    pub fn decide(
        environment: impl Fn(&str) -> Option<String>,
        terminal: Option<(usize, usize)>,
    ) -> Self {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let is_dumb = set("TERM").is_none_or(|term| term == "dumb");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Self {
            is_coloured: terminal.is_some() && !is_dumb && set("NO_COLOR").is_none(),
            is_unicode: locale.contains("utf-8") || locale.contains("utf8"),
            // On a dumb terminal nothing can be redrawn, so it counts as none.
            size: terminal.filter(|_| !is_dumb),
        }
    }

    /// `text` in the colour of `tone`.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if !self.is_coloured || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31;1",
            Tone::Strong => "1",
            Tone::Quiet => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// The first where glyphs beyond ASCII are fine, else the second.
    #[must_use]
    pub fn glyph(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.is_unicode { unicode } else { ascii }
    }

    /// `text` in a column of `width`: filled with spaces, or cut with an ellipsis.
    #[must_use]
    pub fn fit(self, text: &str, width: usize) -> String {
        let cut = self.cut(text, width);
        let rest = width.saturating_sub(columns::width(&cut));
        format!("{cut}{}", " ".repeat(rest))
    }

    /// `text` in at most `width` columns, the last ones an ellipsis if any are missing.
    #[must_use]
    pub fn cut(self, text: &str, width: usize) -> String {
        if columns::width(text) <= width {
            return text.to_owned();
        }
        let ellipsis = self.glyph("…", "..");
        let kept = width.saturating_sub(columns::width(ellipsis));
        let ellipsis = columns::start(ellipsis, width);
        format!("{}{ellipsis}", columns::start(text, kept))
    }

    /// The columns of the terminal, or as many as nobody could fill.
    #[must_use]
    pub fn columns(self) -> usize {
        self.size.map_or(usize::MAX, |(columns, _)| columns)
    }

    /// The rows of the terminal, or as many as nobody could fill.
    #[must_use]
    pub fn rows(self) -> usize {
        self.size.map_or(usize::MAX, |(_, rows)| rows)
    }

    /// A bar of `width` cells with the part `left` of `whole` filled.
    #[must_use]
    pub fn bar(self, left: u64, whole: u64, width: usize) -> String {
        let cells = u64::try_from(width).unwrap_or(0);
        let filled = (left.min(whole) * cells).div_ceil(whole.max(1));
        let filled = usize::try_from(filled).unwrap_or(0);
        let [full, empty] = [self.glyph("━", "="), self.glyph("─", "-")];
        let rest = self.paint(Tone::Quiet, &empty.repeat(width - filled));
        format!("{}{rest}", full.repeat(filled))
    }
}

/// A span for people: `85 ms`, `3.2 s`, `4 m 10 s`, `3 h 12 m`, `5 d 2 h`.
#[must_use]
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=59 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..=3599 => format!("{} m {} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A round trip for people, from microseconds: `0.31 ms`, `12.4 ms`, `2.0 s`.
#[must_use]
pub fn round_trip(us: u64) -> String {
    match us {
        0..=9_999 => format!("{}.{:02} ms", us / 1000, us % 1000 / 10),
        10_000..=999_999 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ => span(us / 1000),
    }
}
