"""A child process for the kill test: keeps numbered payloads and says each number once it is acknowledged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from expost.clock import wall_clock
from expost.lake.folder import open_folder
from expost.lake.journal import Journal


async def run(folder: Path, start: int) -> None:
    journal = Journal(open_folder(folder), wall_clock, seal_age_ms=50, seal_bytes=20_000)

    async def send(number: int) -> None:
        await journal.append(b"%d:" % number + b"x" * (number % 700))
        print(number, flush=True)  # noqa: T201 (the test reads what was acknowledged)

    number = start
    while True:
        await asyncio.gather(*(send(number + each) for each in range(8)))
        number += 8


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
