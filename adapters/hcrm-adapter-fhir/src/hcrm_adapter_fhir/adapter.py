"""The FHIR adapter: resources, bundles and NDJSON in, records out; servers searched and exported from."""

from collections.abc import Iterator
from typing import Any

from hcrm_adapter_fhir.coverage import Ledger
from hcrm_adapter_fhir.mapping import dates
from hcrm_adapter_fhir.mapping.compiled import plan
from hcrm_adapter_fhir.mapping.translate import Translator
from hcrm_adapter_fhir.mapping.view import Source, View, key_of
from hcrm_adapter_fhir.pull import Puller
from hcrm_adapter_fhir.reader import Message, Unreadable, read, resource_bytes
from hcrm_adapter_fhir.settings import FhirSettings, check
from hcrm_adapter_fhir.splitting import messages
from hcrm_core.api import (
    Adapter,
    HttpRequest,
    HttpResponse,
    InputError,
    Origin,
    Problem,
    Pulled,
    RawField,
    RawMessage,
    Rows,
    SourceSettings,
    Statement,
    Translation,
)

TOO_DEEP = "The message cannot be read: it is nested deeper than any resource is."


class FhirAdapter(Adapter):
    """FHIR R4 (4.0.1) in JSON: single resources, bundles of every type and NDJSON. R4B is read alike."""

    name = "fhir"
    version = "1"
    settings_type = FhirSettings
    file_suffixes = (".json", ".ndjson")
    line_suffixes = (".ndjson",)
    pulls = True

    def __init__(self, source: str, settings: SourceSettings) -> None:
        """Args: source: its name; settings: `FhirSettings`."""
        super().__init__(source, settings)
        assert isinstance(settings, FhirSettings)
        check(settings)
        self._settings = settings
        self._source = Source(
            source,
            settings.timezone,
            settings.currency,
            (settings.url or "").rstrip("/"),
            settings.identifier_types,
            frozenset(settings.referral_codes),
            settings.extensions,
        )
        self._ledger = Ledger(settings.extensions)
        self._puller = Puller(settings)

    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        """Cut a file into messages, one a resource.

        Raises:
            InputError: No resource is in it; the text says what it seems to be.
        """
        return messages(data, name)

    def request(self, position: str) -> HttpRequest:
        """What to ask the server next."""
        return self._puller.request(position)

    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        """Read the server's answer.

        Raises:
            InputError: It is none to the question.
        """
        if not isinstance(response, HttpResponse):
            raise InputError("A FHIR server is asked over HTTP. Give a url that begins with https://")
        return self._puller.answer(position, response)

    def translate(self, payload: bytes) -> Translation:
        """Read and map one resource."""
        try:
            return self._translate(payload, read(payload))
        except Unreadable as error:
            return Translation("", quarantine=Problem("unreadable", "", f"The message cannot be read: {error}."))
        except RecursionError:
            return Translation("", quarantine=Problem("unreadable", "", TOO_DEEP))

    def _translate(self, payload: bytes, message: Message) -> Translation:
        view = self._view(message)
        if view is None:
            return Translation(message.type, quarantine=_without_id(message))
        if self._settings.validate and not message.deleted and plan(message.type) is not None:
            from hcrm_adapter_fhir.validation import findings

            found = findings(message.type, resource_bytes(payload), message.resource)
            if found:
                return Translation(message.type, quarantine=_first_of(found))
        translator = Translator(view)
        translator.run()
        self._warn(view)
        statement = self._statement(view, translator)
        return Translation(
            message_type=message.type,
            statement=statement,
            records=tuple(translator.records.values()),
            complete=tuple(dict.fromkeys(translator.complete)),
            coverage=self._ledger.coverage(message.resource, message.type),
            problems=tuple(view.problems),
        )

    def origins(self, payload: bytes) -> list[Origin]:
        """Where each field of each record came from."""
        try:
            view = self._view(read(payload))
            if view is None:
                return []
            translator = Translator(view, trace=True)
            translator.run()
            return translator.origins or []
        except (Unreadable, RecursionError):
            return []

    def fields(self, payload: bytes) -> list[RawField]:
        """Every filled element."""
        try:
            message = read(payload)
            return self._ledger.fields(message.resource, message.type)
        except (Unreadable, RecursionError):
            return []

    def field_name(self, field: str) -> str | None:
        """What FHIR calls an element, in its own words; asked of `fhir.resources`."""
        from hcrm_adapter_fhir.dictionary import field_name

        return field_name(field)

    def conformance(self, payload: bytes, profile: str | None = None) -> list[Problem] | None:
        """Where a resource breaks FHIR's definition; profiles are not read."""
        from hcrm_adapter_fhir.validation import findings

        if profile is not None:
            return [Problem("not-checked", "", "FHIR profiles are not read yet; leave the profile out.")]
        try:
            message = read(payload)
        except Unreadable as error:
            return [Problem("not-checked", "", f"The message cannot be read: {error}.")]
        if message.deleted or message.type == "Bundle":
            return []
        return findings(message.type, resource_bytes(payload), message.resource)

    def _view(self, message: Message) -> View | None:
        key = message.deleted or key_of(message.resource, message.full_url)
        if not key and plan(message.type) is not None:
            return None
        return View(self._source, message, message.resource, key)

    def _warn(self, view: View) -> None:
        kind = view.message.type
        meta = view.resource.get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        for name, found in (("id", view.resource.get("id")), ("meta.versionId", version)):
            if found is not None and not isinstance(found, str):
                text = "It is no text, as FHIR has it; it was not needed. Have the sender write it in quotes."
                view.report("wrong-type", f"{kind}.{name}", text)
        for name in ("modifierExtension", "implicitRules"):
            if view.resource.get(name):
                text = (
                    "It may change what the resource means and is not understood; the resource was read as it stands."
                )
                view.report("modified", f"{kind}.{name}", text)

    def _statement(self, view: View, translator: Translator) -> Statement:
        message, zone = view.message, self._settings.timezone
        meta = message.resource.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        found = plan(message.type)
        written = message.resource.get(found.written) if found is not None and found.written else None
        said_at = None
        for time in (meta.get("lastUpdated"), message.timestamp, written):
            if isinstance(time, str) and time:
                said_at = dates.microseconds(time, zone)
                if said_at is not None:
                    break
        if said_at is None and (translator.records or translator.complete):
            view.report(
                "no-statement-time",
                f"{message.type}.meta.lastUpdated",
                "Nothing tells when it was said; any dated statement wins over this one. Have the server fill "
                "meta.lastUpdated.",
            )
        return Statement(said_at or 0, _sequence(meta.get("versionId")), rank=int(bool(message.deleted)))


def _without_id(message: Message) -> Problem:
    found = message.resource.get("id")
    if found is None or isinstance(found, str):
        text = "It has no id, no URL in its bundle and no identifier, so nobody could tell what it is about. "
        return Problem("no-id", f"{message.type}.id", f"{text}Have the sender give it an id.")
    text = (
        "Its id is no text, as FHIR has it, so nothing that refers to it finds it. Have the sender write it in quotes."
    )
    return Problem("no-id", f"{message.type}.id", text)


def _sequence(version: Any) -> int:
    plain = isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 10
    return int(version) if plain else -1


def _first_of(found: list[Problem]) -> Problem:
    first = found[0]
    more = f" Beside it {len(found) - 1} more; see hcrm messages conformance." if len(found) > 1 else ""
    return Problem(first.code, first.where, first.text + more)
