# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shards as the tasks of a Slurm that is started for the test.
aio_command_test(slurm_runs_shards TIMEOUT 300
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/slurm_runs_shards $<TARGET_FILE:aio-cts>)
