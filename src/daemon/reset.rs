//! Owns the hardware watchdog of node.yaml: the thread that has it open, arms it before this node
//! acts, pets it while all is well, and disarms it once nothing of mastership lives.
//! Never decides when (see `leash`), and never touches the device under the driver's lock. To see
//! what there is to do it takes that lock, so a core that hangs is not petted for.

pub mod device;
pub mod leash;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::condition::{Conditions, Source};
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::holders::Gate;
use crate::daemon::reset::device::Device;
use crate::daemon::reset::leash::{Leash, Sight, TIMEOUT_UNKNOWN, Verdict};
use crate::daemon::waiting::{Bell, Deadline, wait_for_bell};
use crate::protocol::units::Moment;
use crate::wire::codes;

/// The pause after the device did not do as it was told.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What others may see of it.
#[derive(Debug)]
pub struct Reset {
    path: PathBuf,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    is_armed: bool,
    is_for_good: bool,
    timeout: Option<Duration>,
}

impl Reset {
    /// The device at `path`, which nobody has looked at.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default(), changed: Condvar::new() }
    }

    /// For `status`.
    #[must_use]
    pub fn words(&self) -> String {
        let seen = self.lock();
        let state = if seen.is_armed { "armed" } else { "not armed" };
        let path = self.path.display();
        match seen.timeout {
            Some(timeout) => {
                let seconds = timeout.as_secs();
                format!("{state}; {path} resets this machine {seconds} s after the last pet")
            }
            None => format!("{state}; nobody knows when {path} resets this machine"),
        }
    }

    /// Waits until it is disarmed, if it can be, at most `patience`; whether it is.
    #[must_use]
    pub fn rest(&self, patience: Duration) -> bool {
        let seen = self.lock();
        let is_busy = |seen: &mut Seen| seen.is_armed && !seen.is_for_good;
        let waited = self.changed.wait_timeout_while(seen, patience, is_busy);
        !waited.expect("a panic under the lock ends the process").0.is_armed
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("a panic under the lock ends the process")
    }
}

/// The thread's own.
#[derive(Debug)]
pub struct Warden {
    reset: Arc<Reset>,
    driver: Arc<Driver>,
    conditions: Arc<Conditions>,
    bell: Arc<Bell>,
    leash: Leash,
    device: Option<Device>,
    /// Why the device cannot be used, as it was last said.
    fault: Option<String>,
    is_known: bool,
}

impl Warden {
    /// From now on this node acts only while the device is armed. Called before the first tick.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new(
        reset: Arc<Reset>,
        driver: Arc<Driver>,
        conditions: Arc<Conditions>,
    ) -> io::Result<Self> {
        let bell = Arc::new(Bell::new()?);
        driver.hold_back(Gate::Watchdog, &bell);
        let (leash, device, fault) = (Leash::default(), None, None);
        Ok(Self { reset, driver, conditions, bell, leash, device, fault, is_known: false })
    }

    /// For ever.
    pub fn run(mut self) {
        loop {
            let sight = self.driver.sight();
            let now = clock::now();
            match self.leash.turn(now, &sight) {
                Verdict::Rest(span) => self.pause(span),
                Verdict::Look => self.look(now, &sight),
                Verdict::Arm => self.arm(now),
                Verdict::Pet => self.pet(now),
                Verdict::Grant(term) => self.driver.let_act(Gate::Watchdog, term),
                Verdict::Disarm => self.disarm(),
                Verdict::End(term) => {
                    log::error!("the hardware watchdog forbids acting: mastership ends");
                    self.driver.end_acting(term);
                }
            }
            self.show();
        }
    }

    fn pause(&self, span: Duration) {
        wait_for_bell(&self.bell, Deadline::after(span))
            .expect("our own eventfd can be waited for");
    }

    /// Sees whether it could be armed, by doing it where that does no harm.
    fn look(&mut self, now: Moment, sight: &Sight) {
        let facts = match self.try_out(now) {
            Ok(facts) => facts,
            Err(fault) => return self.refuse(now, fault),
        };
        let timeout = facts.timeout.unwrap_or(TIMEOUT_UNKNOWN);
        self.leash.allow(now, timeout, facts.is_for_good);
        let mut seen = self.reset.lock();
        (seen.timeout, seen.is_for_good) = (facts.timeout, facts.is_for_good);
        drop(seen);
        self.conditions.withdraw(Source::Watchdog);
        if self.fault.take().is_some() {
            log::info!("{} can be armed", self.reset.path.display());
        }
        if !self.is_known && !self.leash.is_in_time(sight) {
            log::warn!(
                "{} fires {} s after the last pet, and if the daemon dies in between, after twice \
                 that; {} ms is the most that fits into a lease: another node may act before it \
                 fires",
                self.reset.path.display(),
                timeout.as_secs(),
                sight.reach.as_millis(),
            );
        }
        self.is_known = true;
    }

    /// One that cannot be disarmed is armed by the trial for good.
    fn try_out(&mut self, now: Moment) -> Result<device::Facts, String> {
        let facts = device::look(&self.reset.path)?;
        let is_unproven = self.leash.is_refused();
        match facts.is_armed {
            _ if !is_unproven => return Ok(facts),
            _ if facts.is_for_good => {}
            Some(true) => return Err("armed already, and not by this daemon".into()),
            // Where nobody can say whether it is armed, the first trial is the real thing: what a
            // daemon that was killed left armed must not be disarmed.
            None if self.fault.is_none() => return Ok(facts),
            Some(false) | None => {}
        }
        let device = Device::arm(&self.reset.path).map_err(|error| error.to_string())?;
        if facts.is_for_good {
            self.device = Some(device);
            self.leash.petted(now);
            return Ok(facts);
        }
        device.disarm().map(|()| facts).map_err(|(_, error)| error.to_string())
    }

    fn refuse(&mut self, now: Moment, fault: String) {
        self.leash.refuse(now);
        let message = format!("{} cannot be armed: {fault}", self.reset.path.display());
        self.conditions.object(Source::Watchdog, &message);
        if self.fault.as_ref() != Some(&fault) {
            let (code, loudness) = (codes::WATCHDOG_UNUSABLE, Loudness::Warning);
            self.driver.say(Remark { code, loudness, reason: None, message });
            self.fault = Some(fault);
        }
    }

    fn arm(&mut self, now: Moment) {
        match Device::arm(&self.reset.path) {
            Ok(device) => {
                self.device = Some(device);
                self.leash.petted(now);
                log::info!("{} is armed", self.reset.path.display());
            }
            Err(error) => self.refuse(now, error.to_string()),
        }
    }

    fn pet(&mut self, now: Moment) {
        let device = self.device.as_ref().expect("only an armed one is petted");
        match device.pet() {
            Ok(()) => self.leash.petted(now),
            Err(error) => {
                self.leash.not_petted();
                log::error!("{} takes no pet: {error}", self.reset.path.display());
                self.pause(AGAIN_AFTER);
            }
        }
    }

    fn disarm(&mut self) {
        let device = self.device.take().expect("only an armed one is disarmed");
        match device.disarm() {
            Ok(()) => {
                self.leash.disarmed();
                log::info!("{} is disarmed", self.reset.path.display());
            }
            Err((device, error)) => {
                self.device = Some(device);
                log::error!("{} cannot be disarmed: {error}", self.reset.path.display());
                self.pause(AGAIN_AFTER);
            }
        }
    }

    fn show(&self) {
        self.reset.lock().is_armed = self.leash.is_armed();
        self.reset.changed.notify_all();
    }
}
