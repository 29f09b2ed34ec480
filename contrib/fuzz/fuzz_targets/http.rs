#![no_main]
quorate_fuzz::target!("http");
