"""The core's conformance kit."""

from hcrm_core.testing import strategy_kit

PROGRAMME = """
programmes:
  - id: family-card
    title: {en: Family card, zh: 家庭卡}
    since: 2020-01-01
    currency: CNY
    earn:
      - {id: spend, per: 1000, points: 1, cap: {points: 500, each: month}}
      - {id: large, per: 100000, points: 50, when: amount >= 50000, cap: {points: 2000, each: year}}
    tiers:
      window: 12m
      levels:
        - {id: silver, from: 5}
        - {id: gold, from: 100}
"""

TestKit = strategy_kit(
    "loyalty",
    settings='[loyalty]\nprogrammes = ["programmes/card.yaml"]\n',
    files={"programmes/card.yaml": PROGRAMME},
)
