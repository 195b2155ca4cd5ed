"""Imports every table once, so that metadata is complete for migrations and tests."""

from __future__ import annotations

from core import event_log, idempotency, inbox, lanes, outbox
from core.accounts import models as accounts
from core.api_keys import models as api_keys
from core.attachments import models as attachments
from core.audit import models as audit
from core.calendars import models as calendars
from core.conversations import models as conversations
from core.customers import file_models as customer_files
from core.customers import models as customers
from core.db import Base
from core.desk import models as desk
from core.history import models as history
from core.imports import models as imports
from core.institutions import models as institutions
from core.oa import models as oa
from core.ownership import models as ownership
from core.ratings import models as ratings
from core.reads import models as reads
from core.registration import models as registration
from core.remote_assistance import models as remote_assistance
from core.replies import models as replies
from core.reviews import models as reviews
from core.segments import models as segments
from core.servicers import models as servicers
from core.sessions import models as sessions
from core.settings import models as settings
from core.sla import models as sla
from core.teams import models as teams
from core.tickets import models as tickets
from core.timers import models as timers
from core.users import models as users

metadata = Base.metadata

__all__ = [
    "accounts",
    "api_keys",
    "attachments",
    "audit",
    "calendars",
    "conversations",
    "customer_files",
    "customers",
    "desk",
    "event_log",
    "history",
    "idempotency",
    "imports",
    "inbox",
    "institutions",
    "lanes",
    "metadata",
    "oa",
    "outbox",
    "ownership",
    "ratings",
    "reads",
    "registration",
    "remote_assistance",
    "replies",
    "reviews",
    "segments",
    "servicers",
    "sessions",
    "settings",
    "sla",
    "teams",
    "tickets",
    "timers",
    "users",
]
