"""Conflicts of the OA's records: what is wrong and what to do. code → (zh-CN, en)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from admin_api.words import PROBLEMS, Language, say

_CONFLICTS: Final[dict[str, tuple[str, str]]] = {
    "bad_record": (
        "字段“{field}”缺失或格式不对。请在 OA 改正后重新推送，或在设置里核对字段对应",
        "Field “{field}” is missing or malformed; correct it in the OA, or check the mapping",
    ),
    "name_missing": (
        "没有名称。请在 OA 补上",
        "There is no name; add it in the OA",
    ),
    "unknown_region": (
        "没有行政区划代码 {region}。请在 OA 改成六位国标代码",
        "There is no division code {region}; use a six-digit national code in the OA",
    ),
    "parent_missing": (
        "上级机构 {institution} 还没有同步过来。它到达后会自动重试；若不会来，请在 OA 改上级",
        "The parent {institution} has not come yet; this is tried again when it does",
    ),
    "engineer_missing": (
        "负责工程师 {staff} 还没有作为员工同步过来。到达后自动重试；不会来的话请在 OA 改",
        "The engineer {staff} has not come as staff yet; this is tried again when they do",
    ),
    "engineer_no_servicer": (
        "负责工程师 {staff} 没有企业微信帐号，不是接待人员。请在 OA 给这名员工填上企业微信帐号",
        "The engineer {staff} has no WeCom account and serves nobody; add it in the OA",
    ),
    "institution_missing": (
        "所属机构 {institution} 还没有同步过来。它到达后会自动重试；若不会来，请在 OA 改所属机构",
        "The institution {institution} has not come yet; this is tried again when it does",
    ),
    "same_name": (
        "同一上级下已有手工建立的“{name}”。确认是同一家请点“关联”，否则请改名",
        "“{name}” was made here by hand in the same place; link the two, or rename one",
    ),
    "twice_in_oa": (
        "OA 里有两家“{name}”在同一上级下。请在 OA 合并或改名",
        "The OA has two “{name}” in one place; merge or rename them there",
    ),
    "phone_taken": (
        "电话已属于客户“{customer}”。确认是同一人请点“关联”，否则请在 OA 核对电话",
        "The phone belongs to “{customer}”; link the two, or check the number in the OA",
    ),
    "phone_twice": (
        "电话已属于另一位客户“{customer}”。请在 OA 核对电话；若是同一人，先在客户页合并",
        "The phone belongs to another customer, “{customer}”; check it in the OA, or merge",
    ),
    "bad_phone": (
        "电话号码不正确。请在 OA 改正",
        "Not a phone number; correct it in the OA",
    ),
    "bad_email": ("邮箱不正确。请在 OA 改正", "Not an e-mail address; correct it in the OA"),
    "username_taken": (
        "已有手工建立的帐号 {username}。确认是同一人请点“关联”",
        "The login {username} was made here by hand; link the two if it is the same person",
    ),
    "username_twice": (
        "OA 里有两名员工用同一个帐号 {username}。请在 OA 改正",
        "Two people of the OA share the login {username}; correct it there",
    ),
    "wecom_taken": (
        "企业微信帐号 {wecom_userid} 已绑定 {holder}。请在 OA 改正，或先解除绑定",
        "The WeCom user {wecom_userid} is bound to {holder}; correct it in the OA, or unbind",
    ),
    "merged_record": (
        "OA 的两条记录在本系统已合并为一位客户，以较早的那条为准。请在 OA 停用这一条",
        "Two records of the OA are one customer here; the older one counts. End this one there",
    ),
}  # fmt: skip


def conflict_words(code: str, facts: Mapping[str, object], language: Language) -> str:
    """Any other refusal reads as it does elsewhere."""
    table = _CONFLICTS if code in _CONFLICTS else PROBLEMS
    return say(table, code if code in table else "invalid", language, facts)
