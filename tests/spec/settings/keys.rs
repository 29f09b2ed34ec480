//! The table of keys against the readers: what it says is so, and they know no other key.
//! contrib/doc/configuration.md is that table: `UPDATE_DOCUMENTS=1 cargo test settings::keys`
//! writes it again.

use quorate::cli::columns::wrapped;
use quorate::cli::help;
use quorate::protocol::membership::Charter;
use quorate::settings::arrivals::{Arrivals, arrivals};
use quorate::settings::keys::{self, FILES, File, Key, Mapping};
use quorate::settings::node::{self, NodeSettings};
use quorate::settings::{Problem, cluster, duration};

use crate::spec::written::assert_written;

/// What a file says once it is read.
#[derive(PartialEq, Debug)]
enum Said {
    Node(Box<NodeSettings>),
    Cluster(Box<Charter>, Arrivals),
}

fn read(file: &File, text: &str) -> Result<Said, Problem> {
    match file.name {
        "node.yaml" => node::parse(text, file.name).map(Box::new).map(Said::Node),
        _ => Ok(Said::Cluster(Box::new(cluster::parse(text, file.name)?), arrivals(text)?)),
    }
}

const HEX: &str = "00112233445566778899aabbccddeeff";

/// An entry of `nodes`.
fn member(id: &str) -> Vec<(&'static str, String)> {
    let digits = id.repeat(32);
    vec![
        ("id", id.to_owned()),
        ("address", format!("{id}.example.net:9901")),
        ("key", format!("\"SHA256:{digits}{digits}\"")),
        ("storage", format!("\"{digits}\"")),
    ]
}

/// One that may lead whatever else is said.
fn bravo() -> Vec<(&'static str, String)> {
    [member("b"), vec![("in_sync", "true".to_owned())]].concat()
}

/// The least that stands beside `key` in its mapping.
fn beside(mapping: &Mapping, key: &str) -> Vec<(&'static str, String)> {
    match (mapping.place, key) {
        ("", _) if mapping.has("listen") => vec![("id", "alpha".to_owned())],
        ("", _) => vec![
            ("cluster", "shop".to_owned()),
            ("id", format!("\"{HEX}\"")),
            ("nodes", flow(&[flow_map(&bravo())])),
        ],
        ("health" | "position", _) => vec![("command", "[/bin/true]".to_owned())],
        ("nodes", "becomes" | "approval") => {
            let role = [("role", "observer".to_owned()), ("becomes", "voter".to_owned())];
            [member("a"), role.to_vec()].concat()
        }
        ("nodes", _) => member("a"),
        ("invites", _) => vec![
            ("id", "\"3f9a1c2e\"".to_owned()),
            ("until", "\"2026-11-22T03:00:00Z\"".to_owned()),
            ("secret", format!("\"SHA256:{HEX}{HEX}\"")),
        ],
        _ => Vec::new(),
    }
}

fn flow(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

fn flow_map(entries: &[(&str, String)]) -> String {
    let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", entries.join(", "))
}

/// A whole file whose `mapping` has these entries.
fn text(file: &File, mapping: &Mapping, entries: &[(&'static str, String)]) -> String {
    let whole = file.mappings[0];
    let (place, value) = match mapping.place {
        "" => {
            return entries.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        }
        "nodes" => ("nodes", flow(&[flow_map(&bravo()), flow_map(entries)])),
        "invites" => ("invites", flow(&[flow_map(entries)])),
        "maintenance and standby" => ("maintenance", flow_map(entries)),
        place => (place, flow_map(entries)),
    };
    text(file, whole, &set(beside(whole, place), place, value))
}

/// The entries with that one instead of the one of its name.
fn set(
    entries: Vec<(&'static str, String)>,
    key: &'static str,
    value: String,
) -> Vec<(&'static str, String)> {
    let others = entries.into_iter().filter(|(name, _)| *name != key);
    others.chain([(key, value)]).collect()
}

/// A whole file that says `value` for `key`.
fn saying(file: &File, mapping: &Mapping, key: &Key, value: &str) -> Result<Said, Problem> {
    let mut entries = beside(mapping, key.name);
    // Times have to fit together.
    if let (("timing", "dead_after"), Ok(span)) =
        ((mapping.place, key.name), duration::parse(value))
    {
        let heartbeat = duration::show(span / 8);
        entries = vec![("heartbeat", heartbeat), ("stop", "20ms".to_owned())];
    }
    read(file, &text(file, mapping, &set(entries, key.name, value.to_owned())))
}

fn each_key() -> impl Iterator<Item = (&'static File, &'static Mapping, &'static Key)> {
    FILES.into_iter().flat_map(|file| {
        let keys = |mapping: &'static Mapping| mapping.keys.iter().map(move |key| (mapping, key));
        file.mappings
            .iter()
            .flat_map(move |mapping| keys(mapping))
            .map(move |(m, key)| (file, m, key))
    })
}

/// What stands between backticks.
fn code(words: &str) -> impl Iterator<Item = &str> {
    words.split('`').skip(1).step_by(2)
}

#[test]
fn every_key_of_the_table_is_read() {
    for (file, mapping, key) in each_key() {
        let place = mapping.place;
        saying(file, mapping, key, "[[{}]]").expect_err(&format!("{place}.{}", key.name));
    }
}

#[test]
fn every_value_that_the_table_names_is_taken() {
    let mut values = 0;
    for (file, mapping, key) in each_key() {
        for value in code(key.takes) {
            saying(file, mapping, key, value).unwrap_or_else(|why| panic!("{}: {why}", key.name));
            values += 1;
        }
    }
    assert!(values > 40, "{values}");
}

/// The ends of the range in `takes`, and what is just beyond them.
fn range(takes: &str) -> Option<([String; 2], [String; 2])> {
    let (before, after) = takes.split_once(" to ")?;
    let least = before.split(' ').next_back()?;
    let most = after.split([' ', ',']).next()?;
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    if !is_number(least) || !is_number(most) {
        return None;
    }
    let ends = [least, most].map(str::to_owned);
    let [below, above] = match (least.parse::<i64>(), most.parse::<i64>()) {
        (Ok(least), Ok(most)) => [(least - 1).to_string(), (most + 1).to_string()],
        _ => {
            let nanoseconds = |word| duration::parse(word).unwrap().as_nanos();
            [nanoseconds(least) - 1, nanoseconds(most) + 1].map(|span| format!("{span}ns"))
        }
    };
    Some((ends, [below, above]))
}

#[test]
fn a_range_of_the_table_is_taken_up_to_its_ends_and_no_further() {
    let mut ranges = 0;
    for (file, mapping, key) in each_key() {
        let Some((ends, beyond)) = range(key.takes) else { continue };
        ranges += 1;
        for value in ends {
            saying(file, mapping, key, &value).unwrap_or_else(|why| panic!("{}: {why}", key.name));
        }
        for value in beyond {
            let refused = saying(file, mapping, key, &value).expect_err(key.name).to_string();
            assert!(refused.contains(key.name), "{}: {value}: {refused}", key.name);
        }
    }
    assert!(ranges >= 8, "{ranges}");
}

#[test]
fn writing_a_default_of_the_table_down_changes_nothing() {
    let mut defaults = 0;
    for (file, mapping, key) in each_key().filter(|(.., key)| key.without.starts_with('`')) {
        let default = code(key.without).next().unwrap();
        let entries = beside(mapping, key.name);
        let without = read(file, &text(file, mapping, &entries)).unwrap();
        let with = saying(file, mapping, key, default).unwrap();
        if key.name == "dead_after" {
            continue; // It stands in the next assertion, beside the times it needs.
        }
        assert_eq!(with, without, "{}.{}: {default}", mapping.place, key.name);
        defaults += 1;
    }
    assert!(defaults >= 25, "{defaults}");
    let [whole, timing] = [&keys::CLUSTER, &keys::TIMING];
    let file = FILES[1];
    let spans = ["preset", "heartbeat", "dead_after", "stop", "drift"].map(|name| {
        let key = timing.keys.iter().find(|key| key.name == name).unwrap();
        (key.name, code(key.without).next().unwrap().to_owned())
    });
    let all = read(file, &text(file, timing, &spans)).unwrap();
    assert_eq!(all, read(file, &text(file, whole, &beside(whole, ""))).unwrap());
}

#[test]
fn what_the_table_calls_needed_is_needed_and_nothing_else_is() {
    for (file, mapping, key) in each_key() {
        let mut entries = beside(mapping, "");
        entries.retain(|(name, _)| *name != key.name);
        let said = read(file, &text(file, mapping, &entries));
        let is_needed = key.without == "needed";
        assert_eq!(said.is_err(), is_needed, "{}.{}: {said:?}", mapping.place, key.name);
    }
}

#[test]
fn the_examples_of_both_files_are_valid_and_the_commands_that_the_table_names_exist() {
    for file in FILES {
        read(file, file.example).unwrap_or_else(|why| panic!("{why}\n{}", file.example));
    }
    let keys = each_key().flat_map(|(.., key)| [key.takes, key.without, key.means]);
    let mappings = each_key().map(|(_, mapping, _)| mapping.about);
    let files = FILES.into_iter().map(|file| file.about).chain([keys::VALUES]);
    let all: Vec<&str> = keys.chain(mappings).chain(files).collect();
    let commands: Vec<&str> = all
        .iter()
        .flat_map(|words| code(words))
        .filter_map(|code| code.strip_prefix("quorate "))
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let is_known = |count: usize| {
            let name = words[..count.min(words.len())].join(" ");
            help::explain(&name).is_some()
        };
        assert!(is_known(1) || is_known(2), "{command}");
    }
}

#[test]
fn what_an_address_is_without_a_key_is_what_the_node_uses() {
    let find = |name: &str| keys::NODE.keys.iter().find(|key| key.name == name).unwrap();
    assert!(find("http").without.starts_with(quorate::settings::http::HTTP_DEFAULT));
    assert_eq!(code(find("listen").without).next(), Some(node::LISTEN_DEFAULT));
}

/// A paragraph of the page.
fn prose(words: &str) -> String {
    wrapped(words, 116).join("\n")
}

/// contrib/doc/configuration.md.
fn page() -> String {
    let mut page = format!(
        "# Every key of both files\n\nThis page and `quorate man 5` are laid out from one table, \
         which tests hold against what the program\nreads.\n\n{}\n",
        prose(keys::VALUES)
    );
    for File { name, about, example, mappings } in FILES {
        page += &format!("\n## {name}\n\n{}\n\n```yaml\n{example}```\n", prose(about));
        for Mapping { place, about, keys } in *mappings {
            page += &match *place {
                "" => String::new(),
                place => format!("\n### `{}`\n", place.replace(" and ", "` and `")),
            };
            page += &if about.is_empty() { String::new() } else { format!("\n{}\n", prose(about)) };
            page += "\n| key | value | without it | what it is |\n|---|---|---|---|\n";
            for Key { name, takes, without, means } in *keys {
                let without = if *without == "needed" { "**needed**" } else { without };
                page += &format!("| `{name}` | {takes} | {without} | {means} |\n");
            }
        }
    }
    page
}

#[test]
fn the_configuration_page_is_the_table_of_keys() {
    assert_written("contrib/doc/configuration.md", &page());
}
