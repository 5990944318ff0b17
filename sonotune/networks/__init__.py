"""Networks, each with named stages that cover all its parameters."""
