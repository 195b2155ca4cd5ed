from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.content import ArticleContent
from knowledge.differences import differences, pieces


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_put_together_give_both_texts(old: str, new: str) -> None:
    found = pieces(old, new)
    assert "".join(piece.text for piece in found if piece.kind != "added") == old
    assert "".join(piece.text for piece in found if piece.kind != "removed") == new


def test_only_fields_that_differ_are_named() -> None:
    old = ArticleContent(question="问", answer="点确定", tags=("甲", "乙"), source="手册")
    new = old.model_copy(update={"answer": "点取消", "tags": ("乙", "丙"), "source": ""})
    answer, tags, source = differences(old, new)
    assert (answer.field, [piece.text for piece in answer.pieces]) == (
        "answer",
        ["点", "确定", "取消"],
    )
    assert (tags.field, tags.removed, tags.added) == ("tags", ("甲",), ("丙",))
    assert (source.removed, source.added) == (("手册",), ())
    assert differences(old, old) == []
