-- A row a kind of fact: how many, and the days (UTC) a source last spoke of one and HCRM last heard of one.
SELECT fact, count(*) AS facts, CAST(max(said_at) AS DATE) AS said_on, CAST(max(known_at) AS DATE) AS known_on
FROM (
  SELECT 'customer' AS fact, said_at, known_at FROM customer
  UNION ALL
  SELECT 'encounter', said_at, known_at FROM encounter
  UNION ALL
  SELECT 'appointment', said_at, known_at FROM appointment
  UNION ALL
  SELECT 'charge_item', said_at, known_at FROM charge_item
) AS heard
GROUP BY fact
ORDER BY fact
