//! Arguments in, exit code out: the daemon's commands to the daemon, all others to the CLI.
//! Never does anything itself.

use std::process::ExitCode;

use quorate::cli;
use quorate::cli::args::{self, Call, Command, InitFlags, JoinFlags, Rescue};
use quorate::daemon::{self, InitOptions, JoinOptions, ServeOptions, init, rescue};
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
        let InitFlags { name, advertise, cluster, from, renew } = flags;
        let options = InitOptions { places, name, advertise, cluster, from };
        return if renew {
            init::conclude(rescue::renew(&options))
        } else {
            daemon::init(&options)
        };
    }
    if let Command::Rescue(what) = call.command {
        return init::conclude(match what {
            Rescue::ConfirmMoved => rescue::confirm_moved(&places),
            Rescue::Backup(file) => rescue::backup(&places, &file),
            Rescue::Restore(file) => rescue::restore(&places, &file),
            Rescue::Recover { name, files } => rescue::recover(&places, name.as_deref(), &files),
        });
    }
    if let Command::Join(flags) = call.command {
        let JoinFlags { token, name, advertise, patience } = flags;
        return daemon::join(&JoinOptions { places, token, name, advertise, patience });
    }
    cli::run(&call.command, &places)
}
