"""Whatever is sent, in whatever pieces: nothing is raised, pieces do not matter, and every answer is one frame."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_mllp_framing import ADT, ORU, SIU, framed

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_adapter_hl7v2.mllp import MllpConnection
from hcrm_core.api import Problem, Received, Verdict
