-- A row a department: its year to $today, and its follow-up tasks open now; busiest first.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 365) AS days
),
fact AS (
  SELECT
    encounter.department_id,
    CASE WHEN encounter.class = 'AMB' THEN 1 ELSE 0 END AS visits,
    0 AS discharges, 0 AS appointments, 0 AS noshows, 0 AS open
  FROM encounter CROSS JOIN period
  WHERE encounter.started_on >= period.first_day AND encounter.started_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
  UNION ALL
  SELECT encounter.department_id, 0, 1, 0, 0, 0
  FROM encounter CROSS JOIN period
  WHERE encounter.class = 'IMP' AND encounter.ended_on >= period.first_day AND encounter.ended_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
  UNION ALL
  SELECT appointment.department_id, 0, 0, 1, CASE WHEN appointment.status = 'noshow' THEN 1 ELSE 0 END, 0
  FROM appointment CROSS JOIN period
  WHERE appointment.start_on >= period.first_day AND appointment.start_on <= $today
    AND appointment.status IN ('arrived', 'checked-in', 'fulfilled', 'noshow')
  UNION ALL
  SELECT encounter.department_id, 0, 0, 0, 0, 1
  FROM decision_task JOIN encounter ON encounter.encounter_id = decision_task.anchor
  WHERE decision_task.strategy LIKE 'followup%' AND decision_task.state = 'open'
)
SELECT
  coalesce(fact.department_id, '') AS department_id,
  coalesce(max(organization.name), max(organization.code), fact.department_id, '') AS name,
  sum(fact.visits) AS visits,
  sum(fact.discharges) AS discharges,
  sum(fact.appointments) AS appointments,
  sum(fact.noshows) AS noshows,
  sum(fact.open) AS open
FROM fact LEFT JOIN organization ON organization.organization_id = fact.department_id
GROUP BY fact.department_id
ORDER BY sum(fact.visits) + sum(fact.discharges) DESC, department_id
