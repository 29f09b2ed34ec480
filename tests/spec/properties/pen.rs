//! The pen: whatever the document and whatever is asked, it says that and nothing else afterwards,
//! with every remark in its place, or the pen says that a person has to do it.
//! Never judges how a document is laid out; `handwriting` lays out all kinds.

use quorate::protocol::membership::{Member, MemberRole, Membership};
use quorate::protocol::units::{Pin, StorageId};
use quorate::settings::cluster;
use quorate::settings::pen::{Ink, PenError, Stroke, write};

use super::Target;
use super::any::Any;
use super::cluster_yaml::{LATER, SHOP, YAML_WORDS};
use super::handwriting::{Paper, member};
use super::sample::id;

pub(super) const TARGET: Target = Target { name: "pen", check, seeds, words: &YAML_WORDS };

/// Documents of the search below.
const PAPERS: u64 = 400;

/// The first eight bytes choose what is asked, the others are the document.
fn check(bytes: &[u8]) -> bool {
    let (choices, body) = bytes.split_at(bytes.len().min(8));
    let Ok(body) = std::str::from_utf8(body) else { return false };
    let mut any = Any::from_bytes(choices);
    let strokes: Vec<Stroke> = (0..1 + any.pick(2)).map(|_| stroke(&mut any)).collect();
    match write(body, &strokes) {
        Ok(text) => {
            assert!(cluster::parse_agreed(&text, "x").is_ok(), "{strokes:?}\n{text}");
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let bodies = [SHOP, LATER, &SHOP.replace('\n', "\r\n"), SHOP.trim_end()];
    let lots = (0..8u8).map(|lot| [lot.wrapping_mul(2), lot, 1, 0, lot, 2, 9, lot]);
    lots.flat_map(|lot| bodies.map(|body| [&lot, body.as_bytes()].concat())).collect()
}

/// Anything a command may ask of a document like `SHOP`.
fn stroke(any: &mut Any<'_>) -> Stroke {
    let node = id(["alpha", "bravo", "node9"][any.pick(3) as usize]);
    match any.pick(8) {
        0 => Stroke::AddNode(member(9, any)),
        1 => Stroke::RemoveNode(node),
        2 => Stroke::SetOfNode(node, "priority", Ink::Whole(any.pick(200))),
        3 => Stroke::SetOfNode(node, "role", Ink::Word("observer".into())),
        4 => Stroke::UnsetOfNode(node, "role"),
        5 => Stroke::Set(vec!["timing", "dead_after"], Ink::Word("3s".into())),
        6 => Stroke::Unset(vec!["election", "failback"]),
        _ => Stroke::Set(vec!["election", "policy"], Ink::Word("lowest-id".into())),
    }
}

#[test]
fn whatever_the_layout_an_edit_says_what_was_asked_and_keeps_every_remark() {
    let [mut done, mut by_hand] = [0, 0];
    for seed in 0..PAPERS {
        let mut any = Any::from_seed(seed);
        let mut paper = super::handwriting::paper(&mut any);
        let charter = cluster::parse(&paper.text, "x").unwrap_or_else(|problem| {
            panic!("seed {seed} is no document: {problem}\n{}", paper.text)
        });
        assert_eq!(charter.members, Membership::new(paper.members.clone()).unwrap());
        for _ in 0..4 {
            match step(&mut paper, &mut any, seed) {
                Verdict::Done => done += 1,
                Verdict::ByHand => by_hand += 1,
                Verdict::Wrong => (),
            }
        }
    }
    assert!(done > 10 * by_hand && done > 800, "{done} done, {by_hand} for a person");
}

enum Verdict {
    Done,
    ByHand,
    Wrong,
}

/// One stroke on a paper, and what must hold of it.
fn step(paper: &mut Paper, any: &mut Any<'_>, seed: u64) -> Verdict {
    let (asked, members, shape) = wish(paper, any);
    let before = paper.text.clone();
    let context = |after: &str| format!("seed {seed}, {asked:?}:\n{before}\n=== became\n{after}");
    let after = match write(&before, std::slice::from_ref(&asked)) {
        Ok(after) => after,
        Err(PenError::ByHand(_)) => {
            assert!(paper.is_hard, "a simple layout needs no person: {}", context(""));
            return Verdict::ByHand;
        }
        Err(error) => {
            let valid = Membership::new(members);
            assert!(valid.is_err(), "{error}: {}", context(""));
            return Verdict::Wrong;
        }
    };
    let charter = cluster::parse(&after, "x").unwrap();
    let mut expected = cluster::parse(&before, "x").unwrap();
    expected.members = Membership::new(members.clone()).unwrap();
    if let Stroke::Set(keys, _) = &asked {
        match keys[0] {
            "timing" => expected.timing = charter.timing,
            _ => expected.election = charter.election,
        }
    }
    assert_eq!(charter, expected, "{}", context(&after));
    keeps_remarks(&before, &after, &shape)
        .unwrap_or_else(|why| panic!("{why}, {}", context(&after)));
    let [old, new] = [&before, &after].map(|text| text.ends_with('\n'));
    assert_eq!(old, new, "the last line end: {}", context(&after));
    let bare = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
    assert!(bare(&after) == 0 || !before.contains("\r\n"), "{}", context(&after));
    *paper = Paper { text: after, members, is_hard: paper.is_hard };
    Verdict::Done
}

/// What an edit may do to a text.
enum Shape {
    /// Only put something in, at one place.
    Insertion,
    /// Only take something out, at one place, with remarks on this node.
    Cut(String),
    /// Others, at one place, of so many bytes at most.
    Other(usize),
}

/// A wish, what the members are if it is granted, and what it may do to the text.
fn wish(paper: &Paper, any: &mut Any<'_>) -> (Stroke, Vec<Member>, Shape) {
    let mut members = paper.members.clone();
    let at = any.below(members.len());
    let node = members[at].id.clone();
    let whom = node.to_string();
    match any.pick(8) {
        0 => {
            let new = member(100 + any.pick(100) as u8, any);
            members.push(new.clone());
            (Stroke::AddNode(new), members, Shape::Insertion)
        }
        1 => {
            members.remove(at);
            (Stroke::RemoveNode(node), members, Shape::Cut(whom))
        }
        2 => {
            let roles = [MemberRole::Witness, MemberRole::Observer];
            let role = any.choose(&roles).unwrap();
            members[at].role = role;
            let word = if role == MemberRole::Witness { "witness" } else { "observer" };
            (Stroke::SetOfNode(node, "role", Ink::Word(word.into())), members, Shape::Other(10))
        }
        3 => {
            members[at].role = MemberRole::Voter;
            (Stroke::UnsetOfNode(node, "role"), members, Shape::Cut(whom))
        }
        4 => {
            let priority = any.pick(250) as u32;
            members[at].priority = priority;
            let ink = Ink::Whole(priority.into());
            (Stroke::SetOfNode(node, "priority", ink), members, Shape::Other(10))
        }
        5 => {
            let number = 200 + any.pick(50) as u8;
            (members[at].pin, members[at].address) = (Pin([number; 32]), "b:1".into());
            let ink = Ink::Text(format!("SHA256:{}", members[at].pin));
            members[at].address = paper.members[at].address.clone();
            (Stroke::SetOfNode(node, "key", ink), members, Shape::Other(73))
        }
        6 => {
            let number = 200 + any.pick(50) as u8;
            members[at].storage = StorageId([number; 16]);
            let ink = Ink::Text(members[at].storage.to_string());
            (Stroke::SetOfNode(node, "storage", ink), members, Shape::Other(34))
        }
        _ => {
            let (keys, word) = match any.pick(3) {
                0 => (["election", "policy"], "lowest-id"),
                1 => (["election", "failback"], "never"),
                _ => (["timing", "dead_after"], "9s"),
            };
            (Stroke::Set(keys.to_vec(), Ink::Word(word.into())), members, Shape::Other(10))
        }
    }
}

/// Whether all that changed is one place, and no remark but those that may go is missing.
fn keeps_remarks(before: &str, after: &str, shape: &Shape) -> Result<(), String> {
    let front = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let [old, new] = [&before.as_bytes()[front..], &after.as_bytes()[front..]];
    let back = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let [gone, come] = [old.len() - back, new.len() - back];
    let is_right = match shape {
        Shape::Insertion => gone == 0,
        Shape::Cut(_) => come == 0,
        Shape::Other(most) => gone <= *most,
    };
    if !is_right {
        return Err(format!("{gone} bytes went, {come} came"));
    }
    let remarks = before.split("# remark ").skip(1).filter_map(|rest| rest.split_once(" ."));
    for (remark, _) in remarks {
        let may_go = matches!(shape, Shape::Cut(whom) if remark.contains(&format!("on {whom}:")));
        if !may_go && !after.contains(&format!("# remark {remark} .")) {
            return Err(format!("remark {remark:?} went"));
        }
    }
    Ok(())
}
