"""`hcrm.toml`: every mistake is named with file, line, key and the nearest valid key."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from hcrm_core.config import Configuration, lines_of, nearest
from hcrm_core.errors import ConfigurationError
from hcrm_core.model.adapters import SourceSettings
from hcrm_core.model.strategies import Strategy
from hcrm_core.registry.enabled import Registry

GOOD = """\
# A hospital.
plugins = ["hl7v2", "followup"]
title = "人民医院"
timezone = "Asia/Shanghai"

[store]
url = "sqlite:///store.db"

[sources.his]
adapter = "hl7v2"

[strategies.rfm]
window_months = 24
"""


def write(root: Path, text: str | bytes) -> Path:
    file = root / "hcrm.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refusal(root: Path, text: str | bytes) -> str:
    write(root, text)
    with pytest.raises(ConfigurationError) as raised:
        Configuration(root)
    return str(raised.value)


def test_a_good_file_is_typed_and_paths_become_absolute(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    configuration = Configuration(tmp_path)
    assert configuration.settings.plugins == ("hl7v2", "followup")
    assert configuration.settings.title == "人民医院"
    assert configuration.store_url == f"sqlite:///{tmp_path.resolve()}/store.db"
    assert configuration.inbox_url == f"sqlite:///{tmp_path.resolve()}/inbox.db"
    assert configuration.table("strategies", "rfm") == {"window_months": 24}
    assert configuration.table("nothing", "here") == {}


def test_an_empty_file_has_every_default(tmp_path: Path) -> None:
    write(tmp_path, "")
    assert Configuration(tmp_path).settings.timezone == "Asia/Shanghai"


def test_on_postgresql_the_inbox_lives_in_the_store_s_database(tmp_path: Path) -> None:
    write(tmp_path, '[store]\nurl = "postgresql+psycopg://hcrm@db/hcrm"\n')
    configuration = Configuration(tmp_path)
    assert configuration.inbox_url == configuration.store_url == "postgresql+psycopg://hcrm@db/hcrm"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())
    assert Configuration(tmp_path).settings.title == "人民医院"


# --- mistakes, each with what its text must hold ----------------------------------------------------------------------


def test_a_misspelt_key_at_the_top_names_the_nearest(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.replace("timezone =", "timezon ="))
    assert text == f"{tmp_path}/hcrm.toml, line 4: timezon is not a key. Did you mean 'timezone'?"


def test_a_misspelt_table_names_the_nearest(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.replace("[store]", "[stor]"))
    assert text == f"{tmp_path}/hcrm.toml, line 6: stor is not a key. Did you mean 'store'?"


def test_a_misspelt_key_in_a_table_names_line_and_nearest(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.replace("url =", "ulr ="))
    assert text == f"{tmp_path}/hcrm.toml, line 7: store.ulr is not a key. Did you mean 'url'?"


def test_a_key_like_no_other_lists_the_valid_ones(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.replace("url =", "password ="))
    assert "store.password is not a key. Valid here: inbox, key_file, url." in text


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('title = "人民医院"', "title = 5", 3, "title"),
        ('plugins = ["hl7v2", "followup"]', 'plugins = "hl7v2"', 2, "plugins"),
        ('plugins = ["hl7v2", "followup"]', "plugins = [1]", 2, "plugins[1]"),
        ('url = "sqlite:///store.db"', "url = true", 7, "store.url"),
        ("[store]\n", "[mart]\nengine = 'spork'\n[store]\n", 7, "mart.engine"),
    ],
)
def test_a_value_of_the_wrong_type_names_line_and_key(tmp_path: Path, old: str, new: str, line: int, key: str) -> None:
    text = refusal(tmp_path, GOOD.replace(old, new))
    assert text.startswith(f"{tmp_path}/hcrm.toml, line {line}: {key}: ")


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.replace('title = "人民医院"', 'title = "人民医院'))
    assert text.startswith(f"{tmp_path}/hcrm.toml, line 3: not valid TOML: ")
    assert text.endswith("Mend that line.")


def test_a_key_given_twice_is_broken_toml(tmp_path: Path) -> None:
    assert "not valid TOML" in refusal(tmp_path, GOOD.replace("[store]", 'title = "二"\n[store]'))


@pytest.mark.parametrize("zone", ["Asia/Shangai", "", "/etc/passwd", "../UTC", "北京", "Asia"])
def test_an_unknown_time_zone_is_named_with_an_example(tmp_path: Path, zone: str) -> None:
    text = refusal(tmp_path, GOOD.replace("Asia/Shanghai", zone))
    assert text.startswith(f"{tmp_path}/hcrm.toml, line 4: timezone: there is no time zone ")
    assert "such as Asia/Shanghai" in text


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.encode("gb18030"))
    assert text == f"{tmp_path}/hcrm.toml, line 3: not UTF-8. Save the file as UTF-8."


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"hcrm\.toml cannot be read: No such file"):
        Configuration(tmp_path)


def test_a_source_s_mistakes_name_line_and_key(tmp_path: Path) -> None:
    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        charset: str | None = None

    write(tmp_path, GOOD.replace('adapter = "hl7v2"\n', 'adapter = "hl7v2"\ncharst = "GBK"\n'))
    with pytest.raises(ConfigurationError) as raised:
        Configuration(tmp_path).typed(Settings, "sources", "his")
    assert str(raised.value) == (
        f"{tmp_path}/hcrm.toml, line 11: sources.his.charst is not a key. Did you mean 'charset'?"
    )
    write(tmp_path, GOOD.replace('adapter = "hl7v2"\n', 'adapter = "hl7v2"\ntimezone = "Mars"\n'))
    with pytest.raises(ConfigurationError, match=r"line 11: sources\.his\.timezone: there is no time zone 'Mars'"):
        Configuration(tmp_path).typed(Settings, "sources", "his")


@pytest.mark.parametrize(
    ("currency", "advice"),
    [
        ("RMB", "Write CNY, its ISO 4217 code."),
        ("人民币", "Write CNY, its ISO 4217 code."),
        ("usd", "Write USD, its ISO 4217 code."),
        ("QQQ", "Use an ISO 4217 code such as CNY."),
        ("", "Use an ISO 4217 code such as CNY."),
    ],
)
def test_an_unknown_currency_is_named_with_its_code(tmp_path: Path, currency: str, advice: str) -> None:
    class Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
        currency: str = "CNY"

    write(tmp_path, GOOD.replace('adapter = "hl7v2"\n', f'adapter = "hl7v2"\ncurrency = "{currency}"\n'))
    with pytest.raises(ConfigurationError) as raised:
        Configuration(tmp_path).typed(Settings, "sources", "his")
    assert str(raised.value) == (
        f"{tmp_path}/hcrm.toml, line 11: sources.his.currency: there is no currency {currency!r}. {advice}"
    )
    write(tmp_path, GOOD.replace('adapter = "hl7v2"\n', 'adapter = "hl7v2"\ncurrency = "JPY"\n'))
    assert Configuration(tmp_path).typed(Settings, "sources", "his").currency == "JPY"


def test_a_plugin_s_own_table_is_allowed_and_waits_while_the_plugin_is_disabled(tmp_path: Path) -> None:
    own = GOOD + '\n[followup]\nrules = ["rules/a.yaml"]\n'
    write(tmp_path, own)
    assert Configuration(tmp_path).table("followup") == {"rules": ["rules/a.yaml"]}
    write(tmp_path, own.replace(', "followup"]', "]"))
    assert Configuration(tmp_path).settings.title
    assert "folowup is not a key" in refusal(tmp_path, own.replace("[followup]", "[folowup]"))


def test_a_plugin_named_like_a_table_of_the_core_does_not_unlock_it(tmp_path: Path) -> None:
    text = refusal(tmp_path, 'plugins = ["store"]\n[store]\nulr = "x"\n')
    assert "store.ulr is not a key. Did you mean 'url'?" in text


class TestStrategyParameters:
    """`[strategies.NAME]` is checked against the strategy's defaults."""

    @pytest.fixture
    def registry(self, tmp_path: Path):
        def make(text: str) -> Registry:
            write(tmp_path, text)
            registry = Registry(Configuration(tmp_path))
            strategy = Strategy(
                name="rfm", version="1", kind="segment", scope="all", tables=("encounter",), sql="SELECT 1",
                parameters={"window_months": 12, "label": "rfm", "floor": None},
            )  # fmt: skip
            registry._collect = lambda *_, **__: {"rfm": strategy}  # type: ignore[method-assign]
            return registry

        return make

    def test_a_given_parameter_takes_the_default_s_place(self, registry) -> None:
        assert registry(GOOD).strategies["rfm"].parameters == {"window_months": 24, "label": "rfm", "floor": None}

    def test_an_unknown_parameter_names_line_and_nearest(self, registry) -> None:
        with pytest.raises(ConfigurationError) as raised:
            registry(GOOD.replace("window_months", "window_month")).strategies  # noqa: B018
        assert "hcrm.toml, line 13: rfm has no parameter 'window_month'. Did you mean 'window_months'?" in str(
            raised.value
        )

    @pytest.mark.parametrize("value", ['"24"', "24.0", "true"])
    def test_a_parameter_keeps_the_type_of_its_default(self, registry, value: str) -> None:
        with pytest.raises(
            ConfigurationError, match=r"line 13: rfm\.window_months must be of type int, as its default 12 is"
        ):
            registry(GOOD.replace("24", value)).strategies  # noqa: B018

    def test_an_unknown_strategy_names_line_and_nearest(self, registry) -> None:
        with pytest.raises(
            ConfigurationError, match=r"line 12: there is no enabled strategy 'rmf'\. Did you mean 'rfm'"
        ):
            registry(GOOD.replace("strategies.rfm", "strategies.rmf")).strategies  # noqa: B018


# --- lines and names --------------------------------------------------------------------------------------------------


LINES = """\
plugins = ["store"]

[store]
url = "x"

[ sources . "his" ]
charset = "GBK"
"quoted key" = 1
lab.adapter = 2
[strategies."a.b"]
x = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("plugins",), 1),
        (("store",), 3),
        (("store", "url"), 4),
        (("store", "absent"), 3),
        (("sources", "his", "charset"), 7),
        (("sources", "his", "quoted key"), 8),
        (("sources", "his", "lab", "adapter"), 9),
        (("strategies", "a.b", "x"), 11),
        (("nothing",), 1),
    ],
)
def test_a_key_is_found_on_its_line(path: tuple[str, ...], line: int) -> None:
    found = lines_of(LINES)
    assert next((found[path[:size]] for size in range(len(path), 0, -1) if path[:size] in found), 1) == line


@given(st.text(max_size=60))
def test_looking_for_lines_never_fails(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())


def test_nearest_names_one_or_all_or_says_that_there_is_none() -> None:
    assert nearest("hl7", ["hl7v2", "fhir"]) == "Did you mean 'hl7v2'?"
    assert nearest("zzz", ["hl7v2", "fhir"]) == "Valid here: fhir, hl7v2."
    assert nearest("zzz", []) == "None is enabled; see: hcrm plugins list"


def test_settings_are_frozen(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    settings = Configuration(tmp_path).settings
    assert isinstance(settings, Struct)
    with pytest.raises(AttributeError):
        settings.title = "x"  # type: ignore[misc]
