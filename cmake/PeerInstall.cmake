# What `cmake --install` puts down: libraries, headers, and how pkg-config and find_package find them. Nothing in it names
# the place where it was installed, so that the whole tree can be moved, or staged with DESTDIR.

include(CMakePackageConfigHelpers)

set(PEER_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/peergraph)
set(PEER_PKGCONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# What the archive must be linked with. A program that uses the shared library needs none of it.
set(needs)
if(PEER_STATIC)
    set(needs ${LIBUV_NEEDED} ${OPENSSL_NEEDED} ${SQLITE_NEEDED} ${EXPAT_NEEDED})
endif()

install(DIRECTORY ${PEER_INCLUDE}/peergraph TYPE INCLUDE COMPONENT library FILES_MATCHING PATTERN "*.h")

# One file of targets for each kind: who links the shared library is not asked for what the archive needs.
function(peer_install target kind)
    install(TARGETS ${target} EXPORT peergraph-${kind} COMPONENT library)
    install(EXPORT peergraph-${kind} NAMESPACE peergraph:: DESTINATION ${PEER_CMAKE_DIR} COMPONENT library)
endfunction()
if(PEER_SHARED)
    peer_install(peergraph shared)
endif()
if(PEER_STATIC)
    peer_install(peergraph_static static)
endif()

string(REPLACE ";" " " PEER_NEEDS "${needs}")
configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/peergraphConfig.cmake.in ${PROJECT_BINARY_DIR}/peergraphConfig.cmake
    INSTALL_DESTINATION ${PEER_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may break programs.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/peergraphConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/peergraphConfig.cmake ${PROJECT_BINARY_DIR}/peergraphConfigVersion.cmake
        DESTINATION ${PEER_CMAKE_DIR} COMPONENT library)

# A directory of the installation as seen from the file peergraph.pc; absolute only if it was given so.
function(peer_pc_path out directory full_directory)
    set(path ${full_directory})
    if(NOT IS_ABSOLUTE "${directory}" AND NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
        file(RELATIVE_PATH path /${PEER_PKGCONFIG_DIR} /${directory})
        string(REGEX REPLACE "/$" "" path "\${pcfiledir}/${path}")
    endif()
    set(${out} ${path} PARENT_SCOPE)
endfunction()
peer_pc_path(PEER_PC_INCLUDE "${CMAKE_INSTALL_INCLUDEDIR}" ${CMAKE_INSTALL_FULL_INCLUDEDIR})
peer_pc_path(PEER_PC_LIB "${CMAKE_INSTALL_LIBDIR}" ${CMAKE_INSTALL_FULL_LIBDIR})
string(REPLACE ";" ", " PEER_PC_NEEDS "${needs}")
string(REPLACE ">=" " >= " PEER_PC_NEEDS "${PEER_PC_NEEDS}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/peergraph.pc.in ${PROJECT_BINARY_DIR}/peergraph.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/peergraph.pc DESTINATION ${PEER_PKGCONFIG_DIR} COMPONENT library)
