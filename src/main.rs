//! Arguments in, exit code out: the daemon's commands to the daemon, all others to the CLI.
//! Never does anything itself.

use std::process::ExitCode;

use quorate::cli;
use quorate::cli::args::{self, Call, Command, InitFlags, JoinFlags};
use quorate::daemon::{self, InitOptions, JoinOptions, ServeOptions};
use quorate::settings::paths::Places;

fn main() -> ExitCode {
    let code = match args::parse(std::env::args_os().skip(1)) {
        Ok(call) => perform(call),
        Err(error) => cli::refuse(&error),
    };
    ExitCode::from(code)
}

fn perform(call: Call) -> u8 {
    let user = rustix::process::geteuid().as_raw();
    let places = Places::resolve(&call.places, |name| std::env::var_os(name), user);
    if call.command == Command::Serve {
        return daemon::serve(&ServeOptions { places });
    }
    if let Command::Init(flags) = call.command {
        let InitFlags { name, advertise, cluster, from } = flags;
        return daemon::init(&InitOptions { places, name, advertise, cluster, from });
    }
    if let Command::Join(flags) = call.command {
        let JoinFlags { token, name, advertise, patience } = flags;
        return daemon::join(&JoinOptions { places, token, name, advertise, patience });
    }
    cli::run(&call.command, &places)
}
