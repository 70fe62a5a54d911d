"""What a simulation is made of: equal settings give equal bytes."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from hcrm_adapter_simulator.instants import DAY, midnight

MAX_PATIENTS = 9_999_999


@dataclass(frozen=True, slots=True)
class Settings:
    """The four numbers a synthetic hospital follows from.

    Attributes:
        until: The last day told; bookings reach beyond it.
        patients: How many persons.
        months: How many months of life end at `until`.
        seed: Another seed is another hospital of the same kind.
    """

    until: date
    patients: int = 2000
    months: int = 24
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated.

        Raises:
            ValueError: A number is out of its range; the text says which.
        """
        if not 1 <= self.patients <= MAX_PATIENTS:
            raise ValueError(f"The number of patients must lie between 1 and {MAX_PATIENTS:,}.")
        if not 1 <= self.months <= 240:
            raise ValueError("The number of months must lie between 1 and 240.")
        if self.until.year < 1971 + self.months // 12:
            raise ValueError("The simulated time must lie after 1970.")

    @property
    def begin(self) -> int:
        """The first instant told, in seconds since 1970 UTC."""
        year, month = divmod(self.until.year * 12 + self.until.month - 1 - self.months, 12)
        day = min(self.until.day, monthrange(year, month + 1)[1])
        return midnight(date(year, month + 1, day)) + DAY

    @property
    def end(self) -> int:
        """The first instant no longer told."""
        return midnight(self.until) + DAY
