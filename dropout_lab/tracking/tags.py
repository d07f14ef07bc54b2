"""Names of the tags by which runs are recognised again."""

CONDITION = "dropout_lab.condition"
SEED = "dropout_lab.seed"
START_ID = "dropout_lab.start_id"
RUN_KEY = "dropout_lab.run_key"
PROCESS = "dropout_lab.process"
HEARTBEAT = "dropout_lab.heartbeat"
