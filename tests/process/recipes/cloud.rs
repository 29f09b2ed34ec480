//! `floating-ip`, edited as its text says, before a cloud that is a file.
//! Never asks anything outside of its folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::command::{Outcome, QUORATE, run};
use super::{Bench, shipped};

/// A cloud with one address: `owner` says who has it, `theft` who takes it after the next order.
const CURL: &str = r#"
case $* in
*/assign*)
    [ ! -e refusal ] || exit 22
    echo mine > owner
    if [ -e theft ]; then mv theft owner; fi ;;
*) echo "{\"server\": \"$(cat owner)\"}" ;;
esac"#;

struct Cloud {
    bench: Bench,
}

impl Cloud {
    fn new() -> Option<Self> {
        let bench = Bench::with(&["cat", "mv", "sed", "sleep"])?;
        bench.fake("curl", CURL);
        bench.link("quorate", Path::new(QUORATE));
        fs::write(bench.file("owner"), "theirs\n").unwrap();
        Some(Self { bench })
    }

    /// The template with its blanks filled in.
    fn edited(&self) -> PathBuf {
        let mut text = fs::read_to_string(shipped("floating-ip")).unwrap();
        let folder = self.bench.place.path().to_str().unwrap();
        for (from, to) in [
            ("edited=no", "edited=yes"),
            ("PUT-THIS-SERVER-HERE", "mine"),
            ("/var/lib/quorate", folder),
            ("pause=5", "pause=0"),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let hook = self.bench.file("floating-ip");
        fs::write(&hook, text).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        hook
    }

    fn told(&self, event: &str, term: u64) -> Outcome {
        run(&[], self.bench.line(&self.edited(), &format!("{event} {event} shop"), term))
    }

    fn owner(&self) -> String {
        fs::read_to_string(self.bench.file("owner")).unwrap().trim().to_owned()
    }
}

#[test]
fn a_template_that_nobody_edited_does_nothing() {
    let Some(cloud) = Cloud::new() else { return };
    for event in ["master", "backup"] {
        cloud.bench.run("floating-ip", event).refused(2, &["edit"]);
    }
    assert_eq!(cloud.bench.calls(), Vec::<String>::new());
}

#[test]
fn a_new_master_takes_the_cloud_address_also_when_a_late_order_of_another_comes() {
    let Some(cloud) = Cloud::new() else { return };
    fs::write(cloud.bench.file("theft"), "theirs\n").unwrap();
    let outcome = cloud.told("master", 7);
    assert_eq!((outcome.code, cloud.owner().as_str()), (0, "mine"), "{}", outcome.stderr);
    cloud.bench.calls();
    assert_eq!(cloud.told("backup", 8).code, 0);
    assert_eq!(cloud.bench.calls(), Vec::<String>::new());
}

#[test]
fn a_stale_master_orders_nothing_from_the_cloud() {
    let Some(Cloud { bench }) = Cloud::new() else { return };
    let Some(bench) = bench.read_by_busybox() else { return };
    let cloud = Cloud { bench };
    assert_eq!(cloud.told("master", 9).code, 0);
    fs::write(cloud.bench.file("owner"), "theirs\n").unwrap();
    cloud.bench.calls();
    cloud.told("master", 8).refused(1, &["term 8 is stale"]);
    assert_eq!((cloud.bench.calls(), cloud.owner().as_str()), (Vec::new(), "theirs"));
}

#[test]
fn a_cloud_that_refuses_is_a_failure() {
    let Some(cloud) = Cloud::new() else { return };
    fs::write(cloud.bench.file("refusal"), "").unwrap();
    cloud.told("master", 7).refused(1, &["the cloud refused"]);
}
