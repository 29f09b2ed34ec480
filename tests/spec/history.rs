//! The history on disk: what is kept, how large it gets, what a crash or a stranger leaves of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use quorate::daemon::events::{Loudness, Remark, Ring, Stamp};
use quorate::daemon::history::{self, History, NOISE};
use quorate::protocol::effects::{ChangeReason, Event, StopReason};
use quorate::protocol::units::Term;
use quorate::wire::codes;
use quorate::wire::control::EventReport;
use quorate::wire::history::{FILE, FILE_BYTES_MAX, OLDER_FILE, Past};

use super::acting_log::Paper;
use super::driver::PATIENCE;
use super::properties::any::Any;
use super::workshop::{Workshop, node};

/// Everything that `ring` is told while `work` runs, with a history in that directory.
fn kept_while(directory: &Path, work: impl FnOnce(&mut Ring)) -> Vec<Arc<EventReport>> {
    let handle = fs::File::open(directory).unwrap().into();
    let (history, writer) = history::of(&node("alpha"), handle);
    let mut ring = Ring::default();
    ring.keep_in(history);
    work(&mut ring);
    let told = ring.kept();
    drop(ring);
    writer.run();
    told
}

fn changed(ring: &mut Ring, term: u64, to: Option<&str>) {
    let [from, to] = [None, to.map(node)];
    let reason = ChangeReason::Announced;
    let event = Event::MasterChanged { from, to, term: Term(term), reason };
    let stamp = Stamp { time: "2027-01-15T08:00:00.000Z".to_owned(), uptime_ms: term };
    ring.tell(&event, &node("alpha"), Term(term), stamp);
}

fn seqs(past: &Past) -> Vec<u64> {
    past.events.iter().map(|event| event.seq).collect()
}

fn place() -> Workshop {
    let workshop = Workshop::new();
    fs::create_dir(workshop.state_path()).unwrap();
    workshop
}

#[test]
fn the_history_holds_the_very_events_of_the_stream_and_outlives_the_daemon() {
    let workshop = place();
    let path = workshop.state_path();
    let told = kept_while(&path, |ring| changed(ring, 7, Some("bravo")));
    let again = kept_while(&path, |ring| changed(ring, 8, None));
    let past = Past::read(&path).unwrap();
    let expected: Vec<_> = told.iter().chain(&again).map(|event| (**event).clone()).collect();
    assert_eq!((past.events, past.unreadable), (expected, 0));
    let mode = fs::metadata(path.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7137, 0, "{mode:o}");
}

#[test]
fn what_happens_all_the_time_is_not_kept_and_what_ends_a_mastership_is() {
    let workshop = place();
    let path = workshop.state_path();
    kept_while(&path, |ring| {
        let mut tell = |event| ring.tell(&event, &node("alpha"), Term(7), Stamp::default());
        tell(Event::Standing { term: Term(7) });
        tell(Event::PeerChanged { peer: node("bravo"), is_heard: false });
        tell(Event::HearingChanged { peer: node("bravo"), hears_us: false });
        tell(Event::Demoted { term: Term(7), reason: StopReason::LeaseRanOut });
        let message = "it runs".to_owned();
        let remark =
            Remark { code: "daemon-started", loudness: Loudness::Info, reason: None, message };
        ring.say(remark, &node("alpha"), Term(7), Stamp::default());
    });
    let past = Past::read(&path).unwrap();
    let codes: Vec<_> = past.events.iter().map(|event| event.code.as_str()).collect();
    assert_eq!(codes, ["demoted", "daemon-started"]);
}

#[test]
fn a_message_of_several_lines_is_kept_and_read_back_on_one() {
    let workshop = place();
    let path = workshop.state_path();
    kept_while(&path, |ring| {
        let message = "cluster.yaml:5:13: wrong\n  mend it".to_owned();
        let code = codes::HAND_EDIT_INVALID;
        let remark = Remark { code, loudness: Loudness::Warning, reason: None, message };
        ring.say(remark, &node("alpha"), Term(7), Stamp::default());
    });
    let past = Past::read(&path).unwrap();
    let messages: Vec<_> = past.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!((messages, past.unreadable), (vec!["cluster.yaml:5:13: wrong   mend it"], 0));
}

#[test]
fn what_is_left_out_are_codes_that_exist() {
    let unknown: Vec<_> = NOISE.into_iter().filter(|code| codes::find(code).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_history_never_outgrows_its_two_files_and_keeps_the_newest() {
    let workshop = place();
    let path = workshop.state_path();
    // A ring hands in as many lines at once as the writer's queue takes.
    for _ in 0..6 {
        kept_while(&path, |ring| {
            for term in 1..=900 {
                changed(ring, term, Some("bravo"));
            }
        });
        for file in [FILE, OLDER_FILE] {
            let size = fs::metadata(path.join(file)).map_or(0, |found| found.len());
            assert!(size <= FILE_BYTES_MAX, "{file} has {size} bytes");
        }
    }
    let past = Past::read(&path).unwrap();
    assert_eq!(past.unreadable, 0);
    let newest = seqs(&past).split_off(past.events.len() - 900);
    assert_eq!(newest, (1..=900).collect::<Vec<_>>());
    assert!(fs::metadata(path.join(OLDER_FILE)).unwrap().len() > FILE_BYTES_MAX / 2);
}

#[test]
fn a_history_cut_anywhere_gives_what_is_whole_and_goes_on() {
    let workshop = place();
    let path = workshop.state_path();
    kept_while(&path, |ring| (1..=3).for_each(|term| changed(ring, term, Some("bravo"))));
    let whole = fs::read(path.join(FILE)).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    for cut in 0..=whole.len() {
        fs::write(path.join(FILE), &whole[..cut]).unwrap();
        let survivors = ends.iter().filter(|end| **end <= cut).count() as u64;
        let before: Vec<u64> = (1..=survivors).collect();
        let past = Past::read(&path).unwrap();
        assert_eq!((seqs(&past), past.unreadable), (before.clone(), 0), "{cut}");
        kept_while(&path, |ring| changed(ring, 9, None));
        let past = Past::read(&path).unwrap();
        assert_eq!(seqs(&past), [before, vec![1]].concat(), "{cut}");
        let is_torn = cut > 0 && !ends.contains(&(cut - 1)) && !ends.contains(&cut);
        assert_eq!(past.unreadable, u64::from(is_torn), "{cut}");
    }
}

#[test]
fn damage_anywhere_costs_the_damaged_lines_only() {
    let workshop = place();
    let path = workshop.state_path();
    kept_while(&path, |ring| (1..=20).for_each(|term| changed(ring, term, Some("bravo"))));
    let whole = fs::read(path.join(FILE)).unwrap();
    let mut any = Any::from_seed(16);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        let at = usize::try_from(any.pick(bytes.len() as u64)).unwrap();
        let run = usize::try_from(any.pick(40)).unwrap().min(bytes.len() - at);
        // What a file system leaves after a power cut.
        bytes[at..at + run].fill(0);
        let mut past = Past::default();
        past.add(&bytes);
        let lost = 20 - past.events.len();
        assert!(lost <= 2 && past.unreadable <= 1, "{lost} lost, {} damaged", past.unreadable);
    }
    for stranger in [&b"\xff\xfe\n"[..], b"{}\n", b"[1]\n", b"null\n", b"{\"schema\":2}\n"] {
        let mut past = Past::default();
        past.add(&[stranger, &whole].concat());
        assert_eq!((past.events.len(), past.unreadable), (20, 1));
    }
}

#[test]
fn a_line_that_a_terminal_would_obey_is_damaged() {
    let workshop = place();
    let path = workshop.state_path();
    kept_while(&path, |ring| changed(ring, 1, Some("bravo")));
    let line = fs::read_to_string(path.join(FILE)).unwrap();
    let mut past = Past::default();
    past.add(line.replace("master is", "\\u001b[2Jmaster is").as_bytes());
    past.add(line.replace("\"to\":\"bravo\"", "\"to\":\"\\r\"").as_bytes());
    assert_eq!((past.events.len(), past.unreadable), (0, 2));
}

#[test]
fn what_is_no_plain_file_is_neither_read_nor_written() {
    let workshop = place();
    let path = workshop.state_path();
    let treasure = workshop.path("treasure");
    fs::write(&treasure, "gold\n").unwrap();
    symlink(&treasure, path.join(FILE)).unwrap();
    kept_while(&path, |ring| changed(ring, 1, Some("bravo")));
    assert_eq!(fs::read_to_string(&treasure).unwrap(), "gold\n");
    assert!(Past::read(&path).is_err());
    fs::remove_file(path.join(FILE)).unwrap();
    fs::create_dir(path.join(FILE)).unwrap();
    kept_while(&path, |ring| changed(ring, 2, Some("bravo")));
    assert!(Past::read(&path).is_err());
    fs::remove_dir(path.join(FILE)).unwrap();
    assert!(Past::read(&path).is_err(), "there is nothing");
    kept_while(&path, |ring| changed(ring, 3, Some("bravo")));
    assert_eq!(Past::read(&path).unwrap().events.len(), 1);
}

#[test]
fn a_full_disk_leaves_a_gap_in_the_history_that_is_counted_once_there_is_room() {
    let paper = Paper::with_room(0);
    let (history, writer) = history::into(paper.clone(), &node("alpha"));
    std::thread::Builder::new().spawn(move || writer.run()).unwrap();
    let tell = |history: &History, term| {
        let mut ring = Ring::default();
        ring.keep_in(history.clone());
        changed(&mut ring, term, Some("bravo"));
        history.journal().flush(PATIENCE);
    };
    tell(&history, 1);
    tell(&history, 2);
    paper.give_room();
    tell(&history, 3);
    // Owning up follows the line before it, so one more question is answered after both.
    history.journal().flush(PATIENCE);
    let mut past = Past::default();
    past.add(paper.lines().join("\n").as_bytes());
    let lost: u64 = past.events.iter().map(|event| event.lost).sum();
    let kept = past.events.iter().filter(|event| event.code == "master-changed").count();
    assert_eq!((lost, kept), (2, 1), "{past:?}");
}

#[test]
fn a_history_that_was_removed_while_it_was_written_is_made_anew() {
    let workshop = place();
    let path = workshop.state_path();
    let handle = fs::File::open(&path).unwrap().into();
    let (history, writer) = history::of(&node("alpha"), handle);
    std::thread::Builder::new().spawn(move || writer.run()).unwrap();
    let mut ring = Ring::default();
    ring.keep_in(history.clone());
    changed(&mut ring, 1, Some("bravo"));
    history.journal().flush(PATIENCE);
    fs::remove_file(path.join(FILE)).unwrap();
    changed(&mut ring, 2, None);
    history.journal().flush(PATIENCE);
    assert_eq!(seqs(&Past::read(&path).unwrap()), [2]);
}
