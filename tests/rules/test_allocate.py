"""Who gets the stock when it cannot cover all."""

from rules.allocate import OpenLine, allocate


def a_need(order_id: str, quantity: int = 1, loss: int = 500, act_by: int | None = 100, shop: str = "n") -> OpenLine:
    return OpenLine(shop=shop, order_id=order_id, line_id="1", quantity=quantity, loss_minor=loss, act_by=act_by)


def missing(on_hand: int | None, *needs: OpenLine) -> list[str]:
    """Order ids whose line is not covered."""
    return sorted(order_id for _, order_id, _ in allocate(on_hand, needs))


def test_nothing_is_short_when_the_stock_covers_all():
    assert [] == missing(3, a_need("a", 2), a_need("b", 1))


def test_nothing_is_short_when_nobody_knows_the_stock():
    assert [] == missing(None, a_need("a", 99))


def test_no_stock_leaves_every_line_short_and_a_negative_count_is_no_stock():
    assert ["a", "b"] == missing(0, a_need("a"), a_need("b"))
    assert ["a", "b"] == missing(-5, a_need("a"), a_need("b"))


def test_the_line_whose_miss_costs_most_per_unit_is_served_first():
    assert ["cheap"] == missing(2, a_need("cheap", 2, loss=900), a_need("dear", 1, loss=500))


def test_losses_per_unit_that_differ_by_less_than_a_fen_are_told_apart():
    assert ["less"] == missing(3, a_need("less", 3, loss=1000, act_by=1), a_need("more", 2, loss=667, act_by=2))


def test_at_equal_loss_the_earlier_deadline_is_served_first_and_one_without_any_last():
    assert ["never"] == missing(1, a_need("never", act_by=None), a_need("soon", act_by=50))
    assert ["late"] == missing(1, a_need("late", act_by=70), a_need("soon", act_by=50))


def test_at_equal_loss_and_deadline_the_name_decides():
    assert ["b"] == missing(1, a_need("b"), a_need("a"))


def test_a_line_is_covered_whole_or_not_at_all_and_a_smaller_one_behind_it_still_fits():
    assert ["big"] == missing(3, a_need("big", 5, loss=9000), a_need("small", 2, loss=10))


def test_a_line_that_needs_nothing_is_never_short():
    assert [] == missing(0, a_need("a", 0))
    assert [] == missing(-5, a_need("a", 0))
