from approvals.models.batches import Batch, BatchItem, BatchOutcome, BatchVerb
from approvals.models.cards import ApprovalCard, CardCode, CardState
from approvals.models.instances import ApprovalInstance, ApprovalStep, ApprovalTimeline, Channel, Outcome, StepStatus
from approvals.models.operations import OperationKind, SyncOperation
from approvals.models.quotes import InstanceStatus, NumberSequence, Quote, QuoteItem, QuoteStatus
from approvals.models.rules import ApprovalRule, ApprovalTemplate, Flow, Relation

__all__ = [
    "ApprovalCard",
    "ApprovalInstance",
    "ApprovalRule",
    "ApprovalStep",
    "ApprovalTemplate",
    "ApprovalTimeline",
    "Batch",
    "BatchItem",
    "BatchOutcome",
    "BatchVerb",
    "CardCode",
    "CardState",
    "Channel",
    "Flow",
    "InstanceStatus",
    "NumberSequence",
    "OperationKind",
    "Outcome",
    "Quote",
    "QuoteItem",
    "QuoteStatus",
    "Relation",
    "StepStatus",
    "SyncOperation",
]
