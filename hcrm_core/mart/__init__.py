"""The columnar, pseudonymous copy of the facts that strategies and reports read. Only this package knows DuckDB."""
