//! Does the steps of a page on a simulated cluster and hands what happens to the story.
//! Never words a line; `story` and `note` do.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};

use crate::protocol::effects::{Order, Wish};
use crate::protocol::membership::Failback;
use crate::protocol::message::Message;
use crate::protocol::timing::Timing;
use crate::protocol::units::Term;
use crate::sim::charters::{self, Settings};
use crate::sim::history::Fact;
use crate::spec::stage::{PATIENCE, Stage};

use super::note::{self, Note};
use super::script::{Hope, Step, name};
use super::story::{Fate, Story};

/// What every edit of a transcript asks for; it differs from what clusters are founded with.
const EDITED: Failback = Failback::After(Duration::from_secs(60));

/// How long a new cluster is left alone: sessions open, everybody hears everybody.
const SETTLING: Duration = Duration::from_secs(1);

/// Who wins where all start together.
const PREFERRED: usize = 0;

/// A cluster, and who overhears it.
pub(super) struct Scene {
    stage: Stage,
    ear: Receiver<Note>,
    /// Lines so far in this block.
    story: Story,
    /// When this block began.
    began: Duration,
    /// Who acted in each term.
    actors: BTreeMap<Term, usize>,
}

impl Scene {
    /// A new cluster; its daemons start within the first moments.
    pub(super) fn found(size: usize, failback: Option<Duration>, seed: u64) -> Self {
        let (mouth, ear) = channel();
        let failback = failback.map_or(Failback::Never, Failback::After);
        let listener = Box::new(move |fact: &Fact<'_>| {
            if let Some(note) = Note::of(fact) {
                // The ear lives as long as the stage, in the same struct.
                mouth.send(note).expect("somebody listens");
            }
        });
        let stage = Stage::overheard(size, failback, seed, listener);
        let (story, began, actors) = Default::default();
        Self { stage, ear, story, began, actors }
    }

    /// The beginning that most pages share: the preferred node leads, and all know it.
    pub(super) fn settle(&mut self) {
        self.run(PATIENCE, |scene| scene.stage.acting() == Some(PREFERRED));
        self.run(SETTLING, |_| false);
        self.begin();
    }

    /// A new block: its times count from now.
    pub(super) fn begin(&mut self) {
        self.began = self.stage.now();
        self.story = Story::default();
    }

    /// What happened in this block.
    pub(super) fn lines(&self) -> Vec<String> {
        self.story.lines(self.time())
    }

    /// Does a step: to the cluster, or by waiting for it and looking at it.
    pub(super) fn play(&mut self, step: &Step, words: &str) -> Result<(), String> {
        let stage = &self.stage;
        match *step {
            Step::Run(span) => {
                self.run(span, |_| false);
                Ok(())
            }
            Step::RunUntil(ref hope) => self.run_until(hope, words),
            Step::Expect(ref hope) => so(self.is_so(hope, 0), words),
            Step::ExpectOnly { node, span } => self.watch(node, span, words),
            Step::ExpectTerm { node, term } => so(stage.term(node).0 == term, words),
            Step::ExpectSameDocument { one, other } => {
                let [one, other] = [one, other].map(|node| stage.disk(node).accepted);
                so((one.position, one.hash) == (other.position, other.hash), words)
            }
            _ => {
                self.story.deed(self.time(), "", words);
                self.strike(step);
                self.overhear();
                Ok(())
            }
        }
    }

    /// Does something to the cluster.
    fn strike(&mut self, step: &Step) {
        let stage = &mut self.stage;
        match *step {
            Step::Cut { one, other } => stage.cut(one, other),
            Step::CutOneWay { from, to } => stage.cut_one_way(from, to),
            Step::Isolate(node) => stage.isolate(node),
            Step::Heal => stage.heal(),
            Step::Delay(delay) => stage.set_delay(delay),
            Step::Crash(node) => stage.crash(node),
            Step::Start(node) => stage.start(node),
            Step::BreakDisk(node) => stage.break_disk(node),
            Step::MendDisk(node) => stage.mend_disk(node),
            Step::Edit(node) => {
                let settings = Settings::plain(Timing::LAN, EDITED);
                let wish = stage.next_edit(node, settings);
                stage.wish(node, wish);
            }
            Step::HandOver { from, to } => {
                stage.wish(from, Wish::Transfer { to: Some(charters::name(to)) });
            }
            // The cluster was founded with this scene; the others do nothing to it.
            Step::Found { .. }
            | Step::Run(_)
            | Step::RunUntil(_)
            | Step::Expect(_)
            | Step::ExpectOnly { .. }
            | Step::ExpectTerm { .. }
            | Step::ExpectSameDocument { .. } => {}
        }
    }

    fn time(&self) -> Duration {
        self.stage.now() - self.began
    }

    /// Lets `span` pass, or less if `is_enough` after some event. Says whether it was.
    fn run(&mut self, span: Duration, is_enough: impl Fn(&Self) -> bool) -> bool {
        let limit = self.stage.now() + span;
        while !is_enough(self) {
            if !self.stage.advance(limit) {
                return false;
            }
            self.overhear();
        }
        true
    }

    fn run_until(&mut self, hope: &Hope, words: &str) -> Result<(), String> {
        let heard = self.story.len();
        let came = self.run(PATIENCE, |scene| scene.is_so(hope, heard));
        if came { Ok(()) } else { Err(format!("never came to be: {words}")) }
    }

    fn watch(&mut self, node: usize, span: Duration, words: &str) -> Result<(), String> {
        let is_wrong = |scene: &Self| scene.stage.acting() != Some(node);
        so(!self.run(span, is_wrong), words)
    }

    /// Whether it is so; lines before the first `heard` ones do not count.
    fn is_so(&self, hope: &Hope, heard: usize) -> bool {
        match hope {
            Hope::Acts(node) => self.stage.acting() == Some(*node),
            Hope::SomebodyActs => self.stage.acting().is_some(),
            Hope::NobodyActs => self.stage.acting().is_none(),
            Hope::Line { node, words } => self.story.has_line(heard, name(*node), words),
        }
    }

    /// Tells the story what was noted since the last time; it all happened just now.
    fn overhear(&mut self) {
        let mut notes: Vec<Note> = self.ear.try_iter().collect();
        notes.sort_by_key(Note::place);
        for note in notes {
            self.tell(note);
        }
    }

    fn tell(&mut self, note: Note) {
        let at = self.time();
        let mut deed = |node: usize, words: Option<String>| {
            if let Some(words) = words {
                self.story.deed(at, name(node), &words);
            }
        };
        match note {
            Note::Wrote { node, before, after } => deed(node, note::of_write(&before, &after)),
            Note::Started { node } => deed(node, Some(note::of_start(&self.stage.disk(node)))),
            Note::Died { term } => {
                let who = self.actors.get(&term).map_or("", |node| name(*node));
                self.story.deed(at, who, &format!("all that acted here in {term:?} is dead"));
            }
            Note::Told { node, event } => deed(node, note::of_event(&event)),
            Note::Ordered { node, order } => self.order(node, order),
            Note::Began { node, term } => {
                deed(node, Some(format!("ACTS as master in {term:?}")));
                self.actors.insert(term, node);
            }
            Note::Said { from, to, message } => self.say(from, to, &message),
            Note::Answered { answer } => self.story.deed(at, "", &note::of_answer(&answer)),
        }
    }

    fn order(&mut self, node: usize, order: Order) {
        let at = self.time();
        let ms = |moment| (at + self.stage.until(node, moment)).as_millis();
        let words = match order {
            Order::Start { term, until, .. } => {
                format!("orders its guard: act in {term:?} until {} ms", ms(until))
            }
            Order::Stop { term, kill } => {
                format!("orders its guard: stop {term:?} now, kill at {} ms", ms(kill))
            }
            Order::Extend { until, .. } => {
                let until = at + self.stage.until(node, until);
                return self.story.extend(node, until);
            }
        };
        self.story.deed(at, name(node), &words);
    }

    fn say(&mut self, from: usize, to: usize, message: &Message) {
        let at = self.time();
        let fate = match (self.stage.is_up(to), self.stage.is_cut(from, to)) {
            (false, _) => Fate::Down,
            (true, true) => Fate::Cut,
            (true, false) => Fate::Arrives,
        };
        match message {
            Message::Heartbeat(beat) => {
                self.story.heartbeat(at, (from, beat.term, beat.sequence), to, fate);
            }
            Message::HeartbeatAck(ack) => {
                let refusal = note::of_verdict(&ack.verdict);
                self.story.answer((to, ack.term, ack.sequence), from, fate, refusal);
            }
            _ => {
                if let Some(words) = note::of_message(message) {
                    self.story.speech(at, from, to, fate, words);
                }
            }
        }
    }
}

/// An expectation, and what it was called.
fn so(is_so: bool, words: &str) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(format!("not so: {words}")) }
}
