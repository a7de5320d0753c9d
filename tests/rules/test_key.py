"""Natural keys: stable, readable, and never the same for two things."""

from hypothesis import given
from hypothesis import strategies as st

from rules import key
from tests.builders import LATE, STOCK_OUT, at

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def test_the_key_of_a_step_is_the_one_the_contract_shows():
    assert "north/240601-1/late_shipment/1/agree_new_date" == key.step(
        key.case("north", "240601-1", LATE, 1), "agree_new_date"
    )


def test_the_key_of_a_payment_leaves_out_the_episode():
    assert "north/1/stock_out/compensate" == key.compensation("north", "1", STOCK_OUT)


def test_causes_are_named_after_the_pick_up_and_the_pool():
    assert "north/pickup:2026-06-02T10:00:00Z" == key.pickup("north", at("2026-06-02 18:00"))
    assert "north/pool:A-1" == key.pool("north", "A-1")


def test_parts_are_percent_encoded_and_read_back():
    assert "%E5%8C%97/a%2Fb%20c/late_shipment/1" == key.case("北", "a/b c", LATE, 1)
    assert "a/b c" == key.unpart("a%2Fb%20c")


@given(TEXT, TEXT, TEXT, TEXT)
def test_two_orders_never_share_a_key(shop, order_id, other_shop, other_id):
    same = (shop, order_id) == (other_shop, other_id)
    assert same == (key.case(shop, order_id, LATE, 1) == key.case(other_shop, other_id, LATE, 1))


@given(TEXT)
def test_every_part_survives_the_way_there_and_back(text):
    assert text == key.unpart(key.part(text))
