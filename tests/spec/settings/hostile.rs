//! YAML that surprises is refused, quickly and with its place (H58-H64).

use quorate::protocol::units::Chance;
use quorate::settings::{self, cluster, config_check, node};

use super::{SHOP, assert_refused, refusal, shop_with};

#[test]
fn an_alias_bomb_is_refused_at_its_first_anchor() {
    let bomb = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n";
    assert_refused(bomb, "1:4", &["anchors (`&`) are not available"]);
    assert_refused("a: &a [*a]\n", "1:4", &["anchors"]);
    assert_refused("a: *a\n", "1:4", &["aliases (`*`) are not available"]);
    assert_refused("{a: x 'y, b: &c z'}\n", "1:14", &["anchors"]);
    assert_refused("{a: x\n 'y, b: &c z'}\n", "2:9", &["anchors"]);
}

#[test]
fn deep_nesting_is_refused_without_overflow_or_delay() {
    let deep = ["[", "{", "{a: ", "a: [", "- ", "? ", "[\n"];
    for open in deep {
        for count in [9, 100, 1_000, 10_000, 100_000] {
            let problem = refusal(&open.repeat(count));
            assert!(!problem.message.is_empty(), "{open} {count}");
        }
    }
    let nine = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    assert_refused(&nine, "1:9", &["nested more than 8 deep"]);
    let block = (0..9).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>();
    assert_refused(&block, "9:9", &["nested more than 8 deep"]);
}

#[test]
fn wide_texts_are_refused_by_size_or_count() {
    let long = format!("{SHOP}#{}\n", "x".repeat(1 << 20));
    assert!(refusal(&long).message.contains("more than 1048576"));
    let fits = format!("{SHOP}#{}\n", "x".repeat(1_000_000));
    assert!(cluster::parse(&fits, "cluster.yaml").is_ok());
    assert!(refusal(&"a,".repeat(500_000)).message.contains("too many"));
    let brackets = format!("{}{}", "a: [".repeat(2_048), "a,".repeat(40_000));
    assert!(refusal(&brackets).message.contains("too many"));
    let keys: String = (0..65).map(|n| format!("k{n}: 1\n")).collect();
    assert_refused(&keys, "65:1", &["more than 64 keys"]);
}

#[test]
fn exactly_one_document_is_read() {
    assert!(cluster::parse(&format!("---\n{SHOP}"), "cluster.yaml").is_ok());
    assert!(cluster::parse(&format!("{SHOP}...\n"), "cluster.yaml").is_ok());
    assert_refused(&format!("{SHOP}---\na: 1\n"), "18:1", &["more than one document"]);
    assert!(!refusal(&"---\n".repeat(90_000)).message.is_empty());
    assert_refused("%YAML 1.2\n---\na: 1\n", "1:1", &["directive"]);
    for empty in ["", "\n\n", "# nothing\n", "---\n", "~\n"] {
        assert!(refusal(empty).message.contains("the file is empty"), "{empty:?}");
    }
}

#[test]
fn repeated_and_merge_keys_are_refused_at_the_second() {
    let twice = shop_with("generation: 1", "generation: 1\ncluster: b");
    assert_refused(&twice, "5:1", &["the key `cluster` is here twice"]);
    let inner = shop_with("stop: 500ms", "stop: 500ms, heartbeat: 1s");
    assert_refused(&inner, "5:57", &["the key `heartbeat` is here twice"]);
    let quoted = shop_with("generation: 1", "generation: 1\n\"\\x63luster\": b");
    assert_refused(&quoted, "5:1", &["here twice"]);
    assert_refused("<<: {a: 1}\n", "1:1", &["merge keys"]);
    assert_refused("? [a]\n: 1\n", "1:3", &["this key is not text"]);
    assert_refused("1: a\n", "1:1", &["this key is not text"]);
}

#[test]
fn tags_and_block_texts_are_refused() {
    for tag in
        ["!!python/object:os.system x", "!include /etc/passwd", "!!str shop", "! x", "!<a> b"]
    {
        let text = shop_with("cluster: shop", &format!("cluster: {tag}"));
        assert_refused(&text, "2:10", &["tags (`!`) are not available"]);
    }
    let block = shop_with("cluster: shop", "cluster: |\n  shop");
    assert_refused(&block, "2:10", &["a block text"]);
}

#[test]
fn special_signs_inside_texts_and_comments_are_fine() {
    let comment = shop_with("# our shop", "# *our* & 'their shop! 100% > | \" [{[{");
    assert!(cluster::parse(&comment, "cluster.yaml").is_ok());
    assert_refused(
        &shop_with("cluster: shop", "cluster: a&b"),
        "2:10",
        &["`a&b` cannot be a name"],
    );
    assert_refused(&shop_with("cluster: shop", "cluster: \"&b\""), "2:10", &["`&b` cannot be"]);
}

#[test]
fn what_yaml_takes_for_something_else_is_not_text() {
    for word in ["1e3", "0o17", "0x10", "12", ".nan", "null", "~", "true", ""] {
        let text = shop_with("cluster: shop", &format!("cluster: {word}"));
        assert!(refusal(&text).message.starts_with("`cluster` must be text, and is"), "{word}");
    }
    let number =
        shop_with("\"7d1c0000000000000000000000000001\"", "70010000000000000000000000000001");
    assert_refused(&number, "3:5", &["must be text, and is a number", "put it in quotes"]);
    for word in ["no", "yes", "off", "2026-01-01", "1e400"] {
        let text = shop_with("cluster: shop", &format!("cluster: {word}"));
        assert_eq!(&*cluster::parse(&text, "cluster.yaml").unwrap().name, word);
    }
    for priority in ["1_000", "-1", "1.5", "4294967296", "\"100\"", "1e2"] {
        let text = shop_with("priority: 100", &format!("priority: {priority}"));
        assert_refused(&text, "8:66", &["`priority` must be"]);
    }
}

#[test]
fn odd_bytes_are_refused_with_their_place() {
    assert_refused(&format!("\u{feff}{SHOP}"), "1:1", &["byte order mark", "remove it"]);
    assert_refused("a: b\nc: \u{0}d\n", "2:4", &["U+0000"]);
    assert_refused("a: \u{1b}[31m\n", "1:4", &["U+001B"]);
    assert_refused("# \u{202e}x\na: 1\n", "1:3", &["U+202E"]);
    assert_refused("a: b\rc: d\n", "1:5", &["U+000D"]);
    assert_refused("a:\n\tb: 1\n", "2:1", &["not valid YAML", "spaces"]);
    assert!(cluster::parse(&SHOP.replace('\n', "\r\n"), "cluster.yaml").is_ok());
}

#[test]
fn a_syntax_error_says_where_and_why() {
    assert_refused("a: b: c\n", "1:5", &["not valid YAML: mapping values", "in quotes"]);
    assert_refused("a: [1, 2\nb: 3\n", "2:2", &["not valid YAML", "close the bracket"]);
    assert_refused("a: 'x\n", "2:1", &["unexpected end of stream", "close the quote"]);
    assert_refused("- a\n", "1:1", &["the document must be a mapping, and is a list"]);
    assert_refused("é: {ü: @}\n", "1:8", &["cannot start any token"]);
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_place() {
    assert_eq!(settings::text(b"a: \xc3\xa9", "f").unwrap(), "a: é");
    let latin = settings::text(b"a: b\n# caf\xe9\n", "f").unwrap_err().to_string();
    assert!(latin.starts_with("f:2:6: the byte 0xE9 here is not UTF-8"), "{latin}");
    for utf16 in [b"\xff\xfea\0", b"\xfe\xff\0a"] {
        let words = settings::text(utf16, "f").unwrap_err().to_string();
        assert!(words.contains("UTF-16") && words.contains("save it as UTF-8"), "{words}");
    }
}

/// One random edit: drop, double, replace or insert a piece, as typing and pasting do.
fn mutated(text: &str, chance: &mut Chance) -> String {
    const PIECES: [&str; 24] = [
        "[",
        "]",
        "{",
        "}",
        ":",
        ": ",
        "- ",
        "\n",
        "  ",
        "\t",
        "'",
        "\"",
        "#",
        "&a ",
        "*a",
        "!",
        "~",
        "---\n",
        "\u{0}",
        "é",
        "<<: ",
        "? ",
        "|\n",
        "99999999999999999999",
    ];
    let mut pick = |count: usize| {
        usize::try_from(chance.bits() % count as u64).expect("less than a usize is one")
    };
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=pick(4) {
        let start = pick(letters.len() + 1);
        let end = (start + pick(12)).min(letters.len());
        let piece: Vec<char> = match pick(4) {
            0 => Vec::new(),
            1 => letters[start..end].repeat(2),
            _ => PIECES[pick(PIECES.len())].chars().collect(),
        };
        letters.splice(start..end, piece);
    }
    letters.into_iter().collect()
}

#[test]
fn no_mutation_of_a_valid_file_panics_and_each_refusal_has_a_real_place() {
    let mut chance = Chance::new(58);
    let [mut accepted, mut refused] = [0, 0];
    for _ in 0..4_000 {
        let text = mutated(SHOP, &mut chance);
        let Err(problem) = config_check(&text, "cluster.yaml") else {
            accepted += 1;
            continue;
        };
        refused += 1;
        assert!(!problem.message.contains('\n'), "{problem}");
        let lines = text.lines().count() + 1;
        assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem}\n{text}");
    }
    assert!(accepted > 50 && refused > 1_000, "{accepted} accepted, {refused} refused");
}

#[test]
fn no_mutation_of_a_node_file_panics() {
    let text = "id: alpha\nlisten: 0.0.0.0:9901\nlog: {level: info, format: text}\nhttp: off\n";
    let mut chance = Chance::new(59);
    let refused =
        (0..4_000).filter(|_| node::parse(&mutated(text, &mut chance), "node.yaml").is_err());
    assert!(refused.count() > 1_000);
}
