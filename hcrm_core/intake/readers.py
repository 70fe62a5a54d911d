"""What a host that reads messages has loaded: an adapter and the plugins that mend its records, and how to ask them."""

from collections.abc import Iterator, Sequence

import msgspec

from hcrm_core.errors import HcrmError, InputError, PluginError
from hcrm_core.hosting.frames import encode
from hcrm_core.hosting.serve import limit_memory
from hcrm_core.intake.said import Teller
from hcrm_core.intake.work import Inspected, Reader, Work
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.examples import Tried, examples_of, failures
from hcrm_core.model.pulling import HttpRequest, HttpResponse, Pulled, SqlQuery
from hcrm_core.model.translation import Origin, Problem, RawMessage, Translation
from hcrm_core.registry.loader import Loader
from hcrm_core.registry.offers import Opening

_SPLIT_MESSAGES = 500
_SPLIT_BYTES = 1 << 20


class Readers:
    """The adapters and transformers this process has loaded."""

    def __init__(self, opening: Opening) -> None:
        """Nothing is loaded yet."""
        self._memory = opening.memory
        self._loader: Loader = opening.loader()
        self._adapters: dict[tuple[str, str], Adapter] = {}
        self._teller = Teller()

    def adapter(self, reader: Reader) -> Adapter:
        """The adapter of a source."""
        key = reader.source, reader.adapter
        if key not in self._adapters:
            self._adapters[key] = self._loader.adapter(reader.plugin, reader.adapter, reader.source)
        return self._adapters[key]

    def translate(self, work: Work) -> list[msgspec.Raw]:
        """Translate messages, each encoded as `said.Told`; whatever a plugin raises or returns amiss becomes a
        quarantine that names it and never the content."""
        adapter = self.adapter(work.reader)
        for plugin in work.reader.transformers:
            self._loader.load(plugin)
        return [self._translate_one(adapter, work.reader, payload) for payload in work.payloads]

    def split(self, work: Work) -> Iterator[list[RawMessage]]:
        """Cut a file into messages.

        Raises:
            InputError: Nothing in it can be a message, or the adapter fails on it.
        """
        (data,) = work.payloads
        # The file itself is held, and read in pieces.
        limit_memory(self._memory + 4 * (len(data) >> 20))
        try:
            yield from self._cut(work, data)
        finally:
            limit_memory(self._memory)

    def beginning(self, work: Work) -> bytes:
        """What the further pieces of a table begin with.

        Raises:
            InputError: Nothing in it can be a message, or the adapter fails on it.
        """
        adapter = self.adapter(work.reader)
        try:
            return adapter.beginning(work.payloads[0], work.file)
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise _unsplit(adapter, error) from error

    def _cut(self, work: Work, data: bytes) -> Iterator[list[RawMessage]]:
        adapter = self.adapter(work.reader)
        cut: list[RawMessage] = []
        size = 0
        try:
            for message in adapter.split(data, work.file):
                cut.append(message)
                size += len(message.payload)
                if len(cut) >= _SPLIT_MESSAGES or size >= _SPLIT_BYTES:
                    yield cut
                    cut, size = [], 0
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise _unsplit(adapter, error) from error
        if cut:
            yield cut

    def inspect(self, work: Work) -> Inspected:
        """Read one message for people to look at.

        Raises:
            PluginError: Reading it fails.
        """
        adapter = self.adapter(work.reader)
        (payload,) = work.payloads
        try:
            fields = [(field, adapter.field_name(field.field)) for field in adapter.fields(payload)]
            translation = adapter.translate(payload)
            origins = adapter.origins(payload)
            for plugin in work.reader.transformers:
                changed = self._transformed(plugin, work.reader, payload, translation)
                origins = _owned(plugin, translation, changed, origins)
                translation = changed
            records = [msgspec.to_builtins(record) for record in translation.records]
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(f"Its adapter fails on it ({type(error).__name__}).") from None
        return Inspected(fields, origins, records)

    def conformance(self, work: Work) -> list[Problem] | None:
        """Hold one message against its standard, or a message profile.

        Raises:
            ConfigurationError: The profile is none.
            PluginError: The adapter fails on it.
        """
        (payload,) = work.payloads
        try:
            return self.adapter(work.reader).conformance(payload, work.profile)
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(f"Its adapter fails on it ({type(error).__name__}).") from None

    def request(self, work: Work) -> HttpRequest | SqlQuery:
        """What to ask next.

        Raises:
            PluginError: The adapter fails.
        """
        try:
            return self.adapter(work.reader).request(work.position)
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise _fails(self.adapter(work.reader), "when it was asked what to pull next", error) from None

    def answer(self, work: Work) -> Pulled:
        """What an answer came to.

        Raises:
            InputError: It is none to the question.
            PluginError: The adapter fails on it.
        """
        adapter = self.adapter(work.reader)
        assert work.answer is not None
        size = len(work.answer.body) if isinstance(work.answer, HttpResponse) else 0
        limit_memory(self._memory + 4 * (size >> 20))
        try:
            return adapter.answer(work.position, work.answer)
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise _fails(adapter, "on an answer to what it asked", error) from None
        finally:
            limit_memory(self._memory)

    def examples(self, work: Work) -> list[Tried]:
        """Try the examples of a source's mapping, on the adapter alone.

        Raises:
            ConfigurationError: An example is not written as one.
            PluginError: The adapter fails on one.
        """
        adapter = self.adapter(work.reader)
        if adapter.settings.mapping is None:
            return []
        tried = []
        for example, where in examples_of(adapter.settings.mapping):
            try:
                translation = adapter.translate(adapter.encoded(example.message))
                tried.append(Tried(example.name, where, tuple(failures(example, translation))))
            except (Exception, SystemExit) as error:
                raise PluginError(f"{where}: the adapter fails on this example ({type(error).__name__}).") from None
        return tried

    def _translate_one(self, adapter: Adapter, reader: Reader, payload: bytes) -> msgspec.Raw:
        who = f"The adapter {adapter.name} {adapter.version}"
        try:
            translation = adapter.translate(payload)
            for plugin in reader.transformers:
                if translation.quarantine is None:
                    who = str(self._loader.known(plugin))
                    translation = self._transformed(plugin, reader, payload, translation)
            return msgspec.Raw(encode(self._teller.tell(translation)))
        except msgspec.DecodeError:
            text = f"{who} gave records that break their definition. The message is kept; report it to its author."
        except BaseException as error:
            text = (
                f"{who} failed on this message ({type(error).__name__}). Report it to its author; the message is kept "
                "and can be replayed."
            )
        return msgspec.Raw(encode(self._teller.tell(failed("adapter-failed", text))))

    def _transformed(self, plugin: str, reader: Reader, payload: bytes, translation: Translation) -> Translation:
        answer = self._loader.answer(
            plugin, "transform_records", source=reader.source, payload=payload, translation=translation
        )
        return translation if answer is None else answer


def _owned(plugin: str, before: Translation, after: Translation, origins: Sequence[Origin]) -> list[Origin]:
    """The origins, where what a plugin has set comes from the plugin."""
    old = {(type(record).__name__, record.key): msgspec.to_builtins(record) for record in before.records}
    own = []
    for record in after.records:
        place = type(record).__name__, record.key
        fields = msgspec.to_builtins(record)
        was = old.get(place, {})
        own += [Origin(*place, name, f"plugin {plugin}") for name in fields if was.get(name) != fields[name]]
    changed = {(origin.kind, origin.key, origin.field) for origin in own}
    return [origin for origin in origins if (origin.kind, origin.key, origin.field) not in changed] + own


def _unsplit(adapter: Adapter, error: BaseException) -> InputError:
    return InputError(f"the adapter {adapter.name} {adapter.version} failed on it ({type(error).__name__})")


def _fails(adapter: Adapter, when: str, error: BaseException) -> PluginError:
    kind = type(error).__name__
    return PluginError(f"The adapter {adapter.name} {adapter.version} fails {when} ({kind}). Report it to its author.")


def failed(code: str, text: str) -> Translation:
    """A translation that quarantines its message."""
    return Translation(message_type="", quarantine=Problem(code, "", text))
