"""The pages for staff: log in, write, confirm, watch, report."""
