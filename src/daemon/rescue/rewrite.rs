//! Makes the cluster.yaml of a new generation from the text of the old one: other ids, one node,
//! the term it begins with and a mark that says so; all else stays as people wrote it.
//! Never trusts its own cutting: what it made is read back and compared.

use std::fmt::Write as _;

use crate::protocol::membership::{Charter, Member};
use crate::protocol::units::{ClusterId, Term};
use crate::settings::cluster;

/// Keys that belong to the old generation; the first three come back with other values.
const OLD_KEYS: [&str; 10] = [
    "id",
    "generation",
    "nodes",
    "forced",
    "invites",
    "maintenance",
    "version",
    "term",
    "updated_at",
    "updated_by",
];

/// What is new.
pub(super) struct Generation<'a> {
    pub(super) cluster: ClusterId,
    pub(super) number: u64,
    /// Where it begins, for those who are founded from the text later.
    pub(super) term: Term,
    /// Why, in one sentence without a double quote.
    pub(super) forced: &'a str,
    pub(super) only: &'a Member,
}

/// The text of `new` after `body`, whose charter is `old`; or why it cannot be made.
pub(super) fn next(body: &str, old: &Charter, new: &Generation<'_>) -> Result<String, String> {
    let mut text = String::new();
    let mut is_kept = true;
    for line in body.lines() {
        if let Some(key) = top_key(line) {
            is_kept = !OLD_KEYS.contains(&key);
            if key == "id" {
                let Generation { cluster, number, term, forced, .. } = new;
                write!(
                    text,
                    "id: \"{cluster}\"\ngeneration: {number}\nterm: {term}\nforced: \"{forced}\"\n"
                )
                .expect("writing to a String succeeds");
            } else if key == "nodes" {
                // Where only the freshest may lead, the best that is left is that.
                let line = cluster::node_line(new.only);
                let line = if body.contains("require_freshest") {
                    line.replace(", key:", ", in_sync: true, key:")
                } else {
                    line
                };
                writeln!(text, "nodes:\n{line}").expect("writing to a String succeeds");
            }
        }
        // What stands at the margin and is no key is a remark, wherever it stands.
        if is_kept || line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    let made = cluster::parse_agreed(&text, "the new cluster.yaml").map_err(|e| e.to_string())?;
    let is_right = made.name == old.name
        && made.timing == old.timing
        && made.election == old.election
        && (made.cluster, made.generation) == (new.cluster, new.number)
        && made.maintenance.is_none()
        && made.members.all().eq([new.only]);
    if is_right { Ok(text) } else { Err("not all of it stands in lines of its own".to_owned()) }
}

/// The key that begins on this line at the margin.
fn top_key(line: &str) -> Option<&str> {
    let is_at_margin =
        line.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '"' | '\''));
    let (key, _) = line.split_once(':').filter(|_| is_at_margin)?;
    Some(key.trim().trim_matches(['"', '\'']))
}
