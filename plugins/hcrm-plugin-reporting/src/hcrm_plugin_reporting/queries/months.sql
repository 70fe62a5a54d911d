-- A row a month, oldest first: the month of $today and the 24 before it.
WITH present AS (SELECT month FROM calendar WHERE day = $today),
months AS (
  SELECT DISTINCT calendar.month FROM calendar JOIN present ON calendar.month <= present.month
  ORDER BY calendar.month DESC LIMIT 25
),
numbered AS (SELECT day, month, row_number() OVER (ORDER BY day) AS number FROM calendar),
started AS (
  SELECT
    numbered.month,
    count(DISTINCT encounter.customer_id) AS active,
    sum(CASE WHEN encounter.class = 'AMB' THEN 1 ELSE 0 END) AS visits,
    sum(CASE WHEN encounter.class = 'EMER' THEN 1 ELSE 0 END) AS emergencies,
    sum(CASE WHEN encounter.class = 'IMP' THEN 1 ELSE 0 END) AS admissions
  FROM encounter JOIN numbered ON numbered.day = encounter.started_on
  WHERE encounter.started_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
  GROUP BY numbered.month
),
ended AS (
  SELECT
    leaving.month,
    count(*) AS discharges,
    count(entry.number) AS stays,
    sum(leaving.number - entry.number) AS stay_days
  FROM encounter
  JOIN numbered AS leaving ON leaving.day = encounter.ended_on
  LEFT JOIN numbered AS entry ON entry.day = encounter.started_on AND entry.day <= encounter.ended_on
  WHERE encounter.class = 'IMP' AND encounter.ended_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
  GROUP BY leaving.month
),
booked AS (
  SELECT
    numbered.month,
    count(*) AS appointments,
    sum(CASE WHEN appointment.status = 'noshow' THEN 1 ELSE 0 END) AS noshows
  FROM appointment JOIN numbered ON numbered.day = appointment.start_on
  WHERE appointment.start_on <= $today
    AND appointment.status IN ('arrived', 'checked-in', 'fulfilled', 'noshow')
  GROUP BY numbered.month
)
SELECT
  months.month,
  coalesce(started.active, 0) AS active,
  coalesce(started.visits, 0) AS visits,
  coalesce(started.emergencies, 0) AS emergencies,
  coalesce(started.admissions, 0) AS admissions,
  coalesce(ended.discharges, 0) AS discharges,
  coalesce(ended.stays, 0) AS stays,
  coalesce(ended.stay_days, 0) AS stay_days,
  coalesce(booked.appointments, 0) AS appointments,
  coalesce(booked.noshows, 0) AS noshows
FROM months
LEFT JOIN started ON started.month = months.month
LEFT JOIN ended ON ended.month = months.month
LEFT JOIN booked ON booked.month = months.month
ORDER BY months.month
