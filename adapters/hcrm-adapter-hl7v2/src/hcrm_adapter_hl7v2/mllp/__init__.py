"""Listening: the framing of MLLP, and the acknowledgments. Pure; the core owns the sockets."""

from .acknowledgment import acknowledge
from .framing import MllpConnection

__all__ = ["MllpConnection", "acknowledge"]
