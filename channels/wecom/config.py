"""What WeCom needs to be told: one company, up to four sets of credentials."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

DEFAULT_API_BASE = "https://qyapi.weixin.qq.com"


class CallbackSettings(BaseModel):
    """How a callback URL is signed and encrypted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(SecretStr(""), title="Token", description="接收消息的 Token")
    aes_key: SecretStr = Field(
        SecretStr(""), title="EncodingAESKey", description="43 位字母与数字"
    )

    @property
    def has_callback(self) -> bool:
        return bool(self.token.get_secret_value() and self.aes_key.get_secret_value())


class SecretSettings(CallbackSettings):
    """An application's secret and its callback."""

    secret: SecretStr = Field(SecretStr(""), title="Secret", description="应用 Secret")


class AppSettings(SecretSettings):
    agent_id: int = Field(0, title="AgentId", description="自建应用的 AgentId", ge=0)


class WeComSettings(BaseModel):
    """Section `wecom`.

    Values of `kf` that are unset are those of `app`: one self-built app may do both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_base: str = Field(DEFAULT_API_BASE, description="API 地址；沙箱或代理时才需修改")
    corp_id: str = Field("", title="企业 ID", description="管理后台 → 我的企业 → 企业信息")
    kf: SecretSettings = Field(default_factory=SecretSettings, title="微信客服")
    app: AppSettings = Field(default_factory=AppSettings, title="自建应用")
    contact: SecretSettings = Field(default_factory=SecretSettings, title="客户联系")
    bot: CallbackSettings = Field(default_factory=CallbackSettings, title="智能机器人")
    poll_interval_s: float = Field(60, gt=0, description="没有回调时，隔多少秒主动拉取一次消息")
    accounts_interval_s: float = Field(600, gt=0, description="隔多少秒重新读取客服账号列表")
    rate_limit_wait_s: float = Field(60, gt=0, description="频率限制（45009）时最多等几秒")
    can_recall: bool = Field(False, description="启用撤回：企业微信版是否支持以实际为准")

    @property
    def kf_effective(self) -> SecretSettings:
        """The credentials of 微信客服, with those of the app where it has none of its own."""
        own, app = self.kf, self.app
        return SecretSettings(
            secret=own.secret if own.secret.get_secret_value() else app.secret,
            token=own.token if own.token.get_secret_value() else app.token,
            aes_key=own.aes_key if own.aes_key.get_secret_value() else app.aes_key,
        )

    @property
    def has_kf(self) -> bool:
        return bool(self.corp_id and self.kf_effective.secret.get_secret_value())

    @property
    def has_app(self) -> bool:
        return bool(self.corp_id and self.app.agent_id and self.app.secret.get_secret_value())

    @property
    def has_app_callback(self) -> bool:
        return self.has_app and self.app.has_callback

    @property
    def api_root(self) -> str:
        """Where paths such as `kf/send_msg` begin, with a slash at the end."""
        base = self.api_base.rstrip("/").removesuffix("/cgi-bin")
        return f"{base}/cgi-bin/"
