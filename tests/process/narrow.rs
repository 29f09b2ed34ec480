//! Links that let small packets through and no large ones: heartbeats pass, documents do not.
//! Never shortens a message; what the path does to packets is the network's.

use std::fs;

use super::cluster::report;
use super::led::Led;

/// What passes: a heartbeat and its answer, and no page of a document.
const PACKET_BYTES: u32 = 1_000;

/// Asks alpha for a document that such a link lets nobody have; gives the document too.
fn edited(led: &mut Led) -> (String, i32) {
    let before = led.cluster.node("alpha").ask(&["show"]).printed();
    let file = led.cluster.place().join("large.yaml");
    let text = format!("{before}{}", "# too much for a narrow link\n".repeat(700));
    fs::write(&file, &text).unwrap();
    let words = ["apply", file.to_str().unwrap(), "--wait", "3s"];
    let code = led.cluster.node("alpha").ask(&words).code;
    (text, code)
}

fn all_have(led: &mut Led, text: &str) {
    led.cluster.until("all have the document's revision", |view| {
        let revision = |name| Some(report(view, name)?.revision);
        let [alpha, bravo, charlie] = ["alpha", "bravo", "charlie"].map(revision);
        (alpha.is_some() && alpha == bravo && bravo == charlie).then_some(())
    });
    for name in ["alpha", "bravo", "charlie"] {
        assert_eq!(led.cluster.node(name).ask(&["show"]).printed(), text);
    }
}

/// F22
#[test]
fn a_follower_whose_link_lets_no_document_through_costs_neither_the_edit_nor_the_master() {
    let Some(mut led) = Led::of(3) else { return };
    led.network.narrow(0, 1, PACKET_BYTES);
    led.stays_with_alpha();
    let (text, code) = edited(&mut led);
    assert_eq!(code, 0, "charlie can take it");
    led.acts_on("alpha", led.term);
    // Bravo gets it from charlie.
    all_have(&mut led, &text);
    led.network.heal();
    led.stays_with_alpha();
}

/// F22
#[test]
fn a_master_whose_links_let_no_document_through_gives_way_and_its_edit_is_told_as_unknown() {
    let Some(mut led) = Led::of(3) else { return };
    for other in [1, 2] {
        led.network.narrow(0, other, PACKET_BYTES);
    }
    led.stays_with_alpha();
    let (text, code) = edited(&mut led);
    assert_eq!(code, 75, "nobody can take it");
    let (heir, term) = led.is_succeeded_by(&["bravo", "charlie"]);
    led.acts_on(&heir, term);
    led.network.heal();
    let file = led.cluster.place().join("large.yaml");
    let words = ["apply", file.to_str().unwrap(), "--wait", "30s"];
    led.cluster.node("alpha").ask(&words).printed();
    all_have(&mut led, &text);
    assert_eq!(led.cluster.settles().0, heir);
}
