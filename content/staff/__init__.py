"""Who works with the service: members of staff, their rights, sign-in, the audit trail."""
