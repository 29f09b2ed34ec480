//! What people may write in node.yaml and cluster.yaml, and what they are told when it is wrong.

mod cluster;
mod hooks;
mod hostile;
mod keys;
mod node;
mod paths;
mod pen;
mod probes;
mod words;

use quorate::settings::Problem;

/// A valid document; each test changes one thing in it.
const SHOP: &str = r#"# our shop
cluster: shop
id: "7d1c0000000000000000000000000001"
generation: 1
timing: {heartbeat: 500ms, dead_after: 4s, stop: 500ms, drift: 1%}
election: {policy: lowest-id, failback: 2m, auto_failover: true, require_freshest: false}
nodes:
  - {id: alpha, address: "10.0.0.1:9901", role: voter, priority: 100,
     key: "SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     storage: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
  - {id: bravo, address: "10.0.0.2:9901",
     key: "SHA256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
     storage: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}
  - id: charlie
    address: "[2001:db8::3]:9901"
    key: "SHA256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
    storage: "cccccccccccccccccccccccccccccccc"
"#;

/// `SHOP` with the only `old` in it replaced.
fn shop_with(old: &str, new: &str) -> String {
    assert_eq!(SHOP.matches(old).count(), 1, "`{old}` must be in SHOP exactly once");
    SHOP.replace(old, new)
}

/// Why `text` is refused.
fn refusal(text: &str) -> Problem {
    quorate::settings::cluster::parse(text, "cluster.yaml")
        .expect_err("the document must be refused")
}

/// `text` is refused at `place` (`line:column`) with a message and hint that hold all of `words`.
#[track_caller]
fn assert_refused(text: &str, place: &str, words: &[&str]) {
    let shown = refusal(text).to_string();
    assert!(shown.starts_with(&format!("cluster.yaml:{place}: ")), "not at {place}: {shown}");
    for word in words {
        assert!(shown.contains(word), "no `{word}` in: {shown}");
    }
}
