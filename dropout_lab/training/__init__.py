"""Training: loop, engines, checkpoints, devices and prediction."""
