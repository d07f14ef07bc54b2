"""Plans which runs a spec needs and executes each: data, training, tracking."""
