//! `quorate service`: what it prints and what it writes where.
//! Never below the real root, and no init reads it here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::command::{Outcome, QUORATE, run};

/// Every file, its mode, and where the repository has it.
const FILES: [(&str, &str, u32, &str); 8] = [
    ("openrc", "etc/init.d/quorate", 0o755, "openrc/quorate"),
    ("openrc", "etc/conf.d/quorate", 0o644, "openrc/quorate.confd"),
    ("runit", "etc/sv/quorate/run", 0o755, "runit/run"),
    ("runit", "etc/sv/quorate/finish", 0o755, "runit/finish"),
    ("runit", "etc/sv/quorate/check", 0o755, "runit/check"),
    ("runit", "etc/sv/quorate/log/run", 0o755, "runit/log/run"),
    ("runit", "etc/sv/quorate/conf", 0o644, "runit/conf"),
    ("systemd", "etc/systemd/system/quorate.service", 0o644, "systemd/quorate.service"),
];

fn service(words: &[&str]) -> Outcome {
    run(&[], [QUORATE, "service"].iter().chain(words))
}

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name)).unwrap()
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn service_prints_every_file_below_the_name_of_its_place() {
    for (kind, path, mode, name) in FILES {
        let printed = service(&[kind]).printed();
        let file = format!("# /{path}, mode {mode:o}\n{}", shipped(name));
        assert!(printed.contains(&file), "{kind}: {printed}");
        let number = FILES.iter().filter(|(of, ..)| *of == kind).count();
        assert_eq!(printed.matches("\n# /").count() + 1, number + usize::from(kind != "systemd"));
    }
}

#[test]
fn service_writes_every_file_to_its_place_with_its_mode_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for kind in ["openrc", "runit", "systemd"] {
        let line = ["-c", "umask 077; exec \"$@\"", "sh", QUORATE, "service", kind, "--root"];
        let root = place.path().to_str().unwrap();
        let outcome = run(&[], ["sh"].iter().chain(&line).chain(&[root]));
        assert_eq!(outcome.stderr, "", "only on this machine there is a next step");
        written.extend(outcome.printed().lines().map(PathBuf::from));
    }
    let mut found = files(place.path());
    found.sort();
    written.sort();
    assert_eq!(found, written);
    assert_eq!(found.len(), FILES.len());
    for (_, path, mode, name) in FILES {
        let path = place.path().join(path);
        assert_eq!(fs::read_to_string(&path).unwrap(), shipped(name));
        let found = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((found(&path), found(path.parent().unwrap())), (mode, 0o755), "{path:?}");
    }
}

#[test]
fn service_brings_its_own_files_up_to_date_and_leaves_changed_settings_alone() {
    let place = tempfile::tempdir().unwrap();
    let root = ["--root", place.path().to_str().unwrap()];
    for (kind, ours, theirs) in [
        ("openrc", "init.d/quorate", "conf.d/quorate"),
        ("runit", "sv/quorate/run", "sv/quorate/conf"),
    ] {
        let [ours, theirs] = [ours, theirs].map(|name| place.path().join("etc").join(name));
        service(&[&[kind], &root[..]].concat()).printed();
        let again = service(&[&[kind], &root[..]].concat()).printed();
        assert!(again.contains(theirs.to_str().unwrap()), "settings that nobody changed: {again}");
        fs::write(&ours, "old").unwrap();
        fs::write(&theirs, "user=me\n").unwrap();
        let outcome = service(&[&[kind, "--binary", "/usr/bin/quorate"], &root[..]].concat());
        outcome.refused(0, &[theirs.to_str().unwrap(), "it was changed, and stays"]);
        assert!(!outcome.stdout.contains(theirs.to_str().unwrap()), "{}", outcome.stdout);
        let text = fs::read_to_string(&ours).unwrap();
        assert!(text.contains("/usr/bin/quorate") && !text.contains("/local/"), "{text}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "user=me\n");
    }
}

#[test]
fn service_refuses_what_it_cannot_do_and_says_why() {
    service(&[]).refused(2, &["openrc, runit or systemd"]);
    service(&["upstart"]).refused(2, &["openrc, runit or systemd"]);
    service(&["runit", "--binary", "quorate"]).refused(2, &["--binary quorate", "from / on"]);
    service(&["runit", "--binary", "/a b"]).refused(2, &["--binary /a b"]);
    service(&["runit", "--root", ""]).refused(2, &["--root is empty"]);
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("etc"), "").unwrap();
    let root = place.path().to_str().unwrap();
    service(&["systemd", "--root", root]).refused(73, &["cannot write", "quorate.service"]);
}
