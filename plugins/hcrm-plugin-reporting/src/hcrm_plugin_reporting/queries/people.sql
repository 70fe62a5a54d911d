-- A row a year of birth and sex: the customers not known to have died.
SELECT birth_year, coalesce(sex, 'unknown') AS sex, count(*) AS customers
FROM customer
WHERE NOT coalesce(deceased, FALSE)
GROUP BY birth_year, coalesce(sex, 'unknown')
ORDER BY birth_year NULLS FIRST, sex
