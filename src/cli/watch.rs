//! `status --watch`: the same status again every second and at every event.
//! Never leaves the terminal in another state than it found it.

use core::time::Duration;
use std::io;

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use crate::cli::args::Format;
use crate::cli::client::{self, ANSWER_LIMIT, Client, Trouble};
use crate::cli::columns;
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::cli::signals::{self, Notice};
use crate::cli::stopwatch::{Stopwatch, pause};
use crate::cli::style::{Style, Tone, span};
use crate::cli::terminal::{self, Screen};
use crate::cli::threads;
use crate::settings::paths::Place;
use crate::wire::control::{Request, Response, StatusReport};

/// How long one picture stays when nothing happens.
const REDRAW_EVERY: Duration = Duration::from_secs(1);

/// ^L: whatever else was written onto the screen goes.
const REDRAW_KEY: u8 = 0x0c;

/// How old an answer may be before the picture says so.
const STALE_AFTER: Duration = Duration::from_millis(2_500);

/// Shows the status until ^C, `q` or a signal.
///
/// # Errors
/// Trouble with the output; a daemon that is away is shown and asked again.
pub(super) fn watch(door: &Place, format: Format, console: &mut Console<'_>) -> Outcome {
    let notices = signals::catch()?;
    let changes = changes(door.clone())?;
    let mut screen = match (format, console.style.size) {
        (Format::Text, Some(_)) => Some(Screen::enter()?),
        (Format::Text, None) | (Format::Json, _) => None,
    };
    let keys = if screen.is_some() { terminal::keys()? } else { never() };
    let mut inquiry = Inquiry::begin(door.clone())?;
    let mut news = News::Seen;
    loop {
        match &mut screen {
            Some(screen) => {
                let size = terminal::size();
                let style = Style { size: Some(size), ..console.style };
                screen.draw(&picture(&inquiry, style), size)?;
            }
            None if news == News::Fresh => print(&inquiry, format, console)?,
            None => {}
        }
        news = News::Seen;
        select! {
            recv(notices) -> notice => if notice != Ok(Notice::Resized) { return Ok(Exit::Done) },
            recv(keys) -> key => match (key, &mut screen) {
                (Ok(b'q' | b'Q') | Err(_), _) => return Ok(Exit::Done),
                (Ok(REDRAW_KEY), Some(screen)) => screen.forget(),
                (Ok(_), _) => {}
            },
            recv(inquiry.answers) -> answer => {
                inquiry.take(answer.map_err(|_| Failure::new(Exit::No, "nobody asks any more"))?);
                news = News::Fresh;
            },
            recv(changes) -> _ => inquiry.ask(),
            default(REDRAW_EVERY) => inquiry.ask(),
        }
    }
}

/// Whether the latest answer was shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Seen,
    Fresh,
}

/// What a daemon answered.
type Answer = Result<StatusReport, Trouble>;

/// Asks beside the loop, so that keys and signals are heard while a daemon is silent.
struct Inquiry {
    questions: Sender<()>,
    answers: Receiver<Answer>,
    latest: Option<Answer>,
    heard: Stopwatch,
}

impl Inquiry {
    /// Asks for the first time.
    fn begin(door: Place) -> io::Result<Self> {
        let (questions, wanted) = bounded(1);
        let (answered, answers) = bounded(1);
        threads::spawn("asks", move || {
            while wanted.recv().is_ok() {
                if answered.send(client::status(&door, ANSWER_LIMIT)).is_err() {
                    return;
                }
            }
        })?;
        let inquiry = Self { questions, answers, latest: None, heard: Stopwatch::start() };
        inquiry.ask();
        Ok(inquiry)
    }

    fn ask(&self) {
        // A full channel already asks what there is to ask.
        let _ = self.questions.try_send(());
    }

    fn take(&mut self, answer: Answer) {
        self.latest = Some(answer);
        self.heard = Stopwatch::start();
    }
}

/// One picture for the screen.
fn picture(inquiry: &Inquiry, style: Style) -> String {
    let mut foot = vec![style.paint(Tone::Quiet, "  every second; q or ^C to leave")];
    let age = inquiry.heard.elapsed();
    if age > STALE_AFTER {
        let age = span(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let stale = format!("  the daemon has not answered for {age}: this is how it was then");
        foot.insert(0, style.paint(Tone::Bad, &stale));
    }
    let rows = style.rows();
    let room = rows.saturating_sub(foot.len());
    let mut lines = match &inquiry.latest {
        Some(Ok(report)) => render::picture(report, style, room),
        Some(Err(trouble)) => {
            let words = columns::wrapped(&trouble.to_string(), style.columns());
            words.iter().map(|line| style.paint(Tone::Bad, line)).take(room).collect()
        }
        None => vec!["asking the daemon".to_owned()],
    };
    if lines.len() < room {
        lines.push(String::new());
    }
    lines.extend(foot.iter().map(|line| style.cut(line, style.columns())));
    lines.join("\n")
}

/// The latest answer for a pipe.
fn print(inquiry: &Inquiry, format: Format, console: &mut Console<'_>) -> Result<(), Failure> {
    match (&inquiry.latest, format) {
        (Some(Ok(report)), Format::Json) => console.print_json(report),
        (Some(Ok(report)), Format::Text) => {
            console.print(&format!("{}\n", render::status(report, console.style)))
        }
        (Some(Err(trouble)), _) => {
            console.tell(&format!("quorate: {trouble}"));
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

/// Something on this channel says that the status has just changed. Several changes that come
/// together are one.
fn changes(door: Place) -> io::Result<Receiver<()>> {
    let (sender, receiver) = bounded(1);
    threads::spawn("changes", move || {
        loop {
            if let Err(trouble) = follow(&door, &sender) {
                log::debug!("cannot follow events: {trouble}");
            }
            pause(REDRAW_EVERY);
        }
    })?;
    Ok(receiver)
}

fn follow(door: &Place, changed: &Sender<()>) -> Result<(), Trouble> {
    let mut client = Client::connect(door, ANSWER_LIMIT)?;
    client.say(&Request::Events { follow: true })?;
    client.be_patient(None)?;
    while let Response::Event(_) = client.hear()? {
        // A full channel already says what there is to say.
        let _ = changed.try_send(());
    }
    Ok(())
}
