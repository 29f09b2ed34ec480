//! The acting log: what is stamped, in which order, and what happens when it cannot be written.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate::daemon::acting_log::{self, ActingLog};
use quorate::daemon::clock;
use quorate::daemon::journal::LINES_MAX;
use quorate::daemon::network::Delivery;
use quorate::protocol::effects::Input;
use quorate::protocol::units::{Moment, Term};

use super::driver::{PATIENCE, running_with, wait_for};
use super::workshop::{Workshop, node};

/// Which word of a line is the process id.
const PID_AT: usize = 5;
const NOW: Moment = Moment { boot_ns: 5_000_000_000, raw_ns: 4_000_000_000 };

/// A file in memory that takes `room` bytes, then is full until it is given more.
#[derive(Clone, Default)]
pub(super) struct Paper(Arc<Mutex<(String, usize)>>);

impl Paper {
    pub(super) fn with_room(room: usize) -> Self {
        let paper = Self::default();
        paper.0.lock().unwrap().1 = room;
        paper
    }

    pub(super) fn give_room(&self) {
        self.0.lock().unwrap().1 = usize::MAX;
    }

    /// Its lines; this process's id reads PID.
    pub(super) fn lines(&self) -> Vec<String> {
        let pid = std::process::id().to_string();
        let text = self.0.lock().unwrap().0.clone();
        let line = |line: &str| {
            let mut words: Vec<&str> = line.split(' ').collect();
            // The same number may be a term elsewhere.
            if words.get(PID_AT) == Some(&pid.as_str()) {
                words[PID_AT] = "PID";
            }
            words.join(" ")
        };
        text.lines().map(line).collect()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut paper = self.0.lock().unwrap();
        let fits = bytes.len().min(paper.1);
        if fits == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        paper.0.push_str(std::str::from_utf8(&bytes[..fits]).unwrap());
        paper.1 -= fits;
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn kept_on(paper: &Paper) -> ActingLog {
    let (log, writer) = acting_log::into(paper.clone(), &node("alpha"));
    std::thread::Builder::new().spawn(move || writer.run()).unwrap();
    log
}

#[test]
fn each_line_says_when_what_in_which_term_until_when_and_who() {
    let paper = Paper::with_room(usize::MAX);
    let log = kept_on(&paper);
    log.begin(NOW, Term(7), NOW.after(Duration::from_secs(1)));
    log.extend(NOW.after(Duration::from_millis(500)), Term(7), NOW.after(Duration::from_secs(2)));
    log.end(NOW.after(Duration::from_millis(700)), Term(7));
    log.flush(PATIENCE);
    let wanted = [
        "5000000000 begin 7 6000000000 alpha PID",
        "5500000000 extend 7 7000000000 alpha PID",
        "5700000000 end 7 5700000000 alpha PID",
    ];
    assert_eq!(paper.lines(), wanted);
}

#[test]
fn nobody_waits_for_a_full_queue_and_the_lost_lines_are_counted() {
    let paper = Paper::with_room(usize::MAX);
    let (log, writer) = acting_log::into(paper.clone(), &node("alpha"));
    for _ in 0..LINES_MAX + 3 {
        log.begin(NOW, Term(7), NOW);
    }
    drop(log);
    writer.run();
    let lines = paper.lines();
    let begun = lines.iter().filter(|line| line.contains(" begin ")).count();
    let lost: Vec<_> = lines.iter().filter(|line| line.contains(" lost ")).collect();
    assert_eq!((begun, lost.len()), (LINES_MAX, 1), "{lines:?}");
    assert!(lost[0].ends_with(" lost 0 0 alpha PID count=3"), "{lost:?}");
}

#[test]
fn a_full_disk_leaves_a_gap_that_is_counted_once_there_is_room() {
    let whole = "5000000000 begin 7 5000000000 alpha 4711\n".len();
    let paper = Paper::with_room(whole + whole / 2);
    let log = kept_on(&paper);
    for term in 7..=9 {
        log.begin(NOW, Term(term), NOW);
    }
    log.flush(PATIENCE);
    paper.give_room();
    log.end(NOW, Term(9));
    log.flush(PATIENCE);
    // Owning up follows the line before it, so one more question is answered after both.
    log.flush(PATIENCE);
    let lines = paper.lines();
    let [first, torn, rest @ ..] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(first, "5000000000 begin 7 5000000000 alpha PID");
    assert!("5000000000 begin 8".starts_with(&torn[..18]), "{torn}");
    assert!(rest.iter().any(|line| line.contains(" end 9 ")), "{rest:?}");
    let owned = |line: &String| line.rsplit_once("count=").map(|(_, n)| n.parse::<u32>().unwrap());
    assert_eq!(rest.iter().filter_map(owned).sum::<u32>(), 2, "{rest:?}");
}

#[test]
fn a_log_is_only_ever_appended_to_and_half_a_line_is_left_alone() {
    let workshop = Workshop::new();
    let path = workshop.path("acting.log");
    std::fs::write(&path, "123 beg").unwrap();
    let (log, writer) = acting_log::open(&path, &node("alpha")).unwrap();
    drop(log);
    writer.run();
    let text = std::fs::read_to_string(&path).unwrap();
    let (torn, opened) = text.split_once('\n').unwrap();
    assert_eq!(torn, "123 beg");
    assert!(opened.contains(" open 0 0 alpha ") && opened.contains(" boot="), "{opened}");
}

#[test]
fn a_log_that_cannot_be_kept_is_refused() {
    let workshop = Workshop::new();
    let refused = |name: &str| {
        let refusal = acting_log::open(&workshop.path(name), &node("alpha")).err();
        refusal.unwrap_or_else(|| panic!("{name} was taken")).message
    };
    std::fs::create_dir(workshop.path("directory")).unwrap();
    std::os::unix::fs::symlink("elsewhere", workshop.path("link")).unwrap();
    for name in ["directory", "link", "nowhere/acting.log"] {
        assert!(refused(name).contains("cannot open the acting log"), "{}", refused(name));
    }
}

/// Promises: P1
#[test]
fn the_log_of_a_driver_encloses_the_time_in_which_it_may_act() {
    let workshop = Workshop::new();
    let paper = Paper::with_room(usize::MAX);
    let before = clock::now().boot_ns;
    let driver = running_with(&workshop, |driver| driver.log_acting(kept_on(&paper)));
    wait_for(&driver, "elected");
    let acting = clock::now();
    assert_eq!(driver.acting().term_at(acting), Some(Term(1)));
    driver.deliver(Input::Leave);
    driver.left().recv_timeout(PATIENCE).unwrap();
    let after = clock::now().boot_ns;
    driver.flush_acting_log(PATIENCE);
    let lines = paper.lines();
    let stamp = |event: &str| {
        let word = format!(" {event} 1 ");
        let line = lines.iter().find(|line| line.contains(&word)).unwrap();
        line.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let (begun, ended) = (stamp("begin"), stamp("end"));
    assert!((before..=acting.boot_ns).contains(&begun), "{lines:?}");
    assert!((acting.boot_ns..=after).contains(&ended), "{lines:?}");
}
