# tests/unit and tests/sim: every test_*.c is one program, run by ctest. tests/bench: every bench_*.c is one program.
# tests/support/*.c, if there is any, is linked to all of them; other files of tests/unit or tests/sim to the programs there.

file(GLOB support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.c)

add_library(peer_test INTERFACE)
target_link_libraries(peer_test INTERFACE peer_compile peergraph_static PkgConfig::CMOCKA ${CMAKE_DL_LIBS})
target_include_directories(peer_test INTERFACE ${PEER_INCLUDE} ${PEER_SOURCE} ${PROJECT_SOURCE_DIR}/tests)

set(support_library)
if(support)
    add_library(peer_test_support STATIC ${support})
    target_link_libraries(peer_test_support PUBLIC peer_test)
    set(support_library peer_test_support)
endif()

foreach(kind IN ITEMS unit sim)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/test_*.c)
    file(GLOB shared CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*.c)
    list(REMOVE_ITEM shared EMPTY ${sources})
    if(shared AND sources)
        add_library(peer_${kind}_shared OBJECT ${shared})
        target_link_libraries(peer_${kind}_shared PRIVATE ${support_library} peer_test)
        set(shared $<TARGET_OBJECTS:peer_${kind}_shared>)
    endif()
    foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        set(program ${kind}_${name})
        add_executable(${program} ${source} ${shared})
        target_link_libraries(${program} PRIVATE ${support_library} peer_test)
        set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${kind})
        add_test(NAME ${kind}/${name} COMMAND ${program} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${kind}/${name} PROPERTIES TIMEOUT 300 LABELS ${kind})
    endforeach()
endforeach()

file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/bench/bench_*.c)
foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${support_library} peer_test m)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
endforeach()

# The peer in C of tests/together, which sees nothing but the public header.
add_executable(peer_together ${PROJECT_SOURCE_DIR}/tests/together/peer.c)
target_link_libraries(peer_together PRIVATE peer_compile peergraph_static)
set_target_properties(peer_together PROPERTIES
    OUTPUT_NAME peer RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/together)

if(PEER_LUA)
    # Fork and wait for the Lua scripts of tests/together.
    add_library(peer_together_process MODULE ${PROJECT_SOURCE_DIR}/tests/together/process.c)
    target_include_directories(peer_together_process SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
    target_link_libraries(peer_together_process PRIVATE peer_compile)
    set_target_properties(peer_together_process PROPERTIES
        PREFIX "" SUFFIX .so OUTPUT_NAME process C_VISIBILITY_PRESET default
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lua)

    # A Lua that runs out of memory, with the module in it.
    find_library(PEER_LUA_LIBRARY NAMES ${LUA_LIBRARIES} HINTS ${LUA_LIBRARY_DIRS})
    add_executable(lua_memory ${PROJECT_SOURCE_DIR}/tests/lua/memory.c $<TARGET_OBJECTS:peer_lua>)
    target_include_directories(lua_memory SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
    target_link_libraries(lua_memory PRIVATE peer_compile peergraph_static ${PEER_LUA_LIBRARY})
    set_target_properties(lua_memory PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/lua)
    add_test(NAME lua/memory COMMAND lua_memory ${PROJECT_SOURCE_DIR}/tests/lua/memory.lua
             ${PROJECT_BINARY_DIR}/tests/lua/memory-data)
    set_tests_properties(lua/memory PROPERTIES TIMEOUT 300 LABELS lua)
endif()
