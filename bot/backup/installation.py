"""Backing up what the configuration names: database, attachments, secret."""

from __future__ import annotations

from pathlib import Path

from bot.backup import Manifest, backup, restore
from bot.config import Settings
from bot.secrets import KEPT_SECRET, key_ring, secrets_of
from bot.storage import open_blobs
from core.clock import SystemClock


async def save(settings: Settings, path: Path, *, with_secrets: bool) -> Manifest:
    """Raises: BackupError, OSError."""
    secrets = secrets_of(settings)
    keys = key_ring(settings).key_ids if secrets else ()
    secret = ",".join(secrets) if with_secrets else ""
    async with open_blobs(settings, SystemClock()) as blobs:
        return await backup(settings.database, blobs, path, keys=keys, secret=secret)


async def put_back(
    settings: Settings, path: Path, *, is_forced: bool
) -> tuple[Manifest, list[str]]:
    """The manifest, and what the administrator should know. Raises: BackupError, OSError."""
    if settings.database.startswith("sqlite:///"):
        Path(settings.database.removeprefix("sqlite:///")).parent.mkdir(
            parents=True, exist_ok=True
        )
    async with open_blobs(settings, SystemClock()) as blobs:
        done = await restore(settings.database, blobs, path, is_forced=is_forced)
    remarks = _keep_secret(settings, done.secret)
    if lost := done.manifest.missing_attachments:
        remarks.append(f"备份时已有 {lost} 个附件的文件找不到。")
    known = key_ring(settings).key_ids if secrets_of(settings) else ()
    if not set(done.manifest.keys) <= set(known):
        remarks.append(
            "备份时的系统密钥不在当前配置里：加密字段还原不了。"
            "请把原来的密钥加到 WENQU_SECRET_KEY（逗号分隔，放在后面即可）。"
        )
    return done.manifest, remarks


def _keep_secret(settings: Settings, secret: str) -> list[str]:
    """Write a restored secret where there is none; never over another."""
    if not secret or secrets_of(settings):
        return []
    path = settings.data_dir / KEPT_SECRET
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret, encoding="ascii")
    return [f"系统密钥已写入 {path}。"]
