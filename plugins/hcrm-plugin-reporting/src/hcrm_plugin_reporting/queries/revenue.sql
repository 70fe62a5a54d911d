-- A row a currency, most lines first: charges less credits of the year to $today; payments are not revenue.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 365) AS days
)
SELECT
  charge_item.currency,
  count(*) AS items,
  count(DISTINCT charge_item.customer_id) AS customers,
  sum(
    CASE
      WHEN charge_item.type = 'CD' AND charge_item.amount > 0 THEN -charge_item.amount
      ELSE charge_item.amount
    END
  ) AS revenue
FROM charge_item CROSS JOIN period
WHERE charge_item.occurred_on >= period.first_day AND charge_item.occurred_on <= $today
    AND coalesce(charge_item.type, 'CG') IN ('CG', 'CD', 'AJ')
    AND coalesce(charge_item.status, '') NOT IN ('aborted', 'entered-in-error')
    AND charge_item.amount IS NOT NULL AND charge_item.currency IS NOT NULL
GROUP BY charge_item.currency
ORDER BY items DESC, charge_item.currency
