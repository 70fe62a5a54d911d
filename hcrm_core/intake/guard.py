"""Who may connect to a listening port, and as which source."""

import ssl
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from hcrm_core.errors import ConfigurationError
from hcrm_core.model.adapters import Adapter


def parse_address(text: str, where: str) -> tuple[str, int]:
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


def check(adapters: Sequence[Adapter], where: Callable[[str, str], str]) -> None:
    """Refuse a port that would let in whom nobody meant.

    Args:
        adapters: Those of the sources that share the port.
        where: (source, key) → file and line, for the error.

    Raises:
        ConfigurationError: A setting is missing, or two contradict each other.
    """
    for adapter in adapters:
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
        host, _ = parse_address(adapter.settings.listen or "", where(source, "listen"))
        if not limits.certificate and not ip_address(host).is_loopback and not (limits.plaintext and limits.allow):
            raise ConfigurationError(
                f"{where(source, 'listen')}: {host} can be reached from other machines, and patient data would cross "
                "the network unencrypted. Set certificate and key under [sources."
                f"{source}.listener]; or, on a network you trust, plaintext = true and allow = [who may connect]."
            )
    if len(adapters) > 1:
        _check_shared(adapters, where)


def _check_shared(adapters: Sequence[Adapter], where: Callable[[str, str], str]) -> None:
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


def context(adapter: Adapter, path: Callable[[str], Path], where: str) -> ssl.SSLContext | None:
    """The TLS side of a port; `None` where it speaks plain text.

    Raises:
        ConfigurationError: A file cannot be read, or is no certificate or key.
    """
    limits = adapter.settings.listener
    if limits.certificate is None or limits.key is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(path(limits.certificate), path(limits.key))
        if limits.client_ca:
            made.load_verify_locations(path(limits.client_ca))
            made.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"{where}: certificate, key or client_ca cannot be used: {reason}. Give PEM files; the key must be the "
            "certificate's and without a passphrase."
        ) from None
    return made


def admit(adapters: Sequence[Adapter], address: str, certificate: dict[str, Any]) -> Adapter | str:
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
    allowed = fitting[0].settings.listener.allow
    if allowed and not any(ip_address(address) in ip_network(network) for network in allowed):
        return "its address is not allowed"
    return fitting[0]


def _names(certificate: dict[str, Any]) -> set[str]:
    """The DNS names a certificate is for, else its common name (RFC 6125 §6.4.4)."""
    alternative = {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    common = {value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"}
    return alternative or common
