"""Settings of whoever sends short messages."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class SmsSettings(BaseModel):
    """console: codes appear in our own log; for development only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["off", "console", "tencent"] = Field(
        "off", description="off：不发短信；tencent：腾讯云短信；console：写进日志，仅供开发"
    )
    secret_id: str = Field("", description="腾讯云访问管理的 SecretId")
    secret_key: SecretStr = Field(SecretStr(""), description="腾讯云访问管理的 SecretKey")
    app_id: str = Field("", description="短信控制台的 SdkAppId，如 1400006666")
    sign_name: str = Field("", description="审核通过的短信签名")
    template_id: str = Field("", description="审核通过的正文模板编号")
    template_has_minutes: bool = Field(
        True, description="模板有两个变量：{1} 验证码、{2} 有效分钟数；关闭则只有 {1}"
    )
    region: str = "ap-guangzhou"
    api_base: str = "https://sms.tencentcloudapi.com"

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        wanted = ("secret_id", "app_id", "sign_name", "template_id")
        missing = [name for name in wanted if not getattr(self, name)]
        missing += [] if self.secret_key.get_secret_value() else ["secret_key"]
        if self.kind == "tencent" and missing:
            raise ValueError(f"tencent 还需要设置 {'、'.join(missing)}")
        return self
