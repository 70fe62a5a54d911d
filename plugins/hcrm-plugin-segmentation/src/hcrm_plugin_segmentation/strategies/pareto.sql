-- A row a customer with positive revenue in the window: how much it is, and where the customer stands among all.
-- What is measured is revenue: charges less credits and adjustments in one currency; costs are not known here.
-- `in_most`: the smallest set of customers that brings $share_percent of revenue. `in_top`: the $top_percent of
-- customers with the highest revenue, rounded up. Shares are basis points, rounded down.
WITH charge AS (
  SELECT customer_id, charge_item_id, CASE WHEN type = 'CD' THEN -abs(amount) ELSE amount END AS amount
  FROM charge_item
  WHERE occurred_on <= $today
    AND (year(occurred_on) * 12 + month(occurred_on)) * 31 + day(occurred_on)
      > (year($today) * 12 + month($today) - $window_months) * 31 + day($today)
    AND coalesce(type, 'CG') IN ('CG', 'CD', 'AJ')
    AND coalesce(status, '') NOT IN ('aborted', 'entered-in-error')
    AND currency = $currency AND amount IS NOT NULL
),
payer AS (
  SELECT customer_id, CAST(sum(amount) AS BIGINT) AS revenue FROM charge GROUP BY customer_id
),
largest AS (
  SELECT customer_id, charge_item_id,
    row_number() OVER (PARTITION BY customer_id ORDER BY amount DESC, charge_item_id) AS place
  FROM charge
),
placed AS (
  SELECT customer_id, revenue,
    row_number() OVER (ORDER BY revenue DESC, customer_id) AS place,
    count(*) OVER () AS customers,
    CAST(sum(revenue) OVER () AS BIGINT) AS total,
    CAST(sum(revenue) OVER (
      ORDER BY revenue DESC, customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS so_far
  FROM payer
  WHERE revenue > 0
)
SELECT
  placed.customer_id AS subject,
  'revenue' AS score,
  placed.revenue AS value,
  ['charge_item/' || largest.charge_item_id || '#amount'] AS evidence,
  placed.place,
  placed.revenue * 10000 // nullif(placed.total, 0) AS share_bp,
  placed.so_far * 10000 // nullif(placed.total, 0) AS cumulative_bp,
  (placed.so_far - placed.revenue) * 100 < placed.total * $share_percent AS in_most,
  (placed.place - 1) * 100 < placed.customers * $top_percent AS in_top
FROM placed
JOIN largest ON largest.customer_id = placed.customer_id AND largest.place = 1
