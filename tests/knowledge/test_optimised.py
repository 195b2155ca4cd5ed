from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge import optimised
from knowledge.config import EmbedderSettings, make_encoder
from knowledge.encoders import EncoderError, Role, bundled
from knowledge.packed import read_packed
from knowledge.unigram import Unigram

TEXTS = [
    "密码忘了怎么办",
    "疫苗入库提示批号不存在，错误码 E-1024",
    "App 闪退",
    "一体机连不上服务器，该找谁处理？" * 6,
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    made = tmp_path_factory.mktemp("models") / optimised.FILE_NAME
    optimised.make(made)
    return made


@pytest.mark.parametrize("role", list(Role))
async def test_the_made_model_says_nearly_what_the_bundled_one_says(
    file: Path, role: Role
) -> None:
    made, original = optimised.optimised(file), bundled()
    ours, theirs = await made.encode(TEXTS, role), await original.encode(TEXTS, role)
    assert float((ours * theirs).sum(axis=1).min()) > 0.97
    await made.close()
    await original.close()


async def test_padding_beside_longer_texts_changes_little(file: Path) -> None:
    made = optimised.optimised(file)
    together = await made.encode(TEXTS, Role.QUERY)
    alone = np.concatenate([await made.encode([text], Role.QUERY) for text in TEXTS])
    assert float((together * alone).sum(axis=1).min()) > 0.99
    await made.close()


async def test_a_text_longer_than_the_model_reads_is_cut(file: Path) -> None:
    made = optimised.optimised(file)
    rows = await made.encode(["疫苗" * 3000, "x"], Role.PASSAGE)
    assert rows.shape == (2, 384)
    await made.close()


def test_the_settings_take_the_made_file_where_there_is_one(file: Path, tmp_path: Path) -> None:
    settings = EmbedderSettings()
    assert make_encoder(settings, models=file.parent).name == optimised.MODEL_NAME
    assert make_encoder(settings, models=tmp_path).name == bundled().name
    assert make_encoder(settings).name == bundled().name


def test_nothing_is_left_behind_by_a_model_of_another_form(tmp_path: Path) -> None:
    other = tmp_path / "model.bin"
    other.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(EncoderError, match=r"model\.bin"):
        read_packed(other)


def test_text_is_cut_into_its_most_probable_pieces() -> None:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "密", "码", "密码", "▁密"]
    scores = [0.0, 0.0, 0.0, 0.0, -2.0, -5.0, -5.0, -4.0, -9.0]
    unigram = Unigram(pieces, scores, {ord("Ａ"): "A"}, unknown=3)
    assert unigram.ids("密码") == [4, 7]
    assert unigram.ids("密Ａ  码") == [4, 5, 3, 4, 6]
    assert unigram.ids("") == [4]
