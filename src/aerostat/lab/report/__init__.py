"""The result as one HTML file: headline, table and plots; opens anywhere, loads nothing."""

from aerostat.lab.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
