"""What the papers, or a study of its own, say of the results: declared as data, then judged."""
