"""What WeCom's error codes mean, and what to do about them: one table.

Source: developer.work.weixin.qq.com/document/path/90313 and the page of each API. The platform
publishes meanings; the classes are ours.
"""

# ruff: noqa: E501 - one row per line is what makes the table readable

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from channels.errors import (
    BadCredentials,
    ChannelError,
    Rejected,
    RetryLater,
    WindowClosed,
    WrongState,
)


class Action(StrEnum):
    OK = "ok"  # treat as done
    RETRY = "retry"  # back off, then again
    REFRESH = "refresh"  # a new access token, then once again
    WAIT = "wait"  # a rate window must pass
    GIVE_UP = "give_up"  # a business result: tell people
    ALERT = "alert"  # configuration: an operator must act
    BUG = "bug"  # our request is wrong


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code. `meaning` and `advice` are Chinese, for `wenqu doctor` and the console."""

    code: int
    action: Action
    meaning: str
    advice: str = ""


_A = Action
_APP = "管理后台 → 应用管理 → 自建应用"
_KF = "管理后台 → 微信客服 → API"
_RETRY_LATER = "系统会自动重试，无需处理。"
_OUR_BUG = "请求内容有误，请带上日志反馈给开发者。"

_ROWS: tuple[tuple[str, Action, str, str], ...] = (
    # transport, token, rate
    ("0", _A.OK, "成功", ""),
    ("-1", _A.RETRY, "企业微信系统繁忙", _RETRY_LATER),
    ("6000", _A.RETRY, "数据版本冲突", _RETRY_LATER),
    ("40001", _A.ALERT, "Secret 不正确、已重置，或不属于此应用", f"在 {_APP} 详情页重新查看 Secret 并更新配置；不要反复尝试，IP 会被封约 1 小时。"),
    ("40091", _A.ALERT, "Secret 属于其他企业", f"核对 CorpID 与 Secret 是否同属一家企业（{_APP}）。"),
    ("45031", _A.ALERT, "Secret 不安全，须重置", f"在 {_APP} 详情页重置 Secret 并更新配置。"),
    ("40013", _A.ALERT, "CorpID 不正确", "在 管理后台 → 我的企业 → 企业信息 底部核对企业 ID。"),
    ("40014", _A.REFRESH, "access_token 无效", _RETRY_LATER),
    ("42001", _A.REFRESH, "access_token 已过期", _RETRY_LATER),
    ("41001", _A.BUG, "请求缺少 access_token", _OUR_BUG),
    ("40033", _A.BUG, "请求含有 \\uXXXX 转义字符", _OUR_BUG),
    ("40035 40058 40063 40206", _A.BUG, "参数错误、为空或请求体过大", _OUR_BUG),
    ("44001", _A.BUG, "上传的文件为空", _OUR_BUG),
    ("44004", _A.BUG, "文本内容为空", _OUR_BUG),
    ("45009", _A.WAIT, "接口调用超过频率限制", "系统会等待限制窗口结束后自动继续；若经常出现，请检查是否有其他系统共用此应用。"),
    ("45033", _A.RETRY, "并发调用过多", _RETRY_LATER),
    ("45035", _A.RETRY, "同一对象并发写入", _RETRY_LATER),
    ("45036", _A.WAIT, "数据访问量达到上限", "等待下一个窗口。"),
    ("45029", _A.BUG, "返回内容过大", _OUR_BUG),
    ("48010", _A.ALERT, "TLS 版本过低", "升级服务器的 OpenSSL / Python。"),
    ("60020", _A.ALERT, "服务器 IP 不在企业可信 IP 中", f"把报错中的 IP 加入 {_APP} → 企业可信IP，约 1 分钟后生效。"),
    ("2000111 2000141 2090726", _A.RETRY, "企业微信后台暂时不可用", _RETRY_LATER),
    # permission and configuration
    ("40056 301002", _A.ALERT, "AgentID 不正确，或 access_token 不属于此应用", f"在 {_APP} 核对 AgentId 与 Secret 属于同一应用。"),
    ("43009", _A.ALERT, "企业未验证主体", "在 管理后台 → 我的企业 → 企业信息 完成主体验证。"),
    ("43012", _A.ALERT, "应用没有设置回调 URL（交互卡片需要）", f"在 {_APP} → 接收消息 → 设置API接收 填写 URL、Token、EncodingAESKey。"),
    ("48001 48002 48004", _A.ALERT, "此应用没有调用该接口的权限，或授权已取消", f"微信客服：在 {_KF} → 可调用接口的应用 中加入本应用；客户联系：在 客户与上下游 → 客户联系 → API 中加入。"),
    ("48005", _A.ALERT, "接口已下线", "请升级系统版本。"),
    ("48006", _A.ALERT, "接口权限因长期未用被收回", f"由管理员在 {_APP} 重新启用。"),
    ("48007", _A.ALERT, "客服账号未授权给本应用管理", f"在 {_KF} → 通过API管理微信客服账号 中勾选此客服账号。"),
    ("48009", _A.ALERT, "通讯录同步 Secret 不能从新 IP 调用", "改用自建应用的 Secret 读取成员。"),
    ("48011", _A.ALERT, "企业活跃度不足，客户数据受限", "查看管理后台首页通知，让成员登录使用企业微信后恢复。"),
    ("50001 80001 85005 85008", _A.ALERT, "回调域名不是可信域名，或域名归属、备案校验未通过", f"在 {_APP} → 网页授权及JS-SDK 设置可信域名并完成校验。"),
    ("50002 60011 60021", _A.ALERT, "成员或部门不在应用的可见范围，或无权操作", f"在 {_APP} → 可见范围 中加入相应成员或部门。"),
    ("60030", _A.ALERT, "接待人员不在应用的可见范围", f"在 {_APP} → 可见范围 中加入全部接待人员。"),
    ("50003", _A.ALERT, "应用已停用", f"在 {_APP} 启用此应用。"),
    ("50006", _A.ALERT, "系统应用已停用", "在 管理后台 → 应用管理 启用微信客服 / 客户联系。"),
    ("60031", _A.ALERT, "应用被禁止调用接口", "联系企业微信客服了解原因。"),
    ("301007", _A.ALERT, "企业不可用（解散或封禁）", "联系企业微信客服。"),
    ("60111 60123", _A.GIVE_UP, "成员或部门不存在，或不在可见范围", f"核对 userid；必要时在 {_APP} → 可见范围 中加入。"),
    ("301042", _A.ALERT, "会话存档 IP 未加入白名单", "在 管理后台 → 管理工具 → 会话内容存档 设置可信 IP。"),
    ("301052 301053", _A.ALERT, "会话存档已到期或未开启", "在 管理后台 → 管理工具 → 会话内容存档 开通或续期。"),
    ("301048", _A.GIVE_UP, "会话存档文件不存在或已过期", ""),
    ("301058 301112", _A.RETRY, "会话存档单次拉取过大", "系统会缩小范围重试。"),
    ("610023 610024", _A.ALERT, "客户联系规模已达上限，或缺少资质", "在 管理后台 → 客户与上下游 提交资质或扩容。"),
    ("701008 701099", _A.ALERT, "接口许可不足", "在 管理后台 购买或激活接口许可。"),
    # parameters
    ("40003 40031 40032", _A.BUG, "userid 不合法，或成员列表有误", "核对 userid 与应用可见范围。"),
    ("40050", _A.GIVE_UP, "群聊不存在", ""),
    ("40123", _A.GIVE_UP, "图片内容无效", "换一张 JPG / PNG 图片重新发送。"),
    ("40004 40005 40006 40009 40011", _A.BUG, "媒体类型或大小不被接受", "图片 ≤10MB（JPG/PNG），语音 ≤2MB（AMR），视频 ≤10MB（MP4），文件 ≤20MB。"),
    ("40007", _A.GIVE_UP, "media_id 无效或已过期（3 天）", "重新上传文件。"),
    ("40008", _A.BUG, "消息类型不合法", _OUR_BUG),
    ("40145", _A.GIVE_UP, "媒体文件已过期", ""),
    ("40146", _A.BUG, "Range 请求头不被接受", _OUR_BUG),
    ("40029 42003 42022", _A.GIVE_UP, "登录 code 已使用或过期", "重新扫码登录。"),
    ("84014 84015", _A.GIVE_UP, "user_ticket 过期或无效", "重新登录。"),
    ("45001 45002 45007 45008", _A.BUG, "媒体过大、文本过长、语音超过 60 秒或图文超过 8 条", _OUR_BUG),
    ("45024", _A.ALERT, "账号数量超过上限", "在管理后台清理不用的账号。"),
    ("46004", _A.GIVE_UP, "成员不存在", "核对 userid。"),
    ("49004", _A.BUG, "签名不匹配", "核对回调 Token 与 EncodingAESKey。"),
    ("49008", _A.GIVE_UP, "群已解散", ""),
    ("50100", _A.BUG, "分页游标不合法", "系统会从头拉取。"),
    ("830001-830003", _A.BUG, "媒体文件过大，须分段下载", _OUR_BUG),
    # app messages
    ("81013", _A.GIVE_UP, "全部接收人无效", f"核对接收人是否在 {_APP} → 可见范围 中。"),
    ("81012 82001", _A.BUG, "没有指定接收人", _OUR_BUG),
    ("82002 82003", _A.BUG, "部门或标签超过 100 个", _OUR_BUG),
    ("82004", _A.GIVE_UP, "内容可能导致客户端异常", "修改内容后重发。"),
    ("42014-42020 42027-42051", _A.BUG, "卡片字段缺失或不合法", _OUR_BUG),
    ("42052", _A.GIVE_UP, "消息已超过 24 小时，不能撤回", ""),
    ("60140", _A.GIVE_UP, "response_code 不合法、已使用或超过 72 小时", ""),
    ("82101 82102", _A.BUG, "更新卡片没有目标，或目标不在接收人中", _OUR_BUG),
    ("86001 86003 86008", _A.GIVE_UP, "群聊 chatid 不合法、不存在，或不是本应用创建", ""),
    ("86004-86007 86101 86201-86220", _A.BUG, "群聊参数有误", _OUR_BUG),
    ("90200-90205 90207 90208", _A.BUG, "小程序通知参数有误", _OUR_BUG),
    ("90206", _A.ALERT, "小程序未与企业关联", "在 管理后台 → 应用管理 → 小程序 关联。"),
    # 微信客服
    ("95000 95004", _A.ALERT, "客服账号 open_kfid 不合法或不存在", "在 管理后台 → 微信客服 核对账号；已删除的账号请在系统中停用。"),
    ("95001", _A.GIVE_UP, "客户上次发言后已发送满 5 条", "等待客户再次发言；或改用应用内提醒客户。"),
    ("95002", _A.GIVE_UP, "距客户上次发言已超过 48 小时", "等待客户再次发言。"),
    ("95003", _A.ALERT, "服务客户数已达未验证企业的上限", "在 管理后台 → 我的企业 → 企业信息 完成主体验证。"),
    ("95005 95026 95027", _A.ALERT, "客服账号数量达到上限", "删除不用的客服账号，或完成企业验证后再添加。"),
    ("95006", _A.BUG, "客服账号名称不合法", "名称不超过 16 个字。"),
    ("95007", _A.RETRY, "拉取凭证无效或已超过 10 分钟", "系统会不带凭证重新拉取。"),
    ("95008 95009", _A.BUG, "菜单项数量或类型不合法", _OUR_BUG),
    ("95011 95012", _A.ALERT, "接口属于另一版本的微信客服", f"在 {_KF} 确认使用的是企业微信版微信客服。"),
    ("95013", _A.GIVE_UP, "会话已结束", "等待客户再次发言。"),
    ("95014", _A.GIVE_UP, "不是该账号的接待人员，或尚未激活企业微信", "在 管理后台 → 微信客服 → 接待人员 中添加，并让其登录企业微信。"),
    ("95015", _A.ALERT, "已在管理后台设置专属服务", "在 管理后台 → 微信客服 调整设置。"),
    ("95016", _A.GIVE_UP, "不允许这样变更会话状态", "系统会重新读取状态。"),
    ("95017", _A.ALERT, "API 管理开关已关闭", f"在 {_KF} 打开“通过API管理”。"),
    ("95023", _A.ALERT, "客服账号已交给其他应用管理", f"在 {_KF} 把账号改为由本应用管理。"),
    ("95018", _A.GIVE_UP, "当前会话状态不允许由 API 发送", "会话正由接待人员在企业微信中接待，或已结束。"),
    ("95019", _A.GIVE_UP, "接待人员已停止接待", "选择其他接待人员。"),
    ("95020", _A.ALERT, "接待人员或部门数量达到上限", "每个账号最多 2000 人、20 个部门。"),
    ("95021", _A.ALERT, "升级服务的对象未配置", "在 管理后台 → 微信客服 → 升级服务 中配置。"),
    ("95024 95025 95028 95029", _A.GIVE_UP, "消息不能撤回（超过 2 分钟、已撤回或不支持）", ""),
    ("95030", _A.GIVE_UP, "该消息类型被禁止", "改用文本发送。"),
    ("95031", _A.GIVE_UP, "客户 48 小时内没有咨询", "等待客户再次发言。"),
    ("95033", _A.OK, "msgid 已使用（已发送过）", ""),
    ("60251 60252", _A.BUG, "open_kfid 缺失或不合法", _OUR_BUG),
    ("60253", _A.BUG, "接待人员不在列表中", "在 管理后台 → 微信客服 → 接待人员 中核对。"),
    ("511020", _A.GIVE_UP, "知识库问题重复", ""),
    ("40201 40204", _A.GIVE_UP, "内容被反垃圾策略拦截", "修改措辞后重发。"),
    # 客户联系
    ("84061", _A.GIVE_UP, "不存在这样的客户关系", "系统会重新同步客户。"),
    ("84074", _A.ALERT, "应用或成员没有客户联系权限", "在 管理后台 → 客户与上下游 → 客户联系 → 权限配置 中加入。"),
    ("84083", _A.GIVE_UP, "不是服务成员", ""),
    ("84084", _A.GIVE_UP, "成员未添加此客户，或不在可见范围", "系统会重新同步客户。"),
    ("40205", _A.GIVE_UP, "成员的微信登录已过期", "请该成员重新登录企业微信。"),
    ("40068 40071 40072", _A.BUG, "标签 id、名称重复或长度有误", _OUR_BUG),
    ("40126 40144", _A.ALERT, "企业标签或客户标签数量达到上限", "在 管理后台 → 客户标签 中清理。"),
    ("40096", _A.GIVE_UP, "external_userid 不合法", ""),
    ("41041 41045 41091", _A.BUG, "联系我 / 入群方式的人数或群数超限", _OUR_BUG),
    ("41046 41047", _A.BUG, "群发 msgid 缺失或无效", _OUR_BUG),
    ("41048", _A.GIVE_UP, "群发没有有效客户", ""),
    ("41053", _A.GIVE_UP, "客户未同意会话存档，不能发送欢迎语", ""),
    ("41054", _A.ALERT, "成员未激活企业微信", "请该成员登录企业微信。"),
    ("41064 41065 41080", _A.BUG, "附件数量、类型或大小有误", _OUR_BUG),
    ("41050", _A.GIVE_UP, "欢迎语 code 不合法或已过期（20 秒）", ""),
    ("41051", _A.OK, "客户与成员已开始聊天，不再发送欢迎语", ""),
    ("41063", _A.WAIT, "群发任务仍在下发", "一分钟后自动再查。"),
    ("41093", _A.OK, "群发已取消", ""),
    ("41094", _A.GIVE_UP, "24 小时内最多提醒 3 次", ""),
    ("41096", _A.RETRY, "其他应用正在发送欢迎语", _RETRY_LATER),
    ("81017", _A.BUG, "请求数量超限", _OUR_BUG),
    ("90501 90509", _A.GIVE_UP, "不是客户群", ""),
    ("90500 90502 90504 90507 90508", _A.GIVE_UP, "客户群处于继承中，不能操作", ""),
    ("90510", _A.ALERT, "客户群一年内没有活跃成员", ""),
    ("90511", _A.GIVE_UP, "opengid 不存在", ""),
    # bots
    ("93000", _A.ALERT, "机器人 webhook 的 key 错误，或机器人已被移出群", "在群聊 → 群机器人 中重新添加并更新地址。"),
    ("93001", _A.ALERT, "该群不允许机器人推送", "由群主在群设置中允许。"),
    ("93004", _A.ALERT, "机器人已停用", "由创建者重新启用。"),
    ("93008", _A.ALERT, "机器人不在群中", "重新把机器人加入群聊。"),
    ("93017 93018", _A.BUG, "内容为空或图片过大", _OUR_BUG),
    ("93019", _A.ALERT, "机器人 id 不合法", "核对机器人配置。"),
    ("93050", _A.BUG, "response_type 不合法", _OUR_BUG),
    ("846601", _A.ALERT, "机器人不是长连接模式", "在机器人设置中改为长连接，或改用回调方式。"),
    ("846604-846606", _A.GIVE_UP, "req_id 已过期、错误或已回复过", ""),
    ("846607", _A.WAIT, "机器人调用达到频率或配额上限", "稍后自动重试。"),
    ("846608", _A.GIVE_UP, "流式回复超过 10 分钟", ""),
    ("846609", _A.RETRY, "长连接尚未订阅", "系统会重新订阅。"),
    ("846610-846613 846616 846625 846697", _A.BUG, "机器人上传或格式有误", _OUR_BUG),
    ("853000", _A.ALERT, "机器人 id 或 Secret 错误", "在机器人设置中核对后更新配置。"),
)  # fmt: skip

_WINDOW_CLOSED = frozenset({95001, 95002, 95013, 95031})
_WRONG_STATE = frozenset({95016, 95018})


def _expand(codes: str) -> Iterator[int]:
    for word in codes.split():
        first, dash, last = word.rpartition("-")
        if dash and first:
            yield from range(int(first), int(last) + 1)
        else:
            yield int(word)


ERROR_CODES: dict[int, ErrorCode] = {
    code: ErrorCode(code, action, meaning, advice)
    for codes, action, meaning, advice in _ROWS
    for code in _expand(codes)
}


def explain(code: int) -> ErrorCode:
    """The row of a code; an unknown one is a reason to look, not to retry."""
    unknown = ErrorCode(
        code, Action.GIVE_UP, f"未收录的错误码 {code}", "请查阅企业微信全局错误码。"
    )
    return ERROR_CODES.get(code, unknown)


def channel_error(code: int, errmsg: str = "", *, wait_s: float = 60) -> ChannelError:
    """The error to raise for a code. wait_s: how long a rate window is taken to last."""
    row = explain(code)
    reason = f"{code} {row.meaning} ({errmsg})" if errmsg else f"{code} {row.meaning}"
    vendor_code = str(code)
    if code in _WINDOW_CLOSED:
        return WindowClosed(reason, vendor_code=vendor_code)
    if code in _WRONG_STATE:
        return WrongState(reason, vendor_code=vendor_code)
    match row.action:
        case Action.RETRY | Action.REFRESH:
            return RetryLater(reason, vendor_code=vendor_code, retry_after_s=1)
        case Action.WAIT:
            return RetryLater(reason, vendor_code=vendor_code, retry_after_s=wait_s)
        case Action.ALERT:
            return BadCredentials(reason, vendor_code=vendor_code)
        case Action.OK | Action.GIVE_UP | Action.BUG:
            return Rejected(reason, vendor_code=vendor_code)
