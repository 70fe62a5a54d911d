"""Run strategies over the mart, keep what they decide, and explain it."""
