"""Words that turn a question into another one: direction, state, negation, what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, TypeVar

#: Pairs that exclude each other. A text that has one side and not the other contradicts a text
#: that has only the other side.
OPPOSITES: tuple[tuple[str, str], ...] = (
    ("迁入|转入|转来|调入|迁过来|转过来", "迁出|转出|调出|迁走|转走"),
    ("入库|到货|验收", "出库"),
    ("导入|导进", "导出|导下来|下载"),
    ("上传|上报", "下载|撤回|撤销"),
    ("登录|登陆", "退出|注销"),
    ("打开|开通|开启|启用|激活|开户", "关闭|关掉|停用|注销|取消|禁用|销户"),
    ("增加|新增|添加|提高|提升|上调", "减少|降低|删除|下调"),
    ("绑定", "解绑|解除绑定|取消绑定"),
    ("锁定|冻结", "解锁|解冻"),
    ("连上|已连接|连好|能连", "连不上|连接失败|连不了"),
    ("买|购买|入手", "卖|出售|转让"),
    ("借款|贷款|借钱|借", "还款|还钱|还"),
    ("收款|收钱|到账", "付款|转出|支付"),
    ("存|充值|转入", "取|提现|转出"),
    ("提前", "推迟|延期|延后|晚点"),
    ("男", "女"),
    ("大人|成人|成年", "儿童|小孩|宝宝|孩子|婴儿"),
    ("饭前", "饭后"),
    ("之前|以前", "之后|以后"),
    ("上面|上方", "下面|下方"),
    ("左", "右"),
    ("最大|最高|最多", "最小|最低|最少"),
    ("电子", "纸质"),
    ("安卓|android", "苹果|iphone|ios"),
    ("初次|首次|第一次", "再次|第二次"),
    ("申请|新办|办理", "补办|挂失|丢失|丢了"),
)
#: What a question asks for.
ASKS: tuple[tuple[str, str], ...] = (
    ("how", "怎么办|怎么|怎样|如何|咋|怎麼|方法|步骤|流程|操作"),
    ("why", "为什么|为啥|为何|什么原因|怎么回事|咋回事|原因"),
    ("when", "什么时候|几点|多久|多长时间|啥时候|何时|几天|哪天|时间|几号|几时"),
    ("where", "哪里|哪儿|在哪|那里|哪个地方|什么地方|入口|位置"),
    ("who", "谁|哪个人|什么人|哪位"),
    ("amount", "多少|几个|几次|多大|多高|多重|额度|价格|费用|收费|多钱"),
    ("what", "是什么|什么是|什么意思|定义|含义|啥意思|指什么"),
    ("whether", "吗|是否|能不能|可不可以|可以不|是不是|会不会|有没有|要不要|能否|可否|行不行"),
    ("which", "哪个|哪些|哪种|哪款|推荐|什么样|有什么|有哪些"),
    ("cause", "引起|导致|造成|病因"),
    ("symptom", "症状|表现|特征|征兆"),
    ("food", "吃什么|饮食|食物|食疗"),
    ("drug", "药|胶囊|颗粒|片"),
    ("severity", "严重|危险|要紧|能治好|根治|寿命|后果|危害"),
    ("difference", "区别|不同|差别|差异|不一样"),
    ("meaning", "意思|含义|寓意|代表"),
    ("download", "下载|安装包"),
    ("reset", "忘记|忘了|找回|重置"),
)
_NEGATION = re.compile(
    r"不(?!好意思|知道|仅|过|同|管|良|论)|没(?!事)|无法|无(?=效|声|反|响|权|网)|未|别|失败|拒绝|禁止|错误|异常|丢"
)
_ASK_FORMS = re.compile(
    r"是不是|能不能|可不可以|会不会|有没有|要不要|行不行|好不好|需不需要|用不用|在不在|对不对"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?|[一二三四五六七八九十两]+(?=[个次天年月岁周号点针级类])")
_LATIN = re.compile(r"[a-z]{2,}[a-z0-9]*")


Tag = TypeVar("Tag")


class _Words(Generic[Tag]):
    """Words with their tags, found in one pass, the longest first."""

    def __init__(self, tagged: Iterable[tuple[str, Tag]]) -> None:
        self._tags: dict[str, frozenset[Tag]] = {}
        for words, tag in tagged:
            for word in words.split("|"):
                self._tags[word] = self._tags.get(word, frozenset()) | {tag}
        longest_first = sorted(self._tags, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def tags(self, text: str) -> frozenset[Tag]:
        return frozenset().union(*(self._tags[word] for word in self._pattern.findall(text)))


_SIDES = _Words(
    (words, (pair, side)) for pair, both in enumerate(OPPOSITES) for side, words in enumerate(both)
)
_ASKS = _Words((words, name) for name, words in ASKS)


@lru_cache(maxsize=20_000)
def sides(text: str) -> frozenset[tuple[int, int]]:
    """(pair, side) for each opposite of which the folded text has exactly one side."""
    found = _SIDES.tags(text)
    return frozenset((pair, side) for pair, side in found if (pair, 1 - side) not in found)


def contradictions(one: str, other: str) -> int:
    """How many opposites the two texts stand on different sides of."""
    theirs = sides(other)
    return sum((pair, 1 - side) in theirs for pair, side in sides(one))


@lru_cache(maxsize=20_000)
def asks(text: str) -> frozenset[str]:
    return _ASKS.tags(text)


@lru_cache(maxsize=20_000)
def is_negative(text: str) -> bool:
    return _NEGATION.search(_ASK_FORMS.sub("", text)) is not None


@lru_cache(maxsize=20_000)
def numbers(text: str) -> frozenset[str]:
    return frozenset(_NUMBER.findall(text))


@lru_cache(maxsize=20_000)
def latin(text: str) -> frozenset[str]:
    return frozenset(_LATIN.findall(text))
