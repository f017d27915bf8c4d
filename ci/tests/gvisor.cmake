# SPDX-License-Identifier: GPL-2.0-or-later
#
# Another implementation of the ABI is looked at, and its report says what differs. Takes every CPU.
aio_command_test(gvisor TIMEOUT 300
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/gvisor $<TARGET_FILE:aio-cts>)
set_tests_properties(gvisor PROPERTIES RUN_SERIAL ON)
