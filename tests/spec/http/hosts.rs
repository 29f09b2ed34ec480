//! By which names a node is asked.

use quorate::daemon::http::hosts::Hosts;
use quorate::settings::http::Door;
use quorate::settings::node::NodeSettings;

use crate::spec::workshop::node;

/// H54
#[test]
fn a_node_goes_by_its_own_names_those_of_node_yaml_and_every_address() {
    let mut settings = NodeSettings::new(node("alpha"));
    settings.listen = "db-1.lan:9901".to_owned();
    settings.advertise = Some("DB-1.example.net.:9901".to_owned());
    settings.http.door = Door::At("mgmt.db-1.lan:9902".to_owned());
    settings.http.hosts = vec!["Shop.example.net".to_owned()];
    let hosts = Hosts::of(&settings, "db-1");
    for name in [
        "alpha",
        "ALPHA.",
        "db-1",
        "db-1.lan",
        "db-1.example.net",
        "mgmt.db-1.lan",
        "shop.EXAMPLE.net",
        "localhost",
        "ip6-loopback",
        "127.0.0.1",
        "203.0.113.7",
        "::1",
    ] {
        assert!(hosts.admit(name), "{name}");
    }
    for name in ["example.net", "evil.example", "alpha.evil.example", "127.0.0.1.evil.example", ""]
    {
        assert!(!hosts.admit(name), "{name}");
    }
}
