"""The tables of a summary, as one file of events tells them: its facts, their moments, and the order of ties."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .schema import BOOL, COUNT, ID, TIME

STRINGS = (
    "site", "type", "name", "source", "environment", "host", "path", "label", "text", "flag", "variation",
)  # fmt: skip
SAME = {
    **{name: pa.dictionary(COUNT, pa.string()) for name in STRINGS},
    "marks": pa.list_(pa.string()), "element_id": ID, "placement_id": ID, "user_id": ID, "is_bot": BOOL,
    "is_internal": BOOL,
}  # fmt: skip
"""The columns of an event that all events of a fact agree in. `user_id` is that of events from a server alone."""

FACTS = pa.schema(
    [*SAME.items(), ("first_moment", COUNT), ("events", COUNT), ("last", TIME)],
    metadata={b"expost.summary": b"4"},
)
"""The facts of a file. Those from `first_moment` on, as many as there are `events`, are the moments of a fact."""

MOMENTS = pa.schema([("time", TIME), ("device_id", pa.dictionary(COUNT, ID))])

TIES = pa.schema([("time", TIME), ("moment", COUNT)])
"""The moments that share device and microsecond with others, by their places: those of one time together, in it those
of one device, and these in the order of their events. Those of which page and number do not tell it are left out."""

MIXING = np.int64(-0x61C8864680B583EB)
"""Odd and large: what differs a little is far apart when it is multiplied by it."""


def summary_tables(file: Path) -> dict[str, pa.Table]:
    """The tables of the summary of a file, by their names.

    One column of its events is read after the other, so that memory stays bounded.
    """
    with pq.ParquetFile(file, read_dictionary=list(STRINGS), page_checksum_verification=True) as events:
        numbers = _fact_numbers(events)
        # Facts are numbered as they come, and rows lie in the order in which questions read them.
        order = np.argsort(numbers, kind="stable")
        counts = np.bincount(numbers)
        firsts = np.cumsum(counts) - counts
        times = _column(events, "time", TIME).cast(pa.int64()).to_numpy()[order]
        devices = _ordered(_column(events, "device_id", ID).dictionary_encode("encode"))
        chosen = pa.array(order[firsts])
        facts = [_column(events, name, type_).take(chosen) for name, type_ in SAME.items()]
        places = devices.indices.take(pa.array(order))
        many_devices = len(devices.dictionary) - devices.dictionary.null_count
        ties = _ties(events, order, times, np.asarray(places), many_devices)
    facts += [
        pa.array(firsts, COUNT),
        pa.array(counts, COUNT),
        pa.array(np.maximum.reduceat(times, firsts)).cast(TIME),
    ]
    moments = [
        pa.array(times).cast(TIME),
        pa.DictionaryArray.from_arrays(places, devices.dictionary),
    ]
    return {
        "facts": pa.table(facts, FACTS),
        "moments": pa.table(moments, MOMENTS),
        "ties": ties,
    }


def _ties(
    events: pq.ParquetFile,
    order: NDArray[np.int64],
    times: NDArray[np.int64],
    devices: NDArray[np.int32],
    many_devices: int,
) -> pa.Table:
    """The moments that share device and microsecond; `order` says which event of the file each moment is."""
    # A number that is the same where both are, and hardly ever where they differ.
    mixed = times * MIXING + devices
    ordered = np.sort(mixed)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(shared):
        return TIES.empty_table()
    place = np.searchsorted(shared[:-1], mixed)
    moments = np.flatnonzero((shared[place] == mixed) & (devices < many_devices))
    if not len(moments):
        return TIES.empty_table()
    moments = moments[np.argsort(order[moments])]
    rows = _rows(events, order[moments])
    page = _ordered(rows["page_id"].combine_chunks().dictionary_encode("encode"))
    pages = np.asarray(page.indices)
    sequence = rows["page_seq"].fill_null(-1).to_numpy()
    by = sequence, pages, devices[moments], times[moments]
    sorted_ = np.lexsort(by)
    page_seq, page_id, device, time = (each[sorted_] for each in by)
    is_same = (device[1:] == device[:-1]) & (time[1:] == time[:-1])
    is_unclear = is_same & (page_id[1:] == page_id[:-1]) & (page_seq[1:] == page_seq[:-1])
    group = np.append(0, np.cumsum(~is_same))
    known = np.bincount(group) > 1
    known[group[1:][is_unclear]] = False
    if page.dictionary.null_count:
        known[group[page_id == len(page.dictionary) - 1]] = False
    kept = known[group]
    return pa.table([pa.array(time[kept]).cast(TIME), pa.array(moments[sorted_][kept], COUNT)], schema=TIES)


def _rows(events: pq.ParquetFile, numbers: NDArray[np.int64]) -> pa.Table:
    """Page and number of the events with these numbers, which rise, one group of rows after the other."""
    ends = np.cumsum([events.metadata.row_group(each).num_rows for each in range(events.num_row_groups)])
    found = []
    for group, inside in enumerate(np.split(numbers, np.searchsorted(numbers, ends[:-1]))):
        if len(inside):
            rows = events.read_row_group(group, columns=["page_id", "page_seq"])
            found.append(rows.take(pa.array(inside - (ends[group - 1] if group else 0))))
    return pa.concat_tables(found)


def _ordered(encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same values with the dictionary in order, a null last, so that one is found without a look at all."""
    order = pc.array_sort_indices(encoded.dictionary, null_placement="at_end")
    number = np.empty(len(order), np.int32)
    number[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    indices = pa.array(number[encoded.indices.to_numpy()])
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary.take(order))


def _fact_numbers(events: pq.ParquetFile) -> NDArray[np.int64]:
    """For each event the number of its fact."""
    numbers = np.zeros(events.metadata.num_rows, np.int64)
    count = 1
    for name, type_ in SAME.items():
        codes, distinct = _codes(_column(events, name, type_))
        if distinct > 1:
            if count * distinct >= 1 << 62:
                numbers, count = _dense(numbers)
            numbers = numbers * distinct + codes
            count *= distinct
    return _dense(numbers)[0]


def _dense(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    encoded = pa.array(numbers).dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)


def _codes(column: pa.Array) -> tuple[NDArray[np.int64], int]:
    """A number for each value, null included, and how many numbers there are."""
    if pa.types.is_list(column.type):
        column = pc.binary_join(column, "\n")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes + 1, len(column.dictionary) + 1


def _column(events: pq.ParquetFile, name: str, type_: pa.DataType) -> pa.Array:
    """A column as one array; null where the file was written before there was such a column."""
    if name not in events.schema_arrow.names:
        return pa.nulls(events.metadata.num_rows, type_)
    column = events.read([name]).column(0)
    if name == "user_id":
        is_own = pc.equal(events.read(["source"]).column(0).cast(pa.string()), "server")
        column = pc.if_else(is_own, column, pa.scalar(None, ID))
    if pa.types.is_dictionary(type_):
        column = column.unify_dictionaries()
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    return whole.cast(type_)
