"""Options of sinks: what is wrong is named together with the mend."""

import pytest

from adapters import options
from tests.adapters.fakes.messages import settings


def test_known_options_are_returned_stripped() -> None:
    read = options.read(settings(url=" http://h/ "), required=("url",), optional=("secret",))

    assert {"url": "http://h/"} == read


def test_an_unknown_option_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="sink 'ops': unknown option 'uri'; it takes url, secret: rename or remove"):
        options.read(settings(uri="x"), required=("url",), optional=("secret",))


def test_a_missing_option_is_named() -> None:
    with pytest.raises(ValueError, match="sink 'ops': option 'url' is missing: add it"):
        options.read(settings(), required=("url",))


def test_an_empty_option_is_named() -> None:
    with pytest.raises(ValueError, match="sink 'ops': option 'secret' is empty"):
        options.read(settings(secret=" "), optional=("secret",))


def test_no_value_is_quoted_because_it_may_be_a_secret() -> None:
    with pytest.raises(ValueError, match="unknown option 'token'; it takes none") as caught:
        options.read(settings(token="hunter2"))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "smtp", "25 ", "２５", "1" * 5000])
def test_a_port_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="option 'port' must be a port number"):
        options.port("ops", {"port": text}, "port")


def test_a_switch_is_true_false_or_absent() -> None:
    assert [True, False, None] == [
        options.switch("ops", told, "starttls") for told in ({"starttls": "true"}, {"starttls": "false"}, {})
    ]
    with pytest.raises(ValueError, match="must be true or false"):
        options.switch("ops", {"starttls": "yes"}, "starttls")
