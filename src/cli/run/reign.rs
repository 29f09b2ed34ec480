//! Owns one mastership of `quorate run`: CMD under its keeper, started again if wanted, until it
//! has ended or has to. Never says that it is gone before nothing of it is left.

use std::io;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};

use crate::cli::client::Client;
use crate::cli::command::Ending;
use crate::cli::exit::Exit;
use crate::cli::run::ears::{self, Ears, Event};
use crate::cli::run::refuse;
use crate::cli::run::restarts::{After, Restarts};
use crate::keep::post::{Charge, Keeper, News, Rest, Waiting};
use crate::keep::rounds::Rounds;
use crate::keep::tree::Left;
use crate::keep::{self, launch};
use crate::protocol::units::Moment;
use crate::wire::control::{Request, Response};
use crate::wire::hold::SpanReport;

/// How CMD ended.
enum End {
    /// By itself, or by what we passed on, with this code.
    Own(u8),
    /// Because its time was over; mastership may go on.
    Late,
    /// It never began, or its keeper failed, with the reason.
    Failed(String),
}

/// How a mastership ended.
pub(super) enum Outcome {
    /// And the whole run, with this exit code.
    Over(u8),
    /// It waits for mastership again.
    Again,
    /// CMD does not live here; the conversation with the daemon is over.
    Hopeless,
}

/// One mastership.
pub(super) struct Reign<'a> {
    ears: &'a mut Ears,
    charge: Charge,
    span: SpanReport,
    /// One that is ready for the first life.
    waiting: Option<Waiting>,
    /// Mastership is over, or must be taken for over.
    is_lost: bool,
    /// Somebody asked us to end, by this signal.
    asked: Option<i32>,
    terms: u32,
}

impl<'a> Reign<'a> {
    pub(super) fn new(
        ears: &'a mut Ears,
        charge: Charge,
        span: SpanReport,
        waiting: Option<Waiting>,
    ) -> Self {
        Self { ears, charge, span, waiting, is_lost: false, asked: None, terms: 0 }
    }

    /// Runs CMD until it has ended for good, or mastership.
    pub(super) fn run(
        &mut self,
        client: &mut Option<Client>,
        ending: Ending,
        restarts: &mut Restarts,
    ) -> Outcome {
        let code = loop {
            let started = keep::now();
            let end = self.once(client);
            if self.is_lost {
                break Exit::TryAgain.code();
            }
            let code = match end {
                End::Own(code) => code,
                End::Late => Exit::TryAgain.code(),
                End::Failed(words) => refuse(&words, launch::FAILED),
            };
            if ending == Ending::Leave || self.asked.is_some() {
                break code;
            }
            match restarts.ended(keep::now().waited_since(started), code) {
                After::Pause(pause) => self.rest(client, pause),
                After::GiveAway => {
                    self.say_gone(client);
                    *client = None;
                    return Outcome::Hopeless;
                }
            }
            if let Some(number) = self.asked {
                break ears::code(number);
            }
            if self.is_lost {
                break Exit::TryAgain.code();
            }
        };
        self.say_gone(client);
        if let (Ending::Restart, true, None) = (ending, self.is_lost, self.asked) {
            return Outcome::Again;
        }
        if self.is_lost {
            refuse("mastership is lost", 0);
        }
        Outcome::Over(code)
    }

    fn say_gone(&self, client: &mut Option<Client>) {
        let gone = Request::Gone { term: self.span.term };
        if client.as_mut().is_some_and(|client| client.say(&gone).is_err()) {
            *client = None;
        }
    }

    /// One life of CMD, from its start until nothing of it is left.
    fn once(&mut self, client: &mut Option<Client>) -> End {
        let mut keeper = match self.begin() {
            Ok(keeper) => keeper,
            Err(error) => {
                self.clear(client, &Rest::default());
                return End::Failed(format!("cannot start the keeper of CMD: {error}"));
            }
        };
        // A daemon that is gone is noticed where it is listened to.
        if let Some(trouble) = client.as_mut().and_then(|client| client.say(&Request::Kept).err()) {
            log::debug!("{trouble}");
        }
        let end = self.watch(&mut keeper, client);
        let rest = keeper.rest();
        drop(keeper);
        self.clear(client, &rest);
        end
    }

    /// By the keeper that is ready, if it still is.
    fn begin(&mut self) -> io::Result<Keeper> {
        let ready = self.waiting.take().filter(Waiting::is_here);
        if let Some(Ok(keeper)) = ready.map(|ready| ready.begin(&self.charge, &self.span)) {
            return Ok(keeper);
        }
        Waiting::start(&self.charge.cmd)?.begin(&self.charge, &self.span)
    }

    /// Until the keeper has ended.
    fn watch(&mut self, keeper: &mut Keeper, client: &mut Option<Client>) -> End {
        let mut end = None;
        let mut is_given_up = false;
        loop {
            if !is_given_up && keep::now().may_have_reached(keeper.given_up_at()) {
                is_given_up = true;
                keeper.give_up();
            }
            let wake = (!is_given_up).then(|| keeper.given_up_at());
            match self.ears.hear(client.as_mut(), Some(keeper), wake) {
                Event::Keeper(News::Ended(code)) => end = end.or(Some(End::Own(code))),
                Event::Keeper(News::Ending) if self.terms < 2 => end = end.or(Some(End::Late)),
                Event::Keeper(News::TooLate) => end = Some(End::Late),
                Event::Keeper(News::Failed(words)) => end = Some(End::Failed(words)),
                Event::Keeper(News::Closed) => break,
                Event::Signal(number) => self.pass_on(number, keeper),
                Event::Keeper(News::Ending) | Event::Time => {}
                heard @ (Event::Daemon(_) | Event::DaemonGone | Event::Refused(_)) => {
                    self.obey(heard, client, Some(keeper));
                }
            }
        }
        if is_given_up {
            return end.unwrap_or(End::Late);
        }
        end.unwrap_or_else(|| {
            End::Failed("the keeper of CMD was killed, and CMD with it".to_owned())
        })
    }

    /// What the daemon says, with CMD running or between two of its lives.
    fn obey(&mut self, heard: Event, client: &mut Option<Client>, keeper: Option<&mut Keeper>) {
        match heard {
            Event::Daemon(Response::Extended(span)) if span.term == self.span.term => {
                if !self.is_lost {
                    self.span = span;
                    keeper.into_iter().for_each(|keeper| keeper.extend(&span));
                }
            }
            Event::Daemon(Response::Stop { term, kill }) if term == self.span.term => {
                self.is_lost = true;
                keeper.into_iter().for_each(|keeper| keeper.stop(kill.into()));
            }
            Event::Daemon(_) | Event::Signal(_) | Event::Keeper(_) | Event::Time => {}
            Event::DaemonGone | Event::Refused(_) => {
                *client = None;
                self.is_lost = true;
                keeper.into_iter().for_each(|keeper| keeper.end());
            }
        }
    }

    /// Keys at a terminal have reached CMD already; a second TERM is meant.
    fn pass_on(&mut self, number: i32, keeper: &Keeper) {
        // Without a terminal a hang-up is a word to CMD, which may read its settings again.
        let is_over = self.ears.is_terminal && number == SIGHUP;
        if [SIGTERM, SIGINT, SIGQUIT].contains(&number) || is_over {
            self.asked = Some(number);
        }
        self.terms += u32::from(number == SIGTERM);
        let is_from_keys = [SIGINT, SIGQUIT, SIGWINCH].contains(&number);
        if number == SIGTERM && self.terms > 1 {
            keeper.kill();
        } else if !(self.ears.is_terminal && is_from_keys) {
            keeper.signal(number);
        }
    }

    /// Until nothing is left of what a keeper left.
    fn clear(&mut self, client: &mut Option<Client>, rest: &Rest) {
        let mut rounds = Rounds::default();
        while rest.sweep(&self.ears.tree) == Left::Something {
            let now = keep::now();
            if rounds.tells(now) {
                let names = self.ears.tree.names();
                refuse(&format!("killed, and the system does not let it die: {names}"), 0);
            }
            self.listen(client, now.after(rounds.pause(now)));
        }
    }

    /// Lets `span` pass while nothing runs, unless the run ends meanwhile.
    fn rest(&mut self, client: &mut Option<Client>, span: Duration) {
        let end = keep::now().after(span);
        while !keep::now().has_surely_reached(end) && !self.is_lost && self.asked.is_none() {
            self.listen(client, end);
        }
    }

    /// Hears one thing, or time passing, while nothing runs.
    fn listen(&mut self, client: &mut Option<Client>, wake: Moment) {
        match self.ears.hear(client.as_mut(), None, Some(wake)) {
            Event::Signal(number) if ears::ends(number) => self.asked = Some(number),
            Event::Signal(_) | Event::Keeper(_) | Event::Time => {}
            heard @ (Event::Daemon(_) | Event::DaemonGone | Event::Refused(_)) => {
                self.obey(heard, client, None);
            }
        }
    }
}
