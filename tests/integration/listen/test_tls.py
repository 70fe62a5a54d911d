"""TLS and mutual TLS: who does not show the right certificate is turned away before a byte of it is read."""

import logging
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority, self_signed
from support.mllp import Listening, Sender, adt, framed, kept, source

from hcrm_adapter_hl7v2.mllp import MllpConnection
from hcrm_core.store.engine import Store


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """TLS is the listener's; the database does not matter."""
    return sqlite_store


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All bytes that reach the adapter."""
    seen: list[bytes] = []
    receive = MllpConnection.receive

    def record(self: MllpConnection, data: bytes) -> Any:
        seen.append(data)
        return receive(self, data)

    monkeypatch.setattr(MllpConnection, "receive", record)
    return seen


class House:
    """A hospital: an authority for its servers, one for its senders, and a port for HIS and laboratory."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.servers, self.senders = Authority(folder, "servers"), Authority(folder, "senders")
        self.running = Listening(store)
        self.address = self.serve(self.senders)

    def serve(self, trusted: Authority, servers: Authority | None = None) -> str:
        """Listen, or take over changed certificates."""
        certificate, key = (servers or self.servers).server()
        shared = {"certificate": certificate, "key": key, "client_ca": str(trusted.file)}
        return self.running.serve(
            source("his", client="his.hospital", **shared), source("lis", client="lis.hospital", **shared)
        )


@pytest.fixture
def house(tmp_path: Path, store: Store):
    """A hospital that listens."""
    made = House(tmp_path, store)
    yield made
    made.running.stop()


def ask(house: House, tls: ssl.SSLContext, control_id: str = "M1") -> str:
    with Sender(house.address, tls) as sender:
        return sender.ask(adt(control_id)).code


def test_a_sender_is_known_by_its_certificate(house: House, store: Store) -> None:
    assert ask(house, house.senders.sender(house.servers, "his.hospital"), "M1") == "AA"
    assert ask(house, house.senders.sender(house.servers, "other.hospital", "lis.hospital"), "M2") == "AA"
    assert ask(house, house.senders.sender(house.servers, common="lis.hospital"), "M3") == "AA"
    assert [(one.source, one.control_id) for one in kept(store)] == [("his", "M1"), ("lis", "M2"), ("lis", "M3")]


def logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """The sender may see its connection end before the listener has written why."""
    until = time.monotonic() + 5
    while text not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)
    assert text in caplog.text


def nothing_shown(house: House) -> ssl.SSLContext:
    return house.servers.trust()


def of_another_authority(house: House) -> ssl.SSLContext:
    return Authority(house.folder, "strangers").sender(house.servers, "his.hospital")


def of_the_servers_authority(house: House) -> ssl.SSLContext:
    return house.servers.sender(house.servers, "his.hospital")


def expired(house: House) -> ssl.SSLContext:
    return house.senders.sender(house.servers, "his.hospital", expired=True)


def of_its_own_making(house: House) -> ssl.SSLContext:
    return self_signed(house.folder, "his.hospital", house.servers)


def of_another_name(house: House) -> ssl.SSLContext:
    return house.senders.sender(house.servers, "pharmacy.hospital")


def of_a_name_that_only_resembles(house: House) -> ssl.SSLContext:
    return house.senders.sender(house.servers, "his.hospital.example", common="his.hospital")


def of_an_address(house: House) -> ssl.SSLContext:
    return house.senders.sender(house.servers, "127.0.0.1")


def with_tls_1_1_only(house: House) -> ssl.SSLContext:
    context = house.senders.sender(house.servers, "his.hospital")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


REASONS = {
    nothing_shown: "peer did not return a certificate",
    of_another_authority: "its certificate is not accepted, unable to get local issuer certificate",
    of_the_servers_authority: "its certificate is not accepted, self-signed certificate in certificate chain",
    expired: "its certificate is not accepted, certificate has expired",
    of_its_own_making: "its certificate is not accepted, self-signed certificate",
    of_another_name: "its certificate names no source of this port",
    of_a_name_that_only_resembles: "its certificate names no source of this port",
    of_an_address: "its certificate names no source of this port",
    with_tls_1_1_only: "unsupported protocol",
}


@pytest.mark.parametrize("made", REASONS, ids=lambda made: made.__name__)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_turned_away(
    made: Any, house: House, store: Store, parsed: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    tls = made(house)
    with pytest.raises((OSError, EOFError)):
        ask(house, tls)
    assert parsed == [] and kept(store) == []
    logged(caplog, f"{house.address}: a connection from 127.0.0.1 was turned away: ")
    logged(caplog, REASONS[made])
    assert ask(house, house.senders.sender(house.servers, "his.hospital")) == "AA"


def test_plain_text_to_a_tls_port_is_not_read(house: House, store: Store, parsed: list[bytes]) -> None:
    with Sender(house.address) as sender:
        sender.socket.sendall(framed(adt("M1")))
        assert sender.ended()
    assert parsed == [] and kept(store) == []


def test_an_authority_that_is_removed_is_trusted_no_longer_not_even_for_a_session_it_opened(
    house: House, store: Store, parsed: list[bytes]
) -> None:
    tls = house.senders.sender(house.servers, "his.hospital")
    with Sender(house.address, tls) as open_one:
        open_one.ask(adt("M1"))
        session = open_one.socket.session
        fresh = Authority(house.folder, "fresh")
        house.serve(fresh)
        del parsed[:]
        for resumed in (None, session):
            with pytest.raises((OSError, EOFError)), Sender(house.address) as sender:
                sender.socket = tls.wrap_socket(sender.socket, server_hostname="localhost", session=resumed)
                sender.ask(adt("M2"))
        assert parsed == []
        assert ask(house, fresh.sender(house.servers, "his.hospital"), "M3") == "AA"
        assert open_one.ask(adt("M4")).code == "AA", "a reload drops no connection"
    assert [one.control_id for one in kept(store)] == ["M1", "M3", "M4"]


def test_a_new_certificate_of_the_port_is_shown_to_who_connects_next(house: House, store: Store) -> None:
    tls = house.senders.sender(house.servers, "his.hospital")
    with Sender(house.address, tls) as open_one:
        renewed = Authority(house.folder, "renewed")
        house.serve(house.senders, servers=renewed)
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(house, tls)
        assert ask(house, house.senders.sender(renewed, "his.hospital"), "M2") == "AA"
        assert open_one.ask(adt("M3")).code == "AA"


def test_reloading_drops_no_connection_and_refuses_nobody(house: House, store: Store) -> None:
    tls = house.senders.sender(house.servers, "his.hospital")
    held = [Sender(house.address, tls) for _ in range(10)]
    for turn in range(5):
        for number, sender in enumerate(held):
            sender.send(adt(f"{turn}-{number}"))
        house.serve(house.senders)
        assert [sender.answer().control_id for sender in held] == [f"{turn}-{number}" for number in range(10)]
        assert ask(house, tls, f"new-{turn}") == "AA"
    for sender in held:
        sender.socket.close()
    assert len(kept(store)) == 55


def test_a_handshake_that_does_not_go_on_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hcrm_core.intake.port.HANDSHAKE_SECONDS", 0.3)
    with Sender(house.address) as sender:
        assert sender.ended(5)
    logged(caplog, "TLS was not agreed on: it took too long.")


def test_what_tls_refuses_is_logged_without_a_traceback(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises((OSError, EOFError)):
        ask(house, nothing_shown(house))
    assert not [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]
