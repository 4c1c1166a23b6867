# The Lua module peergraph: peergraph/core.so, made by SWIG from the public headers, with the core linked into it, and the
# Lua files on top of it. The wrapper is committed, so that to build needs no SWIG: see bindings/swig/generate.py. A module
# takes Lua itself from the program that loads it; only the headers are needed here.

pkg_search_module(LUA QUIET lua5.4 lua-5.4 lua54 lua>=5.4)
if(NOT LUA_FOUND OR LUA_VERSION VERSION_LESS 5.4)
    message(FATAL_ERROR " Lua 5.4 is missing: apt install liblua5.4-dev | dnf install lua-devel | brew install lua")
endif()
string(REGEX MATCH "^[0-9]+\\.[0-9]+" PEER_LUA_VERSION ${LUA_VERSION})
set(PEER_LUA_MODULES ${CMAKE_INSTALL_LIBDIR}/lua/${PEER_LUA_VERSION} CACHE STRING "Where Lua looks for modules in C")
set(PEER_LUA_SCRIPTS ${CMAKE_INSTALL_DATADIR}/lua/${PEER_LUA_VERSION} CACHE STRING "Where Lua looks for modules in Lua")

set(swig ${PROJECT_SOURCE_DIR}/bindings/swig)
file(GLOB sources CONFIGURE_DEPENDS ${swig}/*.c)
add_library(peer_lua MODULE ${sources})
set_source_files_properties(${swig}/peergraph_wrap.c PROPERTIES COMPILE_OPTIONS -w) # SWIG's style, not ours
target_include_directories(peer_lua SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
target_link_libraries(peer_lua PRIVATE peer_compile peergraph_static)
set_target_properties(peer_lua PROPERTIES
    PREFIX "" SUFFIX .so OUTPUT_NAME core LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lua/peergraph)
if(APPLE)
    target_link_options(peer_lua PRIVATE -undefined dynamic_lookup)
endif()
peer_export_only(peer_lua ${swig}/module.map)
peer_never_unload(peer_lua)
install(TARGETS peer_lua DESTINATION ${PEER_LUA_MODULES}/peergraph COMPONENT lua)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/lua/peergraph DESTINATION ${PEER_LUA_SCRIPTS} COMPONENT lua
        FILES_MATCHING PATTERN "*.lua")
