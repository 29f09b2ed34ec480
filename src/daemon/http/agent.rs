//! Tells HAProxy's agent-check whether this node is master: one line to whoever connects.
//! Never reads a word, and never says `drain`: a planned handover ends mastership at once, and
//! sessions that go on at a node that is not master are what this is there to prevent.

use std::io;
use std::net::TcpStream;

use crate::daemon::driver::Driver;
use crate::daemon::http::door::{say_goodbye, write_all};
use crate::daemon::http::verdict::{Question, Sight};
use crate::daemon::waiting::Deadline;

/// The line for what is seen: `ready` takes back what an operator of HAProxy set through the agent
/// of another time; what follows `#` is shown on its page of statistics.
#[must_use]
pub fn line(sight: &Sight) -> String {
    let verdict = sight.judge(Question::Master);
    if verdict.is_yes { "up ready\n".to_owned() } else { format!("down #{}\n", verdict.reason) }
}

/// One caller.
pub(super) fn tell(socket: &TcpStream, deadline: Deadline, driver: &Driver) -> io::Result<()> {
    write_all(socket, deadline, line(&Sight::of(driver)).as_bytes())?;
    say_goodbye(socket, deadline)
}
