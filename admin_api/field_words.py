"""What is wrong with a field, in words: `code` → (zh-CN, en)."""

from __future__ import annotations

from typing import Final

PASSWORD_RULES: Final[dict[str, tuple[str, str]]] = {
    "length": ("至少 {least} 个字符", "at least {least} characters"),
    "too_long": ("至多 {most} 个字符", "at most {most} characters"),
    "classes": (
        "大写字母、小写字母、数字、符号中至少包含 {least} 种",
        "at least {least} of upper case, lower case, digits, symbols",
    ),
    "username": ("不能包含用户名", "must not contain the user name"),
    "common": ("过于常见，容易被猜到", "too common"),
}

#: pydantic's error types, as far as people meet them.
FIELDS: Final[dict[str, tuple[str, str]]] = {
    "required": ("必填", "required"),
    "unknown": ("没有这个字段", "no such field"),
    "out_of_range": ("超出范围", "out of range"),
    "repeats_row": ("与第 {other} 行重复", "repeats row {other}"),
    "unknown_institution": ("没有这个机构", "no such institution"),
    "ambiguous_institution": ("有多个同名机构", "several institutions bear this name"),
    "unknown_parent": (
        "没有找到上级机构；上级要先建好，或排在这一行之前",
        "no such institution above; it must exist or come in an earlier row",
    ),
    "ambiguous_parent": (
        "有多个同名的上级机构，请写出路径，例如 江苏省疾控 / 苏州市疾控",
        "several institutions above bear this name; write its path, such as A / B",
    ),
    "own_descendant": ("上级不能是自己或自己的下级", "would stand below itself"),
    "too_deep": ("机构层级太深", "too many levels"),
    "unknown_region": (
        "没有这个行政区划，请填六位代码或全称（江苏省苏州市）",
        "no such division; its six digits or full name",
    ),
    "unknown_engineer": ("没有叫这个名字的接待人员", "no servicer bears this name"),
    "ambiguous_engineer": ("有多位同名的接待人员", "several servicers bear this name"),
    "bad_phone": ("不是有效的电话", "not a phone number"),
    "bad_email": ("不是有效的邮箱", "not an e-mail address"),
    "bad_id_number": ("不是有效的证件号", "not an identity number"),
    "bad_length": ("太长", "too long"),
    "owned_by_oa": ("由 OA 同步，请在 OA 修改", "the OA is its master; change it there"),
    "unknown_oa_id": ("没有这个 OA 编号", "no such id of the OA"),
    "not_text": ("应为文字", "must be text"),
    "not_long_text": ("应为文字", "must be text"),
    "not_number": ("应为数字", "must be a number"),
    "not_choice": ("不在可选项内", "not one of the choices"),
    "not_date": ("应为日期", "must be a date"),
    "not_bool": ("应为是或否", "must be yes or no"),
    "missing": ("必填", "required"),
    "extra_forbidden": ("不认识的字段", "unknown field"),
    "string_type": ("应为文字", "must be text"),
    "string_too_short": ("至少 {min_length} 个字符", "at least {min_length} characters"),
    "string_too_long": ("至多 {max_length} 个字符", "at most {max_length} characters"),
    "string_pattern_mismatch": ("格式不正确", "wrong format"),
    "int_type": ("应为整数", "must be an integer"),
    "int_parsing": ("应为整数", "must be an integer"),
    "float_type": ("应为数字", "must be a number"),
    "float_parsing": ("应为数字", "must be a number"),
    "bool_type": ("应为是或否", "must be true or false"),
    "bool_parsing": ("应为是或否", "must be true or false"),
    "greater_than_equal": ("不能小于 {ge}", "at least {ge}"),
    "less_than_equal": ("不能大于 {le}", "at most {le}"),
    "enum": ("应为以下之一：{expected}", "one of: {expected}"),
    "literal_error": ("应为以下之一：{expected}", "one of: {expected}"),
    "union_tag_invalid": ("类型应为以下之一：{expected_tags}", "type is one of: {expected_tags}"),
    "union_tag_not_found": ("缺少类型 type", "type is missing"),
    "too_long": ("至多 {max_length} 项", "at most {max_length} items"),
    "too_short": ("至少 {min_length} 项", "at least {min_length} items"),
    "value_error": ("内容不能保存或不合要求", "not acceptable"),
    "model_type": ("应为对象", "must be an object"),
    "model_attributes_type": ("应为对象", "must be an object"),
    "dict_type": ("应为对象", "must be an object"),
    "list_type": ("应为列表", "must be a list"),
    "tuple_type": ("应为列表", "must be a list"),
    "datetime_parsing": ("应为 ISO 8601 时间", "must be an ISO 8601 time"),
    "datetime_from_date_parsing": ("应为 ISO 8601 时间", "must be an ISO 8601 time"),
    "timezone_aware": ("时间应带时区", "the time needs a zone"),
}
