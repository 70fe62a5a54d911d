-- Points of one rule of a programme: a row for each charge line that earns some. A line earns by what of it was paid in
-- the end: credits of the same visit and price code take it back, from the last line to the first, whether they are sent
-- as credits or as charges below zero. What the cap leaves of a month's or year's points goes to its first lines.
WITH recent AS (
  -- Only visits with a line since the programme began can earn; older years of bills need not be looked through.
  SELECT DISTINCT coalesce(encounter_id, charge_item_id) AS visit
  FROM charge_item
  WHERE occurred_on >= CAST($since AS DATE)
),
priced AS (
  SELECT customer_id, charge_item_id, occurred_on, occurred_at, coalesce(type, 'CG') AS type, amount,
    recent.visit, coalesce(code, '') AS item
  FROM charge_item
  JOIN recent ON recent.visit = coalesce(charge_item.encounter_id, charge_item.charge_item_id)
  WHERE coalesce(status, '') NOT IN ('aborted', 'entered-in-error') AND currency = $currency
    AND customer_id IS NOT NULL AND amount IS NOT NULL AND coalesce(occurred_on, $today) <= $today
),
line AS (
  SELECT * FROM priced WHERE type = 'CG' AND amount > 0 AND occurred_on IS NOT NULL
),
credit AS (
  SELECT customer_id, visit, item, CAST(sum(abs(amount)) AS BIGINT) AS taken
  FROM priced
  WHERE type = 'CD' OR (type = 'CG' AND amount < 0)
  GROUP BY customer_id, visit, item
),
chosen AS (
  SELECT charge_item_id FROM charge_item
  WHERE (
{when}
  )
),
summed AS (
  SELECT line.*,
    CAST(sum(amount) OVER (PARTITION BY customer_id, visit, item) AS BIGINT) AS charged,
    CAST(sum(amount) OVER (
      PARTITION BY customer_id, visit, item ORDER BY occurred_on, occurred_at, charge_item_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) - amount AS before
  FROM line
),
paid AS (
  SELECT summed.customer_id, summed.charge_item_id, summed.occurred_on,
    greatest(least(summed.amount, summed.charged - coalesce(credit.taken, 0) - summed.before), 0) AS paid
  FROM summed
  LEFT JOIN credit ON credit.customer_id = summed.customer_id AND credit.visit = summed.visit
    AND credit.item = summed.item
),
earned AS (
  SELECT paid.customer_id, paid.charge_item_id, paid.occurred_on, paid.paid // {per} * {points} AS points,
    year(paid.occurred_on) * 12 + {month} AS period
  FROM paid
  JOIN chosen ON chosen.charge_item_id = paid.charge_item_id
  WHERE paid.occurred_on >= CAST($since AS DATE)
),
running AS (
  SELECT earned.*,
    CAST(sum(points) OVER (
      PARTITION BY customer_id, period ORDER BY occurred_on, charge_item_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) - points AS before
  FROM earned
),
capped AS (
  SELECT customer_id, charge_item_id, occurred_on, points AS uncapped,
    greatest(least(points, {cap} - before), 0) AS points
  FROM running
)
SELECT
  customer_id AS subject,
  charge_item_id AS anchor,
  '{rule}' AS step,
  1 AS occurrence,
  '{account}' AS account,
  CAST(points AS BIGINT) AS points,
  occurred_on AS booked_on,
  NULL AS suppressed,
  ['charge_item/' || charge_item_id || '#amount', 'charge_item/' || charge_item_id || '#occurred_on'] AS evidence,
  CAST(uncapped - points AS BIGINT) AS over_the_cap
FROM capped
WHERE points > 0
