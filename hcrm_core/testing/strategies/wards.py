"""Stores that heard a world in different ways, each with its mart; made once a process, since they know no strategy."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from hcrm_core.decide.freshness import refresh_mart
from hcrm_core.intake.accept import accept
from hcrm_core.intake.fold import Folder
from hcrm_core.model.translation import Statement, Translation
from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.inbox import Landed
from hcrm_core.testing.world import Told, World, microseconds
from hcrm_core.testing.world_people import link

KEY = b"\x07" * 32
"""One key for all wards: equal keys of a source have equal ids in every one."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
DAILY = 3
"""How many days before the end are heard one by one."""

_BATCHES = 10


class Ward(NamedTuple):
    """A store and its mart in a folder.

    Attributes:
        folder: Where they lie.
        now: The instant up to which it has heard, microseconds since 1970 UTC.
    """

    folder: Path
    now: int

    @property
    def mart(self) -> Path:
        """The mart's folder."""
        return self.folder / "mart"

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, for the length of the block."""
        store = Store(f"sqlite:///{self.folder}/store.db", f"sqlite:///{self.folder}/inbox.db", Codec(KEY))
        try:
            yield store
        finally:
            store.close()

    def copy(self, folder: Path) -> "Ward":
        """The same ward in another folder, to be changed."""
        shutil.copytree(self.folder, folder)
        return Ward(folder, self.now)


class Wards:
    """The wards of one world; each is made when first asked for."""

    def __init__(self, world: World, zone: str) -> None:
        """Args:
        world: What is said.
        zone: Of the workspace, for days.
        """
        self.world = world
        self.zone = zone
        self.end = microseconds(world.end)
        self._folder = TemporaryDirectory(prefix="hcrm-kit-", ignore_cleanup_errors=True)
        self._root = Path(self._folder.name)
        self._random = Random(20_260_331)

    @property
    def days(self) -> tuple[int, ...]:
        """The last days' instants, the end last."""
        return tuple(self.end - DAY * back for back in range(DAILY, -1, -1))

    @cached_property
    def empty(self) -> Ward:
        """Nobody ever said anything."""
        made = Ward(self._root / "empty", self.end)
        made.folder.mkdir()
        with made.store() as store:
            schema.upgrade(store)
        self.refresh(made)
        return made

    @cached_property
    def whole(self) -> Ward:
        """Everything, in the order in which it was said."""
        return self._told("whole", self.in_order(self.world.told, self.end), self.end)

    @cached_property
    def then(self) -> Ward:
        """What was known some days before the end."""
        first = self.days[0]
        return self._told("then", self.in_order([one for one in self.world.told if one.said_at <= first], first), first)

    @cached_property
    def late(self) -> Ward:
        """Everything, in any order."""
        told = list(self.world.told)
        self._random.shuffle(told)
        return self._told("late", self._spread(told), self.end)

    @cached_property
    def corrected(self) -> Ward:
        """Corrections first, and only then what they correct."""
        return self._told("corrected", self._first("correction"), self.end)

    @cached_property
    def cancelled(self) -> Ward:
        """What is taken back is taken back before it is said."""
        return self._told("cancelled", self._first("cancel"), self.end)

    @cached_property
    def repeated(self) -> Ward:
        """Everything, and everything once more, in messages of its own."""
        made = self.whole.copy(self._root / "repeated")
        self.hear(made, [(self.end, self.world.told)], salt=b"again")
        self.refresh(made)
        return made

    @cached_property
    def merged(self) -> Ward:
        """Everything, and then that some patients are others."""
        made = self.whole.copy(self._root / "merged")
        self.hear(made, [(self.end, self.links("replaced-by", 1))])
        self.refresh(made)
        return made

    @cached_property
    def unmerged(self) -> Ward:
        """The same, taken back."""
        made = self.merged.copy(self._root / "unmerged")
        self.hear(made, [(self.end, self.links(None, 2))])
        self.refresh(made)
        return made

    def links(self, type: str | None, place: int) -> list[Told]:
        """The statements that the world's pairs are one, or without a type that they are not."""
        statement = Statement(self.end - SECOND + place)
        return [
            Told(Translation("KIT", statement, (link(one, other, type),))) for one, other in sorted(self.world.pairs)
        ]

    def in_order(self, told: Sequence[Told], until: int) -> list[tuple[int, Sequence[Told]]]:
        """What was said up to an instant, in batches that arrive when the last of each was said."""
        first = told[0].said_at if told else until
        step = max((self.days[0] - first) // _BATCHES, 1)
        bounds = [first - 1, *(first + step * place for place in range(1, _BATCHES)), *self.days]
        return [
            (to, [one for one in told if after < one.said_at <= to]) for after, to in pairwise(bounds) if to <= until
        ]

    def hear(self, ward: Ward, batches: Iterable[tuple[int, Sequence[Told]]], salt: bytes = b"") -> None:
        """Fold batches into a ward as the core does, each arriving at its instant; another salt makes other messages
        that say the same."""
        with ward.store() as store:
            folder = Folder(store.codec, store.identity)
            with store.read() as connection:
                last = connection.exec_driver_sql("SELECT max(message_id) FROM processing").scalar()
            number = 1 + int(last or 0)
            for now, told in batches:
                messages = [
                    Landed(number + place, "kit", "", _hash(one.translation, salt), now, "kit", None, None, None)
                    for place, one in enumerate(told)
                ]
                accept(store, folder, "kit 1", messages, [one.translation for one in told], now)
                number += len(told)

    def refresh(self, ward: Ward) -> None:
        """Bring a ward's mart up to date."""
        with ward.store() as store:
            refresh_mart(store, ward.mart, now_us=ward.now, timezone=self.zone)

    def scratch(self, name: str) -> Path:
        """A folder that does not exist yet."""
        place = 0
        while (self._root / f"{name}-{place}").exists():
            place += 1
        return self._root / f"{name}-{place}"

    def _told(self, name: str, batches: Iterable[tuple[int, Sequence[Told]]], now: int) -> Ward:
        made = self.empty.copy(self._root / name)._replace(now=now)
        shutil.rmtree(made.mart)
        self.hear(made, batches)
        self.refresh(made)
        return made

    def _spread(self, told: Sequence[Told]) -> list[tuple[int, Sequence[Told]]]:
        size = len(told) // 6 + 1
        pieces = [told[start : start + size] for start in range(0, len(told), size)]
        return [(self.end - DAY * (len(pieces) - place), piece) for place, piece in enumerate(pieces, 1)]

    def _first(self, role: str) -> list[tuple[int, Sequence[Told]]]:
        early = [one for one in self.world.told if one.role == role]
        return [(self.end - DAY * 500, early), (self.end, [one for one in self.world.told if one.role != role])]


@cache
def wards(world: World, zone: str) -> Wards:
    """The wards of a world; equal worlds share them."""
    return Wards(world, zone)


def _hash(translation: Translation, salt: bytes) -> bytes:
    return sha256(salt + msgspec.json.encode(translation)).digest()
