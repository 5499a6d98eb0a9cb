"""Which schema this code expects. Apart from the migrations: to say it, nobody has to import Alembic."""

HEAD = "0009"
"""The newest migration."""
VERSION_TABLE = "aside_schema_version"
"""Its own name: the database may well hold another application's alembic_version."""
