"""What a file really is: judged by its bytes, then held against its name. Pure."""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import filetype
from charset_normalizer import from_bytes
from PIL import Image, UnidentifiedImageError

from core.attachments.formats import ALIASES, BY_EXTENSION, BY_MIME, DANGEROUS, Format, Kind
from core.errors import Invalid
from core.settings.sections import Uploads

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP: Final = (b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml", b"<head", b"<body")
_MAX_UNZIPPED: Final = 1 << 30
_MAX_RATIO: Final = 200
_MAX_ENTRIES: Final = 20_000
_MAX_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Judged:
    """A file that may be kept. name: clean, with an extension that tells the truth."""

    kind: Kind
    mime: str
    name: str


def judge(data: bytes, name: str, limits: Uploads) -> Judged:
    """Decide whether a file may be kept.

    Raises: Invalid `file_empty`, `file_type_refused`, `file_too_large`, `file_broken`,
    `file_bomb`, `file_name_mismatch`.
    """
    if not data:
        raise Invalid("file_empty")
    found = _format(data)
    if found is None:
        raise Invalid("file_type_refused")
    most: int = getattr(limits, f"{found.kind}_max_bytes")
    if len(data) > most:
        raise Invalid("file_too_large", size=len(data), most=most, kind=found.kind)
    named, true_name = _reconcile(clean_name(name), found)
    if named.kind == "image":
        _check_image(data, limits.image_max_pixels)
    if named.family == "zip":
        _check_zip(data)
    return Judged(named.kind, named.mime, true_name)


def clean_name(name: str) -> str:
    """The last path part, without control, direction and markup characters, 100 at most."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    text = text.replace("\\", "/").rsplit("/", 1)[-1]
    kept = (
        char for char in text if char not in '<>:"|?*' and unicodedata.category(char)[0] != "C"
    )
    path = PurePosixPath("".join(kept).strip(" .") or "file")
    suffix = path.suffix[:12]
    return path.stem[: _MAX_NAME - len(suffix)] + suffix


def _format(data: bytes) -> Format | None:
    guessed = filetype.guess_mime(data[:16384])
    if guessed is not None:
        return BY_MIME.get(ALIASES.get(guessed, guessed))
    if data.startswith(_OLE):
        return BY_MIME["application/x-ole-storage"]
    return BY_MIME["text/plain"] if _is_text(data) else None


def _is_text(data: bytes) -> bool:
    """Plain text in UTF-8 or a Chinese code page, and not the start of a web page."""
    if b"\x00" in data or data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return from_bytes(data[:65536], cp_isolation=["gb18030", "big5"]).best() is not None
    return True


#: What Pillow says of pictures that are broken, and of those that claim to be enormous.
BROKEN_PICTURE: Final = (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error)
_ENORMOUS: Final = (Image.DecompressionBombWarning, Image.DecompressionBombError)


def _check_image(data: bytes, most: int) -> None:
    """Only the structure is read; nothing is decoded."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > most:
                raise Invalid("file_bomb", pixels=picture.width * picture.height, most=most)
            picture.verify()
    except _ENORMOUS as error:
        raise Invalid("file_bomb", most=most) from error
    except BROKEN_PICTURE as error:
        raise Invalid("file_broken") from error


def _check_zip(data: bytes) -> None:
    """Only the directory is read; nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Invalid("file_broken") from error
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or unpacked > min(_MAX_UNZIPPED, _MAX_RATIO * len(data)):
        raise Invalid("file_bomb", unpacked=unpacked)


def _reconcile(name: str, found: Format) -> tuple[Format, str]:
    """Bytes and name together. Another family's extension is refused, a missing one is added."""
    path = PurePosixPath(name)
    extension = path.suffix.lstrip(".").lower()
    if extension in DANGEROUS:
        raise Invalid("file_type_refused", extension=extension)
    claimed = BY_EXTENSION.get(extension)
    if claimed is None:
        is_own_kind_of_text = found.family == "text" and extension
        return found, name if is_own_kind_of_text else f"{name}.{found.extensions[0]}"
    if claimed.family != found.family:
        raise Invalid("file_name_mismatch", extension=extension, mime=found.mime)
    if found.kind == "file":
        return claimed, name
    return found, name if extension in found.extensions else f"{path.stem}.{found.extensions[0]}"
