//! cluster.yaml: what each key means and what is refused, with its place.

use std::time::Duration;

use quorate::protocol::membership::{Charter, Failback, Member, MemberRole, Policy};
use quorate::protocol::timing::Timing;
use quorate::protocol::units::{ClusterId, NodeId, Pin, Position, StorageId, Term};
use quorate::settings::{cluster, config_check};

use super::{SHOP, assert_refused, refusal, shop_with};

fn accepted(text: &str) -> Charter {
    cluster::parse(text, "cluster.yaml").expect("the document must be accepted")
}

fn timing_of(words: &str) -> Timing {
    let text = shop_with("{heartbeat: 500ms, dead_after: 4s, stop: 500ms, drift: 1%}", words);
    accepted(&text).timing
}

fn failback_of(words: &str) -> Failback {
    let text = shop_with("failback: 2m, ", words);
    accepted(&text).election.failback
}

#[test]
fn a_whole_document_becomes_a_charter() {
    let charter = accepted(SHOP);
    assert_eq!(&*charter.name, "shop");
    assert_eq!(charter.cluster.to_string(), "7d1c0000000000000000000000000001");
    assert_eq!(charter.generation, 1);
    assert_eq!(charter.timing, Timing::DEFAULT);
    assert_eq!(charter.election.policy, Policy::LowestId);
    assert_eq!(charter.election.failback, Failback::After(Duration::from_secs(120)));
    let names: Vec<_> = charter.members.all().map(|member| member.id.to_string()).collect();
    assert_eq!(names, ["alpha", "bravo", "charlie"]);
    let charlie = charter.members.find(&NodeId::new("charlie").unwrap()).unwrap();
    assert_eq!(&*charlie.address, "[2001:db8::3]:9901");
    assert_eq!((charlie.role, charlie.priority), (MemberRole::Voter, 100));
    assert_eq!(charlie.pin, Pin([0xcc; 32]));
    assert_eq!(charlie.storage, StorageId([0xcc; 16]));
}

#[test]
fn what_a_document_leaves_out_has_defaults() {
    let lines = SHOP.lines().filter(|line| {
        !["generation", "timing", "election"].iter().any(|key| line.starts_with(key))
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let defaults = accepted(&text);
    assert_eq!(defaults, accepted(SHOP));
}

#[test]
fn server_controlled_keys_are_accepted_and_change_nothing() {
    let more = "version: 7\nterm: 12\nupdated_at: 2026-01-01\nupdated_by: alpha\nnodes:";
    let charter = accepted(&shop_with("nodes:", more));
    assert_eq!(charter, accepted(SHOP));
}

#[test]
fn the_cluster_must_have_a_name_and_an_id() {
    assert_refused(&shop_with("cluster: shop\n", ""), "2:1", &["no `cluster`", "cluster: shop"]);
    let id = "id: \"7d1c0000000000000000000000000001\"\n";
    assert_refused(&shop_with(id, ""), "2:1", &["no `id`", "add a line `id:", "32 hexadecimal"]);
    assert_refused(&shop_with(id, "id: 7D1C\n"), "3:5", &["32 digits of 0-9 a-f"]);
    assert_refused(&shop_with("cluster: shop", "cluster: a b"), "2:10", &["cannot be a name"]);
    assert_refused(&shop_with("generation: 1", "generation: 0"), "4:13", &["must be at least 1"]);
}

#[test]
fn a_preset_is_a_word_or_a_base_for_single_times() {
    assert_eq!(timing_of("lan"), Timing::LAN);
    assert_eq!(timing_of("default"), Timing::DEFAULT);
    assert_eq!(timing_of("wan"), Timing::WAN);
    assert_eq!(timing_of("{}"), Timing::DEFAULT);
    let slow_stop = timing_of("{preset: wan, stop: 1s, drift: 0.5%}");
    assert_eq!(slow_stop.dead_after(), Timing::WAN.dead_after());
    assert_eq!(slow_stop.stop(), Duration::from_secs(1));
    assert_eq!(slow_stop.drift_ppm(), 5_000);
}

#[test]
fn stagger_follows_heartbeat_unless_it_is_named() {
    assert_eq!(timing_of("{heartbeat: 800ms}").stagger(), Duration::from_millis(80));
    assert_eq!(timing_of("{stagger: 90ms}").stagger(), Duration::from_millis(90));
}

#[test]
fn times_that_cannot_work_are_refused_at_the_time_to_change() {
    let slow = shop_with("heartbeat: 500ms", "heartbeat: 2s");
    assert_refused(&slow, "5:21", &["heartbeat must be", "a quarter of dead_after"]);
    let long = shop_with("dead_after: 4s", "dead_after: 301s");
    assert_refused(&long, "5:40", &["dead_after must be between 200ms and 300s"]);
    assert_refused(&shop_with("drift: 1%", "drift: 6%"), "5:64", &["drift must be"]);
    assert_refused(&shop_with("stop: 500ms", "stop: 3500ms"), "5:50", &["a lease leaves"]);
}

#[test]
fn a_time_without_a_unit_is_refused_with_the_units() {
    let bare = shop_with("heartbeat: 500ms", "heartbeat: 500");
    assert_refused(&bare, "5:21", &["without a unit", "`500ms`", "`500s`"]);
    assert_refused(&shop_with("drift: 1%", "drift: 0.01"), "5:64", &["percentage", "`1%`"]);
    assert_refused(&shop_with("dead_after: 4s", "dead_after: 1M"), "5:40", &["not a duration"]);
}

#[test]
fn failback_is_a_duration_or_never_or_zero() {
    assert_eq!(failback_of("failback: never, "), Failback::Never);
    assert_eq!(failback_of("failback: 0, "), Failback::After(Duration::ZERO));
    assert_eq!(failback_of("failback: 1m30s, "), Failback::After(Duration::from_secs(90)));
    assert_eq!(failback_of(""), Failback::After(Duration::from_secs(120)));
    assert_refused(&shop_with("failback: 2m", "failback: nevr"), "6:41", &["`never` and 0"]);
}

#[test]
fn each_policy_has_its_failback() {
    for (word, policy) in [
        ("priority", Policy::Priority),
        ("seniority", Policy::Seniority),
        ("freshest", Policy::Freshest),
        ("sticky", Policy::Sticky),
    ] {
        let text = shop_with("policy: lowest-id, failback: 2m", &format!("policy: {word}"));
        let election = cluster::parse(&text, "cluster.yaml").expect("a policy there is").election;
        assert_eq!((election.policy, election.failback), (policy, Failback::Never));
    }
}

#[test]
fn where_the_freshest_data_are_required_only_nodes_in_sync_may_lead() {
    let text = shop_with("require_freshest: false", "require_freshest: true");
    assert_refused(&text, "8:3", &["`require_freshest: true`", "in_sync: true"]);
    let text = text.replacen("role: voter", "in_sync: true", 1);
    let charter = cluster::parse(&text, "cluster.yaml").expect("one may lead");
    let leads: Vec<bool> = charter.members.all().map(|member| member.may_lead()).collect();
    assert_eq!(leads.iter().filter(|leads| **leads).count(), 1, "{leads:?}");
}

#[test]
fn maintenance_and_no_failover_keep_mastership_where_it_is() {
    let moves =
        |text: &str| cluster::parse(text, "cluster.yaml").expect("it is right").moves_by_itself();
    assert!(moves(&shop_with("auto_failover: true", "auto_failover: true")));
    assert!(!moves(&shop_with("auto_failover: true", "auto_failover: false")));
    let set = "maintenance: {by: \"root@alpha\", until: \"2026-03-01T22:00:00Z\"}\nnodes:";
    assert!(!moves(&shop_with("nodes:", set)));
    let wrong = shop_with("nodes:", "maintenance: {until: tomorrow}\nnodes:");
    assert_refused(&wrong, "7:22", &["`until` is `tomorrow`", "2026-03-01T22:00:00Z"]);
}

#[test]
fn an_unknown_key_or_word_is_refused_with_the_nearest() {
    let key = shop_with("heartbeat: 500ms", "heartbeet: 500ms");
    assert_refused(&key, "5:10", &["unknown key `heartbeet`, did you mean `heartbeat`?"]);
    let word = shop_with("lowest-id", "lowest_id");
    assert_refused(&word, "6:20", &["unknown word `lowest_id`, did you mean `lowest-id`?"]);
    let odd = shop_with("generation: 1", "generation: 1\nzzzzzzzz: 1");
    assert_refused(&odd, "5:1", &["unknown key `zzzzzzzz`\n", "the keys here are: cluster, id"]);
    let node = shop_with("priority: 100", "prioritty: 100");
    assert_refused(&node, "8:56", &["did you mean `priority`?"]);
    let swapped = shop_with("nodes:", "ndoes:");
    assert_refused(&swapped, "7:1", &["did you mean `nodes`?"]);
}

#[test]
fn a_repeated_name_key_disk_or_address_is_refused_at_the_second() {
    let name = shop_with("id: bravo", "id: alpha");
    assert_refused(&name, "11:10", &["node 2 has the `id` of node 1 (`alpha`)"]);
    let key = SHOP.replace(&"b".repeat(64), &"a".repeat(64));
    assert_refused(&key, "12:11", &["node 2 has the `key` of node 1", "cloned"]);
    let disk = SHOP.replace(&format!("\"{}\"", "c".repeat(32)), &format!("\"{}\"", "b".repeat(32)));
    assert_refused(&disk, "17:14", &["node 3 has the `storage` of node 2 (`bravo`)"]);
    let address = shop_with("10.0.0.2:9901", "10.0.0.1:9901");
    assert_refused(&address, "11:26", &["node 2 has the `address` of node 1"]);
}

#[test]
fn a_cluster_has_one_to_nine_voters() {
    let head = SHOP.split("nodes:").next().unwrap();
    assert_refused(&format!("{head}nodes: []\n"), "7:8", &["no node here may lead"]);
    let line = |n: usize| {
        let (pin, storage) = (format!("{n:064x}"), format!("{n:032x}"));
        format!(
            "  - {{id: n{n}, address: \"h{n}:1\", key: \"SHA256:{pin}\", storage: \"{storage}\"}}\n"
        )
    };
    let of = |count| format!("{head}nodes:\n{}", (1..=count).map(line).collect::<String>());
    assert!(cluster::parse(&of(9), "cluster.yaml").is_ok());
    assert_refused(&of(10), "17:5", &["10 nodes vote, and at most 9 may"]);
}

#[test]
fn a_missing_part_of_a_node_is_named_at_the_node() {
    let pin = format!("\n     key: \"SHA256:{}\",", "b".repeat(64));
    assert_refused(&shop_with(&pin, ""), "11:5", &["item 2 has no `key`", "quorate init"]);
    let storage = format!(",\n     storage: \"{}\"", "b".repeat(32));
    assert_refused(&shop_with(&storage, ""), "11:5", &["item 2 has no `storage`"]);
    assert_refused(&shop_with("id: charlie\n    ", ""), "14:5", &["item 3 has no `id`"]);
    assert_refused(&shop_with("  - id: charlie\n", "  - charlie\n  -\n"), "14:5", &["mapping"]);
}

#[test]
fn an_address_is_a_host_and_a_port_others_can_connect_to() {
    let refused = [
        ("10.0.0.2", "no port"),
        ("10.0.0.2:0", "1 to 65535"),
        ("10.0.0.2:65536", "1 to 65535"),
        ("10.0.0.2:+1", "1 to 65535"),
        ("10.0.0.256:1", "neither a name nor"),
        ("2001:db8::3:9901", "brackets"),
        ("[10.0.0.2]:1", "neither a name nor"),
        ("[::1]", "no port"),
        (":9901", "neither a name nor"),
        ("a b:1", "neither a name nor"),
        ("-x.example:1", "neither a name nor"),
        ("0.0.0.0:9901", "every address of a machine"),
        ("[::]:9901", "every address of a machine"),
    ];
    for (address, words) in refused {
        assert_refused(&shop_with("10.0.0.2:9901", address), "11:26", &[words]);
    }
    for address in ["db-1.example.net:9901", "localhost:1", "[2001:db8::1]:65535", "db_1:80"] {
        assert!(cluster::parse(&shop_with("10.0.0.2:9901", address), "cluster.yaml").is_ok());
    }
}

#[test]
fn the_template_with_its_node_lines_is_a_valid_document() {
    let member = |name: &str, byte: u8| Member {
        id: NodeId::new(name).unwrap(),
        address: format!("[2001:db8::{byte}]:9901").into(),
        role: MemberRole::Voter,
        priority: u32::from(byte) + 99,
        pin: Pin([byte; 32]),
        storage: StorageId([byte; 16]),
        next_pin: None,
        is_in_sync: true,
        standby: None,
    };
    let members = [member("1e3", 1), member("null", 2), member("0x10", 3)];
    let lines: Vec<_> = members.iter().map(cluster::node_line).collect();
    let id = ClusterId([0x11; 16]);
    let text = format!("{}{}", cluster::template("shop", id), lines.join("\n"));
    let charter = accepted(&text);
    assert_eq!((charter.cluster, &*charter.name), (id, "shop"));
    assert_eq!(charter.timing, Timing::DEFAULT);
    for member in &members {
        assert_eq!(charter.members.find(&member.id), Some(member));
    }
}

#[test]
fn the_key_that_is_to_follow_is_read_and_is_nobody_elses() {
    let [a, b, n] = ["a", "b", "d"].map(|digit| format!("SHA256:{}", digit.repeat(64)));
    let with = |key: &str| SHOP.replace(&b, &format!("{b}\", next_key: \"{key}"));
    let charter = accepted(&with(&n));
    let pins: Vec<_> = charter.members.all().map(|member| member.pins().count()).collect();
    assert_eq!(pins.iter().filter(|count| **count == 2).count(), 1, "{pins:?}");
    for (wrong, words) in [(&a, "node 2 has the `next_key` of node 1"), (&b, "one key twice")] {
        let problem = cluster::parse(&with(wrong), "cluster.yaml").unwrap_err().to_string();
        assert!(problem.contains(words), "{problem}");
    }
    let short = cluster::parse(&with("SHA256:dd"), "cluster.yaml").unwrap_err().to_string();
    assert!(short.contains("`next_key` must be"), "{short}");
}

#[test]
fn a_document_keeps_its_bytes_and_their_hash() {
    let position = Position { term: Term(3), version: 9 };
    let document = cluster::document(SHOP, "cluster.yaml", position, 4).unwrap();
    assert_eq!((document.position, document.revision), (position, 4));
    assert_eq!(&*document.body, SHOP);
    assert_eq!(document.hash, cluster::hash(SHOP));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(cluster::hash("").to_string(), empty);
}

#[test]
fn the_check_shows_what_the_times_amount_to() {
    let notes = config_check(SHOP, "cluster.yaml").unwrap().join("\n");
    for words in [
        "3 voting, 2 must agree, the loss of 1 is survived",
        "3.92s",
        "3.07s",
        "5 lost",
        "4.19s",
        "stop 500ms + kill 250ms + margin 100ms",
        "up for 2m",
    ] {
        assert!(notes.contains(words), "no `{words}` in: {notes}");
    }
    assert!(!notes.contains("warning"), "{notes}");
}

#[test]
fn the_check_warns_of_what_is_allowed_and_unwise() {
    let two = SHOP.split("  - id: charlie").next().unwrap().replace("failback: 2m", "failback: 0");
    let two = two.replace("10.0.0.1", "127.0.0.1");
    let notes = config_check(&two, "cluster.yaml").unwrap().join("\n");
    for words in ["warning: 2 nodes vote", "warning: failback is 0", "warning: some addresses"] {
        assert!(notes.contains(words), "no `{words}` in: {notes}");
    }
    let one = two.split("  - {id: bravo").next().unwrap();
    let notes = config_check(one, "cluster.yaml").unwrap().join("\n");
    assert!(notes.contains("warning: one node votes"), "{notes}");
    assert_eq!(config_check("x: 1", "cluster.yaml").unwrap_err(), refusal("x: 1"));
}

#[test]
fn what_a_later_release_agreed_on_is_kept_and_known_not_to_be_understood() {
    for (before, after) in [
        ("generation: 1", "generation: 1\nweather: fine"),
        ("failback: 2m, ", "failback: 2m, mood: good, "),
        ("policy: lowest-id", "policy: tallest"),
    ] {
        let text = shop_with(before, after);
        assert!(cluster::parse(&text, "cluster.yaml").is_err(), "{after}");
        let charter = cluster::parse_agreed(&text, "cluster.yaml").expect("it was agreed on");
        assert!(!charter.is_understood, "{after}");
        assert_eq!(charter.members, accepted(SHOP).members);
    }
    let same = cluster::parse_agreed(SHOP, "cluster.yaml").expect("valid");
    assert!(same.is_understood);
    let broken = shop_with("cluster: shop", "cluster: a b");
    assert!(cluster::parse_agreed(&broken, "cluster.yaml").is_err());
}
