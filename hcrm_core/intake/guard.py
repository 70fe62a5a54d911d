"""Who may connect to a listening port, and as which source."""

import ssl
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from hcrm_core.errors import ConfigurationError
from hcrm_core.model.adapters import SourceSettings

Address = tuple[str, int]


class Listening(Protocol):
    """What must be known of a source that listens; an adapter, or a description of one."""

    @property
    def source(self) -> str:
        """Its name."""

    @property
    def name(self) -> str:
        """Its adapter's name."""

    @property
    def listens(self) -> bool:
        """Whether the adapter does."""

    @property
    def settings(self) -> SourceSettings:
        """Its table."""


L = TypeVar("L", bound=Listening)


class Planned(NamedTuple, Generic[L]):
    """A port to be: the adapters of the sources that listen on it, and its side of TLS."""

    adapters: list[L]
    context: ssl.SSLContext | None


def parse_address(text: str, where: str) -> Address:
    """Split `HOST:PORT` (`127.0.0.1:2575`, `[::1]:2575`).

    Args:
        text: The setting.
        where: File, line and key, for the error.

    Raises:
        ConfigurationError: It is none.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        number = -1
    if not 0 <= number < 65_536:
        raise ConfigurationError(f"{where}: {text!r} is no address and port. Write for example 127.0.0.1:2575.")
    return host, number


def plan(
    adapters: Sequence[L], path: Callable[[str], Path], where: Callable[[str, str], str]
) -> dict[Address, Planned[L]]:
    """The ports that some sources need. Nothing is bound; a mistake in the configuration shows here.

    Args:
        adapters: Of the sources that have `listen`.
        path: A file of the configuration → where it is.
        where: (source, key) → file and line, for errors.

    Raises:
        ConfigurationError: A setting is missing or wrong, or two contradict each other.
    """
    ports: dict[Address, list[L]] = {}
    for adapter in adapters:
        address = parse_address(adapter.settings.listen or "", where(adapter.source, "listen"))
        _check(adapter, address, where)
        ports.setdefault(address, []).append(adapter)
    for same in ports.values():
        if len(same) > 1:
            _check_shared(same, where)
    return {
        address: Planned(same, _context(same[0], path, where(same[0].source, "listener")))
        for address, same in ports.items()
    }


def reachable(adapters: Sequence[Listening], address: str) -> bool:
    """Whether any of a port's sources may be spoken to from an address."""
    return any(_allows(adapter, address) for adapter in adapters)


def admit(adapters: Sequence[L], address: str, certificate: dict[str, Any]) -> L | str:
    """The adapter of the source that connects, or a reason to turn it away.

    Args:
        adapters: Those of the sources that share the port.
        address: Where the connection comes from.
        certificate: The client's, verified; empty where it showed none.
    """
    names = _names(certificate)
    fitting = [one for one in adapters if one.settings.listener.client is None or one.settings.listener.client in names]
    if not fitting:
        return "its certificate names no source of this port"
    return fitting[0] if _allows(fitting[0], address) else "its address is not allowed"


def _allows(adapter: Listening, address: str) -> bool:
    allowed = adapter.settings.listener.allow
    return not allowed or any(ip_address(address) in ip_network(network) for network in allowed)


def _names(certificate: dict[str, Any]) -> set[str]:
    """The DNS names a certificate is for, else its common name (RFC 6125 §6.4.4)."""
    alternative = {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    common = {value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"}
    return alternative or common


def _check(adapter: Listening, address: Address, where: Callable[[str, str], str]) -> None:
    """Refuse a source that would let in whom nobody meant."""
    source, limits = adapter.source, adapter.settings.listener
    if not adapter.listens:
        raise ConfigurationError(
            f"{where(source, 'listen')}: the adapter {adapter.name} does not listen. Remove `listen`."
        )
    for network in limits.allow:
        try:
            ip_network(network)
        except ValueError:
            raise ConfigurationError(
                f"{where(source, 'listener')}: allow: {network!r} is no network. Write for example 10.1.0.0/16."
            ) from None
    if (limits.certificate is None) != (limits.key is None):
        raise ConfigurationError(
            f"{where(source, 'listener')}: certificate and key belong together; give both or neither."
        )
    if limits.client_ca and not limits.certificate:
        raise ConfigurationError(
            f"{where(source, 'listener')}: client_ca asks senders for a certificate; the port needs its own first "
            "(certificate, key)."
        )
    if limits.client and not limits.client_ca:
        raise ConfigurationError(
            f"{where(source, 'listener')}: client names a sender by its certificate, and no sender is asked for one. "
            "Set client_ca, or remove client."
        )
    beyond = not ip_address(address[0]).is_loopback
    if beyond and not limits.certificate and limits.plaintext and not limits.allow:
        raise ConfigurationError(
            f"{where(source, 'listener')}: plaintext = true needs allow = [the networks senders come from], for "
            'example ["10.1.0.0/16"]: whoever reaches the port could send messages otherwise.'
        )
    if beyond and not limits.certificate and not limits.plaintext:
        raise ConfigurationError(
            f"{where(source, 'listen')}: {address[0]} can be reached from other machines, and patient data would cross "
            f"the network unencrypted. Set certificate and key under [sources.{source}.listener]; or, on a network you "
            "trust, plaintext = true and allow = [who may connect]."
        )


def _check_shared(adapters: Sequence[Listening], where: Callable[[str, str], str]) -> None:
    names = [adapter.settings.listener.client for adapter in adapters]
    asks = all(adapter.settings.listener.client_ca for adapter in adapters)
    last = adapters[-1].source
    if None in names or not asks or len(set(names)) < len(names):
        others = ", ".join(adapter.source for adapter in adapters[:-1])
        raise ConfigurationError(
            f"{where(last, 'listen')}: the port is taken by {others} already. Use another port, or tell the senders "
            "apart by their certificates: client_ca and a client of its own for each source."
        )
    secured = {
        (limits.certificate, limits.key, limits.client_ca)
        for limits in (adapter.settings.listener for adapter in adapters)
    }
    if len(secured) > 1:
        raise ConfigurationError(
            f"{where(last, 'listener')}: sources that share a port must share certificate, key and client_ca."
        )


def _context(adapter: Listening, path: Callable[[str], Path], where: str) -> ssl.SSLContext | None:
    """The TLS side of a port; `None` where it speaks plain text."""
    limits = adapter.settings.listener
    if limits.certificate is None or limits.key is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(path(limits.certificate), path(limits.key), password=_no_passphrase)
        if limits.client_ca:
            made.load_verify_locations(path(limits.client_ca))
            made.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "the key has a passphrase"
        raise ConfigurationError(
            f"{where}: certificate, key or client_ca cannot be used: {reason}. Give PEM files; the key must be the "
            "certificate's and without a passphrase."
        ) from None
    return made


def _no_passphrase() -> str:
    # Without this the key's passphrase would be asked for on the terminal.
    raise ValueError
