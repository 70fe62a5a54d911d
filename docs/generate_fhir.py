"""The page of what the adapter for FHIR reads; `generate.py` beside this writes it."""

from typing import Any

import generate_text as words
import msgspec


def fhir() -> str:
    from hcrm_adapter_fhir.adapter import FhirAdapter
    from hcrm_adapter_fhir.mapping.makers import MAKERS, READ
    from hcrm_adapter_fhir.mapping.tables import bindings, identifiers, referrals, resources
    from hcrm_adapter_fhir.settings import ExportSettings, FhirSettings, SearchSettings

    tables = resources()
    parts = [
        "# FHIR\n",
        f"What the adapter `fhir` reads: {words.doc(FhirAdapter)}\n",
        f"Files: {words.codes(FhirAdapter.file_suffixes, sort=False)}; in {words.codes(FhirAdapter.line_suffixes)} a "
        "line is a resource, and the file may be of any length. One resource is one message; why, and what an element "
        "that is not there says, tells [record 24](../adr/0024-a-resource-is-a-message.md).\n",
        "Resources of types that are not listed here are read without records and counted in the coverage.\n",
        "## Which resource gives which record\n",
    ]
    rows = []
    for name, rule in tables.items():
        if rule.part_of:
            continue
        kind = name if rule.kind is None else rule.kind
        void = "; ".join(f"`{element}` {words.codes(codes)}" for element, codes in rule.void.items())
        more = " ".join(words.first(make) for make in MAKERS.get(name, ()))
        written = f"`{rule.written}`" if rule.written else ""
        rows.append((f"[{name}](#{name.lower()})", kind, void, written, more))
    parts.append(words.table(("resource", "record", "holds no more where", "else written at", "and"), rows))
    parts.append(
        "*Holds no more where*: with these codes the record is left out, and what an earlier version said is void. "
        "*Else written at*: the statement time is `meta.lastUpdated`, else `Bundle.timestamp` or the server's "
        "`response.lastModified`, else this element, else it is reported as `no-statement-time`.\n"
    )
    parts.append("## Which element goes where\n")
    for name, rule in tables.items():
        kind = name if rule.kind is None else rule.kind
        title = f"### {name}\n\n"
        about = f"Part of `{rule.part_of}`. " if rule.part_of else ""
        about += f"Record: `{kind}`.\n\n" if kind else "No record of its own.\n\n"
        rows = [
            (f"`{field}`", ", else ".join(f"`{path}`" for path in one.paths), one.datatype, _binding(one.codes))
            for field, one in rule.fields.items()
        ]
        rows += [(f"`{field}`", f"always `{_said(value)}`", "", "") for field, value in rule.says.items()]
        body = words.table(("field", "element", "read as", "codes"), rows) if rows else ""
        extra = READ.get(name)
        if extra:
            body += f"\nAlso read: {words.codes(extra, sort=False)}.\n"
        if rule.ignored:
            body += f"\nKnown and not read: {words.codes(rule.ignored)}.\n"
        parts.append(title + about + body)
    parts.append(
        "## Validation\n\n`validate = true` and `hcrm messages conformance` hold resources against `fhir.resources`, "
        "which has R4B and no R4; for the types listed here the two agree, which HL7's own R4 examples show. It does "
        "not check codes: the value sets below are checked beside it. Profiles are not read.\n"
    )
    parts.append(
        "## Codes\n\nValue sets that FHIR requires. Without `validate` a code that is not among them is left out of "
        "the record and reported; with it the resource is quarantined.\n"
    )
    for name, binding in bindings().items():
        parts.append(
            f"### {name}\n\n`{binding.url}`\n\nCodes: {words.codes(sorted(binding.codes))}. "
            f"Elements: {words.codes(binding.elements, sort=False)}.\n"
        )
    rows = [(f"`{system}`", f"`{code}`") for system, code in identifiers().systems.items()]
    rows += [(f"`{code}` of CV02.01.101", f"`{kind}`") for code, kind in identifiers().documents.items()]
    parts.append(
        "## Identifiers of people\n\nAn identifier's type is its code of HL7 table 0203; else what its system, or the "
        "code of a Chinese identity document, is known to be; else the code sent. One without a system is the source's "
        "own and links two patients only where name and birth date agree.\n\n"
        + words.table(("system or code", "type"), rows)
    )
    parts.append(f"## Referrals\n\nCodes that make a ServiceRequest a referral: {words.codes(sorted(referrals()))}.\n")
    parts.append("## Settings\n")
    for title, struct in (
        ("`[sources.NAME]`", FhirSettings),
        ("`[sources.NAME.search]`", SearchSettings),
        ("`[sources.NAME.export]`", ExportSettings),
    ):
        parts.append(f"### {title}\n\n" + words.table(("key", "default", "meaning"), _settings(struct)))
    return "\n".join(parts)


def _settings(struct: Any) -> list[tuple[str, str, str]]:
    meanings = words.attributes(struct)
    rows = []
    for one in msgspec.structs.fields(struct):
        if one.name in meanings and one.name not in ("search", "export"):
            default = one.default if one.default is not msgspec.NODEFAULT else None
            shown = ", ".join(default) if isinstance(default, tuple) else default
            rows.append((f"`{one.name}`", "" if shown in (None, "", {}) else f"`{_said(shown)}`", meanings[one.name]))
    return rows


def _binding(name: str | None) -> str:
    return f"[{name}](#{name})" if name else ""


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
