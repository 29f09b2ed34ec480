//! `demo --once`: elect, kill, fail over, fail back, hand over; told as it happens, with measured
//! times. Never goes on after a step that did not come true.

use core::time::Duration;

use crossbeam_channel::{Receiver, select};

use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::demo::board::Board;
use crate::cli::demo::cluster::{COOLDOWN, Cluster, Life};
use crate::cli::demo::watcher::{self, Observation};
use crate::cli::exit::Exit;
use crate::cli::signals::Notice;
use crate::cli::stopwatch::Stopwatch;
use crate::cli::style::Tone;
use crate::settings::words;

/// How often each node is asked: short, for the measured times depend on it a little.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// What every step may take beyond its share of dead_after.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often ended processes are looked for.
const REAP_EVERY: Duration = Duration::from_millis(20);

/// Tells the whole story.
///
/// # Errors
/// The first step that did not come true.
pub(super) fn tell(
    cluster: &mut Cluster,
    notices: &Receiver<Notice>,
    console: &mut Console<'_>,
) -> Outcome {
    let clock = Stopwatch::start();
    let doors: Vec<_> = (0..cluster.size()).map(|index| cluster.door(index).clone()).collect();
    let observations = watcher::watch(doors.into_iter(), clock, ASK_EVERY)?;
    let board = Board::new(cluster.size());
    let mut story = Story { cluster, board, clock, observations, notices, console, leaving: None };
    story.elect()?;
    if story.cluster.size() > story.cluster.majority() {
        story.lead_for_a_while()?;
        story.lose_the_master()?;
        story.come_back()?;
        story.leave_politely()?;
    } else {
        story.lose_the_quorum()?;
    }
    story.say("the end", "everything as it should be")?;
    Ok(Exit::Done)
}

struct Story<'a, 'b> {
    cluster: &'a mut Cluster,
    board: Board,
    clock: Stopwatch,
    observations: Receiver<Observation>,
    notices: &'a Receiver<Notice>,
    console: &'a mut Console<'b>,
    /// The node that was asked to end; any other end is a fault.
    leaving: Option<usize>,
}

impl Story<'_, '_> {
    fn elect(&mut self) -> Result<(), Failure> {
        let [size, majority] = [self.cluster.size(), self.cluster.majority()];
        let nodes = words::count(size, "real node");
        let title = format!("{nodes}, timing {}", self.cluster.timing().name());
        self.console.print(&format!("quorate demo: {title}, {majority} must agree\n\n"))?;
        self.say(&format!("a browser sees it at {}", self.cluster.page()), "")?;
        let started = self.clock.elapsed();
        for index in 0..size {
            self.cluster.start(index)?;
        }
        self.say(&format!("{} started", words::count(size, "daemon")), "")?;
        let acting = self.until("nobody was elected", |board, _| board.acting().is_some())?;
        self.say_master(&format!("{} after the start", ms(acting.saturating_sub(started))))?;
        // The first to be ready may have won; the preferred one then gets it after its cooldown.
        self.until("alpha never led with everybody following", |board, cluster| {
            board.acting() == Some(0) && is_agreed(board, cluster)
        })?;
        self.say("everybody follows alpha, the preferred node", "")
    }

    /// A preferred node that falls soon after it came waits twice as long the next time. Here it
    /// first leads for longer than its cooldown.
    fn lead_for_a_while(&mut self) -> Result<(), Failure> {
        let since = self.clock.elapsed();
        let enough = since + COOLDOWN + self.dead_after();
        self.until("alpha did not stay master", |board, _| {
            board.acting() == Some(0) && board.seats[0].seen_at >= enough
        })?;
        let led = ms(self.clock.elapsed().saturating_sub(since));
        self.say("alpha leads undisturbed", &format!("for {led}, longer than the cooldown"))
    }

    fn lose_the_master(&mut self) -> Result<(), Failure> {
        let dead_after = self.dead_after();
        let killed = self.kill_alpha()?;
        let acting = self.until("nobody took over", |board, _| {
            board.acting().is_some_and(|acting| acting != 0)
        })?;
        let took = acting.saturating_sub(killed);
        let ratio = took.as_secs_f64() / dead_after.as_secs_f64();
        let measured =
            format!("{} after the kill, {ratio:.2} x dead_after ({})", ms(took), ms(dead_after));
        self.say_master(&measured)
    }

    fn come_back(&mut self) -> Result<(), Failure> {
        let interim = self.board.acting().unwrap_or(0);
        self.restart_alpha()?;
        let back = self.until("alpha did not come back", is_agreed)?;
        let interim_name = self.cluster.name(interim);
        self.say(&format!("alpha follows {interim_name} at first"), "")?;
        let acting =
            self.until("alpha did not get mastership back", |board, _| board.acting() == Some(0))?;
        let waited = ms(acting.saturating_sub(back));
        let elected = self.board.seats[0].elected_at.unwrap_or(acting);
        let demoted = self.board.seats[interim].demoted_at.unwrap_or(elected);
        let gap = ms(elected.saturating_sub(demoted));
        self.say_master(&format!("handed over in {gap}, {waited} after alpha was back"))
    }

    fn leave_politely(&mut self) -> Result<(), Failure> {
        self.until("not everybody followed alpha again", is_agreed)?;
        self.say("SIGTERM to alpha", "")?;
        self.leaving = Some(0);
        let asked = self.clock.elapsed();
        self.cluster.terminate(0);
        let acting = self.until("nobody took over", |board, _| {
            board.acting().is_some_and(|acting| acting != 0)
        })?;
        self.say_master(&format!("{} after the signal", ms(acting.saturating_sub(asked))))?;
        self.until("alpha did not end", |_, cluster| cluster.life(0) == Life::Ended)?;
        self.say("alpha has handed over and ended", "")
    }

    /// With one or two nodes the loss of one is the loss of the quorum.
    fn lose_the_quorum(&mut self) -> Result<(), Failure> {
        let dead_after = self.dead_after();
        let killed = self.kill_alpha()?;
        if self.cluster.size() > 1 {
            let enough = killed + dead_after * 3;
            self.until("somebody led without a quorum", |board, _| {
                board.acting().is_none() && board.seats[1].seen_at >= enough
            })?;
            self.say("nobody leads: one of two is no majority", "as it must be")?;
        }
        let restarted = self.restart_alpha()?;
        let acting = self.until("nobody was elected", |board, _| board.acting().is_some())?;
        self.say_master(&format!("{} after the restart", ms(acting.saturating_sub(restarted))))
    }

    fn kill_alpha(&mut self) -> Result<Duration, Failure> {
        let killed = self.clock.elapsed();
        self.cluster.kill(0);
        self.board.restart(0, self.clock.elapsed());
        self.say("kill -9 alpha", "")?;
        Ok(killed)
    }

    fn restart_alpha(&mut self) -> Result<Duration, Failure> {
        let restarted = self.clock.elapsed();
        self.board.restart(0, restarted);
        self.cluster.start(0)?;
        self.say("alpha started again", "")?;
        Ok(restarted)
    }

    /// Waits until `is_so`, and says when it was seen; `otherwise` is what went wrong if it is not.
    fn until(
        &mut self,
        otherwise: &str,
        is_so: impl Fn(&Board, &Cluster) -> bool,
    ) -> Result<Duration, Failure> {
        let waited = Stopwatch::start();
        let limit = PATIENCE + self.dead_after() * 10;
        loop {
            select! {
                recv(self.observations) -> observation => {
                    let observation = observation.map_err(|_| fault("the watchers are gone"))?;
                    let at = observation.at;
                    self.board.take(observation);
                    self.check()?;
                    if is_so(&self.board, self.cluster) {
                        return Ok(at);
                    }
                }
                recv(self.notices) -> notice => if notice != Ok(Notice::Resized) {
                    return Err(Failure::new(Exit::TryAgain, "interrupted"));
                },
                default(REAP_EVERY) => {}
            }
            if waited.elapsed() > limit {
                return Err(fault(&format!("{otherwise} within {}", ms(limit))));
            }
        }
    }

    /// What must hold at every moment.
    fn check(&mut self) -> Result<(), Failure> {
        if let Some((first, second)) = self.board.rivals() {
            let [first, second] = [first, second].map(|index| self.cluster.name(index));
            return Err(fault(&format!("{first} and {second} both act in one term")));
        }
        for (index, status) in self.cluster.reap() {
            let name = self.cluster.name(index);
            if self.leaving != Some(index) || !status.success() {
                return Err(fault(&format!("the daemon of {name} ended: {status}")));
            }
            self.board.restart(index, self.clock.elapsed());
        }
        Ok(())
    }

    /// dead_after as the nodes say; before they do, that of the slowest preset.
    fn dead_after(&self) -> Duration {
        let said = self.board.seats.iter().find_map(|seat| seat.status.as_ref());
        said.map_or(Duration::from_secs(8), |status| Duration::from_millis(status.dead_after_ms))
    }

    fn say_master(&mut self, measured: &str) -> Result<(), Failure> {
        let Some(acting) = self.board.acting() else { return Ok(()) };
        let name = self.cluster.name(acting);
        let term = self.board.seats[acting].status.as_ref().map_or(0, |status| status.term);
        let what = format!("{name} is master in term {term}");
        let padded = format!("{what:<34}");
        let painted = self.console.style.paint(Tone::Good, &padded);
        self.print_line(&painted, measured)
    }

    fn say(&mut self, what: &str, measured: &str) -> Result<(), Failure> {
        self.print_line(&format!("{what:<34}"), measured)
    }

    fn print_line(&mut self, what: &str, measured: &str) -> Result<(), Failure> {
        let at = format!("{:>8.3} s", self.clock.elapsed().as_secs_f64());
        let at = self.console.style.paint(Tone::Quiet, &at);
        let line = format!("{at}  {what}  {measured}");
        self.console.print(&format!("{}\n", line.trim_end()))
    }
}

/// Whether every running node follows the one that acts.
fn is_agreed(board: &Board, cluster: &Cluster) -> bool {
    let Some(acting) = board.acting() else { return false };
    let name = cluster.name(acting);
    let mut running = (0..cluster.size()).filter(|index| cluster.life(*index) == Life::Running);
    running.all(|index| board.seats[index].believes_in() == Some(name))
}

fn fault(message: &str) -> Failure {
    Failure::new(Exit::No, format!("the demo failed: {message}"))
}

fn ms(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}
