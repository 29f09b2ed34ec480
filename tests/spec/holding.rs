//! The conversation with a program that acts under mastership, over a real socket.

use std::time::Duration;

use quorate::daemon::network::Delivery;
use quorate::protocol::effects::Input;
use quorate::protocol::status::Duty;
use quorate::wire::control::{Request, Response};
use quorate::wire::control_frame;
use quorate::wire::hold::While;

use super::control::{ask, connect, serve, served};
use super::driver::{PATIENCE, running, wait_for};
use super::workshop::Workshop;

#[test]
fn a_master_grants_at_once_and_extends_again_and_again() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let Response::Granted(grant) =
        ask(&mut stream, &Request::Hold { gathers: false, role: While::Master })
    else {
        panic!("no grant")
    };
    assert!(grant.at.boot_ns < grant.span.until.boot_ns);
    assert!(grant.span.until.boot_ns < grant.span.kill.boot_ns);
    let mut until = grant.span.until.boot_ns;
    for _ in 0..3 {
        let answer = control_frame::read(&mut stream).unwrap();
        let Response::Extended(span) = answer else { panic!("not extended: {answer:?}") };
        assert_eq!(span.term, grant.span.term);
        assert!(span.until.boot_ns > until);
        until = span.until.boot_ns;
    }
}

/// Promises: P6
#[test]
fn a_node_that_stops_acting_releases_nothing_before_its_program_is_gone() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    let mut stream = connect(&serve(&workshop, driver.clone()));
    assert!(matches!(
        ask(&mut stream, &Request::Hold { gathers: false, role: While::Master }),
        Response::Granted(_)
    ));
    driver.deliver(Input::Leave);
    let mut answers = std::iter::from_fn(|| control_frame::read(&mut stream).ok());
    let stop = answers.find_map(|answer| match answer {
        Response::Stop { term, .. } => Some(term),
        _ => None,
    });
    let term = stop.expect("it is told to end");
    assert_eq!(driver.status().duty, Duty::Stopping);
    assert!(driver.left().recv_timeout(Duration::from_millis(50)).is_err());
    control_frame::write(&mut stream, &Request::Gone { term }).unwrap();
    driver.left().recv_timeout(PATIENCE).expect("nothing is held any more");
}

#[test]
fn who_holds_nothing_has_nothing_to_give_back() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let answer = ask(&mut stream, &Request::Gone { term: 1 });
    assert!(matches!(answer, Response::Error(report) if report.message.contains("nothing")));
}
