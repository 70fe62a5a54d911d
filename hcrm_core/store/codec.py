"""The one door for payloads and direct identifiers into and out of the database.

Payloads are packed; names, numbers and keys pass through `seal`. Encryption at rest will sit in `seal` and `open`
and nowhere else. Tokens are keyed hashes: equal inputs meet, and without the key file nobody can guess them.
"""

from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from hcrm_core.errors import WorkspaceError
from hcrm_core.store.packing import MESSAGES, pack, unpack

SEPARATOR = "\x1f"
"""Between the parts of what a token stands for."""

_TOKEN_BYTES = 10  # 80 bits: among a billion facts the chance that two collide is below one in a million
_BLOCK = 64  # of SHA-256


class Codec:
    """Seals, opens and tokenises with one workspace's key."""

    def __init__(self, key: bytes) -> None:
        """Args: key: 32 bytes from the workspace's key file."""
        block = key.ljust(_BLOCK, b"\0")
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def seal(self, plain: bytes) -> bytes:
        """Make bytes fit for the database; `open` gives them back."""
        return pack(plain, MESSAGES)

    def seal_fields(self, plain: bytes) -> bytes:
        """`seal` for JSON of a record's fields."""
        return pack(plain)

    def open(self, sealed: bytes) -> bytes:
        """The bytes that were given to `seal` or `seal_fields`."""
        return unpack(sealed)

    def token(self, *parts: str) -> str:
        """A keyed, one-way name for what `parts` identify: 20 hexadecimal digits of HMAC-SHA-256 (RFC 2104).

        The mart computes the same in SQL when it loads record files (`mart/bulk.py`).
        """
        # The key's own block is hashed once, which halves what a token costs.
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(SEPARATOR.join(parts).encode("utf-8"))
        outer.update(inner.digest())
        return outer.digest()[:_TOKEN_BYTES].hex()


def create_key(path: Path) -> None:
    """Write a new random key, readable by its owner only.

    Raises:
        WorkspaceError: The file exists; a key is never replaced, since all ids depend on it.
    """
    if path.exists():
        raise WorkspaceError(f"{path} exists already; a workspace's key is never replaced.")
    path.touch(mode=0o600)
    path.write_text(token_hex(32) + "\n", encoding="ascii")


def read_key(path: Path) -> bytes:
    """The key in a key file.

    Raises:
        WorkspaceError: The file is missing or damaged.
    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise WorkspaceError(
            f"The key file {path} is missing. Restore it from your backup: without it no id of this workspace can "
            "be computed again."
        ) from None
    except ValueError:
        key = b""
    if len(key) != 32:
        raise WorkspaceError(f"The key file {path} is damaged: it must hold 64 hexadecimal digits. Restore it.")
    return key
