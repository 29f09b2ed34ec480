//! What node.yaml says about answering over HTTP: where, and by which names.
//! Never listens, and never says what is answered.

use super::address::Address;
use super::command::quoted;
use super::field::{Field, Table};
use super::problem::Problem;

/// Where a node answers over HTTP that names nothing else.
pub const HTTP_DEFAULT: &str = "127.0.0.1:9902";

/// Where something answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Door {
    /// Nobody said: where it usually does, if nothing else does there already.
    #[default]
    Usual,
    /// Nowhere.
    Off,
    /// There, as `host:port`, or the daemon does not start.
    At(String),
}

/// What a node answers over HTTP, and to whom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HttpSettings {
    /// Where.
    pub door: Door,
    /// Names that whoever asks may know this node by, besides its own.
    pub hosts: Vec<String>,
    /// Where HAProxy's agent-check is told whether this node is master, as `host:port`, if it is.
    pub agent: Option<String>,
}

pub(super) fn read(table: &Table<'_>) -> Result<HttpSettings, Problem> {
    let http = table.find("http").map(|field| door(&field)).transpose()?;
    let hosts = match table.find("http_hosts") {
        Some(field) => field.items()?.iter().map(host).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let agent = match table.find("agent").map(|field| door(&field)).transpose()? {
        Some(Door::At(address)) => Some(address),
        Some(Door::Usual | Door::Off) | None => None,
    };
    Ok(HttpSettings { door: http.unwrap_or_default(), hosts, agent })
}

fn door(field: &Field<'_>) -> Result<Door, Problem> {
    if field.as_text() == Some("off") {
        return Ok(Door::Off);
    }
    let hint = format!("write host:port, such as {HTTP_DEFAULT}, or off");
    field.address().map_err(|problem| problem.hint(hint))?;
    Ok(Door::At(field.text()?.to_owned()))
}

/// A name without a port: what stands before it in an address.
fn host(field: &Field<'_>) -> Result<String, Problem> {
    let text = field.text()?;
    match Address::parse(&format!("{text}:1")) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            let words = format!("{} is `{}`: {error}", field.name(), text.escape_debug());
            Err(field.problem(words).hint("write a name without a port, such as shop.example.net"))
        }
    }
}

pub(super) fn render(settings: &HttpSettings) -> [String; 3] {
    let HttpSettings { door, hosts, agent } = settings;
    let hosts: Vec<String> = hosts.iter().map(|host| quoted(host)).collect();
    [
        match door {
            Door::Usual => format!("# http: \"{HTTP_DEFAULT}\""),
            Door::Off => "http: off".to_owned(),
            Door::At(address) => format!("http: \"{address}\""),
        },
        match hosts.is_empty() {
            true => "# http_hosts: [shop.example.net]".to_owned(),
            false => format!("http_hosts: [{}]", hosts.join(", ")),
        },
        match agent {
            Some(address) => format!("agent: \"{address}\""),
            None => "# agent: \"10.0.0.1:9903\"".to_owned(),
        },
    ]
}
