#include <stdio.h>

#include "base/address.h"
#include "unit/check.h"

static peer_status parse(const char *text, struct address *address, char host[HOST_NAME_SIZE], char interface[16])
{
    return peer__address_parse(text, address, host, interface);
}

static void texts_go_both_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "192.0.2.1:5000",
        "0.0.0.0:1",
        "255.255.255.255:65535",
        "[::]:1",
        "[::1]:3587",
        "[2001:db8::1]:5000",
        "[2001:db8:0:1:1:1:1:1]:5000",
        "[2001:0:0:1::1]:80",
        "[2001:db8::1:0:0:1]:80",
        "[1::]:80",
        "[1:2:3:4:5:6:7:8]:80",
        "[fe80::1%3]:5000",
        "[fe80::1]:5000",
        "[fe80:1111:2222:3333:4444:5555:6666:7777%4294967295]:65535",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address;
        char host[HOST_NAME_SIZE], interface[16], text[ADDRESS_TEXT_SIZE];
        assert_int_equal(parse(texts[i], &address, host, interface), PEER_OK);
        assert_string_equal(host, "");
        assert_string_equal(interface, "");
        peer__address_format(&address, text);
        assert_string_equal(text, texts[i]);
    }
}

static void other_spellings_come_out_short(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"[2001:DB8:0:0:0:0:0:1]:05000", "[2001:db8::1]:5000"},
        {"[::ffff:192.0.2.1]:5000", "192.0.2.1:5000"},
        {"[0:0:0:0:0:0:0:0]:1", "[::]:1"},
        {"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},
        {"[::1.2.3.4]:1", "[::102:304]:1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address;
        char host[HOST_NAME_SIZE], interface[16], text[ADDRESS_TEXT_SIZE];
        assert_int_equal(parse(cases[i][0], &address, host, interface), PEER_OK);
        peer__address_format(&address, text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void host_and_interface_names_come_out(void **state)
{
    (void)state;
    struct address address, zero = {.port = 5000};
    char host[HOST_NAME_SIZE], interface[16];
    assert_int_equal(parse("host.example:5000", &address, host, interface), PEER_OK);
    assert_string_equal(host, "host.example");
    assert_true(peer__address_equal(&address, &zero));
    assert_int_equal(parse("my_pc-2.local.:1", &address, host, interface), PEER_OK);
    assert_string_equal(host, "my_pc-2.local.");
    assert_int_equal(parse("[fe80::1%eth0]:5000", &address, host, interface), PEER_OK);
    assert_string_equal(interface, "eth0");
    assert_string_equal(host, "");
    assert_int_equal(address.scope_id, 0);

    char longest[300];
    memset(longest, 'a', 255);
    strcpy(longest + 255, ":1");
    assert_int_equal(parse(longest, &address, host, interface), PEER_OK);
    assert_int_equal(strlen(host), 255);
    memset(longest, 'a', 256);
    strcpy(longest + 256, ":1");
    assert_int_equal(parse(longest, &address, host, interface), E_INVALIDARG);
}

static void nonsense_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ":",
        "]:1",
        "[:1",
        "[]:1",
        "[%]:1",
        ":5000",
        "192.0.2.1",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:99999999999999999999",
        "192.0.2.1:+1",
        "192.0.2.1: 1",
        "192.0.2.1:1 ",
        "192.0.2.1:1a",
        "192.0.2.256:1",
        "192.0.2:1",
        "1:1",
        "1.2.3.4.5:1",
        "::1:5000",
        "[::1]",
        "[::1]5000",
        "[::1:5000",
        "::1]:5000",
        "[1::2::3]:1",
        "[12345::]:1",
        "[::g]:1",
        "[192.0.2.1]:1",
        "[fe80::1%]:1",
        "[fe80::1%0]:1",
        "[fe80::1%4294967296]:1",
        "[fe80::1%et h]:1",
        "[fe80::1%0123456789abcdef]:1",
        "[2001:db8::1%3]:1",
        "[::ffff:169.254.0.1%3]:1",
        "ho st:1",
        "h\xc3\xb6st:1",
        ".host:1",
        "a..b:1",
        "a/b:1",
        "[host]:1",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct address address = {.scope_id = 77};
        char host[HOST_NAME_SIZE] = "untouched", interface[16] = "untouched";
        struct span text = exact(bad[i], strlen(bad[i]) + 1);
        assert_int_equal(parse((const char *)text.data, &address, host, interface), E_INVALIDARG);
        char quoted[300];
        snprintf(quoted, sizeof(quoted), "\"%s\"", bad[i]);
        assert_non_null(strstr(peer__last_error(), quoted));
        assert_int_equal(address.scope_id, 77);
        assert_string_equal(host, "untouched");
        assert_string_equal(interface, "untouched");
        drop(text);
    }
}

static struct address address_of(const char *text)
{
    struct address address;
    char host[HOST_NAME_SIZE], interface[16];
    assert_int_equal(parse(text, &address, host, interface), PEER_OK);
    return address;
}

static void kinds_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int loopback, link_local, unspecified;
    } cases[] = {
        {"127.0.0.1:1", 1, 0, 0},     {"127.8.9.1:1", 1, 0, 0},     {"[::1]:1", 1, 0, 0},
        {"169.254.3.4:1", 0, 1, 0},   {"[fe80::1]:1", 0, 1, 0},     {"[febf::1]:1", 0, 1, 0},
        {"[fec0::1]:1", 0, 0, 0},     {"0.0.0.0:1", 0, 0, 1},       {"[::]:1", 0, 0, 1},
        {"192.0.2.1:1", 0, 0, 0},     {"[2001:db8::1]:1", 0, 0, 0}, {"169.255.0.1:1", 0, 0, 0},
        {"[::127.0.0.1]:1", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address = address_of(cases[i].text);
        assert_int_equal(peer__address_is_loopback(&address), cases[i].loopback);
        assert_int_equal(peer__address_is_link_local(&address), cases[i].link_local);
        assert_int_equal(peer__address_is_unspecified(&address), cases[i].unspecified);
    }
}

static void equality_looks_at_everything(void **state)
{
    (void)state;
    struct address a = address_of("[fe80::1%3]:5000"), b = a;
    assert_true(peer__address_equal(&a, &b));
    b.port++;
    assert_false(peer__address_equal(&a, &b));
    b = a;
    b.scope_id++;
    assert_false(peer__address_equal(&a, &b));
    b = a;
    b.ip[15]++;
    assert_false(peer__address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_go_both_ways),
        cmocka_unit_test(other_spellings_come_out_short),
        cmocka_unit_test(host_and_interface_names_come_out),
        cmocka_unit_test(nonsense_is_refused_by_name),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(equality_looks_at_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
