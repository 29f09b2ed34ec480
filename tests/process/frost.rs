//! A file system of its own that can be frozen: whoever writes to it waits inside the kernel, and
//! no signal ends it before the thaw. Never seen outside a mount namespace of the test's own, and
//! never frozen longer than the test lives.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::symlink;
use tempfile::TempDir;

use super::command::{Running, must, run};
use super::looks::eventually;
use super::network::{Holder, skip};

/// Large enough for any file system.
const BYTES: u64 = 16 << 20;

/// The file system, mounted where only programs started through `prefix` see it.
pub(super) struct Frost {
    /// What starts a program that sees it.
    pub(super) prefix: Vec<String>,
    mount: PathBuf,
    /// Thaws it when this process is killed; before the holder, so that it ends before it.
    _warden: Running,
    _holder: Holder,
    /// Of its own: the system takes a mount away whose directory is removed elsewhere, and then
    /// nobody could thaw it any more.
    _home: TempDir,
}

impl Frost {
    /// One that `place` has as `frost`, if this machine lets us make one.
    pub(super) fn in_place(place: &Path) -> Option<Self> {
        let holder = Holder::try_new(&["--mount"])?;
        let home = tempfile::tempdir().unwrap();
        let (image, mount) = (home.path().join("image"), home.path().join("mount"));
        symlink(&mount, place.join("frost")).unwrap();
        fs::create_dir(&mount).unwrap();
        fs::File::create(&image).unwrap().set_len(BYTES).unwrap();
        let [image, place] = [image, mount.clone()].map(|path| path.to_str().unwrap().to_owned());
        let make = format!(
            "mkfs.ext4 -q -F {image} && mount -o loop {image} {place} && chmod 777 {place} && \
             fsfreeze --freeze {place} && fsfreeze --unfreeze {place}"
        );
        let made = run(&holder.prefix, ["sh", "-c", &make]);
        if made.code != 0 {
            skip(&format!("no file system can be frozen here ({})", made.stderr.trim()));
            return None;
        }
        let us = std::process::id();
        let watch = format!("while kill -0 {us}; do sleep 1; done; fsfreeze --unfreeze {place}");
        let nowhere = fs::File::create("/dev/null").unwrap();
        let warden = Running::start(&holder.prefix, ["sh", "-c", &watch], nowhere);
        let prefix = holder.prefix.clone();
        Some(Self { prefix, mount, _warden: warden, _holder: holder, _home: home })
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.mount.join(name)
    }

    /// What is in that file, if it is there.
    pub(super) fn text(&self, name: &str) -> String {
        run(&self.prefix, ["cat", self.file(name).to_str().unwrap()]).stdout
    }

    /// From now on whoever writes waits, until `thaw`.
    pub(super) fn freeze(&self) {
        must(&self.prefix, &format!("fsfreeze --freeze {}", self.mount.display()));
    }

    pub(super) fn thaw(&self) {
        must(&self.prefix, &format!("fsfreeze --unfreeze {}", self.mount.display()));
    }
}

impl Drop for Frost {
    fn drop(&mut self) {
        // It fails where nothing is frozen.
        let _ = run(&self.prefix, ["fsfreeze", "--unfreeze", self.mount.to_str().unwrap()]);
        let _ = run(&self.prefix, ["umount", "--lazy", self.mount.to_str().unwrap()]);
    }
}

/// Waits until that many of the found ones wait inside the kernel.
pub(super) fn hanging(count: usize, found: impl Fn() -> Vec<i32>) -> Vec<i32> {
    eventually("they hang in the kernel", || {
        let found: Vec<i32> = found().into_iter().filter(|pid| hangs(*pid)).collect();
        (found.len() == count).then_some(found)
    })
}

/// Whether the system shows it in the state that no signal ends.
pub(super) fn hangs(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('D'))
}
