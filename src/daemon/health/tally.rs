//! Decides from one good or bad run after another whether a node counts as healthy (R68): so many
//! good ones in a row make it so, so many bad ones end it. Never runs anything and never asks
//! the time.

/// What is known of a node's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// Nothing yet: no run has ended.
    Unknown,
    /// It may be master.
    Healthy,
    /// It should not.
    Unhealthy,
}

impl Health {
    /// The word of `status`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// Counts the runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    rise: u32,
    fall: u32,
    health: Health,
    /// Runs in a row that speak against `health`.
    against: u32,
}

impl Tally {
    /// Nothing is known; the first run decides alone.
    #[must_use]
    pub fn new(rise: u32, fall: u32) -> Self {
        Self { rise, fall, health: Health::Unknown, against: 0 }
    }

    /// What is known now.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health
    }

    /// How many runs in a row spoke against it, and how many would turn it.
    #[must_use]
    pub fn against(&self) -> (u32, u32) {
        let need = match self.health {
            Health::Unknown => 1,
            Health::Healthy => self.fall,
            Health::Unhealthy => self.rise,
        };
        (self.against, need)
    }

    /// One more run; gives the health if it turned.
    pub fn count(&mut self, is_good: bool) -> Option<Health> {
        let says = if is_good { Health::Healthy } else { Health::Unhealthy };
        if says == self.health {
            self.against = 0;
            return None;
        }
        let (against, need) = self.against();
        self.against = against.saturating_add(1);
        if self.against < need {
            return None;
        }
        (self.health, self.against) = (says, 0);
        Some(says)
    }
}
