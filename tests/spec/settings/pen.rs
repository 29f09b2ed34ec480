//! How the pen writes: what a person sees who compares two documents.
//! Never searches; `properties` does.

use quorate::protocol::membership::{Member, MemberRole};
use quorate::protocol::units::{NodeId, Pin, StorageId};
use quorate::settings::pen::{Ink, PenError, Stroke, write};

use super::{SHOP, shop_with};

fn id(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn desk(role: MemberRole, priority: u32) -> Member {
    let (pin, storage) = (Pin([0xdd; 32]), StorageId([0xdd; 16]));
    Member {
        id: id("desk"),
        address: "desk:9901".into(),
        role,
        priority,
        pin,
        storage,
        next_pin: None,
        is_in_sync: true,
        standby: None,
    }
}

fn line_of_desk(rest: &str) -> String {
    let [pin, storage] = [64, 32].map(|digits| "d".repeat(digits));
    format!(
        "{{id: \"desk\", address: \"desk:9901\"{rest}, key: \"SHA256:{pin}\", \
         storage: \"{storage}\"}}"
    )
}

/// A mapping as `standby` and `maintenance` are.
fn pinned(by: &str) -> Ink {
    let since = ("since".to_owned(), Ink::Text("2026-11-22T02:00:00Z".into()));
    Ink::Table(vec![("by".to_owned(), Ink::Text(by.into())), since])
}

const PINNED: &str = r#"{by: "root@alpha", since: "2026-11-22T02:00:00Z"}"#;

/// `SHOP` with a key this release does not know, so that unknown keys may be written too.
fn later() -> String {
    shop_with("generation: 1", "generation: 1\nweather: fine   # always")
}

#[track_caller]
fn assert_written(body: &str, strokes: &[Stroke], after: &str) {
    assert_eq!(write(body, strokes).as_deref(), Ok(after));
}

#[test]
fn a_new_node_is_written_as_its_neighbour_is() {
    let witness = Stroke::AddNode(desk(MemberRole::Witness, 100));
    let [pin, storage] = [64, 32].map(|digits| "d".repeat(digits));
    let block = format!(
        "  - id: \"desk\"\n    address: \"desk:9901\"\n    role: witness\n    \
         key: \"SHA256:{pin}\"\n    storage: \"{storage}\"\n"
    );
    assert_written(SHOP, std::slice::from_ref(&witness), &format!("{SHOP}{block}"));
    let cut = SHOP.split("  - id: charlie").next().unwrap();
    let line = line_of_desk(", role: witness");
    assert_written(cut, std::slice::from_ref(&witness), &format!("{cut}  - {line}\n"));
    let bare = cut.trim_end();
    assert_written(bare, std::slice::from_ref(&witness), &format!("{bare}\n  - {line}"));
    let [windows, line] =
        [cut.to_owned(), format!("{cut}  - {line}\n")].map(|text| text.replace('\n', "\r\n"));
    assert_written(&windows, &[witness], &line);
    let line = line_of_desk(", priority: 7");
    let plain = Stroke::AddNode(desk(MemberRole::Voter, 7));
    assert_written(cut, &[plain], &format!("{cut}  - {line}\n"));
}

#[test]
fn a_removed_node_takes_only_its_own_lines_along() {
    let text = shop_with("  - id: charlie", "  # the third\n  - id: charlie   # in the cellar");
    let kept = text.split("  - id: charlie").next().unwrap();
    assert_written(&text, &[Stroke::RemoveNode(id("charlie"))], kept);
    let (head, tail) = text.split_once("  - {id: bravo").unwrap();
    let tail = tail.split_once("  # the third").unwrap().1;
    let without = format!("{head}  # the third{tail}");
    assert_written(&text, &[Stroke::RemoveNode(id("bravo"))], &without);
}

#[test]
fn a_key_of_a_node_changes_where_it_stands_or_comes_where_people_put_it() {
    let set = |node, key, ink| [Stroke::SetOfNode(id(node), key, ink)];
    let priority = set("alpha", "priority", Ink::Whole(7));
    assert_written(SHOP, &priority, &shop_with("priority: 100", "priority: 7"));
    let address = set("bravo", "address", Ink::Text("b:1".into()));
    assert_written(SHOP, &address, &shop_with("\"10.0.0.2:9901\"", "\"b:1\""));
    let role = set("bravo", "role", Ink::Word("observer".into()));
    let inserted = shop_with("\"10.0.0.2:9901\",", "\"10.0.0.2:9901\", role: observer,");
    assert_written(SHOP, &role, &inserted);
    let role = set("charlie", "role", Ink::Word("observer".into()));
    let inserted = shop_with("8::3]:9901\"\n", "8::3]:9901\"\n    role: observer\n");
    assert_written(SHOP, &role, &inserted);
    let unset = [Stroke::UnsetOfNode(id("charlie"), "role")];
    assert_written(&inserted, &unset, SHOP);
    assert_written(SHOP, &unset, SHOP);
    let unset = [Stroke::UnsetOfNode(id("alpha"), "priority")];
    let cut = shop_with(" priority: 100,\n     key: \"SHA256:a", " key: \"SHA256:a");
    assert_written(SHOP, &unset, &cut);
}

#[test]
fn what_holds_for_a_node_or_the_cluster_for_a_while_is_written_and_taken_back() {
    let body = later();
    let on = [Stroke::SetOfNode(id("bravo"), "standby", pinned("root@alpha"))];
    let storage = format!("\"{}\"", "b".repeat(32));
    let away = body.replace(&storage, &format!("{storage}, standby: {PINNED}"));
    assert_written(&body, &on, &away);
    assert_written(&away, &[Stroke::UnsetOfNode(id("bravo"), "standby")], &body);
    let again = [Stroke::SetOfNode(id("bravo"), "standby", pinned("ann"))];
    assert_written(&away, &again, &away.replace("root@alpha", "ann"));
    let on = [Stroke::Set(vec!["maintenance"], pinned("root@alpha"))];
    let pinned = body.replace("\nnodes:", &format!("\nmaintenance: {PINNED}\nnodes:"));
    assert_written(&body, &on, &pinned);
    assert_written(&pinned, &[Stroke::Unset(vec!["maintenance"])], &body);
}

#[test]
fn a_setting_of_the_cluster_comes_with_what_holds_it_and_goes_with_it() {
    let set =
        |keys: &[&'static str], word: &str| [Stroke::Set(keys.to_vec(), Ink::Word(word.into()))];
    let slower = set(&["timing", "dead_after"], "9s");
    assert_written(SHOP, &slower, &shop_with("dead_after: 4s", "dead_after: 9s"));
    let preset = shop_with("{heartbeat: 500ms, dead_after: 4s, stop: 500ms, drift: 1%}", "lan");
    let mixed = preset.replace("timing: lan", "timing: {preset: lan, dead_after: 9s}");
    assert_written(&preset, &slower, &mixed);
    let bare = SHOP.lines().filter(|line| !line.starts_with("election:"));
    let bare: String = bare.map(|line| format!("{line}\n")).collect();
    let never = set(&["election", "failback"], "never");
    let with = bare.replace("\nnodes:", "\nelection: {failback: never}\nnodes:");
    assert_written(&bare, &never, &with);
    assert_written(&with, &[Stroke::Unset(vec!["election", "failback"])], &bare);
}

#[test]
fn a_list_begins_with_its_first_item_and_ends_with_its_last() {
    let body = later();
    let item = |name: &str| Ink::Table(vec![("name".to_owned(), Ink::Text(name.into()))]);
    let one = format!("{body}guests:\n  - {{name: \"one\"}}\n");
    assert_written(&body, &[Stroke::AddItem("guests", item("one"))], &one);
    let two = format!("{one}  - {{name: \"two\"}}\n");
    assert_written(&one, &[Stroke::AddItem("guests", item("two"))], &two);
    assert_written(&two, &[Stroke::RemoveItem("guests", 1)], &one);
    assert_written(&one, &[Stroke::RemoveItem("guests", 0)], &body);
    let refused = write(&one, &[Stroke::RemoveItem("guests", 1)]);
    assert_eq!(refused, Err(PenError::Absent("item 2 of `guests`".into())));
}

#[test]
fn what_cannot_be_written_safely_or_would_be_wrong_is_left_to_a_person() {
    let hand = shop_with("nodes:\n", "? nodes\n:\n");
    let refused = write(&hand, &[Stroke::Unset(vec!["nodes"])]).unwrap_err().to_string();
    assert!(refused.contains("edit it by hand with quorate edit"), "{refused}");
    let none = write(SHOP, &[Stroke::RemoveNode(id("nobody"))]).unwrap_err();
    assert_eq!(none.to_string(), "cluster.yaml has no node `nobody`");
    let wrong = [Stroke::SetOfNode(id("bravo"), "role", Ink::Word("king".into()))];
    let wrong = write(SHOP, &wrong).unwrap_err().to_string();
    assert!(wrong.contains("unknown word `king`"), "{wrong}");
    let last = ["alpha", "bravo", "charlie"].map(|name| Stroke::RemoveNode(id(name)));
    let last = write(SHOP, &last).unwrap_err().to_string();
    assert!(last.contains("wrong"), "{last}");
}
