-- A row a segment and currency: what its members were charged in the 365 days to $today.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 365) AS days
),
member AS (
  SELECT DISTINCT customer_id, segment FROM decision_segment WHERE strategy = 'rfm' AND segment IS NOT NULL
)
SELECT
  member.segment,
  charge_item.currency,
  sum(
    CASE
      WHEN charge_item.type = 'CD' AND charge_item.amount > 0 THEN -charge_item.amount
      ELSE charge_item.amount
    END
  ) AS revenue
FROM charge_item
CROSS JOIN period
JOIN member ON member.customer_id = charge_item.customer_id
WHERE charge_item.occurred_on >= period.first_day AND charge_item.occurred_on <= $today
    AND coalesce(charge_item.type, 'CG') IN ('CG', 'CD', 'AJ')
    AND coalesce(charge_item.status, '') NOT IN ('aborted', 'entered-in-error')
    AND charge_item.amount IS NOT NULL AND charge_item.currency IS NOT NULL
GROUP BY member.segment, charge_item.currency
ORDER BY member.segment, charge_item.currency
