"""The conformance kits: one call in a plugin's tests, and every promise of the contract is checked.

`adapter_kit` and `strategy_kit` are imported when asked for, so that the kit of one needs nothing of the other.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcrm_core.testing.adapters import adapter_kit
    from hcrm_core.testing.strategies import strategy_kit

__all__ = ["adapter_kit", "strategy_kit"]

_HOMES = {"adapter_kit": "hcrm_core.testing.adapters", "strategy_kit": "hcrm_core.testing.strategies"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
