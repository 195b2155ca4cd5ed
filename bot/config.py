"""Settings: the section that each package declares, from file, environment and arguments.

Defaults < wenqu.toml < .env < environment (`WENQU_`, nested with `__`) < arguments. A variable
`WENQU_…_FILE` names a file that holds the value, for secrets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from channels.oa.config import OaSettings
from channels.registry import ChannelSettings
from channels.sms.config import SmsSettings
from channels.telegram.config import TelegramSettings
from channels.terminal.adapter import TerminalSettings
from channels.wecom.config import WeComSettings
from knowledge.config import EmbedderSettings, LlmSettings

PREFIX: Final = "WENQU_"
_FILE: Final = "_FILE"


class HttpSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: str = Field("", description="浏览器与企业微信访问本系统的地址")
    trusted_proxies: frozenset[str] = frozenset()


class LogSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    level: str = "INFO"
    is_json: bool = Field(False, description="生产环境使用 JSON 日志")


class StorageSettings(BaseModel):
    """Where attachments rest. s3: any S3-compatible store (OSS, COS, MinIO, AWS)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["local", "s3"] = Field("local", description="local：DATA_DIR/attachments")
    endpoint: str = Field("", description="对象存储的地址，如 https://s3.example.com")
    bucket: str = ""
    key: str = Field("", description="访问密钥的编号")
    secret: SecretStr = SecretStr("")
    region: str = "us-east-1"
    prefix: str = Field("", description="对象名的前缀，如 wenqu/")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        wanted = (self.endpoint, self.bucket, self.key, self.secret.get_secret_value())
        if self.kind == "s3" and not all(wanted):
            raise ValueError("s3 需要同时设置 endpoint、bucket、key 与 secret")
        return self


class Settings(BaseSettings):
    """Parsed once, frozen, handed to constructors by section."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        toml_file="wenqu.toml",
        frozen=True,
        extra="ignore",
    )

    data_dir: Path = Path("var")
    database_url: str = Field("", description="留空：DATA_DIR 下的 SQLite 文件")
    redis_url: str = Field("", description="多进程部署时必填")
    secret_key: SecretStr = Field(SecretStr(""), description="逗号分隔，第一个为当前密钥")
    admin_password: SecretStr = SecretStr("")
    stop_within_s: float = Field(4.5, gt=0, le=600, description="停止时等待手头工作的最长时间")
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    storage: StorageSettings = StorageSettings()
    wecom: WeComSettings = WeComSettings()
    telegram: TelegramSettings = TelegramSettings()
    terminal: TerminalSettings = TerminalSettings()
    sms: SmsSettings = SmsSettings()
    oa: OaSettings = OaSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    llm: LlmSettings = LlmSettings()

    @property
    def database(self) -> str:
        """The database's URL; a file in the data directory where none is set."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'wenqu.db').absolute()}"

    @property
    def channels(self) -> ChannelSettings:
        """The sections of all channels."""
        return ChannelSettings(wecom=self.wecom, telegram=self.telegram, terminal=self.terminal)

    @property
    def public_url(self) -> str:
        """How others reach us, without a slash at the end."""
        return self.http.public_url.rstrip("/") or f"http://{self.http.host}:{self.http.port}"

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml


def load(**arguments: object) -> Settings:
    """Read the configuration. Raises: pydantic.ValidationError, OSError for a named file."""
    for name, path in list(os.environ.items()):
        if name.startswith(PREFIX) and name.endswith(_FILE):
            value = Path(path).read_text(encoding="utf-8").strip()
            os.environ.setdefault(name.removesuffix(_FILE), value)
    return Settings(**arguments)  # type: ignore[arg-type]  # validated by pydantic
