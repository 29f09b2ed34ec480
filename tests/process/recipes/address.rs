//! `vip` moves addresses between machines of their own network, and a third one notices at once.
//! Never asks the hook what it did: the kernel and the neighbour are asked.

use std::fs::{self, File};

use rustix::process::Signal;

use super::super::command::{Running, must, run};
use super::super::network::Network;
use super::{Bench, eventually, shipped};

const ADDRESSES: [&str; 2] = ["10.99.0.100", "fd00:99::100"];
const WORDS: &str = "10.99.0.100 fd00:99::100 dev wire announce 2";

/// What a hook finds on a Debian with the announcing tools, on an Alpine, and where there are none.
const TOOLS: [&str; 6] = ["arping", "cat", "ip", "ndptool", "sed", "sleep"];
const BUSYBOX: [&str; 5] = ["arping", "cat", "ip", "sed", "sleep"];
const BARE: [&str; 5] = ["cat", "ip", "ping", "sed", "sleep"];

/// Two machines that can hold the addresses, and a third that uses them.
struct Scene {
    network: Network,
    holders: [Bench; 2],
}

impl Scene {
    fn with(bench: Option<Bench>) -> Option<Self> {
        let bench = bench?;
        let network = Network::of(3)?;
        for (index, machine) in network.prefixes().iter().enumerate() {
            must(machine, &format!("ip address add fd00:99::{}/64 dev wire nodad", index + 1));
            // They know each other: whoever has no arping needs somebody to ask for.
            let other = (index + 1) % 3 + 1;
            must(machine, &format!("ping -q -c 1 -W 60 10.99.0.{other}"));
        }
        let holders = [0, 1].map(|index: usize| bench.moved(&network.prefixes()[index]));
        Some(Self { network, holders })
    }

    fn machine(&self, index: usize) -> Vec<String> {
        self.network.prefixes().swap_remove(index)
    }

    /// The hook ends well there.
    fn told(&self, index: usize, event: &str) {
        let words = format!("{WORDS} {event} {event} shop");
        let outcome = self.holders[index].run("vip", &words);
        assert_eq!(outcome.code, 0, "{words} on {index}: {}{}", outcome.stdout, outcome.stderr);
    }

    /// Whether that machine has that address.
    fn has(&self, index: usize, address: &str) -> bool {
        !must(&self.machine(index), &format!("ip -o address show to {address}")).is_empty()
    }

    fn held(&self) -> [[bool; 2]; 2] {
        [0, 1].map(|index| ADDRESSES.map(|address| self.has(index, address)))
    }

    /// The third machine speaks with whoever has the addresses.
    fn are_used(&self) {
        for address in ADDRESSES {
            must(&self.machine(2), &format!("ping -q -c 1 -W 60 {address}"));
        }
    }

    /// That the third machine, which does nothing, learns where the addresses are now.
    fn are_known_to_be_on(&self, index: usize) {
        let link = must(&self.machine(index), "ip -o link show dev wire");
        let words: Vec<_> = link.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "link/ether").unwrap();
        for address in ADDRESSES {
            eventually(&format!("{address} is known to be on {index}"), || {
                must(&self.machine(2), &format!("ip neigh show to {address}"))
                    .contains(words[at + 1])
            });
        }
    }
}

/// Both ways, with what is used in between.
fn moves_at_once(bench: Option<Bench>) {
    let Some(scene) = Scene::with(bench) else { return };
    scene.told(0, "backup");
    scene.told(1, "backup");
    assert_eq!(scene.held(), [[false; 2]; 2]);
    scene.told(0, "master");
    assert_eq!(scene.held(), [[true; 2], [false; 2]]);
    scene.are_used();
    scene.are_known_to_be_on(0);
    for (from, to) in [(0, 1), (1, 0)] {
        scene.told(from, "no_quorum");
        assert_eq!(scene.held(), [[false; 2]; 2]);
        scene.told(to, "master");
        scene.are_known_to_be_on(to);
        scene.are_used();
    }
}

#[test]
fn addresses_move_at_once_with_the_tools_that_announce() {
    moves_at_once(Bench::with(&TOOLS));
}

#[test]
fn addresses_move_at_once_with_busybox_alone() {
    moves_at_once(Bench::of_busybox(&BUSYBOX));
}

#[test]
fn addresses_move_at_once_where_no_tool_announces() {
    moves_at_once(Bench::with(&BARE));
}

#[test]
fn an_address_can_be_given_and_taken_twice_and_with_another_length() {
    let Some(scene) = Scene::with(Bench::with(&TOOLS)) else { return };
    scene.told(0, "master");
    scene.told(0, "master");
    assert_eq!(scene.held()[0], [true; 2]);
    let shown = must(&scene.machine(0), "ip -o -6 address show to fd00:99::100");
    assert!(shown.contains("nodad") && shown.contains("deprecated"), "{shown}");
    // One more of the same, and one that somebody else added.
    must(&scene.machine(0), "ip address add 10.99.0.100/24 dev wire");
    scene.told(0, "backup");
    assert_eq!(scene.held()[0], [false; 2]);
    must(&scene.machine(0), "ip address add fd00:99::100/64 dev wire");
    scene.told(0, "what-nobody-knows");
    assert_eq!(scene.held()[0], [false; 2]);
}

#[test]
fn the_words_of_keepalived_and_a_file_of_words_do_as_well() {
    let Some(scene) = Scene::with(Bench::with(&TOOLS)) else { return };
    let file = scene.holders[0].file("vip.conf");
    fs::write(&file, format!("# comment\n\n{WORDS} # here\n")).unwrap();
    for (state, is_held) in [("MASTER", true), ("FAULT", false), ("BACKUP", false)] {
        let words = format!("from {} INSTANCE shop {state} 100", file.display());
        assert_eq!(scene.holders[0].run("vip", &words).code, 0, "{words}");
        assert_eq!(scene.held()[0], [is_held; 2], "{words}");
    }
}

#[test]
fn taking_an_address_away_leaves_the_others_of_its_network() {
    let Some(scene) = Scene::with(Bench::with(&TOOLS)) else { return };
    let words = "10.98.0.100/24 dev wire announce 1";
    assert_eq!(scene.holders[0].run("vip", &format!("{words} master")).code, 0);
    must(&scene.machine(0), "ip address add 10.98.0.1/24 dev wire");
    assert_eq!(scene.holders[0].run("vip", &format!("{words} backup")).code, 0);
    assert!(scene.has(0, "10.98.0.1") && !scene.has(0, "10.98.0.100"));
}

#[test]
fn nothing_stays_of_addresses_that_cannot_all_be_given() {
    let Some(scene) = Scene::with(Bench::with(&TOOLS)) else { return };
    let words = format!("{WORDS} 10.99.0.101 dev nowhere master master shop");
    scene.holders[0].run("vip", &words).refused(1, &["no interface nowhere"]);
    assert_eq!(scene.held()[0], [false; 2]);
    must(&scene.machine(0), "ip link set wire down");
    let words = format!("{WORDS} master master shop");
    scene.holders[0].run("vip", &words).refused(1, &["wire is down"]);
    assert_eq!(scene.held()[0], [false; 2]);
}

#[test]
fn a_hook_that_is_ended_half_way_takes_its_addresses_with_it() {
    let Some(scene) = Scene::with(Bench::with(&TOOLS)) else { return };
    let bench = &scene.holders[0];
    let words = WORDS.replace("announce 2", "announce 99 master");
    let log = File::create(bench.file("log")).unwrap();
    let mut hook = Running::start(&bench.prefix, bench.line(&shipped("vip"), &words, 7), log);
    eventually("both are there", || scene.held()[0] == [true; 2] && announces("99"));
    hook.signal(Signal::TERM);
    assert_eq!(hook.wait(), 143);
    assert_eq!(scene.held()[0], [false; 2]);
    eventually("nothing announces what is not there", || !announces("99"));
}

/// Whether anything announces an address so many times.
fn announces(rounds: &str) -> bool {
    let words = format!("arping\0-q\0-U\0-c\0{rounds}\0");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.any(|line| line.starts_with(words.as_bytes()))
}

#[test]
fn what_cannot_be_seen_is_not_believed_to_be_gone() {
    let bench = Bench::empty();
    for failing in ["exit 1", "echo 'Cannot open netlink socket' >&2; exit 2"] {
        bench.fake("ip", failing);
        bench.run("vip", &format!("{WORDS} backup")).refused(1, &["cannot see"]);
    }
    // With its interface gone, the address is.
    bench.fake("ip", r#"case $* in *addr*) exit 1 ;; *) echo "1: lo: <UP> mtu" ;; esac"#);
    assert_eq!(bench.run("vip", &format!("{WORDS} backup")).code, 0);
}

#[test]
fn words_that_make_no_sense_change_nothing() {
    let bench = Bench::empty();
    bench.fake("ip", "");
    let refused = [
        ("10.99.0.100 dev wire", "no event"),
        ("10.99.0.100 backup", "no 'dev INTERFACE'"),
        ("dev wire backup", "addresses before"),
        ("10.99.0.100 dev wire announce 0 backup", "announce needs a number"),
        ("from /nowhere/vip.conf backup", "cannot read"),
    ];
    for (words, why) in refused {
        bench.run("vip", words).refused(2, &[why]);
    }
    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[test]
fn a_check_says_how_it_would_be_done_and_what_is_missing() {
    let Some(scene) = Scene::with(Bench::with(&["ip", "sed"])) else { return };
    let words = format!("{WORDS} check");
    must(&scene.machine(0), "ip neigh flush all");
    let outcome = scene.holders[0].run("vip", &words);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stdout.contains("install arping"), "{}", outcome.stdout);
    let Some(tools) = Bench::with(&TOOLS) else { return };
    let said = tools.moved(&scene.machine(0)).run("vip", &words).printed();
    assert!(said.contains("absent; announced by ndptool"), "{said}");
    assert!(run(&scene.machine(0), ["ip", "address"]).code == 0 && !scene.held()[0][0]);
}
