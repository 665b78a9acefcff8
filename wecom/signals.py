"""What WeCom announced. Sent by the inbox inside the event's transaction; other apps listen.

Sent with ``send``, not ``send_robust``: a failing listener must put the event back into the queue.
"""

from django.dispatch import Signal

approval_changed = Signal()
"""``snapshot`` (RemoteApproval), ``event`` (CallbackEvent). A receiver returns a short outcome word for the event's
row, and raises ``wecom.inbox.Park`` when it does not know the approval yet."""

card_clicked = Signal()
"""``click`` (CardClick), ``event`` (CallbackEvent). Somebody pressed a button on a card. A receiver returns a short
outcome word for the event's row, and nothing for a card that is not its own. The same click may come again."""

event_given_up = Signal()
"""``event`` (CallbackEvent): parked for too long, nobody ever claimed it."""

directory_run_ended = Signal()
"""``run`` (DirectorySyncRun, closed), ``outcome``: ``done``, ``partial`` (applied, but some members' customers could
not be read), ``failed``, or ``braked`` (it would have marked too many as gone). Sent in the transaction that closes the
run."""

contact_changed = Signal()
"""One member, department or customer, or the tags, have changed by a callback or by what was read after one; sent after
the commit, robustly. A run over many does not send it; it sends ``directory_run_ended``.

``config_id``; ``kind``: member, department, customer or tags; ``change``: created, updated, deleted, renamed
(``before`` is the old userid), transfer_failed (``before`` is the member who was to take over); ``key``: userid,
department ID or external userid, empty for the tags."""
