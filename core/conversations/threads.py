"""A thread: the conversation of an address with what belongs to it, loaded in one query."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, select

from core.accounts.limits import AccountLimits
from core.accounts.models import AccountRow
from core.accounts.service import ensure_known
from core.content import Address
from core.conversations.models import ConversationRow
from core.conversations.window import Window
from core.customers.models import CustomerRow
from core.customers.service import ensure_identity
from core.db import Tx
from core.errors import NotFound
from core.ids import new_id
from core.statements import Statement

_NO_LIMITS = AccountLimits()


@dataclass(slots=True)
class Thread:
    """Rows of one open transaction; never leaves the core."""

    conversation: ConversationRow
    account: AccountRow
    customer: CustomerRow

    @property
    def address(self) -> Address:
        return Address.parse(self.conversation.address_key)

    @property
    def limits(self) -> AccountLimits:
        return AccountLimits.model_validate(self.account.limits)

    @property
    def window(self) -> Window:
        return Window(self.conversation.window_left, self.conversation.window_until)


ThreadSelect = Select[ConversationRow, AccountRow, CustomerRow]
THREADS: ThreadSelect = (
    select(ConversationRow, AccountRow, CustomerRow)
    .join(AccountRow, AccountRow.id == ConversationRow.account_id)
    .join(CustomerRow, CustomerRow.id == ConversationRow.customer_id)
)
# Built once: building them costs more than running them.
_BY_ADDRESS = THREADS.where(ConversationRow.address_key == bindparam("wanted"))
_BY_ID = THREADS.where(ConversationRow.id == bindparam("wanted"))
_HOLD_ADDRESS = Statement(
    select(ConversationRow.id)
    .where(ConversationRow.address_key == bindparam("wanted"))
    .with_for_update()
)


def held(statement: ThreadSelect) -> ThreadSelect:
    """The same threads, locked: as others left them, not as the transaction first saw them."""
    locked = statement.with_for_update(of=ConversationRow)
    return locked.execution_options(populate_existing=True)


_HELD_BY_ID = held(_BY_ID)


async def find_thread(tx: Tx, *, address: Address) -> Thread | None:
    return await load_thread(tx, _BY_ADDRESS, address.key)


async def get_thread(tx: Tx, conversation_id: str) -> Thread:
    """Raises: NotFound."""
    thread = await load_thread(tx, _BY_ID, conversation_id)
    if thread is None:
        raise NotFound("conversation_not_found")
    return thread


async def hold_thread(tx: Tx, conversation_id: str) -> Thread:
    """The same, held until the transaction ends.

    Order of locks: conversation, session, ticket, servicer. Whoever writes into a conversation
    or changes its session holds it from the start. Raises: NotFound.
    """
    thread = await load_thread(tx, _HELD_BY_ID, conversation_id)
    if thread is None:
        raise NotFound("conversation_not_found")
    return thread


async def hold_address(tx: Tx, address: Address) -> None:
    """Hold the conversation of an address, if there is one, before anything of it is read.

    SQLite has one writer: it holds everything already.
    """
    if tx.dialect == "postgresql":
        await tx.fetch(_HOLD_ADDRESS, {"wanted": address.key})


async def ensure_thread(tx: Tx, address: Address, limits: AccountLimits = _NO_LIMITS) -> Thread:
    """The thread of an address; begun when this is its first word.

    limits: of its channel, for an account that nobody has met yet.
    """
    thread = await find_thread(tx, address=address)
    if thread is not None:
        return thread
    account = await ensure_known(
        tx, channel=address.channel, account=address.account, limits=limits
    )
    identity = await ensure_identity(tx, address)
    customer = await tx.db.get_one(CustomerRow, identity.customer_id)
    conversation = ConversationRow(
        id=new_id(),
        address_key=address.key,
        account_id=account.id,
        identity_id=identity.id,
        customer_id=identity.customer_id,
        created_at=tx.now,
    )
    conversation.pending_lines, conversation.form = [], {}
    tx.db.add(conversation)
    await tx.db.flush()
    return Thread(conversation, account, customer)


async def load_thread(tx: Tx, statement: ThreadSelect, wanted: str) -> Thread | None:
    found = (await tx.db.execute(statement, {"wanted": wanted})).first()
    return Thread(found[0], found[1], found[2]) if found else None
