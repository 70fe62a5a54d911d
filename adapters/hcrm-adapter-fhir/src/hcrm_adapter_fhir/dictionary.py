"""What FHIR calls elements: the short titles of the resource definitions in `fhir.resources`."""

from functools import cache


@cache
def field_name(path: str) -> str | None:
    """The title of a resource's own element (`Patient.birthDate`); `None` where it has none."""
    from hcrm_adapter_fhir.validation import model_of

    kind, _, name = path.partition(".")
    model = model_of(kind) if kind.isidentifier() else None
    if model is None or not name:
        return None
    return next(
        (str(field.title) for field in model.model_fields.values() if field.alias == name and field.title), None
    )
