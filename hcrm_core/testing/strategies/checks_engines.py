"""The check that both engines decide the same."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

from hcrm_core.config import SparkSettings
from hcrm_core.mart.contract import evaluate
from hcrm_core.mart.spark_session import JAVA, java_version
from hcrm_core.testing.checks import PassedOver
from hcrm_core.testing.strategies.bench import Examined, differences
from hcrm_core.testing.strategies.suite import check

SWITCH = "HCRM_TEST_SPARK"
"""Set to 0 in the environment, Spark is not started for tests."""


@check(
    "S28",
    "Spark decides the same",
    reason="A hospital that outgrows one machine runs the same strategies on Spark; nobody's decisions may change.",
    fix="Write it with the parts that `hcrm_core/mart/allowed.toml` lists, order every window to the last row, and "
    "cast where values of two types meet.",
)
def engines_are_nothing(examined: Examined) -> Iterator[str]:
    """The SELECT, and the function where there is one, on a local Spark; passed over where that cannot run."""
    if os.environ.get(SWITCH) == "0":
        raise PassedOver(f"Passed over: {SWITCH}=0 says that Spark is not to be started.")
    if find_spec("pyspark") is None or (java_version() or 0) < JAVA:
        raise PassedOver(f"Passed over: it needs PySpark (pip install 'hcrm[spark]') and Java {JAVA}.")
    from hcrm_core.mart.spark import Spark

    bench, ward = examined.bench, examined.wards.whole
    expected = examined.on(ward)  # which also shows the decisions it reads
    mart = bench.scene(ward).mart
    evaluate(
        mart,
        examined.strategy,
        examined.checked,
        as_of_us=ward.now,
        today=bench.today(ward.now),
        compute=bench.code.compute,
        engine=Spark(SparkSettings(master="local[2]")),
    )
    found = mart.query("SELECT * FROM decided", {}, name=examined.strategy.name).to_pylist()
    yield from differences(examined.key, expected, found)
