//! cluster.yaml, as a person wrote it and as the cluster agreed on it: a charter that can be
//! written down again, or a problem with a place that exists. Never judges a setting.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use quorate::protocol::membership::{Charter, Failback, Override, Policy};
use quorate::settings::{self, Problem, cluster, config_check, duration, percent};

use super::Target;

pub(super) const TARGET: Target = Target { name: "cluster_yaml", check, seeds, words: &YAML_WORDS };

/// What YAML, and ours in particular, is made of.
pub(super) const YAML_WORDS: [&str; 64] = [
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    ", ",
    "- ",
    "\n",
    "\n  ",
    "  ",
    "\t",
    "\r\n",
    "'",
    "\"",
    "#",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "~",
    "---\n",
    "...\n",
    "\0",
    "é",
    "<<: ",
    "? ",
    "|\n",
    ">\n",
    "%",
    "@",
    "\\x41",
    "\\u202e",
    "99999999999999999999",
    "-1",
    "1e400",
    ".nan",
    "0x10",
    "0o17",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "cluster: ",
    "id: ",
    "generation: ",
    "timing: ",
    "election: ",
    "nodes:",
    "heartbeat: ",
    "dead_after: ",
    "stop: ",
    "drift: ",
    "stagger: ",
    "preset: ",
    "failback: ",
    "never",
    "role: ",
    "witness",
    "observer",
    "priority: ",
    "address: ",
    "[::1]:1",
    "version: ",
    "1h30m",
];

/// A document with everything in it that a person may write.
pub(super) const SHOP: &str = r#"# our shop
cluster: shop
id: "7d1c0000000000000000000000000001"
generation: 1
timing: {heartbeat: 500ms, dead_after: 4s, stop: 500ms, drift: 1%}
election: {policy: priority, failback: 2m, auto_failover: true, require_freshest: true}
maintenance: {by: "root@alpha", since: "2026-03-01T22:00:00Z", until: "2026-03-01T23:00:00Z"}
nodes:
  - {id: alpha, in_sync: true, standby: {by: carl},
     address: "10.0.0.1:9901", role: voter, priority: 100,
     key: "SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     storage: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
  - id: bravo
    address: "[2001:db8::3]:9901"
    key: "SHA256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
    storage: "cccccccccccccccccccccccccccccccc"
"#;

/// A document of a later release: only members read it.
pub(super) const LATER: &str = r#"cluster: shop
id: "03030303030303030303030303030303"
timing: lan
election: {policy: tallest, failback: never, tie: [a, b]}
quotas: {most: 3}
nodes:
  - {id: alpha, address: "a:1",
     key: "SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     storage: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
  - {id: bravo, address: "b:1", role: observer, priority: 7,
     key: "SHA256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
     storage: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}
"#;

fn check(bytes: &[u8]) -> bool {
    let text = match settings::text(bytes, "cluster.yaml") {
        Ok(text) => text,
        Err(problem) => {
            check_problem(&problem, &String::from_utf8_lossy(bytes));
            return false;
        }
    };
    let [strict, agreed] =
        [cluster::parse, cluster::parse_agreed].map(|parse| parse(text, "cluster.yaml"));
    for problem in [&strict, &agreed].into_iter().filter_map(|outcome| outcome.as_ref().err()) {
        check_problem(problem, text);
    }
    if let Ok(charter) = &agreed {
        let understood = Charter { is_understood: true, ..charter.clone() };
        assert_eq!(
            cluster::parse_agreed(&written(charter), "x").map(|it| it.members),
            Ok(understood.members)
        );
        assert_eq!(charter.is_understood, strict.is_ok(), "{strict:?}");
    }
    let Ok(charter) = strict else {
        assert!(config_check(text, "cluster.yaml").is_err());
        return false;
    };
    assert_eq!(agreed.as_ref(), Ok(&charter), "who wrote it makes no difference");
    assert_eq!(cluster::parse(&written(&charter), "x").as_ref(), Ok(&charter));
    let notes = config_check(text, "cluster.yaml").expect("what is accepted is not refused");
    for note in &notes {
        super::assert_speakable(note);
    }
    true
}

/// A problem points into the text, is one line, and grows no faster than the text.
pub(super) fn check_problem(problem: &Problem, text: &str) {
    let Problem { line, column, message, hint, .. } = problem;
    let words = format!("{message} {}", hint.as_deref().unwrap_or_default());
    assert!(!words.contains(char::is_control), "{words:?}");
    assert!(words.len() < 1_000 + 10 * text.len(), "{} bytes", words.len());
    assert_eq!(line.is_some(), column.is_some(), "{problem:?}");
    let (Some(line), Some(column)) = (*line, *column) else { return };
    let lines: Vec<&str> = text.split('\n').collect();
    assert!((1..=lines.len() + 1).contains(&line), "{problem:?}");
    let width = lines.get(line - 1).map_or(0, |line| line.chars().count());
    assert!((1..=width + 1).contains(&column), "column {column} of {width}: {problem:?}");
}

/// The charter as a person would write it.
fn written(charter: &Charter) -> String {
    let Charter { name, cluster, generation, timing, election, members, .. } = charter;
    let [heartbeat, dead_after, stop, stagger] =
        [timing.heartbeat(), timing.dead_after(), timing.stop(), timing.stagger()]
            .map(duration::show);
    let failback = match election.failback {
        Failback::Never => "never".to_owned(),
        Failback::After(span) => duration::show(span),
    };
    let mut text = format!(
        "cluster: \"{name}\"\nid: \"{cluster}\"\ngeneration: {generation}\n\
         timing: {{heartbeat: {heartbeat}, dead_after: {dead_after}, stop: {stop}, \
         drift: {}, stagger: {stagger}}}\nelection: {{policy: {}, failback: {failback}, \
         auto_failover: {}, require_freshest: true}}\nmaintenance: {}\nnodes:\n",
        percent::show(timing.drift_ppm()),
        policy(election.policy),
        election.is_automatic,
        written_override(charter.maintenance.as_ref()),
    );
    for member in members.all() {
        let line = cluster::node_line(member);
        let line = line.strip_suffix('}').expect("a node's line is a mapping");
        let standby = written_override(member.standby.as_ref());
        writeln!(text, "{line}, in_sync: {}, standby: {standby}}}", member.is_in_sync)
            .expect("a String takes everything");
    }
    text
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::LowestId => "lowest-id",
        Policy::Priority => "priority",
        Policy::Seniority => "seniority",
        Policy::Freshest => "freshest",
        Policy::Sticky => "sticky",
    }
}

fn written_override(set: Option<&Override>) -> String {
    let Some(Override { by, since, until }) = set else { return "false".to_owned() };
    let time = |millis: &u64| {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(*millis);
        format!("\"{}\"", humantime::format_rfc3339_millis(at))
    };
    let mut keys = vec![format!("by: {}", serde_json::to_string(&**by).expect("text is JSON"))];
    keys.extend(since.iter().map(|since| format!("since: {}", time(since))));
    keys.extend(until.iter().map(|until| format!("until: {}", time(until))));
    format!("{{{}}}", keys.join(", "))
}

fn seeds() -> Vec<Vec<u8>> {
    let presets = SHOP.replace("{heartbeat: 500ms, dead_after: 4s, stop: 500ms, drift: 1%}", "wan");
    let bomb = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n";
    let deep = "[".repeat(200);
    let texts = [SHOP, LATER, &presets, bomb, &deep, "", "# nothing\n", "---\n"];
    let mut seeds: Vec<_> = texts.map(|text| text.as_bytes().to_vec()).into();
    seeds.push(SHOP.replace('\n', "\r\n").into_bytes());
    seeds.push(b"\xff\xfea\0".to_vec());
    seeds
}
