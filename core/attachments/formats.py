"""The kinds of file that may be kept, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["image", "voice", "video", "file"]

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True, slots=True)
class Format:
    """family: formats whose bytes look alike; within one, the extension decides."""

    mime: str
    kind: Kind
    family: str
    extensions: tuple[str, ...]


FORMATS: Final = (
    Format("image/jpeg", "image", "image", ("jpg", "jpeg", "jfif")),
    Format("image/png", "image", "image", ("png",)),
    Format("image/gif", "image", "image", ("gif",)),
    Format("image/webp", "image", "image", ("webp",)),
    Format("image/bmp", "image", "image", ("bmp",)),
    Format("audio/amr", "voice", "voice", ("amr",)),
    Format("audio/mpeg", "voice", "voice", ("mp3",)),
    Format("audio/x-wav", "voice", "voice", ("wav",)),
    Format("audio/ogg", "voice", "voice", ("ogg", "oga", "opus")),
    Format("audio/aac", "voice", "voice", ("aac",)),
    Format("audio/mp4", "voice", "voice", ("m4a",)),
    Format("video/mp4", "video", "video", ("mp4", "m4v")),
    Format("video/quicktime", "video", "video", ("mov",)),
    Format("video/webm", "video", "video", ("webm",)),
    Format("video/x-msvideo", "video", "video", ("avi",)),
    Format("application/pdf", "file", "pdf", ("pdf",)),
    Format("application/x-rar-compressed", "file", "rar", ("rar",)),
    Format("application/x-7z-compressed", "file", "7z", ("7z",)),
    Format("application/gzip", "file", "gzip", ("gz", "tgz")),
    Format("application/zip", "file", "zip", ("zip", "ofd")),
    Format(f"{_OFFICE}wordprocessingml.document", "file", "zip", ("docx",)),
    Format(f"{_OFFICE}spreadsheetml.sheet", "file", "zip", ("xlsx",)),
    Format(f"{_OFFICE}presentationml.presentation", "file", "zip", ("pptx",)),
    Format("application/x-ole-storage", "file", "ole", ("wps", "et", "dps", "msg")),
    Format("application/msword", "file", "ole", ("doc",)),
    Format("application/vnd.ms-excel", "file", "ole", ("xls",)),
    Format("application/vnd.ms-powerpoint", "file", "ole", ("ppt",)),
    Format("text/plain", "file", "text", ("txt", "csv", "log", "md", "json", "ini", "sql")),
)
BY_MIME: Final = {item.mime: item for item in FORMATS}
BY_EXTENSION: Final = {extension: item for item in FORMATS for extension in item.extensions}

#: What detection may say instead of the name used above.
ALIASES: Final = {
    "audio/wav": "audio/x-wav",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "video/x-m4v": "video/mp4",
    "image/x-ms-bmp": "image/bmp",
}

_DANGEROUS: Final = """
ade apk app appx bat chm class cmd com cpl dll dmg docm exe gadget hta htm html iso jar js jse lnk
mht mhtml mjs msc msi msp php pif potm ppam pptm ps1 py reg scf scr sh svg svgz swf sys vb vbe vbs
wsc wsf wsh xhtml xht xlam xlsm xltm xml xsl
"""
#: Extensions that a double click, or a browser, would run; refused whatever the bytes are.
DANGEROUS: Final = frozenset(_DANGEROUS.split())
