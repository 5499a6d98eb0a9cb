"""Runs a private PostgreSQL and a private Valkey, says which processes those are, and does as it is told.

A line `pause` pauses both; the end of the input ends the program.
"""

import json
import sys

from service.embedded import private_postgres, private_valkey
from service.embedded.processes import processes_in


def main():
    with private_postgres() as postgres, private_valkey() as valkey:
        report(sorted(processes_in(postgres.data)), valkey.pid, str(postgres.folder))
        for line in sys.stdin:
            if line.strip() == "pause":
                postgres.pause()
                valkey.pause()
                report(sorted(processes_in(postgres.data)), valkey.pid, str(postgres.folder))


def report(postgres_pids, valkey_pid, folder):
    sys.stdout.write(json.dumps({"postgres": postgres_pids, "valkey": valkey_pid, "folder": folder}) + "\n")
    sys.stdout.flush()


main()
