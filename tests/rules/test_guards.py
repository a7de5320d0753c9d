"""What is not to be built (N1-N15) stays unbuilt: there is no action for it, and no playbook can name one."""

import pytest

from rules import playbook
from rules.errors import PolicyError
from rules.model import CLAIMS, Kind
from tests.builders import a_playbook


def test_forestall_can_do_seven_things_and_cancelling_or_refusing_is_none_of_them():
    """N3, N6, N7, C088, C097: an order ends by the buyer's own refund; an unpaid one is closed by a person."""
    kinds = {"alert", "task", "negotiate", "contact", "compensate", "delist", "relist"}
    assert kinds == {kind.value for kind in Kind}


@pytest.mark.parametrize(
    "action", ["cancel", "close", "refuse_refund", "upload_tracking", "collect_payment", "buy_ads"]
)
def test_a_playbook_cannot_ask_for_what_is_not_to_be_built(action):
    """N1-N4, N6-N8."""
    with pytest.raises(PolicyError, match=r"late_shipment\.steps\.0\.action"):
        a_playbook(f'name = "x", action = "{action}", lead = "1h"')


def test_against_claims_the_shipped_playbook_names_work_items_and_messages_only():
    """N6, N12: no refund is refused or paid by itself."""
    claims = [ladder for ladder in playbook.shipped().ladders if ladder.violation in CLAIMS]
    assert {Kind.TASK, Kind.CONTACT} == {step.kind for ladder in claims for step in ladder.steps}


def test_no_step_of_the_shipped_playbook_reaches_a_buyer_outside_the_hours():
    steps = [step for ladder in playbook.shipped().ladders for step in ladder.steps if step.kind is Kind.CONTACT]
    assert {(9 * 60, 21 * 60)} == {(step.hours.start, step.hours.end) for step in steps if step.hours}
    assert all(step.hours for step in steps)
