# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests `includes`, `format` and `tidy`. The last two are tied to LLVM 14, whose opinions differ from
# other releases'; where it is missing they are skipped (ci/setup installs it).
find_program(AIO_CLANG_FORMAT clang-format-14)
find_program(AIO_CLANG_TIDY clang-tidy-14)

set(rooms reference fixtures properties suites reports cli)
list(TRANSFORM rooms APPEND /*.h OUTPUT_VARIABLE headers)
list(TRANSFORM rooms APPEND /*.cpp OUTPUT_VARIABLE sources)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${headers})
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${sources})

function(aio_lint name tool)
  if(NOT tool)
    set(ARGN ${CMAKE_COMMAND} -E echo "skipped: LLVM 14 is not installed, run ci/setup")
  endif()
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS gate SKIP_REGULAR_EXPRESSION "^skipped: ")
endfunction()

# A path upwards would walk around the picture.
add_test(NAME includes COMMAND grep -Hn "#include \"[.][.]/" ${headers} ${sources})
set_tests_properties(includes PROPERTIES LABELS gate WILL_FAIL ON
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})

aio_lint(format "${AIO_CLANG_FORMAT}"
  ${AIO_CLANG_FORMAT} --dry-run -Werror ${headers} ${sources})

aio_lint(tidy "${AIO_CLANG_TIDY}"
  ${PROJECT_SOURCE_DIR}/ci/tidy ${PROJECT_BINARY_DIR} ${AIO_CLANG_TIDY})
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
# After those that leave the CPUs to others for most of their time: see ci/test.
set_tests_properties(tidy PROPERTIES PROCESSORS ${cores} TIMEOUT 3600
  DEPENDS "prove.every_lie_and_mutant_is_found;suites.find_lies")
aio_lint(tidy_all "${AIO_CLANG_TIDY}"
  ${PROJECT_SOURCE_DIR}/ci/tidy ${PROJECT_BINARY_DIR} ${AIO_CLANG_TIDY} all)
set_tests_properties(tidy_all PROPERTIES LABELS nightly PROCESSORS ${cores} TIMEOUT 3600)
