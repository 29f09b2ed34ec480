//! How log lines look.

use log::Level;
use quorate::daemon::log::{Shape, line};

use super::workshop::node;

const TIME: &str = "2027-01-15T08:00:00.123Z";

fn shown(shape: Shape, message: &str) -> String {
    line(shape, TIME, Level::Warn, &node("alpha"), message)
}

#[test]
fn text_has_time_level_node_and_message() {
    assert_eq!(shown(Shape::Text, "no quorum"), format!("{TIME} WARN  alpha no quorum\n"));
}

#[test]
fn the_journal_gets_the_priority_and_keeps_its_own_time() {
    assert_eq!(shown(Shape::Journal, "no quorum"), "<4>no quorum\n");
}

#[test]
fn json_is_one_object_on_one_line() {
    let line = shown(Shape::Json, "said \"no\"\nand left");
    assert_eq!(line.matches('\n').count(), 1);
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["level"], "warn");
    assert_eq!(object["message"], "said \"no\"\nand left");
}

#[test]
fn a_message_cannot_forge_a_second_line_or_paint_a_terminal() {
    let line = shown(Shape::Text, "bad\n2027 ERROR alpha \x1b[31mforged");
    assert_eq!(line.matches('\n').count(), 1);
    assert!(!line.contains('\x1b'));
}
