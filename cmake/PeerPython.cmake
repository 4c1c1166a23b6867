# The extension module peergraph._peergraph: C made by cffi from the public headers, with the core linked into it.
# scikit-build-core says with SKBUILD_SABI_COMPONENT and SKBUILD_SABI_VERSION whether it is built for the stable ABI.

if(NOT SKBUILD_SABI_COMPONENT)
    set(SKBUILD_SABI_COMPONENT "")
endif()
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})

set(generator ${PROJECT_SOURCE_DIR}/bindings/cffi/generate.py)
set(generated ${PROJECT_BINARY_DIR}/python/_peergraph.c)
set(headers "")
foreach(name IN ITEMS codes peergraph records sim)
    list(APPEND headers ${PEER_INCLUDE}/peergraph/${name}.h)
endforeach()
add_custom_command(
    OUTPUT ${generated}
    COMMAND Python::Interpreter ${generator} --output ${generated} ${headers}
    DEPENDS ${generator} ${headers}
    COMMENT "Generating the cffi module from the public headers"
    VERBATIM)

if(SKBUILD_SABI_VERSION)
    python_add_library(peer_python MODULE USE_SABI ${SKBUILD_SABI_VERSION} WITH_SOABI ${generated})
else()
    python_add_library(peer_python MODULE WITH_SOABI ${generated})
endif()
set_target_properties(peer_python PROPERTIES OUTPUT_NAME _peergraph)
target_link_libraries(peer_python PRIVATE peergraph_static)
peer_export_only(peer_python ${PROJECT_SOURCE_DIR}/bindings/cffi/module.map)
peer_never_unload(peer_python)
install(TARGETS peer_python DESTINATION peergraph COMPONENT python)
