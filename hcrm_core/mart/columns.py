"""How the JSON body of a fact becomes the typed columns of its table, as DuckDB expressions."""

from hcrm_core.mart.made_tables import CALENDAR, CUSTOMER, DECISIONS
from hcrm_core.mart.profile import NAME, PROFILE
from hcrm_core.mart.tables import SQL_TYPES, TABLES, Column, Table
from hcrm_core.model.records import ABOUT_A_PERSON, KINDS


def is_personal(table: Table) -> bool:
    """Whether its rows are about a person and so carry `customer_id` and `patient_id`."""
    return table.kind in ABOUT_A_PERSON


def schema() -> dict[str, dict[str, str]]:
    """Every table and decision view: name → column → SQL type."""
    documented = {"customer": CUSTOMER, NAME: PROFILE, "calendar": CALENDAR} | DECISIONS
    return {table.name: columns_of(table) for table in TABLES} | {
        name: {column: kind for column, kind, _ in rows} for name, rows in documented.items()
    }


def columns_of(table: Table) -> dict[str, str]:
    """The documented columns of a table of facts with their types."""
    found = {table.id: "VARCHAR"}
    if is_personal(table):
        found |= {"customer_id": "VARCHAR", "patient_id": "VARCHAR"}
    found |= {column.name: SQL_TYPES[column.read] for column in table.columns}
    if is_personal(table):
        found |= {"said_at": "TIMESTAMP", "known_at": "TIMESTAMP"}
    return found


def table_query(table: Table, source: str = "fact", further: tuple[str, ...] = ()) -> str:
    """One SELECT that makes a table's rows of facts, in the order in which they are kept.

    Args:
        table: Which.
        source: The relation it reads, with the columns of `refresh.FactRow`.
        further: Columns of `source` to keep beside `valid_from`.
    """
    paths = ["$.status"]
    stands = ["v[1] IS DISTINCT FROM 'entered-in-error'"]
    fields = KINDS[table.kind].__struct_fields__
    if "verification_status" in fields:
        stands.append(f"{_slot('$.verification_status', paths)} IS DISTINCT FROM 'entered-in-error'")
    if "replaced_by" in fields:
        stands.append(f"{_slot('$.replaced_by', paths)} IS NULL")
    columns = [f"fact_id AS {table.id}"]
    if is_personal(table):
        columns += ["customer_id"] if table.id == "patient_id" else ["customer_id", "patient_id"]
    columns += [f"{_expression(column, paths)} AS {column.name}" for column in table.columns]
    if is_personal(table):
        columns += ["make_timestamp(said_at) AS said_at", "make_timestamp(known_at) AS known_at"]
    columns += ["valid_from", *further]
    listed = ", ".join(f"'{path}'" for path in paths)
    order = f"customer_id, {table.id}" if is_personal(table) else table.id
    # One call with all paths parses each body once; a call a column would parse it once a column.
    return (
        f"SELECT {', '.join(columns)} FROM (SELECT *, json_extract_string(body, [{listed}]) AS v FROM {source} "
        f"WHERE kind = '{table.kind}') WHERE {' AND '.join(stands)} ORDER BY {order}"
    )


def text_of(column: Column, paths: list[str]) -> str:
    """The text a column is read from; what it needs of the body is added to `paths`."""
    member = "".join(f'."{part}"' for part in column.member.split("."))
    if column.read in ("code", "system", "display"):
        coding = _slot(f"${member}.{column.read}", paths)
        first = _slot(f"${member}.coding[0].{column.read}", paths)
        return f"coalesce({coding}, {first})"
    return _slot(f"${member}", paths)


def instant(text: str) -> str:
    """A dateTime as UTC TIMESTAMP, NULL unless it has a time; a plain cast would drop the offset."""
    return f"CASE WHEN length({text}) > 10 THEN timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ)) END"


def day(text: str) -> str:
    """The source's own calendar day, NULL unless the date is complete."""
    return f"CASE WHEN length({text}) >= 10 THEN TRY_CAST(left({text}, 10) AS DATE) END"


def _expression(column: Column, paths: list[str]) -> str:
    text = text_of(column, paths)
    match column.read:
        case "instant":
            return instant(text)
        case "day":
            return day(text)
        case "list":
            return f"from_json({text}, '[\"VARCHAR\"]')"
        case "said":
            return f"({text_of(column._replace(read='text'), paths)} IS NOT NULL)"
        case "integer" | "decimal" | "boolean":
            return f"TRY_CAST({text} AS {SQL_TYPES[column.read]})"
        case _:
            return text


def _slot(path: str, paths: list[str]) -> str:
    if path not in paths:
        paths.append(path)
    return f"v[{paths.index(path) + 1}]"
