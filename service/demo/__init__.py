"""`make demo`: real data through a running service, and what the cache does with it, line by line."""

from service.demo.show import run

__all__ = ["run"]
