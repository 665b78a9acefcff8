"""What makes a submission impossible on our side, before WeCom is asked."""

from __future__ import annotations

from config.durable import PermanentFailure


class SubmissionProblem(PermanentFailure):
    """``code``: a word for clients (``mapping_missing`` …); ``str(e)``: what is wrong and what to do about it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
