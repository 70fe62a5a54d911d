"""Who the customers are: age and sex."""

from collections import Counter

from hcrm_plugin_reporting.charts import chart
from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording

BAND = 10
OLDEST = 90
ELDER = 60


def people(facts: Facts, words: Wording) -> Section:
    """The age pyramid, women left and men right."""
    bands: Counter[tuple[int, str]] = Counter()
    elders = 0
    for row in facts.rows["people"]:
        if row["birth_year"] is None or row["sex"] not in ("female", "male"):
            continue
        age = max(0, facts.today.year - whole(row["birth_year"]))
        bands[min(age // BAND * BAND, OLDEST), str(row["sex"])] += whole(row["customers"])
        elders += whole(row["customers"]) if age >= ELDER else 0
    total = bands.total()
    if not total:
        return Section("people", words("people.empty"))

    def label(band: int) -> str:
        return words("people.oldest", age=OLDEST) if band == OLDEST else f"{band}–{band + BAND - 1}"

    largest = max(sorted(bands), key=lambda key: bands[key])
    takeaway = words(
        "people.takeaway",
        band=label(largest[0]),
        sex=words(f"people.{largest[1]}"),
        count=words.count(bands[largest]),
        share=words.percent(elders, total),
    )
    # The same reach on both sides, with room for the number beside the longest bar.
    reach = bands[largest] * 6 // 5 + 1
    order = range(OLDEST, -1, -BAND)
    rows = [
        {
            "band": label(band),
            "place": place,
            "sex": words(f"people.{sex}"),
            "side": -1 if sex == "female" else 1,
            "customers": bands[band, sex] * (-1 if sex == "female" else 1),
            "label": words.count(bands[band, sex]),
        }
        for place, band in enumerate(order)
        for sex in ("female", "male")
    ]
    return Section(
        "people",
        takeaway,
        chart("people", rows, words, label=takeaway, left=-reach, right=reach),
        Data(
            [words("people.band"), words("people.female"), words("people.male")],
            [[label(band), words.count(bands[band, "female"]), words.count(bands[band, "male"])] for band in order],
        ),
        words("people.note", n=words.count(total)),
    )


def unplaced(facts: Facts) -> int:
    """Living customers whose year of birth or sex is unknown."""
    return sum(
        whole(row["customers"])
        for row in facts.rows["people"]
        if row["birth_year"] is None or row["sex"] not in ("female", "male")
    )
