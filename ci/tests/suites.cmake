# SPDX-License-Identifier: GPL-2.0-or-later
#
# The suites on the running kernel, and the proof that each of their files notices wrong kernels. Tests
# that look at aio-nr want nobody else to set up contexts.
aio_command_test(suites.hold_on_the_running_kernel TIMEOUT 180
  COMMAND $<TARGET_FILE:aio-cts> run --suite all --cases 0)
aio_command_test(suites.hold_in_any_order LABEL nightly TIMEOUT 180
  COMMAND $<TARGET_FILE:aio-cts> run --suite all --cases 0 --gtest shuffle)
aio_command_test(suites.hold_twenty_times LABEL nightly TIMEOUT 3600
  COMMAND $<TARGET_FILE:aio-cts> run --suite all --cases 0 --gtest shuffle,repeat=20)
aio_command_test(suites.hold_on_a_busy_machine LABEL nightly TIMEOUT 1800
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/on_a_busy_machine
          $<TARGET_FILE:aio-cts> run --suite all --cases 0 --gtest repeat=5)
aio_command_test(suites.hold_with_system_changes LABEL nightly TIMEOUT 180
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/with_system_changes $<TARGET_FILE:aio-cts>)
# The gate takes another one of each suite's three each day.
string(TIMESTAMP day "%j" UTC)
math(EXPR third "1${day} % 3")
aio_command_test(suites.find_lies TIMEOUT 600
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/suites_find_lies $<TARGET_FILE:aio-cts> ${third})
aio_command_test(suites.find_all_lies LABEL nightly TIMEOUT 1800
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/suites_find_lies $<TARGET_FILE:aio-cts>)
aio_command_test(suites.cover_what_others_check
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/peers_are_covered $<TARGET_FILE:aio-cts>)
aio_command_test(suites.cover_the_source
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/source_is_covered $<TARGET_FILE:aio-cts>)
set_tests_properties(suites.hold_on_the_running_kernel suites.hold_in_any_order suites.hold_twenty_times
  suites.hold_on_a_busy_machine suites.hold_with_system_changes suites.find_lies suites.find_all_lies PROPERTIES RUN_SERIAL ON)
