from __future__ import annotations

import time

import pytest

from knowledge.gates import GateKind, Gates

GATES = Gates.shipped()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("我不想活了", GateKind.REDLINE),
        ("心里难受，真的想不开", GateKind.REDLINE),
        ("孩子刚打完疫苗呼吸困难", GateKind.REDLINE),
        ("打完针嘴唇发紫叫不醒", GateKind.REDLINE),
        ("被狗咬了怎么办", GateKind.REDLINE),
        ("刚才被流浪猫抓伤了", GateKind.REDLINE),
        ("我们班十几个孩子呕吐腹泻", GateKind.REDLINE),
        ("孩子误食了老鼠药", GateKind.REDLINE),
        ("转人工", GateKind.HUMAN),
        ("帮我转人功", GateKind.HUMAN),
        ("zhuanrengong", GateKind.HUMAN),
        ("我要找真人客服", GateKind.HUMAN),
        ("你们这个机器人答非所问", GateKind.HUMAN),
        ("客服 客服 客服", GateKind.HUMAN),
        ("怎么没人理我", GateKind.HUMAN),
        ("😡😡😡", GateKind.HUMAN),
        ("👎！", GateKind.HUMAN),
        ("孕妇能打流感疫苗吗", GateKind.MEDICAL),
        ("打完疫苗发烧怎么办", GateKind.MEDICAL),
        ("你好", GateKind.CHITCHAT),
        ("👍👍👍", GateKind.CHITCHAT),
        ("谢谢老师，辛苦了", GateKind.CHITCHAT),
        ("讲个笑话", GateKind.CHITCHAT),
        ("吃了吗", GateKind.CHITCHAT),
        ("你好\n你是机器人吗", GateKind.CHITCHAT),
        ("您好，您是真人吗？", GateKind.CHITCHAT),
    ],
)
def test_what_must_not_reach_retrieval_is_held_back(said: str, kind: GateKind) -> None:
    gate = GATES.check(said)
    assert gate is not None
    assert gate.kind is kind


@pytest.mark.parametrize(
    "said",
    [
        "犬伤门诊登记时被狗咬的部位在哪录入",
        "学校食物中毒二十多个人，在哪个模块报",
        "自杀死亡的死因编码怎么填",
        "客服电话是多少",
        "我要投诉你们",
        "人工录入的报告卡怎么审核",
        "接种后的留观登记在哪里操作",
        "疫苗批号提示不可用",
        "密码忘了怎么办",
        "怎么申请远程协助",
        "在吗，vpn连不上了",
        "我不想不开票就结算",
        "谢谢，另外报表怎么导出",
        "我试试了还是登不上",
        "好的，那发票怎么开",
        "等一下会自动上报吗",
        "在哪里看看接种率",
        "我知道密码但登录不了",
        "[错误] 登录超时",
    ],
)
def test_questions_about_the_software_pass(said: str) -> None:
    assert GATES.check(said) is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("谢谢啊", "不客气"),
        ("好的，谢谢老师", "不客气"),
        ("拜拜", "再见"),
        ("你好", "答疑助手"),
        ("好的，我再试试", "不着急"),
        ("等一下哈", "不着急"),
        ("懂了懂了", "答疑助手"),
        ("[微笑][强]", "答疑助手"),
        ("原来是这样啊", "答疑助手"),
    ],
)
def test_small_talk_is_answered_in_kind(said: str, answer: str) -> None:
    gate = GATES.check(said)
    assert gate is not None
    assert answer in gate.text


@pytest.mark.parametrize(
    "word", ["嗯", "哦", "在吗", "好的", "辛苦了", "哈", "谢谢", "666", "[微笑]"]
)
def test_a_long_line_of_small_talk_is_looked_at_in_no_time(word: str) -> None:
    started = time.process_time()
    small_talk = GATES.check(word * 24)
    question = GATES.check(word * 24 + "导出按钮")
    assert time.process_time() - started < 1
    assert small_talk is not None
    assert question is None


def test_every_red_line_has_an_approved_text() -> None:
    lines = [gate for gate in GATES.rows if gate.kind is GateKind.REDLINE]
    assert len(lines) >= 4
    assert all(gate.text for gate in lines)
    assert len({gate.name for gate in GATES.rows}) == len(GATES.rows)


def test_a_table_that_cannot_be_read_says_so() -> None:
    with pytest.raises(ValueError, match="gate"):
        Gates.parse('[[gate]]\nname = "x"\nkind = "human"\npatterns = ["("]')
