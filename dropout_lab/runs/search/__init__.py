"""Search for the best values of fields: trials by Optuna, then the best one confirmed on fresh seeds."""
