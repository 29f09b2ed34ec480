#![no_main]
quorate_fuzz::target!("cluster_yaml");
