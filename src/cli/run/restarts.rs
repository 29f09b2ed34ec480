//! Decides when a program that ended is started again, and when its node is not the one for it
//! (F104). Never starts or stops anything, and reads no clock.

use core::time::Duration;

/// A life that is shorter is a quick one.
const QUICK: Duration = Duration::from_secs(10);
/// That many quick deaths in a row under one mastership are enough.
const QUICK_MAX: u32 = 5;
/// The first pause.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The second, which doubles from then on.
const PAUSE_SECOND: Duration = Duration::from_secs(1);
/// The longest pause.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long this node does not stand after it gave mastership away the first time; it doubles.
const AWAY_FIRST: Duration = Duration::from_secs(60);
/// The longest such time.
const AWAY_MAX: Duration = Duration::from_secs(600);

/// What to do after an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum After {
    /// Start it again after that pause.
    Pause(Duration),
    /// Let another node try.
    GiveAway,
}

/// The lives so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Restarts {
    quick: u32,
    deaths: u32,
    given_away: u32,
}

impl Restarts {
    /// Another mastership begins: what failed in the last one may do now.
    pub(super) fn begin(&mut self) {
        (self.quick, self.deaths) = (0, 0);
    }

    /// It ended by itself with `code` after `lived`.
    pub(super) fn ended(&mut self, lived: Duration, code: u8) -> After {
        if lived >= QUICK {
            *self = Self::default();
            return After::Pause(PAUSE_FIRST);
        }
        self.deaths = if code == 0 { 0 } else { self.deaths + 1 };
        if self.deaths >= QUICK_MAX {
            self.begin();
            return After::GiveAway;
        }
        self.quick += 1;
        let doubled = PAUSE_SECOND * 2_u32.saturating_pow(self.quick.saturating_sub(2).min(16));
        After::Pause(if self.quick == 1 { PAUSE_FIRST } else { doubled.min(PAUSE_MAX) })
    }

    /// For how long this node is not to stand, now that it gives mastership away.
    pub(super) fn away(&mut self) -> Duration {
        let away = AWAY_FIRST * 2_u32.pow(self.given_away.min(4));
        self.given_away += 1;
        away.min(AWAY_MAX)
    }
}
