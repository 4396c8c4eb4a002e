"""What became of a notice: deliveries, batches, recipients, leases, reservations, retention, tallies."""
