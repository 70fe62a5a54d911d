"""Which of the two ways a source is asked."""

from hcrm_adapter_fhir.pull.export import Export
from hcrm_adapter_fhir.pull.search import Search
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import ConfigurationError, HttpRequest, HttpResponse, Pulled


class Puller:
    """Asks as the settings say."""

    def __init__(self, settings: FhirSettings) -> None:
        """Nothing is asked yet."""
        base = (settings.url or "").rstrip("/")
        self._base = base
        self._way: Search | Export = (
            Search(base, settings.search) if settings.method == "search" else Export(base, settings.export)
        )

    def request(self, position: str) -> HttpRequest:
        """The next question.

        Raises:
            ConfigurationError: There is no server to ask.
        """
        if not self._base.startswith(("https://", "http://")):
            raise ConfigurationError(
                "url: give the base address of the FHIR server, as in https://his.example.org/fhir."
            )
        return self._way.request(position)

    def answer(self, position: str, response: HttpResponse) -> Pulled:
        """What an answer, or a piece of one, comes to.

        Raises:
            InputError: It is none to the question.
        """
        return self._way.answer(position, response)
