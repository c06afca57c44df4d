"""Runs the host: `python3 -I -S <this folder> [--warm | serve … | wait …]`."""

from ebb_host.main import main

main()
