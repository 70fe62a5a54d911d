-- One row a customer: who it is, and what came to pass, counted from $today. Read tables are aggregated by customer
-- before they are joined. The latest of several rows is the greatest of (day, time, id) written as one text, since
-- that takes one pass where a window would sort everything.
WITH visit AS (
  SELECT customer_id, encounter_id, class, status, started_on, ended_on, department_id, payer_class,
    started_on > CAST($today - INTERVAL 1 YEAR AS DATE) AS within,
    CAST(started_on AS VARCHAR) || coalesce(left(CAST(started_at AS VARCHAR), 19), '0000-00-00 00:00:00') AS place
  FROM encounter
  WHERE customer_id IS NOT NULL AND started_on <= $today
    AND coalesce(status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
),
visited AS (
  SELECT customer_id,
    count(*) AS visits,
    count(CASE WHEN within THEN 1 END) AS visits_12m,
    count(CASE WHEN within AND class = 'IMP' THEN 1 END) AS admissions_12m,
    count(CASE WHEN within AND class = 'EMER' THEN 1 END) AS emergencies_12m,
    count(CASE WHEN class = 'IMP' AND status = 'in-progress' THEN 1 END) AS stays,
    min(started_on) AS first_visit_on,
    max(started_on) AS last_visit_on,
    max(CASE WHEN class = 'IMP' THEN started_on END) AS last_admission_on,
    max(CASE WHEN class = 'IMP' AND ended_on <= $today THEN ended_on END) AS last_discharge_on,
    min(place || encounter_id) AS first_visit,
    max(place || encounter_id) AS last_visit,
    max(CASE WHEN class = 'IMP' THEN place || encounter_id END) AS last_admission,
    max(place || department_id) AS last_department,
    max(place || payer_class) AS last_payer
  FROM visit
  GROUP BY customer_id
),
-- The number of a day: years begin in March, so that a leap day is the last of its year.
marched AS (
  SELECT customer_id,
    (month(last_visit_on) + 9) % 12 AS m, day(last_visit_on) AS d,
    CASE WHEN month(last_visit_on) < 3 THEN year(last_visit_on) - 1 ELSE year(last_visit_on) END AS y,
    (month($today) + 9) % 12 AS now_m, day($today) AS now_d,
    CASE WHEN month($today) < 3 THEN year($today) - 1 ELSE year($today) END AS now_y
  FROM visited
),
passed AS (
  SELECT customer_id,
    (365 * now_y + now_y // 4 - now_y // 100 + now_y // 400 + (153 * now_m + 2) // 5 + now_d)
      - (365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + d) AS days
  FROM marched
),
booking AS (
  SELECT customer_id,
    count(CASE WHEN status = 'noshow' AND start_on <= $today
      AND start_on > CAST($today - INTERVAL 1 YEAR AS DATE) THEN 1 END) AS no_shows_12m,
    max(CASE WHEN status = 'noshow' AND start_on <= $today
      THEN CAST(start_on AS VARCHAR) || appointment_id END) AS last_no_show,
    min(CASE WHEN start_on >= $today AND coalesce(status, '') IN
      ('', 'proposed', 'pending', 'booked', 'arrived', 'checked-in')
      THEN CAST(start_on AS VARCHAR) || appointment_id END) AS next_appointment,
    min(CASE WHEN start_on >= $today AND coalesce(status, '') IN
      ('', 'proposed', 'pending', 'booked', 'arrived', 'checked-in')
      THEN start_on END) AS next_appointment_on
  FROM appointment
  WHERE customer_id IS NOT NULL
  GROUP BY customer_id
),
-- Of several currencies the one of the most lines counts: amounts of two cannot be added.
charged AS (
  SELECT customer_id, currency, count(*) AS lines,
    -- A credit takes away, whichever sign the source wrote it with.
    sum(CASE WHEN type = 'CD' THEN -abs(amount) ELSE amount END) AS revenue,
    max(CAST(occurred_on AS VARCHAR) || charge_item_id) AS last_charge
  FROM charge_item
  WHERE customer_id IS NOT NULL AND amount IS NOT NULL AND currency IS NOT NULL
    AND occurred_on <= $today AND occurred_on > CAST($today - INTERVAL 1 YEAR AS DATE)
    AND coalesce(type, 'CG') IN ('CG', 'CD', 'AJ')
    AND coalesce(status, '') NOT IN ('aborted', 'entered-in-error')
  GROUP BY customer_id, currency
),
paid AS (
  SELECT customer_id, currency, revenue, last_charge,
    row_number() OVER (PARTITION BY customer_id ORDER BY lines DESC, currency) AS place
  FROM charged
),
ill AS (
  SELECT customer_id,
    max(CASE WHEN left(code, 3) BETWEEN 'I10' AND 'I15' THEN 1 ELSE 0 END) AS hypertension,
    max(CASE WHEN left(code, 3) BETWEEN 'E10' AND 'E14' THEN 1 ELSE 0 END) AS diabetes,
    max(CASE WHEN left(code, 3) BETWEEN 'I20' AND 'I25' THEN 1 ELSE 0 END) AS heart,
    max(CASE WHEN left(code, 3) BETWEEN 'I60' AND 'I69' THEN 1 ELSE 0 END) AS stroke,
    max(CASE WHEN left(code, 3) = 'J44' THEN 1 ELSE 0 END) AS lung,
    max(CASE WHEN left(code, 3) = 'N18' THEN 1 ELSE 0 END) AS kidney,
    max(coalesce(CAST(recorded_on AS VARCHAR), '0000-00-00') || condition_id) AS last_chronic
  FROM condition
  WHERE customer_id IS NOT NULL AND (left(code, 3) BETWEEN 'I10' AND 'I15' OR left(code, 3) BETWEEN 'E10' AND 'E14'
    OR left(code, 3) BETWEEN 'I20' AND 'I25' OR left(code, 3) BETWEEN 'I60' AND 'I69'
    OR left(code, 3) IN ('J44', 'N18'))
  GROUP BY customer_id
)
SELECT
  customer.*,
  $today AS today,
  year($today) - customer.birth_year AS age,
  coalesce(visited.visits, 0) AS visits,
  coalesce(visited.visits_12m, 0) AS visits_12m,
  coalesce(visited.admissions_12m, 0) AS admissions_12m,
  coalesce(visited.emergencies_12m, 0) AS emergencies_12m,
  coalesce(booking.no_shows_12m, 0) AS no_shows_12m,
  coalesce(paid.revenue, 0) AS revenue_12m,
  paid.currency,
  visited.first_visit_on,
  visited.last_visit_on,
  passed.days AS days_since_last_visit,
  visited.last_admission_on,
  visited.last_discharge_on,
  coalesce(visited.stays, 0) > 0 AS in_hospital,
  booking.next_appointment_on,
  substring(visited.last_department, 30) AS last_department_id,
  coalesce(organization.name, organization.code) AS last_department,
  substring(visited.last_payer, 30) AS payer_class,
  coalesce(ill.hypertension, 0) = 1 AS hypertension,
  coalesce(ill.diabetes, 0) = 1 AS diabetes,
  coalesce(ill.hypertension + ill.diabetes + ill.heart + ill.stroke + ill.lung + ill.kidney, 0) AS chronic_conditions,
  substring(visited.first_visit, 30) AS first_visit_id,
  substring(visited.last_visit, 30) AS last_visit_id,
  substring(visited.last_admission, 30) AS last_admission_id,
  substring(booking.last_no_show, 11) AS last_no_show_id,
  substring(booking.next_appointment, 11) AS next_appointment_id,
  substring(paid.last_charge, 11) AS last_charge_id,
  substring(ill.last_chronic, 11) AS last_chronic_id
FROM customer
LEFT JOIN visited ON visited.customer_id = customer.customer_id
LEFT JOIN passed ON passed.customer_id = customer.customer_id
LEFT JOIN booking ON booking.customer_id = customer.customer_id
LEFT JOIN paid ON paid.customer_id = customer.customer_id AND paid.place = 1
LEFT JOIN ill ON ill.customer_id = customer.customer_id
LEFT JOIN organization ON organization.organization_id = substring(visited.last_department, 30)
