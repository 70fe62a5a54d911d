"""What processes take, as Linux tells it in /proc."""

from pathlib import Path


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue
            parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    found, left = [], [process]
    while left:
        found.append(one := left.pop())
        left += parents.get(one, ())
    return found


def resident(process: int) -> float:
    """Resident memory in megabytes, 0 of a process that is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def handles(process: int) -> int:
    """How many files and connections it has open, 0 of a process that is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return 0
