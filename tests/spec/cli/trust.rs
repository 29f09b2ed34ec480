//! Whose answers are believed.

use std::path::Path;

use quorate::cli::trust::{self, Facts, Step};

const US: u32 = 1000;
const DAEMON: u32 = 200;
const STRANGER: u32 = 4000;

/// The way to a socket, from its own directory up: path, owner, mode.
fn facts(answers: u32, way: &[(&str, u32, u32)]) -> Facts {
    let step = |&(path, owner, mode): &(&str, u32, u32)| Step {
        path: path.into(),
        is_directory: true,
        owner,
        mode,
    };
    let named: Vec<Step> = way.iter().map(step).collect();
    Facts { us: US, answers, real: named.clone(), named }
}

fn is_believed(answers: u32, way: &[(&str, u32, u32)]) -> bool {
    trust::doubt(&facts(answers, way)).is_none()
}

const ROOT: (&str, u32, u32) = ("/", 0, 0o755);
const RUN: (&str, u32, u32) = ("/run", 0, 0o755);
const TMP: (&str, u32, u32) = ("/tmp", 0, 0o1777);

#[test]
fn root_and_the_asking_user_are_believed() {
    for answers in [0, US] {
        assert!(is_believed(answers, &[("/run/quorate", 0, 0o755), RUN, ROOT]));
        assert!(is_believed(answers, &[("/run/user/quorate", US, 0o700), RUN, ROOT]));
        assert!(is_believed(answers, &[("/tmp/quorate-1000", US, 0o700), TMP, ROOT]));
    }
}

#[test]
fn a_user_made_for_the_daemon_is_believed_where_only_root_could_let_it_in() {
    assert!(is_believed(DAEMON, &[("/run/quorate", DAEMON, 0o755), RUN, ROOT]));
    assert!(is_believed(DAEMON, &[("/run/quorate", DAEMON, 0o770), RUN, ROOT]));
    assert!(is_believed(DAEMON, &[("/run/quorate", 0, 0o755), RUN, ROOT]));
    assert!(!is_believed(DAEMON, &[("/run/quorate", 0, 0o775), RUN, ROOT]));
    assert!(!is_believed(DAEMON, &[("/run/quorate", DAEMON, 0o757), RUN, ROOT]));
}

#[test]
fn a_stranger_is_believed_nowhere_else() {
    assert!(!is_believed(STRANGER, &[("/tmp/quorate-1000", STRANGER, 0o755), TMP, ROOT]));
    assert!(!is_believed(STRANGER, &[("/tmp/quorate-1000", US, 0o700), TMP, ROOT]));
    assert!(!is_believed(STRANGER, &[TMP, ROOT]));
    assert!(!is_believed(STRANGER, &[("/run/quorate", DAEMON, 0o755), RUN, ROOT]));
}

#[test]
fn a_directory_that_a_stranger_made_in_tmp_is_doubted_whoever_answers_there() {
    assert!(!is_believed(0, &[("/tmp/quorate-1000", STRANGER, 0o755), TMP, ROOT]));
    assert!(!is_believed(US, &[("/tmp/quorate-1000", US, 0o777), TMP, ROOT]));
    let mut linked = facts(US, &[("/tmp/quorate-1000", US, 0o777), TMP, ROOT]);
    linked.named[0].is_directory = false;
    assert!(trust::doubt(&linked).unwrap().contains("no directory"));
}

#[test]
fn a_link_that_a_stranger_set_does_not_lead_past_the_check() {
    let way = [("/home/stranger", STRANGER, 0o755), ("/home", 0, 0o755), ROOT];
    let named = [("/tmp/quorate-1000", STRANGER, 0o777), TMP, ROOT];
    let real = facts(STRANGER, &way).real;
    assert!(trust::doubt(&Facts { real, ..facts(STRANGER, &named) }).is_some());
}

#[test]
fn the_way_is_looked_at_as_named_and_as_it_really_is() {
    let place = tempfile::tempdir().unwrap();
    let [real, link] = ["real", "link"].map(|name| place.path().join(name));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let facts = trust::facts_of(&link.join("socket"), DAEMON, US).unwrap();
    assert_eq!((facts.us, facts.answers), (US, DAEMON));
    assert!(!facts.named[0].is_directory && facts.named[0].path == link);
    assert!(facts.real[0].is_directory && facts.real[0].path == real.canonicalize().unwrap());
    assert_eq!(facts.real.last().unwrap().path, Path::new("/"));
}
