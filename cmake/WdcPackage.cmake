# SPDX-License-Identifier: MIT
#
# The library as others use it: the target wdc::wdc, here and in the installed package, which find_package(wdc) and
# pkg-config (wdc.pc) find. One archive, because its parts refer to each other both ways.

find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)

set(wdc_parts wdc_core wdc_c_api wdc_native wdc_native_engine wdc_native_signaling wdc_native_base wdc_udp wdc_ice wdc_sdp
              wdc_dtls wdc_dtls_records wdc_dcep wdc_sctp)
list(TRANSFORM wdc_parts REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE wdc_objects)
add_library(wdc STATIC ${wdc_objects})
add_library(wdc::wdc ALIAS wdc)
set_target_properties(wdc PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(wdc INTERFACE cxx_std_23)
target_include_directories(wdc INTERFACE "$<BUILD_INTERFACE:${WDC_INCLUDE_DIR}>")
target_link_libraries(wdc PUBLIC OpenSSL::SSL OpenSSL::Crypto Boost::json Threads::Threads)

set(WDC_PC_IPSEC_MB "")
get_source_file_property(wdc_ipsec_mb "${WDC_SOURCE_DIR}/src/native/dtls/ipsec_mb_aead.cc"
                         TARGET_DIRECTORY wdc_dtls COMPILE_DEFINITIONS)
if(wdc_ipsec_mb MATCHES "WDC_IPSEC_MB")
  target_link_libraries(wdc PUBLIC "$<BUILD_INTERFACE:${WDC_IPSEC_MB_LIBRARY}>" $<INSTALL_INTERFACE:IPSec_MB>)
  set(WDC_PC_IPSEC_MB " -lIPSec_MB")
endif()

wdc_add_test(wdc_c_api_test ALONE SOURCES "${WDC_SOURCE_DIR}/src/c_api/c_api_test.cc" LIBS wdc)

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(wdc_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/wdc")

install(TARGETS wdc EXPORT wdc ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${WDC_INCLUDE_DIR}/wdc" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library
        PATTERN browser.h EXCLUDE PATTERN emscripten.h EXCLUDE) # the other home's
install(EXPORT wdc NAMESPACE wdc:: FILE wdcTargets.cmake DESTINATION "${wdc_package_dir}" COMPONENT library)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/wdcConfig.cmake.in" "${PROJECT_BINARY_DIR}/wdcConfig.cmake"
                              INSTALL_DESTINATION "${wdc_package_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change anything.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/wdcConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/wdcConfig.cmake" "${PROJECT_BINARY_DIR}/wdcConfigVersion.cmake"
        DESTINATION "${wdc_package_dir}" COMPONENT library)

file(RELATIVE_PATH WDC_PC_INCLUDE "${CMAKE_INSTALL_FULL_LIBDIR}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/wdc.pc.in" "${PROJECT_BINARY_DIR}/wdc.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/wdc.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)
