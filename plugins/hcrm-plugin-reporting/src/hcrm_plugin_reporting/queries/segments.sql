-- A row a segment of the RFM strategy: its members.
SELECT segment, count(DISTINCT customer_id) AS customers
FROM decision_segment
WHERE strategy = 'rfm' AND segment IS NOT NULL
GROUP BY segment
ORDER BY customers DESC, segment
