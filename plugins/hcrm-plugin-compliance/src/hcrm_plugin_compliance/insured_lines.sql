-- Points on a bill line are refused where an insurer pays it, or may: where the customer has a coverage on that day that
-- is no self-pay plan, or has none at all and $no_coverage_is_self_pay does not say what that means.
--
-- China: 医疗保障基金使用监督管理条例 (State Council Order 735), article 15, bars inducing purchases at the insurance
-- fund's expense. United States: 42 USC 1320a-7a(a)(5) bars inducements to beneficiaries.
WITH line AS (
  SELECT decided.anchor, decided.step, decided.occurrence, charge_item.customer_id, charge_item.encounter_id,
    charge_item.occurred_on
  FROM decided
  JOIN charge_item ON charge_item.charge_item_id = decided.anchor
),
payer AS (
  SELECT line.anchor, line.step, line.occurrence,
    count_if(coverage.plan IS NULL OR coverage.plan NOT IN ({self_pay_plans})) AS insured
  FROM line
  JOIN coverage ON coverage.customer_id = line.customer_id
    -- One that names a visit is that visit's alone; a line that names none may be of any.
    AND (coverage.encounter_id IS NULL OR line.encounter_id IS NULL OR coverage.encounter_id = line.encounter_id)
    AND coalesce(coverage.period_start_on, line.occurred_on) <= line.occurred_on
    AND coalesce(coverage.period_end_on, line.occurred_on) >= line.occurred_on
  GROUP BY line.anchor, line.step, line.occurrence
)
SELECT
  line.anchor,
  line.step,
  line.occurrence,
  'refuse' AS verdict,
  CASE WHEN payer.insured > 0 THEN 'insured line' ELSE 'payer unknown' END AS reason
FROM line
LEFT JOIN payer ON payer.anchor = line.anchor AND payer.step = line.step AND payer.occurrence = line.occurrence
WHERE payer.insured > 0 OR (payer.anchor IS NULL AND NOT $no_coverage_is_self_pay)
