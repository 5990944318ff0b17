"""Analysis: averages over folds, tables and figures."""
