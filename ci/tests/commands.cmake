# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command from outside: exit codes, what it writes, and what it leaves behind. They look at aio-nr
# and at the files of other runs, so each runs alone.
foreach(case same_seed_same_programs a_lie_is_reported a_call_that_hangs_is_reported
        rules_of_another_release_are_noticed an_honest_kernel_conforms interrupt_leaves_a_report_and_nothing_else kill_leaves_nothing_behind
        others_who_use_aio_are_no_divergence bad_input_exits_two probe_is_quick_and_leaves_nothing
        lost_output_is_no_success bench_prints_its_numbers a_corpus_grows_and_is_read
        guided_shards_make_the_whole a_corpus_that_cannot_be_read_exits_two a_guided_run_reports_a_lie)
  aio_command_test(commands.${case}
    COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/commands $<TARGET_FILE:aio-cts> ${case})
  set_tests_properties(commands.${case} PROPERTIES RUN_SERIAL ON)
endforeach()
aio_command_test(commands.shards_make_the_whole TIMEOUT 300
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/shards_make_the_whole $<TARGET_FILE:aio-cts>)
aio_command_test(commands.merge_loses_nothing
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/merge_loses_nothing $<TARGET_FILE:aio-cts>)
aio_command_test(commands.campaign_goes_on TIMEOUT 400
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/campaign_goes_on $<TARGET_FILE:aio-cts>)
aio_command_test(commands.merge_at_scale LABEL evidence TIMEOUT 1200
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/merge_at_scale $<TARGET_FILE:aio-cts>)
