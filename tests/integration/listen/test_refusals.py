"""What the listener refuses to begin with: a mistake is a sentence that names file, line and what to do."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from support.certificates import Authority
from support.plugins import distribution
from support.ward import hcrm, sentence

from hcrm_core.cli.context import Opened
from hcrm_core.intake import port
from hcrm_core.store import schema

COMMANDS = (("listen",), ("run", "--watch"))
PORT = 'listen = "127.0.0.1:0"\n'
ANYBODY = 'listen = "0.0.0.0:0"\n'
GUARD = "[sources.his.listener]\n"
SECURE = 'certificate = "{cert}"\nkey = "{key}"\n'
MUTE = """
from hcrm_core.api import Adapter, hookimpl

class Mute(Adapter):
    name, version = "mute", "1"

    def translate(self, payload):
        raise NotImplementedError

@hookimpl
def register_adapters():
    return [Mute]
"""
SECOND = '[sources.lis]\nadapter = "hl7v2"\n'


def configure(workspace: Path, more: str) -> int:
    """Append to the table of the source `his`; the number of the first line appended."""
    file = workspace / "hcrm.toml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + more, encoding="utf-8")
    return before.count("\n") + 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for an address that is taken."""
    monkeypatch.setattr(port, "BIND_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ('listen = "2575"\n', 0, "'2575' is no address and port. Write for example 127.0.0.1:2575."),
        ('listen = "127.0.0.1:99999"\n', 0, "is no address and port"),
        ('listen = "localhost:2575"\n', 0, "is no address and port"),
        (ANYBODY, 0, "0.0.0.0 can be reached from other machines, and patient data would cross"),
        (ANYBODY + GUARD + "plaintext = true\n", 1, "plaintext = true needs allow = [the networks senders come from]"),
        (ANYBODY + GUARD + 'allow = ["10.0.0.0/8"]\n', 0, "Set certificate and key under [sources.his.listener]"),
        (PORT + GUARD + "frame_secnods = 5\n", 2, "sources.his.listener.frame_secnods is not a key. Did you mean"),
        (PORT + GUARD + "frame_seconds = 0\n", 2, "sources.his.listener.frame_seconds: expected"),
        (PORT + GUARD + "connections = 0\n", 2, "sources.his.listener.connections: expected"),
        ("listen = 25799\n", 0, "sources.his.listen: it must be a text in quotes, not a whole number."),
        (PORT + 'acknowledge = "always"\n', 1, "invalid enum value 'always'. Write one of: 'commit', 'application'."),
        (PORT + GUARD + 'allow = ["10.0.0.1/8"]\n', 1, "'10.0.0.1/8' is no network. Write for example 10.1.0.0/16."),
        (PORT + GUARD + 'certificate = "a.pem"\n', 1, "certificate and key belong together; give both or neither."),
        (PORT + GUARD + 'client_ca = "ca.pem"\n', 1, "the port needs its own first (certificate, key)."),
        (PORT + GUARD + SECURE + 'client = "his"\n', 1, "no sender is asked for one. Set client_ca, or remove client"),
        (PORT + GUARD + 'certificate = "no.pem"\nkey = "no.pem"\n', 1, "cannot be used: No such file or directory."),
        (PORT + GUARD + 'certificate = "{key}"\nkey = "{cert}"\n', 1, "cannot be used: "),
        (PORT + GUARD + 'certificate = "{cert}"\nkey = "{locked}"\n', 1, "cannot be used: the key has a passphrase."),
        (PORT + SECOND + PORT, 3, "the port is taken by his already. Use another port, or tell the senders apart"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_line(workspace: Path, more: str, line: int, said: str) -> None:
    certificate, key = Authority(workspace, "servers").server()
    locked = workspace / "locked.key"
    locked.write_bytes(with_passphrase(Path(key).read_bytes()))
    first = configure(workspace, more.format(cert=certificate, key=key, locked=locked))
    told = sentence(hcrm("listen"), 1)
    assert said in told
    assert f"{workspace / 'hcrm.toml'}, line {first + line}: " in told


@pytest.mark.parametrize("more", [ANYBODY, PORT + GUARD + "frame_secnods = 5\n", PORT + SECOND + PORT])
def test_the_daemon_refuses_the_same_before_it_starts_a_listener(workspace: Path, more: str) -> None:
    configure(workspace, more)
    assert sentence(hcrm("run", "--watch"), 1) == sentence(hcrm("listen"), 1)


def test_an_adapter_that_does_not_listen_is_named(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(distribution(tmp_path / "site", "mute", MUTE)))
    file = workspace / "hcrm.toml"
    file.write_text('plugins = ["mute"]\n[sources.his]\nadapter = "mute"\n' + PORT, encoding="utf-8")
    assert f"{file}, line 4: the adapter mute does not listen. Remove `listen`." in sentence(hcrm("listen"), 1)


def with_passphrase(pem: bytes) -> bytes:
    """The same private key, locked."""
    from cryptography.hazmat.primitives import serialization as kinds

    key = kinds.load_pem_private_key(pem, None)
    lock = kinds.BestAvailableEncryption(b"secret")
    return key.private_bytes(kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, lock)


def test_sources_that_share_a_port_must_share_its_certificates(workspace: Path) -> None:
    guards = []
    for name in ("one", "two"):
        certificate, key = Authority(workspace, name).server()
        guards.append(
            f'certificate = "{certificate}"\nkey = "{key}"\nclient_ca = "{workspace / "one.pem"}"\nclient = "{name}"\n'
        )
    configure(workspace, f"{PORT}{GUARD}{guards[0]}{SECOND}{PORT}[sources.lis.listener]\n{guards[1]}")
    told = sentence(hcrm("listen"), 1)
    assert "sources that share a port must share certificate, key and client_ca." in told


def test_an_address_that_another_program_has_is_named(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        configure(workspace, f'listen = "127.0.0.1:{number}"\n')
        told = sentence(hcrm("listen"), 1)
    assert f"127.0.0.1:{number} cannot be listened on: Address already in use. Another program has it" in told


def test_an_address_that_is_not_this_machines_is_named(workspace: Path) -> None:
    configure(workspace, 'listen = "192.0.2.1:2575"\n' + GUARD + 'plaintext = true\nallow = ["192.0.2.0/24"]\n')
    assert "192.0.2.1:2575 cannot be listened on: Cannot assign requested address." in sentence(hcrm("listen"), 1)


def test_without_a_source_that_listens_there_is_nothing_to_do(workspace: Path) -> None:
    assert "No source of hcrm.toml listens. Add for example `listen =" in sentence(hcrm("listen"), 2)
    assert "The source 'his' does not listen. Add `listen` to [sources.his]." in sentence(hcrm("listen", "his"), 2)
    configure(workspace, PORT)
    assert "The source 'hiss' does not listen. Did you mean 'his'?" in sentence(hcrm("listen", "hiss"), 2)


@pytest.mark.postgresql
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_postgresql_that_would_forget_what_is_acknowledged_is_refused(
    workspace: Path, new_database: Callable[[], str], command: tuple[str, ...]
) -> None:
    url = new_database()
    file = workspace / "hcrm.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("sqlite:///store.db", url) + PORT, encoding="utf-8")
    space = Opened(workspace)
    schema.upgrade(space.unchecked_store)
    space.unchecked_store.close()
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    engine.dispose()
    told = sentence(hcrm(*command), 1)
    assert "PostgreSQL runs with synchronous_commit = off: an acknowledged message could be lost." in told
    assert "ALTER DATABASE" in told
