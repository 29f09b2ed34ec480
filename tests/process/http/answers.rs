//! The pages of data, the fixed texts, and who may read them.
//! Never compares a whole page: what a page must say and what it must not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::cluster::Cluster;
use super::super::looks::eventually;
use super::{asked, door, founded, get, sent};

fn ids(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

fn led(count: usize) -> (Cluster, String) {
    let mut cluster = founded(count);
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let address = door(&cluster, "bravo");
    (cluster, address)
}

#[test]
fn status_over_http_has_the_fields_of_status_on_the_command_line() {
    let (mut cluster, bravo) = led(3);
    let reply = get(&bravo, "/status");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.line("Content-Type"), Some("application/json"));
    let page = reply.json();
    let line = cluster.node("bravo").ask(&["status", "--json"]).printed();
    let line: Value = serde_json::from_str(&line).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&page), keys(&line));
    for key in ["schema", "node", "cluster", "cluster_id", "role", "term", "revision", "pid"] {
        assert_eq!(page[key], line[key], "{key}");
    }
    assert_eq!(page["master"]["id"], "alpha");
    assert_ne!(page["storage"], line["storage"], "the disk's identity is told to members only");
}

#[test]
fn the_cluster_is_shown_as_the_asked_node_sees_it() {
    let (_cluster, bravo) = led(3);
    let page = get(&bravo, "/cluster").json();
    assert_eq!((&page["schema"], &page["node"]), (&1.into(), &"bravo".into()));
    assert_eq!(page["master"]["id"], "alpha");
    assert_eq!(page["quorum"]["need"], 2);
    assert_eq!(ids(&page["members"]), BTreeSet::from(["alpha", "bravo", "charlie"]));
    let members = page["members"].as_array().unwrap();
    assert_eq!(members.iter().filter(|one| one["is_master"] == true).count(), 1);
    assert!(members.iter().all(|one| one["heard"] == true && one["healthy"] == true), "{page}");
    assert_eq!(members[1]["follows"], "alpha");
}

#[test]
fn the_past_is_told_with_every_change_of_the_master() {
    let (mut cluster, bravo) = led(3);
    cluster.node("alpha").ask(&["transfer", "charlie"]).printed();
    cluster.settles_on("charlie", &["alpha", "bravo"]);
    eventually("the history tells of charlie", || {
        let page = get(&bravo, "/history").json();
        assert_eq!((&page["error"], &page["unreadable"]), (&Value::Null, &0.into()));
        let events = page["events"].as_array().unwrap().clone();
        let to_charlie = |event: &Value| event["change"]["to"] == "charlie";
        events.iter().any(to_charlie).then_some(())
    });
}

/// H55
#[test]
fn the_document_is_told_without_keys_disks_invitations_and_comments() {
    let (mut cluster, bravo) = led(3);
    let body = cluster.node("alpha").ask(&["show"]).printed();
    let noted = body.replace("nodes:\n", "# the safe's number is 4711\nnodes:\n");
    let file = cluster.place().join("next.yaml");
    std::fs::write(&file, noted).unwrap();
    cluster.node("alpha").ask(&["apply", file.to_str().unwrap(), "--wait", "60s"]).printed();
    let token = cluster.node("alpha").ask(&["invite"]).printed();
    let body = cluster.node("alpha").ask(&["show"]).printed();
    assert!(body.contains("4711") && body.contains("invites"), "{body}");
    let page = eventually("bravo has it", || {
        let page = get(&bravo, "/config");
        (page.json()["revision"].as_u64()? == 3).then_some(page)
    });
    assert_eq!(ids(&page.json()["nodes"]), BTreeSet::from(["alpha", "bravo", "charlie"]));
    assert_eq!(page.json()["election"]["policy"], "lowest-id");
    assert_eq!(page.json()["timing"]["dead_after_ms"], 2000);
    let secrets: Vec<&str> = body
        .split(['"', '{', '}', ',', ' '])
        .filter(|word| word.len() > 30 && !page.json()["id"].as_str().unwrap().contains(word))
        .chain(["4711", token.trim()])
        .collect();
    assert!(secrets.len() > 7, "keys, disks and an invitation: {secrets:?}");
    for path in ["/", "/config", "/status", "/cluster", "/history", "/master"] {
        let page = get(&bravo, path);
        for secret in &secrets {
            assert!(!page.body.contains(secret), "{path} tells `{secret}`: {}", page.body);
        }
    }
}

#[test]
fn every_answer_says_that_it_is_not_to_be_kept_and_not_to_be_guessed_about() {
    let (_cluster, bravo) = led(3);
    for path in ["/", "/master", "/status", "/nothing"] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let reply = asked(&bravo, method, path);
            assert_eq!(reply.line("Cache-Control"), Some("no-store"), "{reply:?}");
            assert_eq!(reply.line("Connection"), Some("close"));
            assert_eq!(reply.line("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(reply.line("Referrer-Policy"), Some("no-referrer"));
            assert_eq!(reply.line("X-Quorate-Node"), Some("bravo"));
            let length: usize = reply.line("Content-Length").unwrap().parse().unwrap();
            assert!(method == "HEAD" || length == reply.body.len(), "{reply:?}");
            assert_eq!(reply.line("Allow").is_some(), method == "OPTIONS");
        }
    }
    let front = get(&bravo, "/");
    assert!(front.line("Content-Security-Policy").unwrap().starts_with("default-src 'self'"));
    assert!(front.body.contains("/read-write"));
    assert_eq!(get(&bravo, "/nothing").status, 404);
    assert_eq!(get(&bravo, "/master?from=balancer").status, 503, "a query changes nothing");
    let old = sent(&bravo, b"OPTIONS /backup HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(old.status, 200, "HAProxy's check of old");
}
