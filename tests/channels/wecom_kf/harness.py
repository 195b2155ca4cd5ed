"""微信客服 behind the contract: a fake WeCom that keeps what it was given."""

from dataclasses import dataclass, field

from channels.testing import MemoryServices
from channels.wecom.config import WeComSettings
from channels.wecom_kf.adapter import WeComKf
from core.content import Address
from tests.channels.fake_wecom import FakeWeCom, Json

ACCOUNT, CUSTOMER = "wkDEMO1", "wmDEMO1"


@dataclass
class KfHarness:
    wecom: FakeWeCom
    settings: WeComSettings
    memory: MemoryServices
    said: list[Json] = field(default_factory=list)
    sent: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.channel = WeComKf(self.settings, self.memory.services)
        self.address = Address("wecom_kf", ACCOUNT, CUSTOMER)
        self.wecom.defaults |= {"kf/sync_msg": self._sync, "kf/send_msg": self._send}

    async def someone_says(self, text: str) -> None:
        self.said.append(
            {
                "msgid": f"in{len(self.said)}",
                "open_kfid": ACCOUNT,
                "external_userid": CUSTOMER,
                "send_time": 1767229200,
                "origin": 3,
                "msgtype": "text",
                "text": {"content": text},
            }
        )
        await self.channel.pull(ACCOUNT)

    def shown(self) -> list[str]:
        return [body["text"]["content"] for body in self.sent.values()]

    def cut_the_line(self) -> bool:
        self.wecom.defaults["kf/send_msg"] = {"errcode": 6000, "errmsg": "conflict"}
        return True

    def _sync(self, body: Json) -> Json:
        start = int(body.get("cursor", "0"))
        rows = self.said[start:]
        return {"errcode": 0, "next_cursor": str(len(self.said)), "has_more": 0, "msg_list": rows}

    def _send(self, body: Json) -> Json:
        if body["msgid"] in self.sent:
            return {"errcode": 95033, "errmsg": "duplicate msgid"}
        self.sent[body["msgid"]] = body
        return {"errcode": 0, "errmsg": "ok", "msgid": body["msgid"]}
