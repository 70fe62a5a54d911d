"""Runs and reports on Spark: the same decisions, nothing printed, and sentences where it cannot be."""

import time
from pathlib import Path

import pytest

from hcrm_core.config import Configuration, SparkSettings
from hcrm_core.decide.code import PluginCode
from hcrm_core.decide.run import decide, run_report_queries
from hcrm_core.errors import StrategyError, WorkspaceError
from hcrm_core.mart.check import Checked
from hcrm_core.mart.engine import Limits, Mart
from hcrm_core.mart.spark import Spark, plain_file
from hcrm_core.mart.spark_session import started
from hcrm_core.registry.enabled import Registry
from hcrm_core.testing.strategies.wards import wards
from hcrm_core.testing.world import hospital

ZONE = "Asia/Shanghai"


def test_a_run_and_every_report_are_equal(spark: Spark, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hcrm.toml").write_text(
        'plugins = ["segmentation", "followup", "compliance", "loyalty", "reporting"]\n'
    )
    registry = Registry(Configuration(tmp_path))
    code = PluginCode(registry)
    whole = wards(hospital(1), ZONE).whole
    seen = {}
    capfd.readouterr()
    for name, engine in {"duckdb": None, "spark": spark}.items():
        ward = whole.copy(tmp_path / name)
        given = {"now_us": ward.now, "timezone": ZONE, "engine": engine}
        with ward.store() as store:
            outcomes = decide(
                store, ward.mart, list(registry.strategies.values()), compute=code.compute, stop_on_error=True,
                reviews=list(registry.reviews.values()), **given,
            )  # fmt: skip
            reports = {
                (report.name, query): table.to_pylist()
                for report in registry.reports.values()
                for query, table in run_report_queries(store, ward.mart, report, **given).items()
            }
            print(name, {one.name: one.seconds for one in outcomes})
        seen[name] = [one._replace(seconds=0) for one in outcomes], reports
        assert list(ward.mart.glob("spark-*")) == []
    code.close()
    registry.close()
    assert seen["spark"][0] == seen["duckdb"][0]
    assert sum(one.new for one in seen["duckdb"][0])
    for query, rows in seen["duckdb"][1].items():
        assert seen["spark"][1][query] == rows, query
    assert capfd.readouterr().err == ""


def test_errors_hold_no_values_and_print_nothing(spark: Spark, edge: Mart, capfd: pytest.CaptureFixture[str]) -> None:
    checked = Checked("SELECT CAST(s AS DECIMAL(10, 2)) AS x FROM edge", frozenset(), frozenset({"edge"}))
    with pytest.raises(StrategyError, match="s: it failed on Spark") as caught:
        spark.show(edge, checked, {}, name="s")
    assert "中文" not in str(caught.value) and "".join(capfd.readouterr()) == ""


def test_what_takes_too_long_is_stopped(edge: Mart, spark: Spark) -> None:
    slow = "SELECT count(*) AS n FROM edge AS a, edge AS b, edge AS c, edge AS d WHERE a.id + b.id + c.id + d.id > 3"
    began = time.monotonic()
    with pytest.raises(StrategyError, match="slow: it took longer than 2 seconds"):
        Spark(SparkSettings(master="local[2]"), Limits(seconds=2)).show(
            edge, Checked(slow, frozenset(), frozenset({"edge"})), {}, name="slow"
        )
    assert time.monotonic() - began < 60


def test_what_keeps_engines_equal_cannot_be_configured(spark: Spark) -> None:
    session = started(SparkSettings())
    for name in ("spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.variable.substitute"):
        assert session.conf.get(name) == {"spark.sql.session.timeZone": "UTC"}.get(
            name, "false" if name.endswith("substitute") else "true"
        )


def test_a_table_that_is_a_file_is_read_as_one() -> None:
    from hcrm_core.mart.engine import open_mart

    ward = wards(hospital(1), ZONE).whole
    with open_mart(ward.mart) as mart:
        file = plain_file(mart, "encounter")
        assert file is not None and file.suffix == ".parquet" and file.exists()
        assert plain_file(mart, "decision_task") is None
        mart.execute("CREATE TEMP TABLE other AS SELECT * FROM encounter")
        mart.execute("CREATE OR REPLACE VIEW encounter AS SELECT * FROM other")
        assert plain_file(mart, "encounter") is None


def test_without_java_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hcrm_core.mart.spark_session import require_java

    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(WorkspaceError, match=r"not on this machine\. On Debian"):
        require_java()
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    with pytest.raises(WorkspaceError, match="needs Java 17, and this is Java 8"):
        require_java()
