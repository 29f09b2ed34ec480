//! Owns the terminal while something is shown on it again and again: the alternate screen, the
//! keys, and the way back. Never decides what is shown.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Mutex, Once, PoisonError};

use crossbeam_channel::{Receiver, bounded};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

use crate::cli::columns;
use crate::cli::threads;

/// How the terminal was before; there is one terminal, so this is a static.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

/// Switch to the second screen and hide the cursor; and the way back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

struct Before {
    /// `None` when standard input is no terminal: then there are no keys.
    keyboard: Option<Termios>,
}

/// The second screen, until dropped.
#[derive(Debug)]
pub(super) struct Screen {
    /// What is on it, line by line.
    shown: Vec<String>,
    /// How large it was then.
    size: (usize, usize),
}

impl Screen {
    /// Takes the terminal: keys come one by one and unseen; ^C still interrupts.
    ///
    /// # Errors
    /// What the terminal says when it refuses.
    pub(super) fn enter() -> io::Result<Self> {
        restore_on_panic();
        let stdin = io::stdin();
        let keyboard = if stdin.is_terminal() { Some(tcgetattr(&stdin)?) } else { None };
        if let Some(before) = &keyboard {
            let mut silent = before.clone();
            silent.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            // ^Z would leave the shell on the second screen: it does nothing meanwhile.
            silent.special_codes[SpecialCodeIndex::VSUSP] = 0;
            tcsetattr(&stdin, OptionalActions::Now, &silent)?;
        }
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Before { keyboard });
        let screen = Self { shown: Vec::new(), size: (0, 0) };
        put(ENTER)?;
        Ok(screen)
    }

    /// Shows `frame`, which was laid out for `size`, in place of the last one, without flicker:
    /// what did not change is not written.
    ///
    /// # Errors
    /// What the terminal says when it is gone.
    pub(super) fn draw(&mut self, frame: &str, size: (usize, usize)) -> io::Result<()> {
        let mut lines = columns::lines(frame.trim_end_matches('\n'));
        lines.truncate(size.1);
        let mut text = String::new();
        if size != self.size {
            self.forget();
            self.size = size;
            text.push_str("\x1b[2J");
        }
        for (row, line) in lines.iter().enumerate() {
            if self.shown.get(row) != Some(line) {
                // Emptied first: behind a line that fills its row the cursor stands on its end.
                text.push_str(&format!("\x1b[{};1H\x1b[2K{line}", row + 1));
            }
        }
        if lines.len() < self.shown.len() {
            text.push_str(&format!("\x1b[{};1H\x1b[J", lines.len() + 1));
        }
        self.shown = lines;
        if text.is_empty() { Ok(()) } else { put(&format!("\x1b[?2026h{text}\x1b[?2026l")) }
    }

    /// Has the next frame written whole.
    pub(super) fn forget(&mut self) {
        self.size = (0, 0);
        self.shown.clear();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// The terminal's columns and rows; 80 x 24 if it does not say.
#[must_use]
pub(super) fn size() -> (usize, usize) {
    let said = tcgetwinsize(io::stdout()).ok();
    let said = said.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    said.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
}

/// The keys pressed from now on, byte by byte; the channel stays silent without a keyboard.
///
/// # Errors
/// What the system says when there is no room for another thread.
pub(super) fn keys() -> io::Result<Receiver<u8>> {
    let (sender, receiver) = bounded(64);
    threads::spawn("keys", move || {
        let mut key = [0];
        while let Ok(1) = io::stdin().read(&mut key) {
            if sender.send(key[0]).is_err() {
                return;
            }
        }
        // Without a keyboard the channel must stay open, or its reader would spin.
        loop {
            std::thread::park();
        }
    })?;
    Ok(receiver)
}

/// Brings the terminal back to how it was; does nothing the second time.
fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(before) = before else { return };
    if let Some(keyboard) = before.keyboard {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &keyboard);
    }
    // As above.
    let _ = put(LEAVE);
}

/// A panic message must be readable, and the shell after it usable.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            tell(panic);
        }));
    });
}

fn put(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}
