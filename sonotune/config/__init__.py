"""A configuration: checked, completed, and what each job takes from it."""
