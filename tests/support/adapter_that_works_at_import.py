"""An adapter whose import works before there is anything to do."""

import time

from support.ward_list import WardList

_BEGUN = time.process_time()
while time.process_time() < _BEGUN + 0.25:
    pass


class WorksAtImport(WardList):
    pass
