"""Which network addresses a source may be fetched from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also by what an IPv6 address embeds.

    Private, loopback, link-local (with the metadata services of clouds), carrier-grade NAT, multicast,
    unspecified and reserved ranges are not (IANA special-purpose registries, as in `ipaddress`).
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        embedded = _embedded(found)
        if embedded is not None:
            return is_public(str(embedded))
    return found.is_global and not found.is_multicast


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
