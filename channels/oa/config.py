"""Where the OA tells its changes."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class OaSettings(BaseModel):
    """url empty: nothing is fetched; the OA may push all the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field("", description="OA 提供变更的地址；留空则不定时拉取")
    key: SecretStr = Field(SecretStr(""), description="调用该地址的密钥，放在 Authorization 里")

    @model_validator(mode="after")
    def _is_address(self) -> Self:
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url 须以 http:// 或 https:// 开头")
        return self
