//! `quorate invite` and `quorate approve`: edits of the document that let one node in, or on. The
//! secret of a token is made here, and only its hash leaves this process (H38).
//! Never prints a token that the cluster did not take.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::cli::apply::{conclude, is_moved, propose};
use crate::cli::command::{Format, InviteOptions};
use crate::cli::commands::{Outcome, committed};
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::stopwatch::Stopwatch;
use crate::keep::wall_seconds;
use crate::protocol::membership::{Charter, MemberRole};
use crate::protocol::units::Pin;
use crate::settings::arrivals::{Arrivals, INVITES_MAX, Invite, arrivals};
use crate::settings::paths::Place;
use crate::settings::pen::{self, Ink, Stroke};
use crate::settings::words;
use crate::settings::{cluster, duration};
use crate::wire::control::{DocumentReport, EditReport, InviteReport, SCHEMA};
use crate::wire::proof::kept;
use crate::wire::token::{InviteId, SEEDS_MAX, Secret, Seed, Token};

/// How long an edit is tried while nobody can decide, or others edit too.
const DECIDED_WITHIN: Duration = Duration::from_secs(10);

/// What the newest document says.
struct Present {
    report: DocumentReport,
    charter: Charter,
    arrivals: Arrivals,
}

impl Present {
    fn of(door: &Place) -> Result<Self, Failure> {
        let report = committed(door)?;
        let unreadable = |problem| Failure::new(Exit::BadData, format!("{problem}"));
        let charter = cluster::parse_agreed(&report.body, "cluster.yaml").map_err(unreadable)?;
        let arrivals = arrivals(&report.body).map_err(unreadable)?;
        Ok(Self { report, charter, arrivals })
    }

    /// Takes out, from the end, the invitations that are over, and that of this name.
    fn swept(&self, revoked: &str, now: &str) -> impl Iterator<Item = Stroke> {
        let is_gone = |invite: &Invite| invite.is_over(now) || invite.id == revoked;
        let gone = self.arrivals.invites.iter().enumerate().rev();
        let gone: Vec<_> = gone.filter(|(_, invite)| is_gone(invite)).map(|(at, _)| at).collect();
        gone.into_iter().map(|index| Stroke::RemoveItem("invites", index))
    }
}

/// Makes the edit that `change` wants of the newest document, again if others were faster.
fn edited(
    door: &Place,
    change: impl Fn(&Present) -> Result<Vec<Stroke>, Failure>,
) -> Result<EditReport, Failure> {
    let asked = Stopwatch::start();
    loop {
        let present = Present::of(door)?;
        let text = pen::write(&present.report.body, &change(&present)?)
            .map_err(|error| Failure::new(Exit::No, error.to_string()))?;
        let left = asked.left_of(DECIDED_WITHIN);
        let report = propose(door, present.report.revision, &text, left)?;
        if !is_moved(&report) || left.is_zero() {
            return Ok(report);
        }
    }
}

/// `quorate invite`.
///
/// # Errors
/// That the edit was not taken, or any trouble with the daemon or the output.
pub(super) fn invite(door: &Place, options: &InviteOptions, console: &mut Console<'_>) -> Outcome {
    let present = Present::of(door)?;
    let token = token(&present.charter, options)?;
    let now = wall_seconds(Duration::ZERO);
    let until = wall_seconds(options.ttl);
    let entry = entry(&token, options, &until);
    let report = edited(door, |present| {
        let open = present.arrivals.invites.iter().filter(|invite| !invite.is_over(&now)).count();
        if open >= INVITES_MAX {
            let message = format!(
                "{open} invitations are open, and no more may be: withdraw one that nobody needs \
                 (quorate invite --list, quorate invite --revoke INVITE)"
            );
            return Err(Failure::new(Exit::No, message));
        }
        let swept = present.swept("", &now);
        Ok(swept.chain([Stroke::AddItem("invites", entry.clone())]).collect())
    })?;
    if report.outcome != "committed" {
        return conclude(report, Format::Text, console);
    }
    console.print(&format!("{}\n", token.spell()))?;
    let InviteOptions { ttl, role, name, manual } = options;
    let who = name.as_ref().map_or("one node".to_owned(), |name| format!("node {name}"));
    let then = match (role, manual) {
        (MemberRole::Observer, _) => "joins as an observer".to_owned(),
        (role, false) => format!("becomes a {} when it is up to date", words::of_role(*role)),
        (role, true) => {
            format!("becomes a {} after quorate approve of its key", words::of_role(*role))
        }
    };
    console.tell(&format!(
        "invitation {}: {who} {then}. It is good once, for {}; on that machine: quorate join TOKEN",
        token.invite,
        duration::show(*ttl)
    ));
    Ok(Exit::Done)
}

fn token(charter: &Charter, options: &InviteOptions) -> Result<Token, Failure> {
    let mut random = [0; 20];
    SystemRandom::new().fill(&mut random).map_err(|_| {
        Failure::new(Exit::InputOutput, "the system gives no random numbers".to_owned())
    })?;
    let [a, b, c, d, secret @ ..] = random;
    // Voters first: they are there for longest.
    let (voters, others): (Vec<_>, Vec<_>) = charter.members.all().partition(|it| it.votes());
    let members = voters.into_iter().chain(others).take(SEEDS_MAX);
    Ok(Token {
        cluster: charter.cluster,
        invite: InviteId([a, b, c, d]),
        secret: Secret(secret),
        name: options.name.clone(),
        seeds: members.map(|member| Seed::new(&member.pin, &member.address)).collect(),
    })
}

/// What the document keeps of it.
fn entry(token: &Token, options: &InviteOptions, until: &str) -> Ink {
    let hash = kept(token.cluster, token.invite, &token.secret);
    let text = |key: &str, text: String| (key.to_owned(), Ink::Text(text));
    let named = |key: &str, word: &str| (key.to_owned(), Ink::Word(word.to_owned()));
    let mut entries =
        vec![text("id", token.invite.to_string()), named("role", words::of_role(options.role))];
    entries.extend(options.name.iter().map(|name| text("name", name.to_string())));
    entries.extend(options.manual.then(|| named("approval", "manual")));
    entries.push(text("until", until.to_owned()));
    entries.push(text("secret", format!("SHA256:{hash}")));
    Ink::Table(entries)
}

/// `quorate invite --list`.
///
/// # Errors
/// Any trouble with the daemon or the output.
pub(super) fn list(door: &Place, format: Format, console: &mut Console<'_>) -> Outcome {
    let present = Present::of(door)?;
    let now = wall_seconds(Duration::ZERO);
    for invite in &present.arrivals.invites {
        let Invite { id, role, until, name, is_manual, .. } = invite;
        let name = name.as_ref().map(ToString::to_string);
        if format == Format::Json {
            console.print_json(&InviteReport {
                schema: SCHEMA,
                id: id.clone(),
                role: words::of_role(*role).to_owned(),
                until: until.clone(),
                name,
                manual: *is_manual,
                over: invite.is_over(&now),
            })?;
            continue;
        }
        let end = if invite.is_over(&now) { "over since" } else { "until" };
        let manual = if *is_manual { ", after approval" } else { "" };
        let who = name.unwrap_or_else(|| "any node".to_owned());
        console
            .print(&format!("{id}  {who}, {}{manual}, {end} {until}\n", words::of_role(*role)))?;
    }
    if present.arrivals.invites.is_empty() && format == Format::Text {
        console.tell("no invitation is open");
    }
    Ok(Exit::Done)
}

/// `quorate invite --revoke INVITE`.
///
/// # Errors
/// There is none of that name, the edit was not taken, or any trouble with the daemon.
pub(super) fn revoke(door: &Place, id: InviteId, console: &mut Console<'_>) -> Outcome {
    let (id, now) = (id.to_string(), wall_seconds(Duration::ZERO));
    let report = edited(door, |present| {
        if present.arrivals.invites.iter().all(|invite| invite.id != id) {
            let message = format!("no invitation {id} is open: it was used, or is gone already");
            return Err(Failure::new(Exit::No, message));
        }
        Ok(present.swept(&id, &now).collect())
    })?;
    conclude(report, Format::Text, console)
}

/// `quorate approve KEY`.
///
/// # Errors
/// Nobody with that key waits for it, the edit was not taken, or any trouble with the daemon.
pub(super) fn approve(door: &Place, pin: Pin, console: &mut Console<'_>) -> Outcome {
    let report = edited(door, |present| {
        let member = present.charter.members.all().find(|member| member.pin == pin);
        let waits = present.arrivals.newcomers.iter().find(|newcomer| {
            !newcomer.is_approved && member.is_some_and(|member| member.id == newcomer.id)
        });
        match (member, waits) {
            (Some(_), Some(newcomer)) => {
                Ok(vec![Stroke::UnsetOfNode(newcomer.id.clone(), "approval")])
            }
            (Some(member), None) => {
                let message = format!("{} has that key, and waits for no approval", member.id);
                Err(Failure::new(Exit::No, message))
            }
            (None, _) => {
                let message = "no node of this cluster has that key: compare it, digit by digit, \
                               with what quorate join printed on that machine";
                Err(Failure::new(Exit::No, message.to_owned()))
            }
        }
    })?;
    conclude(report, Format::Text, console)
}
