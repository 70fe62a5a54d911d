"""One resource being translated: whose it is, what it refers to, and what there is to tell people."""

from typing import Any

from msgspec import Struct, field

from hcrm_adapter_fhir.reader import Message, is_name
from hcrm_core.api import UNSET, AnyRecord, HumanName, Organization, Practitioner, Problem

KINDS_OF_TYPE = {
    "Patient": ("Patient",),
    "Practitioner": ("Practitioner", "PractitionerRole"),
    "Organization": ("Organization", "Location"),
    "Encounter": ("Encounter",),
    "Appointment": ("Appointment",),
    "Condition": ("Condition",),
    "Observation": ("Observation",),
    "ChargeItem": ("ChargeItem",),
    "MedicationRequest": ("MedicationRequest",),
    "Medication": ("Medication",),
}
"""Kind of record → the resource types that give it and may be referred to as one."""


class Source(Struct, frozen=True):
    """What a view needs of the source; the attributes are those of `FhirSettings`."""

    name: str
    zone: str
    currency: str
    base: str
    identifier_types: dict[str, str]
    referral_codes: frozenset[str]
    extensions: dict[str, str]


class View(Struct):
    """A resource of one message.

    Attributes:
        source: Where it comes from.
        message: The message.
        resource: The resource that is read: the message's, or one contained in it.
        key: Of its record.
        problems: For people.
        linked: Records of what it refers to by a number or a name alone.
        contained: Ids of contained resources that were referred to.
        numbers: Key → Identifier of patients that were referred to by a number alone.
    """

    source: Source
    message: Message
    resource: dict[str, Any]
    key: str
    problems: list[Problem] = field(default_factory=list)
    linked: dict[tuple[str, str], AnyRecord] = field(default_factory=dict)
    contained: dict[str, None] = field(default_factory=dict)
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def report(self, code: str, where: str, text: str) -> None:
        """Tell people once."""
        problem = Problem(code, where, text)
        if problem not in self.problems:
            self.problems.append(problem)

    def target(self, reference: Any) -> tuple[str, str]:
        """The resource type and the key that a Reference names; empty where it names none.

        Contained resources have the key of what contains them with `#` and their id. A `urn:` is looked up among what
        the bundle sent along. Of an absolute URL on the source's own server, or where the source has no `url`, type and
        id are the key; what lies on another server keeps its URL.
        """
        text = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(text, str) or not text:
            return "", ""
        if text[0] == "#":
            inside = self.inside(text[1:])
            return (inside["resourceType"], f"{self.key}{text}") if inside else ("", "")
        linked = self.message.links.get(text)
        if linked is not None and is_name(linked.get("resourceType")):
            return linked["resourceType"], key_of(linked, text)
        if text.startswith("urn:"):
            kind = reference.get("type")
            return (kind, f"{kind}/{text}") if is_name(kind) else ("", text)
        return literal(text, self.source.base)

    def inside(self, name: str) -> dict[str, Any] | None:
        """The contained resource of an id."""
        found = self.message.resource.get("contained")
        for one in found if isinstance(found, list) else ():
            if isinstance(one, dict) and one.get("id") == name and is_name(one.get("resourceType")):
                return one
        return None

    def reference(self, kind: str, found: Any) -> Any:
        """The key of the record of a kind that a Reference names, `None` where it names another kind or nothing.

        What is named by a number or a name alone gives a record of its own, so that it is known by more than its key.
        """
        if not isinstance(found, dict):
            return None
        accepted = KINDS_OF_TYPE.get(kind, (kind,))
        type_, key = self.target(found)
        if key:
            if not type_:
                return f"{kind}/{key}" if key.startswith("urn:") else None
            if type_ not in accepted:
                return None
            if found["reference"][0] == "#":
                self.contained[found["reference"][1:]] = None
            return key
        stated = found.get("type")
        if isinstance(stated, str) and stated not in accepted:
            return None
        return self._logical(kind, found)

    def _logical(self, kind: str, found: dict[str, Any]) -> str | None:
        display = found.get("display")
        name = display if isinstance(display, str) and display else None
        numbers = found.get("identifier")
        if isinstance(numbers, dict) and isinstance(value := numbers.get("value"), str) and value:
            system = numbers.get("system")
            key = f"{kind}?identifier={system if isinstance(system, str) else ''}|{value}"
        elif name and kind in ("Practitioner", "Organization"):
            key = f"{kind}?name={name}"
        else:
            return None
        if kind == "Practitioner":
            self.link(Practitioner(key=key, name=(HumanName(text=name),) if name else UNSET))
        elif kind == "Organization":
            self.link(Organization(key=key, name=name or UNSET))
        elif kind == "Patient" and isinstance(numbers, dict):
            self.numbers[key] = numbers
        return key

    def link(self, record: AnyRecord) -> None:
        """Keep a record of something the resource refers to."""
        self.linked.setdefault((type(record).__name__, record.key), record)


def key_of(resource: dict[str, Any], full_url: str = "") -> str:
    """The key of a resource's record: type and id, else its URL in the bundle, else its first identifier.

    Empty where it has none of them, or an id that is no text: it is known by none of the others when it is mended.
    """
    kind, found = str(resource.get("resourceType")), resource.get("id")
    if isinstance(found, str) and found:
        return f"{kind}/{found}"
    if full_url.startswith("urn:"):
        return f"{kind}/{full_url}"
    if full_url and (tail := literal(full_url, "")[1]):
        return tail
    numbers = resource.get("identifier") if found is None or isinstance(found, str) else None
    for one in numbers if isinstance(numbers, list) else ():
        if isinstance(one, dict) and isinstance(value := one.get("value"), str) and value:
            system = one.get("system")
            return f"{kind}?identifier={system if isinstance(system, str) else ''}|{value}"
    return ""


def literal(text: str, base: str) -> tuple[str, str]:
    """Type and key of a relative or absolute reference; both empty where it is none.

    Args:
        text: Such as `Patient/1`, `Patient/1/_history/2`, `https://his.example.org/fhir/Patient/1` or
            `Patient?identifier=urn:x|1`.
        base: Of the source's own server; empty: any counts as its own.
    """
    path, mark, query = text.partition("?")
    parts = path.rstrip("/").split("/")
    if mark:
        kind = parts[-1]
        return (kind, f"{kind}?{query}") if is_name(kind) else ("", "")
    if "_history" in parts:
        parts = parts[: parts.index("_history")]
    if len(parts) < 2 or not is_name(parts[-2]) or not parts[-1]:
        return "", ""
    kind, own = parts[-2], f"{parts[-2]}/{parts[-1]}"
    if base and "://" in text and "/".join(parts[:-2]) != base:
        return kind, "/".join(parts)
    return kind, own
