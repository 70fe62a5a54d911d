"""Splink as it comes, for comparison: its own comparisons of names, dates and numbers, and nothing of ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from hcrm_core.mart.linkage import SAMPLED, linker_of, splink_package


def link_alone(
    columns: Mapping[str, Sequence[str | None]], seed: int, thresholds: Sequence[float]
) -> tuple[list[dict[int, int]], list[tuple[int, int, float]]]:
    """Train on people and link them.

    Args:
        columns: `name`, `birth`, `sex`, `phone`, `document`, `address` of everybody, as they are written.
        seed: Of the random pairs.
        thresholds: Match probabilities, the greatest first.

    Returns:
        For each threshold place → cluster; and the pairs from a probability of a half on.

    Raises:
        ConfigurationError: Splink is not installed.
    """
    splink = splink_package()
    from splink import comparison_library as compared

    blocks = [("name", "birth"), ("document",), ("phone",), ("birth", "sex"), ("name", "sex")]
    settings: dict[str, Any] = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "place",
        "comparisons": [
            compared.NameComparison("name"),
            compared.DateOfBirthComparison("birth", input_is_string=True),
            compared.ExactMatch("sex"),
            compared.LevenshteinAtThresholds("phone", [1, 2]),
            compared.LevenshteinAtThresholds("document", [1, 2]),
            compared.JaroWinklerAtThresholds("address", [0.95, 0.85]),
        ],
        "blocking_rules_to_generate_predictions": [splink.block_on(*block) for block in blocks[:4]],
        "retain_matching_columns": False,
    }
    count = len(columns["name"])
    table = pa.table(
        {"place": pa.array(range(count), pa.int64())}
        | {field: pa.array(values, pa.string()) for field, values in columns.items()}
    )
    with duckdb.connect() as connection:
        linker = linker_of(splink, connection, table, settings)
        training = linker.training
        training.estimate_probability_two_random_records_match([splink.block_on("document")], recall=0.8)
        training.estimate_u_using_random_sampling(SAMPLED * 10, seed=seed)
        for block in (("document",), ("name", "birth")):
            training.estimate_parameters_using_expectation_maximisation(splink.block_on(*block))
        scored = linker.inference.predict(threshold_match_probability=0.5)
        clusters = []
        for threshold in thresholds:
            found = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, threshold)
            rows = connection.execute(f"SELECT place, cluster_id FROM {found.physical_name}").fetchall()
            clusters.append({int(place): int(cluster) for place, cluster in rows})
        pairs = connection.execute(
            f"SELECT place_l, place_r, match_probability FROM {scored.physical_name} ORDER BY 1, 2"
        ).fetchall()
    return clusters, pairs
