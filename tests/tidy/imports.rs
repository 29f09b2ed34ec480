//! Holds the import table: who may use whom. The table is printed in `src/lib.rs`.
//! Never looks inside comments or strings.

use super::source::{Source, code_of, rust_files};

/// A folder of `src` and what it may use besides itself.
const TABLE: [(&str, &[&str]); 6] = [
    ("protocol", &[]),
    ("wire", &["protocol"]),
    ("settings", &["protocol"]),
    ("daemon", &["protocol", "wire", "settings", "keep"]),
    (
        "keep",
        &[
            "protocol::units",
            "wire",
            "daemon::clock",
            "daemon::timer",
            "daemon::processes",
            "daemon::cgroup",
        ],
    ),
    (
        "cli",
        &[
            "keep",
            "daemon::credentials",
            "daemon::durably",
            "daemon::premises",
            "daemon::hooks::occasion",
            "daemon::hooks::sound",
            "daemon::reset::device",
            "daemon::reset::leash",
            "wire",
            "settings",
            "protocol::units",
            "protocol::status",
            "protocol::timing",
            "protocol::membership",
            "protocol::map",
            "protocol::order",
        ],
    ),
];

/// Protocol files that only describe; they use nothing but each other.
const DATA: [&str; 11] = [
    "units",
    "timing",
    "membership",
    "order",
    "quorum",
    "edit",
    "message",
    "durable",
    "alarm",
    "effects",
    "status",
];

/// Protocol files that hold one role each; only the hub composes them.
const ROLES: [&str; 3] = ["follower", "candidate", "master"];

/// Protocol files that are the hub: the node, and its sides too large for one file.
const HUB: [&str; 5] = ["node", "inbox", "errand", "petition", "view"];

#[test]
fn every_folder_uses_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for source in rust_files("src") {
        let Some((_, allowed)) = TABLE.iter().find(|(room, _)| room_of(&source) == *room) else {
            continue;
        };
        for used in uses(&source) {
            let at_home = starts_with(&used, room_of(&source));
            if !at_home && !allowed.iter().any(|allowed| starts_with(&used, allowed)) {
                wrong.push(format!("{} uses {used}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "see the import table in src/lib.rs:\n{}", wrong.join("\n"));
}

#[test]
fn the_roles_never_use_each_other_and_only_the_hub_composes_them() {
    let wrong = protocol_uses(|user, used| {
        let at_home = user == used || HUB.contains(&user);
        ROLES.contains(&used) && !at_home
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_data_of_the_protocol_uses_no_rule() {
    let wrong = protocol_uses(|user, used| DATA.contains(&user) && !DATA.contains(&used));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_in_the_protocol_uses_the_hub_from_outside() {
    let wrong = protocol_uses(|user, used| HUB.contains(&used) && !HUB.contains(&user));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_program_uses_the_library_by_its_name() {
    let inside = rust_files("src").into_iter().filter(|source| source.path != "src/main.rs");
    let wrong: Vec<_> =
        inside.filter(|source| source.code().contains("quorate::")).map(|s| s.path).collect();
    assert!(wrong.is_empty(), "write crate:: instead: {wrong:?}");
}

/// Every use of one protocol file by another that is `wrong(user, used)`.
fn protocol_uses(wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in rust_files("src/protocol") {
        let user = part(&source.path["src/".len()..source.path.len() - ".rs".len()], '/', 1);
        for used in uses(&source) {
            let name = used.split("::").nth(1).unwrap_or_default();
            if starts_with(&used, "protocol") && wrong(&user, name) {
                found.push(format!("{} uses {used}", source.path));
            }
        }
    }
    found
}

fn part(text: &str, separator: char, index: usize) -> String {
    text.split(separator).nth(index).unwrap_or_default().to_owned()
}

/// The folder of `src` a file lives in; for the front page, its own name.
fn room_of(source: &Source) -> &str {
    let below = &source.path["src/".len()..];
    below.split(['/', '.']).next().unwrap_or_default()
}

/// Whether `used` is the module `allowed` or lies in it.
fn starts_with(used: &str, allowed: &str) -> bool {
    used == allowed || used.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

/// Every path of this crate that `source` mentions, without its leading `crate::`.
fn uses(source: &Source) -> Vec<String> {
    uses_in(&module_of(&source.path), &code_of(&source.text))
}

/// `src/protocol/master/lease.rs` is the module `[protocol, master, lease]`.
fn module_of(path: &str) -> Vec<String> {
    let below = path["src/".len()..].trim_end_matches(".rs");
    let names = below.split('/').filter(|name| !["mod", "lib", "main"].contains(name));
    names.map(str::to_owned).collect()
}

fn uses_in(module: &[String], code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, base) in
        [("crate::", String::new()), ("super::", module[..module.len().max(1) - 1].join("::"))]
    {
        for (at, _) in code.match_indices(keyword) {
            let is_whole_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            // `super::super::x` is read at its second `super`, one room too deep: never written.
            if is_whole_word {
                tree(&base, &code[at + keyword.len()..], &mut found);
            }
        }
    }
    found
}

/// Reads a path or a `{…}` tree of paths after `base`; returns what follows it.
fn tree<'a>(base: &str, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') && !rest.trim_start().is_empty() {
            rest = tree(base, rest, found).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        return rest.trim_start().strip_prefix('}').unwrap_or_default();
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = &text[..end];
    let path = if base.is_empty() { name.to_owned() } else { format!("{base}::{name}") };
    if let Some(rest) = text[end..].strip_prefix("::") {
        return tree(&path, rest, found);
    }
    found.push(path);
    // Past `as other` or `*`, up to the next thing that ends an item of the tree.
    let rest = &text[end..];
    &rest[rest.find([',', '}', ';', '\n']).unwrap_or(rest.len())..]
}

#[test]
fn an_import_tree_is_read_whole() {
    let code = "use crate::{wire, protocol::{units::{NodeId, Term as T}, node::*}};\n\
                let x = crate::daemon::clock::now();\nuse super::quorum;";
    let module = ["protocol".to_owned(), "vote".to_owned()];
    let wanted = [
        "wire",
        "protocol::units::NodeId",
        "protocol::units::Term",
        "protocol::node::",
        "daemon::clock::now",
        "protocol::quorum",
    ];
    assert_eq!(uses_in(&module, code), wanted);
}
