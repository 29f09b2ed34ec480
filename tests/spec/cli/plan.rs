//! In which steps one cluster.yaml becomes another, and what that means for the quorum.

use quorate::cli::plan::{arithmetic, steps};
use quorate::protocol::membership::{Member, Membership};
use quorate::settings::cluster;

const HEAD: &str = "cluster: shop\nid: \"7d1c0000000000000000000000000001\"\nnodes:   # here\n";

fn line(name: &str, address: &str, seed: char, role: &str) -> String {
    let [pin, storage] = [64, 32].map(|digits| seed.to_string().repeat(digits));
    format!(
        "  - {{id: {name}, address: \"{address}:1\"{role}, key: \"SHA256:{pin}\", \
         storage: \"{storage}\"}}\n"
    )
}

/// Nodes by the first letter of their names, each with its role after a colon if it is no voter.
fn document(nodes: &str) -> String {
    let lines = nodes.split_whitespace().map(|node| {
        let (name, role) = node.split_once(':').unwrap_or((node, ""));
        let role = if role.is_empty() { String::new() } else { format!(", role: {role}") };
        line(name, name, name.chars().next().unwrap(), &role)
    });
    format!("{HEAD}{}", lines.collect::<String>())
}

fn members(body: &str) -> Membership {
    cluster::parse(body, "x").unwrap().members
}

/// The titles, after a look at each step: at most one vote comes or goes.
fn titles(before: &str, after: &str) -> Vec<String> {
    let steps = steps(before, after).unwrap();
    let mut at = before.to_owned();
    for step in &steps {
        let [old, new] = [&at, &step.body].map(|body| members(body));
        let comes = |one: &&Member| old.voter(&one.id, one.storage).is_none();
        let goes = |one: &&Member| new.voter(&one.id, one.storage).is_none();
        let changes = new.voters().filter(comes).count() + old.voters().filter(goes).count();
        assert!(changes <= 1, "{} is {changes} changes", step.title);
        at = step.body.clone();
    }
    assert_eq!(at, after, "the last step is what was wanted, to the byte");
    steps.into_iter().map(|step| step.title).collect()
}

#[test]
fn what_changes_one_vote_or_none_is_one_step() {
    let three = document("a b c");
    let slower = three.replace("nodes:", "timing: wan\nnodes:");
    assert_eq!(titles(&three, &slower), ["the document changes"]);
    assert_eq!(titles(&three, &document("a b")), ["c is removed"]);
    assert_eq!(titles(&three, &document("a b c:observer")), ["c becomes an observer"]);
    assert_eq!(titles(&three, &document("a b c:witness")), ["the document changes"]);
    let four = document("a b c d:observer");
    assert_eq!(titles(&three, &four), ["the document changes"]);
    assert_eq!(titles(&four, &document("a b c d")), ["d becomes a voter"]);
    assert_eq!(titles(&four, &document("a b c d:witness")), ["d becomes a witness"]);
}

#[test]
fn a_newcomer_enters_as_an_observer_and_votes_before_others_go() {
    let after = document("a b d e:witness");
    let wanted =
        ["d, e enter as observers", "d becomes a voter", "e becomes a witness", "c is removed"];
    assert_eq!(titles(&document("a b c"), &after), wanted);
    let steps = steps(&document("a b c"), &after).unwrap();
    assert!(steps.iter().all(|step| step.body.contains("nodes:   # here")));
    let swapped =
        ["d enters as an observer", "d becomes a voter", "b becomes an observer", "c is removed"];
    assert_eq!(titles(&document("a b c"), &document("a b:observer d")), swapped);
}

#[test]
fn where_the_newcomer_needs_the_place_of_another_that_one_goes_first() {
    let before = document("a b c");
    let moved = format!("{}{}", document("a b"), line("d", "c", 'd', ""));
    let wanted = ["c is removed", "d enters as an observer", "d becomes a voter"];
    assert_eq!(titles(&before, &moved), wanted);
    let nine = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(|seed| format!("{seed}x"));
    let [full, other] = [nine.join(" "), format!("{} ax", nine[..8].join(" "))];
    let wanted = ["9x is removed", "ax enters as an observer", "ax becomes a voter"];
    assert_eq!(titles(&document(&full), &document(&other)), wanted);
}

#[test]
fn a_voter_with_another_disk_loses_its_vote_and_gets_it_back() {
    let before = document("a b c");
    let renewed = format!("{}{}", document("a b"), line("c", "c", 'f', ""));
    assert_eq!(titles(&before, &renewed), ["c becomes an observer", "c becomes a voter"]);
}

#[test]
fn the_arithmetic_of_a_change_is_said_in_one_line() {
    let [five, three, two] = ["a b c d e", "a b c", "a b"].map(|nodes| members(&document(nodes)));
    let words = "3 voters, 2 must agree, the loss of 1 is survived -> 2 voters, 2 must agree, no \
                 loss is survived";
    assert_eq!(arithmetic(&three, &two), words);
    assert!(arithmetic(&five, &three).starts_with("5 voters, 3 must agree, the loss of any 2"));
    let one = members(&document("a b:observer"));
    assert!(arithmetic(&two, &one).ends_with("-> 1 voter, 1 must agree, no loss is survived"));
}
