"""A check that cannot fail is a defect: each is shown something bad, and something good that looks like it."""

from __future__ import annotations

import copy
import sys

import pytest
from structure import checks

sys.path.insert(0, str(checks.ROOT / "bindings"))
sys.path.insert(0, str(checks.ROOT / "bindings" / "cffi"))

import generate
import generate_codes


@pytest.mark.parametrize(
    ("file", "included"),
    [
        ("base/list.c", "wire/record.h"),
        ("event/queue.c", "graph/graph.h"),
        ("wire/record.c", "graph/graph.h"),
        ("graph/replication/flood.c", "store/store.h"),
        ("graph/replication/flood.c", "xml/attributes.h"),
        ("graph/replication/flood.c", "group/group.h"),
        ("group/invite.c", "tls/tls.h"),
        ("xml/attributes.c", "graph/graph.h"),
        ("store/sqlite.c", "event/queue.h"),
        ("tls/link.c", "runtime/loop.h"),
        ("sim/network.c", "runtime/loop.h"),
        ("runtime/loop.c", "sim/network.h"),
        ("runtime/loop.c", "api/handle.h"),
    ],
)
def test_includes_that_point_up_are_found(file, included):
    complaints = checks.layer_complaints({file: f'/* first line */\n#  include "{included}"\n'})
    assert len(complaints) == 1
    assert complaints[0].startswith(f"{file}:2:")
    assert included in complaints[0]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("graph/replication/flood.c", '#include "flood.h"'),
        ("graph/replication/flood.c", '#include "../wire/record.h"'),
        ("graph/replication/flood.c", '#include "graph/../api/handle.h"'),
        ("graph/replication/flood.c", "#include <peergraph/peergraph.h>"),
        ("engine/flood.c", ""),
        ("flood.c", ""),
    ],
)
def test_includes_that_hide_their_layer_are_found(file, line):
    assert checks.layer_complaints({file: line})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("graph/replication/flood.c", '#include "graph/flood.h"\n#include "wire/record.h"\n#include "base/list.h"\n'),
        ("wire/record.h", '#include "peergraph/peergraph.h"\n#include <stdint.h>\n'),
        ("store/sqlite.c", '#include "base/store.h"\n#include "wire/record.h"\n'),
        (
            "api/graph.c",
            '#include "runtime/runtime.h"\n#include "sim/network.h"\n#include "xml/attributes.h"\n',
        ),
        (
            "base/list.c",
            '/* not an include: */ // #include "api/handle.h"\n/*\n#include "api/handle.h"\n*/\n',
        ),
    ],
)
def test_includes_that_point_down_are_fine(file, text):
    assert checks.layer_complaints({file: text}) == []


@pytest.mark.parametrize(
    ("file", "included"),
    [
        ("tls/link.c", "uv.h"),
        ("api/graph.c", "uv/unix.h"),
        ("runtime/loop.c", "openssl/ssl.h"),
        ("base/crypto.h", "openssl/evp.h"),
        ("graph/records.c", "sqlite3.h"),
        ("store/memory.c", "expat.h"),
    ],
)
def test_third_party_headers_outside_their_layer_are_found(file, included):
    assert len(checks.third_party_complaints({file: f"#include <{included}>\n"})) == 1


def test_third_party_headers_in_their_layer_are_fine():
    good = {"runtime/a.c": "uv.h", "tls/a.c": "openssl/ssl.h", "store/a.c": "sqlite3.h", "xml/a.c": "expat.h"}
    assert checks.third_party_complaints({file: f"#include <{name}>\n" for file, name in good.items()}) == []


@pytest.mark.parametrize("layer", sorted(checks.SANS_IO))
@pytest.mark.parametrize(
    "line",
    [
        "char *copy = malloc(size);",
        "free (copy);",
        "int64_t now = (int64_t)time(NULL);",
        "clock_gettime(CLOCK_MONOTONIC, &now);",
        "id = (uint64_t)rand();",
        "getrandom(bytes, sizeof bytes, 0);",
        "int fd = socket(AF_INET6, SOCK_STREAM, 0);",
        "pthread_mutex_lock(&graph->mutex);",
        "#include <time.h>",
        "#include <sys/socket.h>",
        'printf("here");',
    ],
)
def test_an_engine_that_touches_the_world_is_found(layer, line):
    complaints = checks.sans_io_complaints({f"{layer}/a.c": f"\n{line}\n"})
    assert len(complaints) == 1
    assert complaints[0].startswith(f"{layer}/a.c:2:")


@pytest.mark.parametrize(
    "line",
    [
        "store->close(store);",
        "graph->transport.send(bytes, size);",
        "peer__free(copy);",
        "/* malloc(size) is banned */",
        'log("free(x)");',
        "int64_t peer_time(const struct graph *graph);",
        "uint64_t time = record->time;",
    ],
)
def test_an_engine_that_uses_the_interfaces_is_fine(line):
    assert checks.sans_io_complaints({"graph/a.c": line}) == []


def test_the_layers_with_a_system_may_use_it():
    assert checks.sans_io_complaints({"runtime/a.c": "#include <time.h>\nfree(a);\n"}) == []


@pytest.mark.parametrize(
    "line",
    [
        "RAND_bytes(bytes, 16);",
        "SSL_CTX *context = SSL_CTX_new(TLS_method());",
        "EVP_DigestInit_ex(digest, EVP_sha256(), NULL);",
        'EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);',
        'EVP_MD *md = EVP_MD_fetch(\n    NULL, "SHA256", NULL);',
        "X509 *certificate = X509_new();",
        "EVP_DigestSignInit(context, NULL, NULL, NULL, key);",
    ],
)
def test_the_default_openssl_context_is_found(line):
    assert len(checks.openssl_context_complaints({"tls/a.c": line})) == 1


@pytest.mark.parametrize(
    "line",
    [
        "RAND_bytes_ex(tls->context, bytes, 16, 0);",
        "SSL_CTX *context = SSL_CTX_new_ex(tls->context, NULL, TLS_method());",
        'EVP_MD *md = EVP_MD_fetch(tls->context, "SHA256", NULL);',
        "X509 *certificate = X509_new_ex(tls->context, NULL);",
        "/* not RAND_bytes() */",
    ],
)
def test_a_given_openssl_context_is_fine(line):
    assert checks.openssl_context_complaints({"tls/a.c": line}) == []


def test_long_files_are_found():
    assert checks.length_complaints({"a.c": "\n" * 800})
    assert checks.length_complaints({"a.c": "\n" * 799}) == []


def test_names_that_say_nothing_are_found():
    bad = ["base/util.c", "base/utils.h", "tests/helpers.py", "base/utility.c"]
    assert len(checks.name_complaints(bad)) == 3  # a utility is a thing; the others are drawers
    assert len(checks.name_complaints(["a/misc.c", "a/common.h", "a/util_list.c", "a/helper.py"])) == 4
    assert checks.name_complaints(["core/src/base/list.c", "core/src/tls/commonname.c"]) == []


def test_stale_codes_are_found():
    codes = generate_codes.load()
    assert generate_codes.stale(codes) == []
    changed = copy.deepcopy(codes)
    changed["status"][1]["rows"][0]["text"] += "!"
    assert len(generate_codes.stale(changed)) == 3


def test_codes_given_twice_are_refused():
    codes = generate_codes.load()
    codes["status"][1]["rows"].append(dict(codes["status"][1]["rows"][0], name="E_OTHER"))
    with pytest.raises(SystemExit, match="given twice"):
        generate_codes.check_table(codes)


def test_codes_are_the_signed_numbers_of_windows():
    codes = generate_codes.load()
    assert "#define PEER_E_INVALID_GRAPH" in generate_codes.c_header(codes)
    assert generate_codes.signed(0x80630010) == -2140995568
    assert generate_codes.signed(0x00630002) == 0x00630002


def test_declarations_for_cffi_are_the_header_without_its_preprocessor():
    header = """
        #ifndef A_H
        #define A_H
        #include <stdint.h>
        #if defined(__GNUC__)
        #define PEER_API __attribute__((visibility("default")))
        #else
        #define PEER_API
        #endif
        #ifdef __cplusplus
        extern "C" {
        #endif
        #define PEER_OK 0 /* success */
        #define PEER_E_A (-5) /* 0x */
        #define PEER_A_INPUT_INIT {.struct_size = sizeof(peer_a)}
        #define PEER_IS(x) ((x) > 0)
        /** A comment with a ; and "#define X 1" in it. */
        PEER_API int32_t peer_a(void) __attribute__((nonnull(1)));
        #ifdef __cplusplus
        }
        #endif
        #endif
    """
    text = generate.declarations(header)
    assert text.split("\n")[:2] == ["#define PEER_OK ...", "#define PEER_E_A ..."]
    assert " ".join(text.split("\n", 2)[2].split()) == "int32_t peer_a(void) ;"


@pytest.mark.parametrize("value", ["(1 << 3)", "((peer_status)-5)", "PEER_OTHER", "1.5", "sizeof(int)", "5L"])
def test_constants_that_bindings_cannot_read_are_found(value):
    assert len(checks.constant_complaints({"a.h": f"#define PEER_A {value} /* why */\n"})) == 1


@pytest.mark.parametrize(
    "line",
    [
        "#define PEER_A 5 /* 0x5 */",
        "#define PEER_A (-2140995568) /* 0x80630010 */",
        "#define PEER_A 0x10u",
        "#define PEER_A_H",
        "#define PEER_A_INPUT_INIT {.struct_size = sizeof(peer_a)}",
        '#define PEER_API __attribute__((visibility("default")))',
    ],
)
def test_constants_that_bindings_can_read_are_fine(line):
    assert checks.constant_complaints({"a.h": line + "\n"}) == []
