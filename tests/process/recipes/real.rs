//! `service` under the three inits as they are, each in a machine of its own.
//! Never believes an init: the processes are counted.

use super::inits::{INITS, Machine, STUBBORN, WILLING, command};

/// Runs a test under every init that there is.
fn each(test: impl Fn(&Machine, &str)) {
    for init in INITS {
        if let Some(machine) = Machine::alone(init) {
            test(&machine, init);
        }
    }
}

fn told(machine: &Machine, words: &str) {
    let outcome = machine.hook(words);
    assert_eq!(outcome.code, 0, "{words}: {}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn a_service_of_a_real_init_runs_on_the_master_and_nowhere_else() {
    each(|machine, init| {
        machine.define("shop", WILLING);
        told(machine, "shop backup backup cluster");
        for event in ["backup", "no_quorum", "what-nobody-knows"] {
            told(machine, "shop master master cluster");
            told(machine, "shop master master cluster");
            assert_eq!(machine.count("shop"), 1, "{init} {event}");
            for _ in 0..2 {
                // On a busy machine it takes longer to die than a hook of a node may wait.
                told(machine, &format!("shop within 60000 {event} {event} cluster"));
                assert_eq!(machine.count("shop"), 0, "{init} {event}");
            }
        }
    });
}

#[test]
fn a_service_of_a_real_init_that_was_killed_is_not_taken_for_one_that_runs() {
    each(|machine, init| {
        machine.define("shop", WILLING);
        told(machine, "shop master master cluster");
        machine.kill("^/usr/local/bin/shop");
        told(machine, "shop master master cluster");
        assert_eq!(machine.count("shop"), 1, "{init}");
        machine.kill("^/usr/local/bin/shop");
        told(machine, "shop backup backup cluster");
        assert_eq!(machine.count("shop"), 0, "{init}");
    });
}

#[test]
fn a_service_of_a_real_init_that_does_not_stop_is_killed() {
    each(|machine, init| {
        machine.define("slow", STUBBORN);
        for _ in 0..2 {
            told(machine, "slow master master cluster");
            assert_eq!(machine.count("slow"), 1, "{init}");
            told(machine, "slow within 50 backup backup cluster");
            assert_eq!(machine.count("slow"), 0, "{init}");
        }
    });
}

#[test]
fn a_service_that_a_real_init_does_not_know_is_not_started() {
    each(|machine, _| {
        machine.hook("nothing master master cluster").refused(1, &["nothing cannot be started"]);
    });
}

#[test]
fn what_a_service_needs_and_was_killed_with_it_is_started_again() {
    let Some(machine) = Machine::alone("openrc") else { return };
    machine.define("base", WILLING);
    machine.define("shop", WILLING);
    let how = "command_background=yes\npidfile=/run/shop.pid\ndepend() { need base; }";
    machine.define_for_openrc("shop", &format!("{how}\n{}", command("shop", WILLING)));
    told(&machine, "shop master master cluster");
    assert_eq!((machine.count("base"), machine.count("shop")), (1, 1));
    machine.kill("^/usr/local/bin/");
    told(&machine, "shop backup backup cluster");
    told(&machine, "shop master master cluster");
    assert_eq!((machine.count("base"), machine.count("shop")), (1, 1));
}

#[test]
fn what_a_killed_supervisor_leaves_running_is_ended_and_never_doubled() {
    let Some(machine) = Machine::alone("openrc") else { return };
    machine.define("shop", WILLING);
    let how = format!("supervisor=supervise-daemon\n{}", command("shop", WILLING));
    machine.define_for_openrc("shop", &how);
    for event in ["master", "backup", "master", "master", "backup"] {
        told(&machine, &format!("shop {event} {event} cluster"));
        let wanted = usize::from(event == "master");
        assert_eq!(machine.count("shop"), wanted, "{event}");
        if event == "master" {
            machine.kill("^supervise-daemon");
            assert_eq!(machine.count("shop"), 1);
        }
    }
}

#[test]
fn a_service_whose_process_openrc_does_not_know_is_left_to_its_own_stop() {
    let Some(machine) = Machine::alone("openrc") else { return };
    machine.define("shop", WILLING);
    let how = "start() { start-stop-daemon --start --background --exec /usr/local/bin/shop -- \
               -c 'while :; do sleep 1; done'; }\n\
               stop() { until [ -e /run/enough ]; do sleep 0.1; done; \
               pkill -f ^/usr/local/bin/shop; }";
    machine.define_for_openrc("shop", how);
    told(&machine, "shop master master cluster");
    machine.hook("shop within 50 backup backup cluster").refused(1, &["shop still runs"]);
    assert_eq!(machine.count("shop"), 1);
    machine.write("run/enough", "");
    told(&machine, "shop within 60000 backup backup cluster");
    assert_eq!(machine.count("shop"), 0);
}
