from __future__ import annotations

from pathlib import Path

import pytest

from expost.errors import InvalidInput, InvalidSetting
from expost.settings import Settings, load_settings


def test_an_option_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "expost.toml").write_text('host = "0.0.0.0"\nport = 1\nquery_seconds = 5\n')
    environment = {"EXPOST_DATA": str(tmp_path), "EXPOST_PORT": "2", "EXPOST_QUERY_SECONDS": "6"}
    settings = load_settings({"query_seconds": 7, "host": None}, environment)
    assert (settings.host, settings.port, settings.query_seconds) == ("0.0.0.0", 2, 7)
    assert settings.sources["data"] == "EXPOST_DATA"
    assert settings.sources["host"] == str(tmp_path / "expost.toml")
    assert settings.sources["port"] == "EXPOST_PORT"
    assert settings.sources["query_seconds"] == "option --query-seconds"
    assert "seal_age_ms" not in settings.sources


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "eighty"),
        ("port", "70000"),
        ("port", True),
        ("public_url", "expost.example"),
        ("public_url", "https://a.example/?x=1"),
        ("seal_bytes", "16 pounds"),
        ("seal_bytes", "-1MB"),
        ("query_memory", "lots"),
        ("trusted_proxies", "not.an.address"),
        ("host", ""),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected_and_where_it_stands(name: str, value: object) -> None:
    with pytest.raises(InvalidSetting, match=rf"{name}.*option --{name.replace('_', '-')}"):
        load_settings({name: value}, {})


def test_sizes_networks_and_addresses_are_read(tmp_path: Path) -> None:
    settings = load_settings(
        {"data": tmp_path, "seal_bytes": "2 MiB", "public_url": "https://x.example/"},
        {"EXPOST_TRUSTED_PROXIES": "10.0.0.1, fd00::/8"},
    )
    assert settings.seal_bytes == 2 * 2**20
    assert settings.trusted_proxies == ("10.0.0.1/32", "fd00::/8")
    assert settings.public_url == "https://x.example"


def test_a_misspelt_name_in_the_file_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "expost.toml").write_text("prot = 8000\n")
    with pytest.raises(InvalidInput, match="prot") as refused:
        load_settings({"data": tmp_path}, {})
    assert "port" in refused.value.hint


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "expost.toml").write_text("port: 8000\n")
    with pytest.raises(InvalidInput, match=r"expost\.toml"):
        load_settings({"data": tmp_path}, {})


def test_every_setting_says_what_it_means() -> None:
    shown = {name: (value, source, meaning) for name, value, source, meaning in Settings().shown()}
    assert shown["port"][:2] == ("8000", "default")
    assert shown["trusted_proxies"][0] == "none"
    assert all(meaning.endswith(".") for _, _, meaning in shown.values())


def test_every_setting_is_in_the_docs() -> None:
    page = (Path(__file__).parent.parent / "docs" / "reference.md").read_text(encoding="utf-8")
    assert [name for name, *_ in Settings().shown() if f"| `{name}` |" not in page] == []
