"""Splink on DuckDB: it learns what agreements weigh, and scores the pairs of an archive by them.

It is handed the comparisons of `identity/compare.py` as functions, so that each level is defined once. People are
rows in order; a pair is two of their places.
"""

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from duckdb import sqltypes

from hcrm_core.errors import ConfigurationError

Agreement = Callable[[int, int], int]
"""Places of two people → the place of their level among a field's levels; -1 where one says nothing."""

SAMPLED = 500_000
"""Random pairs looked at for how often two people agree."""
_LEAST_M, _LEAST_U = 1e-4, 1e-7
"""For what training never met."""


class People(NamedTuple):
    """Those to be linked.

    Attributes:
        columns: Field → its first value for each, `None` where nothing is said; people who share one are compared.
        levels: Field → its levels, the strongest first.
        agreements: Field → how two of them agree.
    """

    columns: Mapping[str, Sequence[str | None]]
    levels: Mapping[str, Sequence[str]]
    agreements: Mapping[str, Agreement]


class Learnt(NamedTuple):
    """What training came to: the share of pairs that are one person, and field → level → (m, u)."""

    prior: float
    odds: dict[str, dict[str, tuple[float, float]]]


def learn(people: People, seed: int) -> Learnt:
    """Estimate m and u by expectation maximisation, without being told who is whom.

    Args:
        people: A sample of some ten thousand, duplicates among them.
        seed: Of the random pairs.

    Raises:
        ConfigurationError: Splink is not installed.
    """
    splink = splink_package()
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "place",
        "comparisons": [_comparison(field, levels) for field, levels in people.levels.items()],
        "blocking_rules_to_generate_predictions": [splink.block_on("document")],
        "retain_intermediate_calculation_columns": False,
    }
    with duckdb.connect() as connection:
        linker = _linker(splink, connection, people, settings)
        training = linker.training
        training.estimate_probability_two_random_records_match([splink.block_on("document")], recall=0.8)
        training.estimate_u_using_random_sampling(SAMPLED, seed=seed, min_count_per_level=None, num_chunks=1)
        # Who shares a document, or name and birth date, is mostly one person. A shared phone is mostly a family's, and
        # would teach what relatives have in common.
        for block in (("document",), ("name", "birth")):
            training.estimate_parameters_using_expectation_maximisation(splink.block_on(*block))
        model: dict[str, Any] = linker.misc.save_model_to_json()
        _forget(connection, people)
    odds = {}
    for comparison, (field, levels) in zip(model["comparisons"], people.levels.items(), strict=True):
        said = [one for one in comparison["comparison_levels"] if not one.get("is_null_level")]
        odds[field] = {
            level: (
                max(one.get("m_probability") or 0.0, _LEAST_M),
                max(one.get("u_probability") or 0.0, _LEAST_U),
            )
            for level, one in zip(levels, said, strict=True)
        }
    return Learnt(model["probability_two_random_records_match"], odds)


def score(people: People, learnt: Learnt, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """The match weight Splink gives to pairs: bits, the prior odds included.

    Args:
        people: Of an archive.
        learnt: What the model says.
        pairs: Places of those to be compared, the lesser first.

    Raises:
        ConfigurationError: Splink is not installed.
    """
    splink = splink_package()
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "place",
        "probability_two_random_records_match": learnt.prior,
        "comparisons": [_comparison(field, levels, learnt.odds[field]) for field, levels in people.levels.items()],
        "blocking_rules_to_generate_predictions": [splink.block_on("document")],
        "retain_intermediate_calculation_columns": False,
        "retain_matching_columns": False,
    }
    with duckdb.connect() as connection:
        linker = _linker(splink, connection, people, settings)
        listed = sorted(pairs)
        blocked = pa.table(
            {
                "match_key": pa.array(["0"] * len(listed), pa.string()),
                "join_key_l": pa.array([low for low, _ in listed], pa.int64()),
                "join_key_r": pa.array([high for _, high in listed], pa.int64()),
            }
        )
        api = linker._db_api
        linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
        found = linker.inference.predict(warning_mode="never")
        rows = connection.execute(
            f"SELECT place_l, place_r, match_weight FROM {found.physical_name} ORDER BY 1, 2"
        ).fetchall()
        _forget(connection, people)
    return {(low, high): weight for low, high, weight in rows}


def _linker(splink: Any, connection: duckdb.DuckDBPyConnection, people: People, settings: dict[str, Any]) -> Any:
    for field, agreement in people.agreements.items():
        # Asked once for every level, of some thousand pairs at a time.
        known = lru_cache(maxsize=16_384)(agreement)
        connection.create_function(f"{field}_agrees", known, [sqltypes.BIGINT, sqltypes.BIGINT], sqltypes.BIGINT)
    count = len(next(iter(people.columns.values())))
    table = pa.table(
        {"place": pa.array(range(count), pa.int64())}
        | {field: pa.array(values, pa.string()) for field, values in people.columns.items()}
        | {f"{field}_of": pa.array(range(count), pa.int64()) for field in people.columns}
    )
    return linker_of(splink, connection, table, settings)


def linker_of(splink: Any, connection: duckdb.DuckDBPyConnection, people: pa.Table, settings: dict[str, Any]) -> Any:
    """Splink's linker of a table, silent."""
    return splink.Linker(splink.DuckDBAPI(connection).register(people), settings, log_level=logging.ERROR)


def _forget(connection: duckdb.DuckDBPyConnection, people: People) -> None:
    """Let go of the functions: DuckDB holds them beyond the connection."""
    for field in people.agreements:
        connection.remove_function(f"{field}_agrees")


def _comparison(
    field: str, levels: Sequence[str], odds: Mapping[str, tuple[float, float]] | None = None
) -> dict[str, Any]:
    said = f"{field}_agrees({field}_of_l, {field}_of_r)"
    listed: list[dict[str, Any]] = [
        {"sql_condition": f"{field}_l IS NULL OR {field}_r IS NULL", "label_for_charts": "null", "is_null_level": True}
    ]
    for place, level in enumerate(levels):
        condition = f"{said} = {place}" if place < len(levels) - 1 else "ELSE"
        known = {"m_probability": odds[level][0], "u_probability": odds[level][1]} if odds else {}
        listed.append({"sql_condition": condition, "label_for_charts": level, **known})
    return {"output_column_name": field, "comparison_levels": listed}


def splink_package() -> Any:
    """Splink, where it is installed.

    Raises:
        ConfigurationError: It is not.
    """
    try:
        import splink
    except ImportError:
        raise ConfigurationError("Splink is not installed. Install it: pip install 'hcrm[linkage]'.") from None
    logging.getLogger("splink").setLevel(os.environ.get("HCRM_SPLINK_LOG", "ERROR"))
    return splink
