"""Whether Spark can be tested here, and how it is started for tests."""

from importlib.util import find_spec

from hcrm_core.config import SparkSettings
from hcrm_core.mart.spark_session import JAVA, java_version

# Java compiles what runs often in two steps; the second takes more than it gives in the minute that the tests run.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
SETTINGS = SparkSettings(
    master="local[2]", conf={"spark.driver.memory": "1g", "spark.driver.extraJavaOptions": JAVA_OPTIONS}
)


def passed_over() -> str:
    """Why tests of Spark are passed over; empty where they are not."""
    if find_spec("pyspark") is None:
        return "PySpark is not installed"
    return "" if (java_version() or 0) >= JAVA else f"there is no Java {JAVA}"
