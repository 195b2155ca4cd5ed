"""One file per noun; all their endpoints, in the order of this list."""

from __future__ import annotations

from typing import Final

from admin_api.endpoint import Endpoint
from admin_api.routes import (
    accounts,
    article_files,
    articles,
    attachments,
    audit,
    auth,
    calendars,
    categories,
    conclusions,
    customer_files,
    customers,
    dead_letters,
    doctor,
    drafting,
    h5,
    institutions,
    knowledge,
    learning,
    registrations,
    replies,
    reviews,
    segments,
    servicers,
    sessions,
    settings,
    system,
    teams,
    ticket_entries,
    ticket_settings,
    tickets,
    users,
    vpn_profiles,
)

_MODULES: Final = (
    auth,
    users,
    vpn_profiles,
    servicers,
    accounts,
    sessions,
    conclusions,
    customers,
    attachments,
    articles,
    knowledge,
    learning,
    drafting,
    article_files,
    categories,
    replies,
    settings,
    audit,
    system,
    dead_letters,
    doctor,
    calendars,
    teams,
    tickets,
    ticket_entries,
    ticket_settings,
    institutions,
    customer_files,
    segments,
    reviews,
    registrations,
    h5,
)
ENDPOINTS: Final[tuple[Endpoint, ...]] = tuple(
    item for module in _MODULES for item in vars(module).values() if isinstance(item, Endpoint)
)
