"""The suite that the modules of checks beside this one register in."""

from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.checks import Suite

SUITE: Suite[AdapterCase] = Suite("adapters")
