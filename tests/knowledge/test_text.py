from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.synonyms import SynonymError, Synonyms
from knowledge.text import clean_query, fold, grams, squeeze, words


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("老师您好，请问UKey丢了怎么补办？谢谢", "ukey丢了怎么补办"),
        ("在吗 VPN 连不上", "vpn连不上"),
        ("@客服小王 导出的文件是乱码！！！", "导出的文件是乱码!"),
        ("你好", "你好"),
        ("谢谢老师", "谢谢老师"),
        ('{"code":401,"msg":"token expired"}', '{"code":401,"msg":"token expired"}'),
        ("error 0x80070005 安装失败 🙏", "error 0x80070005安装失败"),
    ],
)
def test_politeness_goes_and_the_question_stays(said: str, meant: str) -> None:
    assert clean_query(said) == meant


@given(st.text())
def test_cleaning_never_loses_a_text_with_words(text: str) -> None:
    assert bool(squeeze(clean_query(text))) == bool(squeeze(text))


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_any_text_has_terms_without_a_crash(text: str) -> None:
    assert all(words(text))
    assert all(grams(text))


def test_synonyms_replace_whole_words_and_the_longest_first() -> None:
    table = Synonyms.parse("ukey = u盾, key\n发票 = 票, 开个票  # note\n接口 = api")
    assert table.apply("U盾丢了") == "ukey丢了"
    assert table.apply("monkey key") == "monkey ukey"
    assert table.apply("开个票") == "发票"
    assert table.apply("发票") == "发票"
    assert table.apply("用API开票") == "用接口开发票"


def test_a_line_is_silent_where_the_base_does_not_know_its_term() -> None:
    table = Synonyms.parse("维保 = 服务费")
    assert table.apply("花呗收服务费吗", lambda term: term != "维保") == "花呗收服务费吗"


@pytest.mark.parametrize("line", ["just words", "= a", "term =", "term = ,"])
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(SynonymError, match="line 2"):
        Synonyms.parse(f"# head\n{line}")


def test_the_shipped_table_reads() -> None:
    assert Synonyms.shipped().apply("小绿本打印错位", lambda _: True).startswith("接种证")
