"""What surrounds a job: records, files, locks, GPUs, checkpoints, fingerprints."""
