//! How many columns text takes, and what is left of it where there are too few.

use quorate::cli::columns::{harmless, lines, start, width, wrapped};
use quorate::cli::style::{Style, Tone};

const UNICODE: Style = Style { is_coloured: true, is_unicode: true, size: None };

#[test]
fn letters_of_east_asia_and_pictures_take_two_columns_and_marks_none() {
    let table = [
        ("", 0),
        ("alpha", 5),
        ("gr\u{f6}\u{df}er", 6),
        ("e\u{301}", 1),
        ("\u{30c7}\u{30fc}\u{30bf}", 6),
        ("\u{6570}\u{636e}\u{5e93}", 6),
        ("\u{b370}\u{c774}\u{d130}", 6),
        ("\u{ff57}\u{ff49}", 4),
        ("\u{ff76}\u{ff85}", 2),
        ("\u{2705} \u{1f525}", 5),
        ("\u{e44}\u{e21}\u{e48}", 2),
        ("\u{5e9}\u{5c1}\u{5b8}\u{5dc}", 2),
        ("a\u{200d}b\u{fe0f}", 2),
        ("\u{2192} \u{2194} \u{2501} \u{25cf} \u{2026}", 9),
        ("\u{1b}[31;1mred\u{1b}[0m", 3),
    ];
    for (text, columns) in table {
        assert_eq!(width(text), columns, "{}", text.escape_debug());
    }
}

#[test]
fn a_column_is_filled_or_cut_by_what_is_seen() {
    let [two, three] = ["\u{6570}\u{636e}", "\u{6570}\u{636e}\u{5e93}"];
    assert_eq!(UNICODE.fit(two, 6), format!("{two}  "));
    assert_eq!(UNICODE.fit(three, 4), "\u{6570}\u{2026} ");
    assert_eq!(UNICODE.fit(three, 6), three);
    assert_eq!(UNICODE.cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}\u{2026}");
    assert_eq!(UNICODE.cut("alpha", 0), "");
    assert_eq!(Style::PLAIN.cut("alphabet", 5), "alp..");
    assert_eq!(Style::PLAIN.cut("alphabet", 1), ".");
    for columns in 0..20 {
        let cut = UNICODE.fit(&format!("a wide {three} text with \u{2705} e\u{301}"), columns);
        assert_eq!(width(&cut), columns, "{cut}");
    }
}

#[test]
fn a_colour_that_was_begun_is_ended_where_text_is_cut() {
    let red = UNICODE.paint(Tone::Bad, "all is lost");
    assert_eq!(start(&red, 3), "\u{1b}[31;1mall\u{1b}[0m");
    assert_eq!(width(&UNICODE.cut(&red, 5)), 5);
}

#[test]
fn each_line_has_its_own_colours() {
    let text = format!("a {}c\nd", UNICODE.paint(Tone::Warn, "one\ntwo"));
    let wanted = ["a \u{1b}[33mone\u{1b}[0m", "\u{1b}[33mtwo\u{1b}[0mc", "d"];
    assert_eq!(lines(&text), wanted);
}

#[test]
fn text_is_wrapped_between_words_by_what_is_seen() {
    assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    let wide = "\u{6570}\u{636e} \u{6570}\u{636e}";
    assert_eq!(wrapped(&format!("{wide} longer-than-that"), 9), [wide, "longer-than-that"]);
    assert_eq!(wrapped("", 9), [""]);
}

#[test]
fn what_is_an_order_to_a_terminal_is_only_shown_to_be_there() {
    assert_eq!(harmless("root\u{1b}[2J\u{202e}@a\tb"), "root?[2J?@a?b");
    assert_eq!(harmless("gr\u{f6}\u{df}e \u{6570}"), "gr\u{f6}\u{df}e \u{6570}");
}
