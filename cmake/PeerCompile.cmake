# How every C file of the project is compiled: the target peer_compile carries it.

include(CheckCCompilerFlag)
include(CheckLinkerFlag)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()

add_library(peer_compile INTERFACE)
target_compile_definitions(peer_compile INTERFACE
    PEER_VERSION_TEXT="${PROJECT_VERSION}"
    _DEFAULT_SOURCE _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700
    $<$<PLATFORM_ID:Darwin>:_DARWIN_C_SOURCE>)
target_compile_options(peer_compile INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wconversion
    -Wno-sign-conversion
    # Never a matter of taste: older compilers go on after these, with code that cannot work.
    -Werror=implicit-function-declaration -Werror=int-conversion -Werror=incompatible-pointer-types
    $<$<BOOL:${PEER_WERROR}>:-Werror>)

check_c_compiler_flag(-fno-semantic-interposition PEER_HAVE_NO_SEMANTIC_INTERPOSITION)
if(PEER_HAVE_NO_SEMANTIC_INTERPOSITION)
    target_compile_options(peer_compile INTERFACE -fno-semantic-interposition)
endif()

if(PEER_SANITIZE)
    add_compile_options(-fsanitize=${PEER_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${PEER_SANITIZE})
    if(PEER_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
endif()

# A module whose threads are running must never be unloaded.
check_linker_flag(C -Wl,-z,nodelete PEER_HAVE_NODELETE)
function(peer_never_unload target)
    if(PEER_HAVE_NODELETE)
        target_link_options(${target} PRIVATE -Wl,-z,nodelete)
    endif()
endfunction()

# Only what the version script lists leaves the library, whatever is linked into it.
function(peer_export_only target script)
    if(NOT APPLE)
        target_link_options(${target} PRIVATE -Wl,--version-script=${script})
        set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})
    endif()
endfunction()
