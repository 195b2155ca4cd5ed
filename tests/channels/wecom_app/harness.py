"""A self-built app behind the contract."""

from dataclasses import dataclass

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from channels.testing import MemoryServices
from channels.wecom.config import WeComSettings
from channels.wecom.crypto import CallbackCrypto
from channels.wecom_app.adapter import WeComApp
from core.content import Address
from tests.channels.fake_wecom import FakeWeCom

_MESSAGE = """<xml><ToUserName><![CDATA[ww1]]></ToUserName>
<FromUserName><![CDATA[zhangsan]]></FromUserName><CreateTime>1767229200</CreateTime>
<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>
<MsgId>{number}</MsgId><AgentID>1000002</AgentID></xml>"""


@dataclass
class AppHarness:
    wecom: FakeWeCom
    settings: WeComSettings
    memory: MemoryServices
    number: int = 0

    def __post_init__(self) -> None:
        self.channel = WeComApp(self.settings, self.memory.services)
        self.address = Address("wecom_app", "1000002", "zhangsan")
        self.wecom.defaults["message/send"] = {"errcode": 0, "errmsg": "ok", "msgid": "MSGID"}

    async def someone_says(self, text: str) -> None:
        self.number += 1
        await self.post(_MESSAGE.format(text=text, number=self.number))

    async def post(self, document: str) -> int:
        """Call back as WeCom does."""
        app = self.settings.app
        crypto = CallbackCrypto(
            app.token.get_secret_value(), app.aes_key.get_secret_value(), self.settings.corp_id
        )
        self.number += 1
        packet = crypto.encrypt(document, timestamp=1767229200, nonce=str(self.number))
        query = {
            "msg_signature": packet.signature,
            "timestamp": packet.timestamp,
            "nonce": packet.nonce,
        }
        web_app = web.Application()
        web_app.add_routes(self.channel.routes())
        async with TestServer(web_app) as server, ClientSession() as session:
            url = server.make_url("/callback/wecom/app")
            async with session.post(url, params=query, data=packet.xml.encode()) as answer:
                return answer.status

    def shown(self) -> list[str]:
        return [body["text"]["content"] for body in self.wecom.bodies("message/send")]

    def cut_the_line(self) -> bool:
        self.wecom.defaults["message/send"] = {"errcode": 6000, "errmsg": "conflict"}
        return True
