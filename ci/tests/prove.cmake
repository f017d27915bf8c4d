# SPDX-License-Identifier: GPL-2.0-or-later
#
# The proof that faults are noticed, and that the honest kernel is found conforming. Both need the
# machine to themselves. The gate takes another seed each day and prints it. Racing lies (race_*) have
# tests of their own, properties/free_campaign_test.cpp.
string(TIMESTAMP day "%j" UTC)

aio_command_test(prove.every_lie_and_mutant_is_found TIMEOUT 1200
  COMMAND ${PROJECT_SOURCE_DIR}/ci/tests/prove_side_by_side $<TARGET_FILE:aio-cts> prove --seed ${day} --tries 2
          --hang-time 0.5 --without race_)
aio_command_test(prove.with_five_seeds LABEL nightly TIMEOUT 5400
  COMMAND $<TARGET_FILE:aio-cts> prove --seed 1 --seeds 5 --tries 2 --hang-time 0.5 --without race_)
aio_command_test(conform.running_kernel TIMEOUT 120
  COMMAND $<TARGET_FILE:aio-cts> run --seed ${day} --time 15)
aio_command_test(conform.on_a_disk_file_system LABEL nightly TIMEOUT 120
  COMMAND $<TARGET_FILE:aio-cts> run --seed ${day} --time 10 --dir /var/tmp)
set_tests_properties(prove.every_lie_and_mutant_is_found prove.with_five_seeds conform.running_kernel
  conform.on_a_disk_file_system PROPERTIES RUN_SERIAL TRUE)
