# SPDX-License-Identifier: GPL-2.0-or-later
# Libraries of others. Their headers lie in system folders or come from imported targets, so our
# warnings do not apply to them.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(pugixml REQUIRED)

# None of these has a CMake package. The static archive serves every build.
find_library(AIO_LIBAIO NAMES libaio.a REQUIRED)
find_library(AIO_LIBURING NAMES liburing.a REQUIRED)
find_library(AIO_LIBFUSE NAMES libfuse3.a REQUIRED)
find_library(AIO_LIBARCHIVE NAMES libarchive.a REQUIRED)
find_library(AIO_LZMA NAMES liblzma.a REQUIRED)
find_library(AIO_ZSTD NAMES libzstd.a REQUIRED)
find_library(AIO_ZLIB NAMES libz.a REQUIRED)
find_library(AIO_SQLITE NAMES libsqlite3.a REQUIRED)

add_library(aio_fmt STATIC cmake/fmt.cpp)
target_include_directories(aio_fmt PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)

# What every room may use.
add_library(aio_base INTERFACE)
target_link_libraries(aio_base INTERFACE aio_fmt tl::expected)
