"""SELECTs over the table `edge` that use, together, every part that `allowed.toml` allows."""


def each(*expressions: str) -> str:
    """A SELECT of expressions over every row."""
    return (
        f"SELECT id, {', '.join(f'{one} AS c{place}' for place, one in enumerate(expressions))} FROM edge ORDER BY id"
    )


def over(*expressions: str) -> str:
    """A SELECT of aggregates: over groups that hold every kind of value, and over no rows at all."""
    listed = ", ".join(f"{one} AS c{place}" for place, one in enumerate(expressions))
    # By every column: rows that are equal in some alone may come in either order, on either engine.
    order = ", ".join(["i", *(f"c{place}" for place in range(len(expressions)))])
    return (
        f"SELECT i, {listed} FROM edge GROUP BY i UNION ALL SELECT i, {listed} FROM edge WHERE n IS NULL GROUP BY i "
        f"UNION ALL SELECT 99, {listed} FROM edge WHERE id < 0 ORDER BY {order}"
    )


EXAMPLES = {
    "sums": over("count(*)", "sum(n)", "count(n)", "sum(v)", "sum(i)", "sum(DISTINCT i)",
                 "sum(n) // nullif(count(n), 0)",
                 "sum(CASE WHEN b THEN 1 ELSE 0 END)", "count(DISTINCT s)", "count(*) FILTER (WHERE b)",
                 "sum(v) FILTER (WHERE n > 0)"),
    "extremes": over("min(n)", "max(n)", "min(v)", "max(v)", "min(s)", "max(s)", "min(d)", "max(ts)", "min(b)",
                     "max(b)"),
    "truths": over("count_if(b)", "bool_or(b)", "bool_and(b)", "count_if(n > 0 OR b)"),
    "ranks": each("row_number() OVER (ORDER BY n, id)", "rank() OVER (PARTITION BY b ORDER BY n DESC)",
                  "dense_rank() OVER (ORDER BY s)", "ntile(5) OVER (ORDER BY v DESC, id)",
                  "row_number() OVER (ORDER BY d NULLS FIRST, id) * 3000000000",
                  "row_number() OVER (ORDER BY s DESC NULLS FIRST, id)"),
    "neighbours": each("lag(n) OVER (ORDER BY id)", "lag(n, 2, 0) OVER (PARTITION BY b ORDER BY id)",
                       "lead(d) OVER (ORDER BY d, id)", "first_value(s) OVER (PARTITION BY i ORDER BY n, id)",
                       "last_value(s) OVER (PARTITION BY i ORDER BY n, id)",
                       "last_value(n) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)"),
    "frames": each("sum(i) OVER (ORDER BY n, id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", "sum(n) OVER ()",
                   "sum(i) OVER (ORDER BY i RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)",
                   "count(*) OVER (PARTITION BY s)", "max(d) OVER (PARTITION BY b)"),
    "numbers": each("n + i", "n - i", "v * i", "v * v", "-n", "-v", "abs(n)", "abs(v)", "sign(n)", "sign(v) * 300",
                    "n // 2", "n // -7", "-n // 3", "n // nullif(i, 0)", "n % 3", "n % nullif(i, 0)", "v % 7",
                    "v + 1",
                    "n + 0.5", "100 * 1.25", "(n + 1) // 2", "i * i", "id * id", "1.5 - 2", "n + 1 - 1"),
    "conditions": each("CASE WHEN n > 0 THEN 'a' WHEN b THEN 'b' END",
                       "CASE i WHEN 1 THEN 1 WHEN 2 THEN 2.5 ELSE n END",
                       "if(b, n, i)", "coalesce(n, i, 0)", "coalesce(s, t, '')", "nullif(n, 1)", "nullif(s, '')",
                       "least(n, i, 3)", "greatest(n, i)", "least(s, t)", "greatest(d, e)", "greatest(ts, NULL)",
                       "b AND n > 0", "b OR n > 0", "NOT b", "b IS TRUE", "b IS NOT FALSE", "n IS NULL",
                       "n IS NOT NULL"),
    "comparisons": each("n = i", "n <> i", "n > i", "n >= v", "n < v", "v <= i", "s = t", "s < t", "s >= '中'",
    "d = e",
                        "d < ts", "ts >= d", "d >= '2024-02-29'", "n IS DISTINCT FROM i", "s IS NOT DISTINCT FROM t",
                        "n IN (1, 7, NULL)", "n NOT IN (1, 7)", "s IN ('', '　', '中文')", "n BETWEEN -7 AND 7",
                        "d BETWEEN '2024-01-01' AND e", "b = (n > 0)", "l = ['a']",
                        "s = 'a'", "s = ''", "v = 0.5", "n = 7.0"),
    "patterns": each("s LIKE 'a%'", "s LIKE '%\\_%'", "s LIKE '%\\%'", "s LIKE '_'", "s LIKE '%文%'",
                     "s NOT LIKE '%a%'",
                     "s LIKE t", "s LIKE '%''%'", "s LIKE 'a_b%'", "s LIKE ''", "t LIKE '%${env:HOME}%'"),
    "texts": each("lower(s)", "upper(s)", "length(s)", "substring(s, 1, 2)", "substring(s, 3)", "substring(s, 2, 0)",
                  "left(s, 3)", "right(s, 2)", "left(s, 0)", "right(s, 99)", "replace(s, '　', '')",
                  "replace(s, '', 'x')",
                  "replace(s, 'a', t)", "starts_with(s, t)", "starts_with(s, '')", "s || t", "s || n",
                  "'[' || d || ']'",
                  "s || '\\n' || b", "length(s) * 3000000000", "v || ''", "ts || ''", "'O''Neil' || '\\'"),
    "days": each("year(d)", "month(d)", "day(d)", "dayofmonth(ts)", "extract(year FROM ts)", "extract(month FROM d)",
                 "extract(day FROM d)", "year(d) * 12 + month(d)", "year(ts) * 3000000000", "d + 3", "d - 3", "1 + d",
                 "d + i", "d - $days", "CAST(d AS VARCHAR) || 'x'", "DATE '2024-02-29'", "$today", "$as_of"),
    "intervals": "SELECT id, d + INTERVAL 1 MONTH AS a, d - INTERVAL 1 YEAR AS b, d + INTERVAL 3 DAY AS c, "
                 "d + INTERVAL 36 HOUR AS x, ts + INTERVAL 1 MONTH AS e, ts - INTERVAL 90 MINUTE AS f, "
                 "ts + INTERVAL 1 SECOND AS g, INTERVAL 2 DAYS + d AS h, d + INTERVAL '-1' MONTH AS j, "
                 "CAST(d + INTERVAL 1 MONTH AS DATE) + 1 AS k, (d + INTERVAL 1 DAY) || '' AS l "
                 "FROM edge WHERE d > '1900-01-01' AND d < '9000-01-01' ORDER BY id",
    "casts": each("CAST(i AS BIGINT)", "TRY_CAST(v AS INT)", "CAST(-v AS BIGINT)", "TRY_CAST(n AS INT)",
                  "n::DECIMAL(38, 2)",
                  "TRY_CAST(n AS DECIMAL(10, 2))", "CAST(v AS DECIMAL(18, 2))", "CAST(v AS DECIMAL)",
                  "TRY_CAST(s AS DECIMAL(18, 6))", "TRY_CAST(t AS DECIMAL(5, 1))",
                  "TRY_CAST(TRY_CAST(s AS DECIMAL(18, 6)) AS INT)", "CAST(n AS VARCHAR)", "CAST(v AS TEXT)",
                  "CAST(b AS VARCHAR)", "CAST(d AS VARCHAR)", "CAST(ts AS VARCHAR)", "CAST(d AS TIMESTAMP)",
                  "CAST(ts AS DATE)", "CAST('2024-02-29' AS DATE)", "TRY_CAST('2024-02-30' AS DATE)",
                  "CAST($since AS DATE)", "TIMESTAMP '2024-02-29 01:02:03.5'", "CAST('12' AS INT)",
                  "CAST('1.5' AS BIGINT)",
                  "CAST(NULL AS DECIMAL(18, 2))", "CAST([] AS VARCHAR[])", "CAST(l AS VARCHAR[])",
                  "CAST(s AS VARCHAR)",
                  "TRY_CAST('x' AS INT)", "CAST($rate AS DECIMAL(10, 2)) * n"),
    "lists": each("l", "[s, t]", "['charge_item/' || id || '#amount']", "[]", "list_contains(l, 'a')",
                  "list_contains(l, s)", "list_contains(['E11', 'I10'], s)", "CASE WHEN b THEN l ELSE ['x'] END",
                  "[NULL]"),
    "literals": each("NULL", "TRUE", "'${env:HOME} $today :x -- /* */ ;'", "'a\\nb'", "999999999999999999", "0.1",
                     "$text",
                     "$none", "$whole", "$rate", "'\"`'"),
    "joins": "SELECT a.id AS x, b.id AS y, c.s FROM edge AS a JOIN edge AS b ON a.s = b.s AND a.n = b.n "
             "LEFT JOIN edge AS c ON c.id = a.id AND c.b CROSS JOIN (SELECT 1 AS one) AS o ORDER BY x, y, c.s",
    "full join": "SELECT a.id AS x, b.id AS y FROM edge AS a FULL JOIN (SELECT * FROM edge WHERE b) AS b "
                 "ON a.id = b.id + 1 ORDER BY x, y",
    "using": "SELECT id, a.n FROM edge AS a JOIN edge AS b USING (id) ORDER BY id",
    "exists": "SELECT id FROM edge AS a WHERE EXISTS (SELECT 1 FROM edge AS b WHERE b.n = a.i AND b.b) "
              "AND id NOT IN (SELECT i FROM edge WHERE i IS NOT NULL) ORDER BY id",
    "not in": "SELECT id FROM edge WHERE id NOT IN (SELECT i FROM edge) ORDER BY id",
    "scalar": "SELECT id, (SELECT max(n) FROM edge WHERE d <= $today) AS m FROM edge ORDER BY id DESC LIMIT 5 OFFSET 3",
    "sets": "SELECT n FROM edge UNION SELECT i FROM edge EXCEPT SELECT 7 ORDER BY n",
    "all sets": "(SELECT n FROM edge WHERE b INTERSECT SELECT i FROM edge) UNION ALL SELECT n FROM edge ORDER BY n",
    "groups": "SELECT s, t AS other, count(*) AS c FROM edge GROUP BY s, other HAVING count(*) > 0 "
              "ORDER BY s DESC, other",
    "qualify": "SELECT id, s FROM edge QUALIFY row_number() OVER (PARTITION BY s ORDER BY n, id) = 1 ORDER BY id",
    "qualify star": "WITH one AS (SELECT * FROM edge QUALIFY row_number() OVER (PARTITION BY s ORDER BY id) = 1) "
                    "SELECT * FROM one ORDER BY id",
    "stars": "WITH a AS (SELECT edge.*, 1 AS one FROM edge), "
             "b AS (SELECT * FROM a WHERE one = 1) SELECT * FROM b ORDER BY id",
    "distinct": "SELECT DISTINCT s, b FROM edge ORDER BY s, b",
    "values": "SELECT v.x, v.y, edge.id FROM (VALUES (1, 'a'), (-1, NULL)) AS v(x, y) JOIN edge ON edge.n = v.x "
              "ORDER BY v.x, edge.id",
    "order of texts": "SELECT s FROM edge GROUP BY s ORDER BY s",
    "order of everything": "SELECT n, v, d, ts, b FROM edge ORDER BY b DESC, n, v DESC, d, ts",
    "a window over groups": "SELECT i, sum(sum(n)) OVER (ORDER BY i "
                            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS c "
                            "FROM edge GROUP BY i ORDER BY i",
}  # fmt: skip
