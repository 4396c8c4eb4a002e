"""Figures for the town's plan: counts by date, snapshots, indicators."""
