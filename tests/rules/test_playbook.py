"""Reading a playbook: every mistake is named with file, key and mend; the shipped one is sound."""

import pytest

from rules import playbook, schema
from rules.errors import PolicyError
from rules.hours import Hours
from rules.instant import HOUR, MINUTE
from rules.model import Kind, Violation
from tests.builders import LATE, STOCK_OUT, a_playbook
from tests.project import ROOT


def problem(text: str) -> str:
    """What the reader says about a wrong playbook."""
    with pytest.raises(PolicyError) as caught:
        playbook.parse(text, "mine.toml")
    return str(caught.value)


HEAD = 'name = "x"\nversion = 1\n[alerts]\nleads = ["24h"]\n'


def step(text: str) -> str:
    return f"{HEAD}[[late_shipment.steps]]\n{text}\n"


def test_the_shipped_playbook_has_its_ladders_and_version():
    shipped = playbook.shipped()
    assert "default@1" == shipped.version
    assert list(Violation) == [ladder.violation for ladder in shipped.ladders]
    assert [LATE, STOCK_OUT] == [ladder.violation for ladder in shipped.shipping]
    assert ["ship", "chase_scan", "agree_new_date", "tell_buyer", "make_good"] == [
        step.name for step in shipped.ladders[0].steps
    ]


def test_a_case_opens_at_the_longest_lead_of_alerts_and_late_steps():
    assert 24 * HOUR == playbook.shipped().first_lead
    assert 30 * HOUR == a_playbook('name = "ship", action = "task", lead = "30h"').first_lead
    assert 24 * HOUR == a_playbook("").first_lead


def test_a_step_is_compiled_to_plain_numbers():
    found = playbook.parse(
        step(
            'name = "tell"\naction = "contact"\nlead = "90分钟"\nuntil = "PT30M"\nchannel = "sms"\nintent = "apology"\n'
            'template = "t"\nhours = "09:00-21:00"\nplatforms = ["jd"]\nstage = "unscanned"'
        ),
        "mine.toml",
    )
    tell = found.ladders[0].steps[0]
    assert (Kind.CONTACT, 90 * MINUTE, 30 * MINUTE) == (tell.kind, tell.lead, tell.until)
    assert (Hours(540, 1260), frozenset({"jd"}), True) == (tell.hours, tell.platforms, tell.unscanned)


def test_leads_are_sorted_longest_first():
    assert (24 * HOUR, 4 * HOUR) == a_playbook(alerts='leads = ["4h", "24h"]').alerts.leads


def test_any_edit_changes_the_digest_and_reading_again_does_not():
    assert a_playbook().digest == a_playbook().digest
    assert a_playbook().digest != a_playbook(alerts='leads = ["23h"]').digest


def test_two_anchors_or_none_are_refused_by_the_name_of_the_step():
    assert "step 'ship': give exactly one of lead, after, delay" in problem(
        step('name = "ship"\naction = "task"\nlead = "1h"\nafter = "1h"')
    )
    assert "give exactly one of lead, after, delay" in problem(step('name = "ship"\naction = "task"'))


def test_a_contact_without_its_text_is_refused():
    assert "a contact needs channel, intent and template" in problem(
        step('name = "tell"\naction = "contact"\nlead = "1h"')
    )


def test_a_name_used_twice_is_refused_because_names_become_keys():
    one = '[[late_shipment.steps]]\nname = "ship"\naction = "task"\nlead = "1h"\n'
    assert "'ship' is there twice" in problem(HEAD + one + one)


def test_a_step_can_only_wait_for_an_earlier_one():
    assert "waits for 'later', which is no earlier step" in problem(
        step('name = "ship"\naction = "task"\nlead = "1h"\nwaits_for = "later"')
    )


@pytest.mark.parametrize("action", ["alert", "delist", "relist", "bribe"])
def test_only_kinds_that_belong_to_an_order_can_be_steps(action):
    assert "late_shipment.steps.0.action" in problem(step(f'name = "x"\naction = "{action}"\nlead = "1h"'))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('lead = "soon"', "lead"),
        ('lead = "1h"\nhours = "9 to 5"', "hours"),
        ('lead = "1h"\ncolour = "red"', "colour"),
        ("lead = -3600000000", "lead"),
        ('lead = "1h"\nuntil = -1', "until"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_line_and_key(line, place):
    assert f"late_shipment.steps.0.{place}" in problem(step(f'name = "ship"\naction = "task"\n{line}'))
    assert problem(step(f'name = "ship"\naction = "task"\n{line}')).startswith("mine.toml:")


def test_all_problems_are_named_at_once():
    said = problem('name = "x"\nversion = "one"\n[alerts]\nleads = []\n')
    assert "version" in said
    assert "alerts.leads" in said


def test_text_that_is_no_toml_is_refused_with_the_file():
    assert "mine.toml: not valid TOML" in problem("name = ")


def test_a_file_is_read_and_a_missing_one_names_the_setting(tmp_path):
    file = tmp_path / "playbook.toml"
    file.write_text(playbook.shipped_text(), "utf-8")
    assert playbook.shipped() == playbook.load(file)
    with pytest.raises(PolicyError, match=r"correct \[playbook\] path"):
        playbook.load(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_refused_with_its_name(tmp_path):
    file = tmp_path / "playbook.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match=r"playbook\.toml"):
        playbook.load(file)


@pytest.mark.parametrize("text", ["lead = 12", "lead = 0", 'lead = "401d"', 'lead = "-1h"'])
def test_a_time_without_a_unit_or_beyond_all_reason_is_refused(text):
    assert "late_shipment.steps.0.lead" in problem(step(f'name = "ship"\naction = "task"\n{text}'))


def test_every_key_of_a_playbook_is_on_its_page():
    page = (ROOT / "docs" / "playbook.md").read_text("utf-8")
    tables = [table for table in vars(schema).values() if isinstance(table, type) and issubclass(table, schema.Strict)]
    keys = {key for table in tables for key in table.model_fields}
    shown = {key for key in keys if any(form in page for form in (f"`{key}`", f"`[{key}]`", f"`{key} ="))}
    assert set() == keys - shown


def test_the_page_shows_the_shipped_steps():
    page = (ROOT / "docs" / "playbook.md").read_text("utf-8")
    assert [] == [
        step.name for ladder in playbook.shipped().ladders for step in ladder.steps if f"`{step.name}`" not in page
    ]
