"""The tables. Instants are BIGINT UTC microseconds, money BIGINT minor units, JSON is canonical text.

Every row that belongs to a shop carries `seller`, `shop` and, where work is claimed, `shard`.
"""

from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, Table, Text, text
from sqlmodel import Field, SQLModel

from rules.model import OWED, UNKNOWN

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


_STOPS = text("kind = 'delist'")
"""Few of many actions stop a listing; a day's are counted before another is stopped."""
_TOLD = text("kind = 'contact' AND outcome = 'settled'")
"""Messages to buyers that left: how soon after its case opened is shown per shop."""
_OWED = ", ".join(f"'{status}'" for status in sorted(OWED))
BLIND = text(
    f"is_open AND (act_by IS NULL AND status IN ({_OWED}) OR status = '{UNKNOWN}'"
    " OR status = 'unpaid' AND paid_at IS NOT NULL)"
)
"""Few of many orders may lack what a deadline needs: looked for whenever a shop's feed has brought something."""


class Feed(SQLModel, table=True):
    """How far a shop's feed has been read, and how it is doing."""

    __tablename__ = "feed"
    shop: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    cursor: str | None = Field(default=None, sa_type=Text)
    watermark: int | None = Field(default=None, sa_type=BigInteger)
    last_success: int | None = Field(default=None, sa_type=BigInteger)
    failing_since: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    quarantined: int = 0
    unknown_keys: str = Field(default="{}", sa_type=Text)


class Order(SQLModel, table=True):
    """What a shop last said about an order. `facts` decodes to `rules.model.Order`.

    `times`: when facts older than `observed_at` were said. `ship_by` and `act_by` are the effective ones.
    `short`: line ids its pools cannot cover. `is_open`: something is still owed or watched.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_open", "is_open", "shop", "act_by"),
        Index("ix_orders_paid", "shop", "paid_at"),
        Index("ix_orders_blind", "shop", "order_id", sqlite_where=BLIND, postgresql_where=BLIND),
    )
    shop: str = Field(primary_key=True, sa_type=Text)
    order_id: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    platform: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    is_open: bool = True
    observed_at: int = Field(sa_type=BigInteger)
    paid_at: int | None = Field(default=None, sa_type=BigInteger)
    ship_by: int | None = Field(default=None, sa_type=BigInteger)
    act_by: int | None = Field(default=None, sa_type=BigInteger)
    paid_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = Field(default=None, sa_type=Text)
    facts: str = Field(sa_type=Text)
    times: str = Field(default="", sa_type=Text)
    short: str = Field(default="", sa_type=Text)


class Seen(SQLModel, table=True):
    """The digest of the last snapshot of an order and when it was true: compared before a row is touched."""

    __tablename__ = "seen"
    __table_args__ = ({"sqlite_with_rowid": False},)
    shop: str = Field(primary_key=True, sa_type=Text)
    order_id: str = Field(primary_key=True, sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    observed_at: int = Field(sa_type=BigInteger)


class OpenLine(SQLModel, table=True):
    """A line that still needs units of a stock pool (seller × SKU)."""

    __tablename__ = "open_line"
    __table_args__ = (Index("ix_open_line_pool", "seller", "sku"), {"sqlite_with_rowid": False})
    shop: str = Field(primary_key=True, sa_type=Text)
    order_id: str = Field(primary_key=True, sa_type=Text)
    line_id: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=BigInteger)
    loss_minor: int = Field(default=0, sa_type=BigInteger)
    act_by: int | None = Field(default=None, sa_type=BigInteger)


class Pool(SQLModel, table=True):
    """The stock of one SKU over all shops of a seller. `home`: the shop its cause is named after.

    `on_hand` None = unknown. `short`: it cannot cover all open lines, or no longer could since `changed_at`.
    """

    __tablename__ = "pool"
    seller: str = Field(primary_key=True, sa_type=Text)
    sku: str = Field(primary_key=True, sa_type=Text)
    home: str = Field(sa_type=Text)
    on_hand: int | None = Field(default=None, sa_type=BigInteger)
    sellable: int | None = Field(default=None, sa_type=BigInteger)
    observed_at: int | None = Field(default=None, sa_type=BigInteger)
    needed: int = Field(default=0, sa_type=BigInteger)
    short: int = 0
    changed_at: int = Field(default=0, sa_type=BigInteger)


class Listing(SQLModel, table=True):
    """Which listings sell an SKU: what a pool delists."""

    __tablename__ = "listing"
    seller: str = Field(primary_key=True, sa_type=Text)
    sku: str = Field(primary_key=True, sa_type=Text)
    shop: str = Field(primary_key=True, sa_type=Text)
    listing_id: str = Field(primary_key=True, sa_type=Text)
    seen_at: int = Field(default=0, sa_type=BigInteger)


class Event(SQLModel, table=True):
    """A reply, an agreed date, an acknowledgement … about an order."""

    __tablename__ = "event"
    shop: str = Field(primary_key=True, sa_type=Text)
    order_id: str = Field(primary_key=True, sa_type=Text)
    event: str = Field(primary_key=True, sa_type=Text)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    seen_at: int = Field(sa_type=BigInteger)


class Incident(SQLModel, table=True):
    """What a platform may count against a shop: which order, when it happened and when it was first seen.

    Told by an event, or by a flag when a snapshot first shows it; one order may have several.
    `points`: penalty points the platform took (`points_deducted`), else 0.
    """

    __tablename__ = "incident"
    __table_args__ = ({"sqlite_with_rowid": False},)
    shop: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    at: int = Field(primary_key=True, sa_type=BigInteger)
    order_id: str = Field(primary_key=True, sa_type=Text)
    seen_at: int = Field(sa_type=BigInteger)
    points: int = 0


class Timer(SQLModel, table=True):
    """When a subject is due. One per subject; `due_at` None = nothing by time alone.

    `lease_until` and `fence` belong to the claim; `decided_at`, `playbook` and `past` are what the last
    decision left (`past` = the subject has cases, actions or events to read back). `staged`: touched by a
    file that is not yet read to its end. `quiet_until`: a cause need not be looked at before then.
    """

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_due", "kind", "due_at", "shop", "id"),
        {"sqlite_with_rowid": False},
    )
    kind: str = Field(primary_key=True, sa_type=Text)
    shop: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    shard: int
    due_at: int | None = Field(default=None, sa_type=BigInteger)
    lease_until: int | None = Field(default=None, sa_type=BigInteger)
    fence: int = Field(default=0, sa_type=BigInteger)
    attempts: int = 0
    error: str | None = Field(default=None, sa_type=Text)
    decided_at: int | None = Field(default=None, sa_type=BigInteger)
    playbook: str = Field(default="", sa_type=Text)
    past: int = 0
    staged: int = 0
    quiet_until: int | None = Field(default=None, sa_type=BigInteger)


class Case(SQLModel, table=True):
    """One violation of one order in one episode."""

    __tablename__ = "case"
    __table_args__ = (Index("ix_case_order", "shop", "order_id"), Index("ix_case_closed", "closed_at"))
    key: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    shop: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    violation: str = Field(sa_type=Text)
    episode: int
    opened_at: int = Field(sa_type=BigInteger)
    closed_at: int | None = Field(default=None, sa_type=BigInteger)
    reason: str = Field(default="", sa_type=Text)
    ship_by: int | None = Field(default=None, sa_type=BigInteger)
    snoozed_until: int | None = Field(default=None, sa_type=BigInteger)
    acked_at: int | None = Field(default=None, sa_type=BigInteger)
    taken_over: bool = False


class Member(SQLModel, table=True):
    """A case's stay in a cause (a pick-up or a pool), from `joined_at` until `left_at` (None: still there).

    `confirmed`: the stake is a fact or by a confirmed row. `anew`: acknowledged before it ended and came back.
    """

    __tablename__ = "member"
    __table_args__ = (Index("ix_member_order", "shop", "order_id"),)
    cause: str = Field(primary_key=True, sa_type=Text)
    case_key: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    shop: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    joined_at: int = Field(primary_key=True, sa_type=BigInteger)
    left_at: int | None = Field(default=None, sa_type=BigInteger)
    act_by: int | None = Field(default=None, sa_type=BigInteger)
    ship_by: int | None = Field(default=None, sa_type=BigInteger)
    stake_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = Field(default=None, sa_type=Text)
    snoozed_until: int | None = Field(default=None, sa_type=BigInteger)
    acked_at: int | None = Field(default=None, sa_type=BigInteger)
    confirmed: bool = True
    anew: bool = False


class Action(SQLModel, table=True):
    """The outbox, which is the history: what was decided, why, and what became of it.

    `dropped`: a step that was not done, with its reason. `members`: case keys an alert names (JSON),
    order ids where no case is open for them.
    `buyer`: whom a message that left is for (a keyed hash).
    `mode`: the mode it was planned in; a shadow row never fires. `fence`, `lease_until`: the caller's claim.
    """

    __tablename__ = "action"
    __table_args__ = (
        Index("ix_action_order", "shop", "order_id"),
        Index("ix_action_cause", "cause"),
        Index("ix_action_due", "outcome", "due_at"),
        Index("ix_action_stopped", "outcome_at", sqlite_where=_STOPS, postgresql_where=_STOPS),
        Index("ix_action_told", "shop", "outcome_at", sqlite_where=_TOLD, postgresql_where=_TOLD),
        Index(
            "ix_action_buyer",
            "seller",
            "buyer",
            sqlite_where=text("buyer IS NOT NULL"),
            postgresql_where=text("buyer IS NOT NULL"),
        ),
    )
    key: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    shop: str = Field(sa_type=Text)
    shard: int = 0
    order_id: str | None = Field(default=None, sa_type=Text)
    cause: str | None = Field(default=None, sa_type=Text)
    violation: str = Field(sa_type=Text)
    episode: int
    step: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    at: int = Field(sa_type=BigInteger)
    due_at: int | None = Field(default=None, sa_type=BigInteger)
    not_after: int | None = Field(default=None, sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    dropped: bool = False
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = Field(default=None, sa_type=Text)
    template: str | None = Field(default=None, sa_type=Text)
    channel: str | None = Field(default=None, sa_type=Text)
    buyer: str | None = Field(default=None, sa_type=Text)
    members: str | None = Field(default=None, sa_type=Text)
    mode: str = Field(default="shadow", sa_type=Text)
    outcome: str = Field(default="planned", sa_type=Text)
    outcome_at: int | None = Field(default=None, sa_type=BigInteger)
    attempts: int = 0
    lease_until: int | None = Field(default=None, sa_type=BigInteger)
    fence: int = Field(default=0, sa_type=BigInteger)
    request: str | None = Field(default=None, sa_type=Text)
    note: str = Field(default="", sa_type=Text)
    pack: str = Field(default="", sa_type=Text)
    playbook: str = Field(default="", sa_type=Text)


class Delivery(SQLModel, table=True):
    """One alert on its way to one receiver; each is asked for itself. `doubts`: calls it may have taken unheard."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due", "outcome", "due_at"),)
    action_key: str = Field(primary_key=True, sa_type=Text)
    sink: str = Field(primary_key=True, sa_type=Text)
    seller: str = Field(sa_type=Text)
    shop: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    due_at: int | None = Field(default=None, sa_type=BigInteger)
    lease_until: int | None = Field(default=None, sa_type=BigInteger)
    fence: int = Field(default=0, sa_type=BigInteger)
    attempts: int = 0
    doubts: int = 0
    outcome: str = Field(default="ready", sa_type=Text)
    outcome_at: int | None = Field(default=None, sa_type=BigInteger)
    note: str = Field(default="", sa_type=Text)


class Receiver(SQLModel, table=True):
    """How a configured sink is doing. Unwell `since` then (None: well), it is next called at `next_at`, once.

    `settings`: a keyed hash of its own settings. `tries`: calls in vain in a row. `took_at`: it last took something.
    `words`: what it said last.
    """

    __tablename__ = "receiver"
    name: str = Field(primary_key=True, sa_type=Text)
    settings: str = Field(default="", sa_type=Text)
    since: int | None = Field(default=None, sa_type=BigInteger)
    next_at: int = Field(default=0, sa_type=BigInteger)
    tries: int = 0
    took_at: int | None = Field(default=None, sa_type=BigInteger)
    words: str = Field(default="", sa_type=Text)


class Evidence(SQLModel, table=True):
    """One link of a shop's hash chain: what one transaction did, as a JSON array of entries.

    A table with row ids, unlike others: SQLite would compare keys by reading whole rows, however long `entries`
    are. `hash` stands before them, so that reading the newest one does not read them either.
    """

    __tablename__ = "evidence"
    shop: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    entries: str = Field(sa_type=Text)


class EvidenceOf(SQLModel, table=True):
    """Which links of a shop's chain speak of an order or cause, so that `why` need not read them all."""

    __tablename__ = "evidence_of"
    __table_args__ = ({"sqlite_with_rowid": False},)
    shop: str = Field(primary_key=True, sa_type=Text)
    subject: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(primary_key=True, sa_type=BigInteger)


class PolicyText(SQLModel, table=True):
    """A playbook or rule pack as it was written, kept by its digest for as long as anything was decided by it."""

    __tablename__ = "policy_text"
    digest: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)


class PolicyUse(SQLModel, table=True):
    """By what a shop's orders were decided from `since` on: digests of playbook and pack, confirmed rows (JSON)."""

    __tablename__ = "policy_use"
    shop: str = Field(primary_key=True, sa_type=Text)
    since: int = Field(primary_key=True, sa_type=BigInteger)
    seller: str = Field(sa_type=Text)
    playbook: str = Field(sa_type=Text)
    pack: str = Field(sa_type=Text)
    confirmed: str = Field(default="[]", sa_type=Text)


class Quarantine(SQLModel, table=True):
    """An input that could not be used: where, why, how to mend. Holds no personal data."""

    __tablename__ = "quarantine"
    id: int | None = Field(default=None, primary_key=True)
    shop: str = Field(sa_type=Text, index=True)
    source: str = Field(sa_type=Text)
    line: int | None = None
    reason: str = Field(sa_type=Text)
    mend: str = Field(sa_type=Text)
    seen_at: int = Field(sa_type=BigInteger)


class Meta(SQLModel, table=True):
    """Facts about the installation: privacy key, last sign of life, live fence, kill switch."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)


def table_of(model: Any) -> Table:
    """The table that one of these classes describes."""
    table: Table = model.__table__
    return table
