//! The links between machines: each direction by itself may be cut, slow, lossy or repeat.
//! Never looks inside a message.

use core::time::Duration;

use crate::sim::clock::TrueTime;
use crate::sim::draw::Draw;

/// How messages fare on links that are not cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// The quickest way across.
    pub(crate) delay_min: Duration,
    /// The slowest ordinary way across.
    pub(crate) delay_max: Duration,
    /// Per cent of messages that vanish.
    pub(crate) loss: u64,
    /// Per cent of messages that come twice.
    pub(crate) repeat: u64,
    /// Per cent of messages that come `lateness` late.
    pub(crate) late: u64,
    /// How late these are at most.
    pub(crate) lateness: Duration,
    /// Whether a message may overtake another on its link.
    pub(crate) overtaking: bool,
}

impl Weather {
    /// A sound network in one place.
    pub(crate) const FAIR: Self = Self {
        delay_min: Duration::from_micros(100),
        delay_max: Duration::from_millis(3),
        loss: 0,
        repeat: 0,
        late: 0,
        lateness: Duration::ZERO,
        overtaking: false,
    };
}

struct Link {
    /// Its dice.
    draw: Draw,
    /// How many faults cut it just now.
    cuts: u32,
    /// When the last message arrives.
    last: TrueTime,
}

/// All links.
pub(crate) struct Network {
    size: usize,
    links: Vec<Link>,
    /// How messages fare.
    pub(crate) weather: Weather,
}

impl Network {
    /// All links whole.
    pub(crate) fn new(size: usize, weather: Weather, draw: &mut Draw) -> Self {
        let link = |_| Link { draw: draw.fork(), cuts: 0, last: TrueTime::default() };
        Self { size, links: (0..size * size).map(link).collect(), weather }
    }

    fn link(&mut self, from: usize, to: usize) -> &mut Link {
        &mut self.links[from * self.size + to]
    }

    /// Whether `from` cannot reach `to`.
    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.links[from * self.size + to].cuts > 0
    }

    /// One more fault cuts this direction.
    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        self.link(from, to).cuts += 1;
    }

    /// One fault less. Says whether the direction is whole again.
    pub(crate) fn mend(&mut self, from: usize, to: usize) -> bool {
        let link = self.link(from, to);
        let was_cut = link.cuts > 0;
        link.cuts = link.cuts.saturating_sub(1);
        was_cut && link.cuts == 0
    }

    /// No fault cuts this direction any more. Says whether one did.
    pub(crate) fn mend_wholly(&mut self, from: usize, to: usize) -> bool {
        core::mem::take(&mut self.link(from, to).cuts) > 0
    }

    /// The weather is fair, and what was to come after `soon` never does: nothing waits behind it.
    pub(crate) fn clear_up(&mut self, soon: TrueTime) {
        self.weather = Weather::FAIR;
        for link in &mut self.links {
            link.last = link.last.min(soon);
        }
    }

    /// When a message sent now arrives: never, once or twice.
    pub(crate) fn carry(&mut self, now: TrueTime, from: usize, to: usize) -> [Option<TrueTime>; 2] {
        let weather = self.weather;
        let link = self.link(from, to);
        let draw = &mut link.draw;
        let lost = link.cuts > 0 || draw.percent(weather.loss);
        let mut first = (!lost).then(|| {
            let late = if draw.percent(weather.late) { weather.lateness } else { Duration::ZERO };
            now.after(
                draw.skewed(weather.delay_min, weather.delay_max)
                    + draw.skewed(Duration::ZERO, late),
            )
        });
        let repeated = !lost && draw.percent(weather.repeat);
        let second = repeated.then(|| {
            now.after(draw.between(weather.delay_min, weather.delay_max * 2 + weather.lateness))
        });
        if let Some(arrival) = first.as_mut().filter(|_| !weather.overtaking) {
            *arrival = (*arrival).max(link.last);
            link.last = *arrival;
        }
        [first, second]
    }

    /// How long the next session of this direction takes to open.
    pub(crate) fn opening(&mut self, from: usize, to: usize) -> Duration {
        self.link(from, to).draw.skewed(Duration::from_micros(200), Duration::from_millis(50))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_whole_when_every_fault_that_cut_it_is_over() {
        let mut network = Network::new(2, Weather::FAIR, &mut Draw::new(4));
        network.cut(0, 1);
        network.cut(0, 1);
        assert!(!network.mend(0, 1));
        assert!(network.is_cut(0, 1) && !network.is_cut(1, 0));
        assert!(network.mend(0, 1));
    }

    #[test]
    fn when_it_clears_up_nothing_waits_behind_what_never_comes() {
        let hour = Duration::from_secs(3_600);
        let slow = Weather { delay_min: hour, delay_max: hour * 2, ..Weather::FAIR };
        let mut network = Network::new(2, slow, &mut Draw::new(4));
        network.carry(TrueTime(0), 0, 1);
        let soon = TrueTime(0).after(Weather::FAIR.delay_max);
        network.clear_up(soon);
        let [first, second] = network.carry(soon, 0, 1);
        assert!(first.is_some_and(|at| at <= soon.after(Weather::FAIR.delay_max)), "{first:?}");
        assert_eq!(second, None);
    }

    #[test]
    fn messages_of_one_link_keep_their_order_unless_overtaking_is_on() {
        let mut network = Network::new(2, Weather::FAIR, &mut Draw::new(4));
        let mut arrivals = Vec::new();
        for sent in 0..200 {
            arrivals.extend(network.carry(TrueTime(sent * 1000), 0, 1).into_iter().flatten());
        }
        assert_eq!(arrivals.len(), 200);
        assert!(arrivals.is_sorted());
    }
}
