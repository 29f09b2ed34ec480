//! contrib/install into a folder, as whoever builds an image or a package runs it: by anybody, with
//! either shell. Never starts a daemon; `recipes` does, on machines with an init.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::command::{Outcome, QUORATE, must, run};
use super::network::tell_skipped;

/// The script and all it takes from beside it.
pub(super) const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib");

/// Lays the folder of a release out there, with a program that is small and does the same.
fn release(place: &Path) {
    fs::create_dir_all(place).unwrap();
    copy(Path::new(SHIPPED), &place.join("contrib"));
    write_program(&place.join("quorate"), &format!("#!/bin/sh\nexec {QUORATE} \"$@\"\n"));
}

/// All that is in a folder, to there.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Another program in place of that one.
fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// A release, and a folder that is to become a machine.
struct Image {
    place: TempDir,
    prefix: Vec<String>,
}

impl Image {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        release(&place.path().join("release"));
        fs::create_dir(place.path().join("root")).unwrap();
        Self { place, prefix: Vec::new() }
    }

    /// Whose script another shell reads, or another user runs.
    fn by(prefix: &[&str]) -> Self {
        let prefix = prefix.iter().map(|word| (*word).to_owned()).collect();
        Self { prefix, ..Self::new() }
    }

    fn file(&self, name: &str) -> String {
        self.place.path().join(name).to_str().unwrap().to_owned()
    }

    fn install(&self, words: &str) -> Outcome {
        let (script, root) = (self.file("release/contrib/install"), self.file("root"));
        let line = format!("{script} --destdir {root} {words}");
        run(&self.prefix, line.split_whitespace())
    }

    fn sum(&self) {
        let files = must(&[], &format!("find {} -type f", self.file("release")));
        let strip = format!("{}/", self.file("release"));
        let sums = must(&[], &format!("sha256sum {}", files.replace('\n', " ")));
        fs::write(self.file("release/SHA256SUMS"), sums.replace(&strip, "")).unwrap();
    }

    /// Every file and folder with its mode, and what changes when it is written again.
    fn tree(&self) -> BTreeMap<String, (u32, u64, u64)> {
        let mut tree = BTreeMap::new();
        gather(self.place.path(), &mut tree);
        tree
    }
}

fn gather(folder: &Path, tree: &mut BTreeMap<String, (u32, u64, u64)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let about = fs::symlink_metadata(entry.path()).unwrap();
        // The times of folders tell of files that came and went.
        let facts = (about.mode(), about.ino(), about.len() * u64::from(about.is_file()));
        tree.insert(entry.path().to_str().unwrap().to_owned(), facts);
        if about.is_dir() {
            gather(&entry.path(), tree);
        }
    }
}

/// Where each manager looks for what it is to run.
const SERVICES: [(&str, &[&str]); 4] = [
    ("openrc", &["etc/init.d/quorate", "etc/conf.d/quorate"]),
    ("runit", &["etc/sv/quorate/run", "etc/sv/quorate/conf", "etc/sv/quorate/log/run"]),
    ("systemd", &["etc/systemd/system/quorate.service"]),
    ("none", &[]),
];

#[test]
fn anybody_installs_into_a_folder_and_takes_all_of_it_away_again() {
    for (init, files) in SERVICES {
        installs_and_uninstalls(&Image::new(), init, files);
    }
    // Another shell, then another user.
    for prefix in [["env", "busybox", "ash"], ["unshare", "--user", "sh"]] {
        let outcome = run(&[], [&prefix[..], &["-c", "true"]].concat());
        match outcome.code {
            0 => installs_and_uninstalls(&Image::by(&prefix), SERVICES[0].0, SERVICES[0].1),
            _ => tell_skipped(&format!("{prefix:?} does not work here: {}", outcome.stderr)),
        }
    }
}

fn installs_and_uninstalls(image: &Image, init: &str, files: &[&str]) {
    let before = image.tree();
    let said = image.install(&format!("--init {init} --dry-run")).printed();
    assert!(said.contains("usr/local/bin/quorate"), "{said}");
    assert_eq!(image.tree(), before, "a dry run writes nothing: {said}");
    image.install(&format!("--init {init}")).printed();
    let program = image.file("root/usr/local/bin/quorate");
    assert_eq!(fs::read(&program).unwrap(), fs::read(image.file("release/quorate")).unwrap());
    assert_eq!(fs::metadata(&program).unwrap().mode() & 0o7777, 0o755);
    let state = fs::metadata(image.file("root/var/lib/quorate")).unwrap();
    assert_eq!(state.mode() & 0o7777, 0o700);
    let kit = image.file("kit");
    for file in files {
        run(&[], [QUORATE, "service", init, "--root", &kit]).printed();
        let installed = fs::read(image.file(&format!("root/{file}"))).unwrap();
        assert_eq!(installed, fs::read(Path::new(&kit).join(file)).unwrap(), "{file}");
    }
    if !files.is_empty() {
        fs::remove_dir_all(kit).unwrap();
    }
    let installed = image.tree();
    let said = image.install("").printed();
    assert_eq!(image.tree(), installed, "a second time writes nothing: {said}");
    image.install("--uninstall --purge").printed();
    assert_eq!(image.tree(), before, "{init} {:?}", image.prefix);
}

#[test]
fn completions_and_the_manual_are_those_of_the_program_that_is_installed() {
    let image = Image::new();
    image.install("--init none").printed();
    for (file, words) in [
        ("bash-completion/completions/quorate", ["completions", "bash"]),
        ("zsh/site-functions/_quorate", ["completions", "zsh"]),
        ("fish/vendor_completions.d/quorate.fish", ["completions", "fish"]),
        ("man/man1/quorate.1", ["man", "1"]),
        ("man/man8/quorate.8", ["man", "8"]),
    ] {
        let text = fs::read_to_string(image.file(&format!("root/usr/local/share/{file}")));
        assert_eq!(text.unwrap(), run(&[], [&[QUORATE], &words[..]].concat()).printed(), "{file}");
    }
}

#[test]
fn a_release_that_is_not_what_its_checksums_say_changes_nothing() {
    let image = Image::new();
    image.sum();
    image.install("--init none").printed();
    write_program(Path::new(&image.file("release/quorate")), "#!/bin/sh\necho quorate 9\n");
    let before = image.tree();
    let what = ["quorate: FAILED", "not those of its SHA256SUMS", "Nothing was changed"];
    image.install("").refused(65, &what);
    let (other, sums) = (image.file("release/quorate"), image.file("release/SHA256SUMS"));
    let words = format!("--binary {other} --checksums {sums}");
    image.install(&words).refused(65, &["has the SHA-256", "Nothing was changed"]);
    assert_eq!(image.tree(), before);
    image.install(&format!("--binary {other}")).printed();
    fs::write(&sums, "0123 *quorate.tar.gz\n").unwrap();
    image.install(&words).refused(65, &["no line for quorate"]);
}

#[test]
fn a_program_that_does_not_run_or_does_not_take_the_settings_replaces_nothing() {
    let image = Image::new();
    image.install("--init none").printed();
    let settings = image.file("root/etc/quorate/node.yaml");
    fs::write(&settings, "id: alpha\n").unwrap();
    image.install("").printed();
    let other = image.file("other");
    for (text, why) in [
        ("#!/bin/sh\nexit 1\n", "does not run here"),
        ("#!/bin/sh\necho something else\n", "is no quorate"),
        ("#!/bin/sh\n[ $1 = version ] && echo quorate 9\n", "does not take the settings"),
    ] {
        write_program(Path::new(&other), text);
        let before = image.tree();
        image.install(&format!("--binary {other}")).refused(1, &[why]);
        assert_eq!(image.tree(), before, "{why}");
    }
    fs::write(&settings, "id: alpha\nlisten_too: 1\n").unwrap();
    image.install("").refused(1, &["does not take the settings", "listen_too"]);
}

#[test]
fn what_leads_out_of_the_folder_is_not_followed() {
    for name in ["etc", "var"] {
        let image = Image::new();
        let outside = image.file("outside");
        fs::create_dir(&outside).unwrap();
        symlink(&outside, image.file(&format!("root/{name}"))).unwrap();
        image.install("--init systemd").refused(1, &["leads out of"]);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn uninstalling_keeps_settings_and_state_until_they_are_to_be_purged() {
    let image = Image::new();
    image.install("--init openrc").printed();
    fs::write(image.file("root/etc/quorate/node.yaml"), "id: alpha\n").unwrap();
    fs::write(image.file("root/var/lib/quorate/state"), "votes").unwrap();
    fs::write(image.file("root/etc/conf.d/quorate"), "quorate_user=shop\n").unwrap();
    image.install("").printed();
    let said = image.install("--uninstall").printed();
    assert!(said.contains("keeps"), "{said}");
    assert!(!Path::new(&image.file("root/usr/local/bin")).exists(), "{said}");
    for kept in ["etc/quorate/node.yaml", "var/lib/quorate/state", "etc/conf.d/quorate"] {
        assert!(Path::new(&image.file(&format!("root/{kept}"))).exists(), "{kept}: {said}");
    }
    image.install("").printed();
    let settings = fs::read_to_string(image.file("root/etc/conf.d/quorate")).unwrap();
    assert_eq!(settings, "quorate_user=shop\n", "they are the administrator's");
    let said = image.install("--uninstall --purge").printed();
    for gone in ["etc/quorate", "var/lib/quorate", "etc/conf.d/quorate"] {
        assert!(said.contains(&format!("removes {}", image.file("root/")[..].to_owned() + gone)));
    }
    assert_eq!(fs::read_dir(image.file("root")).unwrap().count(), 0, "{said}");
    let said = image.install("--uninstall").printed();
    assert!(said.contains("nothing is installed"), "{said}");
}

#[test]
fn words_that_make_no_sense_install_nothing() {
    let image = Image::new();
    for (words, why) in [
        ("--prefix /opt", "not known"),
        ("--init upstart", "openrc, runit, systemd and none"),
        ("--user a:b", "no name of a user"),
        ("--user", "needs a value"),
        ("--wait soon", "no number of seconds"),
        ("--purge", "--uninstall only"),
    ] {
        image.install(words).refused(2, &[why]);
    }
    image.install("--binary /nonexistent").refused(66, &["no file"]);
    assert_eq!(fs::read_dir(image.file("root")).unwrap().count(), 0);
    let help = image.install("--help").printed();
    assert!(help.starts_with("Puts quorate on this machine") && help.contains("77 only root"));
}
