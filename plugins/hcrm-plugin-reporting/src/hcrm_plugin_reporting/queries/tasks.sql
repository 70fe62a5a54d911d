-- One row: the follow-up tasks open on $today, whatever they hang on. A week runs from Monday to Sunday.
WITH week AS (
  SELECT
    (SELECT max(day) FROM calendar WHERE day <= $today AND weekday = 1) AS monday,
    (SELECT min(day) FROM calendar WHERE day >= $today AND weekday = 7) AS sunday
)
SELECT
  count(*) AS tasks,
  coalesce(sum(CASE WHEN decision_task.state = 'open' THEN 1 ELSE 0 END), 0) AS open,
  coalesce(sum(CASE
    WHEN decision_task.state = 'open' AND decision_task.due_on >= week.monday
      AND decision_task.due_on <= week.sunday
    THEN 1 ELSE 0 END), 0) AS this_week,
  coalesce(sum(CASE
    WHEN decision_task.state = 'open' AND coalesce(decision_task.window_end, decision_task.due_on) < $today
    THEN 1 ELSE 0 END), 0) AS overdue
FROM decision_task CROSS JOIN week
WHERE decision_task.strategy LIKE 'followup%'
ORDER BY tasks
