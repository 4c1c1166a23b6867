# One object library for each folder below core/src, and the two libraries made of all of them.

set(PEER_INCLUDE ${PROJECT_SOURCE_DIR}/core/include)
set(PEER_SOURCE ${PROJECT_SOURCE_DIR}/core/src)

# peer_layer(NAME [LIBRARY...]): every *.c below core/src/NAME; the libraries' headers are visible in this layer only.
# A folder without sources is a layer that is still to come.
function(peer_layer name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PEER_SOURCE}/${name}/*.c)
    if(NOT sources)
        return()
    endif()
    add_library(peer_${name} OBJECT ${sources})
    target_include_directories(peer_${name} PRIVATE ${PEER_INCLUDE} ${PEER_SOURCE})
    target_link_libraries(peer_${name} PRIVATE peer_compile Threads::Threads ${ARGN})
    set_property(GLOBAL APPEND PROPERTY PEER_OBJECTS $<TARGET_OBJECTS:peer_${name}>)
endfunction()

function(peer_libraries)
    get_property(objects GLOBAL PROPERTY PEER_OBJECTS)
    if(NOT objects)
        message(FATAL_ERROR "No layer in core/src has a source file")
    endif()
    set(linked PkgConfig::LIBUV PkgConfig::OPENSSL PkgConfig::SQLITE PkgConfig::EXPAT Threads::Threads)

    # All internals: hidden from a shared library's users, visible to whoever links the archive (our tests). Where it is
    # installed, peergraphConfig.cmake finds again what it needs.
    add_library(peergraph_static STATIC ${objects})
    add_library(peergraph::peergraph_static ALIAS peergraph_static)
    set_target_properties(peergraph_static PROPERTIES OUTPUT_NAME peergraph)
    target_include_directories(peergraph_static PUBLIC
        $<BUILD_INTERFACE:${PEER_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    foreach(library IN LISTS linked)
        target_link_libraries(peergraph_static INTERFACE $<BUILD_INTERFACE:$<LINK_ONLY:${library}>>)
    endforeach()
    target_link_libraries(peergraph_static INTERFACE
        $<INSTALL_INTERFACE:$<LINK_ONLY:PkgConfig::PEERGRAPH_NEEDS>> $<INSTALL_INTERFACE:$<LINK_ONLY:Threads::Threads>>)

    if(PEER_SHARED)
        add_library(peergraph SHARED ${objects})
        add_library(peergraph::peergraph ALIAS peergraph)
        set_target_properties(peergraph PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
        target_include_directories(peergraph PUBLIC
            $<BUILD_INTERFACE:${PEER_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(peergraph PRIVATE ${linked})
        peer_export_only(peergraph ${PROJECT_SOURCE_DIR}/core/libpeergraph.map)
        peer_never_unload(peergraph)
    endif()
endfunction()
