"""The steps that bring a database from one version of the code to the next, run by Alembic."""
