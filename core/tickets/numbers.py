"""Numbers that people can say on the phone: GD20260301-0042."""

from __future__ import annotations

import re

from core.clock import LOCAL_ZONE
from core.db import Tx
from core.tickets.models import TicketCounterRow

_SPOKEN = re.compile(r"^(?:GD)?(\d{8})-?(\d{1,6})$", re.IGNORECASE)


async def next_number(tx: Tx) -> str:
    """The next number of the local day. A rolled-back transaction leaves no gap behind."""
    day = tx.now.astimezone(LOCAL_ZONE).strftime("%Y%m%d")
    insert = tx.upsert(TicketCounterRow).values(day=day, last=1)
    count = await tx.db.scalar(
        insert.on_conflict_do_update(
            index_elements=["day"], set_={"last": TicketCounterRow.last + 1}
        ).returning(TicketCounterRow.last)
    )
    return f"GD{day}-{count:04d}"


def normal_number(text: str) -> str | None:
    """What a person typed or said, as we store it; None when it is no ticket number."""
    found = _SPOKEN.match(text.strip().replace(" ", "").replace("－", "-"))
    return f"GD{found[1]}-{int(found[2]):04d}" if found else None
