-- A row a currency: how unequally revenue is spread over customers with positive revenue, in whole numbers.
-- `top` is the highest fifth, rounded up; `most` the smallest set that brings four fifths; `weighted` the sum
-- of rank times revenue, least first, from which the Gini coefficient follows exactly.
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
    row_number() OVER (PARTITION BY currency ORDER BY revenue, customer_id) AS place,
    count(*) OVER (PARTITION BY currency) AS customers,
    sum(revenue) OVER (PARTITION BY currency) AS total,
    sum(revenue) OVER (
      PARTITION BY currency ORDER BY revenue, customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS so_far
  FROM payer
  WHERE revenue > 0
)
SELECT
  currency,
  count(*) AS customers,
  sum(revenue) AS revenue,
  sum(place * revenue) AS weighted,
  sum(CASE WHEN 5 * (customers - place) < customers THEN 1 ELSE 0 END) AS top_customers,
  sum(CASE WHEN 5 * (customers - place) < customers THEN revenue ELSE 0 END) AS top_revenue,
  sum(CASE WHEN 5 * (total - so_far) < 4 * total THEN 1 ELSE 0 END) AS most_customers
FROM placed
GROUP BY currency
ORDER BY currency
