//! The live demo: draws what is known, takes keys, does what they ask.
//! Never waits for a node: what may take long runs beside the screen.

use core::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use crate::cli::client;
use crate::cli::commands::Outcome;
use crate::cli::console::Failure;
use crate::cli::demo::board::Board;
use crate::cli::demo::cluster::{Cluster, Life};
use crate::cli::demo::view::{self, Picture, Row};
use crate::cli::demo::watcher;
use crate::cli::exit::Exit;
use crate::cli::signals::Notice;
use crate::cli::stopwatch::Stopwatch;
use crate::cli::style::Style;
use crate::cli::terminal::{self, Screen};
use crate::cli::threads;
use crate::wire::control::{Request, Response};

/// How often each node is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How often the screen is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// How long a handover may take before its outcome counts as unknown.
const HANDOVER_LIMIT: Duration = Duration::from_secs(30);

/// What a step-down holds the node off.
const HOLD_OFF_MS: u64 = 10_000;

/// Shows the cluster until `q`, ^C or a signal.
///
/// # Errors
/// What the terminal or the system says.
pub(super) fn show(cluster: &mut Cluster, notices: &Receiver<Notice>, style: Style) -> Outcome {
    let clock = Stopwatch::start();
    let doors: Vec<_> = (0..cluster.size()).map(|index| cluster.door(index).clone()).collect();
    let observations = watcher::watch(doors.into_iter(), clock, ASK_EVERY)?;
    for index in 0..cluster.size() {
        cluster.start(index)?;
    }
    let (answers_in, answers) = bounded(16);
    let board = Board::new(cluster.size());
    let mut live = Live { cluster, board, clock, selected: 0, answers_in };
    // Whoever kills the demo itself finds them there, and may remove them.
    let place = live.cluster.directory().display().to_string();
    live.note(format!("state and logs are in {place} until the demo ends"));
    live.note(format!("a browser sees the cluster at {}", live.cluster.page()));
    let mut screen = Screen::enter()?;
    let keys = terminal::keys()?;
    let mut drawn = Stopwatch::start();
    live.draw(&mut screen, style)?;
    loop {
        select! {
            recv(observations) -> observation => match observation {
                Ok(observation) => live.board.take(observation),
                Err(_) => return Err(Failure::new(Exit::No, "the watchers are gone")),
            },
            recv(keys) -> key => {
                if live.press(key.unwrap_or(b'q'))? == Wish::Leave {
                    return Ok(Exit::Done);
                }
                live.draw(&mut screen, style)?;
            }
            recv(answers) -> answer => if let Ok(answer) = answer {
                live.note(answer);
            },
            recv(notices) -> notice => if notice != Ok(Notice::Resized) {
                return Ok(Exit::Done);
            },
            default(drawn.left_of(DRAW_EVERY)) => {}
        }
        if drawn.elapsed() >= DRAW_EVERY {
            live.reap();
            live.draw(&mut screen, style)?;
            drawn = Stopwatch::start();
        }
    }
}

/// What a key asks of the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Stay,
    Leave,
}

struct Live<'a> {
    cluster: &'a mut Cluster,
    board: Board,
    clock: Stopwatch,
    selected: usize,
    answers_in: Sender<String>,
}

impl Live<'_> {
    fn press(&mut self, key: u8) -> Result<Wish, Failure> {
        let index = self.selected;
        match key {
            b'1'..=b'9' => {
                let chosen = usize::from(key - b'1');
                if chosen < self.cluster.size() {
                    self.selected = chosen;
                }
            }
            b'k' => self.kill(index),
            b'p' => self.pause_or_resume(index),
            b'c' => self.cut_or_heal(index),
            b'r' => self.restart(index)?,
            b't' => self.transfer(index)?,
            b's' => self.step_down(index)?,
            b'q' | b'Q' => return Ok(Wish::Leave),
            _ => {}
        }
        Ok(Wish::Stay)
    }

    fn kill(&mut self, index: usize) {
        if self.cluster.life(index) != Life::Ended {
            self.cluster.kill(index);
            self.board.restart(index, self.clock.elapsed());
            self.note(format!("kill -9 {}", self.cluster.name(index)));
        }
    }

    fn pause_or_resume(&mut self, index: usize) {
        let name = self.cluster.name(index);
        match self.cluster.life(index) {
            Life::Running => {
                self.cluster.pause(index);
                self.note(format!("SIGSTOP {name}"));
            }
            Life::Paused => {
                self.cluster.resume(index);
                self.note(format!("SIGCONT {name}"));
            }
            Life::Ended => self.note(format!("{name} does not run: r starts it again")),
        }
    }

    fn cut_or_heal(&mut self, index: usize) {
        let name = self.cluster.name(index);
        if self.cluster.is_cut(index) {
            self.cluster.heal(index);
            self.note(format!("{name} is connected again"));
        } else {
            self.cluster.cut(index);
            self.note(format!("{name} is cut off from the others"));
        }
    }

    fn restart(&mut self, index: usize) -> Result<(), Failure> {
        let name = self.cluster.name(index);
        if self.cluster.life(index) != Life::Ended {
            self.cluster.kill(index);
        }
        self.board.restart(index, self.clock.elapsed());
        self.cluster.start(index)?;
        self.note(format!("{name} is started"));
        Ok(())
    }

    fn transfer(&mut self, index: usize) -> Result<(), Failure> {
        let to = self.cluster.name(index);
        self.note(format!("transfer to {to}"));
        self.ask_master(Request::Transfer { to: Some(to.to_owned()) })
    }

    fn step_down(&mut self, index: usize) -> Result<(), Failure> {
        self.note(format!("{} is asked to step down", self.cluster.name(index)));
        self.ask(index, Request::StepDown { hold_off_ms: HOLD_OFF_MS })
    }

    /// Asks the acting master; without one, the selected node, which then says why not.
    fn ask_master(&mut self, request: Request) -> Result<(), Failure> {
        let index = self.board.acting().unwrap_or(self.selected);
        self.ask(index, request)
    }

    fn ask(&mut self, index: usize, request: Request) -> Result<(), Failure> {
        let door = self.cluster.door(index).clone();
        let answers = self.answers_in.clone();
        threads::spawn("handover", move || {
            let words = match client::ask(&door, &request, HANDOVER_LIMIT) {
                Ok(Response::Handover(report)) => report.message,
                Ok(_) => "an answer to another question".to_owned(),
                Err(trouble) => trouble.to_string(),
            };
            // When the demo has ended nobody wants the answer.
            let _ = answers.send(words);
        })?;
        Ok(())
    }

    /// Notes the nodes that ended by themselves.
    fn reap(&mut self) {
        for (index, status) in self.cluster.reap() {
            self.board.restart(index, self.clock.elapsed());
            self.note(format!("the daemon of {} ended: {status}", self.cluster.name(index)));
        }
    }

    fn note(&mut self, what: String) {
        self.board.note(self.clock.elapsed(), what);
    }

    fn draw(&self, screen: &mut Screen, style: Style) -> Result<(), Failure> {
        let row = |index: usize| Row {
            name: self.cluster.name(index),
            life: self.cluster.life(index),
            is_cut: self.cluster.is_cut(index),
            seat: &self.board.seats[index],
        };
        let picture = Picture {
            rows: (0..self.cluster.size()).map(row).collect(),
            board: &self.board,
            selected: self.selected,
            timing: self.cluster.timing().name(),
            now: self.clock.elapsed(),
        };
        let size = terminal::size();
        let style = Style { size: Some(size), ..style };
        screen.draw(&view::screen(&picture, style), size)?;
        Ok(())
    }
}
