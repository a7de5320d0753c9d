"""What an answer means: for the delivery it was about, and for the receiver that gave it. Pure."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from adapters.base import AdapterError, Permanent, Receipt, Transient, Uncertain
from daemon.store import deliveries, receivers, timers
from daemon.store.receivers import Receiver
from rules.instant import HOUR, SECOND
from rules.model import Outcome

PERHAPS_AGAIN = 4 * HOUR
"""When what is perhaps told is sent once more (µs), unless its receiver takes something before."""

Answer = Receipt | Exception


def after(receiver: Receiver, rows: Sequence[RowMapping], answer: Answer, now: int) -> Receiver:
    """How a receiver is after an answer. A refusal of what alone it does not take says nothing of the receiver."""
    if isinstance(answer, Receipt):
        return receiver.took(now)
    if isinstance(answer, Permanent) and _takes_others(receiver, rows):
        return receiver
    asked = answer.retry_after_s if isinstance(answer, Transient) else None
    return receiver.failed(words(answer), now, int(asked * SECOND) if asked is not None else None)


def judge(row: RowMapping, answer: Answer, receiver: Receiver, now: int) -> tuple[Outcome, dict[str, Any]]:
    """Outcome and next try of one delivery. Alerts are told at least once: whatever was not taken goes again.

    `receiver`: as it is after the answer.
    """
    if isinstance(answer, Receipt):
        return Outcome.SETTLED, {"note": answer.note or "told"}
    doubts = row["doubts"] + int(isinstance(answer, Uncertain) and answer.arrived)
    values = {"note": words(answer), "doubts": doubts}
    if doubts > row["doubts"] and doubts >= deliveries.DOUBTS:
        return Outcome.READY, {**values, "due_at": now + PERHAPS_AGAIN}
    if receiver.since is None:
        wait = timers.backoff(row["attempts"], row["action_key"], first_s=receivers.PROBE // SECOND)
        return Outcome.READY, {**values, "due_at": now + wait}
    return Outcome.READY, {**values, "due_at": receiver.next_at}


def words(error: Exception) -> str:
    """What the other side said, with the mend; of what is no adapter's error its class too."""
    return (str(error) if isinstance(error, AdapterError) else f"{type(error).__name__}: {error}")[:400]


def _takes_others(receiver: Receiver, rows: Sequence[RowMapping]) -> bool:
    """Whether a well receiver has taken another message since this one was last tried in vain."""
    first, *others = rows
    if others or receiver.since is not None or receiver.took_at is None or not first["attempts"]:
        return False
    return receiver.took_at >= (first["outcome_at"] or 0)
