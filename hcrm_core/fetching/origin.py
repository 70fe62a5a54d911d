"""Addresses of web servers: read strictly, and held to a list of origins.

An origin is scheme, host and port, compared after reading (RFC 6454). What could be read in two ways is refused, so
that nothing that reads the address after us can see another host in it.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import quote

from hcrm_core.errors import FetchError

_URL = re.compile(r"(https?)://([^/?]*)([/?].*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_TWO_WAYS = re.compile(r"[\x00-\x20\x7f\\#]")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host (a name in lower case, or an address without brackets) and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in `hcrm.toml`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port, as HTTP's header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Address(NamedTuple):
    """An origin, and what is asked of it: path and query."""

    origin: Origin
    target: str


def parse(url: str) -> Address:
    """Read an absolute address.

    Raises:
        ValueError: It is none, or could be read in two ways; the text is the end of a sentence beginning with "it".
    """
    if _TWO_WAYS.search(url):
        raise ValueError("has blanks, backslashes, control characters or a fragment")
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("does not begin with https:// or http://")
    scheme, authority, target = found[1].lower(), found[2], found[3] or "/"
    if "@" in authority:
        raise ValueError("has a user's name before its host")
    read = _AUTHORITY.fullmatch(authority)
    if read is None:
        raise ValueError("has no plain host and port")
    port = int(read[2]) if read[2] else _PORTS[scheme]
    if not 0 < port < 65_536:
        raise ValueError("has a port there is not")
    if target.startswith("?"):
        target = f"/{target}"
    return Address(Origin(scheme, _host(read[1].lower()), port), quote(target, safe=_PRINTABLE))


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise ValueError("has an IPv6 address that is none") from None
    if _NUMBER.fullmatch(text):
        # 127.1, 0177.0.0.1 and 2130706433 are addresses to some and names to others.
        try:
            return str(IPv4Address(text))
        except ValueError:
            raise ValueError("has an IPv4 address that is not written as four numbers") from None
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise ValueError("has a host whose name is none")
    return text


class Allowed:
    """The origins a source may be asked at."""

    def __init__(self, origins: frozenset[Origin]) -> None:
        """Args: origins: the source's own and those its settings name."""
        self._origins = origins

    def require(self, url: str) -> Address:
        """Read an address that an adapter or a server gave.

        Raises:
            FetchError: It could be read in two ways, or its origin is not on the list; nothing was connected.
        """
        try:
            address = parse(url)
        except ValueError as error:
            raise FetchError(f"An address to ask at was refused: it {error}. Nothing was sent there.") from None
        if address.origin not in self._origins:
            raise FetchError(
                f"We were sent to {address.origin}, which is not this source's server. Nothing was sent there. If it "
                "belongs to the hospital and may be given our credentials, add it to the source's pull.origins."
            )
        return address
