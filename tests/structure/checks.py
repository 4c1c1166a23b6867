"""The rules of the house as functions: each takes sources and returns the complaints about them.

They read text and parse nothing but #include lines and calls, on code without comments and strings; that is enough
to keep honest people honest. test_checks.py shows that each of them finds what it is there for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "core" / "src"

# Which layers a layer may include, besides itself and the public headers. Dependencies point down.
ENGINE = {"base", "event", "wire", "graph", "group"}
ALLOWED: dict[str, set[str]] = {
    "base": set(),
    "event": {"base"},
    "wire": {"base", "event"},
    "graph": {"base", "event", "wire"},
    "group": {"base", "event", "wire", "graph"},
    "xml": {"base", "wire"},
    "store": {"base", "wire"},
    "tls": {"base", "wire"},
    "sim": ENGINE | {"xml", "store", "tls"},
    "runtime": ENGINE | {"xml", "store", "tls"},
    "api": ENGINE | {"xml", "store", "tls", "sim", "runtime"},
}
# Third-party headers, and the only layer that may see them.
THIRD_PARTY = {"uv.h": "runtime", "uv/": "runtime", "openssl/": "tls", "sqlite3": "store", "expat": "xml"}

# Layers that see the world only through the interfaces in base.
SANS_IO = {"wire", "graph", "group"}
FORBIDDEN_HEADERS = re.compile(
    r"(time|pthread|threads|unistd|fcntl|poll|signal|netdb|errno|sys/.+|netinet/.+|arpa/.+|net/.+)\.h"
)
FORBIDDEN_CALLS = {
    "memory": "malloc calloc realloc reallocarray aligned_alloc free strdup strndup asprintf vasprintf alloca",
    "time": "time clock clock_gettime gettimeofday timespec_get nanosleep sleep usleep localtime gmtime",
    "chance": "rand srand rand_r random srandom drand48 arc4random arc4random_buf getrandom getentropy",
    "network": "socket bind connect listen accept send sendto recv recvfrom getaddrinfo poll select epoll_wait",
    "files": "open close read write fopen fclose fread fwrite unlink rename printf fprintf puts perror",
    "threads": "pthread_create pthread_mutex_lock pthread_mutex_unlock pthread_cond_wait",
}

# OpenSSL without the library context that the runtime gives: functions that use the default one.
DEFAULT_CONTEXT = """
    RAND_bytes RAND_priv_bytes RAND_seed RAND_add OPENSSL_init_crypto OPENSSL_init_ssl OSSL_LIB_CTX_set0_default
    OSSL_LIB_CTX_get0_global_default SSL_CTX_new X509_new X509_REQ_new X509_CRL_new X509_STORE_CTX_new
    EVP_PKEY_CTX_new_id EVP_PKEY_new_raw_private_key EVP_PKEY_new_raw_public_key EVP_PKEY_keygen_init_id
    EVP_DigestSignInit EVP_DigestVerifyInit EVP_PBE_scrypt EVP_Digest EVP_get_digestbyname EVP_get_cipherbyname
    EVP_md5 EVP_sha1 EVP_sha256 EVP_sha384 EVP_sha512 EVP_aes_128_gcm EVP_aes_256_gcm
    EC_GROUP_new_by_curve_name EC_KEY_new_by_curve_name BN_CTX_new BN_CTX_secure_new BN_rand BN_priv_rand
    BN_rand_range BN_priv_rand_range HMAC MD5 SHA1 SHA256 SHA512 PEM_read_bio_PrivateKey PEM_read_bio_X509
    d2i_X509 d2i_PUBKEY d2i_PrivateKey d2i_AutoPrivateKey
""".split()
DEFAULT_CONTEXT_ARGUMENT = re.compile(
    r"\b(EVP_\w+_fetch|EVP_PKEY_Q_keygen|EVP_PKEY_CTX_new_from_name|EVP_PKEY_CTX_new_from_pkey|SSL_CTX_new_ex|"
    r"X509_new_ex|X509_STORE_CTX_new_ex|RAND_bytes_ex|RAND_priv_bytes_ex|OSSL_PROVIDER_load|EVP_Q_digest|EVP_Q_mac|"
    r"OSSL_STORE_open_ex|EVP_PKEY_new_raw_private_key_ex|EVP_PKEY_new_raw_public_key_ex|BN_CTX_new_ex)"
    r"\s*\(\s*NULL\b"
)

LINES_MAX = 800

Sources = Mapping[str, str]  # "layer/file.c" (or a path below the root): its text

TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def core_sources() -> dict[str, str]:
    return {
        path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(SOURCE.rglob("*"))
        if path.suffix in (".c", ".h")
    }


def code_only(text: str) -> str:
    """The text with comments and literals blanked; lines stay where they are."""
    return TOKEN.sub(lambda match: '""' + "\n" * match.group().count("\n"), text)


def includes(text: str) -> Iterator[tuple[int, str, bool]]:
    """Line, name, and whether it stands in angle brackets."""
    without_comments = re.sub(
        r"/\*.*?\*/|//[^\n]*", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL
    )
    for match in INCLUDE.finditer(without_comments):
        yield without_comments.count("\n", 0, match.start()) + 1, match.group(2), match.group(1) == "<"


def calls(text: str, names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and name of every call, or mention as an address, of one of the functions; members are not meant."""
    code = code_only(text)
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    for match in pattern.finditer(code):
        yield code.count("\n", 0, match.start()) + 1, match.group(1)


def layer_of(name: str) -> str:
    return name.split("/", 1)[0]


def layer_complaints(sources: Sources) -> list[str]:
    complaints = []
    for name, text in sources.items():
        layer = layer_of(name)
        if layer not in ALLOWED or "/" not in name:
            complaints.append(f"{name}: core/src has no layer of this name")
            continue
        for line, included, bracketed in includes(text):
            if bracketed:
                if included.startswith("peergraph/"):
                    complaints.append(f'{name}:{line}: write "{included}"')
                continue
            target = layer_of(included)
            if target == "peergraph":
                continue
            if "/" not in included or ".." in included or target not in ALLOWED:
                complaints.append(f'{name}:{line}: write "layer/file.h", not "{included}"')
            elif target != layer and target not in ALLOWED[layer]:
                complaints.append(f"{name}:{line}: {layer} must not include {included}")
    return complaints


def third_party_complaints(sources: Sources) -> list[str]:
    return [
        f"{name}:{line}: <{included}> belongs to {layer} only"
        for name, text in sources.items()
        for line, included, _ in includes(text)
        for prefix, layer in THIRD_PARTY.items()
        if included.startswith(prefix) and layer_of(name) != layer
    ]


def sans_io_complaints(sources: Sources) -> list[str]:
    complaints = []
    for name, text in sources.items():
        if layer_of(name) not in SANS_IO:
            continue
        for line, included, bracketed in includes(text):
            if bracketed and FORBIDDEN_HEADERS.fullmatch(included):
                complaints.append(f"{name}:{line}: the engine must not see <{included}>")
        for kind, names in FORBIDDEN_CALLS.items():
            for line, function in calls(text, names.split()):
                complaints.append(f"{name}:{line}: {function}() is {kind}: only through the interfaces in base")
    return complaints


def openssl_context_complaints(sources: Sources) -> list[str]:
    complaints = []
    for name, text in sources.items():
        for line, function in calls(text, DEFAULT_CONTEXT):
            complaints.append(f"{name}:{line}: {function}() uses OpenSSL's default context")
        code = code_only(text)
        for match in DEFAULT_CONTEXT_ARGUMENT.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            complaints.append(f"{name}:{line}: {match.group(1)}(NULL) uses OpenSSL's default context")
    return complaints


def length_complaints(sources: Sources) -> list[str]:
    return [
        f"{name}: {count} lines, fewer than {LINES_MAX} are allowed: split it"
        for name, text in sources.items()
        if (count := text.count("\n")) >= LINES_MAX
    ]


def name_complaints(names: Iterable[str]) -> list[str]:
    return [
        f"{name}: say what it is about, not that it is useful"
        for name in names
        if re.match(r"(utils?|helpers?|misc|common)(?![a-z])", name.rsplit("/", 1)[-1])
    ]


def constant_complaints(sources: Sources) -> list[str]:
    """A public constant is one integer, or the bindings would not have it; initialisers are for C only."""
    complaints = []
    for name, text in sources.items():
        for match in re.finditer(
            r"^[ \t]*#[ \t]*define[ \t]+(PEER_\w+|E_\w+)[ \t]+(\S.*)$", code_only(text), re.MULTILINE
        ):
            constant, value = match.groups()
            value = value.replace('""', "").strip()
            integer = re.fullmatch(r"\(?-?(0[xX][0-9a-fA-F]+|[0-9]+)[uU]?\)?", value)
            if not integer and not constant.endswith("_INIT") and not value.startswith("__attribute__"):
                complaints.append(f"{name}: {constant} is not a plain integer")
    return complaints
