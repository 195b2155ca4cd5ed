import pytest

from channels.errors import BadCredentials, Rejected, RetryLater, WindowClosed, WrongState
from channels.wecom.errcodes import ERROR_CODES, Action, channel_error, explain


def test_every_code_is_explained_in_chinese() -> None:
    for row in ERROR_CODES.values():
        assert any("\u4e00" <= character <= "\u9fff" for character in row.meaning), row


def test_whoever_is_alerted_is_told_where_to_click() -> None:
    silent = [r.code for r in ERROR_CODES.values() if r.action is Action.ALERT and not r.advice]
    assert silent == [90510]  # nothing can be done about an idle group


def test_ranges_are_taken_apart() -> None:
    assert -1 in ERROR_CODES
    assert {42014, 42017, 42020, 42027, 42051, 830001, 830003} <= ERROR_CODES.keys()
    assert 42021 not in ERROR_CODES


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (95001, WindowClosed),
        (95002, WindowClosed),
        (95013, WindowClosed),
        (95031, WindowClosed),
        (95018, WrongState),
        (95016, WrongState),
        (-1, RetryLater),
        (6000, RetryLater),
        (42001, RetryLater),
        (45009, RetryLater),
        (45033, RetryLater),
        (48007, BadCredentials),
        (60030, BadCredentials),
        (60020, BadCredentials),
        (95014, Rejected),
        (40201, Rejected),
        (40033, Rejected),
        (99999999, Rejected),
    ],
)
def test_a_code_has_one_kind_of_error(code: int, error: type[Exception]) -> None:
    raised = channel_error(code, "why")
    assert type(raised) is error
    assert raised.vendor_code == str(code)
    assert "why" in raised.reason


def test_a_rate_limit_says_how_long_to_wait() -> None:
    assert channel_error(45009, wait_s=7).retry_after_s == 7
    assert channel_error(-1, wait_s=7).retry_after_s == 1


def test_a_used_msgid_is_no_failure() -> None:
    assert explain(95033).action is Action.OK
