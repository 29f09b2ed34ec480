//! Which programs are started, and why others are not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use quorate::daemon::hooks::sound;
use rustix::process::geteuid;
use tempfile::TempDir;

/// A directory with a sound program in it.
fn place() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let hooks = place.path().join("hooks");
    fs::create_dir(&hooks).unwrap();
    set_mode(&hooks, 0o755);
    let program = hooks.join("master");
    fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
    set_mode(&program, 0o755);
    (place, program)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn assert_refused(path: &Path, words: &[&str]) {
    let shown = sound::check(path).expect_err("it must be refused").to_string();
    for word in words {
        assert!(shown.contains(word), "no `{word}` in: {shown}");
    }
}

#[test]
fn a_program_that_only_root_and_we_can_change_is_sound() {
    let (place, program) = place();
    sound::check(&program).unwrap();
    let link = place.path().join("link");
    symlink("hooks/../hooks/./master", &link).unwrap();
    sound::check(&link).unwrap();
    sound::check(Path::new("/bin/sh")).unwrap();
}

#[test]
fn what_is_not_there_or_no_program_is_refused() {
    let (place, program) = place();
    assert_refused(Path::new("hooks/master"), &["no path from the root"]);
    assert_refused(&place.path().join("other"), &["/other does not exist", "node.yaml"]);
    assert_refused(&program.join("below"), &["below lies below a file"]);
    assert_refused(place.path(), &["is no plain file"]);
    set_mode(&program, 0o644);
    assert_refused(&program, &["may not be executed (mode 0644)", "chmod a+x "]);
    let [first, second] = ["first", "second"].map(|name| place.path().join(name));
    symlink(&first, &second).unwrap();
    symlink(&second, &first).unwrap();
    assert_refused(&first, &["too many links"]);
}

#[test]
fn what_others_can_change_is_refused_with_the_command_that_helps() {
    let (place, program) = place();
    set_mode(&program, 0o757);
    let shown = program.display().to_string();
    let advice = format!("chmod go-w {shown}");
    assert_refused(&program, &[&shown, "can be changed by everybody (mode 0757)", &advice]);
    set_mode(&program, 0o755);
    let hooks = program.parent().unwrap();
    set_mode(hooks, 0o777);
    assert_refused(&program, &["/hooks can be changed by everybody (mode 0777)", "chmod go-w"]);
    // Where only owners may rename, as in /tmp, ours stay ours.
    set_mode(hooks, 0o1777);
    sound::check(&program).unwrap();
    set_mode(hooks, 0o777);
    let link = place.path().join("link");
    symlink(&program, &link).unwrap();
    assert_refused(&link, &["/hooks can be changed by everybody"]);
}

#[test]
fn what_belongs_to_another_user_or_group_is_refused() {
    if !geteuid().is_root() {
        return;
    }
    let (place, program) = place();
    set_mode(&program, 0o775);
    sound::check(&program).expect("root's group is root");
    chown(&program, None, Some(4_711)).unwrap();
    assert_refused(&program, &["can be changed by its group (mode 0775)", "chmod go-w"]);
    set_mode(&program, 0o755);
    sound::check(&program).expect("the group may not write");
    chown(&program, Some(4_711), None).unwrap();
    assert_refused(&program, &["/master belongs to user 4711, not to root", "chown -h root"]);
    chown(&program, Some(0), None).unwrap();
    let link = place.path().join("link");
    symlink(&program, &link).unwrap();
    lchown(&link, Some(4_711), None).unwrap();
    assert_refused(&link, &["/link belongs to user 4711"]);
}

#[test]
fn a_script_without_its_interpreter_is_refused_by_that_name() {
    let (_place, program) = place();
    fs::write(&program, "#! /no/such/shell -e\n").unwrap();
    assert_refused(&program, &["needs `/no/such/shell`, which is not there"]);
    fs::write(&program, "#!/bin/sh\r\nexit 0\r\n").unwrap();
    assert_refused(&program, &["the line ends of Windows", "sed -i"]);
    fs::write(&program, "").unwrap();
    sound::check(&program).expect("the system says what is wrong with it");
}
