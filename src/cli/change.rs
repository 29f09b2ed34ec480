//! The commands that change one thing in cluster.yaml: a node's line, a `standby`, `maintenance`.
//! Each becomes strokes of the pen on the committed text and goes the way of `apply`.
//! Never decides whether the change may be: the master does. What would plainly do harm is told
//! before it is asked for.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::getuid;

use crate::cli::apply::{TRY_EVERY, check, conclude, invalid, is_moved, unchanged};
use crate::cli::client::{self, ANSWER_LIMIT};
use crate::cli::command::{Change, ChangeFlags, Format, NewNode};
use crate::cli::commands::{Outcome, committed, hand_over};
use crate::cli::config;
use crate::cli::console::{Console, Failure};
use crate::cli::difference::difference;
use crate::cli::exit::Exit;
use crate::cli::plan::{self, Step};
use crate::cli::steps::{self, Counted};
use crate::cli::stopwatch::{Stopwatch, pause, since_1970};
use crate::protocol::membership::{Member, MemberRole, Membership};
use crate::protocol::units::NodeId;
use crate::settings::cluster;
use crate::settings::paths::Place;
use crate::settings::pen::{self, Ink, PenError, Stroke};
use crate::settings::users::name_of;
use crate::settings::words;
use crate::wire::control::{DocumentReport, Request, StatusReport};

/// What people know the text by.
const NAME: &str = "cluster.yaml";

/// Makes one change.
///
/// # Errors
/// That it was not taken, would do harm, or any trouble with the daemon or the output.
pub(super) fn change(
    door: &Place,
    change: &Change,
    flags: ChangeFlags,
    console: &mut Console<'_>,
) -> Outcome {
    let strokes = strokes(door, change)?;
    let asked = Stopwatch::start();
    let mut before = committed(door)?;
    loop {
        let text = pen::write(&before.body, &strokes).map_err(unwritten)?;
        if text == before.body {
            return conclude(unchanged(&before), flags.format, console);
        }
        let next = Next::weighed(door, &before, &text, flags, console)?;
        if flags.dry_run {
            return next.show(console);
        }
        let counted = next.hand_over_first(door, console)?;
        let base = (before.revision, before.body.as_str());
        let report = steps::carry_out(door, base, &text, flags.patience, counted, console)?;
        // Whoever edited meanwhile did not take away what this change is about.
        let left = asked.left_of(flags.patience);
        if !is_moved(&report) || left.is_zero() {
            return conclude(report, flags.format, console);
        }
        pause(left.min(TRY_EVERY));
        before = committed(door)?;
        let now = before.revision;
        console.tell(&format!("others edited meanwhile: the same on top of revision {now}"));
    }
}

/// What the pen shall do.
fn strokes(door: &Place, change: &Change) -> Result<Vec<Stroke>, Failure> {
    // Of one that was invited, what it was to become by itself is over.
    let over =
        |id: &NodeId| ["becomes", "approval"].map(|key| Stroke::UnsetOfNode(id.clone(), key));
    let role = |id: &NodeId, role: MemberRole| {
        let word = Ink::Word(words::of_role(role).to_owned());
        over(id).into_iter().chain([Stroke::SetOfNode(id.clone(), "role", word)]).collect()
    };
    Ok(match change {
        Change::Add(NewNode::Line(line)) => vec![Stroke::AddItem("nodes", line.clone())],
        Change::Add(NewNode::Printed) => {
            let text = config::read(Path::new("-"))?;
            let line = pen::node_of(&text, "standard input").map_err(invalid)?;
            vec![Stroke::AddItem(
                "nodes",
                line.or_with("role", words::of_role(MemberRole::Observer)),
            )]
        }
        Change::Remove(id) => vec![Stroke::RemoveNode(id.clone())],
        Change::Promote(id) => role(id, MemberRole::Voter),
        Change::Demote(id) => role(id, MemberRole::Observer),
        Change::Set(id, keys) => {
            let set =
                |(key, ink): &(&'static str, Ink)| Stroke::SetOfNode(id.clone(), key, ink.clone());
            let sets_role = keys.iter().any(|(key, _)| *key == "role");
            let over = over(id).into_iter().filter(|_| sets_role);
            over.chain(keys.iter().map(set)).collect()
        }
        Change::Standby(id, span) => {
            let entry = for_a_while(door, *span)?;
            vec![Stroke::SetOfNode(id.clone(), "standby", entry)]
        }
        Change::Online(id) => vec![Stroke::UnsetOfNode(id.clone(), "standby")],
        Change::MaintenanceOn(span) => {
            vec![Stroke::Set(vec!["maintenance"], for_a_while(door, *span)?)]
        }
        Change::MaintenanceOff => vec![Stroke::Unset(vec!["maintenance"])],
    })
}

/// Who set something, when, and until when it holds.
fn for_a_while(door: &Place, span: Option<Duration>) -> Result<Ink, Failure> {
    let node = client::status(door, ANSWER_LIMIT)?.node;
    let now = since_1970();
    let text = |since: Duration| {
        let time = SystemTime::UNIX_EPOCH + since;
        Ink::Text(humantime::format_rfc3339_seconds(time).to_string())
    };
    let by = Ink::Text(format!("{}@{node}", user()));
    let mut entries = vec![("by".to_owned(), by), ("since".to_owned(), text(now))];
    entries.extend(span.map(|span| ("until".to_owned(), text(now + span))));
    Ok(Ink::Table(entries))
}

/// The user's name as /etc/passwd has it, or else the number.
fn user() -> String {
    let number = getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = name_of(&users, number).filter(|name| !name.chars().any(char::is_control));
    named.map_or_else(|| number.to_string(), str::to_owned)
}

fn unwritten(error: PenError) -> Failure {
    match error {
        PenError::Wrong(problem) => invalid(problem),
        error @ (PenError::Absent(_) | PenError::ByHand(_)) => {
            Failure::new(Exit::No, format!("nothing was changed: {error}"))
        }
    }
}

/// What is about to be done.
struct Next {
    /// The node that mastership goes to first, if it has to move.
    transfer: Option<NodeId>,
    steps: Vec<Step>,
}

impl Next {
    /// Tells what the change does to the quorum and to the text, and refuses what would do harm.
    fn weighed(
        door: &Place,
        before: &DocumentReport,
        text: &str,
        flags: ChangeFlags,
        console: &mut Console<'_>,
    ) -> Result<Self, Failure> {
        let known = check(&before.body, NAME).unwrap_or_default();
        let notes = check(text, NAME).map_err(invalid)?;
        notes.iter().filter(|note| !known.contains(note)).for_each(|note| console.tell(note));
        let members = |body: &str| {
            cluster::parse_agreed(body, NAME).map(|charter| charter.members).map_err(invalid)
        };
        let [old, new] = [members(&before.body)?, members(text)?];
        let changes_voters = plan::changes_voters(&old, &new);
        if changes_voters {
            console.tell(&plan::arithmetic(&old, &new));
        }
        if flags.format == Format::Text {
            console.print(&difference(&before.body, text, ["committed", "wanted"]))?;
        }
        let status = client::status(door, ANSWER_LIMIT)?;
        if changes_voters {
            refuse_lost_majority(&new, &status, flags)?;
        }
        let transfer = successor(&old, &new, &status, flags)?;
        Ok(Self { transfer, steps: plan::steps(&before.body, text).map_err(unwritten)? })
    }

    fn titles(&self) -> Vec<String> {
        let moved = self.transfer.iter().map(|to| format!("mastership goes to {to}"));
        moved.chain(self.steps.iter().map(|step| step.title.clone())).collect()
    }

    /// All that a dry run does.
    fn show(&self, console: &mut Console<'_>) -> Outcome {
        if let Some(list) = steps::listed(&self.titles()) {
            console.tell(&list);
        }
        Ok(Exit::Done)
    }

    /// Moves mastership if it has to move; says how many steps that took.
    fn hand_over_first(&self, door: &Place, console: &mut Console<'_>) -> Result<Counted, Failure> {
        let Some(to) = &self.transfer else { return Ok(Counted::default()) };
        let titles = self.titles();
        console.tell(&format!("step 1 of {}: {}", titles.len(), titles[0]));
        let report = hand_over(door, &Request::Transfer { to: Some(to.as_str().to_owned()) })?;
        console.tell(&report.message);
        Ok(Counted { done: 1 })
    }
}

/// A master would refuse it too; whoever asks a node that hears little may know better.
fn refuse_lost_majority(
    new: &Membership,
    status: &StatusReport,
    flags: ChangeFlags,
) -> Result<(), Failure> {
    let have = new.voters().filter(|member| is_heard(status, member)).count();
    let need = new.majority();
    if have >= need || flags.force {
        return Ok(());
    }
    let message = format!(
        "nothing was changed: {} hears only {have} of the nodes that would vote then, and {need} \
         must agree; --force asks the master all the same",
        status.node
    );
    Err(Failure::new(Exit::NeedsForce, message))
}

fn is_heard(status: &StatusReport, member: &Member) -> bool {
    let id = member.id.as_str();
    status.node == id || status.peers.iter().any(|peer| peer.heard && peer.id == id)
}

/// Moving mastership restarts what runs under it, so it is asked for, never done on the side.
fn successor(
    old: &Membership,
    new: &Membership,
    status: &StatusReport,
    flags: ChangeFlags,
) -> Result<Option<NodeId>, Failure> {
    let Some(master) = &status.master else { return Ok(None) };
    let is_master = |member: &&Member| member.id.as_str() == master.id;
    if !old.all().any(|member| is_master(&member))
        || new.all().any(|m| is_master(&m) && m.may_lead())
    {
        return Ok(None);
    }
    if !flags.transfer {
        let message = format!(
            "nothing was changed: {} is the master and could not be any more; hand mastership over \
             with quorate transfer NODE, or let --transfer do that as the first step",
            master.id
        );
        return Err(Failure::new(Exit::No, message));
    }
    let may_follow = |member: &&Member| {
        let before = old.find(&member.id);
        member.may_lead()
            && member.standby.is_none()
            && before.is_some_and(Member::may_lead)
            && is_heard(status, member)
    };
    match new.all().find(may_follow) {
        Some(member) => Ok(Some(member.id.clone())),
        None => {
            let message = format!(
                "nothing was changed: {} is the master, and nobody else could take over now",
                master.id
            );
            Err(Failure::new(Exit::No, message))
        }
    }
}
