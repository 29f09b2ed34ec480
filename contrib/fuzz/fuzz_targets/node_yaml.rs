#![no_main]
quorate_fuzz::target!("node_yaml");
