//! node.yaml: what one node may say about itself.

use std::time::Duration;

use quorate::protocol::units::NodeId;
use quorate::settings::hooks::{ArgvStyle, Hooks, OnFail};
use quorate::settings::http::{Door, HttpSettings};
use quorate::settings::node::{self, LogFormat, LogSettings, NodeSettings};
use quorate::settings::probe::{HealthProbe, PositionProbe};

fn parse(text: &str) -> NodeSettings {
    node::parse(text, "node.yaml").expect("the file must be accepted")
}

fn refusal(text: &str) -> String {
    node::parse(text, "node.yaml").expect_err("the file must be refused").to_string()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn full() -> NodeSettings {
    NodeSettings {
        id: NodeId::new("1e3").expect("it is a name"),
        listen: "[::]:9902".into(),
        advertise: Some("db-1.example.net:9902".into()),
        log: LogSettings { level: log::LevelFilter::Debug, format: LogFormat::Json },
        acting_log: Some("/var/log/a \"b\": #c".into()),
        hooks: Some(Hooks {
            master: Some(words(&["/hooks/master", "", "*a", "&b: {c", "- #d", "e\n\u{7f}'\"\\"])),
            backup: Some(words(&["/hooks/b", "5", "null"])),
            no_quorum: None,
            event: Some(words(&["/hooks/event"])),
            fence: Some(words(&["/hooks/fence", "ipmi"])),
            timeout: Duration::from_millis(90_500),
            retries: 0,
            on_fail: OnFail::Retry,
            argv: ArgvStyle::Keepalived,
        }),
        health: Some(HealthProbe {
            command: words(&["/bin/health", "%x"]),
            interval: Duration::from_millis(100),
            timeout: Duration::from_millis(50),
            rise: 1,
            fall: 100,
        }),
        position: Some(PositionProbe {
            command: words(&["/bin/position"]),
            interval: Duration::from_secs(3600),
            timeout: Duration::from_secs(3600),
        }),
        http: HttpSettings {
            door: Door::At("[::1]:80".into()),
            hosts: words(&["a.example", "b.example"]),
            agent: Some("alpha.lan:9903".into()),
        },
        watchdog: Some("/dev/watchdog1".into()),
        may_move: true,
    }
}

#[test]
fn only_the_name_is_needed() {
    let settings = parse("id: alpha\n");
    assert_eq!(settings, NodeSettings::new(NodeId::new("alpha").unwrap()));
    assert_eq!(settings.listen, "0.0.0.0:9901");
    assert_eq!(settings.log.level, log::LevelFilter::Info);
    assert!(refusal("listen: 0.0.0.0:1\n").contains("no `id`"));
}

#[test]
fn what_init_writes_is_read_back_the_same() {
    let plain = NodeSettings::new(NodeId::new("alpha").unwrap());
    for settings in [plain, full()] {
        assert_eq!(parse(&node::render(&settings)), settings);
    }
}

#[test]
fn peers_reach_a_node_where_it_says_or_listens_or_by_its_host_name() {
    let named = || Ok::<_, &str>("host".to_owned());
    let nameless = || Err("no host name");
    let mut settings = full();
    assert_eq!(settings.advertise_address(nameless).unwrap(), "db-1.example.net:9902");
    settings.advertise = None;
    assert_eq!(settings.advertise_address(named).unwrap(), "host:9902");
    assert_eq!(settings.advertise_address(nameless).unwrap_err(), "no host name");
    settings.listen = "10.0.0.1:9901".into();
    assert_eq!(settings.advertise_address(nameless).unwrap(), "10.0.0.1:9901");
}

#[test]
fn http_is_off_or_at_an_address_and_known_by_names() {
    let usual = parse("id: a\n").http;
    assert_eq!((usual.door, usual.hosts.len(), usual.agent), (Door::Usual, 0, None));
    assert_eq!(parse("id: a\nhttp: off\nagent: \"off\"\n").http.door, Door::Off);
    let text = "id: a\nhttp: 0.0.0.0:9902\nhttp_hosts: [shop.example.net]\nagent: \"[::]:9903\"\n";
    let wanted = HttpSettings {
        door: Door::At("0.0.0.0:9902".to_owned()),
        hosts: words(&["shop.example.net"]),
        agent: Some("[::]:9903".to_owned()),
    };
    assert_eq!(parse(text).http, wanted);
    let words = refusal("id: a\nhttp: on\n");
    assert!(words.starts_with("node.yaml:2:7: `http` is `on`: it has no port"), "{words}");
    assert!(words.contains("such as 127.0.0.1:9902, or off"), "{words}");
    let words = refusal("id: a\nhttp_hosts: [shop.example.net:80]\n");
    assert!(words.contains("a name without a port"), "{words}");
}

#[test]
fn a_watchdog_is_off_or_a_device() {
    assert_eq!(parse("id: a\nwatchdog: off\n").watchdog, None);
    let device = parse("id: a\nwatchdog: /dev/watchdog\n").watchdog;
    assert_eq!(device, Some("/dev/watchdog".into()));
    let words = refusal("id: a\nwatchdog: on\n");
    assert!(words.starts_with("node.yaml:2:11: `watchdog` is `on`: no path from"), "{words}");
    assert!(words.contains("write `off`, or `/dev/watchdog`"), "{words}");
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    let cases = [
        ("id: a\nlisten: 9901\n", "node.yaml:2:9: `listen` must be text, and is a number"),
        ("id: a\nlisten: 0.0.0.0\n", "node.yaml:2:9: `listen` is `0.0.0.0`: it has no port"),
        ("id: a\nadvertise: 0.0.0.0:1\n", "node.yaml:2:12: `advertise` is every address"),
        ("id: a/b\n", "node.yaml:1:5: `a/b` cannot be a name"),
        ("id: a\nlog: {level: inof}\n", "unknown word `inof`, did you mean `info`?"),
        ("id: a\nlog: {colour: red}\n", "node.yaml:2:7: unknown key `colour`"),
        ("id: a\nlisten_on: x\n", "node.yaml:2:1: unknown key `listen_on`"),
        ("id: a\nacting_log: here\n", "node.yaml:2:13: `acting_log` is `here`: no path from"),
        ("id: a\ntiming: lan\n", "node.yaml:2:1: unknown key `timing`"),
    ];
    for (text, words) in cases {
        assert!(refusal(text).contains(words), "{}", refusal(text));
    }
}
