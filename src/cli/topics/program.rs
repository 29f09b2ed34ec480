//! The commands about this program, for the table.
//! Never shown elsewhere; the table has them in its order.

use super::{Operand, Shelf, Topic, option, topic};

pub(super) const COMPLETIONS: Topic = Topic {
    operand: Operand::One("bash|zsh|fish"),
    about: "Prints what makes that shell complete commands, flags, codes and the names of\n\
            nodes, which it asks the daemon for if one answers. For bash put it into\n\
            /usr/share/bash-completion/completions/quorate, for zsh into\n\
            /usr/share/zsh/site-functions/_quorate, for fish into\n\
            /usr/share/fish/vendor_completions.d/quorate.fish.",
    exits: PRINTING,
    ..topic("completions", Shelf::Program, "print what completes words in a shell")
};

pub(super) const MAN: Topic = Topic {
    operand: Operand::Optional("1|5|8"),
    about: "Prints the page of that section of the manual as roff: 1 is every command, 5\n\
            every key of node.yaml and cluster.yaml, 8 how to set a node up and run it.\n\
            Without a number it is 1.\n\
            To read it: quorate man | man -l -",
    exits: PRINTING,
    ..topic("man", Shelf::Program, "print a page of the manual")
};

pub(super) const SERVICE: Topic = Topic {
    operand: Operand::One("openrc|runit|systemd"),
    flags: &[
        option("root", "DIR", "write the files below DIR, / for this machine"),
        option("binary", "PATH", "where quorate is (default /usr/local/bin/quorate)"),
    ],
    about: "Prints the files by which OpenRC, runit or systemd runs the daemon, each below a\n\
            line that names its place. With --root it writes them to their places below\n\
            DIR and prints each path. Settings that were changed (/etc/conf.d/quorate,\n\
            /etc/sv/quorate/conf) are left alone. It starts nothing. What each of them\n\
            does with the daemon: contrib/doc/service.md.",
    exits: &[
        (73, "a file cannot be made"),
        (74, "it cannot be printed"),
        (77, "not allowed to write below DIR"),
    ],
    ..topic("service", Shelf::Run, "print or write files for a service manager")
};

pub(super) const COMPLETE: Topic = Topic {
    operand: Operand::Rest("WORD"),
    ..topic("complete", Shelf::Internal, "print what the last word may become")
};

const PRINTING: &[(u8, &str)] = &[(74, "it cannot be printed")];
