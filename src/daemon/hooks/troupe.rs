//! Starts all that runs hooks: a guard before any thread of the daemon, the threads last.
//! Never starts anything where node.yaml names no hooks.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::daemon::condition::Conditions;
use crate::daemon::driver::Driver;
use crate::daemon::failure::{self, Failure};
use crate::daemon::holders::Mailbox;
use crate::daemon::hooks::book::Book;
use crate::daemon::hooks::fence::Fence;
use crate::daemon::hooks::herald::Herald;
use crate::daemon::hooks::stage::{Stage, Surroundings, lock_file};
use crate::daemon::spawn::spawn;
use crate::keep::guard::post::Post;
use crate::settings::node::NodeSettings;
use crate::settings::paths::Places;

/// Hooks that wait for the rest of the daemon.
#[derive(Debug)]
pub struct Troupe {
    guard: Post,
    book: Arc<Book>,
    state_dir: PathBuf,
    socket: PathBuf,
}

impl Troupe {
    /// Starts the guard of the hooks that `settings` name, if they do. Called before any thread is
    /// started: the guard must be able to start whatever becomes of the daemon.
    ///
    /// # Errors
    /// The system has no room for it.
    pub fn gather(settings: &NodeSettings, places: &Places) -> Result<Option<Self>, Failure> {
        let Some(hooks) = &settings.hooks else { return Ok(None) };
        let gathered = || -> io::Result<Self> {
            let state_dir = places.state_dir.path.clone();
            Ok(Self {
                guard: Post::start(Some(&lock_file(&state_dir)))?,
                book: Arc::new(Book::new(hooks.clone(), Arc::new(Mailbox::new()?))),
                state_dir,
                socket: places.socket.path.clone(),
            })
        };
        let failed = "the system gives no process for hooks";
        gathered().map(Some).map_err(|error| Failure::of_system(failure::IO, failed, &error))
    }

    /// Lets the hooks run, from before the first tick; `conditions` hears what they have against
    /// this node as master. Gives where a reload puts the new ones.
    ///
    /// # Errors
    /// The system gives no threads, or does not leave orphans to us.
    pub fn perform(
        self,
        driver: &Arc<Driver>,
        conditions: Arc<Conditions>,
    ) -> Result<Arc<Book>, Failure> {
        let failed = "the system gives no threads for hooks";
        self.begin(driver, conditions)
            .map_err(|error| Failure::of_system(failure::IO, failed, &error))
    }

    fn begin(self, driver: &Arc<Driver>, conditions: Arc<Conditions>) -> io::Result<Arc<Book>> {
        let Self { guard, book, state_dir, socket } = self;
        let herald = Herald::new(Arc::clone(driver), Arc::clone(&book), &socket);
        let fence = book.read().fence.is_some();
        let fence = fence.then(|| Fence::new(driver, &book, (&state_dir, &socket))).transpose()?;
        let around = Surroundings {
            driver: Arc::clone(driver),
            book: Arc::clone(&book),
            state_dir,
            socket,
            conditions,
        };
        let stage = Stage::open(around, guard)?
            .ok_or_else(|| io::Error::other("there is no room for one more under mastership"))?;
        spawn("hooks", move || stage.run())?;
        spawn("event-hook", move || herald.run())?;
        if let Some(fence) = fence {
            spawn("fence-hook", move || fence.run())?;
        }
        Ok(book)
    }
}
