"""Every error HCRM raises on purpose, typed by what the reader can do about it.

The text of an error is one or more sentences: what happened, where, what to do. It never holds personal data.
The command line prints the text and exits with `exit_code`; a traceback is shown only for an error not listed here.
"""


class HcrmError(Exception):
    """Base of all deliberate errors; its text is meant for the person at the terminal."""

    exit_code = 1


class UsageError(HcrmError):
    """The command was called wrongly (an unknown name, an option that does not fit); call it again, corrected."""

    exit_code = 2


class ConfigurationError(HcrmError):
    """A configuration or rule file is wrong; mend the file at the line named."""


class WorkspaceError(HcrmError):
    """There is no usable workspace here; create or name one."""


class PluginError(HcrmError):
    """A plugin could not be found, loaded or run; the text names the plugin and its distribution."""


class StoreError(HcrmError):
    """The database refuses or is not at this version's schema; upgrade, repair or restore it."""


class InputError(HcrmError):
    """Input that cannot be read at all (a file, a folder, an archive); the input beside it is not affected."""


class FetchError(HcrmError):
    """A server or database that was asked gives no usable answer: it is away, refuses us, or sends us elsewhere. Ask
    again later, or mend what the text names; where a pull was is kept."""


class UnavailableError(FetchError):
    """It may go well if the same is asked again.

    Attributes:
        after: Not before so many seconds, where the server says so.
    """

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class StrategyError(HcrmError):
    """A strategy's SQL or its rows break the contract; the text names the strategy and the column or clause.

    Attributes:
        place: Where in the SQL it is, counted in characters from 0; `None` where it is about the whole.
    """

    place: int | None = None


class NotFoundError(HcrmError):
    """An id that names nothing in this workspace."""
