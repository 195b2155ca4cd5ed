"""`python -m bot.pictures.ocr`: a picture on stdin, its lines of text on stdout as JSON.

A process per picture. What a stranger sends can crash, hang or swell this one only, and the
memory of the models (some 400 MB) is given back when it ends.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps
from rapidocr import RapidOCR

#: Wider pictures are shrunk to this; taller ones are read in pieces, from the top.
SIDE: Final = 1600
_PIECES: Final = 4
#: More than any phone's camera takes; a picture of that size needs 150 MB.
_MOST_PIXELS: Final = 50_000_000
_MEMORY: Final = 4 << 30
_CPU_S: Final = 30
_SURE: Final = 0.6

_QUIET: Final = {
    "Global.log_level": "critical",
    "Global.use_cls": False,  # screenshots stand upright
    "Global.max_side_len": SIDE,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def read(data: bytes) -> list[str]:
    """Raises: ValueError, OSError, SyntaxError for what is no sound picture."""
    picture = _opened(data)
    engine = RapidOCR(params=_QUIET)
    lines: list[str] = []
    for piece in _pieces(picture):
        found: Any = engine(np.asarray(piece))
        pairs = zip(found.txts or (), found.scores or (), strict=True)
        lines += [text.strip() for text, score in pairs if score >= _SURE and text.strip()]
    return lines


def _opened(data: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    picture = Image.open(io.BytesIO(data))
    if picture.width * picture.height > _MOST_PIXELS:
        raise ValueError("too many pixels")
    picture.draft("RGB", (SIDE, SIDE))
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((SIDE, SIDE * _PIECES))
    return upright


def _pieces(picture: Image.Image) -> Iterator[Image.Image]:
    for top in range(0, picture.height, SIDE):
        yield picture.crop((0, top, picture.width, min(top + SIDE, picture.height)))


def _bounded() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - absent on Windows

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))


def main() -> None:
    _bounded()
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
