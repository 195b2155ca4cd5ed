from collections.abc import AsyncIterator

import pytest

from channels.http import HttpClient
from channels.testing import MemoryServices
from channels.wecom.client import WeComClient
from channels.wecom.config import WeComSettings
from channels.wecom.tokens import AccessTokens, Application
from channels.wecom_kf.adapter import WeComKf
from tests.channels.fake_wecom import FakeWeCom
from tests.channels.telegram.harness import FakeBotApi

AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


@pytest.fixture
async def wecom() -> AsyncIterator[FakeWeCom]:
    """A fake WeCom that listens; `wecom.url` is its address."""
    fake = FakeWeCom()
    server = fake.server()
    await server.start_server()
    fake.url = str(server.make_url("")).rstrip("/")
    yield fake
    await server.close()


@pytest.fixture
def memory() -> MemoryServices:
    return MemoryServices()


@pytest.fixture
def wecom_settings(wecom: FakeWeCom) -> WeComSettings:
    return WeComSettings.model_validate(
        {
            "api_base": wecom.url,
            "corp_id": "ww1a2b3c4d5e6f7890",
            "app": {
                "agent_id": 1000002,
                "secret": "app-secret",
                "token": "QDG6eK",
                "aes_key": AES_KEY,
            },
            "can_recall": True,
        }
    )


@pytest.fixture
async def client(
    wecom: FakeWeCom, memory: MemoryServices, wecom_settings: WeComSettings
) -> AsyncIterator[WeComClient]:
    """A client that does not wait when WeCom is busy."""
    http = HttpClient()
    root = wecom_settings.api_root
    application = Application(root, wecom_settings.corp_id, "app-secret")
    tokens = AccessTokens(http, application, cache=memory.cache, lock=memory.lock)
    yield WeComClient(http, tokens, api_root=root, busy_delays_s=(0, 0, 0))
    await http.close()


@pytest.fixture
async def kf(wecom_settings: WeComSettings, memory: MemoryServices) -> AsyncIterator[WeComKf]:
    channel = WeComKf(wecom_settings, memory.services)
    yield channel
    await channel.close()


@pytest.fixture
async def bot_api() -> AsyncIterator[FakeBotApi]:
    """A fake Telegram Bot API that listens."""
    fake = FakeBotApi()
    server = fake.server()
    await server.start_server()
    fake.url = str(server.make_url("")).rstrip("/")
    yield fake
    await server.close()
