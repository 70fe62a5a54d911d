"""Ask servers and databases what adapters want to know: the one place from which HCRM connects to somebody else."""
