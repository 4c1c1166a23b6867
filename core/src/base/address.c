#include "base/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const uint8_t v4_mapped[12] = {[10] = 0xFF, [11] = 0xFF};

int peer__address_is_v4(const struct address *address)
{
    return memcmp(address->ip, v4_mapped, sizeof(v4_mapped)) == 0;
}

int peer__address_is_same_host(const struct address *a, const struct address *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->scope_id == b->scope_id;
}

int peer__address_equal(const struct address *a, const struct address *b)
{
    return peer__address_is_same_host(a, b) && a->port == b->port;
}

int peer__address_is_loopback(const struct address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    return peer__address_is_v4(address) ? address->ip[12] == 127 : memcmp(address->ip, loopback, sizeof(loopback)) == 0;
}

int peer__address_is_link_local(const struct address *address)
{
    if (peer__address_is_v4(address))
        return address->ip[12] == 169 && address->ip[13] == 254;
    return address->ip[0] == 0xFE && (address->ip[1] & 0xC0) == 0x80;
}

int peer__address_is_multicast(const struct address *address)
{
    return peer__address_is_v4(address) ? address->ip[12] >= 224 : address->ip[0] == 0xFF;
}

int peer__address_is_unspecified(const struct address *address)
{
    static const uint8_t zero[16];
    size_t prefix = peer__address_is_v4(address) ? sizeof(v4_mapped) : 0;
    return memcmp(address->ip + prefix, zero, sizeof(zero) - prefix) == 0;
}

/* RFC 5952 4.2: the longest run of two or more zero groups, the first of equals; 8 if there is none. */
static size_t longest_zero_run(const uint8_t ip[16], size_t *length_out)
{
    size_t best = 8;
    size_t best_length = 1;
    for (size_t start = 0; start < 8; start++) {
        size_t end = start;
        while (end < 8 && ip[2 * end] == 0 && ip[2 * end + 1] == 0)
            end++;
        if (end - start > best_length) {
            best = start;
            best_length = end - start;
        }
    }
    *length_out = best_length;
    return best;
}

/* At most 39 characters. */
static void format_v6(const uint8_t ip[16], char text[INET6_ADDRSTRLEN])
{
    size_t run_length;
    size_t run = longest_zero_run(ip, &run_length);
    char *at = text;
    *at = '\0';
    for (size_t group = 0; group < 8; group++) {
        if (group == run) {
            at += sprintf(at, "::");
            group += run_length - 1;
            continue;
        }
        const char *colon = at == text || at[-1] == ':' ? "" : ":";
        at += sprintf(at, "%s%x", colon, (unsigned)(ip[2 * group] << 8 | ip[2 * group + 1]));
    }
}

void peer__address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    const uint8_t *ip = address->ip;
    if (peer__address_is_v4(address)) {
        snprintf(text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u:%u", ip[12], ip[13], ip[14], ip[15], address->port);
        return;
    }
    char host[INET6_ADDRSTRLEN];
    format_v6(ip, host);
    if (address->scope_id != 0)
        snprintf(text, ADDRESS_TEXT_SIZE, "[%s%%%" PRIu32 "]:%u", host, address->scope_id, address->port);
    else
        snprintf(text, ADDRESS_TEXT_SIZE, "[%s]:%u", host, address->port);
}

/* A decimal number up to `max` that fills `size` characters; 0 if it is none. */
static uint32_t decimal(const char *text, size_t size, uint32_t max)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(text[i] - '0');
        if (value > max)
            return 0;
    }
    return (uint32_t)value;
}

static int is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

/* Letters, digits, '-', '.' and '_'; no label is empty but the root's. */
static int is_host_name(const char *text, size_t size)
{
    if (size == 0 || text[0] == '.')
        return 0;
    for (size_t i = 0; i < size; i++) {
        if (!is_name_character(text[i]) || (text[i] == '.' && i > 0 && text[i - 1] == '.'))
            return 0;
    }
    return 1;
}

static int is_dotted_decimal(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '.' && (text[i] < '0' || text[i] > '9'))
            return 0;
    }
    return 1;
}

/* What stands behind '%': a number or the name of an interface. 0 if it is neither. */
static int parse_scope(const char *scope, size_t size, struct address *address, char interface[16])
{
    if (size == 0 || !peer__address_is_link_local(address) || peer__address_is_v4(address))
        return 0;
    address->scope_id = decimal(scope, size, UINT32_MAX);
    if (address->scope_id != 0)
        return 1;
    if (is_dotted_decimal(scope, size) || size > 15)
        return 0;
    for (size_t i = 0; i < size; i++) {
        if (!is_name_character(scope[i]))
            return 0;
    }
    memcpy(interface, scope, size);
    interface[size] = '\0';
    return 1;
}

/* What stands between '[' and ']'. */
static int parse_v6(const char *text, size_t size, struct address *address, char interface[16])
{
    const char *percent = memchr(text, '%', size);
    size_t ip_size = percent != NULL ? (size_t)(percent - text) : size;
    char ip[INET6_ADDRSTRLEN];
    if (ip_size >= sizeof(ip))
        return 0;
    memcpy(ip, text, ip_size);
    ip[ip_size] = '\0';
    if (inet_pton(AF_INET6, ip, address->ip) != 1)
        return 0;
    return percent == NULL || parse_scope(percent + 1, size - ip_size - 1, address, interface);
}

static int parse_host(const char *text, size_t size, struct address *address, char host[HOST_NAME_SIZE])
{
    char copy[HOST_NAME_SIZE];
    if (size >= sizeof(copy) || !is_host_name(text, size))
        return 0;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (!is_dotted_decimal(text, size)) {
        memcpy(host, copy, size + 1);
        return 1;
    }
    memcpy(address->ip, v4_mapped, sizeof(v4_mapped));
    return inet_pton(AF_INET, copy, address->ip + sizeof(v4_mapped)) == 1;
}

peer_status peer__address_parse(const char *text, struct address *address_out, char host_out[HOST_NAME_SIZE],
                                char interface_out[16])
{
    struct address address = {.port = 0};
    char host[HOST_NAME_SIZE] = "";
    char interface[16] = "";

    const char *colon = strrchr(text, ':');
    const char *bracket = strrchr(text, ']');
    if (colon == NULL || (bracket != NULL && bracket > colon))
        return peer__fail(E_INVALIDARG, "the address \"%.300s\" has no port", text);
    address.port = (uint16_t)decimal(colon + 1, strlen(colon + 1), UINT16_MAX);
    if (address.port == 0)
        return peer__fail(E_INVALIDARG, "the port of the address \"%.300s\" is not 1 to 65535", text);

    int known;
    size_t size = (size_t)(colon - text);
    if (text[0] == '[')
        known = text[size - 1] == ']' && parse_v6(text + 1, size - 2, &address, interface);
    else
        known = parse_host(text, size, &address, host);
    if (!known)
        return peer__fail(E_INVALIDARG,
                          "\"%.300s\" is no address; it reads like 192.0.2.1:5000, [2001:db8::1]:5000, "
                          "[fe80::1%%eth0]:5000 or host.example:5000",
                          text);
    *address_out = address;
    memcpy(host_out, host, sizeof(host));
    memcpy(interface_out, interface, sizeof(interface));
    return PEER_OK;
}
