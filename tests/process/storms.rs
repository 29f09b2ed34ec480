//! Programs that ask for changes without end: one happens at a time, and each is told what became
//! of its own. Never asks by the command line, which would be slower than any daemon.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use quorate::cli::client;
use quorate::settings::paths::Place;
use quorate::wire::control::{HandoverReport, Request, Response};

use super::clock::PATIENCE;
use super::cluster::Cluster;

/// How many ask at once, and how often each.
const ASKERS: usize = 6;
const TIMES: usize = 167;

fn ask(socket: &Path, to: &str) -> HandoverReport {
    let place = Place { path: socket.to_path_buf(), origin: "a test".to_owned() };
    let request = Request::Transfer { to: Some(to.to_owned()) };
    match client::ask(&place, &request, PATIENCE) {
        Ok(Response::Handover(report)) => report,
        other => panic!("asked to hand over to {to}: {other:?}"),
    }
}

/// H45
#[test]
fn of_a_thousand_transfers_at_once_one_happens_at_a_time_and_each_is_answered() {
    let cluster = Cluster::of(3);
    let (_, before) = cluster.settles();
    let nodes: Vec<_> =
        cluster.nodes.iter().map(|node| (node.name.clone(), node.socket())).collect();
    let asks = |asker: usize| {
        let ask_one = |time: usize| ask(&nodes[asker % 3].1, &nodes[(asker + time) % 3].0);
        (0..TIMES).map(ask_one).collect::<Vec<_>>()
    };
    let told: Vec<HandoverReport> = thread::scope(|scope| {
        let asking: Vec<_> = (0..ASKERS).map(|asker| scope.spawn(move || asks(asker))).collect();
        asking.into_iter().flat_map(|asker| asker.join().expect("no asker panics")).collect()
    });
    let (_, after) = cluster.settles();
    assert_eq!(told.len(), ASKERS * TIMES);
    // Those who wanted the same at the same time are told of the same handover.
    let mut masters: BTreeMap<u64, &Option<String>> = BTreeMap::new();
    for (term, report) in told.iter().filter_map(|report| Some((report.term?, report))) {
        assert!((before + 1..=after).contains(&term), "{report:?} before term {after}");
        assert_eq!(*masters.entry(term).or_insert(&report.master), &report.master, "{report:?}");
    }
    assert!(masters.len() > 10, "{} handovers: {told:?}", masters.len());
    for report in told.iter().filter(|report| report.term.is_none()) {
        assert!(report.outcome == "unknown" || report.reason.is_some(), "{report:?}");
    }
}
