"""The core's conformance kit, over the plugin's strategies and segments of every kind."""

from hcrm_core.testing import strategy_kit

OWN = """
segments:
  - {id: chronic, title: {en: Chronic, zh: 慢病}, when: chronic_conditions > 0}
  - {id: away, title: {en: Away, zh: 久未就诊}, when: days_since_last_visit > 90 and next_appointment_on is null}
  - {id: stayed, title: {en: Stayed, zh: 住院}, when: "admissions_12m > 0 and revenue_12m > 1000 and currency = 'CNY'"}
  - {id: old, title: {en: Of age, zh: 老年}, when: "age >= 60 and not coalesce(deceased, false)"}
"""

TestKit = strategy_kit("segmentation", settings='[segmentation]\nsegments = ["own.yaml"]\n', files={"own.yaml": OWN})
