"""Finds and starts real PostgreSQL and Valkey, for `make run` and for the tests. Knows nothing of the service."""

from service.embedded.errors import EmbeddedError as EmbeddedError
from service.embedded.local import LocalStack as LocalStack
from service.embedded.ports import free_port as free_port
from service.embedded.ports import is_free as is_free
from service.embedded.postgres import Postgres as Postgres
from service.embedded.private import private_postgres as private_postgres
from service.embedded.private import private_valkey as private_valkey
from service.embedded.valkey import Valkey as Valkey
