-- A row a currency and hundredth of its customers with positive revenue, least revenue first.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 365) AS days
),
payer AS (
  SELECT
    charge_item.currency,
    charge_item.customer_id,
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
  GROUP BY charge_item.currency, charge_item.customer_id
),
placed AS (
  SELECT
    currency,
    revenue,
    ntile(100) OVER (PARTITION BY currency ORDER BY revenue, customer_id) AS hundredth
  FROM payer
  WHERE revenue > 0
)
SELECT currency, hundredth, count(*) AS customers, sum(revenue) AS revenue
FROM placed
GROUP BY currency, hundredth
ORDER BY currency, hundredth
