"""The official v2-to-FHIR tables in the adapter's own form, and how its mapping stands to them.

`data/official.toml` is written by `bring.py` from a checkout of HL7/v2-to-fhir; `data/departures.toml` says why the
mapping departs where it does; `data/elements.toml` says which FHIR elements the fields of records stand for.
"""
