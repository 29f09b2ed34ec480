//! `quorate run` and what a terminal sends: its keys, its end, and nohup(1) against it.
//! Never believes that a key did nothing before the program answered another one.

use std::fs::{self, File};

use rustix::process::Signal;

use super::command::{Outcome, Running, run};
use super::looks::eventually;
use super::network::apart;
use super::run_stage::Stage;

/// Runs the rest of the line in a terminal of its own, by its first word: `<TEXT` waits for TEXT,
/// `>TEXT` types it, `^` and a number types that key, `close` closes the terminal. At the
/// end it prints all it saw and ends as the line did.
const TERMINAL: &str = r#"
import os, pty, sys
pid, tty = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
all = seen = b""
def until(word):
    global all, seen
    while word not in seen:
        came = os.read(tty, 1024)
        all, seen = all + came, seen + came
    seen = seen.split(word, 1)[1]
for act in sys.argv[1].split(","):
    if act[0] == "<":
        until(act[1:].encode())
    elif act[0] == ">":
        os.write(tty, act[1:].encode() + b"\n")
    elif act[0] == "^":
        os.write(tty, bytes([int(act[1:])]))
    elif act == "close":
        os.close(tty)
_, status = os.waitpid(pid, 0)
sys.stdout.write(all.decode())
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"#;

/// The line that runs `talk` under mastership at a terminal, where that is done.
fn at_a_terminal(stage: &Stage, flags: &[&str], acts: &str, talk: &str) -> Vec<String> {
    let (prefix, line) = stage.line("alpha", flags, &["sh", "-c", talk]);
    let script = stage.cluster.place().join("acts.py");
    fs::write(&script, TERMINAL).unwrap();
    let words = ["python3", script.to_str().unwrap(), acts].map(str::to_owned);
    words.into_iter().chain(prefix).chain(line).collect()
}

fn done(stage: &Stage, flags: &[&str], acts: &str, talk: &str) -> Outcome {
    let outcome = run(&[], at_a_terminal(stage, flags, acts, talk));
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
    outcome
}

/// In a terminal the keys reach the program itself: it is in the foreground. ^C is 3.
#[test]
fn a_program_at_a_terminal_reads_it_and_gets_its_interrupt() {
    let stage = Stage::of(1);
    let talk = "trap 'echo interrupted; exit 5' INT; read word; echo got $word; \
                while :; do sleep 0.1; done";
    is_interrupted(&stage, ">milk,<got milk,^3,<interrupted", talk);
}

#[test]
fn a_program_whose_terminal_is_of_another_process_namespace_gets_its_interrupt() {
    let Some(prefix) = apart() else { return };
    let mut stage = Stage::of(1);
    stage.cluster.node("alpha").prefix = prefix;
    // It cannot join the group that may read there.
    let talk = "trap 'echo interrupted; exit 5' INT; echo got milk; while :; do sleep 0.1; done";
    is_interrupted(&stage, "<got milk,^3,<interrupted", talk);
}

fn is_interrupted(stage: &Stage, acts: &str, talk: &str) {
    let outcome = done(stage, &[], acts, talk);
    assert_eq!(outcome.code, 5, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("interrupted"), "{}", outcome.stdout);
}

/// The key for SIGQUIT is 28; as a shell counts it, that is 131.
#[test]
fn the_quit_key_ends_a_program_and_its_run_also_where_it_would_be_started_again() {
    let stage = Stage::of(1);
    for flags in [&[][..], &["--restart"]] {
        let outcome = done(&stage, flags, "<ready,^28", "ulimit -c 0; echo ready; sleep 600");
        assert_eq!(outcome.code, 131, "{flags:?}: {}{}", outcome.stdout, outcome.stderr);
    }
}

/// Who sleeps hears neither its daemon nor its clocks. The key for SIGTSTP is 26.
#[test]
fn the_stop_key_puts_neither_a_program_nor_its_run_to_sleep() {
    let stage = Stage::of(1);
    let talk = "echo ready; read one; echo first $one; read two; echo then $two; exit 5";
    let outcome = done(&stage, &[], "<ready,^26,>milk,<first milk,^26,>tea,<then tea", talk);
    assert_eq!(outcome.code, 5, "{}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn a_terminal_that_closes_ends_a_program_and_its_run_also_where_it_would_be_started_again() {
    let stage = Stage::of(1);
    for flags in [&[][..], &["--restart"]] {
        let outcome = done(&stage, flags, "<ready,close", "echo ready; sleep 600");
        assert_eq!(outcome.code, 129, "{flags:?}: {}{}", outcome.stdout, outcome.stderr);
    }
}

/// F96: it may outlive its terminal, and not its mastership.
#[test]
fn a_program_that_ignores_the_end_of_its_terminal_dies_with_its_mastership() {
    let mut stage = Stage::of(1);
    let shared = stage.shared();
    let talk = format!(
        "trap '' HUP TERM; echo ready; while :; do echo $QUORATE_TERM >> {}; sleep 0.1; done",
        shared.display()
    );
    let line = at_a_terminal(&stage, &[], "<ready,close", &talk);
    let log = File::create(stage.cluster.place().join("terminal")).unwrap();
    let mut terminal = Running::start(&[], line, log);
    stage.acts_after(0);
    let seen = stage.terms().len();
    eventually("it acts on", || (stage.terms().len() > seen + 20).then_some(()));
    stage.cluster.crash("alpha");
    assert_eq!(terminal.wait(), 75);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

#[test]
fn the_front_passes_a_quit_on_and_is_not_put_to_sleep_without_a_terminal() {
    let mut stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "plain");
    stage.acts_after(0);
    front.signal(Signal::TSTP);
    front.signal(Signal::QUIT);
    assert_eq!(front.wait(), 131);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
    let mut front = stage.start("alpha", &[], "stubborn");
    eventually("it acts", || (stage.living().len() >= 2).then_some(()));
    front.signal(Signal::TSTP);
    stage.cluster.stop("alpha");
    assert_eq!(front.wait(), 75);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

/// As with env(1): neither the front nor the program hears of it.
#[test]
fn a_hangup_that_is_ignored_at_the_start_stays_ignored() {
    let stage = Stage::of(1);
    let (_, line) = stage.line("alpha", &[], &["sh", "-c", "kill -HUP $$ $PPID; echo lives"]);
    let outcome = run(&["nohup".to_owned()], line.clone());
    assert_eq!(outcome.printed(), "lives\n");
    assert_eq!(run(&[], line).code, 129);
    let (_, line) = stage.line("alpha", &[], &["sleep", "600"]);
    let log = File::create(stage.cluster.place().join("front")).unwrap();
    let mut front = Running::start(&["nohup".to_owned()], line, log);
    eventually("it runs", || (!stage.living().is_empty()).then_some(()));
    front.signal(Signal::HUP);
    front.signal(Signal::TERM);
    assert_eq!(front.wait(), 143);
}
