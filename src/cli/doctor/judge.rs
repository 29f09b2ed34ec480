//! Decides what the facts of a check-up mean: facts in, findings out, the gravest first.
//! Never gathers a fact and never prints.

use super::facts::{Daemon, Facts, Finding, Weight};
use super::hearing::{self, Hearing};
use super::outlook::{Consequence, consequences};
use super::{local, surroundings};
use crate::cli::budget::Budget;
use crate::protocol::order;
use crate::settings::words;
use crate::wire::codes::doctor as codes;
use crate::wire::facts::FactsReport;

/// What there is to say.
#[derive(Debug)]
pub struct Diagnosis {
    /// The gravest first.
    pub findings: Vec<Finding>,
    /// Who hears whom, if a daemon says.
    pub hearing: Option<Hearing>,
    /// What each single failure would do.
    pub outlook: Vec<Consequence>,
    /// What the timing means, if it is known.
    pub budget: Option<Budget>,
}

impl Diagnosis {
    /// What `facts` mean.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let budget = facts.timing().map(|timing| Budget::of(&timing));
        let mut findings = local::findings(facts);
        let (mut hearing, mut outlook) = (None, Vec::new());
        match &facts.daemon {
            Daemon::Up(report) => {
                let heard = Hearing::of(report);
                let failover_ms = budget.map_or(0, |budget| budget.failover_ms);
                outlook = consequences(report, &heard, failover_ms);
                findings.extend(hearing::findings(report, &heard));
                findings.extend(cluster(report, &outlook));
                findings.extend(surroundings::findings(report, facts.timing().as_ref()));
                hearing = Some(heard);
            }
            Daemon::Down(why, _) => findings.push(Finding::new(
                Weight::Problem,
                codes::DAEMON_DOWN,
                why,
                "start it, as your service manager does or with quorate serve",
            )),
            Daemon::Odd(why) => findings.push(Finding::new(
                Weight::Problem,
                codes::DAEMON_ODD,
                why,
                "ask as root or as the daemon's user, with a program of the same release",
            )),
        }
        let findings = order::sorted(findings, |one, other| other.weight.cmp(&one.weight));
        Self { findings, hearing, outlook, budget }
    }

    /// Whether nothing needs attention.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.attention() == 0
    }

    /// How many findings need attention.
    #[must_use]
    pub fn attention(&self) -> usize {
        self.findings.iter().filter(|finding| finding.weight > Weight::Notice).count()
    }
}

/// Whether there is a master, and how sure it is.
fn cluster(report: &FactsReport, outlook: &[Consequence]) -> Vec<Finding> {
    let status = &report.status;
    let mut found = Vec::new();
    if !status.quorum.ok {
        let message = format!(
            "{} hears {}, itself included, and {} must agree",
            status.node,
            words::count(status.quorum.have, "voter"),
            status.quorum.need
        );
        let advice = "bring back the nodes and links that are missing; do not edit node counts";
        found.push(Finding::new(Weight::Problem, codes::NO_QUORUM, message, advice));
    }
    if status.master.is_none() {
        let message = format!("{} knows of no master: {}", status.node, status.reason);
        let advice = "look at quorate status on several nodes; quorate events says what was tried";
        found.push(Finding::new(Weight::Problem, codes::NO_MASTER, message, advice));
    }
    let fatal: Vec<&str> =
        outlook.iter().filter(|one| one.is_fatal).map(|one| one.event.as_str()).collect();
    if !fatal.is_empty() && status.quorum.ok {
        let voters = status.peers.iter().filter(|peer| peer.role != "observer").count()
            + usize::from(report.member.as_deref().is_some_and(|role| role != "observer"));
        let message = format!("nobody would be master if {}", fatal.join(", or if "));
        // Of one or two voters none can be spared, ever.
        let (weight, advice) = match voters {
            0..=2 => (Weight::Notice, "three voters, one of them perhaps a witness, bear one loss"),
            _ => (Weight::Warning, "bring back what is missing before anything else fails"),
        };
        found.push(Finding::new(weight, codes::ONE_FAILURE, message, advice));
    }
    found
}
