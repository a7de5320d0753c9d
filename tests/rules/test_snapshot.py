"""Merging what a shop said over time: the newest word per fact, whatever arrives when."""

from rules.snapshot import Known, flatten, nest, unnest


def known(*snapshots: tuple[int, dict], lines: dict | None = None) -> dict:
    """All that is known after the snapshots arrived in this order."""
    facts = Known(observed_at=snapshots[0][0])
    for observed_at, fields in snapshots:
        facts.merge(fields, lines or {}, observed_at)
    return facts.facts


def test_the_newest_word_counts_however_late_an_older_one_arrives():
    assert {"status": "shipped"} == known((1, {"status": "paid"}), (3, {"status": "shipped"}), (2, {"status": "paid"}))


def test_an_absent_fact_keeps_its_value():
    assert {"status": "paid", "remark": "fragile"} == known((1, {"remark": "fragile"}), (2, {"status": "paid"}))


def test_a_null_clears_a_fact():
    assert {"remark": None} == known((1, {"remark": "fragile"}), (2, {"remark": None}))


def test_an_older_snapshot_fills_what_no_newer_one_spoke_of():
    assert {"status": "paid", "remark": "fragile"} == known((2, {"status": "paid"}), (1, {"remark": "fragile"}))


def test_between_two_old_snapshots_the_newer_one_counts():
    assert {"a": 1, "b": 2} == known((9, {"a": 1}), (5, {"b": 2}), (3, {"b": 3}))
    assert {"a": 1, "b": 2} == known((9, {"a": 1}), (3, {"b": 3}), (5, {"b": 2}))


def test_a_fact_said_long_ago_and_not_repeated_yields_to_a_later_word():
    assert {"a": 1, "b": 7} == known((1, {"b": 3}), (9, {"a": 1}), (5, {"b": 7}))


def test_at_one_instant_the_later_arrival_counts():
    assert {"a": 2} == known((1, {"a": 1}), (1, {"a": 2}))


def test_lines_merge_by_their_id():
    facts = Known(observed_at=1)
    facts.merge({"status": "paid"}, {"1": {"sku": "A", "stock": 5}}, 1)
    facts.merge({}, {"2": {"sku": "B"}, "1": {"stock": 2}}, 2)
    assert {
        "status": "paid",
        "lines": [{"line_id": "1", "sku": "A", "stock": 2}, {"line_id": "2", "sku": "B"}],
    } == nest(facts.facts)


def test_a_line_of_which_nothing_is_known_but_its_id_stays():
    assert {"lines": [{"line_id": "7"}]} == nest(flatten({}, {"7": {}}))


def test_facts_survive_being_nested_and_flattened_again():
    facts = flatten({"status": "paid"}, {"1": {"sku": "A"}, "2": {}})
    assert facts == unnest(nest(facts))


def numbered(*said: tuple[int, dict]) -> list[str]:
    """The lines that an order has after files without ids of lines said these, in this order of arrival."""
    facts = Known(observed_at=said[0][0])
    for observed_at, lines in said:
        facts.merge({}, lines, observed_at, counted=True)
        facts = Known(observed_at=facts.observed_at, facts=unnest(nest(facts.facts)), times=facts.times)
    return [line["line_id"] for line in nest(facts.facts)["lines"]]


def test_a_line_that_stood_twice_by_mistake_is_gone_with_the_next_clean_file():
    twice, clean = {"A": {"quantity": 1}, "A#2": {"quantity": 1}}, {"A": {"quantity": 1}}
    assert ["A"] == numbered((1, twice), (2, clean))
    assert ["A", "A#2"] == numbered((1, clean), (2, twice))


def test_a_line_too_many_does_not_come_back_with_an_older_file():
    assert ["A"] == numbered((2, {"A": {}}), (1, {"A": {}, "A#2": {}}))


def test_other_lines_stay_when_one_is_counted_anew():
    assert ["A", "B", "B#2", "C#9"] == numbered(
        (1, {"A": {}, "A#2": {}, "B": {}, "B#2": {}, "C#9": {}}), (2, {"A": {}})
    )


def test_a_file_with_ids_of_its_own_removes_no_line():
    facts = Known(observed_at=1)
    facts.merge({}, {"A": {}, "A#2": {}}, 1)
    facts.merge({}, {"A": {}}, 2)
    assert ["A", "A#2"] == [line["line_id"] for line in nest(facts.facts)["lines"]]
