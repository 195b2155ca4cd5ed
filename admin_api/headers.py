"""Headers that keep browsers safe, on every answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

_PAGE_CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Element Plus places its popups by style attributes
        "img-src 'self' data: blob: https:",  # customers' avatars live at the platform
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_DATA_CSP: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_YEAR: Final = "max-age=31536000; includeSubDomains"


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`. A page gets a strict policy, data gets a sandbox."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if response.status == HTTPStatus.NOT_MODIFIED:
        return  # what the browser has stored keeps the policy that it came with
    is_page = response.content_type == "text/html"
    response.headers.setdefault("Content-Security-Policy", _PAGE_CSP if is_page else _DATA_CSP)
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN" if is_page else "DENY")
    if request.secure or request.headers.get("X-Forwarded-Proto") == "https":
        response.headers.setdefault("Strict-Transport-Security", _YEAR)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
