-- A row a department and currency: what it performed, or its visits were charged where no performer is said.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 365) AS days
)
SELECT
  coalesce(charge_item.department_id, encounter.department_id, '') AS department_id,
  charge_item.currency,
  sum(
    CASE
      WHEN charge_item.type = 'CD' AND charge_item.amount > 0 THEN -charge_item.amount
      ELSE charge_item.amount
    END
  ) AS revenue
FROM charge_item
CROSS JOIN period
LEFT JOIN encounter ON encounter.encounter_id = charge_item.encounter_id
WHERE charge_item.occurred_on >= period.first_day AND charge_item.occurred_on <= $today
    AND coalesce(charge_item.type, 'CG') IN ('CG', 'CD', 'AJ')
    AND coalesce(charge_item.status, '') NOT IN ('aborted', 'entered-in-error')
    AND charge_item.amount IS NOT NULL AND charge_item.currency IS NOT NULL
GROUP BY coalesce(charge_item.department_id, encounter.department_id, ''), charge_item.currency
ORDER BY department_id, charge_item.currency
