"""This package's section of the configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

STATIC = Path(__file__).parent / "static"


class ApiConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    is_demo: bool = Field(False, description="Serve the phone page and say so in /system")
    public_url: str = Field("", description="How browsers reach us, without a slash at the end")
    static_dir: Path = Field(STATIC, description="The built console")
    trusted_proxies: frozenset[str] = Field(
        frozenset(), description="Addresses whose X-Forwarded-For is believed"
    )
    json_max_bytes: int = Field(1024 * 1024, ge=1024)
    upload_max_bytes: int = Field(210 * 1024 * 1024, ge=1024)
    requests_per_minute: int = Field(1200, ge=1, description="per user, or per address")
    logins_per_minute: int = Field(120, ge=1, description="per address")
    logins_per_name: int = Field(60, ge=1, description="per user name, in five minutes")
    ticket_s: int = Field(60, ge=5, le=600, description="life of a signed download link")
