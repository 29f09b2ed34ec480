//! Who asked for a content and when: it travels with the document, and decides nothing.

use quorate::protocol::durable::{Byline, Document};
use quorate::protocol::message::{Message, Offer};
use quorate::protocol::units::{Position, Term};
use quorate::settings::cluster;
use quorate::settings::users::name_of;
use quorate::wire::codec::{carries_document, encode};
use quorate::wire::record;

use super::{document, read};

/// A state file as it was written before documents had bylines.
const EARLIER: &[u8] = include_bytes!("state-without-bylines");

fn charter_of(body: &str) -> Result<quorate::protocol::membership::Charter, String> {
    cluster::parse_agreed(body, "cluster.yaml").map_err(|problem| problem.to_string())
}

#[test]
fn a_state_file_from_before_bylines_loads_and_is_written_back_byte_for_byte() {
    let durable = record::decode(EARLIER, &charter_of).unwrap();
    assert_eq!(durable.accepted.byline, None);
    assert_eq!(record::encode(&durable), EARLIER);
}

#[test]
fn a_byline_is_in_the_state_file_and_in_every_message_with_a_document() {
    let mut durable = record::decode(EARLIER, &charter_of).unwrap();
    durable.accepted.byline = Byline::new("root@alpha", 1_780_000_000_123);
    let bytes = record::encode(&durable);
    assert!(String::from_utf8_lossy(&bytes).contains("root@alpha"));
    assert_eq!(record::decode(&bytes, &charter_of), Ok(durable));
    let signed = Document { byline: Byline::new("root@alpha", 7), ..document("cluster: shop") };
    let offer = Message::Offer(Offer { document: signed });
    assert!(carries_document(&offer));
    assert_eq!(read(&encode(&offer)), Ok(offer));
}

#[test]
fn a_restamp_keeps_the_byline_and_the_hash_knows_nothing_of_it() {
    let plain = document("cluster: shop");
    let signed = Document { byline: Byline::new("root@alpha", 7), ..plain.clone() };
    assert_eq!(signed.hash, plain.hash);
    let later = signed.restamped(Position { term: Term(9), version: 99 });
    assert_eq!(later.byline, signed.byline);
}

#[test]
fn an_author_whom_a_terminal_would_obey_is_refused() {
    let offer = |author: &str| {
        let text = encode(&Message::Offer(Offer {
            document: Document { byline: Byline::new("somebody", 7), ..document("x") },
        }));
        let text = String::from_utf8(text).unwrap().replace("somebody", author);
        read(text.as_bytes())
    };
    assert!(offer("root@alpha").is_ok());
    for author in ["", "\\u001b[2J", "a\\nb", &"x".repeat(129)] {
        assert!(offer(author).is_err(), "{author}");
    }
}

#[test]
fn a_user_is_known_by_the_name_that_the_system_lists() {
    let users = "root:x:0:0:root:/root:/bin/ash\nanna:x:1000:1000::/home/anna:/bin/sh\nbroken\n";
    assert_eq!(name_of(users, 0), Some("root"));
    assert_eq!(name_of(users, 1000), Some("anna"));
    assert_eq!(name_of(users, 1), None);
}
