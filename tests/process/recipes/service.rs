//! `service` under three inits that are not there: their programs stand in, and write down what
//! they were told. Never starts anything.

use std::fs;

use super::super::command::must;
use super::super::network::Holder;
use super::Bench;

const SYSTEMCTL: &str = r#"
case $* in
show*) echo "ActiveState=$(cat state)" ;;
start*) cat starts > state ;;
*stop*) [ -e stubborn ] || echo inactive > state ;;
kill*) [ -e immortal ] || echo failed > state ;;
esac"#;

const SV: &str = r#"
case $1,$(cat state) in
status,active) echo "run: shop: (pid 7) 2s" ;;
status,inactive) echo "down: shop: 1s, normally up" ;;
status,failed) echo "down: shop: 1s, normally up, want up" ;;
status,*) echo "fail: shop: unable to change to service directory: file does not exist"; exit 1 ;;
start,*) cat starts > state ;;
down,*) [ -e stubborn ] || echo inactive > state ;;
kill,*) [ -e immortal ] || echo inactive > state ;;
esac"#;

const RC_SERVICE: &str = r#"
case $*,$(cat state) in
*status,active) exit 0 ;;
*status,inactive) exit 3 ;;
*status,failed) exit 32 ;;
*status,*) exit 1 ;;
*zap,*) echo inactive > state ;;
*start,*) cat starts > state ;;
*stop,*) [ -e stubborn ] || echo inactive > state ;;
esac"#;

const INITS: [(&str, &str, &str); 3] = [
    ("systemd", "systemctl", SYSTEMCTL),
    ("runit", "sv", SV),
    ("openrc", "rc-service", RC_SERVICE),
];

/// What the hook needs beside the init's own programs.
const PROGRAMS: [&str; 5] = ["basename", "cat", "grep", "readlink", "sleep"];

/// An init whose one service is in that state.
fn init(program: &str, body: &str, state: &str) -> Option<Bench> {
    let bench = Bench::with(&PROGRAMS)?;
    bench.fake(program, body);
    fs::write(bench.file("starts"), "active\n").unwrap();
    become_of(&bench, state);
    Some(bench)
}

fn become_of(bench: &Bench, state: &str) {
    fs::write(bench.file("state"), format!("{state}\n")).unwrap();
}

fn state(bench: &Bench) -> String {
    fs::read_to_string(bench.file("state")).unwrap().trim().to_owned()
}

#[test]
fn a_service_runs_on_the_master_and_is_stopped_everywhere_else() {
    for (name, program, body) in INITS {
        let Some(bench) = init(program, body, "inactive") else { return };
        follows_the_role(name, &bench);
        let bench = init(program, body, "inactive").and_then(Bench::read_by_busybox);
        bench.iter().for_each(|bench| follows_the_role(name, bench));
    }
}

fn follows_the_role(name: &str, bench: &Bench) {
    let told = |event: &str| {
        let words = format!("shop by {name} {event} {event} cluster");
        let outcome = bench.run("service", &words);
        assert_eq!(outcome.code, 0, "{words}: {}", outcome.stderr);
        state(bench)
    };
    assert_eq!(told("master"), "active", "{name}");
    assert_eq!(told("master"), "active", "{name}");
    for event in ["backup", "no_quorum", "what-nobody-knows"] {
        become_of(bench, "active");
        assert_eq!(told(event), "inactive", "{name} {event}");
        assert_eq!(told(event), "inactive", "{name} {event}");
    }
    let calls = bench.calls();
    assert!(!calls.iter().any(|call| call.contains("kill")), "{name}: {calls:?}");
}

#[test]
fn a_service_that_does_not_stop_in_its_time_is_killed() {
    for (name, program, body) in &INITS[..2] {
        let Some(bench) = init(program, body, "active") else { return };
        fs::write(bench.file("stubborn"), "").unwrap();
        let words = format!("shop within 50 by {name} backup backup cluster");
        assert_eq!(bench.run("service", &words).code, 0, "{name}");
        let calls = bench.calls();
        let asked = calls.iter().position(|call| call.contains("stop") || call.contains("down"));
        let killed = calls.iter().position(|call| call.contains("kill"));
        assert!(asked.is_some() && asked < killed, "{name}: {calls:?}");
    }
}

#[test]
fn a_service_that_cannot_be_stopped_is_a_failure() {
    for (name, program, body) in INITS {
        let Some(bench) = init(program, body, "active") else { return };
        fs::write(bench.file("stubborn"), "").unwrap();
        fs::write(bench.file("immortal"), "").unwrap();
        let words = format!("shop within 50 by {name} backup backup cluster");
        bench.run("service", &words).refused(1, &["shop still runs"]);
    }
}

#[test]
fn a_service_that_does_not_start_or_of_which_nothing_is_known_is_a_failure() {
    for (name, program, body) in INITS {
        let Some(bench) = init(program, body, "inactive") else { return };
        fs::write(bench.file("starts"), "odd\n").unwrap();
        let words = format!("shop within 50 by {name} master master cluster");
        bench.run("service", &words).refused(1, &["shop was started and is now: changing"]);
        bench.fake(program, "exit 1");
        let words = format!("shop within 50 by {name} backup backup cluster");
        bench.run("service", &words).refused(1, &["shop still runs"]);
    }
}

#[test]
fn what_crashed_under_openrc_is_started_all_the_same() {
    let Some(bench) = init("rc-service", RC_SERVICE, "failed") else { return };
    assert_eq!(bench.run("service", "shop by openrc master master cluster").code, 0);
    assert!(bench.calls().contains(&"rc-service shop zap".to_owned()));
    assert_eq!(state(&bench), "active");
}

#[test]
fn what_its_init_would_start_again_is_asked_to_stop_too() {
    for state_before in ["failed", "inactive"] {
        let Some(bench) = init("sv", SV, state_before) else { return };
        assert_eq!(bench.run("service", "shop by runit backup backup cluster").code, 0);
        assert!(bench.calls().contains(&"sv down shop".to_owned()), "{state_before}");
        assert_eq!(state(&bench), "inactive");
    }
}

#[test]
fn what_crashed_under_openrc_is_forgotten_on_a_backup() {
    let Some(bench) = init("rc-service", RC_SERVICE, "failed") else { return };
    fs::write(bench.file("stubborn"), "").unwrap();
    let words = "shop within 50 by openrc backup backup cluster";
    assert_eq!(bench.run("service", words).code, 0);
    let calls = bench.calls();
    let asked = calls.iter().position(|call| call == "rc-service shop stop");
    let zapped = calls.iter().position(|call| call == "rc-service shop zap");
    assert!(asked.is_some() && asked < zapped, "{calls:?}");
}

#[test]
fn the_init_that_runs_here_is_found_by_its_mark() {
    let Some(holder) = Holder::try_new(&["--mount"]) else { return };
    let Some(mut bench) = Bench::with(&PROGRAMS) else { return };
    bench.prefix.clone_from(&holder.prefix);
    must(&holder.prefix, "mount -t tmpfs none /run");
    for (name, program, body) in INITS {
        let mark = if name == "systemd" { "systemd/system" } else { name };
        bench.fake(program, body);
        fs::write(bench.file("state"), "inactive\n").unwrap();
        must(&holder.prefix, &format!("mkdir -p /run/{mark}"));
        assert_eq!(bench.run("service", "shop backup backup cluster").code, 0, "{name}");
        let calls = bench.calls();
        let program = format!("{program} ");
        assert!(calls.iter().all(|call| call.starts_with(&program)), "{name}: {calls:?}");
        assert!(!calls.is_empty(), "{name}");
        must(&holder.prefix, &format!("rm -r /run/{}", mark.split('/').next().unwrap()));
    }
}

#[test]
fn words_that_make_no_sense_touch_no_service() {
    for (words, why) in [
        ("", "no name"),
        ("--now", "no name"),
        ("shop by openrc", "no event"),
        ("shop by upstart backup", "openrc, runit or systemd"),
        ("shop within soon backup", "milliseconds"),
    ] {
        Bench::empty().run("service", words).refused(2, &[why]);
    }
}
