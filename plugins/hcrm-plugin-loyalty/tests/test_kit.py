"""The core's conformance kit."""

from hcrm_core.testing import strategy_kit

TestKit = strategy_kit("loyalty")
