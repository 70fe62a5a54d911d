-- A row a stage and reason: the follow-up tasks of those discharges. Open tasks are overdue, due or later.
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
task AS (
  SELECT
    CASE
      WHEN decision_task.state <> 'open' THEN decision_task.state
      WHEN coalesce(decision_task.window_end, decision_task.due_on) < $today THEN 'overdue'
      WHEN coalesce(decision_task.window_start, decision_task.due_on) <= $today THEN 'due'
      ELSE 'later'
    END AS stage,
    coalesce(decision_task.reason, '') AS reason
  FROM decision_task JOIN discharge ON discharge.encounter_id = decision_task.anchor
  WHERE decision_task.strategy LIKE 'followup%'
)
SELECT stage, reason, count(*) AS tasks
FROM task
GROUP BY stage, reason
ORDER BY stage, tasks DESC, reason
