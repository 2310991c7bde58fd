"""The index on the Milvus wire: dense and BM25 in one search, filtered. It can be made again at any time.

A forgotten row is deleted at once. In Milvus Lite's files it stays until its partition is gone, so what is
left of that partition moves to a new one, with its vectors; a Milvus server compacts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import grpc
import numpy as np
from pymilvus import (
    AnnSearchRequest,
    AsyncMilvusClient,
    DataType,
    Function,
    FunctionType,
    MilvusClient,
    RRFRanker,
)
from pymilvus.exceptions import MilvusException

from glue.errors import PortError, Refused, Unreachable
from glue.memory.entry import Entry
from glue.memory.shares import ALL, COMMON, HERS, own, share, telling
from glue.memory.vectors import Vectors
from glue.memory.wanted import Wanted, like

PART = "memory"
T = TypeVar("T")
LONG = 6  # times as long as others may a call take that goes through a whole index
PAGE = 1000  # rows of one insert, or of one answer
EVERY = 'id != ""'
NLIST = 128  # cells of a partition's dense index; Milvus Lite makes so many, whatever it is asked for
# All cells: outside the ten that are looked through otherwise lie most of a viewer's few entries.
NEAREST = {"metric_type": "COSINE", "params": {"nprobe": NLIST}}
FIELDS = ("id", "kind", "persona", "viewer", "text", "at")
# pymilvus asks every 10 s whether the server lives; Milvus Lite hangs up on who asks so often in a silence
CALM = {"grpc.keepalive_time_ms": 330_000, "grpc.keepalive_permit_without_calls": False}
CHANNEL = CALM | {"grpc.enable_http_proxy": 0}  # of the environment: it is for the internet
# that Milvus Lite has no clock is told with a warning of each iterator
logging.getLogger("pymilvus.client.iterator.query_iterator").setLevel(logging.ERROR)
# what Milvus Lite says of files that a full disk or a power cut left torn; it says so for ever
DAMAGED = re.compile(r"manifest\.json|schema file|Parquet|faiss::read", re.IGNORECASE)
log = logging.getLogger(__name__)
MOVED = "_b"  # a partition's other name: it is moved there and, the next time, back


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that a search gave. `likeness`: cosine of its vector and the likest of the line's; `viewer`:
    whom it is about, "" for nobody."""

    id: str
    likeness: float
    viewer: str = ""


class Index:
    """One collection, `name`. Every method raises Unreachable or Refused."""

    def __init__(self, uri: str, token: str, name: str, dimensions: int, within: float) -> None:
        self._name = name
        self._dimensions = dimensions
        self._within = within
        self._connect = partial(MilvusClient, uri=uri, token=token, timeout=within, grpc_options=CHANNEL)
        # Searches are awaited; the rest goes through the client that blocks, in a thread: the asynchronous
        # one makes its indexes with a call (AllocTimestamp) that Milvus Lite does not have.
        self._searches = AsyncMilvusClient(uri=uri, token=token, timeout=within, grpc_options=CHANNEL)
        self._client: Any = None  # a MilvusClient, from open() on
        self._names = {name: name for name in ALL}  # a partition's name now

    async def open(self) -> None:
        """Make the collection where it is missing, divided otherwise or damaged, and load it."""
        if self._client is None:
            self._client = await _aside(self._connect)
        try:
            await self._load()
        except PortError as error:
            if not DAMAGED.search(error.why) or not await self._lite():
                raise
            log.warning("the index is made again from what is in the files: %s", error)
            await self._ask(self._client.drop_collection, self._name)
            await self._load()

    async def _load(self) -> None:
        if await self._ask(self._client.has_collection, self._name):
            there = set(await self._ask(self._client.list_partitions, self._name))
            names = {name: [each for each in (name, name + MOVED) if each in there] for name in ALL}
            if there and not names[HERS]:  # of an older version
                await self._ask(self._client.create_partition, self._name, HERS)
                names[HERS] = [HERS]
            if all(len(found) == 1 for found in names.values()):
                self._names = {name: found[0] for name, found in names.items()}
            else:  # of an older version, or a move was cut off
                await self._ask(self._client.drop_collection, self._name)
        if not await self._ask(self._client.has_collection, self._name):
            self._names = {name: name for name in ALL}
            await _aside(self._create, self._client)
        await self._ask(self._client.load_collection, self._name, timeout=LONG * self._within)

    async def again(self) -> None:
        """An empty collection in the place of the old one, of whose files nothing is left."""
        await self.drop()
        await self.open()

    async def drop(self) -> None:
        """Nothing is left of it."""
        if self._client is None:
            self._client = await _aside(self._connect)
        if await self._ask(self._client.has_collection, self._name):
            await self._ask(self._client.drop_collection, self._name)

    async def ids(self) -> dict[str, str]:
        """What is in it, and in which partition."""
        return {str(row["id"]): name for name in ALL for row in await self._rows(name, ["id"])}

    async def add(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Put entries in, over older versions of them."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for entry, vector in zip(entries, vectors, strict=True):
            rows.setdefault(share(entry), []).append(_row(entry, vector))
        for name, some in rows.items():
            await self._put(some, self._names[name])

    async def remove(self, gone: Mapping[str, str]) -> None:
        """Take these (id to partition) out of searches, at once."""
        for name in sorted(set(gone.values())):
            ids = [id for id, where in gone.items() if where == name]
            for start in range(0, len(ids), PAGE):
                some = ids[start : start + PAGE]
                await self._ask(self._opened.delete, self._name, some, partition_name=self._names[name])

    async def purge(self, names: Iterable[str]) -> None:
        """Leave nothing of removed rows in these partitions' files."""
        if not await self._lite():
            await self.flush()
            await self._ask(self._opened.compact, self._name)
            return
        for name in sorted(set(names)):
            old = self._names[name]
            new = name if old != name else name + MOVED
            held = await self._count(old)
            rows = await self._rows(name, [*FIELDS, "dense"])
            await self._ask(self._opened.create_partition, self._name, new)
            await self._put(rows, new)
            await self.flush()
            if not held == len(rows) == await self._count(new):  # open() makes it again from the file
                raise Refused(PART, f"Milvus: {held} rows of {old} became {len(rows)} while they were moved")
            self._names[name] = new
            await self._ask(self._opened.drop_partition, self._name, old)

    async def _lite(self) -> bool:
        return str(await self._ask(self._opened.get_server_version)).startswith("milvus_lite")

    async def _count(self, partition: str) -> int:
        """Its rows. Milvus Lite counts the whole collection where nothing is asked of them."""
        ask = partial(self._opened.query, filter=EVERY, output_fields=["count(*)"])
        (row,) = await self._ask(ask, self._name, partition_names=[partition])
        return int(row["count(*)"])

    async def _put(self, rows: Sequence[dict[str, Any]], partition: str) -> None:
        for start in range(0, len(rows), PAGE):
            some = list(rows[start : start + PAGE])
            await self._ask(self._opened.upsert, self._name, some, partition_name=partition)

    async def _rows(self, name: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """All rows of a partition. The iterator's first call takes no time-out; close() ends its thread."""
        with anyio.move_on_after(LONG * self._within):
            return await _aside(self._paged, self._names[name], list(fields))
        raise Unreachable(PART, "Milvus: no answer")

    def _paged(self, partition: str, fields: list[str]) -> list[dict[str, Any]]:
        """Only an iterator pages in the order of the keys; plain queries of Milvus Lite have none."""
        found: list[dict[str, Any]] = []
        ask = partial(self._opened.query_iterator, timeout=self._within, output_fields=fields)
        pages = ask(self._name, PAGE, filter=EVERY, partition_names=[partition])
        try:
            while page := pages.next():
                found += [{field: row[field] for field in fields} for row in page]
        finally:
            pages.close()
        return found

    async def flush(self) -> None:
        """Many rows that were not flushed are searched slowly."""
        await self._ask(self._opened.flush, self._name, timeout=LONG * self._within)

    async def search(self, text: str, vectors: Vectors, wanted: Wanted, most: int) -> list[Found]:
        """What is nearest to a line, by meaning (`vectors` [parts, dimensions]) and by words."""
        of = wanted.filter()
        asked = [AnnSearchRequest([vector], "dense", NEAREST, limit=most, expr=of) for vector in vectors]
        if words := telling(text):
            by_words = AnnSearchRequest([words], "sparse", {"metric_type": "BM25"}, limit=most, expr=of)
            asked.append(by_words)
        places = [COMMON, *([HERS] if wanted.hers else []), *([own(wanted.viewer)] if wanted.viewer else [])]
        with _translated():
            answer = await self._searches.hybrid_search(
                self._name,
                asked,
                RRFRanker(),
                limit=most,
                output_fields=["id", "viewer", "dense"],
                timeout=self._within,
                partition_names=[self._names[name] for name in places],
            )
        hits = answer[0] if answer else []
        return [_found(hit["entity"], vectors) for hit in hits]

    async def near(self, entry: Entry, vector: Vectors, least: float) -> set[str]:
        """Ids of entries about the same viewer, of the same kind, that mean what `entry` does."""
        with _translated():
            answer = await self._searches.search(
                self._name,
                [vector],
                filter=like(entry),
                limit=3,
                anns_field="dense",
                search_params=NEAREST,
                output_fields=["id"],
                timeout=self._within,
                partition_names=[self._names[share(entry)]],
            )
        return {str(hit["id"]) for hit in (answer[0] if answer else []) if hit["distance"] >= least}

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
        with _translated():
            await self._searches.close()

    @property
    def _opened(self) -> MilvusClient:
        assert self._client is not None, "used before open()"
        return self._client

    def _create(self, client: MilvusClient) -> None:
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, max_length=64, is_primary=True)
        for name in ("kind", "persona", "viewer"):
            schema.add_field(name, DataType.VARCHAR, max_length=400)
        schema.add_field("text", DataType.VARCHAR, max_length=4000, enable_analyzer=True)
        schema.add_field("at", DataType.DOUBLE)
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=self._dimensions)
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["sparse"]))
        indexes = client.prepare_index_params()
        indexes.add_index("dense", index_type="IVF_FLAT", metric_type="COSINE", params={"nlist": NLIST})
        indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        client.create_collection(self._name, schema=schema, index_params=indexes, timeout=LONG * self._within)
        for name in ALL:
            client.create_partition(self._name, name, timeout=self._within)

    async def _ask(self, call: Callable[..., T], *words: Any, timeout: float = 0.0, **more: Any) -> T:
        """A call of the client that blocks. One without a time-out waits for ever for a server that took it
        and says nothing, and tries 75 times where none is: the client's own is for connecting alone."""
        return await _aside(partial(call, timeout=timeout or self._within, **more), *words)


async def _aside(call: Callable[..., T], *words: Any) -> T:
    """A blocking call, in a thread; it ends by its own time-out, and nobody waits longer for it."""
    with _translated():
        return await anyio.to_thread.run_sync(call, *words, abandon_on_cancel=True)


def _row(entry: Entry, vector: Vectors) -> dict[str, Any]:
    return {field: getattr(entry, field) for field in FIELDS} | {"kind": entry.kind.value, "dense": vector}


def _found(row: Any, vectors: Vectors) -> Found:
    likeness = float(np.max(vectors @ np.asarray(row["dense"], np.float32)))
    return Found(str(row["id"]), likeness, str(row["viewer"]))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except MilvusException as error:
        words = str(error.message).splitlines()[0][:200] if error.message else type(error).__name__
        kind = Unreachable if error.code in (1, 2) or "connect" in words.lower() else Refused
        raise kind(PART, f"Milvus: {words}", quoted=True) from error
    except grpc.RpcError as error:
        code = getattr(error, "code", None)
        raise Unreachable(PART, f"Milvus: {code().name if code else type(error).__name__}") from error
