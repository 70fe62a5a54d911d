"""An adapter that imports a database library which it needs, if at all, much later."""

import sqlalchemy

from support.ward_list import WardList


class BringsADatabase(WardList):
    version = f"1+{sqlalchemy.__version__}"
