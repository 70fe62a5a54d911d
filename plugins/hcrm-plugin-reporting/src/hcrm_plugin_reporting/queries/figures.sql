-- One row: customers known, and what the 365 days to $today held.
-- Days of stay are counted along the calendar, since engines disagree on date subtraction.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 365) AS days
),
numbered AS (SELECT day, row_number() OVER (ORDER BY day) AS number FROM calendar),
people AS (
  SELECT
    count(*) AS customers,
    coalesce(sum(CASE WHEN deceased THEN 1 ELSE 0 END), 0) AS deceased
  FROM customer
),
started AS (
  SELECT
    count(DISTINCT encounter.customer_id) AS active,
    coalesce(sum(CASE WHEN encounter.class = 'AMB' THEN 1 ELSE 0 END), 0) AS visits,
    coalesce(sum(CASE WHEN encounter.class = 'EMER' THEN 1 ELSE 0 END), 0) AS emergencies,
    coalesce(sum(CASE WHEN encounter.class = 'IMP' THEN 1 ELSE 0 END), 0) AS admissions
  FROM encounter CROSS JOIN period
  WHERE encounter.started_on >= period.first_day AND encounter.started_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
),
ended AS (
  SELECT
    count(*) AS discharges,
    count(entry.number) AS stays,
    coalesce(sum(leaving.number - entry.number), 0) AS stay_days
  FROM encounter
  CROSS JOIN period
  JOIN numbered AS leaving ON leaving.day = encounter.ended_on
  LEFT JOIN numbered AS entry ON entry.day = encounter.started_on AND entry.day <= encounter.ended_on
  WHERE encounter.class = 'IMP' AND encounter.ended_on >= period.first_day AND encounter.ended_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
),
booked AS (
  SELECT
    count(*) AS appointments,
    coalesce(sum(CASE WHEN appointment.status = 'noshow' THEN 1 ELSE 0 END), 0) AS noshows
  FROM appointment CROSS JOIN period
  WHERE appointment.start_on >= period.first_day AND appointment.start_on <= $today
    AND appointment.status IN ('arrived', 'checked-in', 'fulfilled', 'noshow')
)
SELECT
  period.first_day, people.customers, people.deceased, started.active, started.visits, started.emergencies,
  started.admissions, ended.discharges, ended.stays, ended.stay_days, booked.appointments, booked.noshows
FROM period CROSS JOIN people CROSS JOIN started CROSS JOIN ended CROSS JOIN booked
ORDER BY period.first_day
