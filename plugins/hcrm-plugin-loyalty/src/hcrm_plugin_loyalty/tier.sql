-- The tier of everybody who has points in the window: the highest level whose least number of points they reach.
WITH earned AS (
  SELECT customer_id, points_id, points, booked_on
  FROM decision_points
  WHERE strategy = '{strategy}' AND state = 'granted' AND booked_on <= $today
    -- Months are counted as whole numbers: 31 days a month keeps the order of days and needs no date arithmetic.
    AND (year(booked_on) * 12 + month(booked_on)) * 31 + day(booked_on)
      > (year($today) * 12 + month($today) - $window_months) * 31 + day($today)
),
total AS (
  SELECT customer_id, CAST(sum(points) AS BIGINT) AS points FROM earned GROUP BY customer_id
),
largest AS (
  SELECT customer_id, points_id,
    row_number() OVER (PARTITION BY customer_id ORDER BY points DESC, booked_on DESC, points_id) AS place
  FROM earned
)
SELECT
  total.customer_id AS subject,
  CASE
{levels}
  END AS segment,
  ['decision_points/' || largest.points_id || '#points'] AS evidence,
  total.points
FROM total
JOIN largest ON largest.customer_id = total.customer_id AND largest.place = 1
WHERE total.points >= {least}
