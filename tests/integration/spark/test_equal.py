"""Every shipped strategy and report gives the same rows on both engines."""

from collections.abc import Iterator
from typing import Any

import pytest

from hcrm_core.mart.contract import evaluate
from hcrm_core.mart.spark import Spark
from hcrm_core.testing.strategies import bench
from hcrm_core.testing.strategies import scene as scenes
from hcrm_core.testing.strategies.bench import Bench, Examined, differences
from hcrm_core.testing.strategies.scene import Scene

CARD = """
programmes:
  - id: family-card
    title: {en: Family card, zh: 家庭卡}
    since: 2020-01-01
    currency: CNY
    earn:
      - {id: spend, per: 1000, points: 1, cap: {points: 500, each: month}}
      - {id: large, per: 100000, points: 50, when: "amount >= 50000 AND lower(code) NOT LIKE 'x\\_%'"}
    tiers:
      window: 12m
      levels:
        - {id: silver, from: 5}
        - {id: gold, from: 100}
"""
PLUGINS: dict[str, dict[str, Any]] = {
    "segmentation": {},
    "followup": {},
    "loyalty": {"settings": '[loyalty]\nprogrammes = ["card.yaml"]\n', "files": {"card.yaml": CARD}},
}


@pytest.fixture(scope="module")
def benches() -> Iterator[dict[str, Bench]]:
    made = {plugin: bench(plugin, **more) for plugin, more in PLUGINS.items()}
    yield made
    for one in made.values():
        one.close()


def on_spark(spark: Spark, examined: Examined, scene: Scene) -> list[dict[str, Any]]:
    made, end = examined.bench, examined.wards.end
    evaluate(
        scene.mart, examined.strategy, examined.checked, as_of_us=end, today=made.today(end),
        compute=made.code.compute, engine=spark,
    )  # fmt: skip
    return scene.mart.query("SELECT * FROM decided", {}, name="decided").to_pylist()


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("values", ["as they are", "at the edges"])
def test_strategies(spark: Spark, benches: dict[str, Bench], plugin: str, values: str) -> None:
    for name in benches[plugin].own:
        examined = benches[plugin].examined(name)
        scene = benches[plugin].changeable
        scene.lay(examined.tables, scenes.extreme if values == "at the edges" else lambda table, kept: f"FROM {kept}")
        expected = examined.rows(scene, examined.wards.end)
        assert expected or values == "at the edges"
        assert list(differences(examined.key, expected, on_spark(spark, examined, scene))) == []
