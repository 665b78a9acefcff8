"""What may go wrong at WeCom on purpose. Faults of callbacks name an event as their endpoint."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.standin.faults import FaultKind

FAULT_KINDS: dict[str, FaultKind] = {
    "callback_drop": FaultKind(_("Drop callbacks"), {}, "callback"),
    "callback_duplicate": FaultKind(_("Send each callback several times"), {"times": 2}, "callback"),
    "callback_delay": FaultKind(_("Delay callbacks"), {"seconds": 5.0}, "callback"),
    "callback_reorder": FaultKind(_("Collect callbacks and send them in reverse order"), {"size": 2}, "callback"),
    "callback_hold": FaultKind(_("Hold callbacks until they are released"), {}, "callback"),
    "callback_retry_refused": FaultKind(_("Repeat callbacks that were not answered with 200"), {}, "callback"),
    "event_before_response": FaultKind(_("Deliver the event before the submission is answered"), {}),
    "errcode": FaultKind(_("Answer with an error code"), {"errcode": -1, "effect": False}),
    "http_status": FaultKind(_("Answer with an HTTP error page"), {"status": 502}),
    "close_before": FaultKind(_("Close the connection before accepting the call"), {}),
    "close_after": FaultKind(_("Close the connection after accepting the call: the answer is lost"), {}),
    "slow": FaultKind(_("Answer slowly"), {"seconds": 3.0, "moment": "after"}),
    "short_pages": FaultKind(_("Return half-filled pages of approval numbers"), {}),
    "wrong_secret": FaultKind(_("Treat the app's secret as wrong"), {}),
}
