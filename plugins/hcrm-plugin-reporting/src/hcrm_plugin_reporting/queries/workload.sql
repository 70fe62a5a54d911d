-- A row a day and step: open follow-up tasks due in the 30 days that begin with $today.
WITH ahead AS (
  SELECT max(day) AS last_day
  FROM (SELECT day FROM calendar WHERE day >= $today ORDER BY day LIMIT 30) AS days
)
SELECT decision_task.due_on, coalesce(decision_task.step, '') AS step, count(*) AS tasks
FROM decision_task CROSS JOIN ahead
WHERE decision_task.strategy LIKE 'followup%' AND decision_task.state = 'open'
  AND decision_task.due_on >= $today AND decision_task.due_on <= ahead.last_day
GROUP BY decision_task.due_on, coalesce(decision_task.step, '')
ORDER BY decision_task.due_on, step
