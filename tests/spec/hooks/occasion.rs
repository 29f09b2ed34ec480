//! What a hook is told: by arguments, by environment, and by one JSON object.

use quorate::daemon::hooks::occasion::{Occasion, Role};
use quorate::settings::hooks::ArgvStyle;
use quorate::wire::environment;
use serde_json::{Value, json};

use crate::spec::schema::assert_described;

fn occasion() -> Occasion {
    Occasion {
        event: "master".into(),
        role: Role::Master,
        prev_role: Some(Role::Backup),
        node: "alpha".into(),
        cluster: "shop".into(),
        cluster_id: "7d1c".into(),
        master: Some("alpha".into()),
        master_address: Some("10.0.0.1:9901".into()),
        prev_master: None,
        term: u64::MAX,
        seq: 3,
        reason: Some("elected-here".into()),
        lease_ms: None,
        timestamp: "2026-01-02T03:04:05.678Z".into(),
        socket: "/run/quorate/quorate.sock".into(),
        version: "0.1.0".into(),
    }
}

fn words(role: Role, style: ArgvStyle) -> String {
    let own = ["/hooks/h", "two words"].map(str::to_owned);
    let words = Occasion { role, ..occasion() }.words(&own, style);
    words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join("|")
}

#[test]
fn a_hook_is_given_event_role_and_cluster_after_its_own_words() {
    let given = words(Role::Master, ArgvStyle::Quorate);
    assert_eq!(given, "/hooks/h|two words|master|master|shop");
    let given = words(Role::NoQuorum, ArgvStyle::Quorate);
    assert_eq!(given, "/hooks/h|two words|master|no_quorum|shop");
}

#[test]
fn a_script_made_for_keepalived_is_given_what_it_knows() {
    for (role, state) in
        [(Role::Master, "MASTER"), (Role::Backup, "BACKUP"), (Role::NoQuorum, "FAULT")]
    {
        let wanted = format!("/hooks/h|two words|INSTANCE|shop|{state}|100");
        assert_eq!(words(role, ArgvStyle::Keepalived), wanted);
    }
}

#[test]
fn the_environment_is_ours_and_nothing_else_and_what_is_not_known_is_empty() {
    let environment = occasion().environment();
    let [common, own] = [&environment[..3], &environment[3..]];
    let names: Vec<_> = common.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["PATH", "LANG", "HOME"]);
    let names: Vec<_> = own.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, environment::NAMES);
    let value = |name: &str| own.iter().find(|(key, _)| key == name).unwrap().1.as_str();
    assert_eq!(value("QUORATE_TERM"), "18446744073709551615");
    assert_eq!(value("QUORATE_PREV_ROLE"), "backup");
    assert_eq!(value("QUORATE_MASTER_ADDRESS"), "10.0.0.1:9901");
    assert_eq!((value("QUORATE_PREV_MASTER"), value("QUORATE_LEASE_MS")), ("", ""));
}

#[test]
fn no_variable_holds_a_zero_byte() {
    let odd = Occasion { reason: Some("a\0b".into()), ..occasion() };
    assert!(odd.environment().contains(&("QUORATE_REASON".into(), "ab".into())));
}

#[test]
fn the_same_is_one_line_of_json_with_lower_case_keys() {
    let bytes = occasion().stdin();
    let (end, line) = bytes.split_last().unwrap();
    assert_eq!(*end, b'\n');
    assert!(!line.contains(&b'\n'));
    assert_described(&["hook", "stdin"], std::str::from_utf8(line).unwrap());
    let wanted = json!({
        "schema": 1, "event": "master", "role": "master", "prev_role": "backup",
        "node": "alpha", "cluster": "shop", "cluster_id": "7d1c", "master": "alpha",
        "master_address": "10.0.0.1:9901", "prev_master": null, "term": u64::MAX, "seq": 3,
        "reason": "elected-here", "lease_ms": null, "timestamp": "2026-01-02T03:04:05.678Z",
        "socket": "/run/quorate/quorate.sock", "version": "0.1.0",
    });
    assert_eq!(serde_json::from_slice::<Value>(line).unwrap(), wanted);
}

#[test]
fn every_role_is_found_by_its_word() {
    for role in [Role::Master, Role::Backup, Role::NoQuorum] {
        assert_eq!(Role::parse(role.word()), Some(role));
    }
    assert_eq!(Role::parse("no-quorum"), None);
}
