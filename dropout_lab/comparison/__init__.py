"""Compare the runs of an experiment; knows neither Keras nor MLflow nor the spec."""
