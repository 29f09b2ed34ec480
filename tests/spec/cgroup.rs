//! Where a control group of ours goes, and what is not taken for one.

use std::fs;
use std::path::{Path, PathBuf};

use quorate::daemon::cgroup::{Own, place_in};

const MOUNTS: &str = "\
24 1 0:22 / /sys rw - sysfs sysfs rw
30 24 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
31 24 0:27 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw
";

fn place(groups: &str, mounts: &str) -> Option<PathBuf> {
    place_in(groups, mounts)
}

#[test]
fn a_control_group_is_found_beside_those_of_the_first_kind() {
    let groups = "4:memory:/a\n0::/user.slice/shop.service\n";
    let found = place(groups, MOUNTS).unwrap();
    assert_eq!(found, Path::new("/sys/fs/cgroup/unified/user.slice/shop.service"));
    assert_eq!(place("0::/\n", MOUNTS).unwrap(), Path::new("/sys/fs/cgroup/unified"));
}

#[test]
fn a_mount_that_shows_a_part_shows_what_lies_in_it() {
    let mounts = "31 24 0:27 /docker/7 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    assert_eq!(place("0::/docker/7/x\n", mounts).unwrap(), Path::new("/sys/fs/cgroup/x"));
    assert_eq!(place("0::/docker/8\n", mounts), None);
}

#[test]
fn a_system_without_them_and_a_process_beyond_sight_have_none() {
    assert_eq!(place("4:memory:/a\n", MOUNTS), None);
    assert_eq!(place("0::/a\n", "24 1 0:22 / /sys rw - sysfs sysfs rw\n"), None);
    assert_eq!(place("0::/../other\n", MOUNTS), None);
}

#[test]
fn a_directory_that_cannot_be_killed_is_no_control_group_and_is_not_left() {
    let place = tempfile::tempdir().unwrap();
    assert!(Own::make_in(place.path(), 7).is_err());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
