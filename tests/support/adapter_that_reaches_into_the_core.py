"""An adapter that imports what is not for plugins."""

from datetime import datetime

from hcrm_core.api import Statement
from hcrm_core.env import microseconds
from support.ward_list import WardList


class ReachesIntoTheCore(WardList):
    def statement(self, said_at: datetime) -> Statement:
        return Statement(said_at=microseconds(said_at))
