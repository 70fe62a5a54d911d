"""The one module plugins import. Whatever stands here is stable within a minor version; all else is the core's own."""

from msgspec import UNSET

from hcrm_core.env import now
from hcrm_core.errors import ConfigurationError, HcrmError, InputError, StrategyError, UsageError
from hcrm_core.hookspecs import WorkspaceView, hookimpl
from hcrm_core.model.adapters import Adapter, SourceSettings
from hcrm_core.model.channels import Channel
from hcrm_core.model.listening import Connection, Received, Verdict
from hcrm_core.model.observing import DecideDone, Finding, IntakeDone, Load, StrategyDone, TypeCount
from hcrm_core.model.records import (
    KINDS,
    AllergyIntolerance,
    AnyRecord,
    Appointment,
    ChargeItem,
    Condition,
    Coverage,
    DiagnosticReport,
    Encounter,
    Observation,
    Organization,
    Patient,
    PatientLink,
    Practitioner,
    Procedure,
    Record,
    RelatedPerson,
)
from hcrm_core.model.reports import Report, ReportContext, Row
from hcrm_core.model.reviews import Review
from hcrm_core.model.rule_file import RuleFile, rule_texts
from hcrm_core.model.strategies import PERSON_COLUMNS, REQUIRED_COLUMNS, Scalar, Strategy
from hcrm_core.model.translation import (
    CompleteSet,
    Origin,
    Problem,
    RawField,
    RawMessage,
    Statement,
    Translation,
)
from hcrm_core.model.translation import Coverage as FieldCoverage
from hcrm_core.model.values import (
    Address,
    CodeableConcept,
    Coding,
    ContactPoint,
    HumanName,
    Identifier,
    Money,
    Period,
    Quantity,
)

__all__ = [
    "KINDS",
    "PERSON_COLUMNS",
    "REQUIRED_COLUMNS",
    "UNSET",
    "Adapter",
    "Address",
    "AllergyIntolerance",
    "AnyRecord",
    "Appointment",
    "Channel",
    "ChargeItem",
    "CodeableConcept",
    "Coding",
    "CompleteSet",
    "Condition",
    "ConfigurationError",
    "Connection",
    "ContactPoint",
    "Coverage",
    "DecideDone",
    "DiagnosticReport",
    "Encounter",
    "FieldCoverage",
    "Finding",
    "HcrmError",
    "HumanName",
    "Identifier",
    "InputError",
    "IntakeDone",
    "Load",
    "Money",
    "Observation",
    "Organization",
    "Origin",
    "Patient",
    "PatientLink",
    "Period",
    "Practitioner",
    "Problem",
    "Procedure",
    "Quantity",
    "RawField",
    "RawMessage",
    "Received",
    "Record",
    "RelatedPerson",
    "Report",
    "ReportContext",
    "Review",
    "Row",
    "RuleFile",
    "Scalar",
    "SourceSettings",
    "Statement",
    "Strategy",
    "StrategyDone",
    "StrategyError",
    "Translation",
    "TypeCount",
    "UsageError",
    "Verdict",
    "WorkspaceView",
    "hookimpl",
    "now",
    "rule_texts",
]
