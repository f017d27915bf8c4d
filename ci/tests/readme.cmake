# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands that the documents show are run, so that they stay true. Others that set up contexts at
# the same time would move aio-nr.
aio_command_test(readme TIMEOUT 180
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/readme_commands $<TARGET_FILE:aio-cts>
          README.md CONTRIBUTING.md)
set_tests_properties(readme PROPERTIES RUN_SERIAL ON)
aio_command_test(not_checked_reasons COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/not_checked_reasons)
