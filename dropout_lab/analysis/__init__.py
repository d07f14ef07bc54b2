"""Turns runs into verdicts, pictures and pages; knows neither Keras nor MLflow nor the spec."""
