"""What a Telegram bot needs to be told. Apart, because the library is an extra."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class TelegramSettings(BaseModel):
    """Section `telegram`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(SecretStr(""), title="Bot token", description="由 @BotFather 发放")
    api_base: str = Field("https://api.telegram.org", description="API 地址")
    poll_s: int = Field(25, ge=0, le=50, description="一次长轮询等待的秒数")

    @property
    def is_configured(self) -> bool:
        return bool(self.token.get_secret_value())
