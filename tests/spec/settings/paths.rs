//! Where everything is: flags, then the environment, then defaults.

use std::path::Path;

use quorate::settings::paths::{Flags, Place, Places};

fn resolve(variables: &[(&str, &str)], euid: u32) -> Places {
    let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
    Places::resolve(&Flags::default(), |name| find(name).map(|(_, value)| value.into()), euid)
}

#[track_caller]
fn assert_place(place: &Place, path: &str, origin: &str) {
    assert_eq!((place.path.as_path(), place.origin.as_str()), (Path::new(path), origin));
}

#[test]
fn root_has_the_places_of_the_system() {
    let places = resolve(&[("HOME", "/var/admin"), ("XDG_CONFIG_HOME", "/var/admin/.config")], 0);
    assert_place(&places.config, "/etc/quorate/node.yaml", "default for root");
    assert_place(&places.state_dir, "/var/lib/quorate", "default for root");
    assert_place(&places.socket, "/run/quorate/quorate.sock", "default for root");
}

#[test]
fn a_user_has_the_places_of_the_home_directory() {
    let places = resolve(&[("HOME", "/home/u")], 1000);
    assert_place(&places.config, "/home/u/.config/quorate/node.yaml", "default below $HOME");
    assert_place(&places.state_dir, "/home/u/.local/state/quorate", "default below $HOME");
    let origin = "default without $XDG_RUNTIME_DIR";
    assert_place(&places.socket, "/tmp/quorate-1000/quorate.sock", origin);
}

#[test]
fn a_user_may_have_moved_the_base_directories() {
    let moved = [
        ("HOME", "/home/u"),
        ("XDG_CONFIG_HOME", "/c"),
        ("XDG_STATE_HOME", "/s"),
        ("XDG_RUNTIME_DIR", "/run/user/1000"),
    ];
    let places = resolve(&moved, 1000);
    assert_place(&places.config, "/c/quorate/node.yaml", "default below $XDG_CONFIG_HOME");
    assert_place(&places.state_dir, "/s/quorate", "default below $XDG_STATE_HOME");
    let socket = "/run/user/1000/quorate/quorate.sock";
    assert_place(&places.socket, socket, "default below $XDG_RUNTIME_DIR");
}

#[test]
fn the_service_manager_and_our_own_variables_come_before_defaults() {
    let managed = [("STATE_DIRECTORY", "/var/lib/q:/x"), ("RUNTIME_DIRECTORY", "/run/q:/y")];
    let places = resolve(&managed, 0);
    assert_place(&places.state_dir, "/var/lib/q", "$STATE_DIRECTORY");
    assert_place(&places.socket, "/run/q/quorate.sock", "$RUNTIME_DIRECTORY");
    let own = [("QUORATE_CONFIG", "n.yaml"), ("QUORATE_DIR", "/q"), ("QUORATE_SOCKET", "/q.sock")];
    let places = resolve(&[managed.as_slice(), own.as_slice()].concat(), 0);
    assert_place(&places.config, "n.yaml", "$QUORATE_CONFIG");
    assert_place(&places.state_dir, "/q", "$QUORATE_DIR");
    assert_place(&places.socket, "/q.sock", "$QUORATE_SOCKET");
}

#[test]
fn flags_come_before_everything() {
    let flags = Flags {
        config: Some("/f/node.yaml".into()),
        state_dir: Some("/f".into()),
        socket: Some("/f/sock".into()),
    };
    let places = Places::resolve(&flags, |_| Some("/environment".into()), 0);
    assert_place(&places.config, "/f/node.yaml", "--config");
    assert_place(&places.state_dir, "/f", "--state-dir");
    assert_place(&places.socket, "/f/sock", "--socket");
}

#[test]
fn empty_and_relative_variables_count_as_none() {
    let empty = ["QUORATE_CONFIG", "QUORATE_DIR", "QUORATE_SOCKET", "RUNTIME_DIRECTORY", "HOME"];
    let variables: Vec<_> = empty.iter().map(|name| (*name, "")).collect();
    assert_eq!(resolve(&variables, 0), resolve(&[], 0));
    let places = resolve(&[("HOME", "/home/u"), ("XDG_STATE_HOME", "here")], 1000);
    assert_place(&places.state_dir, "/home/u/.local/state/quorate", "default below $HOME");
    let homeless = resolve(&[], 1000);
    assert_place(&homeless.config, "/etc/quorate/node.yaml", "default without $HOME");
}
