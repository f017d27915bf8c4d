# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shards under the engines that start them. Others that set up contexts would make runs incomplete.
aio_command_test(slurm_runs_shards TIMEOUT 300
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/slurm_runs_shards $<TARGET_FILE:aio-cts>)
aio_command_test(gitlab_runs_shards TIMEOUT 300
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/gitlab_runs_shards $<TARGET_FILE:aio-cts>)
aio_command_test(kubernetes_runs_shards
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/kubernetes_runs_shards $<TARGET_FILE:aio-cts>)
set_tests_properties(slurm_runs_shards gitlab_runs_shards kubernetes_runs_shards
  PROPERTIES RUN_SERIAL ON)
