//! Decides how many columns of a terminal a text takes: letters of East Asia and pictures take two,
//! marks that go onto the letter before take none, and colours neither.
//! Never colours and never prints. What terminals disagree about is counted as the wider.

/// First and last of each stretch of characters that take two columns (UAX 11: W and F).
const WIDE: [u32; 128] = [
    0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3,
    0x25fd, 0x25fe, 0x2614, 0x2615, 0x2648, 0x2653, 0x267f, 0x267f, 0x2693, 0x2693, 0x26a1, 0x26a1,
    0x26aa, 0x26ab, 0x26bd, 0x26be, 0x26c4, 0x26c5, 0x26ce, 0x26ce, 0x26d4, 0x26d4, 0x26ea, 0x26ea,
    0x26f2, 0x26f3, 0x26f5, 0x26f5, 0x26fa, 0x26fa, 0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b,
    0x2728, 0x2728, 0x274c, 0x274c, 0x274e, 0x274e, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797,
    0x27b0, 0x27b0, 0x27bf, 0x27bf, 0x2b1b, 0x2b1c, 0x2b50, 0x2b50, 0x2b55, 0x2b55, 0x2e80, 0x303e,
    0x3041, 0x4dbf, 0x4e00, 0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19,
    0xfe30, 0xfe6f, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18dff, 0x1aff0, 0x1b2ff, 0x1f004,
    0x1f004, 0x1f0cf, 0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f200, 0x1f320, 0x1f32d,
    0x1f335, 0x1f337, 0x1f393, 0x1f3a0, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4, 0x1f3f8,
    0x1f53d, 0x1f54b, 0x1f567, 0x1f57a, 0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6ff, 0x1f7e0,
    0x1faff, 0x20000, 0x3fffd,
];

/// The same of those that take none: marks of scripts in common use, joiners, selectors.
const NARROWEST: [u32; 68] = [
    0x0300, 0x036f, 0x0483, 0x0489, 0x0591, 0x05bd, 0x05bf, 0x05bf, 0x05c1, 0x05c2, 0x05c4, 0x05c5,
    0x0610, 0x061a, 0x064b, 0x065f, 0x0670, 0x0670, 0x06d6, 0x06dc, 0x06df, 0x06e4, 0x06e7, 0x06e8,
    0x0900, 0x0902, 0x093c, 0x093c, 0x0941, 0x0948, 0x094d, 0x094d, 0x0951, 0x0957, 0x0e31, 0x0e31,
    0x0e34, 0x0e3a, 0x0e47, 0x0e4e, 0x0eb1, 0x0eb1, 0x0eb4, 0x0ebc, 0x1160, 0x11ff, 0x1ab0, 0x1aff,
    0x1dc0, 0x1dff, 0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2064, 0x20d0, 0x20f0, 0x302a, 0x302d,
    0x3099, 0x309a, 0xfe00, 0xfe0f, 0xfe20, 0xfe2f, 0xe0100, 0xe01ef,
];

/// What every colour begins with, and what ends it.
const ESCAPE: &str = "\x1b[";
const PLAIN_AGAIN: &str = "\x1b[0m";

/// The columns one character takes.
fn of_char(letter: char) -> usize {
    let number = u32::from(letter);
    let is_in = |stretches: &[u32]| {
        stretches.chunks_exact(2).any(|stretch| (stretch[0]..=stretch[1]).contains(&number))
    };
    match letter {
        ' '..='~' => 1,
        _ if letter.is_control() || is_in(&NARROWEST) => 0,
        _ if is_in(&WIDE) => 2,
        _ => 1,
    }
}

/// The columns `text` takes, its colours left out.
#[must_use]
pub fn width(text: &str) -> usize {
    pieces(text).map(|piece| piece.columns).sum()
}

/// As much of `text` as fits `columns`, with every colour in it.
#[must_use]
pub fn start(text: &str, columns: usize) -> String {
    let mut used = 0;
    let fits = |piece: &Piece| {
        used += piece.columns;
        piece.text.starts_with(ESCAPE) || used <= columns
    };
    pieces(text).filter(fits).map(|piece| piece.text).collect()
}

/// `text` on lines of at most `columns`, broken between words; one word alone may be too long.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    filled(text.split(' '), columns)
}

/// `chunks` with blanks between them on lines of at most `columns`; none is broken, so one alone
/// may be too long.
#[must_use]
pub fn filled<'a>(chunks: impl IntoIterator<Item = &'a str>, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for chunk in chunks {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(chunk) <= columns => {
                line.push(' ');
                line.push_str(chunk);
            }
            Some(_) | None => lines.push(chunk.to_owned()),
        }
    }
    lines
}

/// The lines of `text`, each with its own colours: one can be drawn without the one before it.
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    let mut open = "";
    let mut lines = Vec::new();
    for line in text.lines() {
        let begun = open;
        let colours = pieces(line).filter(|piece| piece.text.starts_with(ESCAPE));
        if let Some(last) = colours.last() {
            open = if last.text == PLAIN_AGAIN { "" } else { last.text };
        }
        let end = if open.is_empty() { "" } else { PLAIN_AGAIN };
        lines.push(format!("{begun}{line}{end}"));
    }
    lines
}

/// `text` with a mark for whatever is no letter but an order to a terminal.
#[must_use]
pub fn harmless(text: &str) -> String {
    let is_order = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(letter, '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if is_order(letter) { '?' } else { letter }).collect()
}

/// One character, or one colour.
struct Piece<'a> {
    text: &'a str,
    columns: usize,
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (bytes, columns) = match rest.strip_prefix(ESCAPE) {
            // A colour ends with its first `m`.
            Some(colour) => (colour.find('m').map_or(rest.len(), |end| end + 3), 0),
            None => (first.len_utf8(), of_char(first)),
        };
        let (piece, others) = rest.split_at(bytes);
        rest = others;
        Some(Piece { text: piece, columns })
    })
}
