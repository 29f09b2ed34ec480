//! Decides what each asking command asks, prints and exits with.
//! Never opens a socket itself; `client` does. Fails closed: only a clear yes is a yes.

use core::time::Duration;
use std::io::{self, IsTerminal};

use crate::cli::args::{Format, MasterField, Stay};
use crate::cli::client::{self, ANSWER_LIMIT, Awaited, Client, Trouble};
use crate::cli::console::{Console, Failure};
use crate::cli::documents;
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::cli::stopwatch::Stopwatch;
use crate::protocol::units::NodeId;
use crate::settings::paths::Place;
use crate::wire::control::{
    DocumentReport, EventReport, HandoverReport, Request, Response, StatusReport,
};

/// How long a handover's answer may take: hooks and children get their time to stop.
const HANDOVER_LIMIT: Duration = Duration::from_secs(60);

/// What a command ends with.
pub type Outcome = Result<Exit, Failure>;

/// `quorate status`, once.
///
/// # Errors
/// Any trouble with the daemon or with the output.
pub fn status(door: &Place, format: Format, console: &mut Console<'_>) -> Outcome {
    let report = client::status(door, ANSWER_LIMIT)?;
    match format {
        Format::Json => console.print_json(&report)?,
        Format::Text => console.print(&render::status(&report, console.style))?,
    }
    Ok(Exit::Done)
}

/// `quorate is-master`: yes only if the lease still ran when the answer arrived here.
///
/// # Errors
/// Any trouble with the daemon.
pub fn is_master(door: &Place) -> Outcome {
    let asked = Stopwatch::start();
    let report = client::status(door, ANSWER_LIMIT)?;
    let elapsed = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(yes_or_no(is_acting(&report, elapsed)))
}

/// Whether `report` says that its node may act, `age_ms` after it was asked for.
#[must_use]
pub fn is_acting(report: &StatusReport, age_ms: u64) -> bool {
    report.role == "master" && report.acting_left_ms.is_some_and(|left| left > age_ms)
}

/// `quorate has-quorum`.
///
/// # Errors
/// Any trouble with the daemon.
pub fn has_quorum(door: &Place) -> Outcome {
    Ok(yes_or_no(client::status(door, ANSWER_LIMIT)?.quorum.ok))
}

fn yes_or_no(is_so: bool) -> Exit {
    if is_so { Exit::Done } else { Exit::No }
}

/// `quorate master`.
///
/// # Errors
/// Any trouble with the daemon or the output, or that there is no master.
pub fn master(door: &Place, field: MasterField, console: &mut Console<'_>) -> Outcome {
    let report = client::status(door, ANSWER_LIMIT)?;
    let Some(master) = report.master else {
        let message = format!("{} knows of no master: {}", report.node, report.reason);
        return Err(Failure::new(Exit::TryAgain, message));
    };
    let text = match field {
        MasterField::Name => master.id,
        MasterField::Address => master.address,
    };
    console.print(&format!("{text}\n"))?;
    Ok(Exit::Done)
}

/// `quorate step-down`.
///
/// # Errors
/// As [`transfer`].
pub fn step_down(
    door: &Place,
    hold_off: Duration,
    format: Format,
    console: &mut Console<'_>,
) -> Outcome {
    let hold_off_ms = u64::try_from(hold_off.as_millis()).unwrap_or(u64::MAX);
    let report = decided(door, &Request::StepDown { hold_off_ms })?;
    tell_handover(done(&report), &report, format, console)
}

/// `quorate transfer`.
///
/// # Errors
/// That it was refused, that the outcome is unknown, or any trouble with the daemon.
pub fn transfer(
    door: &Place,
    to: Option<&NodeId>,
    format: Format,
    console: &mut Console<'_>,
) -> Outcome {
    let wanted = to.map(|to| to.as_str().to_owned());
    let report = decided(door, &Request::Transfer { to: wanted.clone() })?;
    let end = match (wanted, &report.master) {
        (Some(wanted), Some(master)) if wanted != *master => {
            let message = format!("{wanted} could not take over; {master} did");
            Err(Failure::new(Exit::No, message))
        }
        _ => done(&report),
    };
    tell_handover(end, &report, format, console)
}

/// Prints what became of it: in JSON in any case, in words only if it is what was wanted.
fn tell_handover(
    end: Result<(), Failure>,
    report: &HandoverReport,
    format: Format,
    console: &mut Console<'_>,
) -> Outcome {
    match (format, &end) {
        (Format::Json, _) => console.print_json(report)?,
        (Format::Text, Ok(())) => console.print(&format!("{}\n", report.message))?,
        (Format::Text, Err(_)) => {}
    }
    end.map(|()| Exit::Done)
}

/// `quorate set-position`.
///
/// # Errors
/// That node.yaml names a command for it, or any trouble with the daemon.
pub fn set_position(door: &Place, position: u64) -> Outcome {
    match client::ask(door, &Request::SetPosition { position }, ANSWER_LIMIT) {
        Ok(Response::Taken) => Ok(Exit::Done),
        Ok(_) => Err(Trouble::Foreign(door.path.clone()).into()),
        Err(Trouble::Refused(words)) => Err(Failure::new(Exit::No, words)),
        Err(trouble) => Err(trouble.into()),
    }
}

/// The report of a handover that happened; anything else is a failure with its exit code.
pub(super) fn hand_over(door: &Place, request: &Request) -> Result<HandoverReport, Failure> {
    let report = decided(door, request)?;
    done(&report).map(|()| report)
}

/// What the daemon says became of it.
fn decided(door: &Place, request: &Request) -> Result<HandoverReport, Failure> {
    let mut client = Client::connect(door, ANSWER_LIMIT)?;
    client.be_patient(Some(HANDOVER_LIMIT))?;
    let failure = |trouble: Trouble| unsure(trouble, "look at quorate status");
    client.say(request).map_err(failure)?;
    let Response::Handover(report) = client.hear().map_err(failure)? else {
        return Err(failure(client.foreign()));
    };
    Ok(report)
}

/// Whether a handover happened; its words and its exit code if not.
fn done(report: &HandoverReport) -> Result<(), Failure> {
    let exit = handover_exit(report);
    if exit == Exit::Done { Ok(()) } else { Err(Failure::new(exit, &*report.message)) }
}

/// Trouble after something was asked for that may have happened all the same; `how` to find out.
pub(super) fn unsure(trouble: Trouble, how: &str) -> Failure {
    let words = trouble.to_string();
    match trouble {
        Trouble::Refused(_) => Failure::new(Exit::No, words),
        Trouble::Busy(_) => Failure::new(Exit::TryAgain, words),
        Trouble::NotThere(_)
        | Trouble::Denied(_)
        | Trouble::Doubtful(..)
        | Trouble::TooLong(_)
        | Trouble::Silent(_)
        | Trouble::Broken(..)
        | Trouble::Foreign(_) => {
            Failure::new(Exit::TryAgain, format!("the outcome is unknown, {how}: {words}"))
        }
    }
}

/// What a handover's outcome means to a script.
fn handover_exit(report: &HandoverReport) -> Exit {
    match report.outcome.as_str() {
        "handed-over" | "stepped-down" => Exit::Done,
        "refused" => Exit::No,
        _ => Exit::TryAgain,
    }
}

/// `quorate events`.
///
/// # Errors
/// Any trouble with the daemon or the output.
pub fn events(door: &Place, stay: Stay, format: Format, console: &mut Console<'_>) -> Outcome {
    let mut client = Client::connect(door, ANSWER_LIMIT)?;
    client.say(&Request::Events { follow: false })?;
    let mut newest_kept = 0;
    while let Some(event) = next_event(&mut client)? {
        newest_kept = event.seq;
        if stay != Stay::News {
            print_event(&event, format, console)?;
        }
    }
    if stay == Stay::Leave {
        return Ok(Exit::Done);
    }
    if stay == Stay::Follow && newest_kept > 0 && wants_marker(format) {
        console.tell("- kept events above, new ones below -");
    }
    client.be_patient(None)?;
    // The kept ones come once more, perhaps with others that happened since.
    client.say(&Request::Events { follow: true })?;
    loop {
        if client.await_answer(console.outlet)? == Awaited::ReaderLeft {
            return Ok(Exit::Done);
        }
        match next_event(&mut client)? {
            Some(event) if event.seq > newest_kept => print_event(&event, format, console)?,
            Some(_) => {}
            None => return Ok(Exit::Done),
        }
    }
}

/// A program that reads JSON sees the difference by `seq`, or asks for new ones only.
fn wants_marker(format: Format) -> bool {
    format == Format::Text || io::stderr().is_terminal()
}

/// The next event; `None` at their end.
fn next_event(client: &mut Client) -> Result<Option<EventReport>, Trouble> {
    match client.hear()? {
        Response::Event(event) => Ok(Some(*event)),
        Response::EndOfEvents => Ok(None),
        Response::Status(_)
        | Response::Document(_)
        | Response::Handover(_)
        | Response::Edit(_)
        | Response::Doctor(_)
        | Response::Key(_)
        | Response::Taken
        | Response::EndOfHistory(_)
        | Response::NotMaster
        | Response::Granted(_)
        | Response::Extended(_)
        | Response::Stop { .. }
        | Response::Error(_) => Err(client.foreign()),
    }
}

pub(super) fn print_event(
    event: &EventReport,
    format: Format,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    match format {
        Format::Json => console.print_json(event),
        Format::Text => console.print(&format!("{}\n", render::event(event, console.style))),
    }
}

/// `quorate show`.
///
/// # Errors
/// Any trouble with the daemon or the output.
pub fn show(
    door: &Place,
    revision: Option<u64>,
    format: Format,
    console: &mut Console<'_>,
) -> Outcome {
    let report = match revision {
        Some(revision) => documents::revision(door, revision)?,
        None => committed(door)?,
    };
    match format {
        Format::Json => console.print_json(&report)?,
        Format::Text => console.print(&report.body)?,
    }
    Ok(Exit::Done)
}

/// The committed document, as this node has it.
pub(super) fn committed(door: &Place) -> Result<DocumentReport, Failure> {
    let Response::Document(report) = client::ask(door, &Request::Show {}, ANSWER_LIMIT)? else {
        return Err(Trouble::Foreign(door.path.clone()).into());
    };
    Ok(report)
}
