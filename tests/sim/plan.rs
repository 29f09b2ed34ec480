//! What one seed is about: the cluster, its surroundings, and which faults exist at all.
//! Never acts; a plan is drawn once, before the run. Each seed leaves most kinds of faults out,
//! so that the remaining ones come often enough to meet (swarm testing).

use core::time::Duration;
use std::collections::BTreeSet;

use crate::protocol::membership::{Failback, MemberRole, Policy, VOTERS_MAX};
use crate::protocol::timing::Timing;
use crate::sim::charters::Settings;
use crate::sim::draw::Draw;
use crate::sim::faults::Kind;
use crate::sim::guard::Temper;
use crate::sim::network::Weather;

/// The one bound on clock rates; every document of a run names it.
pub(crate) const DRIFT_PPM: u64 = 10_000;

/// How many voters at first, in equal parts: mostly few, for each costs as much as all before it.
const SIZES: [usize; 32] = [
    1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9,
];

/// Who is preferred where people edit all the while, in equal parts.
const POLICIES: [Policy; 6] = [
    Policy::LowestId,
    Policy::LowestId,
    Policy::Priority,
    Policy::Seniority,
    Policy::Freshest,
    Policy::Sticky,
];

/// What the calm after the faults is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// Everything works, and once somebody acts the run is over.
    Brief,
    /// Everything works.
    AllWell,
    /// The master dies and never comes back.
    MasterLost,
    /// Everybody restarts, and whoever wins first hears nothing from then on.
    WinnerDeaf,
    /// One follower never comes back.
    FollowerLost,
    /// One voter refuses every heartbeat for ever, naming a later term.
    VoterRefuses,
    /// One follower is cut off for a while and comes back.
    FollowerReturns,
    /// The work of the master goes out of order, then that of everybody.
    MasterSickens,
}

/// Everything about a run that is drawn in advance.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How many machines.
    pub(crate) size: usize,
    /// What each is for at first.
    pub(crate) roles: Vec<MemberRole>,
    /// How many of the last machines are set up only later, and join then.
    pub(crate) newcomers: usize,
    /// Whether edits are frequent and change who votes, too.
    pub(crate) churns: bool,
    /// The documents' contents: the first is the founding one.
    pub(crate) settings: Vec<Settings>,
    /// How long faults strike.
    pub(crate) stormy: Duration,
    /// The mean time between two faults.
    pub(crate) pace: Duration,
    /// Which faults exist.
    pub(crate) kinds: BTreeSet<Kind>,
    /// Per cent of remarkable moments at which a fault is aimed.
    pub(crate) aim: u64,
    /// The network while faults strike.
    pub(crate) weather: Weather,
    /// The disks while faults strike.
    pub(crate) disk: (Duration, Duration),
    /// How long timers oversleep at most.
    pub(crate) oversleep: Duration,
    /// How children take to being stopped.
    pub(crate) temper: Temper,
    /// What comes after the faults.
    pub(crate) ending: Ending,
    /// How long the calm is watched.
    pub(crate) watch: Duration,
}

impl Plan {
    /// Draws a plan.
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let churns = draw.one_in(8);
        // Most runs are brief, so that there can be many; who votes changes in none of these.
        let is_brief = !churns && !draw.one_in(8);
        let (roles, newcomers) = any_roles(churns, draw);
        let timing = match draw.below(10) {
            0..4 => Timing::LAN,
            4..6 => Timing::DEFAULT,
            _ => any_timing(draw),
        };
        let mut settings = vec![Settings::plain(timing, any_failback(timing, draw))];
        for _ in 0..3 {
            let timing = if draw.one_in(2) { any_timing(draw) } else { timing };
            let failback = any_failback(timing, draw);
            settings.push(Settings::plain(timing, failback));
        }
        if churns {
            settings.iter_mut().for_each(|one| one.customs.policy = draw.pick(&POLICIES));
        }
        let beat = timing.dead_after();
        let long_watch = (beat * 15).clamp(Duration::from_secs(10), Duration::from_secs(60));
        let endings = [
            Ending::AllWell,
            Ending::MasterLost,
            Ending::WinnerDeaf,
            Ending::FollowerLost,
            Ending::VoterRefuses,
            Ending::FollowerReturns,
            Ending::FollowerReturns,
            Ending::MasterSickens,
        ];
        let mut kinds: BTreeSet<Kind> =
            Kind::ALL.into_iter().filter(|_| draw.percent(35)).collect();
        if churns {
            kinds.insert(Kind::Edit);
            if draw.one_in(2) {
                kinds.insert(Kind::Wipe);
            }
        }
        // The raw clock stands still in suspend: then the other one must be the honest one.
        if kinds.contains(&Kind::Suspend) {
            kinds.remove(&Kind::Slew);
        }
        Self {
            size: roles.len(),
            stormy: if is_brief {
                draw.between(beat * 2, beat * 8)
            } else if churns {
                draw.between(beat * 6, beat * 40)
            } else {
                draw.between(beat * 6, beat * 24)
            },
            pace: draw.between(beat / 4, beat * 4),
            kinds,
            aim: draw.pick(&[0, 10, 30, 60]),
            weather: any_weather(timing, draw),
            disk: (Duration::from_micros(50), any_slowness(timing, draw)),
            oversleep: Duration::from_micros(draw.pick(&[1, 100, 2_000])),
            temper: draw.pick(&[Temper::Meek, Temper::Moody, Temper::Stubborn, Temper::Stubborn]),
            ending: match roles.len() {
                _ if is_brief => Ending::Brief,
                0..3 => Ending::AllWell,
                _ if draw.one_in(2) => Ending::AllWell,
                _ => draw.pick(&endings),
            },
            watch: if draw.one_in(3) { long_watch } else { beat * 2 },
            settings,
            roles,
            newcomers,
            churns,
        }
    }

    /// The longest promise any document of this run asks for.
    pub(crate) fn longest_promise(&self) -> Duration {
        self.settings.iter().map(|s| s.timing.dead_after()).max().unwrap_or_default()
    }

    /// By when somebody must act after a majority can talk (L1), as a limit for tests.
    pub(crate) fn election_limit(&self) -> Duration {
        let promise = self.longest_promise();
        let stagger = self.settings.iter().map(|s| s.timing.stagger()).max().unwrap_or_default();
        let ranks = u32::try_from(self.size).expect("at most nine");
        promise * 3 + promise * 3 / 100 + stagger * ranks + Duration::from_secs(2)
    }
}

/// Voters, perhaps one of them a witness, and observers where they may become voters; and how many
/// of these join only later.
fn any_roles(churns: bool, draw: &mut Draw) -> (Vec<MemberRole>, usize) {
    let mut roles = vec![MemberRole::Voter; draw.pick(&SIZES)];
    if roles.len() >= 3 && draw.one_in(4) {
        let witness = draw.index(roles.len());
        roles[witness] = MemberRole::Witness;
    }
    let mut newcomers = 0;
    if churns {
        let spare = draw.pick(&[0, 1, 1, 2]).min(VOTERS_MAX - roles.len());
        roles.extend(vec![MemberRole::Observer; spare]);
        newcomers = draw.index(spare + 1);
    }
    (roles, newcomers)
}

fn any_timing(draw: &mut Draw) -> Timing {
    loop {
        let dead_after = draw.skewed(Duration::from_millis(200), Duration::from_secs(15));
        let heartbeat = dead_after / draw.pick(&[4, 4, 4, 5, 6, 10]);
        let stop = draw.between(Duration::ZERO, dead_after / 3);
        let stagger = draw.between(Duration::from_millis(20), Duration::from_millis(60));
        if let Ok(timing) = Timing::new(heartbeat, dead_after, stop, DRIFT_PPM, stagger) {
            return timing;
        }
    }
}

fn any_failback(timing: Timing, draw: &mut Draw) -> Failback {
    let beat = timing.dead_after();
    match draw.below(4) {
        0 => Failback::Never,
        1 => Failback::After(Duration::ZERO),
        2 => Failback::After(draw.between(beat, beat * 6)),
        _ => Failback::After(Duration::from_secs(120)),
    }
}

fn any_weather(timing: Timing, draw: &mut Draw) -> Weather {
    let beat = timing.dead_after();
    let mut weather = Weather {
        delay_max: draw.pick(&[
            Duration::from_millis(1),
            Duration::from_millis(5),
            beat / 20,
            beat / 5,
        ]),
        overtaking: draw.one_in(2),
        ..Weather::FAIR
    };
    if draw.one_in(3) {
        weather.loss = draw.pick(&[1, 5, 15, 30]);
    }
    if draw.one_in(3) {
        weather.repeat = draw.pick(&[2, 10, 30]);
    }
    if draw.one_in(3) {
        weather.late = draw.pick(&[1, 5, 20]);
        weather.lateness = draw.pick(&[beat / 2, beat, beat * 3]);
    }
    weather
}

fn any_slowness(timing: Timing, draw: &mut Draw) -> Duration {
    let beat = timing.dead_after();
    draw.pick(&[Duration::from_millis(1), Duration::from_millis(10), beat / 20, beat / 5])
}
