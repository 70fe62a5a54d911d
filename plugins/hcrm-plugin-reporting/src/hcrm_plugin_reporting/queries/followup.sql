-- One row: the discharges of the 90 days to $today, and how many have a task, only a reason, or neither.
WITH period AS (
  SELECT min(day) AS first_day
  FROM (SELECT day FROM calendar WHERE day <= $today ORDER BY day DESC LIMIT 90) AS days
),
discharge AS (
  SELECT encounter.encounter_id
  FROM encounter CROSS JOIN period
  WHERE encounter.class = 'IMP' AND encounter.ended_on >= period.first_day AND encounter.ended_on <= $today
    AND coalesce(encounter.status, '') NOT IN ('planned', 'cancelled', 'entered-in-error')
),
covered AS (
  SELECT
    anchor,
    max(CASE WHEN state IN ('suppressed', 'withdrawn') THEN 0 ELSE 1 END) AS has_task
  FROM decision_task
  WHERE strategy LIKE 'followup%'
  GROUP BY anchor
)
SELECT
  count(*) AS discharges,
  coalesce(sum(CASE WHEN covered.has_task = 1 THEN 1 ELSE 0 END), 0) AS tasked,
  coalesce(sum(CASE WHEN covered.has_task = 0 THEN 1 ELSE 0 END), 0) AS reasoned,
  coalesce(sum(CASE WHEN covered.has_task IS NULL THEN 1 ELSE 0 END), 0) AS untracked
FROM discharge LEFT JOIN covered ON covered.anchor = discharge.encounter_id
ORDER BY discharges
