# SPDX-License-Identifier: GPL-2.0-or-later
#
# `aio-cts vm` with Debian's kernels under emulation, or as User-mode Linux.
foreach(case runs_on_6_1 runs_on_6_12 qemu_killed_is_no_finding a_campaign_goes_on_in_guests)
  aio_command_test(vm.${case} TIMEOUT 420 COMMAND ${CMAKE_CURRENT_LIST_DIR}/vm ${case})
  set_tests_properties(vm.${case} PROPERTIES LABELS "gate;vm" PROCESSORS 2)
endforeach()
# Guests of one CPU, or none that comes up.
foreach(case a_wrong_kernel_is_noticed a_panic_is_a_finding a_boot_that_the_emulator_stopped_is_made_again wrong_usage
    a_campaign_goes_on_without_what_does_not_boot not_one_that_boots)
  aio_command_test(vm.${case} TIMEOUT 420 COMMAND ${CMAKE_CURRENT_LIST_DIR}/vm ${case})
  set_tests_properties(vm.${case} PROPERTIES LABELS "gate;vm" COST 30)
endforeach()
# They look at all processes of User-mode Linux, so one after the other, beside those before.
foreach(case runs_on_user_mode_linux user_mode_linux_ends_with_its_host a_panic_of_user_mode_linux_is_a_finding)
  aio_command_test(vm.${case} TIMEOUT 420 COMMAND ${CMAKE_CURRENT_LIST_DIR}/vm ${case})
  set_tests_properties(vm.${case} PROPERTIES LABELS "gate;vm" COST 40 RESOURCE_LOCK user_mode_linux)
endforeach()
# Each step of the minimizer is a boot, and a stall is only told by waiting.
foreach(case a_panic_is_minimized a_panic_of_a_guided_run_is_minimized a_stall_is_a_finding
    a_run_that_the_emulator_stopped_is_no_finding a_campaign_looks_for_what_panics_once
    a_campaign_survives_a_loss_of_power shards_of_guests_make_the_whole)
  aio_command_test(vm.${case} TIMEOUT 900 COMMAND ${CMAKE_CURRENT_LIST_DIR}/vm ${case})
  set_tests_properties(vm.${case} PROPERTIES LABELS "nightly;vm" PROCESSORS 2)
endforeach()
