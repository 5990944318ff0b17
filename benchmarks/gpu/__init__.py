"""The papers' size on a GPU machine without network: bundle, run, collect (docs/gpu.md)."""
