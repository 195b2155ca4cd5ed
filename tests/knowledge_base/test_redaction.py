from __future__ import annotations

import pytest

from knowledge.redaction import redacted


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("我电话13812345678，谢谢", "我电话〔手机号〕，谢谢"),
        ("打 138 1234 5678 或 +86-138-1234-5678", "打 〔手机号〕 或 〔手机号〕"),
        ("座机 0571-88776655", "座机 〔电话〕"),
        ("身份证 11010519491231002X 查不到", "身份证 〔身份证号〕 查不到"),
        ("卡号6222020200112233445", "卡号〔证件或卡号〕"),
        ("邮箱 zhang.san@cdc.example.cn 收不到", "邮箱 〔邮箱〕 收不到"),
        ("密码是Abc@1234，登不上", "密码是〔已隐去〕，登不上"),
        ("服务器 192.168.1.10 连不上", "服务器 〔IP 地址〕 连不上"),
        ("加我微信号 abc_12345", "加我微信号 〔联系方式〕"),
        ("我是王医生", "我是〔姓名〕医生"),
        ("我叫张三丰", "我叫〔姓名〕"),
        ("姓名：李四，接种记录没有", "姓名：〔姓名〕，接种记录没有"),
        ("https://a.cn/x?token=abcdef 打不开", "〔含凭证的链接〕 打不开"),
    ],
)
def test_what_names_or_reaches_a_person_is_taken_out(said: str, kept: str) -> None:
    assert redacted(said) == kept
    assert redacted(kept) == kept


@pytest.mark.parametrize(
    "said",
    [
        "错误代码 40001 怎么处理",
        "版本 3.2.1 升级到 3.2.2",
        "密码忘了怎么重置",
        "2026-03-02 的报表打不开",
        "流水号 20260302001 找不到",
        "我是新来的，怎么开通账号",
        "患者信息录错了",
    ],
)
def test_what_the_question_is_about_stays(said: str) -> None:
    assert redacted(said) == said


def test_known_names_are_taken_out_wherever_they_stand() -> None:
    assert (
        redacted("刘洋您好，请刘洋重试", names=["刘洋", "李", ""])
        == "〔姓名〕您好，请〔姓名〕重试"
    )
