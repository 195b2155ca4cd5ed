from __future__ import annotations

import asyncio
import sys
import threading
import types
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from core.ports import WriteBlockError, in_write_block
from knowledge.embedder import Embedder, text_key
from knowledge.encoders import (
    Encode,
    EncoderError,
    EndpointEncoder,
    Role,
    ThreadEncoder,
    Vectors,
    bundled,
    sentence_transformers,
)
from tests.knowledge.conftest import HashEncoder


class Store:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], bytes] = {}

    async def load(self, model: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        return {key: self.rows[model, key] for key in keys if (model, key) in self.rows}

    async def save(self, model: str, vectors: Mapping[str, bytes]) -> None:
        self.rows |= {(model, key): raw for key, raw in vectors.items()}


async def test_equal_texts_are_embedded_once(encoder: HashEncoder) -> None:
    embedder = Embedder(encoder)
    rows = await embedder.embed(["甲", "乙", "甲"], Role.QUERY)
    assert encoder.texts == ["甲", "乙"]
    assert np.array_equal(rows[0], rows[2])


async def test_a_restart_embeds_nothing_twice(encoder: HashEncoder) -> None:
    store = Store()
    first = await Embedder(encoder, store=store).embed(["甲", "乙"], Role.PASSAGE)
    second = await Embedder(encoder, store=store).embed(["乙", "甲"], Role.PASSAGE)
    assert encoder.texts == ["甲", "乙"]
    assert np.array_equal(first, second[::-1])


async def test_a_repeated_query_does_not_ask_the_model_again(encoder: HashEncoder) -> None:
    embedder = Embedder(encoder, memory=1)
    await embedder.query("甲")
    await embedder.query("甲")
    assert encoder.texts == ["甲"]
    await embedder.query("乙")
    await embedder.query("甲")
    assert encoder.texts == ["甲", "乙", "甲"]


def test_role_and_text_make_the_key() -> None:
    assert text_key("甲", Role.QUERY) != text_key("甲", Role.PASSAGE)
    assert len(text_key("甲", Role.QUERY)) == 40


async def test_progress_reaches_the_end(encoder: HashEncoder) -> None:
    seen: list[tuple[int, int]] = []
    texts = [str(number) for number in range(130)]
    await Embedder(encoder).embed(texts, Role.QUERY, progress=lambda *done: seen.append(done))
    assert seen == [(64, 130), (128, 130), (130, 130)]


async def test_the_model_refuses_to_run_in_a_write_block(embedder: Embedder) -> None:
    token = in_write_block.set(True)
    try:
        with pytest.raises(WriteBlockError):
            await embedder.query("甲")
    finally:
        in_write_block.reset(token)


async def test_a_late_model_is_not_waited_for() -> None:
    release = threading.Event()

    def load() -> Encode:
        def encode(texts: Sequence[str], role: Role) -> list[list[float]]:
            release.wait(60)
            return [[1.0]] * len(texts)

        return encode

    embedder = Embedder(ThreadEncoder("slow", load), wait_s=0.01)
    with pytest.raises(TimeoutError):
        await embedder.query("甲")
    release.set()
    await embedder.close()


async def test_waiting_queries_are_encoded_together() -> None:
    started, release = threading.Event(), threading.Event()
    calls: list[int] = []

    def load() -> Encode:
        def encode(texts: Sequence[str], role: Role) -> list[list[float]]:
            calls.append(len(texts))
            if len(calls) == 1:
                started.set()
                release.wait(60)
            return [[float(len(text)), 1.0] for text in texts]

        return encode

    encoder = ThreadEncoder("batching", load)
    first = asyncio.ensure_future(encoder.encode(["a"], Role.QUERY))
    await asyncio.to_thread(started.wait, 60)
    rest = [asyncio.ensure_future(encoder.encode(["a" * n], Role.QUERY)) for n in range(2, 6)]
    await asyncio.sleep(0)
    release.set()
    rows = await asyncio.gather(first, *rest)
    assert calls == [1, 4]
    assert [round(float(row[0][0] / row[0][1])) for row in rows] == [1, 2, 3, 4, 5]
    await encoder.close()


async def test_a_model_that_fails_to_load_fails_the_call_not_the_thread() -> None:
    loads: list[int] = []

    def load() -> Encode:
        loads.append(1)
        if len(loads) == 1:
            raise OSError("no such directory")
        return lambda texts, role: [[1.0]] * len(texts)

    encoder = ThreadEncoder("flaky", load)
    with pytest.raises(EncoderError, match="no such directory"):
        await encoder.encode(["a"], Role.QUERY)
    assert (await encoder.encode(["a"], Role.QUERY)).shape == (1, 1)
    await encoder.close()


async def test_an_endpoint_is_asked_once_and_answers_in_order() -> None:
    asked: list[tuple[str, Mapping[str, object], Mapping[str, str]]] = []

    async def post(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> object:
        asked.append((url, body, headers))
        rows = [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]
        return {"data": rows}

    encoder = EndpointEncoder(post, "https://model.example/v1/", "small", "key")
    rows = await encoder.encode(["a", "b"], Role.QUERY)
    assert np.allclose(rows, [[0.6, 0.8], [0.0, 1.0]])
    assert asked[0][0] == "https://model.example/v1/embeddings"
    assert asked[0][1]["input"] == ["a", "b"]
    assert asked[0][2] == {"Authorization": "Bearer key"}


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"data": []}, {"data": [{"index": 0}]}, {"data": [{"index": 0, "embedding": "x"}]},
     {"data": [{"index": 0, "embedding": [float("nan")]}]}],
)  # fmt: skip
async def test_nonsense_from_an_endpoint_is_an_encoder_error(answer: object) -> None:
    async def post(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> object:
        return answer

    with pytest.raises(EncoderError):
        await EndpointEncoder(post, "https://model.example/v1", "small").encode(["a"], Role.QUERY)


@pytest.mark.parametrize("failure", [ConnectionError("refused"), ValueError("no JSON")])
async def test_an_endpoint_that_fails_is_an_encoder_error(failure: Exception) -> None:
    async def post(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> object:
        raise failure

    with pytest.raises(EncoderError, match=str(failure)):
        await EndpointEncoder(post, "https://model.example/v1", "small").encode(["a"], Role.QUERY)


async def test_the_bundled_model_knows_that_a_paraphrase_is_nearer() -> None:
    encoder = bundled()
    rows: Vectors = await encoder.encode(
        ["密码忘了怎么办", "忘记密码如何重置", "今天天气很好"], Role.QUERY
    )
    assert rows.shape == (3, 384)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    await encoder.close()


@pytest.mark.parametrize(
    ("model", "shown"), [("/models/e5-small", "query: 甲"), ("/models/m", "甲")]
)
async def test_a_sentence_transformers_directory_is_loaded_when_first_used(
    monkeypatch: pytest.MonkeyPatch, model: str, shown: str
) -> None:
    loaded: list[str] = []
    seen: list[str] = []

    class SentenceTransformer:
        def __init__(self, name: str, device: str) -> None:
            loaded.append(name)

        def encode(self, texts: list[str], show_progress_bar: bool) -> list[list[float]]:
            seen.extend(texts)
            return [[3.0, 4.0]] * len(texts)

    module = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = SentenceTransformer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    encoder = sentence_transformers(model)
    assert loaded == []
    rows = await encoder.encode(["甲"], Role.QUERY)
    assert np.allclose(rows, [[0.6, 0.8]])
    assert (loaded, seen) == ([model], [shown])
    await encoder.close()


async def test_a_model_that_breaks_down_leaves_nobody_waiting() -> None:
    calls: list[int] = []

    def load() -> Encode:
        def encode(texts: Sequence[str], role: Role) -> list[list[float]]:
            calls.append(1)
            if len(calls) == 1:
                raise TypeError("a bug in a model")
            return [[1.0]] * len(texts)

        return encode

    encoder = ThreadEncoder("breaks", load)
    with pytest.raises(EncoderError, match="broke down"):
        await encoder.encode(["a"], Role.QUERY)
    assert (await encoder.encode(["a"], Role.QUERY)).shape == (1, 1)
    await encoder.close()


async def test_closing_finishes_the_call_under_way_and_fails_the_rest() -> None:
    started, release = threading.Event(), threading.Event()

    def load() -> Encode:
        def encode(texts: Sequence[str], role: Role) -> list[list[float]]:
            started.set()
            release.wait(60)
            return [[1.0]] * len(texts)

        return encode

    encoder = ThreadEncoder("closing", load)
    under_way = asyncio.ensure_future(encoder.encode(["a"], Role.QUERY))
    await asyncio.to_thread(started.wait, 60)
    waiting = asyncio.ensure_future(encoder.encode(["b"], Role.QUERY))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(encoder.close())
    await asyncio.sleep(0)
    release.set()
    await closing
    assert (await under_way).shape == (1, 1)
    with pytest.raises(EncoderError, match="closed"):
        await waiting
