"""Which model makes the vectors, and which (if any) helps with drafts: parsed once, by section."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from core.db import UnitOfWork
from knowledge import optimised
from knowledge.embedder import Embedder
from knowledge.encoders import (
    Encoder,
    EncoderError,
    EndpointEncoder,
    PostJson,
    bundled,
    sentence_transformers,
)
from knowledge.vector_store import DatabaseVectors


class EmbedderSettings(BaseModel):
    """`WENQU_EMBEDDER__…`. openai: any OpenAI-compatible `/embeddings` endpoint below `url`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["bundled", "sentence-transformers", "openai"] = "bundled"
    model: str = Field("", description="模型目录、模型名或端点的模型名")
    url: str = Field("", description="OpenAI 兼容端点的地址，到 /v1 为止")
    api_key: SecretStr | None = None
    wait_s: float = Field(3.0, gt=0, le=60, description="等待一个问题的向量的最长时间")


class LlmSettings(BaseModel):
    """`WENQU_LLM__…`: an OpenAI-compatible model for drafting help. Off while `url` is empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field("", description="OpenAI 兼容端点的地址，到 /v1 为止")
    model: str = ""
    api_key: SecretStr | None = None

    @property
    def is_on(self) -> bool:
        return bool(self.url and self.model)


def make_encoder(
    settings: EmbedderSettings, post: PostJson | None = None, models: Path | None = None
) -> Encoder:
    """The encoder that the settings name; `post` is needed for the kind `openai`.

    models: the folder where `wenqu faq optimise` leaves the faster form of the bundled model.

    Raises: EncoderError for settings that name none.
    """
    if settings.kind == "bundled":
        file = models / optimised.FILE_NAME if models is not None else None
        if file is not None and file.exists() and optimised.is_available():
            return optimised.optimised(file)
        return bundled()
    if not settings.model:
        raise EncoderError("EMBEDDER__MODEL is not set")
    if settings.kind == "sentence-transformers":
        return sentence_transformers(settings.model)
    if post is None or not settings.url:
        raise EncoderError("EMBEDDER__URL is not set")
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return EndpointEncoder(post, settings.url, settings.model, key)


def make_embedder(
    settings: EmbedderSettings,
    uow: UnitOfWork,
    post: PostJson | None = None,
    models: Path | None = None,
) -> Embedder:
    """The encoder with its memory and its store in the database."""
    encoder = make_encoder(settings, post, models)
    return Embedder(encoder, store=DatabaseVectors(uow), wait_s=settings.wait_s)
