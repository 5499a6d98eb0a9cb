-- schema_revision: what the migrations have brought this database to.
SELECT version_num FROM aside_schema_version
