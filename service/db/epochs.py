"""Giving up what is cached, a type or everything, by moving its epoch: the relay tells all caches, in its next poll."""

from __future__ import annotations

from service.db.pool import Database
from service.db.sql import sql

MOST_TYPES = 32
"""The heartbeat names each type that was given up, and comes along with every read."""


class Epochs:
    """Every method may raise UnavailableError, and returns when the new epoch is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_of_type(self, entity_type: str) -> None:
        """Give up one type; or everything, where too many types have been given up since."""
        async with self._database.writing() as connection, connection.transaction():
            await connection.execute(sql("next_epoch_of_type"), entity_type)
            if await connection.fetchval(sql("fold_type_epochs"), MOST_TYPES):
                await connection.execute(sql("relay_next_epoch"))

    async def next_of_all(self) -> None:
        """Give up everything. No type needs an epoch of its own any more: nothing from before has the new label."""
        async with self._database.writing() as connection, connection.transaction():
            await connection.execute(sql("fold_type_epochs"), 0)
            await connection.execute(sql("relay_next_epoch"))

    async def label_of_type(self, entity_type: str) -> bytes:
        """What entries of this type must be labelled with to count, or will have to within B."""
        async with self._database.connection() as connection:
            label: str = await connection.fetchval(sql("label_of_type"), entity_type)
        return label.encode()
