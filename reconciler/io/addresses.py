"""Which network addresses a source may be fetched from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
# All global unicast addresses are in here (RFC 4291, IANA); all else is local, multicast or not assigned.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Special-purpose or inside a cloud, though older versions of `ipaddress` call them global: IETF protocol
# assignments (RFC 6890; Oracle's metadata service is in it), the 6to4 relay (RFC 7526), and Azure's platform
# service, which answers every virtual machine.
_NOT_PUBLIC = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also by what an IPv6 address embeds.

    Private, loopback, link-local (with the metadata services of clouds), carrier-grade NAT, multicast,
    unspecified and reserved ranges are not (IANA special-purpose registries, as in `ipaddress`).
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in network for network in _NOT_PUBLIC)
    embedded = _embedded(found)
    if embedded is not None:
        return is_public(str(embedded))
    return found.is_global and found in _GLOBAL_UNICAST


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
