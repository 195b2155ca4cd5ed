"""The extra, with a model directory made on the spot: random weights, real code all the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.config import EmbedderSettings, make_encoder
from knowledge.encoders import EncoderError, Role, sentence_transformers

st = pytest.importorskip("sentence_transformers", reason="the extra sentence-transformers")
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch and its company

CHARACTERS = "密码忘了怎么办重置如何今天气很好"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    (folder / "bert").mkdir()
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "query",
        "passage",
        *dict.fromkeys(CHARACTERS),
    ]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder / "bert")
    pooled = st.SentenceTransformer(str(folder / "bert"), device="cpu")
    pooled.save(str(folder / "sentence"))
    return folder / "sentence"


async def test_a_directory_made_on_the_spot_is_loaded(directory: Path) -> None:
    encoder = sentence_transformers(str(directory))
    texts = ["密码忘了怎么办", "如何重置密码", "今天天气很好"]
    rows = await encoder.encode(texts, Role.QUERY)
    assert rows.shape == (3, 32)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    again = await encoder.encode(texts[::-1], Role.PASSAGE)
    assert np.allclose(rows, again[::-1], atol=1e-4)
    assert not np.allclose(rows[0], rows[2], atol=1e-3)
    await encoder.close()


async def test_roles_are_told_apart_where_prefixes_are_asked_for(directory: Path) -> None:
    encoder = sentence_transformers(str(directory), prefixes=True)
    query = await encoder.encode(["密码"], Role.QUERY)
    passage = await encoder.encode(["密码"], Role.PASSAGE)
    assert not np.array_equal(query, passage)
    await encoder.close()


async def test_the_settings_name_the_directory(directory: Path) -> None:
    settings = EmbedderSettings(kind="sentence-transformers", model=str(directory))
    encoder = make_encoder(settings)
    assert encoder.name == f"st/{directory}"
    assert (await encoder.encode(["密码"], Role.QUERY)).shape == (1, 32)
    await encoder.close()


async def test_a_directory_without_a_model_fails_the_call(tmp_path: Path) -> None:
    encoder = sentence_transformers(str(tmp_path))
    with pytest.raises(EncoderError):
        await encoder.encode(["密码"], Role.QUERY)
    await encoder.close()
