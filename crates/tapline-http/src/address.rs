use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet: anybody's, and not one that means something else to this machine
/// or in its networks.
///
/// It goes by IANA's registries of special-purpose addresses (RFC 6890 and what updates it), as of 2025, and counts
/// everything beside IANA's global unicast space as not public. An address of IPv4 inside one of IPv6 is looked at itself.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Ranges of IPv4: the first address, and how many bits all of it have in common.
const SPECIAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),        // this network, and the unspecified address
    ([10, 0, 0, 0], 8),       // private use
    ([100, 64, 0, 0], 10),    // shared by the customers of a carrier; metadata of one cloud
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // what a cloud tells its machines, at an address that looks public
    ([169, 254, 0, 0], 16),   // link-local; metadata of most clouds
    ([172, 16, 0, 0], 12),    // private use
    ([192, 0, 0, 0], 24),     // protocol assignments
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 31, 196, 0], 24),  // AS112
    ([192, 52, 193, 0], 24),  // multicast tunnels
    ([192, 88, 99, 0], 24),   // relays of 6to4
    ([192, 168, 0, 0], 16),   // private use
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

/// Ranges within the global unicast space of IPv6.
const SPECIAL_V6: [([u16; 3], u32); 5] = [
    ([0x2001, 0, 0], 23),           // protocol assignments, Teredo among them
    ([0x2001, 0x0db8, 0], 32),      // documentation
    ([0x2620, 0x004f, 0x8000], 48), // AS112
    ([0x3ffe, 0, 0], 16),           // the former 6bone
    ([0x3fff, 0, 0], 20),           // documentation
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(first, bits): &([u8; 4], u32)| {
        (address.to_bits() ^ Ipv4Addr::from(*first).to_bits()).leading_zeros() >= *bits
    };
    !SPECIAL_V4.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = inner_v4(address) {
        return is_public_v4(inner);
    }
    let is_in = |([a, b, c], bits): &([u16; 3], u32)| {
        let first = Ipv6Addr::new(*a, *b, *c, 0, 0, 0, 0, 0);
        (address.to_bits() ^ first.to_bits()).leading_zeros() >= *bits
    };
    // 2000::/3 is all that IANA gives out to the internet.
    address.segments()[0] >> 13 == 1 && !SPECIAL_V6.iter().any(is_in)
}

/// The address of IPv4 that one of IPv6 stands for: mapped (RFC 4291), translated (RFC 6052), or 6to4 (RFC 3056).
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    const SPECIAL: &str = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 168.63.129.16 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 \
        198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 \
        255.255.255.255 :: ::1 ::7f00:1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 64:ff9b::a00:1 \
        64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:a00:1::1 2002:7f00:1:: \
        3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 4000::1";
    const PUBLIC: &str = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 128.0.0.1 169.253.255.255 \
        172.15.255.255 172.32.0.0 192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255 \
        2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::808:808 \
        2002:808:808::1";

    #[test]
    fn a07_only_addresses_of_the_internet_are_public() {
        for (addresses, expected) in [(SPECIAL, false), (PUBLIC, true)] {
            for address in addresses.split(' ') {
                assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
            }
        }
    }
}
