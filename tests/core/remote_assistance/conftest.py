from __future__ import annotations

from tests.core.tickets.conftest import house

__all__ = ["house"]
