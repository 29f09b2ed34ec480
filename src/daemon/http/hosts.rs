//! Decides by which names whoever asks may call this node (H54): a page of another site whose name
//! was bent to this address asks with that site's name, and is told nothing.
//! Never resolves a name. An address is always good: no page can be bent to one.

use std::net::IpAddr;

use crate::settings::address::Address;
use crate::settings::http::Door;
use crate::settings::node::NodeSettings;

/// What every machine calls itself.
const LOOPBACK: [&str; 3] = ["localhost", "ip6-localhost", "ip6-loopback"];

/// The names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Those of node.yaml, the node's own, and `machine`, what the system calls this machine.
    #[must_use]
    pub fn of(settings: &NodeSettings, machine: &str) -> Self {
        let http = match &settings.http.door {
            Door::At(address) => Some(address),
            Door::Usual | Door::Off => None,
        };
        let addresses = [Some(&settings.listen), settings.advertise.as_ref(), http];
        let found = addresses.into_iter().flatten().filter_map(|text| Address::parse(text).ok());
        let names = [settings.id.as_str(), machine].into_iter().chain(LOOPBACK);
        let names = names.chain(settings.http.hosts.iter().map(String::as_str));
        Self(names.chain(found.map(|address| address.host)).map(plain).collect())
    }

    /// Whether `name` is one of them.
    #[must_use]
    pub fn admit(&self, name: &str) -> bool {
        name.parse::<IpAddr>().is_ok() || self.0.contains(&plain(name))
    }
}

/// The one spelling of a name.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
