"""What the jobs of a study read, are set to and make; read while the workflow is parsed."""
