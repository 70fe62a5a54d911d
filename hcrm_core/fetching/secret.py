"""Secrets in files that nobody else may read."""

import stat
from pathlib import Path

from hcrm_core.errors import ConfigurationError


def read_secret(file: Path, where: str) -> str:
    """A secret, without the line's end.

    Args:
        file: Where it is.
        where: What names the file, for errors.

    Raises:
        ConfigurationError: The file cannot be read, is empty, or can be read by others.
    """
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{where}: {file} cannot be read as a file of text. Check the path.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"{where}: {file} can be read by others. Close it: chmod 600 {file.name}")
    if not text:
        raise ConfigurationError(f"{where}: {file} is empty. Put the secret into it.")
    return text
