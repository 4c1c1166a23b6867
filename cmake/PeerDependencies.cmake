# Finds the four libraries of the core. What is missing stops the build with one line that says how to get it; it
# begins with a space, so that CMake does not break it.

find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
    message(FATAL_ERROR " pkg-config is missing: apt install pkg-config | dnf install pkgconf-pkg-config | brew install pkgconf")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

function(peer_dependency prefix modules title apt dnf brew)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${modules})
    if(NOT ${prefix}_FOUND)
        message(FATAL_ERROR " ${title} is missing: apt install ${apt} | dnf install ${dnf} | brew install ${brew}")
    endif()
    set(${prefix}_NEEDED ${modules} PARENT_SCOPE)
endfunction()

peer_dependency(LIBUV "libuv>=1.44" "libuv (1.44 or later)" libuv1-dev libuv-devel libuv)
peer_dependency(OPENSSL "libssl>=3.0;libcrypto>=3.0" "OpenSSL 3" libssl-dev openssl-devel openssl@3)
peer_dependency(SQLITE "sqlite3>=3.37" "SQLite (3.37 or later)" libsqlite3-dev sqlite-devel sqlite)
peer_dependency(EXPAT "expat>=2.4" "expat (2.4 or later)" libexpat1-dev expat-devel expat)
if(PEER_TESTS)
    peer_dependency(CMOCKA "cmocka>=1.1" "cmocka (for the C tests; or -DPEER_TESTS=OFF)"
                    libcmocka-dev libcmocka-devel cmocka)
endif()
