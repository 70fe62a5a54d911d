"""The Spark session in which checked SELECTs mean what they mean on DuckDB; Java and PySpark are looked for first."""

import atexit
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from hcrm_core.config import SparkSettings
from hcrm_core.errors import WorkspaceError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest Java that Spark runs on."""

_INSTALL_JAVA = "On Debian and Ubuntu: apt-get install openjdk-17-jre-headless"

_MEANING = {
    "spark.sql.ansi.enabled": "true",
    # Else it reads `t WHERE (TRUE)` as the table `t` under the name WHERE.
    "spark.sql.ansi.enforceReservedKeywords": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # A result that does not fit 38 digits is an error, not a rounded one.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.caseSensitive": "false",
    "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
}
"""What makes rows equal to DuckDB's."""

_SAFETY = {
    # Spark would put variables of the environment into texts that hold ${env:NAME}, and read files named as tables.
    "spark.sql.variable.substitute": "false",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
}
"""What keeps a SELECT inside the mart."""

_LOCAL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.showConsoleProgress": "false",
}
"""On one machine: small work in few pieces, and no port that others reach."""


def started(settings: SparkSettings) -> "SparkSession":
    """The process's Spark session, started where there is none yet.

    Raises:
        WorkspaceError: PySpark or Java is not there or not fit, or Spark does not start.
    """
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
        from pyspark.java_gateway import launch_gateway
        from pyspark.logger import PySparkLogger
        from pyspark.sql import SparkSession
    except ImportError:
        raise WorkspaceError("The engine spark needs PySpark. Install it with: pip install 'hcrm[spark]'") from None
    if (active := SparkSession.getActiveSession()) is not None:
        return active
    require_java()
    local = settings.master.startswith("local")
    scratch = tempfile.TemporaryDirectory(prefix="hcrm-spark-", ignore_cleanup_errors=True)
    given = {
        "spark.sql.warehouse.dir": scratch.name,
        "spark.local.dir": scratch.name,
        "spark.pyspark.python": sys.executable,
        "spark.pyspark.driver.python": sys.executable,
    }
    everything = (given | _LOCAL if local else {}) | settings.conf | _MEANING | _SAFETY
    conf = SparkConf().setMaster(settings.master).setAppName("hcrm").setAll(list(everything.items()))
    try:
        # What Java has to say of itself is not the command's result.
        gateway = launch_gateway(conf, {"stderr": subprocess.DEVNULL})
        context = SparkContext(conf=conf, gateway=gateway)
    except (PySparkException, OSError) as error:
        raise WorkspaceError(
            f"Spark does not start on {settings.master!r} ({type(error).__name__}). Look at [mart.spark] in hcrm.toml; "
            f"{Path(sys.executable).parent / 'spark-submit'} --version says what is wrong with Java."
        ) from None
    context.setLogLevel("OFF")
    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True  # they would print errors with values of the data
    session = SparkSession(context)
    atexit.register(_stop, context, scratch)
    return session


def java_version() -> int | None:
    """The major version of the Java that Spark would start; `None` where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else which("java")
    if java is None:
        return None
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except OSError:
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found.group(1)) if found else None


def require_java() -> None:
    """Refuse where Java is not there, or too old.

    Raises:
        WorkspaceError: Saying what to install.
    """
    version = java_version()
    if version is None:
        raise WorkspaceError(f"The engine spark needs Java {JAVA}, which is not on this machine. {_INSTALL_JAVA}")
    if version < JAVA:
        raise WorkspaceError(
            f"The engine spark needs Java {JAVA}, and this is Java {version}. {_INSTALL_JAVA} and let "
            "JAVA_HOME name it."
        )


def _stop(context: Any, scratch: "tempfile.TemporaryDirectory[str]") -> None:
    with suppress(Exception):
        context.stop()
    scratch.cleanup()
