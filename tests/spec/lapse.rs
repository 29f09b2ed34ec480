//! What is set for a while ends when its time is over, and not before.

use quorate::daemon::lapse::{has_end, over};
use quorate::daemon::report;
use quorate::protocol::membership::Charter;
use quorate::settings::{cluster, pen};

const NINE: u64 = 1_772_355_600_000;

fn document(maintenance: &str, standby: &str) -> String {
    let [pin, storage] = [64, 32].map(|digits| "a".repeat(digits));
    format!(
        "cluster: shop\nid: \"7d1c0000000000000000000000000001\"\n{maintenance}nodes:\n  \
         - {{id: alpha, address: \"a:1\"{standby}, key: \"SHA256:{pin}\", \
         storage: \"{storage}\"}}\n"
    )
}

fn charter(body: &str) -> Charter {
    cluster::parse(body, "x").unwrap()
}

const UNTIL_NINE: &str = ", standby: {by: \"root@alpha\", until: \"2026-03-01T09:00:00Z\"}";
const UNTIL_TEN: &str = "maintenance: {until: \"2026-03-01T10:00:00Z\"}\n";

#[test]
fn an_entry_is_over_at_its_end_and_nothing_else_changes() {
    let body = document(UNTIL_TEN, UNTIL_NINE);
    let charter = charter(&body);
    assert!(has_end(&charter));
    assert_eq!(over(&charter, NINE - 1).strokes, []);
    let first = over(&charter, NINE);
    assert_eq!(first.words, ["standby of alpha, set by root@alpha, is over"]);
    let after = pen::write(&body, &first.strokes).unwrap();
    assert_eq!(after, document(UNTIL_TEN, ""));
    let both = over(&charter, NINE + 3_600_000);
    assert_eq!(both.words[1], "maintenance, set by somebody, is over");
    assert_eq!(pen::write(&body, &both.strokes).unwrap(), document("", ""));
}

#[test]
fn what_has_no_end_stays_until_it_is_taken_back() {
    let body = document("maintenance: true\n", ", standby: {by: \"root@alpha\"}");
    assert!(!has_end(&charter(&body)));
    assert_eq!(over(&charter(&body), u64::MAX).strokes, []);
    assert!(!has_end(&charter(&document("", ""))));
}

#[test]
fn the_status_says_who_set_what_since_when_and_until_when() {
    let since = UNTIL_NINE.replace("until", "since: \"2026-03-01T08:00:00Z\", until");
    let told = report::overrides(&charter(&document("maintenance: true\n", &since)));
    let [maintenance, standby] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((maintenance.what.as_str(), &maintenance.until), ("maintenance", &None));
    assert_eq!((maintenance.by.as_deref(), maintenance.node.as_deref()), (None, None));
    assert_eq!((standby.what.as_str(), standby.node.as_deref()), ("standby", Some("alpha")));
    assert_eq!(standby.by.as_deref(), Some("root@alpha"));
    assert_eq!(standby.since.as_deref(), Some("2026-03-01T08:00:00Z"));
    assert_eq!(standby.until.as_deref(), Some("2026-03-01T09:00:00Z"));
}
