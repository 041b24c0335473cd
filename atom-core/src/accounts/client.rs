//! What a host knows of a client, in one form however it was spelled.

use crate::{Error, Result};
use atom_macros::model;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest `user_agent` that is kept, in characters.
const LONGEST_USER_AGENT: usize = 500;
/// The longest `device_name`, in characters.
const LONGEST_NAME: usize = 100;

/// What the host knows of the client that calls it. A user finds it in the list of their sessions, and failed sign-ins are counted by its
/// address.
#[model(default)]
pub struct Client {
    /// Its IP address: that of the connection, or the one that a proxy of the host's own names. Never take it from a header that the client can write.
    pub ip: Option<String>,
    /// The `User-Agent` of its request. What is beyond 500 characters is cut off.
    pub user_agent: Option<String>,
    /// What to call the device, such as `Ada's phone`. What is beyond 100 characters is cut off.
    pub device_name: Option<String>,
}

impl Client {
    /// The same in the form that is stored; none if nothing is known.
    ///
    /// Fails with `invalid` (`malformed_client`).
    pub(super) fn canonical(self) -> Result<Option<Self>> {
        let malformed = || {
            let text = "the client's `ip` is not an IP address: pass it without a port, or leave it out";
            Error::invalid("malformed_client", text)
        };
        let ip = self.ip.as_deref().map(str::trim).filter(|ip| !ip.is_empty());
        let ip = ip.map(|ip| address(ip).ok_or_else(malformed)).transpose()?;
        let client = Self {
            ip: ip.map(|ip| ip.to_string()),
            user_agent: short(self.user_agent, LONGEST_USER_AGENT),
            device_name: short(self.device_name, LONGEST_NAME),
        };
        Ok(Some(client).filter(|client| *client != Self::default()))
    }

    /// The network that the client is in, as far as attempts are counted for it.
    pub(super) fn network(&self) -> Option<String> {
        self.ip.as_deref().and_then(address).map(network)
    }
}

/// A text of a client's, which may hold anything, as one line; none if nothing is left.
fn short(text: Option<String>, most: usize) -> Option<String> {
    let line: String = text?.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line: String = line.trim().chars().take(most).collect();
    Some(line).filter(|line| !line.is_empty())
}

/// An address in its one form. An IPv4 address that stands in an IPv6 one, because a socket or a gateway translates, is that IPv4 address.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    // A zone names an interface of the machine, and is no part of the address.
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    Some(match text.parse().ok()? {
        IpAddr::V6(v6) => translated(v6).map_or_else(|| v6.to_canonical(), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    })
}

/// The IPv4 address in an address of the well-known prefix of translators, `64:ff9b::/96` (RFC 6052).
fn translated(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = v6.segments() else { return None };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

/// An IPv4 address, or the /64 of an IPv6 one: whoever has one address there has all of them.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{}/64", Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(ip: &str) -> Client {
        Client { ip: Some(ip.into()), ..Default::default() }
    }

    fn network_of(ip: &str) -> Option<String> {
        client(ip).canonical().expect(ip).expect("something is known").network()
    }

    #[test]
    fn p07_spellings_of_one_address_are_one_network() {
        for ip in [
            "192.0.2.7",
            " 192.0.2.7 ",
            "::ffff:192.0.2.7",
            "::FFFF:C000:207",
            "0:0:0:0:0:ffff:c000:0207",
            "[::ffff:192.0.2.7]",
            "64:ff9b::192.0.2.7",
        ] {
            assert_eq!(network_of(ip).as_deref(), Some("192.0.2.7"), "{ip}");
        }
        for ip in
            ["2001:db8:0:1::5", "2001:DB8:0:1:ffff::1", "2001:0db8:0000:0001:0:0:0:9", "[2001:db8:0:1::]", "2001:db8:0:1::5%eth0"]
        {
            assert_eq!(network_of(ip).as_deref(), Some("2001:db8:0:1::/64"), "{ip}");
        }
        assert_ne!(network_of("2001:db8:0:2::5"), network_of("2001:db8:0:1::5"));
        assert_ne!(network_of("192.0.2.7"), network_of("192.0.2.8"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for ip in ["localhost", "192.0.2", "192.0.2.7:80", "0xc0.0.2.7", "192.0.2.07", "::g", "1,2"] {
            assert_eq!(client(ip).canonical().expect_err(ip).reason(), "malformed_client", "{ip}");
        }
    }

    #[test]
    fn texts_of_a_client_become_one_short_line() {
        let loud =
            Client { user_agent: Some(format!("Mozilla\r\n{}", "x".repeat(600))), device_name: Some(" \n".into()), ip: None };
        let kept = loud.canonical().expect("texts are cut").expect("something is known");
        let user_agent = kept.user_agent.expect("some of it");
        assert!(user_agent.starts_with("Mozilla  xx") && user_agent.chars().count() == LONGEST_USER_AGENT);
        assert_eq!((kept.device_name, kept.ip), (None, None));
        assert_eq!(Client { ip: Some(String::new()), ..Default::default() }.canonical().expect("nothing"), None);
    }
}
