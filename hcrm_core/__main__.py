"""`python -m hcrm_core`: the command `hcrm`."""

from hcrm_core.cli import main

main(prog_name="hcrm")
