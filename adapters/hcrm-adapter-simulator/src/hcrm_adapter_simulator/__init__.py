"""Simulated hospital for HCRM."""
