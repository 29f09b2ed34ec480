//! `explain who`: who would lead in whose place, as the asked node sees it.
//! Never decides it; the committed document and the votes do.

use serde::Serialize;

use crate::cli::args::Format;
use crate::cli::client::{self, ANSWER_LIMIT};
use crate::cli::commands::Outcome;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::style::{Style, Tone};
use crate::settings::paths::Place;
use crate::wire::control::{SCHEMA, StatusReport};
use crate::wire::ranking::RankingReport;

/// How wide a name may be in the table.
const NAME_WIDTH: usize = 16;

/// `quorate explain who --json`.
#[derive(Serialize)]
struct WhoReport<'a> {
    /// Always [`SCHEMA`].
    schema: u32,
    /// The node that was asked.
    node: &'a str,
    /// The order as that node sees it.
    ranking: &'a RankingReport,
}

/// Asks the daemon and shows its ranking.
///
/// # Errors
/// Any trouble with the daemon or the output.
pub(super) fn explain(door: &Place, format: Format, console: &mut Console<'_>) -> Outcome {
    let report = client::status(door, ANSWER_LIMIT)?;
    match format {
        Format::Json => {
            let StatusReport { node, ranking, .. } = &report;
            console.print_json(&WhoReport { schema: SCHEMA, node, ranking })?;
        }
        Format::Text => console.print(&table(&report, console.style))?,
    }
    Ok(Exit::Done)
}

/// The table, and what it stands under.
fn table(report: &StatusReport, style: Style) -> String {
    let ranking = &report.ranking;
    let head =
        format!("who leads first under policy {}, as {} sees it\n", ranking.policy, report.node);
    let mut text = style.paint(Tone::Quiet, &head);
    let titles = row(style, ["RANK", "NODE", "WHY"]);
    text.push_str(&format!("{}\n", style.paint(Tone::Quiet, &titles)));
    let master = report.master.as_ref().map(|master| master.id.as_str());
    for node in &ranking.nodes {
        let rank = node.rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string());
        let mut reason = node.reason.clone();
        if Some(node.id.as_str()) == master {
            reason.push_str("; master now");
        }
        let line = row(style, [&rank, &node.id, &reason]);
        let line = if node.rank.is_some() { line } else { style.paint(Tone::Quiet, &line) };
        text.push_str(&format!("{line}\n"));
    }
    if !ranking.automatic {
        text.push_str(
            "Mastership stays where it is: maintenance, or auto_failover: false. Only whoever was\n\
             master last leads again by itself; quorate transfer NODE moves it.\n",
        );
    }
    text
}

fn row(style: Style, cells: [&str; 3]) -> String {
    let [rank, node, why] = cells;
    format!("{rank:>4}  {}  {why}", style.fit(node, NAME_WIDTH))
}
