"""Every refusal in words: `code` → (zh-CN, en). Facts fill the braces; missing ones stay empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["zh", "en"]

PROBLEMS: Final[dict[str, tuple[str, str]]] = {
    "unauthenticated": ("请先登录", "Please log in"),
    "token_expired": ("登录已过期，请重新登录", "The access token has expired"),
    "token_reused": (
        "该登录凭证已被使用过，为安全起见已退出此设备，请重新登录",
        "This refresh token was already used; the device has been logged out",
    ),
    "bad_credentials": ("用户名或密码不正确", "Wrong user name or password"),
    "locked": (
        "登录失败次数过多，账号已暂时锁定，请稍后再试",
        "Too many failed logins; the account is locked for a while",
    ),
    "signature_incomplete": (
        "签名不完整：请求头 {header} 缺失或格式不对，请对照《用接口对接》里的示例",
        "The signature is incomplete: header {header} is missing or malformed",
    ),
    "clock_skew": (
        "请求时间与服务器相差超过 {most_s} 秒（服务器 {ours}，请求 {yours}），请校准时钟",
        "The timestamp is more than {most_s} s off (ours {ours}, yours {yours}); set your clock",
    ),
    "api_key_refused": (
        "密钥编号不存在、已作废或已过期，请向本系统的管理员索取新密钥",
        "This key is unknown, revoked or expired; ask the administrator for a new one",
    ),
    "signature_wrong": (
        "签名不对：请核对密钥，并把自己拼出的待签文字与 facts.signed 逐行比对",
        "The signature is wrong; compare the text that you signed with facts.signed",
    ),
    "nonce_used": (
        "这个随机串已经用过，同一请求不能发两次；重试时请换一个随机串重新签名",
        "This nonce was used already; sign again with a fresh one",
    ),
    "body_altered": (
        "请求内容与签名里的 SHA-256 不符，请对实际发送的字节计算",
        "The body does not fit its signed SHA-256; hash the very bytes that you send",
    ),
    "owned_by_oa": (
        "由 OA 同步，请在 OA 修改（{fields}）",
        "The OA is the master of {fields}; change it there",
    ),
    "linked_already": (
        "其中一个已经关联过了，请先解除原来的关联",
        "One of the two is linked already; unlink it first",
    ),
    "no_candidate": ("没有可关联的对象", "There is nothing to link it to"),
    "oa_not_configured": (
        "还没有配置 OA 的拉取地址（WENQU_OA__URL）",
        "No address of the OA is configured (WENQU_OA__URL)",
    ),
    "people_only": (
        "这个操作只能由登录的人完成，不能用接口密钥",
        "Only a person who is logged in can do this, not an API key",
    ),
    "not_grantable": (
        "有一项权限不能授予接口密钥",
        "One of these permissions cannot be given to an API key",
    ),
    "forbidden": ("您没有权限进行此操作", "You are not permitted to do this"),
    "not_found": ("没有找到，可能已被删除", "Not found; it may have been deleted"),
    "method_not_allowed": ("不支持的请求方法", "Method not allowed"),
    "conflict": (
        "内容已被他人修改，请刷新后重试",
        "Somebody else changed it first; read it again and retry",
    ),
    "invalid_transition": (
        "当前状态不允许此操作，请刷新后查看",
        "The present state does not allow this",
    ),
    "not_queued": ("该会话已不在排队中", "The session is not in the queue any more"),
    "rating_not_found": ("还没有邀请客户评价", "No rating was asked for yet"),
    "rating_expired": ("评价已过期", "The rating has expired"),
    "not_eligible": (
        "该会话属于其他团队，或平台没有让此人接待这个客服帐号",
        "It belongs to another team, or the platform does not let this person serve the account",
    ),
    "session_moved": (
        "会话状态已变化，请刷新后重试",
        "The session moved meanwhile; read it again",
    ),
    "not_serving": (
        "会话不在人工接待中，请先接入",
        "The session is not served by a person; claim it first",
    ),
    "not_my_session": ("该会话不由您接待", "This session is not yours"),
    "category_required": (
        "请先选择原因分类，再结束会话",
        "Choose a reason category before closing the session",
    ),
    "summary_required": (
        "请先填写小结，再结束会话",
        "Write a summary before closing the session",
    ),
    "unknown_category": ("没有这个分类，可能已被删除", "No such category"),
    "not_a_servicer": (
        "您还不是接待人员，请联系管理员",
        "You are not a servicer; ask an administrator",
    ),
    "already_mine": ("该会话已由您接待", "You have this session already"),
    "at_capacity": ("已达到接待上限", "The limit of parallel sessions is reached"),
    "transfer_to_self": ("不能转接给自己", "It cannot be transferred to yourself"),
    "servicer_unavailable": ("对方当前不可接待", "That servicer is not available now"),
    "servicer_not_found": ("没有这位接待人员", "No such servicer"),
    "capacity_out_of_range": (
        "接待上限须在 {low} 到 {high} 之间",
        "The limit must be between {low} and {high}",
    ),
    "native_mode": (
        "该会话由企业微信客户端接待，请在企业微信中回复",
        "This session is served in the WeCom client; reply there",
    ),
    "native_mode_unsupported": (
        "该渠道没有自己的接待客户端",
        "This channel has no client of its own to serve from",
    ),
    "account_not_manageable": (
        "该客服账号未授权给本应用管理",
        "This account may not be managed by the application",
    ),
    "not_my_message": ("只能撤回自己发送的消息", "Only your own messages can be recalled"),
    "not_failed": ("它已重新发送或已处理", "It is no longer among the failed"),
    "not_sent_yet": ("消息尚未送达，暂不能撤回", "The message has not been sent yet"),
    "recall_unsupported": ("该渠道不支持撤回", "This channel cannot recall messages"),
    "window_closed": (
        "当前不能再给客户发送消息：剩余 {left} 条，截止 {until}。客户再次发言后即可继续",
        "No message may be sent now: {left} left, until {until}",
    ),
    "recall_too_late": (
        "发送已超过 2 分钟，不能撤回",
        "It is too late to recall this message",
    ),
    "institution_not_found": ("没有这个单位", "No such institution"),
    "article_state": (
        "知识条目当前状态不允许此操作",
        "The article's state does not allow this",
    ),
    "external_id_taken": ("编号 {external_id} 已被使用", "The id {external_id} is taken"),
    "same_person": ("作者与审核人不能是同一人", "Author and reviewer must be two people"),
    "never_published": ("该版本从未发布过", "This revision was never published"),
    "invalid_article": ("知识条目内容有误：{field}", "The article is not valid: {field}"),
    "invalid": ("提交的内容有误", "The request is not valid"),
    "required": ("还有必填的内容没有填写", "Something required is missing"),
    "bad_length": ("内容不能为空，也不能超过 {max} 个字", "1 to {max} characters"),
    "invalid_fields": ("部分内容填写有误，请检查", "Some fields are not valid"),
    "invalid_setting": ("设置项填写有误，请检查", "The setting is not valid"),
    "malformed_json": ("请求内容不是有效的 JSON", "The body is not valid JSON"),
    "unstorable_text": (
        "文字中包含不能保存的字符",
        "The text contains characters that cannot be stored",
    ),
    "bad_cursor": ("翻页标记无效，请从第一页重新开始", "The cursor is not valid"),
    "too_large": ("请求内容过大", "The request is too large"),
    "unsupported_media_type": ("不支持的内容类型", "Unsupported content type"),
    "too_many_requests": (
        "操作过于频繁，请 {retry_after_s} 秒后再试",
        "Too many requests; retry in {retry_after_s} s",
    ),
    "idempotency_mismatch": (
        "同一个 Idempotency-Key 用于了不同的内容",
        "This Idempotency-Key was used for another body",
    ),
    "wrong_password": ("原密码不正确", "The old password is wrong"),
    "message_not_here": ("该消息不属于此会话", "The message is not of this session"),
    "invalid_text": (
        "消息不能为空，且不超过 {most} 个字符",
        "The text must not be empty nor longer than {most} characters",
    ),
    "unsendable_content": ("不能发送这种内容", "This kind of content cannot be sent"),
    "weak_password": ("密码不符合要求：{rule_words}", "The password is too weak: {rule_words}"),
    "username_taken": ("用户名已被使用", "The user name is taken"),
    "bad_username": (
        "用户名须为 2–64 位小写字母、数字或 . _ @ -，以字母或数字开头",
        "2–64 of a-z 0-9 . _ @ -, beginning with a letter or digit",
    ),
    "last_admin": ("至少要保留一位可用的管理员", "At least one active administrator must remain"),
    "servicer_exists": ("该用户已经是接待人员", "This user is a servicer already"),
    "wecom_userid_taken": ("该企业微信账号已绑定其他人", "This WeCom user is bound already"),
    "file_empty": ("文件是空的", "The file is empty"),
    "file_missing": ("请求中没有文件", "There is no file in the request"),
    "file_too_large": (
        "文件过大：{size_words}，上限 {most_words}",
        "The file is too large: {size_words}, limit {most_words}",
    ),
    "no_files_here": ("该渠道只能发送文字", "This channel takes text only"),
    "file_type_refused": ("不支持这种文件", "This kind of file is not accepted"),
    "file_name_mismatch": (
        "文件内容与扩展名 .{extension} 不符",
        "The content does not fit the extension .{extension}",
    ),
    "file_broken": ("文件已损坏，无法读取", "The file is broken"),
    "file_bomb": (
        "文件展开后过大，已拒绝",
        "The file would unpack to an unreasonable size",
    ),
    "bad_ticket": ("下载链接已失效，请重新获取", "The download link has expired"),
    "nothing_to_draft": (
        "还没有可整理的问答：要有客户的问题和同事的回复",
        "There is no question with an answer yet",
    ),
    "article_not_found": ("没有这个知识条目", "No such article"),
    "revision_not_found": ("没有这个版本", "No such revision"),
    "variant_taken": (
        "“{variant}”已经是“{term}”的同义词",
        "“{variant}” is a variant of “{term}” already",
    ),
    "bad_synonyms": ("同义词表有误：{reason}", "The synonym table is not valid: {reason}"),
    "gap_drafted": ("已经有知识条目草稿", "There is a draft already"),
    "not_own": (
        "标注数据太少，不能启用这次校准",
        "There are too few labels to put this calibration in force",
    ),
    "category_into_itself": ("不能移动到自己的下级", "A category cannot go below itself"),
    "too_many_lines": (
        "一次最多 {most} 行，请分批粘贴",
        "At most {most} lines at once",
    ),
    "bad_question": ("问题为空或过长", "The question is empty or too long"),
    "knowledge_off": ("知识库尚未就绪", "The knowledge base is not ready"),
    "channel_failed": (
        "平台没有接受请求（{vendor_code}），请稍后再试或运行 wenqu doctor 检查",
        "The platform refused ({vendor_code}); retry later or run wenqu doctor",
    ),
    "link_not_available": (
        "请先为链接选择客服帐号",
        "Choose an account for the link first",
    ),
    "link_unavailable": ("该渠道不提供接入链接", "This channel offers no link"),
    "unknown_format": (
        "无法识别的文件格式，请使用 jsonl、csv 或 xlsx",
        "Unknown format; use jsonl, csv or xlsx",
    ),
    "unreadable_file": ("文件无法读取", "The file cannot be read"),
    "missing_column": ("缺少列 {column}", "Column {column} is missing"),
    "bad_category": ("分类路径有误", "The category path is not valid"),
    "category_exists": ("分类已存在", "The category exists already"),
    "internal": (
        "系统出了点问题，请稍后再试。问题编号 {incident}",
        "Something went wrong. Incident {incident}",
    ),
    "already_assigned": ("已被他人领取", "Somebody else has taken it"),
    "ticket_closed": ("工单已结束", "The ticket is closed"),
    "reopen_too_late": (
        "已超过可重开的期限，请新建工单",
        "It is too late to reopen it; open a new ticket",
    ),
    "not_resolved": ("工单解决后才能评价", "It can be rated once it is resolved"),
    "already_rated": ("您已经评价过了", "It was rated already"),
    "already_done": ("已经完成", "It is done already"),
    "in_the_past": ("时间已经过去", "That moment has passed"),
    "other_customer": ("不是同一客户或机构的工单", "It belongs to another customer"),
    "same_ticket": ("不能与自己关联", "It cannot be related to itself"),
    "not_editable": ("该字段不能修改", "This field cannot be changed"),
    "name_taken": ("名称已被使用", "The name is in use"),
    "never_open": ("该日历没有工作时间", "This calendar never opens"),
    "bad_rows": ("有几行格式不正确", "Some lines are not right"),
    "bad_rule": ("分群规则不正确", "The rule is not right"),
    "unknown_field": ("没有“{field}”这个字段", "There is no field “{field}”"),
    "too_deep": ("层级太深，至多 {max} 层", "Nested too deep; at most {max}"),
    "in_use": ("正在使用，不能删除", "It is in use and cannot be removed"),
    "own_descendant": ("不能移动到自己的下级", "It cannot be moved below itself"),
    "unknown_region": ("没有这个行政区划代码", "No such division code"),
    "same_customer": ("请选择两个不同的客户", "Choose two different customers"),
    "already_undone": ("合并已经撤销过了", "The merge was undone already"),
    "merged_again": (
        "该客户之后又被合并，请先撤销后一次合并",
        "The customer was merged again; undo that merge first",
    ),
    "no_name_column": (
        "表头里没有填名字的列，可用的列：{headings}",
        "There is no column of names; columns understood: {headings}",
    ),
    "bad_file": ("文件无法读取，请使用 xlsx 或 csv", "The file cannot be read; use xlsx or csv"),
    "too_many_rows": ("行数太多，至多 {max} 行", "Too many rows; at most {max}"),
    "bad_phone": ("电话号码不正确", "Not a phone number"),
    "bad_email": ("邮箱不正确", "Not an e-mail address"),
    "bad_id_number": ("证件号不正确", "Not an identity number"),
    "sms_limit": (
        "验证码发送太频繁，请 {retry_after_s} 秒后再试",
        "Too many codes; try again in {retry_after_s} s",
    ),
    "link_invalid": ("链接无效，请向客服索取新链接", "The link is not valid; ask for a new one"),
    "link_expired": ("链接已过期，请向客服索取新链接", "The link has expired; ask for a new one"),
    "remote_assistance_open": (
        "已有进行中的远程协助",
        "A remote assistance is under way already",
    ),
    "consent_needed": (
        "客户同意远程协助后才能查看连接信息，请先在工单里发起远程协助",
        "Shown once the customer has agreed to remote assistance; ask for it on the ticket first",
    ),
    "other_institution": (
        "这份 VPN 档案属于别的机构，请换一份",
        "This VPN profile belongs to another institution",
    ),
    "consent_expired": ("请求已过期，请重新发起", "The request has expired; ask again"),
    "own_work": ("不能质检自己的工作", "One's own work cannot be reviewed"),
    "already_reviewed": ("已由 {reviewer} 质检", "Already reviewed by {reviewer}"),
    "card_retired": ("该评分表已停用", "This score card is retired"),
    "nobody_to_review": ("没有负责人可质检", "Nobody is responsible for it"),
    "weights_not_100": ("各项权重合计应为 100", "The weights must be 100 together"),
    "invalid_scores": ("评分填写有误", "The scores are not right"),
    "already_appealed": ("已经申诉过了", "An objection was made already"),
    "no_open_appeal": ("没有待答复的申诉", "There is no open objection"),
}


class _Lenient(dict[str, object]):
    """Facts for str.format_map; what is missing reads as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def language_of(accept_language: str) -> Language:
    """Chinese unless English is asked for first."""
    first = accept_language.split(",", 1)[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def say(
    table: Mapping[str, tuple[str, str]],
    code: str,
    language: Language,
    facts: Mapping[str, object],
) -> str:
    """The words for a code of the table."""
    zh, en = table[code]
    return (en if language == "en" else zh).format_map(_Lenient(facts))


def bytes_words(size: int) -> str:
    """12.3 MB; for people."""
    return f"{size / 1048576:.1f} MB" if size >= 1048576 else f"{size / 1024:.0f} KB"
