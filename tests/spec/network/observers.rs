//! What holds for members that vote holds for those that watch, though one thread has them all.

use std::collections::BTreeSet;
use std::fs;

use quorate::protocol::message::Append;

use super::*;

/// Alpha, and one that watches it; alpha has no thread for it.
fn alpha_and_an_observer(name: &str) -> (Station, Station) {
    let (alpha, mut watcher) = (Station::new("alpha"), Station::new(name));
    watcher.member.role = MemberRole::Observer;
    meet(&alpha, &watcher);
    (alpha, watcher)
}

fn meet(alpha: &Station, watcher: &Station) {
    alpha.knows(&[watcher]);
    watcher.knows(&[alpha]);
    alpha.wait_for_link(watcher, "connected");
    watcher.wait_for_link(alpha, "connected");
}

/// The names of this process's threads, as far as the kernel keeps them.
fn threads() -> BTreeSet<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
    tasks.filter_map(|task| name(task.ok()?)).map(|name| name.trim().to_owned()).collect()
}

fn connections(of: &Station) -> usize {
    let inputs = of.inbox.inputs.lock().unwrap();
    inputs.iter().filter(|input| matches!(input, Input::Connected { .. })).count()
}

#[test]
fn an_observer_and_a_voter_hear_each_other_in_order() {
    let (alpha, watcher) = alpha_and_an_observer("watch-a");
    let mut sent: Vec<_> = (0..20).map(fetch).collect();
    sent.push(offer(1 << 20));
    sent.iter().for_each(|message| alpha.send(&watcher, message.clone()));
    sent.iter().for_each(|message| watcher.send(&alpha, message.clone()));
    wait_until("all mail at the observer", || watcher.inbox.received("alpha") == sent);
    wait_until("all mail at alpha", || alpha.inbox.received("watch-a") == sent);
    let threads = threads();
    assert!(!threads.contains("send-watch-a") && !threads.contains("read-watch-a"), "{threads:?}");
}

#[test]
fn an_observer_that_comes_back_is_met_again() {
    let (alpha, mut watcher) = alpha_and_an_observer("watch-b");
    watcher.network.stop(Duration::ZERO);
    alpha.wait_for_link(&watcher, "connection refused");
    watcher.restart();
    watcher.knows(&[&alpha]);
    alpha.wait_for_link(&watcher, "connected");
    alpha.send(&watcher, fetch(1));
    wait_until("mail", || watcher.inbox.received("alpha") == [fetch(1)]);
    watcher.send(&alpha, fetch(2));
    wait_until("its mail", || alpha.inbox.received("watch-b") == [fetch(2)]);
}

#[test]
fn stopping_sends_an_observer_what_was_posted_before() {
    let (alpha, watcher) = alpha_and_an_observer("watch-c");
    let sent: Vec<_> = (0..50).map(fetch).chain([offer(1 << 20)]).collect();
    sent.iter().for_each(|message| alpha.send(&watcher, message.clone()));
    alpha.network.stop(PATIENCE);
    wait_until("all mail", || watcher.inbox.received("alpha") == sent);
}

#[test]
fn a_removed_observer_is_neither_heard_nor_reached() {
    let (alpha, watcher) = alpha_and_an_observer("watch-d");
    alpha.knows(&[]);
    assert!(alpha.network.sightings().is_empty());
    watcher.wait_for_link(&alpha, "does not trust this node's key");
}

/// Promises: P7
#[test]
fn an_observer_that_becomes_a_voter_keeps_its_sessions_and_has_threads_of_its_own() {
    let (alpha, mut watcher) = alpha_and_an_observer("watch-e");
    alpha.send(&watcher, fetch(1));
    watcher.send(&alpha, fetch(1));
    wait_until("mail at alpha", || alpha.inbox.received("watch-e").len() == 1);
    watcher.member.role = MemberRole::Voter;
    alpha.knows(&[&watcher]);
    wait_until("its threads", || {
        let threads = threads();
        threads.contains("send-watch-e") && threads.contains("read-watch-e")
    });
    alpha.send(&watcher, fetch(2));
    watcher.send(&alpha, fetch(2));
    let both = [fetch(1), fetch(2)];
    wait_until("mail at the new voter", || watcher.inbox.received("alpha") == both);
    wait_until("its mail at alpha", || alpha.inbox.received("watch-e") == both);
    assert_eq!((connections(&alpha), connections(&watcher)), (1, 1));
}

/// Promises: P12
#[test]
fn an_observer_is_told_how_far_a_voters_disk_has_come_and_tells_it_too() {
    let (mut alpha, watcher) = alpha_and_an_observer("watch-f");
    for sequence in [7, 8, 8] {
        alpha.network.wrote(sequence);
        watcher.network.wrote(sequence);
        alpha.send(&watcher, fetch(sequence));
        watcher.send(&alpha, fetch(sequence));
    }
    let all = [7, 8, 8].map(fetch);
    wait_until("all mail at the observer", || watcher.inbox.received("alpha") == all);
    wait_until("all mail at alpha", || alpha.inbox.received("watch-f") == all);
    assert_eq!((connections(&alpha), connections(&watcher)), (1, 1));
    // Its disk is put back to where it was at its start.
    alpha.restart();
    alpha.knows(&[&watcher]);
    wait_until("the doubt", || {
        watcher.network.doubts().iter().any(|words| words.contains("write 8 of it was seen"))
    });
}

#[test]
fn an_observer_is_called_anew_with_the_next_key() {
    let (alpha, watcher) = alpha_and_an_observer("watch-g");
    let next = Keys::generate(&alpha.name);
    let pin = next.pin();
    watcher.network.set_members(vec![Member { next_pin: Some(pin), ..alpha.member.clone() }]);
    alpha.network.offer_key(next);
    assert!(!alpha.network.has_taken(&watcher.name, pin));
    alpha.network.offer_next(&watcher.name, pin);
    wait_until("the next key", || alpha.network.has_taken(&watcher.name, pin));
    wait_until("the new session", || connections(&alpha) == 2);
    alpha.send(&watcher, fetch(1));
    wait_until("mail", || watcher.inbox.received("alpha") == [fetch(1)]);
    assert!(!threads().contains("send-watch-g"), "{:?}", threads());
}

#[test]
fn a_new_masters_document_reaches_every_observer() {
    const MANY: usize = 40;
    let alpha = Station::new("alpha");
    let mut crowd: Vec<_> = (0..MANY).map(|n| Station::new(&format!("crowd-{n:02}"))).collect();
    for one in &mut crowd {
        one.member.role = MemberRole::Observer;
        // The fixture has one disk for each first letter.
        one.knows(&[&alpha]);
    }
    alpha.knows(&crowd.iter().collect::<Vec<_>>());
    crowd.iter().for_each(|one| alpha.wait_for_link(one, "connected"));
    let of_term = |term| {
        let document = document(&"#".repeat(100_000));
        Message::Append(Append { term: Term(term), document })
    };
    let (first, second) = (of_term(1), of_term(2));
    crowd.iter().for_each(|one| alpha.send(one, first.clone()));
    for one in &crowd {
        wait_until("the document", || one.inbox.received("alpha").last() == Some(&first));
    }
    crowd.iter().for_each(|one| alpha.send(one, second.clone()));
    for one in &crowd {
        wait_until("the next one", || one.inbox.received("alpha").last() == Some(&second));
    }
    assert!(!threads().iter().any(|name| name.starts_with("send-crowd")));
}

#[test]
fn a_crowd_is_called_a_part_at_a_time() {
    const MANY: usize = 50;
    const AT_ONCE: usize = 32;
    let alpha = Station::new("alpha");
    // All of them answer at one place, which takes calls and never greets.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut crowd = Station::new("deaf");
    crowd.member.role = MemberRole::Observer;
    crowd.member.address = listener.local_addr().unwrap().to_string().into();
    let member = |number| Member { id: id(&format!("deaf-{number:02}")), ..crowd.member.clone() };
    alpha.network.set_members((0..MANY).map(member).collect());
    let mut calls: Vec<TcpStream> = Vec::new();
    for _ in 0..MANY {
        let (call, _) = listener.accept().unwrap();
        call.set_nonblocking(true).unwrap();
        calls.push(call);
        calls.retain(is_open);
        assert!(calls.len() <= AT_ONCE, "{} calls at once", calls.len());
    }
}

/// Whether the other side has not closed it, whatever it said.
fn is_open(call: &TcpStream) -> bool {
    loop {
        match (&mut &*call).read(&mut [0; 4096]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}

// Those with the right key that break the rules (P12).

#[test]
fn an_observer_that_breaks_the_rules_is_closed_at_once() {
    hostile::rules_are_broken_by(MemberRole::Observer);
}

#[test]
fn a_frame_that_an_observer_promises_and_does_not_send_is_given_five_seconds() {
    hostile::a_frame_is_promised_by(MemberRole::Observer);
}

#[test]
fn the_newest_session_of_an_observer_is_the_one_that_counts() {
    hostile::sessions_are_opened_by(MemberRole::Observer);
}

#[test]
fn a_flood_of_an_observers_messages_is_read_slowly_and_loses_none() {
    hostile::a_flood_comes_from(MemberRole::Observer);
}

#[test]
fn an_observer_that_never_reads_delays_nobody_and_is_given_up() {
    hostile::nothing_is_read_by(MemberRole::Observer);
}

#[test]
fn an_observer_that_answers_on_a_connection_it_should_only_hear_is_given_up() {
    hostile::an_answer_comes_from(MemberRole::Observer);
}
