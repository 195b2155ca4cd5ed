"""Errors at the edge to a platform. The vendor's code is kept; the kind decides what happens."""

from __future__ import annotations

from core.ports import SendFailure


class ChannelError(SendFailure):
    """A platform refused or could not be reached."""


class RetryLater(ChannelError):
    """Busy, rate-limited or unreachable: try again after `retry_after_s`."""

    kind = "retry"


class Rejected(ChannelError):
    """The platform will never take this."""

    kind = "rejected"


class WindowClosed(ChannelError):
    """The reply window is used up or over; the customer must write first."""

    kind = "window_closed"


class WrongState(ChannelError):
    """The platform's session is in a state in which we may not write."""

    kind = "wrong_state"


class BadCredentials(ChannelError):
    """Secrets, permissions or trusted IPs are wrong: people must act."""

    kind = "bad_credentials"
