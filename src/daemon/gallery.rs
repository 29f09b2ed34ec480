//! Looks after the sessions of all observers, both ways, in one thread: they hear a beat and say
//! little, and threads of their own would be most of what they cost.
//! Never waits for one of them, and never keeps the session of a node that votes.
//!
//! ```text
//!  links ──── Reach ──┐                      ┌─ Writer: outbox ─▶ its socket
//!  listener ─ Read ───┼─▶ errands ─▶ seats ──┤
//!  calls ──── Called ─┘                      └─ Reader: its socket ─▶ deliver()
//! ```

mod reader;
mod writer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use crate::daemon::listener;
use crate::daemon::peer::{Link, Reached};
use crate::daemon::session::Session;
use crate::daemon::shared::{Inbound, Shared};
use crate::daemon::spawn::spawn;
use crate::daemon::vigil::{Vigil, Wants};
use crate::daemon::waiting::{Bell, Deadline};
use crate::protocol::units::NodeId;

use reader::Reader;
use writer::{Copied, Next, Writer};

/// How many observers are called at once: whoever restarts meets them in turn, instead of giving
/// each a thread and a handshake at the same moment.
pub(crate) const CALLS_MAX: usize = 32;
/// The number of the gallery's own bell; a seat has two, its bell's and its socket's.
const OWN_BELL: u64 = u64::MAX;

/// What the gallery is asked to do.
pub(crate) enum Errand {
    /// Reach an observer, for as long as its outbox is open.
    Reach(Arc<Link>),
    /// The call for that seat ended: a session, or why there is none.
    Called(u64, Result<Reached, String>),
    /// Hear an observer that called.
    Read(Arc<Inbound>, Box<Session>),
    /// That one votes now: its sessions go on in threads of their own.
    Rise(NodeId),
}

/// The way to the thread of all observers.
#[derive(Debug)]
pub(crate) struct Gallery {
    bell: Bell,
    errands: Mutex<Vec<Errand>>,
}

impl std::fmt::Debug for Errand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Errand")
    }
}

impl Gallery {
    /// Opens it, with nobody in it.
    pub(crate) fn open(shared: &Arc<Shared>) -> io::Result<Arc<Self>> {
        let gallery = Arc::new(Self { bell: Bell::new()?, errands: Mutex::default() });
        let vigil = Vigil::new()?;
        vigil.add(&gallery.bell, OWN_BELL, Wants::READING)?;
        let mut room = Room {
            shared: Arc::clone(shared),
            gallery: Arc::clone(&gallery),
            vigil,
            seats: BTreeMap::new(),
            alarms: BTreeSet::new(),
            to_call: VecDeque::new(),
            calls: 0,
            copied: Copied::default(),
            next: 0,
        };
        spawn("observers", move || room.run())?;
        Ok(gallery)
    }

    /// Asks for `errand`.
    pub(crate) fn put(&self, errand: Errand) {
        self.errands.lock().unwrap_or_else(PoisonError::into_inner).push(errand);
        self.bell.ring();
    }

    fn errands(&self) -> Vec<Errand> {
        // They are taken whole; nothing half-changed is ever seen.
        std::mem::take(&mut *self.errands.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the thread look around: the network may be closing.
    pub(crate) fn wake(&self) {
        self.bell.ring();
    }
}

/// What woke a seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wake {
    Socket,
    Bell,
    Time,
}

/// One session, or the way to one, and what is waited for on its behalf.
struct Seat {
    who: Who,
    socket: Option<(Arc<TcpStream>, Wants)>,
    has_bell: bool,
    due: Option<Deadline>,
}

enum Who {
    Reader(Reader),
    Writer(Writer),
}

impl Who {
    fn peer(&self) -> &NodeId {
        match self {
            Self::Reader(reader) => &reader.caller.peer,
            Self::Writer(writer) => &writer.link.peer,
        }
    }

    fn socket(&self) -> Option<(Arc<TcpStream>, Wants)> {
        match self {
            Self::Reader(reader) => Some(reader.socket()),
            Self::Writer(writer) => writer.socket(),
        }
    }

    fn due(&self) -> Option<Deadline> {
        match self {
            Self::Reader(reader) => Some(reader.due()),
            Self::Writer(writer) => writer.due(),
        }
    }
}

/// The thread's own side.
struct Room {
    shared: Arc<Shared>,
    gallery: Arc<Gallery>,
    vigil: Vigil,
    seats: BTreeMap<u64, Seat>,
    alarms: BTreeSet<(Deadline, u64)>,
    /// Whom to call as soon as fewer calls are under way.
    to_call: VecDeque<u64>,
    calls: usize,
    copied: Copied,
    next: u64,
}

impl Room {
    fn run(&mut self) {
        while !self.shared.is_closing() {
            let first = self.alarms.first().map(|(deadline, _)| *deadline);
            let ready = self.vigil.wait(first).expect("an epoll of our own can be waited for");
            for number in ready {
                if number == OWN_BELL {
                    self.gallery.bell.hush();
                } else {
                    let wake = if number % 2 == 0 { Wake::Bell } else { Wake::Socket };
                    self.turn(number / 2, wake);
                }
            }
            let errands = self.gallery.errands();
            errands.into_iter().for_each(|errand| self.run_errand(errand));
            let now = Deadline::now();
            while let Some((_, number)) = self.alarms.first().filter(|(due, _)| *due <= now) {
                self.turn(*number, Wake::Time);
            }
            self.call_more();
            self.copied.end_of_round();
        }
    }

    /// Gives a seat its turn, and looks what it waits for then.
    fn turn(&mut self, number: u64, wake: Wake) {
        let Some(mut seat) = self.seats.remove(&number) else { return };
        let next = match &mut seat.who {
            Who::Reader(reader) => reader.turn(&self.shared, wake),
            Who::Writer(writer) => writer.turn(&self.shared, &mut self.copied, wake),
        };
        match next {
            Next::Stay => {}
            Next::Call => self.to_call.push_back(number),
            Next::End => return self.unseat(number, seat),
        }
        self.settle(number, seat);
    }

    /// Waits for what the seat waits for.
    fn settle(&mut self, number: u64, mut seat: Seat) {
        if let Err(error) = self.watch(number, &mut seat) {
            // Without being waited for it would never have a turn again: its end is one.
            let next = match &mut seat.who {
                Who::Reader(reader) => reader.fail(&self.shared, error),
                Who::Writer(writer) => writer.fail(&self.shared, error),
            };
            match next {
                Next::Stay => {}
                Next::Call => self.to_call.push_back(number),
                Next::End => return self.unseat(number, seat),
            }
        }
        let due = seat.who.due();
        if due != seat.due {
            seat.due.map(|was| self.alarms.remove(&(was, number)));
            due.map(|due| self.alarms.insert((due, number)));
            seat.due = due;
        }
        self.seats.insert(number, seat);
    }

    fn watch(&self, number: u64, seat: &mut Seat) -> io::Result<()> {
        let (was, is) = (seat.socket.take(), seat.who.socket());
        match (&was, &is) {
            (Some((old, had)), Some((new, wants))) if Arc::ptr_eq(old, new) => {
                if had != wants {
                    self.vigil.change(&**new, number * 2 + 1, *wants)?;
                }
            }
            (old, new) => {
                if let Some((old, _)) = old {
                    self.vigil.forget(&**old);
                }
                if let Some((new, wants)) = new {
                    self.vigil.add(&**new, number * 2 + 1, *wants)?;
                }
            }
        }
        seat.socket = is;
        if let Who::Writer(writer) = &seat.who {
            let wants_bell = writer.hears_its_bell();
            if wants_bell && !seat.has_bell {
                self.vigil.add(writer.link.outbox.bell(), number * 2, Wants::READING)?;
            } else if seat.has_bell && !wants_bell {
                self.vigil.forget(writer.link.outbox.bell());
            }
            seat.has_bell = wants_bell;
        }
        Ok(())
    }

    fn unseat(&mut self, number: u64, mut seat: Seat) {
        self.give_up(number, &mut seat);
        if let Who::Writer(_) = seat.who {
            self.shared.sender_has_ended();
        }
    }

    /// Waits for nothing of it any more.
    fn give_up(&mut self, number: u64, seat: &mut Seat) {
        if let Some((socket, _)) = seat.socket.take() {
            self.vigil.forget(&*socket);
        }
        if let Who::Writer(writer) = &seat.who {
            self.vigil.forget(writer.link.outbox.bell());
        }
        seat.has_bell = false;
        seat.due.take().map(|due| self.alarms.remove(&(due, number)));
    }

    fn run_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Reach(link) => {
                let number = self.seat(Who::Writer(Writer::new(&self.shared, link)));
                self.to_call.push_back(number);
            }
            Errand::Called(number, outcome) => self.called(number, outcome),
            Errand::Read(caller, session) if self.shared.is_observer(&caller.peer) => {
                listener::arrived(&self.shared, &caller);
                let number = self.seat(Who::Reader(Reader::new(&self.shared, caller, session)));
                // What came together with its hello lies there already.
                self.turn(number, Wake::Socket);
            }
            Errand::Read(caller, session) => {
                listener::attend_apart(&self.shared, *session, &caller);
            }
            Errand::Rise(peer) => {
                let of_peer = |(_, seat): &(&u64, &Seat)| *seat.who.peer() == peer;
                let numbers: Vec<_> = self.seats.iter().filter(of_peer).map(|s| *s.0).collect();
                numbers.into_iter().for_each(|number| self.rise(number));
            }
        }
    }

    fn seat(&mut self, who: Who) -> u64 {
        let number = self.next;
        self.next += 1;
        let seat = Seat { who, socket: None, has_bell: false, due: None };
        self.settle(number, seat);
        number
    }

    /// As many calls at once as there may be.
    fn call_more(&mut self) {
        while self.calls < CALLS_MAX {
            let Some(number) = self.to_call.pop_front() else { return };
            let Some(mut seat) = self.seats.remove(&number) else { continue };
            if let Who::Writer(writer) = &mut seat.who {
                let gallery = Arc::clone(&self.gallery);
                let tell = move |outcome| gallery.put(Errand::Called(number, outcome));
                self.calls += usize::from(writer.call(&self.shared, tell));
            }
            self.settle(number, seat);
        }
    }

    fn called(&mut self, number: u64, outcome: Result<Reached, String>) {
        self.calls -= 1;
        let Some(mut seat) = self.seats.remove(&number) else { return };
        let mut rises = false;
        if let Who::Writer(writer) = &mut seat.who {
            writer.called(&self.shared, outcome);
            let peer = &writer.link.peer;
            rises = !writer.link.outbox.is_closed() && !self.shared.is_observer(peer);
        }
        self.settle(number, seat);
        if rises {
            self.rise(number);
        } else {
            // Its mail, what came together with the hello, or its end.
            self.turn(number, Wake::Socket);
        }
    }

    /// The session of a node that votes goes on in a thread of its own.
    fn rise(&mut self, number: u64) {
        let Some(mut seat) = self.seats.remove(&number) else { return };
        if let Who::Writer(writer) = &mut seat.who
            && writer.is_calling()
        {
            // It rises when the call has ended.
            self.seats.insert(number, seat);
            return;
        }
        self.give_up(number, &mut seat);
        match seat.who {
            Who::Reader(reader) => reader.rise(&self.shared),
            Who::Writer(writer) => {
                if let Some(writer) = writer.rise(&self.shared) {
                    self.seat(Who::Writer(writer));
                }
            }
        }
    }
}
