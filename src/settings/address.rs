//! `host:port`: a name, an IPv4 address or an IPv6 address in brackets, and a port from 1 to 65535.
//! Never resolves a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where somebody listens, checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address<'a> {
    /// The name or IP address, without brackets.
    pub host: &'a str,
    /// 1 to 65535.
    pub port: u16,
}

/// Why a text is not an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// There is no `:port` at the end.
    NoPort,
    /// The port is not a number from 1 to 65535.
    BadPort,
    /// An IPv6 address without brackets.
    NoBrackets,
    /// The host is empty or neither a name nor an IP address.
    BadHost,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPort => "it has no port",
            Self::BadPort => "its port is not a number from 1 to 65535",
            Self::NoBrackets => "an IPv6 address needs brackets before its port",
            Self::BadHost => "its host is neither a name nor an IP address",
        })
    }
}

impl std::error::Error for AddressError {}

impl<'a> Address<'a> {
    /// Reads `host:port` or `[v6]:port`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &'a str) -> Result<Self, AddressError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or(AddressError::BadHost)?;
                host.parse::<Ipv6Addr>().map_err(|_| AddressError::BadHost)?;
                (host, after.strip_prefix(':').ok_or(AddressError::NoPort)?)
            }
            None if text.parse::<Ipv6Addr>().is_ok() => return Err(AddressError::NoBrackets),
            None => text.rsplit_once(':').ok_or(AddressError::NoPort)?,
        };
        if !text.starts_with('[') {
            check_host(host)?;
        }
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        match port.parse() {
            Ok(port) if port > 0 && is_number => Ok(Self { host, port }),
            Ok(_) | Err(_) => Err(AddressError::BadPort),
        }
    }

    /// Whether it names one machine, and not every address of the machine at hand.
    #[must_use]
    pub fn is_specific(&self) -> bool {
        !self.host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified())
    }
}

/// A host without brackets: an IPv4 address if it looks like one, else a name.
fn check_host(host: &str) -> Result<(), AddressError> {
    if host.parse::<Ipv6Addr>().is_ok() {
        return Err(AddressError::NoBrackets);
    }
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<Ipv4Addr>().map(|_| ()).map_err(|_| AddressError::BadHost);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        let hyphens_inside = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len()) && hyphens_inside && label.bytes().all(allowed)
    };
    let is_name =
        host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label);
    if is_name { Ok(()) } else { Err(AddressError::BadHost) }
}
