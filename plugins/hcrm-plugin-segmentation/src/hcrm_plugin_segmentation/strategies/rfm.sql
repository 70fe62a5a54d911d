-- A row a customer with a visit in the window: recency, frequency and revenue, each in fifths, and the segment they
-- make (the table stands in the README). 5 is best. Every order ends with the customer's id, so ties are stable.
WITH numbered AS (
  -- Days are subtracted by their number in the calendar, since engines disagree on date minus date.
  SELECT day, row_number() OVER (ORDER BY day) AS number FROM calendar
),
visit AS (
  SELECT customer_id, encounter_id, started_on
  FROM encounter
  WHERE started_on <= $today
    -- Months are counted as whole numbers: 31 days a month keeps the order of days and needs no date arithmetic.
    AND (year(started_on) * 12 + month(started_on)) * 31 + day(started_on)
      > (year($today) * 12 + month($today) - $window_months) * 31 + day($today)
    AND coalesce(status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
),
visited AS (
  SELECT customer_id, max(started_on) AS last_on, count(*) AS frequency FROM visit GROUP BY customer_id
),
latest AS (
  SELECT customer_id, encounter_id,
    row_number() OVER (PARTITION BY customer_id ORDER BY started_on DESC, encounter_id) AS place
  FROM visit
),
charge AS (
  -- A credit takes away, whichever sign the source wrote it with.
  SELECT customer_id, charge_item_id, CASE WHEN type = 'CD' THEN -abs(amount) ELSE amount END AS amount
  FROM charge_item
  WHERE occurred_on <= $today
    AND (year(occurred_on) * 12 + month(occurred_on)) * 31 + day(occurred_on)
      > (year($today) * 12 + month($today) - $window_months) * 31 + day($today)
    AND coalesce(type, 'CG') IN ('CG', 'CD', 'AJ')
    AND coalesce(status, '') NOT IN ('aborted', 'entered-in-error')
    AND currency = $currency AND amount IS NOT NULL
),
charged AS (
  SELECT customer_id, CAST(sum(amount) AS BIGINT) AS monetary FROM charge GROUP BY customer_id
),
largest AS (
  SELECT customer_id, charge_item_id,
    row_number() OVER (PARTITION BY customer_id ORDER BY amount DESC, charge_item_id) AS place
  FROM charge
),
measured AS (
  SELECT
    visited.customer_id, latest.encounter_id, largest.charge_item_id, visited.frequency,
    coalesce(charged.monetary, 0) AS monetary,
    now_day.number - last_day.number AS recency
  FROM visited
  JOIN latest ON latest.customer_id = visited.customer_id AND latest.place = 1
  JOIN numbered AS last_day ON last_day.day = visited.last_on
  JOIN numbered AS now_day ON now_day.day = $today
  LEFT JOIN charged ON charged.customer_id = visited.customer_id
  LEFT JOIN largest ON largest.customer_id = visited.customer_id AND largest.place = 1
),
fifths AS (
  SELECT *,
    ntile(5) OVER (ORDER BY recency DESC, frequency, monetary, customer_id) AS r,
    ntile(5) OVER (ORDER BY frequency, recency DESC, monetary, customer_id) AS f,
    ntile(5) OVER (ORDER BY monetary, frequency, recency DESC, customer_id) AS m
  FROM measured
),
valued AS (SELECT *, (f + m + 1) // 2 AS fm FROM fifths)
SELECT
  customer_id AS subject,
  CASE
    WHEN r = 5 AND fm >= 4 THEN 'champions'
    WHEN r >= 3 AND fm >= 4 THEN 'loyal'
    WHEN r >= 4 AND fm >= 2 THEN 'potential_loyalist'
    WHEN r = 5 THEN 'new'
    WHEN r = 4 THEN 'promising'
    WHEN r = 3 AND fm = 3 THEN 'need_attention'
    WHEN r = 3 THEN 'about_to_sleep'
    WHEN fm = 5 THEN 'cannot_lose'
    WHEN fm >= 3 THEN 'at_risk'
    WHEN r = 2 THEN 'hibernating'
    ELSE 'lost'
  END AS segment,
  CASE
    WHEN charge_item_id IS NULL THEN ['encounter/' || encounter_id || '#started_on']
    ELSE ['encounter/' || encounter_id || '#started_on', 'charge_item/' || charge_item_id || '#amount']
  END AS evidence,
  CAST(recency AS INTEGER) AS recency_days,
  CAST(frequency AS INTEGER) AS frequency,
  monetary,
  CAST(r AS INTEGER) AS r,
  CAST(f AS INTEGER) AS f,
  CAST(m AS INTEGER) AS m
FROM valued
