"""Every setting: its meaning, its value, and where that value came from.

An option of the command line wins over an environment variable (`EXPOST_PORT`), that over `expost.toml` in the data
folder, that over the default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from expost.errors import InvalidInput, InvalidSetting

FILE_NAME = "expost.toml"
PREFIX = "EXPOST_"
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def _path(value: object) -> Path:
    return Path(str(value)).expanduser()


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _number(value: object, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError
    number = int(value)
    if not least <= number <= most:
        raise ValueError
    return number


def _url(value: object) -> str | None:
    if value is None or value == "":
        return None
    parts = urlsplit(_text(value))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return _text(value).rstrip("/")


def _size(value: object) -> int:
    text = str(value).strip().upper().replace(" ", "")
    digits = text.rstrip("BKMGI")
    size = float(digits) * UNITS[text[len(digits) :]]
    if isinstance(value, bool) or not 1 <= size < 2**63:
        raise ValueError
    return int(size)


def bytes_of(size: str) -> int | None:
    """How many bytes a size is, None for what is no size.

    >>> bytes_of("600MB"), bytes_of("1.5 GB"), bytes_of("80%")
    (600000000, 1500000000, None)
    """
    try:
        return _size(size)
    except (KeyError, ValueError):
        return None


def _size_or_none(value: object) -> int:
    return 0 if str(value).strip() == "0" else _size(value)


def _memory(value: object) -> str:
    _size(value)
    return _text(value)


def _networks(value: object) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise ValueError
    return tuple(str(ip_network(str(name).strip(), strict=False)) for name in names if str(name).strip())


def _setting(
    default: Any, read: Callable[[object], Any], expected: str, meaning: str, *, in_file: bool = True
) -> Any:
    metadata = {"read": read, "expected": expected, "help": meaning, "in_file": in_file}
    return field(default=default, metadata=metadata)


def _count(default: int, least: int, most: int, meaning: str) -> Any:
    expected = f"a whole number from {least:,} to {most:,}".replace(",", "_")
    return _setting(default, partial(_number, least=least, most=most), expected, meaning)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `expost serve` runs with. `sources` says for each setting where its value came from."""

    data: Path = _setting(  # noqa: RUF009 (it makes a field)
        Path("expost-data"), _path, "a folder", "The folder that holds everything.", in_file=False
    )
    host: str = _setting("127.0.0.1", _text, "an address of this machine", "The address to listen on.")
    port: int = _count(8000, 0, 65_535, "The port to listen on; 0 takes a free one.")
    public_url: str | None = _setting(
        None,
        _url,
        "an address such as https://expost.example",
        "Where pages reach this server, if not at host and port. It is printed in the tag to paste.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        _networks,
        "addresses or networks, such as 10.0.0.0/8",
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Nobody else's are.",
    )
    country_file: Path | None = _setting(  # noqa: RUF009 (as above)
        None,
        _path,
        "a file",
        "A file in MaxMind's format (.mmdb) by which each event says its visitor's country. None: no event does.",
    )
    seal_age_ms: int = _count(
        1_500, 50, 60_000, "After how many milliseconds a segment of the journal goes to the lake."
    )
    seal_bytes: int = _setting(
        8_000_000, _size, "a size such as 16MB", "At which size a segment goes to the lake before that."
    )
    max_backlog_bytes: int = _setting(
        32_000_000,
        _size,
        "a size such as 32MB",
        "How much may wait in memory for the disk before senders are told to come back (503).",
    )
    max_rejected_bytes: int = _setting(
        256_000_000,
        _size,
        "a size such as 256MB",
        "How much of what could not be stored is kept for each site. The oldest goes first.",
    )
    max_import_bytes: int = _setting(
        5_000_000_000,
        _size,
        "a size such as 5GB",
        "How large a file may be that is uploaded to be imported.",
    )
    events_burst: int = _count(
        2_000, 1_000, 10_000_000, "How many events a device or an address may send at once after a rest."
    )
    device_events_per_second: int = _count(
        100, 0, 10_000_000, "How many events a second one device may send; 0 sets no limit."
    )
    address_events_per_second: int = _count(
        1_000, 0, 10_000_000, "How many events a second may come from one address; 0 sets no limit."
    )
    key_events_per_second: int = _count(
        20_000, 0, 10_000_000, "How many events a second may be sent with one key; 0 sets no limit."
    )
    max_connections: int = _count(
        8_000, 16, 1_000_000, "How many connections are open at once; new ones beyond get 503."
    )
    max_connections_per_address: int = _count(
        1_000, 1, 1_000_000, "How many connections one address may have open; trusted proxies may have all."
    )
    cache_bytes: int | None = _setting(
        None,
        _size_or_none,
        "a size such as 1GB, or 0",
        "How much of events, and of what definitions matched, is kept on disk for the next question; 0 keeps nothing. "
        "None: 1 GB, and more for summaries where there are many events.",
    )
    query_memory: str = _setting("600MB", _memory, "a size such as 600MB", "The memory of one query process.")
    query_seconds: int = _count(60, 1, 86_400, "After how many seconds a question is given up.")
    query_processes: int = _count(2, 1, 64, "How many questions are answered at once.")
    query_threads: int = _count(2, 1, 256, "How many threads answer one question.")
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    def shown(self) -> list[tuple[str, str, str, str]]:
        """Name, value, source and meaning of every setting, for `expost doctor` and the docs."""
        return [
            (
                each.name,
                _plain(getattr(self, each.name)),
                self.sources.get(each.name, "default"),
                each.metadata["help"],
            )
            for each in _settings()
        ]


def load_settings(options: Mapping[str, object], environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. `options` are those given on the command line; a value of `None` is not given."""
    seen = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(setting: Field[Any], value: object, source: str) -> None:
        try:
            values[setting.name] = setting.metadata["read"](value)
        except (ValueError, TypeError, KeyError, OverflowError) as problem:
            raise InvalidSetting(setting.name, value, setting.metadata["expected"], source) from problem
        sources[setting.name] = source

    def take_given(setting: Field[Any]) -> bool:
        if options.get(setting.name) is not None:
            take(setting, options[setting.name], f"option --{setting.name.replace('_', '-')}")
        elif PREFIX + setting.name.upper() in seen:
            take(setting, seen[PREFIX + setting.name.upper()], PREFIX + setting.name.upper())
        return setting.name in values

    known = {setting.name: setting for setting in _settings()}
    unknown = set(options) - set(known)
    if unknown:
        raise _unknown(min(unknown), known, "an option")
    take_given(known["data"])
    file = values.get("data", Settings.__dataclass_fields__["data"].default) / FILE_NAME
    kept = _read_file(file)
    for name in kept:
        if name not in known or not known[name].metadata["in_file"]:
            raise _unknown(name, known, str(file))
    for name, setting in known.items():
        if not take_given(setting) and name in kept:
            take(setting, kept[name], str(file))
    return Settings(**values, sources=sources)


def _settings() -> list[Field[Any]]:
    return [each for each in fields(Settings) if "help" in each.metadata]


def _read_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidInput(
            f"The settings in {path} cannot be read: {problem}.", hint="Mend that line."
        ) from problem
    except OSError as problem:
        raise InvalidInput(
            f"The settings in {path} cannot be read: {problem.strerror}.",
            hint="Check who may read that file.",
        ) from problem


def _unknown(name: str, known: Mapping[str, Field[Any]], source: str) -> InvalidInput:
    in_file = [each for each in known if known[each].metadata["in_file"]]
    near = get_close_matches(name, in_file, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(in_file)}"
    return InvalidInput(f"{source} names {name}, which is no setting there.", hint=hint)


def _plain(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
