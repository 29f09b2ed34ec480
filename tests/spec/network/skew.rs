//! Members of other releases, and members that moved: they are understood as far as that goes.
//! Never breaks a rule; `hostile` does.

use super::hostile::{alpha_and_the_key_of_bravo, framed, hello_of, session_of};
use super::*;

fn sighting(alpha: &Station, of: &Station) -> Sighting {
    alpha.sighting_of(of).unwrap()
}

#[test]
fn what_only_a_later_release_knows_is_passed_over_and_counted() {
    let (alpha, bravo) = alpha_and_the_key_of_bravo();
    let mut session = session_of(&bravo, &alpha);
    let later = Hello { newest: Some(7), release: Some("9.9.9".into()), ..hello_of(&bravo) };
    session.write_all(&framed(Class::Hello, &later.encode())).unwrap();
    for line in [r#"{"gossip":{"a":[1]}}"#, r#"{"beat":{"mood":"calm"}}"#, r#"{"gossip":[]}"#] {
        session.write_all(&framed(Class::Message, line.as_bytes())).unwrap();
    }
    session.write_all(&framed(Class::Message, &encode(&fetch(5)))).unwrap();
    wait_until("what it knows", || alpha.inbox.received("bravo") == [fetch(5)]);
    let contact = sighting(&alpha, &bravo).contact;
    assert_eq!((contact.passed_over, contact.unknown.as_deref()), (3, Some("gossip")));
    assert_eq!((contact.protocol, contact.release.as_deref()), (Some(1), Some("9.9.9")));
    assert!(contact.call.unwrap().starts_with("connected from 127.0.0.1:"));
}

#[test]
fn what_is_no_message_ends_the_session_of_a_later_release_too() {
    let (alpha, bravo) = alpha_and_the_key_of_bravo();
    for line in ["", "{}", r#"{"a":1,"b":2}"#, "[]", r#"{"gossip":"#] {
        let mut session = session_of(&bravo, &alpha);
        let later = Hello { newest: Some(7), ..hello_of(&bravo) };
        session.write_all(&framed(Class::Hello, &later.encode())).unwrap();
        let frame = [&[b'M', 0, 0, 0, u8::try_from(line.len()).unwrap()], line.as_bytes()].concat();
        session.write_all(&frame).unwrap();
        wait_until("the end", || {
            let call = sighting(&alpha, &bravo).contact.call.unwrap_or_default();
            call.contains("not a message") || call.contains("an empty frame")
        });
    }
    assert_eq!(alpha.inbox.received("bravo"), []);
}

#[test]
fn a_member_without_a_common_version_is_refused_by_name_and_told_once() {
    let (alpha, bravo) = alpha_and_the_key_of_bravo();
    for _ in 0..3 {
        let mut session = session_of(&bravo, &alpha);
        let beyond = Hello { version: 5, newest: Some(7), ..hello_of(&bravo) };
        session.write_all(&framed(Class::Hello, &beyond.encode())).unwrap();
        wait_until("it is refused", || {
            let call = sighting(&alpha, &bravo).contact.call.unwrap_or_default();
            call.contains("it speaks protocol versions 5 to 7; this release speaks only version 1")
        });
    }
    alpha.inbox.wait_for_remarks("peer-incompatible", 1);
}

#[test]
fn a_member_that_moved_is_called_where_it_says_it_listens() {
    let (alpha, mut bravo) = (Station::new("alpha"), Station::new("bravo"));
    let real = bravo.member.address.clone();
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    bravo.member.address = nowhere.as_str().into();
    alpha.knows(&[&bravo]);
    alpha.wait_for_link(&bravo, "connection refused");
    bravo.moves_to(&real);
    bravo.knows(&[&alpha]);
    alpha.wait_for_link(&bravo, "connected");
    assert_eq!(sighting(&alpha, &bravo).says.as_deref(), Some(&*real));
    let remarks = alpha.inbox.wait_for_remarks("address-differs", 1);
    let words = format!("bravo says it listens at {real}, the document says {nowhere}");
    assert!(remarks[0].message.starts_with(&words), "{}", remarks[0].message);
    bravo.member.address = real;
    alpha.knows(&[&bravo]);
    assert_eq!(alpha.link(&bravo), "connected");
    assert_eq!(sighting(&alpha, &bravo).says, None);
}

#[test]
fn a_member_that_says_a_wrong_address_is_still_called_at_the_documents() {
    let (alpha, mut bravo) = (Station::new("alpha"), Station::new("bravo"));
    bravo.member.address = bravo.network.local_addr().to_string().as_str().into();
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    bravo.moves_to(&nowhere);
    alpha.knows(&[&bravo]);
    bravo.knows(&[&alpha]);
    alpha.wait_for_link(&bravo, "connected");
    bravo.restart();
    bravo.knows(&[&alpha]);
    wait_until("mail", || {
        alpha.send(&bravo, fetch(1));
        bravo.inbox.received("alpha").contains(&fetch(1))
    });
}
