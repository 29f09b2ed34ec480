//! node.yaml: settings that can be written down again, or a problem with a place that exists.
//! Never opens the file.

use quorate::settings::{self, node};

use super::Target;
use super::cluster_yaml::{YAML_WORDS, check_problem};

pub(super) const TARGET: Target = Target { name: "node_yaml", check, seeds, words: &YAML_WORDS };

/// A node.yaml with everything in it.
const ALPHA: &str = "# alpha\nid: alpha\nlisten: 0.0.0.0:9901\nadvertise: \"[2001:db8::1]:9901\"\n\
                     log: {level: debug, format: json}\nhttp: off\nwatchdog: /dev/watchdog\n\
                     hooks:\n  master: [/h/m, \"two words\"]\n  backup: [/h/b]\n  \
                     no_quorum: [/h/n]\n  event: [/h/e]\n  timeout: 30s\n  retries: 2\n  \
                     on_fail: retry\n  argv: keepalived\n\
                     health: {command: [/ok], interval: 5s, timeout: 2s, rise: 2, fall: 3}\n\
                     position: {command: [/lsn]}\n";

fn check(bytes: &[u8]) -> bool {
    let parsed = settings::text(bytes, "node.yaml").and_then(|text| node::parse(text, "node.yaml"));
    let settings = match parsed {
        Ok(settings) => settings,
        Err(problem) => {
            check_problem(&problem, &String::from_utf8_lossy(bytes));
            return false;
        }
    };
    assert_eq!(node::parse(&node::render(&settings), "node.yaml").as_ref(), Ok(&settings));
    let address = settings.advertise_address(|| Err::<String, ()>(()));
    assert!(address.is_ok_and(|it| !it.is_empty()) || settings.advertise.is_none());
    true
}

fn seeds() -> Vec<Vec<u8>> {
    let least = "id: \"a\"\n";
    let unavailable = format!("{least}http: on\n");
    [ALPHA, least, &unavailable, "{id: a, log: {level: info}}", "id: [a]\n", "id: a\nid: b\n"]
        .map(|text| text.as_bytes().to_vec())
        .into()
}
