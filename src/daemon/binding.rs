//! Owns what tells this machine and this state directory from others (R53).
//! Never decides whether a state may be used elsewhere; `arrival` does, and the operator.
//!
//! | what | when it changes | so |
//! |---|---|---|
//! | /etc/machine-id | the disk is in another machine, or a clone got an id of its own | suspect |
//! | the firmware's product id | a clone of a virtual machine that kept its machine-id | suspect |
//! | inode of the directory | it was copied, or restored file by file | suspect |
//! | device number | at any reboot | not looked at |
//! | a snapshot of the whole file system | nothing of the above | seen by the peers (R54) |
//!
//! What cannot be read, now or then, is not compared: containers have no machine-id, only root
//! reads the product id, and a daemon may change its user. Inodes count only on file systems that
//! keep them. Linux does not show the generation id of a virtual machine to programs.

use std::path::Path;

use rustix::fs::fstatfs;

use crate::daemon::admin_files;
use crate::daemon::directory::Directory;
use crate::protocol::units::StorageId;
use crate::wire::codec::hash_of;
use crate::wire::marks::Binding;

const MACHINE_FILE: &str = "/etc/machine-id";
const PRODUCT_FILE: &str = "/sys/class/dmi/id/product_uuid";

/// File systems on which a directory keeps its inode over reboots: ext4 and its like, XFS, Btrfs,
/// F2FS, ZFS, bcachefs.
const STEADY_FILE_SYSTEMS: [u64; 6] =
    [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1, 0xca45_1a4e];

/// How much of a hash tells two machines apart.
const DIGITS: usize = 32;

/// Where `directory` is, for the disk `storage`.
#[must_use]
pub fn here(directory: &Directory, storage: StorageId) -> Binding {
    let hashed = |file: &str| {
        // A file that is not there or not for us says nothing, which is no fault.
        let text = admin_files::read_if_there(Path::new(file)).ok().flatten()?;
        let id = text.trim();
        // An id that is not yet made has a word in its place.
        let is_id = id.len() >= DIGITS && id.bytes().any(|byte| byte != b'0' && byte != b'-');
        let mut hash = hash_of(format!("{file}\n{storage}\n{id}").as_bytes()).to_string();
        hash.truncate(DIGITS);
        is_id.then_some(hash)
    };
    let is_steady = fstatfs(directory).is_ok_and(|found| {
        u64::try_from(found.f_type).is_ok_and(|kind| STEADY_FILE_SYSTEMS.contains(&kind))
    });
    Binding {
        machine: hashed(MACHINE_FILE),
        product: hashed(PRODUCT_FILE),
        inode: is_steady.then(|| directory.inode()),
    }
}

/// What is known at both times and differs, in words; empty if nothing is.
#[must_use]
pub fn differences(then: &Binding, now: &Binding) -> Vec<&'static str> {
    fn differ<T: PartialEq>(then: Option<&T>, now: Option<&T>) -> bool {
        then.zip(now).is_some_and(|(then, now)| then != now)
    }
    let found = [
        (differ(then.machine.as_ref(), now.machine.as_ref()), "another machine-id"),
        (differ(then.product.as_ref(), now.product.as_ref()), "another product id of the machine"),
        (differ(then.inode.as_ref(), now.inode.as_ref()), "a directory that was made anew"),
    ];
    found.into_iter().filter_map(|(differs, words)| differs.then_some(words)).collect()
}

/// What is known now, and what was known before of the rest.
#[must_use]
pub fn joined(then: Binding, now: Binding) -> Binding {
    Binding {
        machine: now.machine.or(then.machine),
        product: now.product.or(then.product),
        inode: now.inode.or(then.inode),
    }
}
