//! The command line: any list of words is one call or one complaint, and the same one each time.
//! Never does what it reads.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use quorate::cli::args::{Command, parse};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "command_line",
    check,
    seeds,
    words: &[
        "\0",
        "-",
        "--",
        "=",
        "-h",
        "--help",
        "--json",
        "--config",
        "--socket",
        "--state-dir",
        "--for",
        "--timeout",
        "--nodes",
        "--timing",
        "--once",
        "--keep",
        "--follow",
        "--new",
        "--name",
        "--cluster",
        "--from",
        "--watch",
        "role=",
        "master",
        "quorum",
        "5s",
        "config",
        "check",
        "origin",
        "demo",
        "demo-node",
        "init",
        "serve",
        "status",
        "wait",
        "transfer",
        "step-down",
        "events",
        "show",
        "help",
        "version",
        "is-master",
        "has-quorum",
    ],
};

/// Words end at NUL bytes, as the system passes them.
fn check(bytes: &[u8]) -> bool {
    let words = || bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let outcome = parse(words());
    assert_eq!(parse(words()), outcome);
    match outcome {
        Ok(call) => {
            let places = call.places;
            for place in [places.config, places.state_dir, places.socket].into_iter().flatten() {
                assert!(!place.as_os_str().is_empty());
            }
            if let Command::Help(Some(topic)) = call.command {
                let again = ["help", topic].join(" ");
                let words = again.split(' ').map(OsString::from);
                assert!(parse(words).is_ok(), "{topic} has a page of its own");
            }
            true
        }
        Err(error) => {
            assert!(error.to_string().contains("See: quorate"), "{error}");
            assert!(error.to_string().len() < 2_000 + 8 * bytes.len());
            false
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "status\0--json",
        "status\0--watch",
        "wait\0--for\0role=master\0--timeout\x005s",
        "events\0--follow\0--new",
        "transfer\0alpha",
        "step-down\0--for=1m",
        "config\0check\0a.yaml",
        "config\0origin\0--state-dir\0/s",
        "demo\0--nodes\x003\0--timing\0wan\0--once\0--keep",
        "demo-node\0a\0--b",
        "init\0--name\0alpha\0--cluster\0shop",
        "help\0config\0check",
        "-h",
        "--socket\0/run/q.sock\0show\0--json",
        "master\0--address",
        "",
        "stauts",
        "wait",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
