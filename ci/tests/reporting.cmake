# SPDX-License-Identifier: GPL-2.0-or-later
# A report as its readers see it.
foreach(case prove_reads_tap python_tap_reads_ktap junit_is_as_its_schema_says page_is_valid page_is_usable signals_are_lavas
    gitlab_takes_the_code_quality kcidb_takes_it)
  aio_command_test(formats.${case}
    COMMAND ci/tests/formats $<TARGET_FILE:aio-cts> ${case})
endforeach()
aio_command_test(formats.kunit_reads_ktap LABEL evidence COMMAND ci/tests/formats $<TARGET_FILE:aio-cts> kunit_reads_ktap)
aio_command_test(bisect.finds_the_commit COMMAND ci/tests/bisect $<TARGET_FILE:aio-cts>)
aio_command_test(gates.are_as_their_readers_want COMMAND ci/tests/gates)
aio_command_test(package.is_as_debian_wants COMMAND ci/tests/package)
aio_command_test(gate.judges_pairs_of_reports COMMAND ci/tests/gate_pairs $<TARGET_FILE:aio-cts>)
