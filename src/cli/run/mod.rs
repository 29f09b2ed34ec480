//! `quorate run`: a program that lives only while this node is master.
//! Never starts it itself and never ends it in time itself; its keeper does both (see `keep`),
//! and this front asks the daemon, stands at the terminal, and says how it ended.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::cli::client::{ANSWER_LIMIT, Client, Trouble};
use crate::cli::command::{Ending, Patience, RunOptions};
use crate::cli::console::Failure;
use crate::cli::exit::Exit;
use crate::keep::post::{Charge, is_by_our_clocks};
use crate::keep::{self, launch};
use crate::protocol::units::Moment;
use crate::settings::paths::Place;
use crate::wire::control::{Request, Response};
use crate::wire::environment;
use crate::wire::hold::{GrantReport, While};

mod ears;
mod reign;
mod restarts;
mod stand_by;

use ears::{Ears, Event};
use reign::{Outcome, Reign};
use restarts::{PAUSE_MAX, Restarts};
use stand_by::StandBy;

/// Between two tries to reach a daemon that is not there.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// How long CMD is asked to end that runs on a backup, unless the command line says so.
const GRACE_OF_BACKUP: Duration = Duration::from_secs(2);

/// How a part of the run ended: with the whole run, or to be tried again.
enum Next {
    /// With this exit code.
    Exit(u8),
    /// There is no daemon any more.
    Reconnect,
}

/// Runs CMD; gives the exit code.
#[must_use]
pub(super) fn run(options: &RunOptions, door: &Place) -> u8 {
    let group = io::stdin().is_terminal().then(launch::foreground).flatten();
    match Ears::open(group.is_some()) {
        Ok(ears) => Front::new(options, door, ears, group).run(),
        Err(error) => refuse(&format!("cannot run anything: {error}"), launch::FAILED),
    }
}

/// Says why on standard error; gives `code` back.
fn refuse(words: &str, code: u8) -> u8 {
    use std::io::Write as _;
    // Where standard error is closed nobody wants to be told.
    let _ = writeln!(io::stderr(), "quorate: {words}");
    code
}

/// The front.
struct Front<'a> {
    options: &'a RunOptions,
    door: &'a Place,
    ears: Ears,
    /// What CMD has to join to be in the foreground of a terminal.
    group: Option<i32>,
    /// Whether CMD was started ever.
    has_begun: bool,
    restarts: Restarts,
}

impl<'a> Front<'a> {
    fn new(options: &'a RunOptions, door: &'a Place, ears: Ears, group: Option<i32>) -> Self {
        let restarts = Restarts::default();
        Self { options, door, ears, group, has_begun: false, restarts }
    }

    fn run(&mut self) -> u8 {
        let give_up = match self.options.patience {
            Patience::Limited(patience) => Some(keep::now().after(patience)),
            Patience::None | Patience::Endless => None,
        };
        loop {
            let client = match self.connect(give_up) {
                Ok(client) => client,
                Err(code) => return code,
            };
            match self.serve(client, give_up) {
                Next::Exit(code) => return code,
                Next::Reconnect if self.restarts() => {}
                Next::Reconnect => {
                    return refuse("the daemon is gone, and mastership with it", self.lost());
                }
            }
        }
    }

    fn restarts(&self) -> bool {
        self.options.ending == Ending::Restart
    }

    fn lost(&self) -> u8 {
        if self.has_begun { Exit::TryAgain.code() } else { Exit::Unreachable.code() }
    }

    /// A conversation with the daemon; with `--restart` a daemon that is not up counts as not yet.
    fn connect(&mut self, give_up: Option<Moment>) -> Result<Client, u8> {
        let mut is_told = false;
        loop {
            let trouble = match self.try_connect() {
                Ok(client) => return Ok(client),
                Err(trouble) => trouble,
            };
            let is_passing = matches!(
                &trouble,
                Trouble::NotThere(_) | Trouble::Silent(_) | Trouble::Broken(..) | Trouble::Busy(_)
            );
            let failure = Failure::from(trouble);
            if !is_passing || !self.restarts() {
                return Err(refuse(&failure.message, failure.exit.code()));
            }
            if !is_told {
                is_told = true;
                refuse(&format!("waiting: {}", failure.message), 0);
            }
            self.pause(TRY_AGAIN, give_up)?;
        }
    }

    fn try_connect(&self) -> Result<Client, Trouble> {
        let mut client = Client::connect(self.door, ANSWER_LIMIT)?;
        client.say(&Request::Hold { gathers: true, role: self.options.role })?;
        Ok(client)
    }

    /// Waits for `span`; an error is the exit code if the run ends meanwhile.
    fn pause(&mut self, span: Duration, give_up: Option<Moment>) -> Result<(), u8> {
        let end = keep::now().after(span);
        while !keep::now().has_surely_reached(end) {
            match self.ears.hear(None, None, Some(end)) {
                Event::Signal(number) if ears::ends(number) => return Err(ears::code(number)),
                Event::Signal(_)
                | Event::Keeper(_)
                | Event::Daemon(_)
                | Event::Refused(_)
                | Event::DaemonGone
                | Event::Time => {}
            }
            if let Some(code) = self.too_long(give_up) {
                return Err(code);
            }
        }
        Ok(())
    }

    fn too_long(&self, give_up: Option<Moment>) -> Option<u8> {
        let is_over =
            !self.has_begun && give_up.is_some_and(|end| keep::now().has_surely_reached(end));
        is_over.then(|| refuse("this node did not become master in time", Exit::TimedOut.code()))
    }

    /// One conversation with the daemon, through any number of masterships.
    fn serve(&mut self, client: Client, give_up: Option<Moment>) -> Next {
        let mut client = Some(client);
        let mut stand_by = StandBy::default();
        loop {
            let Some(asked) = &mut client else { return Next::Reconnect };
            let grant = match self.await_grant(asked, &mut stand_by, give_up) {
                Ok(grant) => grant,
                Err(next) => return next,
            };
            if !is_by_our_clocks(grant.at.into()) {
                let words = "this program and the daemon have different clocks (a time namespace?)";
                return Next::Exit(refuse(words, launch::FAILED));
            }
            self.has_begun = true;
            let charge = self.charge(&grant);
            let keeper = stand_by.keeper.take();
            let mut reign = Reign::new(&mut self.ears, charge, grant.span, keeper);
            self.restarts.begin();
            match reign.run(&mut client, self.options.ending, &mut self.restarts) {
                Outcome::Over(code) => return Next::Exit(code),
                Outcome::Again => stand_by.begin(),
                Outcome::Hopeless => return self.give_away(),
            }
        }
    }

    /// CMD cannot live here: another node may try. Nothing of it runs now.
    fn give_away(&mut self) -> Next {
        let (role, away) = (self.options.role, self.restarts.away());
        if role == While::Master {
            let words = "CMD ended at once again and again: giving mastership away, to try again";
            refuse(&format!("{words} here in {} s at the earliest", away.as_secs()), 0);
            if let Err(words) = self.step_down(away) {
                refuse(&words, 0);
            }
        }
        match self.pause(PAUSE_MAX, None) {
            Ok(()) => Next::Reconnect,
            Err(code) => Next::Exit(code),
        }
    }

    fn step_down(&self, away: Duration) -> Result<(), String> {
        let hold_off_ms = u64::try_from(away.as_millis()).unwrap_or(u64::MAX);
        let mut client = Client::connect(self.door, ANSWER_LIMIT).map_err(|why| why.to_string())?;
        client.say(&Request::StepDown { hold_off_ms }).map_err(|why| why.to_string())?;
        let answer = client.hear().map_err(|why| why.to_string())?;
        if let Response::Handover(report) = answer
            && report.outcome == "refused"
        {
            return Err(report.message);
        }
        Ok(())
    }

    fn await_grant(
        &mut self,
        client: &mut Client,
        stand_by: &mut StandBy,
        end: Option<Moment>,
    ) -> Result<GrantReport, Next> {
        loop {
            stand_by.look(&self.ears.tree, &self.options.cmd);
            let wakes = [end.filter(|_| !self.has_begun), stand_by.at];
            let wake = wakes.into_iter().flatten().reduce(Moment::earliest);
            match self.ears.hear(Some(client), None, wake) {
                Event::Daemon(Response::Granted(grant)) => return Ok(*grant),
                Event::Daemon(Response::NotMaster) => {
                    if self.options.patience == Patience::None && !self.has_begun {
                        let code = Exit::TryAgain.code();
                        return Err(Next::Exit(refuse("this node is not master", code)));
                    }
                    stand_by.begin();
                }
                Event::Daemon(Response::Stop { term, .. }) => {
                    // Nothing of that term was started here.
                    if client.say(&Request::Gone { term }).is_err() {
                        return Err(Next::Reconnect);
                    }
                }
                Event::Refused(words) => {
                    return Err(Next::Exit(refuse(&words, Exit::TryAgain.code())));
                }
                Event::DaemonGone => return Err(Next::Reconnect),
                Event::Signal(number) if ears::ends(number) => {
                    return Err(Next::Exit(ears::code(number)));
                }
                Event::Daemon(_) | Event::Keeper(_) | Event::Signal(_) | Event::Time => {}
            }
            if let Some(code) = self.too_long(end) {
                return Err(Next::Exit(code));
            }
        }
    }

    /// Without a lease there is no other end to asking.
    fn grace(&self) -> Option<Duration> {
        self.options.grace.or((self.options.role == While::Backup).then_some(GRACE_OF_BACKUP))
    }

    fn charge(&self, grant: &GrantReport) -> Charge {
        let left_ns = grant.span.until.boot_ns.saturating_sub(grant.at.boot_ns);
        let socket =
            std::path::absolute(&self.door.path).unwrap_or_else(|_| self.door.path.clone());
        // Who is no master has no lease.
        let (role, lease_ms) = match self.options.role {
            While::Master => ("master", (left_ns / 1_000_000).to_string()),
            While::Backup => ("backup", String::new()),
        };
        let environment = vec![
            (environment::TERM, grant.span.term.to_string()),
            (environment::NODE, grant.node.clone()),
            (environment::CLUSTER, grant.cluster.clone()),
            (environment::CLUSTER_ID, grant.cluster_id.clone()),
            (environment::MASTER, grant.master.clone()),
            (environment::ROLE, role.to_owned()),
            (environment::LEASE_MS, lease_ms),
            (environment::SOCKET, socket.display().to_string()),
            (environment::VERSION, grant.version.clone()),
        ];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value));
        Charge {
            cmd: self.options.cmd.clone(),
            environment: environment.collect(),
            grace: self.grace(),
            group: self.group,
        }
    }
}
