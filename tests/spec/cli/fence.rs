//! The file in which `fence-check` keeps the highest term, and what it answers.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use quorate::cli::console::Failure;
use quorate::cli::exit::Exit;
use quorate::cli::fence::{check, token};
use quorate::protocol::units::Term;
use rustix::fs::{CWD, FlockOperation, Mode, flock, mkfifoat};
use tempfile::TempDir;

/// Far beyond what a lock that nobody holds needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a token file that may be missing.
struct World {
    directory: TempDir,
}

impl World {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn holding(text: &str) -> Self {
        let world = Self::new();
        fs::write(world.file(), text).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("token")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// The exit code that `fence-check` would have for this term.
    fn code(&self, term: u64) -> u8 {
        self.check(term).map_or_else(|failure| failure.exit.code(), Exit::code)
    }

    fn check(&self, term: u64) -> Result<Exit, Failure> {
        check(&self.file(), Some(Term(term)), None, PATIENCE)
    }

    fn refused(&self, exit: Exit, words: &[&str]) {
        let failure = self.check(7).unwrap_err();
        assert_eq!(failure.exit, exit, "{}", failure.message);
        for word in words {
            assert!(failure.message.contains(word), "{word} is not in: {}", failure.message);
        }
    }
}

#[test]
fn the_highest_term_goes_on_and_every_lower_one_is_stale_from_then_on() {
    let world = World::new();
    let answers = [5, 5, 7, 5, 6, 7, u64::MAX, 8].map(|term| world.code(term));
    assert_eq!(answers, [0, 0, 0, 1, 1, 0, 0, 1]);
    assert_eq!(world.text(), format!("{}\n", u64::MAX));
}

#[test]
fn a_stale_term_changes_nothing_and_is_told_which_is_higher() {
    let world = World::holding("9\n");
    let before = fs::metadata(world.file()).unwrap().ino();
    world.refused(Exit::No, &["stale", "term 7", "seen term 9", "token"]);
    assert_eq!(fs::metadata(world.file()).unwrap().ino(), before);
}

#[test]
fn the_term_comes_from_the_environment_if_it_is_not_given() {
    let world = World::holding("6\n");
    let from =
        |variable: Option<&str>| check(&world.file(), None, variable.map(OsString::from), PATIENCE);
    assert_eq!(from(Some("7")).unwrap(), Exit::Done);
    assert_eq!(from(Some("6")).unwrap_err().exit, Exit::No);
    let given = check(&world.file(), Some(Term(8)), Some(OsString::from("1")), PATIENCE);
    assert_eq!(given.unwrap(), Exit::Done);
    for wrong in [None, Some(""), Some("null"), Some("7 "), Some("0")] {
        let failure = from(wrong).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage, "{wrong:?}");
        assert!(failure.message.contains("$QUORATE_TERM"), "{}", failure.message);
    }
    assert_eq!(world.text(), "8\n");
}

#[test]
fn a_token_is_a_plain_number_from_one_on() {
    let largest = u64::MAX.to_string();
    assert_eq!(token("1"), Some(Term(1)));
    assert_eq!(token(&largest), Some(Term(u64::MAX)));
    let beyond = largest.replace("615", "616");
    for wrong in ["", "0", "07", "+7", "-7", " 7", "7\n", "0x7", "7.0", "seven", "٧", &beyond] {
        assert_eq!(token(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_file_that_holds_anything_but_a_term_lets_nobody_pass_and_stays_as_it_is() {
    for text in ["", "\n", "7", "7\n\n", "7 \n", "0\n", "-7\n", "7\n8\n", "\0\0\0\0", "seven\n"] {
        let world = World::holding(text);
        world.refused(Exit::BadData, &["does not hold a term", "echo TERM >", "token"]);
        assert_eq!(world.text(), text);
    }
    let world = World::holding(&"7".repeat(1 << 20));
    world.refused(Exit::BadData, &["does not hold a term"]);
    fs::write(world.file(), [0xff, b'\n']).unwrap();
    world.refused(Exit::BadData, &["does not hold a term"]);
}

#[test]
fn neither_the_file_nor_its_lock_may_be_a_link_or_anything_special() {
    for name in ["token", "token.lock"] {
        let put: [&dyn Fn(&World); 4] = [
            &|world| symlink(world.path("elsewhere"), world.path(name)).unwrap(),
            &|world| symlink("/dev/null", world.path(name)).unwrap(),
            &|world| mkfifoat(CWD, world.path(name), Mode::RWXU).unwrap(),
            &|world| fs::create_dir(world.path(name)).unwrap(),
        ];
        for put in put {
            let world = World::new();
            fs::write(world.path("elsewhere"), "3\n").unwrap();
            put(&world);
            world.refused(Exit::BadData, &["plain file", name]);
            assert_eq!(fs::read_to_string(world.path("elsewhere")).unwrap(), "3\n");
        }
    }
}

#[test]
fn a_link_in_the_place_of_the_new_file_is_removed_and_not_followed() {
    let world = World::holding("3\n");
    fs::write(world.path("elsewhere"), "precious").unwrap();
    symlink(world.path("elsewhere"), world.path("token.new")).unwrap();
    assert_eq!(world.code(4), 0);
    assert_eq!(fs::read_to_string(world.path("elsewhere")).unwrap(), "precious");
    assert_eq!(world.text(), "4\n");
}

#[test]
fn what_a_killed_check_left_behind_makes_way() {
    let world = World::holding("3\n");
    fs::write(world.path("token.new"), "99\n").unwrap();
    assert_eq!(world.code(4), 0);
    assert!(!world.path("token.new").exists());
    assert_eq!(world.text(), "4\n");
}

#[test]
fn a_replaced_file_keeps_its_permissions() {
    let world = World::holding("3\n");
    fs::set_permissions(world.file(), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(world.code(4), 0);
    assert_eq!(fs::metadata(world.file()).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn nobody_but_owner_and_group_may_hold_the_lock() {
    let world = World::new();
    assert_eq!(world.code(4), 0);
    assert_eq!(fs::metadata(world.path("token.lock")).unwrap().mode() & 0o007, 0);
}

#[test]
fn a_path_that_names_no_file_is_refused() {
    let code = |path: &str| check(path.as_ref(), Some(Term(7)), None, PATIENCE).unwrap_err().exit;
    for path in ["/", "..", "/tmp/", "token/", "token/."] {
        assert_eq!(code(path), Exit::Usage, "{path}");
    }
    let world = World::new();
    assert_eq!(code(world.path("none/token").to_str().unwrap()), Exit::CannotCreate);
    assert_eq!(code(world.path(&"x".repeat(255)).to_str().unwrap()), Exit::CannotCreate);
}

#[test]
fn a_lock_that_others_keep_is_neither_yes_nor_no() {
    let world = World::new();
    assert_eq!(world.code(4), 0);
    let lock = fs::File::open(world.path("token.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let failure = check(&world.file(), Some(Term(5)), None, Duration::ZERO).unwrap_err();
    assert_eq!(failure.exit, Exit::TryAgain);
    assert!(failure.message.contains("token.lock"), "{}", failure.message);
    assert_eq!(world.text(), "4\n");
    drop(lock);
    assert_eq!([5, 4].map(|term| world.code(term)), [0, 1]);
}

#[test]
fn a_removed_lock_is_made_again() {
    let world = World::new();
    assert_eq!(world.code(4), 0);
    fs::remove_file(world.path("token.lock")).unwrap();
    assert_eq!([3, 4, 5].map(|term| world.code(term)), [1, 0, 0]);
}
