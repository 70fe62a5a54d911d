"""Chinese names as their time and sex would have them, and others that sound the same."""

from hcrm_adapter_simulator.catalogue import Weighted, read
from hcrm_adapter_simulator.chance import Chance


class Names:
    """Draws names."""

    def __init__(self) -> None:
        """Read the characters."""
        data = read("names")
        self._surnames: Weighted[str] = Weighted(
            [name for name, _ in data["surnames"]], [share for _, share in data["surnames"]]
        )
        self._given: dict[str, str] = data["given"]
        self._given_alike = _alike(data["homophones"]["given"])
        self._family_alike = _alike(data["homophones"]["family"])

    def family(self, rng: Chance) -> str:
        """A surname."""
        return self._surnames.draw(rng)

    def given(self, rng: Chance, sex: str, birth_year: int) -> str:
        """A given name of one or two characters."""
        era = "old" if birth_year < 1965 else "mid" if birth_year < 1998 else "new"
        characters = self._given[f"{era}_{'male' if sex == 'M' else 'female'}"]
        first = rng.pick(characters)
        if rng.random() < (0.12 if era == "old" else 0.22):
            return first
        return first + rng.pick(characters)

    def alike(self, rng: Chance, family: str, given: str) -> tuple[str, str]:
        """A name that sounds the same; the name itself where none is known."""
        for place in range(len(given)):
            others = self._given_alike.get(given[place])
            if others:
                return family, given[:place] + rng.pick(others) + given[place + 1 :]
        others = self._family_alike.get(family)
        return (rng.pick(others), given) if others else (family, given)


def _alike(groups: list[str]) -> dict[str, str]:
    return {character: group.replace(character, "") for group in groups for character in group}
