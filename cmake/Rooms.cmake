# SPDX-License-Identifier: GPL-2.0-or-later
#
# aio_room(<room> [ROOMS <room>...] [NEEDS <library>...])
#
# Library aio_<room> from the sources in <room>/ and below. Headers are included as "<room>/x.h".
# Each room has an include folder of its own in the build tree that holds one link to the room, and
# only those who link to the room search it: an include the picture does not allow is not found.
#
# Tests are *_test.cpp beside the code. They make the program <room>_test, label gate;
# *_nightly_test.cpp and *_evidence_test.cpp make programs and labels of their own. Tests run in the
# top folder of the sources. A suite named ...Alone runs while no other test does: aio-nr, say, is
# the whole machine's.
include(GoogleTest)

# Tests are many and short, as are commands: how fast they are built counts, how fast they are does not.
set(AIO_TEST_FLAGS "" CACHE STRING "Options of the compiler for tests, the suites included")
separate_arguments(AIO_TEST_FLAGS)

function(aio_built_fast target)
  target_compile_options(${target} PRIVATE ${AIO_TEST_FLAGS})
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

# Many files in one object take a third of the time, where all of them are to be built. Names in anonymous namespaces
# of a room must differ then.
option(AIO_AT_ONCE "Build many files in one object" OFF)

function(aio_built_at_once target)
  if(AIO_AT_ONCE)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

function(aio_room room)
  cmake_parse_arguments(ARG "" "" "ROOMS;NEEDS" ${ARGN})
  list(TRANSFORM ARG_ROOMS PREPEND aio_)

  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${room}/*_test.cpp)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${room}/*.cpp)
  list(REMOVE_ITEM sources ${tests} ${PROJECT_SOURCE_DIR}/cli/main.cpp)

  set(include_dir ${PROJECT_BINARY_DIR}/include-${room})
  file(MAKE_DIRECTORY ${include_dir})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${room} ${include_dir}/${room} SYMBOLIC)

  # A room of headers alone, or one that is still empty, has nothing to archive.
  set(kind STATIC)
  set(scope PUBLIC)
  if(NOT sources)
    set(kind INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(aio_${room} ${kind} ${sources})
  target_include_directories(aio_${room} ${scope} ${include_dir})
  target_link_libraries(aio_${room} ${scope} aio_base ${ARG_ROOMS} ${ARG_NEEDS})

  if(BUILD_TESTING)
    set(nightly ${tests})
    list(FILTER nightly INCLUDE REGEX "_nightly_test\\.cpp$")
    set(evidence ${tests})
    list(FILTER evidence INCLUDE REGEX "_evidence_test\\.cpp$")
    list(REMOVE_ITEM tests ${nightly} ${evidence})
    aio_room_test(${room} ${room}_test gate 60 ${tests})
    aio_room_test(${room} ${room}_nightly_test nightly 3600 ${nightly})
    aio_room_test(${room} ${room}_evidence_test evidence 3600 ${evidence})
  endif()
endfunction()

function(aio_room_test room program label timeout_s)
  if(NOT ARGN)
    return()
  endif()
  add_executable(${program} ${ARGN})
  target_link_libraries(${program} PRIVATE aio_${room} GTest::gtest_main rapidcheck)
  aio_built_fast(${program} <gtest/gtest.h> <fmt/format.h>)
  aio_built_at_once(${program})
  set(discovery
    TEST_PREFIX ${room}.
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${label} TIMEOUT ${timeout_s})
  gtest_discover_tests(${program} TEST_FILTER -*Alone.* ${discovery})
  gtest_discover_tests(${program} TEST_FILTER *Alone.* TEST_LIST ${program}_alone ${discovery} RUN_SERIAL TRUE)
endfunction()
