//! `quorate node list`: the nodes of the committed document, with what is known of each now.
//! Never asks a node but the one whose socket it is given.

use serde::Serialize;

use crate::cli::apply::invalid;
use crate::cli::client::{self, ANSWER_LIMIT};
use crate::cli::command::Format;
use crate::cli::commands::{Outcome, committed};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::protocol::membership::{Charter, Member};
use crate::settings::arrivals::{Newcomer, arrivals};
use crate::settings::cluster;
use crate::settings::paths::Place;
use crate::settings::words;
use crate::wire::control::{SCHEMA, StatusReport};

/// `quorate node list --json`.
#[derive(Debug, Serialize)]
struct NodesReport {
    /// Always [`SCHEMA`].
    schema: u32,
    /// The committed document's content revision.
    revision: u64,
    /// How many nodes vote.
    voters: usize,
    /// How many of them have to agree.
    need: usize,
    /// Every node, in the order of the document.
    nodes: Vec<NodeReport>,
}

/// One line of the document.
#[derive(Debug, Serialize)]
struct NodeReport {
    /// Its name.
    id: String,
    /// Where the other nodes reach it.
    address: String,
    /// `voter`, `witness` or `observer`.
    role: &'static str,
    /// What it becomes by itself, of one that was invited; null otherwise.
    becomes: Option<&'static str>,
    /// Whether its key is to be approved before that.
    waits_for_approval: bool,
    /// Its priority.
    priority: u32,
    /// The fingerprint of its key: `SHA256:` and 64 digits.
    key: String,
    /// The key that is to follow, while its key changes; null otherwise.
    next_key: Option<String>,
    /// Its disk's identity, hexadecimal.
    storage: String,
    /// Whether it is on standby.
    standby: bool,
    /// Whether the node that was asked believes it to be master.
    master: bool,
    /// Whether the node that was asked hears it; its own line is always heard.
    heard: bool,
}

/// `quorate node list`.
///
/// # Errors
/// Any trouble with the daemon or the output.
pub(super) fn list(door: &Place, format: Format, console: &mut Console<'_>) -> Outcome {
    let document = committed(door)?;
    let charter = cluster::parse_agreed(&document.body, "cluster.yaml").map_err(invalid)?;
    let status = client::status(door, ANSWER_LIMIT)?;
    let newcomers = arrivals(&document.body).map_err(invalid)?.newcomers;
    let report = NodesReport {
        schema: SCHEMA,
        revision: document.revision,
        voters: charter.members.voters().count(),
        need: charter.members.majority(),
        nodes: charter.members.all().map(|member| node(member, &status, &newcomers)).collect(),
    };
    match format {
        Format::Json => console.print_json(&report)?,
        Format::Text => console.print(&table(&report, &charter))?,
    }
    Ok(Exit::Done)
}

fn node(member: &Member, status: &StatusReport, newcomers: &[Newcomer]) -> NodeReport {
    let id = member.id.to_string();
    let newcomer = newcomers.iter().find(|newcomer| newcomer.id == member.id);
    NodeReport {
        heard: status.node == id || status.peers.iter().any(|peer| peer.heard && peer.id == id),
        master: status.master.as_ref().is_some_and(|master| master.id == id),
        id,
        address: member.address.to_string(),
        role: words::of_role(member.role),
        becomes: newcomer.map(|newcomer| words::of_role(newcomer.becomes)),
        waits_for_approval: newcomer.is_some_and(|newcomer| !newcomer.is_approved),
        priority: member.priority,
        key: format!("SHA256:{}", member.pin),
        next_key: member.next_pin.map(|pin| format!("SHA256:{pin}")),
        storage: member.storage.to_string(),
        standby: member.standby.is_some(),
    }
}

fn table(report: &NodesReport, charter: &Charter) -> String {
    let width = |cell: fn(&NodeReport) -> &str, least: usize| {
        report.nodes.iter().map(|node| cell(node).len()).max().unwrap_or(0).max(least)
    };
    let [name, address] = [width(|node| &node.id, 4), width(|node| &node.address, 7)];
    let mut text = format!(
        "{:name$}  {:8}  {:>8}  {:address$}  state\n",
        "node", "role", "priority", "address"
    );
    for node in &report.nodes {
        let states =
            [(node.master, "master"), (node.standby, "standby"), (!node.heard, "not heard")];
        let becomes = node.becomes.map(|role| match node.waits_for_approval {
            true => format!("becomes a {role} once its key is approved"),
            false => format!("becomes a {role}"),
        });
        let state: Vec<&str> = states
            .iter()
            .filter(|(is_so, _)| *is_so)
            .map(|(_, word)| *word)
            .chain(becomes.as_deref())
            .collect();
        let line = format!(
            "{:name$}  {:8}  {:>8}  {:address$}  {}",
            node.id,
            node.role,
            node.priority,
            node.address,
            state.join(", ")
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let cluster = &charter.name;
    text.push_str(&format!(
        "{cluster}, revision {}: {} voting, {} must agree\n",
        report.revision, report.voters, report.need
    ));
    text
}
