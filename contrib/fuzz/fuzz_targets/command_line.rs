#![no_main]
quorate_fuzz::target!("command_line");
